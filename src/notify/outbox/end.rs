//! The end of an alert as a message: when it is told, and what becomes of it where the alert comes back before that.
//!
//! Invariant: whoever was told that something is wrong is told that it is over, once, and not before it stays so.

use std::time::Duration;

use super::tell::{INTERVAL, delivered};
use super::{Outbox, OutboxRow, OutboxStep};
use crate::base::Timestamp;
use crate::notify::{Audience, Part, Reason};

/// What fires, seen from those who were told of it before.
pub(super) enum Back {
    /// They know of nothing like it.
    New,
    /// They believe that it never was over.
    Same,
    /// The same, but it was milder when they heard of it.
    Worse,
}

impl Outbox {
    /// The message that something is over: once it stayed so where all of its group is over, else together with the rest of it.
    pub(super) fn add_end(
        &mut self,
        (channel, group, thread): (&str, String, String),
        part: Part,
        settles: Duration,
        now: Timestamp,
    ) {
        if self.lines.get(channel).is_some_and(|l| l.unavailable) {
            return;
        }
        let settles_at = now + settles;
        let of_thread = |r: &OutboxRow| r.channel == channel && r.thread == thread;
        let all_over = self.rows.values().filter(|r| of_thread(r)).all(OutboxRow::is_over);
        let after = self.newest_about(channel, &part.alert.id);
        let joins = |r: &OutboxRow| of_thread(r) && r.reason == Reason::Resolved && r.is_open() && r.id > after;
        if let Some(row) = self.rows.values_mut().find(|r| joins(r)) {
            row.add(part);
            row.settles_at = row.settles_at.max(settles_at);
            row.due_at = row.due_at.max(row.settles_at);
            if all_over {
                (row.due_at, row.until_over) = (row.settles_at, false);
            }
            self.dirty.insert(row.id);
            return;
        }
        let id = self.next_id();
        let mut row = OutboxRow::new(id, channel, Reason::Resolved, now);
        (row.due_at, row.settles_at) = (settles_at, settles_at);
        match self.routing.audience(channel) {
            _ if all_over => {}
            Audience::People => row.due_at = settles_at.max(now + INTERVAL),
            Audience::Service => row.until_over = true,
            Audience::Feed => {}
        }
        (row.group, row.thread) = (group, thread);
        row.add(part);
        self.insert(row);
    }

