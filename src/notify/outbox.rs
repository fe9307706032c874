//! What must be sent to whom, as pure steps.
//!
//! The engine commits the writes of a step, then hands its deliveries to the [`super::Deliverer`], then steps with the
//! result. Invariant: of each alert and reason a channel is told once; it is told again only where the answer to an earlier
//! attempt is not known, and then marked.

mod end;
mod line;
mod row;
mod send;
mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{Alert, JournalEvent};

use super::action::is_action;
use super::{Audience, DeliveryError, DeliveryFault, Enclosure, Message, Reason, Receipt, ReportOutcome, Routing};
pub use line::Budget;
use line::{HOUR, Line};
pub use row::{OutboxRow, ToldOf};

/// Whether messages really go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sending {
    /// They do.
    #[default]
    Real,
    /// Dry run: what would have gone out is in the journal, marked.
    Dry,
}

/// What must be on disk before anything else happens.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "deletions are as rare as rows")]
pub enum OutboxWrite {
    /// Write or replace the row.
    Put(OutboxRow),
    /// Remove it.
    Delete(u64),
}

/// A message to hand to a channel now.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its row.
    pub row: u64,
    /// Name of the channel.
    pub channel: String,
    /// What.
    pub message: Arc<Message>,
    /// The same for all attempts and for no other message: by it a receiver can drop a double.
    pub key: String,
    /// What the other side called the first message of the same thread.
    pub earlier: Option<String>,
    /// Of several recipients those who have it.
    pub told: Vec<String>,
}

impl Delivery {
    /// One message outside of all threads.
    pub fn alone(channel: &str, message: Message) -> Self {
        let key = format!("farol-{}-{}-{}", message.host, message.reason.word(), message.at.millis());
        Self { row: 0, channel: channel.to_owned(), message: Arc::new(message), key, earlier: None, told: Vec::new() }
    }
}

/// An alert's step that people are told of.
#[derive(Debug, Clone)]
pub struct Telling {
    /// The alert after it.
    pub alert: Arc<Alert>,
    /// Why.
    pub reason: Reason,
    /// Channels the rule names itself.
    pub channels: Arc<[String]>,
    /// What is over is told once it stayed so for that long; if it comes back before, nobody hears of either. Zero: at once.
    pub settles: Duration,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum OutboxEvent<'a> {
    /// Alerts changed, all in one tick: what belongs together is told together.
    Told(&'a [Telling]),
    /// A sign of life is due.
    Beat {
        /// To that channel.
        channel: &'a str,
        /// How farol is.
        how: &'a str,
    },
    /// A report is to go to these: channel, and what it gets.
    Report(&'a [(String, Enclosure)]),
    /// A delivery ended.
    Done {
        /// Its row.
        row: u64,
        /// How.
        result: Result<Receipt, DeliveryError>,
    },
    /// Time passed: [`Outbox::next_due`] is reached.
    Due,
}

/// What to do, in this order: commit `writes` and `journal` together, then deliver.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutboxStep {
    /// For the table of the outbox.
    pub writes: Vec<OutboxWrite>,
    /// For the journal.
    pub journal: Vec<JournalEvent>,
    /// Reports that went out, or never will.
    pub reports: Vec<ReportOutcome>,
    /// For the deliverer.
    pub deliveries: Vec<Delivery>,
}

/// A channel that does not work, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Its name.
    pub channel: String,
    /// Since when.
    pub since: Timestamp,
    /// Why, without secrets.
    pub error: String,
    /// Messages that wait for it.
    pub waiting: usize,
}

/// A message is given up after this: the bar is a cut of 24 h without loss, a weekend is longer.
const GIVE_UP: Duration = Duration::from_secs(3 * 86_400);

