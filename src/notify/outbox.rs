//! What must be sent to whom, as pure steps.
//!
//! The engine commits the writes of a step, then hands its deliveries to the [`super::Deliverer`], then steps with the
//! result. Invariant: one row for each alert, reason and channel, ever; a row is sent again only while its result is not known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::model::{Alert, JournalEvent};

use super::{DeliveryError, DeliveryFault, Message, Part, Reason, Receipt, Routing};

/// Whether messages really go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sending {
    /// They do.
    #[default]
    Real,
    /// Dry run: what would have gone out is in the journal, marked.
    Dry,
}

/// One message for one channel, as it is kept over restarts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Rises; never reused while rows exist.
    pub id: u64,
    /// Name of the channel.
    pub channel: String,
    /// What is sent.
    pub message: Message,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// When it was taken; such a row stays until its alert is over, so that who was told is known.
    pub delivered_at: Option<Timestamp>,
    /// When it was given up; such a row stays like a delivered one, and is not told that the alert is over.
    pub failed_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// The message went out once and the answer was lost.
    #[serde(default)]
    pub in_doubt: bool,
    /// Of several recipients those who have it.
    #[serde(default)]
    pub told: Vec<String>,
    /// Names the message on the other side.
    #[serde(default)]
    pub handle: Option<String>,
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

/// What happened.
#[derive(Debug, Clone)]
pub enum OutboxEvent<'a> {
    /// An alert's step that people are told of.
    Told {
        /// The alert after it.
        alert: &'a Alert,
        /// Why.
        reason: Reason,
        /// Channels the rule names itself.
        channels: &'a [String],
    },
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
    /// For the deliverer.
    pub deliveries: Vec<Delivery>,
}

/// First pause after a failed attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Longest pause: a network that comes back is used within that time.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Longest pause the other side may ask for.
const LONGEST_WISH: Duration = Duration::from_secs(3600);
/// A message is given up after this: the bar is a cut of 24 h without loss, a weekend is longer.
const GIVE_UP: Duration = Duration::from_secs(3 * 86_400);
/// Most messages of one channel on their way at once; below the deliverer's queue.
const MOST_IN_FLIGHT: usize = 16;

/// Messages waiting, and who was told what.
#[derive(Debug, Default)]
pub struct Outbox {
    host: String,
    routing: Routing,
    sending: Sending,
    rows: BTreeMap<u64, OutboxRow>,
    last_id: u64,
    /// Handed to the deliverer, result not known.
    in_flight: BTreeSet<u64>,
    /// Channels that cannot work here.
    unavailable: BTreeSet<String>,
}

impl Outbox {
    /// Empty, for the machine of that name.
    pub fn new(host: &str, routing: Routing, sending: Sending) -> Self {
        Self { host: host.to_owned(), routing, sending, ..Self::default() }
    }

    /// Takes up rows from before a restart: what is not known to be delivered is due at once. Step with [`OutboxEvent::Due`] next.
    pub fn restore(&mut self, rows: Vec<OutboxRow>) {
        for mut row in rows {
            row.due_at = row.message.at;
            self.last_id = self.last_id.max(row.id);
            self.rows.insert(row.id, row);
        }
    }

    /// Other channels and routes, after a reload; channels that could not work are tried again.
    pub fn set_routing(&mut self, routing: Routing) {
        self.routing = routing;
        self.unavailable.clear();
    }

    /// Takes one event.
    pub fn step(&mut self, event: OutboxEvent<'_>, now: Timestamp) -> OutboxStep {
        let mut out = OutboxStep::default();
        match event {
            OutboxEvent::Told { alert, reason, channels } => self.told_of((alert, reason), channels, now, &mut out),
            OutboxEvent::Done { row, result } => self.done(row, result, now, &mut out),
            OutboxEvent::Due => {}
        }
        if self.sending == Sending::Real {
            self.send(now, &mut out);
        }
        out
    }

    fn told_of(&mut self, (alert, reason): (&Alert, Reason), own: &[String], now: Timestamp, out: &mut OutboxStep) {
        let quiet = alert.is_quiet() || alert.acknowledged.is_some();
        let recipients = match reason {
            Reason::Resolved => self.close(&alert.id, out),
            reason if reason.is_alarm() && quiet => return,
            reason if reason.is_alarm() => self.routing.recipients(alert, own, alert.level),
            _ => return,
        };
        let part = Part { alert: Box::new(alert.clone()), reason, at: now };
        let message = Message::about(&[part], reason, (&self.host, &alert.id), now, "");
        for channel in recipients {
            if !self.unavailable.contains(&channel) && !self.knows(&alert.id, &channel, reason) {
                self.add(channel, message.clone(), now, out);
            }
        }
    }

