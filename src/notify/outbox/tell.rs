//! From an alert's step to rows: who is told, together with what, now or in a digest, or why not.
//!
//! Invariant: nothing is dropped without a line in the journal that says why.

use std::collections::BTreeSet;
use std::time::Duration;

use super::end::Back;
use super::line::HOUR;
use super::{GIVE_UP, Outbox, OutboxRow, OutboxStep, Sending, Telling};
use crate::base::{Timestamp, format_duration};
use crate::model::{Alert, JournalEvent, Severity};
use crate::notify::action::is_action;
use crate::notify::routing::Way;
use crate::notify::{Audience, DeliveryError, DeliveryFault, Enclosure, Message, Part, Reason};

/// What joins a group after its first message is told that much later, all at once: a cascade takes seconds.
pub(super) const INTERVAL: Duration = Duration::from_secs(30);

/// The thread of a channel's digests.
const DIGEST: &str = "digest";

impl Outbox {
    pub(super) fn tell(&mut self, telling: &Telling, now: Timestamp, out: &mut OutboxStep) {
        let alert = telling.alert.as_ref();
        let reason = match telling.reason {
            Reason::Repeat(_) => Reason::Repeat(self.count(alert, |r| matches!(r, Reason::Repeat(_))) + 1),
            Reason::Worse(_) => Reason::Worse(self.count(alert, |r| matches!(r, Reason::Worse(_))) + 1),
            reason => reason,
        };
        let part = Part { alert: Box::new(alert.clone()), reason, at: now };
        self.act(&part, now, out);
        if reason == Reason::Resolved {
            self.close(&part, telling.settles, now, out);
        } else if reason.is_alarm() {
            let way = self.routing.way(alert, &telling.channels, alert.level);
            self.alarm(&part, &way, now, out);
        }
    }

    /// Sets off the actions that wait for this; nobody wants what they silenced, snoozed or acknowledged to do anything.
    fn act(&mut self, part: &Part, now: Timestamp, out: &mut OutboxStep) {
        let alert = &part.alert;
        let quiet = part.reason.is_alarm() && (alert.is_quiet() || alert.acknowledged.is_some());
        for at in 0..self.routing.actions.len() {
            let action = &self.routing.actions[at];
            let (channel, cool_down) = (action.channel(), action.cool_down);
            if !action.is_set_off_by(alert, part.reason) || self.knows(&alert.id, &channel, part.reason) {
                continue;
            }
            let same = |r: &&OutboxRow| {
                r.channel == channel && r.told_of.iter().any(|t| t.fingerprint == alert.fingerprint && t.reason == part.reason)
            };
            let cooling = self.rows.values().filter(same).map(|r| r.keep_until).max().filter(|until| *until > now);
            let dry = action.dry_run || self.sending == Sending::Dry;
            let why_not = match cooling {
                _ if quiet => Some("not run: silenced, snoozed or acknowledged".to_owned()),
                Some(until) => Some(format!("not run: it cools down until {}", until.rfc3339())),
                None => dry.then(|| "dry run: not run".to_owned()),
            };
            if let Some(why) = &why_not {
                out.journal.push(delivered((&alert.id, &channel), Some(why.clone()), part.reason.phrase()));
            }
            if quiet || cooling.is_some() {
                continue;
            }
            let id = self.next_id();
            let mut row = OutboxRow::new(id, &channel, part.reason, now);
            row.thread = format!("{channel}-{id}");
            row.keep_until = now + cool_down;
            row.add(part.clone());
            if dry {
                row.delivered_at = Some(now);
                row.settle();
            }
            self.insert(row);
        }
    }

    /// How many messages of a kind there were about an alert.
    fn count(&self, alert: &Alert, kind: impl Fn(Reason) -> bool) -> u32 {
        let of_it = self.of_alert(&alert.id).flat_map(|r| &r.told_of).filter(|t| t.alert == alert.id);
        let reasons: BTreeSet<Reason> = of_it.map(|t| t.reason).filter(|r| kind(*r)).collect();
        u32::try_from(reasons.len()).unwrap_or(u32::MAX)
    }