    /// What fires again before anybody was told that it was over takes the place of what they were told of.
    pub(super) fn goes_on(&mut self, channel: &str, part: &Part, now: Timestamp, out: &mut OutboxStep) -> Back {
        if part.reason != Reason::Fired {
            return Back::New;
        }
        let alert = &part.alert;
        let settling = self.rows.values_mut().filter(|r| r.channel == channel && r.is_settling(now));
        let mut found = settling.filter_map(|r| {
            let place = r.told_of.iter().position(|t| t.fingerprint == alert.fingerprint)?;
            Some((r, place))
        });
        let Some((end, place)) = found.next() else { return Back::New };
        let (before, ended) = (end.told_of.remove(place).alert, end.parts.remove(place));
        let (id, is_empty) = (end.id, end.told_of.is_empty());
        self.dirty.insert(id);
        if is_empty {
            self.remove(id);
        }
        for row in self.rows.values_mut().filter(|r| r.channel == channel && r.is_about(&before)) {
            for told in row.told_of.iter_mut().filter(|t| t.alert == before) {
                (told.alert, told.over) = (alert.id.clone(), false);
            }
            for known in row.parts.iter_mut().filter(|p| p.alert.id == before) {
                known.alert.clone_from(alert);
            }
            self.dirty.insert(row.id);
        }
        let why = format!("not sent: it came back as {} at once", alert.id);
        out.journal.push(delivered((&before, channel), Some(why), ended.reason.phrase()));
        if alert.severity > ended.alert.severity {
            return Back::Worse;
        }
        let why = format!("not sent: goes on as {before}, of which nobody was told that it was over");
        out.journal.push(delivered((&alert.id, channel), Some(why), part.reason.phrase()));
        Back::Same
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{routing, telling};
    use super::super::{DeliveryError, OutboxEvent, Receipt, Sending, Telling};
    use super::*;
    use crate::model::{Alert, Severity};
    use crate::notify::tests::{alert, at};

    const MINUTE: Duration = Duration::from_secs(60);

    struct Post(Outbox);

    impl Post {
        /// What goes out, and is taken, when something is told of an alert, or time passes.
        fn sent(&mut self, told: Option<Telling>, second: u64) -> Vec<(Reason, String)> {
            let tellings: Vec<Telling> = told.into_iter().collect();
            let event = if tellings.is_empty() { OutboxEvent::Due } else { OutboxEvent::Told(&tellings) };
            let mut waiting = self.0.step(event, at(second)).deliveries;
            let mut sent = Vec::new();
            while let Some(delivery) = waiting.pop() {
                sent.push((delivery.message.reason, delivery.message.thread.clone()));
                let result: Result<Receipt, DeliveryError> = Ok(Receipt::default());
                waiting.extend(self.0.step(OutboxEvent::Done { row: delivery.row, result }, at(second)).deliveries);
            }
            sent
        }
    }

    fn ended(alert: &Alert) -> Option<Telling> {
        Some(Telling { settles: MINUTE, ..telling(alert, Reason::Resolved) })
    }

    fn fired(alert: &Alert) -> Option<Telling> {
        Some(telling(alert, Reason::Fired))
    }

    fn again(id: &str, severity: Severity) -> Alert {
        Alert { severity, fingerprint: 7, ..alert(id, "x") }
    }

    #[test]
    fn what_comes_back_before_its_end_was_told_goes_on_under_the_first_message() {
        let mut post = Post(Outbox::new("web-1", routing(&["file"]), Sending::Real));
        let [a, b, c] = ["a", "b", "c"].map(|id| again(id, Severity::Warning));
        assert_eq!(post.sent(fired(&a), 0), [(Reason::Fired, "a".to_owned())]);
        assert_eq!(post.sent(ended(&a), 5), []);
        assert_eq!(post.sent(fired(&b), 30), []);
        assert_eq!(post.0.told("b"), ["file"], "they know of it");
        assert_eq!(post.sent(ended(&b), 40), []);
        let rows = post.0.rows.values().cloned().collect();
        post.0 = Outbox::new("web-1", routing(&["file"]), Sending::Real);
        post.0.restore(rows);
        assert_eq!(post.sent(fired(&c), 90), [], "a restart changes nothing");
        assert_eq!(post.sent(ended(&c), 91), []);
        assert_eq!(post.sent(None, 150), [], "not yet");
        assert_eq!(post.sent(None, 151), [(Reason::Resolved, "a".to_owned())]);
        assert_eq!(post.0.next_due(), None);
    }

    #[test]
    fn what_comes_back_worse_is_told_at_once_and_ends_once() {
        let mut post = Post(Outbox::new("web-1", routing(&["file"]), Sending::Real));
        let (a, b) = (again("a", Severity::Warning), again("b", Severity::Critical));
        post.sent(fired(&a), 0);
        post.sent(ended(&a), 5);
        assert_eq!(post.sent(fired(&b), 10).iter().map(|(reason, _)| *reason).collect::<Vec<_>>(), [Reason::Worse(1)]);
        assert_eq!(post.sent(Some(telling(&b, Reason::Resolved)), 600).len(), 1);
        assert_eq!(post.sent(None, 4000), []);
    }

    #[test]
    fn an_end_that_is_not_told_yet_is_told_though_another_alert_fires() {
        let mut post = Post(Outbox::new("web-1", routing(&["file"]), Sending::Real));
        let a = again("a", Severity::Warning);
        let other = Alert { fingerprint: 8, ..again("o", Severity::Warning) };
        post.sent(fired(&a), 0);
        post.sent(ended(&a), 5);
        assert_eq!(post.sent(fired(&other), 6).len(), 1);
        assert_eq!(post.sent(None, 65), [(Reason::Resolved, "a".to_owned())]);
    }
}