    /// Whether that message was written down before. Who got a reminder need not hear that the alert fired.
    fn knows(&self, alert: &str, channel: &str, reason: Reason) -> bool {
        self.of(alert).any(|r| r.channel == channel && (r.message.reason == reason || reason == Reason::Fired))
    }

    fn of<'a>(&'a self, alert: &'a str) -> impl Iterator<Item = &'a OutboxRow> {
        self.rows.values().filter(move |r| r.message.alert == alert)
    }

    fn add(&mut self, channel: String, message: Message, now: Timestamp, out: &mut OutboxStep) {
        self.last_id += 1;
        let mut row = OutboxRow {
            id: self.last_id,
            channel,
            message,
            attempts: 0,
            due_at: now,
            delivered_at: None,
            failed_at: None,
            error: None,
            in_doubt: false,
            told: Vec::new(),
            handle: None,
        };
        if self.sending == Sending::Dry {
            row.delivered_at = Some(now);
            out.journal.push(delivered(&row, Some("dry run: not sent".to_owned())));
            let (alert, over) = (row.message.alert.clone(), row.message.reason == Reason::Resolved);
            self.rows.insert(row.id, row);
            if over {
                self.rows.retain(|_, r| r.message.alert != alert);
            }
            return;
        }
        out.writes.push(OutboxWrite::Put(row.clone()));
        self.rows.insert(row.id, row);
    }

    /// An alert is over: reminders that are not on their way are dropped; gives the channels that heard, or will hear, of it.
    fn close(&mut self, alert: &str, out: &mut OutboxStep) -> Vec<String> {
        let idle = |r: &OutboxRow| r.is_waiting() && r.attempts == 0 && matches!(r.message.reason, Reason::Reminder(_));
        let stale: Vec<u64> = self.of(alert).filter(|r| idle(r) && !self.in_flight.contains(&r.id)).map(|r| r.id).collect();
        for id in stale {
            self.rows.remove(&id);
            out.writes.push(OutboxWrite::Delete(id));
        }
        let mut channels: Vec<String> = Vec::new();
        for row in self.of(alert).filter(|r| r.failed_at.is_none()) {
            if !channels.contains(&row.channel) {
                channels.push(row.channel.clone());
            }
        }
        if channels.is_empty() {
            self.forget(alert, out);
        }
        channels
    }

    /// Removes an alert's rows.
    fn forget(&mut self, alert: &str, out: &mut OutboxStep) {
        let ids: Vec<u64> = self.of(alert).map(|r| r.id).collect();
        for id in ids {
            self.rows.remove(&id);
            out.writes.push(OutboxWrite::Delete(id));
        }
    }

    fn done(&mut self, id: u64, result: Result<Receipt, DeliveryError>, now: Timestamp, out: &mut OutboxStep) {
        self.in_flight.remove(&id);
        let Some(row) = self.rows.get_mut(&id) else { return };
        row.attempts += 1;
        let gone = result.as_ref().is_err_and(|e| e.fault == DeliveryFault::Unavailable);
        match result {
            Ok(receipt) => {
                row.handle = receipt.handle;
                row.delivered_at = Some(now);
                row.error = None;
                out.journal.push(delivered(row, None));
            }
            Err(error) => failed(row, &error, now, out),
        }
        if row.is_waiting() {
            out.writes.push(OutboxWrite::Put(row.clone()));
            return;
        }
        row.settle();
        let (alert, channel) = (row.message.alert.clone(), row.channel.clone());
        out.writes.push(OutboxWrite::Put(row.clone()));
        if gone {
            self.leave_alone(&channel, now, out);
        }
        let over = self.of(&alert).any(|r| r.message.reason == Reason::Resolved);
        if over && !self.of(&alert).any(OutboxRow::is_waiting) {
            self.forget(&alert, out);
        }
    }

    /// A channel that cannot work here: what waits for it is given up without a word more.
    fn leave_alone(&mut self, channel: &str, now: Timestamp, out: &mut OutboxStep) {
        self.unavailable.insert(channel.to_owned());
        for row in self.rows.values_mut().filter(|r| r.channel == channel && r.is_waiting()) {
            row.failed_at = Some(now);
            row.settle();
            out.writes.push(OutboxWrite::Put(row.clone()));
        }
    }