    fn alarm(&mut self, part: &Part, way: &Way, now: Timestamp, out: &mut OutboxStep) {
        let alert = &part.alert;
        let why_not = if !alert.silenced_by.is_empty() {
            Some(format!("not sent: silenced by {}", alert.silenced_by.join(", ")))
        } else if alert.snoozed.is_some() {
            Some("not sent: snoozed".to_owned())
        } else {
            alert.acknowledged.as_ref().map(|ack| format!("not sent: acknowledged by {}", ack.by))
        };
        if way.channels.is_empty() {
            let text = format!("not sent: {}", way.nobody);
            out.journal.push(delivered((&alert.id, ""), Some(text), part.reason.phrase()));
        }
        for channel in &way.channels {
            let line = self.lines.entry(channel.clone()).or_default();
            if line.unavailable || self.knows(&alert.id, channel, part.reason) {
                continue;
            }
            match &why_not {
                Some(why) => out.journal.push(delivered((&alert.id, channel), Some(why.clone()), part.reason.phrase())),
                None => match self.goes_on(channel, part, now, out) {
                    Back::New => self.add(channel, part.clone(), way, now, out),
                    Back::Same => {}
                    Back::Worse => self.add(channel, Part { reason: Reason::Worse(1), ..part.clone() }, way, now, out),
                },
            }
        }
    }

    /// The newest message about an alert to a channel: what is told later must not join an older one.
    pub(super) fn newest_about(&self, channel: &str, alert: &str) -> u64 {
        self.of_alert(alert).filter(|r| r.channel == channel).map(|r| r.id).max().unwrap_or(0)
    }

    /// Whether that message was written down before. Who got a reminder need not hear that the alert fired.
    fn knows(&self, alert: &str, channel: &str, reason: Reason) -> bool {
        let worse = |r: &OutboxRow| r.told_of.iter().any(|t| t.alert == alert && matches!(t.reason, Reason::Worse(_)));
        // What got worse begins again: reminders from before are another story.
        let since = self.of_alert(alert).filter(|r| worse(r)).map(|r| r.id).max().unwrap_or(0);
        let told = self.of_alert(alert).filter(|r| r.channel == channel && r.id >= since).flat_map(|r| &r.told_of);
        told.filter(|t| t.alert == alert).any(|t| t.reason == reason || reason == Reason::Fired)
    }

    /// Puts an alarm into a message: one that waits for the same group, a new one, or the digest.
    fn add(&mut self, channel: &str, part: Part, way: &Way, now: Timestamp, out: &mut OutboxStep) {
        if self.sending == Sending::Dry {
            return self.add_dry(channel, part, now, out);
        }
        let group = self.group_of(channel, &part, way);
        let after = self.newest_about(channel, &part.alert.id);
        let same = |r: &OutboxRow| r.channel == channel && r.group == group && r.reason == part.reason;
        let open = |r: &&mut OutboxRow| same(r) && r.is_open() && r.id > after;
        if let Some(row) = self.rows.values_mut().filter(|r| r.channel == channel).find(open) {
            self.dirty.insert(row.id);
            return row.add(part);
        }
        let counts = self.is_for_people(channel) && !self.is_exempt(channel, &part, now);
        let rule = part.alert.rule.clone();
        if counts {
            let line = self.lines.entry(channel.to_owned()).or_default();
            if let Some(free_at) = line.full_until(&rule, self.routing.budget, now) {
                return self.hold(channel, part, free_at, out);
            }
            line.count(&rule, now);
        }
        let id = self.next_id();
        let mut row = OutboxRow::new(id, channel, part.reason, now);
        let (thread, last) = self.standing_of(channel, &group, part.reason);
        let wait = if self.is_for_people(channel) { way.wait } else { Duration::ZERO };
        row.due_at = (now + wait).max(last.filter(|_| self.is_for_people(channel)).map_or(now, |last| last + INTERVAL));
        row.thread = thread.unwrap_or_else(|| part.alert.id.clone());
        (row.group, row.counts, row.repeat_seconds) = (group, counts, way.repeat.map(|d| d.as_secs()));
        row.add(part);
        self.insert(row);
    }