/// Messages waiting, and who was told what.
#[derive(Debug, Default)]
pub struct Outbox {
    host: String,
    routing: Routing,
    sending: Sending,
    rows: BTreeMap<u64, OutboxRow>,
    last_id: u64,
    lines: BTreeMap<String, Line>,
    /// Handed to the deliverer, result not known.
    in_flight: BTreeSet<u64>,
    /// When a row of a service that forgets was last sent again.
    refreshed: BTreeMap<u64, Timestamp>,
    /// Rows to be written at the end of the step, and to be removed.
    dirty: BTreeSet<u64>,
    gone: BTreeSet<u64>,
    /// Actions that a crash broke off: said with the next step, never begun again.
    broken_off: Vec<u64>,
}

impl Outbox {
    /// Empty, for the machine of that name.
    pub fn new(host: &str, routing: Routing, sending: Sending) -> Self {
        Self { host: host.to_owned(), routing, sending, ..Self::default() }
    }

    /// Takes up rows from before a restart: what is not known to be delivered is due at once. Step with [`OutboxEvent::Due`] next.
    pub fn restore(&mut self, rows: Vec<OutboxRow>) {
        for mut row in rows {
            self.last_id = self.last_id.max(row.id);
            if row.counts {
                let rule = row.told_of.first().map_or("", |t| t.rule.as_str());
                self.lines.entry(row.channel.clone()).or_default().count(rule, row.at);
            }
            if row.sending && row.is_waiting() && is_action(&row.channel) {
                self.broken_off.push(row.id);
            }
            // What was begun may have arrived.
            row.in_doubt |= row.sending && row.is_waiting();
            if row.sending || row.attempts > 0 {
                row.due_at = row.at;
            }
            row.sending = false;
            self.rows.insert(row.id, row);
        }
    }

    /// Other channels and routes, after a reload; channels that could not work are tried again.
    pub fn set_routing(&mut self, routing: Routing) {
        self.routing = routing;
        for line in self.lines.values_mut() {
            line.unavailable = false;
            line.worked();
        }
    }

    /// Takes one event.
    pub fn step(&mut self, event: OutboxEvent<'_>, now: Timestamp) -> OutboxStep {
        let mut out = OutboxStep::default();
        for id in std::mem::take(&mut self.broken_off) {
            let error = DeliveryError::permanent("farol ended while it ran; it is not run again");
            self.done(id, Err(error), now, &mut out);
        }
        match event {
            OutboxEvent::Told(tellings) => {
                for telling in tellings {
                    self.tell(telling, now, &mut out);
                }
            }
            OutboxEvent::Beat { channel, how } => self.beat(channel, how, now),
            OutboxEvent::Report(targets) => targets.iter().for_each(|target| self.send_report(target, now, &mut out)),
            OutboxEvent::Done { row, result } => self.done(row, result, now, &mut out),
            OutboxEvent::Due => {}
        }
        if self.sending == Sending::Real {
            self.gather_held(now);
            self.send(now, &mut out);
        }
        self.sweep(now);
        self.flush(&mut out);
        out
    }

    /// The writes of a step: each row once, as it is at its end.
    fn flush(&mut self, out: &mut OutboxStep) {
        let dirty = std::mem::take(&mut self.dirty);
        if self.sending == Sending::Real {
            out.writes.extend(dirty.iter().filter_map(|id| self.rows.get(id)).map(|row| OutboxWrite::Put(row.clone())));
            out.writes.extend(self.gone.iter().map(|id| OutboxWrite::Delete(*id)));
        }
        self.gone.clear();
    }

    fn remove(&mut self, id: u64) {
        if self.rows.remove(&id).is_some() {
            self.dirty.remove(&id);
            self.gone.insert(id);
            self.refreshed.remove(&id);
        }
    }

    /// Forgets rows of what is over: nothing of their thread waits, and they count no more.
    fn sweep(&mut self, now: Timestamp) {
        let waiting: BTreeSet<(&str, &str)> =
            self.rows.values().filter(|r| r.is_waiting()).map(|r| (r.channel.as_str(), r.thread.as_str())).collect();
        let idle = |r: &&OutboxRow| {
            let counted = r.counts && r.at <= now && now.since(r.at) < HOUR;
            !r.is_waiting()
                && r.is_over()
                && !counted
                && r.keep_until <= now
                && !waiting.contains(&(r.channel.as_str(), r.thread.as_str()))
        };
        let ids: Vec<u64> = self.rows.values().filter(idle).map(|r| r.id).collect();
        ids.into_iter().for_each(|id| self.remove(id));
    }