    /// Hands out what is due: of each alert and channel one at a time, in order.
    fn send(&mut self, now: Timestamp, out: &mut OutboxStep) {
        let mut busy: BTreeMap<&str, usize> = BTreeMap::new();
        for id in &self.in_flight {
            if let Some(row) = self.rows.get(id) {
                *busy.entry(&row.channel).or_default() += 1;
            }
        }
        let mut chosen = Vec::new();
        for row in self.first_waiting() {
            let load = busy.entry(&row.channel).or_default();
            // After a clock that went back a row would wait for the old time.
            let due = row.due_at <= now || row.due_at > now + LONGEST_WISH;
            if due && *load < MOST_IN_FLIGHT && !self.in_flight.contains(&row.id) {
                *load += 1;
                chosen.push(row.id);
                out.deliveries.push(self.delivery(row));
            }
        }
        self.in_flight.extend(chosen);
    }

    fn delivery(&self, row: &OutboxRow) -> Delivery {
        let message = row.message.clone();
        let earlier = self.of(&message.alert).find(|r| r.channel == row.channel && r.handle.is_some());
        Delivery {
            row: row.id,
            channel: row.channel.clone(),
            key: format!("farol-{}-{}-{}", self.host, row.id, message.at.millis()),
            earlier: earlier.and_then(|r| r.handle.clone()),
            told: row.told.clone(),
            message: Arc::new(if row.in_doubt { message.marked_doubtful() } else { message }),
        }
    }

    /// The first row of each alert and channel that waits.
    fn first_waiting(&self) -> Vec<&OutboxRow> {
        let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
        let waiting = self.rows.values().filter(|r| r.is_waiting());
        waiting.filter(|r| seen.insert((&r.message.alert, &r.channel))).collect()
    }

    /// When to step with [`OutboxEvent::Due`]; `None` while nothing waits for time to pass.
    pub fn next_due(&self) -> Option<Timestamp> {
        if self.sending == Sending::Dry {
            return None;
        }
        self.first_waiting().iter().filter(|r| !self.in_flight.contains(&r.id)).map(|r| r.due_at).min()
    }

    /// Rows that wait to be delivered.
    pub fn depth(&self) -> usize {
        self.rows.values().filter(|r| r.is_waiting()).count()
    }

    /// Names of the channels that were told that the alert fires.
    pub fn told(&self, alert: &str) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in self.rows.values().filter(|r| r.message.alert == alert && r.delivered_at.is_some()) {
            if !names.contains(&row.channel.as_str()) {
                names.push(&row.channel);
            }
        }
        names
    }
}

impl OutboxRow {
    fn is_waiting(&self) -> bool {
        self.delivered_at.is_none() && self.failed_at.is_none()
    }

    /// Nothing is sent any more: only who was told of what is kept.
    fn settle(&mut self) {
        self.message.lead = String::new();
        self.message.facts = Vec::new();
        self.message.json = serde_json::Value::Null;
    }
}

/// Notes a failed attempt: when to try again, or that nobody will.
fn failed(row: &mut OutboxRow, error: &DeliveryError, now: Timestamp, out: &mut OutboxStep) {
    let doublings = row.attempts.saturating_sub(1).min(16);
    let pause = (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE);
    let pause = pause.max(error.retry_after.unwrap_or_default()).min(LONGEST_WISH);
    let final_ = error.fault != DeliveryFault::Transient || now.since(row.message.at) >= GIVE_UP;
    if final_ {
        row.failed_at = Some(now);
    } else {
        row.due_at = now + pause;
    }
    // The journal tells the first failure, a new reason and the end, not every attempt of a long night.
    if final_ || row.error.as_deref() != Some(error.text.as_str()) {
        let more = if final_ { "; given up" } else { "; tried again" };
        out.journal.push(delivered(row, Some(format!("{}{more}", error.text))));
    }
    row.error = Some(error.text.clone());
    row.in_doubt |= error.in_doubt;
    row.told.clone_from(&error.told);
}

fn delivered(row: &OutboxRow, error: Option<String>) -> JournalEvent {
    JournalEvent::Delivered { alert: row.message.alert.clone(), channel: row.channel.clone(), error }
}

#[cfg(test)]
mod tests;