    /// Services that keep each alert by itself are told of each alone.
    fn group_of(&self, channel: &str, part: &Part, way: &Way) -> String {
        match self.routing.audience(channel) {
            Audience::People | Audience::Feed => way.group.clone(),
            Audience::Service => part.alert.id.clone(),
        }
    }

    /// The thread of a group that is not over, and when its last message of that reason was made.
    fn standing_of(&self, channel: &str, group: &str, reason: Reason) -> (Option<String>, Option<Timestamp>) {
        let mut thread = None;
        let mut last = None;
        for row in
            self.rows.values().filter(|r| r.channel == channel && r.group == group && !r.is_over() && r.failed_at.is_none())
        {
            thread.get_or_insert_with(|| row.thread.clone());
            if row.reason == reason {
                last = last.max(Some(row.at));
            }
        }
        (thread, last)
    }

    /// The first message of a critical alert is sent whatever the hour has seen; one that comes again within it is not the first.
    fn is_exempt(&self, channel: &str, part: &Part, now: Timestamp) -> bool {
        let again = |r: &OutboxRow| {
            let same = r.told_of.iter().any(|t| t.fingerprint == part.alert.fingerprint && t.reason.is_alarm());
            r.channel == channel && same && r.at <= now && now.since(r.at) < HOUR
        };
        part.reason == Reason::Fired && part.alert.severity == Severity::Critical && !self.rows.values().any(again)
    }

    /// Puts it into the channel's digest, which is sent when the hour has room.
    fn hold(&mut self, channel: &str, part: Part, free_at: Timestamp, out: &mut OutboxStep) {
        let why = format!("held back for a digest: {} messages an hour are the limit", self.routing.budget.all);
        out.journal.push(delivered((&part.alert.id, channel), Some(why.clone()), part.reason.phrase()));
        let open = |r: &&mut OutboxRow| r.channel == channel && r.reason == Reason::Digest && r.is_open();
        if let Some(row) = self.rows.values_mut().find(open) {
            self.dirty.insert(row.id);
            return row.add(part);
        }
        let id = self.next_id();
        let mut row = OutboxRow::new(id, channel, Reason::Digest, part.at);
        row.due_at = free_at;
        row.note = format!("{} messages an hour are the limit of this channel; what came beyond it:", self.routing.budget.all);
        row.thread = format!("{DIGEST}-{id}");
        row.add(part);
        self.insert(row);
    }