    fn done(&mut self, id: u64, result: Result<Receipt, DeliveryError>, now: Timestamp, out: &mut OutboxStep) {
        self.in_flight.remove(&id);
        let Some(row) = self.rows.get_mut(&id) else { return };
        let line = self.lines.entry(row.channel.clone()).or_default();
        if !row.is_waiting() {
            // Sent again to a service that forgets: only its health is news.
            match result {
                Ok(_) => line.worked(),
                Err(error) => drop(line.failed(&error, (id, 1), now)),
            }
            return;
        }
        row.attempts += 1;
        row.sending = false;
        self.dirty.insert(id);
        match result {
            Ok(receipt) => {
                line.worked();
                row.delivered_at = Some(now);
                (row.error, row.handle) = (None, receipt.handle.clone());
                tell::journal(row, None, &receipt.answer, out);
            }
            Err(error) => {
                row.due_at = line.failed(&error, (id, row.attempts), now);
                line.unavailable |= error.fault == DeliveryFault::Unavailable;
                tell::note_failure(row, &error, now, out);
            }
        }
        if row.is_waiting() {
            return;
        }
        out.reports.extend(row.report_outcome());
        let (channel, refreshes) = (row.channel.clone(), self.routing.refresh(&row.channel).is_some());
        if row.told_of.is_empty() {
            // A sign of life is not remembered.
            self.remove(id);
        } else if !refreshes {
            row.settle();
        }
        if self.lines.get(&channel).is_some_and(|l| l.unavailable) {
            self.leave_alone(&channel, now, out);
        }
    }

    /// A channel that cannot work here: what waits for it is given up without a word more.
    fn leave_alone(&mut self, channel: &str, now: Timestamp, out: &mut OutboxStep) {
        for row in self.rows.values_mut().filter(|r| r.channel == channel && r.is_waiting()) {
            row.failed_at = Some(now);
            out.reports.extend(row.report_outcome());
            row.settle();
            self.dirty.insert(row.id);
        }
    }

    /// Rows that wait to be delivered.
    pub fn depth(&self) -> usize {
        self.rows.values().filter(|r| r.is_waiting()).count()
    }

    /// Rows about an alert, for saying who was told and who will be.
    pub fn of_alert<'a>(&'a self, alert: &'a str) -> impl Iterator<Item = &'a OutboxRow> {
        self.rows.values().filter(move |r| r.is_about(alert))
    }

    /// Rows that bring a report.
    pub fn of_report<'a>(&'a self, report: &'a str) -> impl Iterator<Item = &'a OutboxRow> {
        self.rows.values().filter(move |r| r.enclosure().is_some_and(|e| e.id == report))
    }

    /// Names of the channels that were told that the alert fires.
    pub fn told(&self, alert: &str) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in self.rows.values().filter(|r| r.is_about(alert) && r.delivered_at.is_some()) {
            if !names.contains(&row.channel.as_str()) {
                names.push(&row.channel);
            }
        }
        names
    }

    /// Channels that do not work now.
    pub fn failing(&self) -> Vec<Failing> {
        let failing = self.lines.iter().filter_map(|(name, line)| Some((name, line.failing_since?, line.error.clone()?)));
        let waiting = |name: &str| self.rows.values().filter(|r| r.channel == name && r.is_waiting()).count();
        failing.map(|(name, since, error)| Failing { channel: name.clone(), since, error, waiting: waiting(name) }).collect()
    }

    /// Whether people read it.
    fn is_for_people(&self, channel: &str) -> bool {
        self.routing.audience(channel) == Audience::People
    }
}

#[cfg(test)]
mod kills;
#[cfg(test)]
mod tests;