    fn add_dry(&mut self, channel: &str, part: Part, now: Timestamp, out: &mut OutboxStep) {
        out.journal.push(delivered((&part.alert.id, channel), Some("dry run: not sent".to_owned()), part.reason.phrase()));
        let id = self.next_id();
        let mut row = OutboxRow::new(id, channel, part.reason, now);
        row.thread.clone_from(&part.alert.id);
        row.delivered_at = Some(now);
        row.add(part);
        row.settle();
        self.insert(row);
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn insert(&mut self, row: OutboxRow) {
        self.dirty.insert(row.id);
        self.rows.insert(row.id, row);
    }

    /// An alert is over: reminders nobody saw are dropped, and all who heard, or will hear, of it are told.
    fn close(&mut self, part: &Part, settles: Duration, now: Timestamp, out: &mut OutboxStep) {
        let id = part.alert.id.as_str();
        let stale = |r: &&OutboxRow| r.is_open() && !matches!(r.reason, Reason::Fired | Reason::Digest) && r.reason.is_alarm();
        let stale: Vec<u64> = self.of_alert(id).filter(stale).map(|r| r.id).collect();
        for row_id in stale {
            let Some(row) = self.rows.get_mut(&row_id) else { continue };
            row.parts.retain(|p| p.alert.id != id);
            row.told_of.retain(|t| t.alert != id);
            self.dirty.insert(row_id);
            if row.told_of.is_empty() {
                self.remove(row_id);
            }
        }
        let mut told: Vec<(String, String, String)> = Vec::new();
        for row in self.rows.values_mut().filter(|r| r.is_about(id)) {
            if row.alarms(id) && !is_action(&row.channel) && !told.iter().any(|(channel, ..)| *channel == row.channel) {
                // Those of a digest have nothing else in common.
                let alone = row.reason == Reason::Digest;
                let (group, thread) =
                    if alone { (String::new(), id.to_owned()) } else { (row.group.clone(), row.thread.clone()) };
                told.push((row.channel.clone(), group, thread));
            }
            row.told_of.iter_mut().filter(|t| t.alert == id).for_each(|t| t.over = true);
            if row.reason == Reason::Digest && !row.sending {
                // What it will tell of this alert is how it ended.
                row.parts.iter_mut().filter(|p| p.alert.id == id).for_each(|p| p.alert.resolved_at = part.alert.resolved_at);
            }
            self.dirty.insert(row.id);
        }
        for (channel, group, thread) in told {
            if self.sending == Sending::Dry {
                self.add_dry(&channel, part.clone(), now, out);
            } else {
                self.add_end((&channel, group, thread), part.clone(), settles, now);
            }
        }
    }

    /// What a channel that works again missed becomes one digest, with the original times.
    pub(super) fn gather_held(&mut self, now: Timestamp) {
        let tried = |name: &String| self.lines.get(name).is_some_and(|l| l.is_on_trial() && !l.is_closed(now));
        let mut names: BTreeSet<String> = self.rows.values().filter(|r| r.is_waiting()).map(|r| r.channel.clone()).collect();
        names.retain(|name| tried(name) && self.is_for_people(name));
        for name in names {
            let held = |r: &&OutboxRow| r.channel == name && r.is_waiting() && !r.sending && !r.told_of.is_empty();
            if self.rows.values().filter(held).filter(|r| r.due_at <= now).count() < 2 {
                continue;
            }
            // Also what is due later: the end of an alert must not overtake its beginning.
            let ids: Vec<u64> = self.rows.values().filter(held).map(|r| r.id).collect();
            let since = self.lines.get(&name).and_then(|l| l.failing_since).unwrap_or(now);
            let id = self.next_id();
            let mut digest = OutboxRow::new(id, &name, Reason::Digest, now);
            digest.thread = format!("{DIGEST}-{id}");
            digest.note = format!("This channel could not be reached since {}; what was to be told meanwhile:", since.rfc3339());
            let mut lines = Vec::new();
            for row in ids.iter().filter_map(|id| self.rows.get(id)) {
                digest.at = digest.at.min(row.at);
                digest.attempts = digest.attempts.max(row.attempts);
                digest.in_doubt |= row.in_doubt;
                lines.extend(row.told_of.iter().cloned().zip(row.parts.iter().cloned()));
            }
            // What began, then what is over: a row may have been joined by what came after another row.
            lines.sort_by_key(|(told, part)| (told.reason == Reason::Resolved, part.at));
            (digest.told_of, digest.parts) = lines.into_iter().unzip();
            ids.into_iter().for_each(|id| self.remove(id));
            self.insert(digest);
        }
    }

    /// A sign of life takes the place of one that waits.
    pub(super) fn beat(&mut self, channel: &str, how: &str, now: Timestamp) {
        if self.sending == Sending::Dry {
            return;
        }
        let old = |r: &&OutboxRow| r.channel == channel && r.reason == Reason::Heartbeat && !r.sending;
        let stale: Vec<u64> = self.rows.values().filter(old).map(|r| r.id).collect();
        stale.into_iter().for_each(|id| self.remove(id));
        let id = self.next_id();
        let mut row = OutboxRow::new(id, channel, Reason::Heartbeat, now);
        row.bare = Some(Message::heartbeat(&self.host, now, how));
        self.insert(row);
    }

    /// A report goes to a channel as it is: no group, no budget, no digest.
    pub(super) fn send_report(&mut self, (channel, enclosure): &(String, Enclosure), now: Timestamp, out: &mut OutboxStep) {
        let id = self.next_id();
        let mut row = OutboxRow::new(id, channel, Reason::Report, now);
        row.thread = format!("report-{}", enclosure.id);
        row.bare = Some(Message::report(&self.host, now, enclosure.clone()));
        let unavailable = self.lines.get(channel).is_some_and(|l| l.unavailable);
        if unavailable || self.sending == Sending::Dry {
            row.error = (self.sending == Sending::Dry).then(|| "dry run: not sent".to_owned());
            out.reports.extend(row.report_outcome());
            return;
        }
        self.insert(row);
    }

    /// Alerts that a route wants told again: they fire, and the last alarm is old enough.
    pub fn repeats_due(&self, now: Timestamp) -> Vec<String> {
        let mut due: Vec<String> = Vec::new();
        for row in self.rows.values().filter(|r| r.repeat_seconds.is_some()) {
            for told in row.told_of.iter().filter(|t| !t.over) {
                let last = self.of_alert(&told.alert).map(|r| r.at).max().unwrap_or(row.at);
                let every = Duration::from_secs(row.repeat_seconds.unwrap_or(u64::MAX));
                if last <= now && now.since(last) >= every && !due.contains(&told.alert) {
                    due.push(told.alert.clone());
                }
            }
        }
        due
    }
}

/// A line for each alert of a row: taken, with the other side's answer, or why not.
pub(super) fn journal(row: &OutboxRow, error: Option<&str>, answer: &str, out: &mut OutboxStep) {
    if let Some(enclosure) = row.enclosure() {
        let note = if answer.is_empty() { row.reason.phrase() } else { format!("{}: {answer}", row.reason.phrase()) };
        out.journal.push(delivered((&enclosure.id, &row.channel), error.map(str::to_owned), note));
    }
    for told in &row.told_of {
        let mut note = told.reason.phrase();
        if row.reason == Reason::Digest {
            note.push_str(", in a digest");
        }
        if row.in_doubt {
            note.push_str(", perhaps a second time");
        }
        if !answer.is_empty() {
            note = format!("{note}: {answer}");
        }
        out.journal.push(delivered((&told.alert, &row.channel), error.map(str::to_owned), note));
    }
}

/// Notes a failed attempt: that it is tried again, or that nobody will.
pub(super) fn note_failure(row: &mut OutboxRow, error: &DeliveryError, now: Timestamp, out: &mut OutboxStep) {
    // What ran half may have done half: no action is tried again.
    let is_final = error.fault != DeliveryFault::Transient || is_action(&row.channel) || now.since(row.at) >= GIVE_UP;
    if is_final {
        row.failed_at = Some(now);
    }
    row.in_doubt |= error.in_doubt;
    row.told.clone_from(&error.told);
    // The journal tells the first failure, a new reason and the end, not every attempt of a long night.
    if is_final || row.error.as_deref() != Some(error.text.as_str()) {
        let more =
            if is_final { "given up".to_owned() } else { format!("tried again in {}", format_duration(row.due_at.since(now))) };
        journal(row, Some(&format!("{}; {more}", error.text)), "", out);
    }
    row.error = Some(error.text.clone());
}

pub(super) fn delivered((alert, channel): (&str, &str), error: Option<String>, note: String) -> JournalEvent {
    JournalEvent::Delivered { alert: alert.to_owned(), channel: channel.to_owned(), error, note }
}
