//! Everything that is not a series, as rows: which table, which key, which bytes.
//!
//! Invariant: a row is written whole in the transaction of its decision, under a checksum.

use std::sync::Arc;

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::Write;
use super::error::Fault;
use super::frame::{JSON, OPAQUE, OWN, frame, put_signed, unframe};
use super::processes::Described;
use super::schema::{
    ANOMALY, INCIDENT, JOURNAL, KEYFRAME, LEDGER, META, MODEL, Named, OUTBOX, PREDICTION, PROCESS, SCHEDULE, SERVICE, SILENCE,
    numbered_time_key, time_key,
};
use crate::model::{Alert, AnomalyInterval, Listener, ServiceStatus, Silence};

/// Prefix of the names given by [`Write::Meta`], so that they never meet the store's own.
pub(super) const USER: &str = "user/";

/// The bytes of a keyframe.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeyframeRow {
    pub(super) alerts: Vec<Arc<Alert>>,
    pub(super) silences: Vec<Silence>,
    pub(super) services: Vec<ServiceStatus>,
    /// Absent in older ones.
    #[serde(default)]
    pub(super) listeners: Vec<Listener>,
}

/// A value of the model as a row.
pub(super) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    frame(JSON, &serde_json::to_vec(value).expect("model types have text keys and serialize without errors"))
}

/// Reads what [`json`] wrote; `None` for damaged bytes and for a type this version cannot read.
pub(super) fn from_json<T: for<'de> Deserialize<'de>>(row: &[u8]) -> Option<T> {
    serde_json::from_slice(unframe(JSON, row)?).ok()
}

/// Key of an anomaly: its start, then its series.
pub(super) fn anomaly_key(anomaly: &AnomalyInterval) -> Vec<u8> {
    let mut key = time_key(anomaly.from).to_vec();
    key.extend(anomaly.key.to_string().into_bytes());
    key
}

/// An anomaly's row: its end stands first, so that a search need not read the rest.
fn anomaly_row(anomaly: &AnomalyInterval) -> Vec<u8> {
    let mut payload = Vec::new();
    put_signed(&mut payload, anomaly.to.map_or(i64::MAX, |t| t.0));
    payload.extend(serde_json::to_vec(anomaly).expect("model types have text keys and serialize without errors"));
    frame(OWN, &payload)
}

/// What writing rows must remember from one transaction to the next.
#[derive(Debug, Default)]
pub(super) struct Clerk {
    /// Number of the next journal entry: keeps entries of one millisecond in order.
    next: u64,
    /// The transaction before this one failed.
    retrying: bool,
    described: Described,
}

impl Clerk {
    /// Goes on after the newest journal entry.
    pub(super) fn after(newest: Option<u64>) -> Self {
        Self { next: newest.map_or(0, |n| n + 1), ..Self::default() }
    }

    /// Number of the next journal entry, to go back to where a transaction fails.
    pub(super) fn mark(&self) -> u64 {
        self.next
    }

    /// After a transaction that failed: the same entries get the same numbers again.
    pub(super) fn failed(&mut self, mark: u64) {
        self.described.reset();
        self.next = mark;
        self.retrying = true;
    }

    /// After a transaction that did not fail.
    pub(super) fn done(&mut self) {
        self.retrying = false;
    }

    /// Writes one row.
    pub(super) fn apply(&mut self, txn: &WriteTransaction, write: &Write) -> Result<(), Fault> {
        match write {
            Write::Journal(entry) => {
                let (mut table, row) = (txn.open_table(JOURNAL)?, json(entry));
                loop {
                    let key = numbered_time_key(entry.at, self.next);
                    self.next += 1;
                    let there = table.get(key.as_slice())?.map(|row| row.value().to_vec());
                    match there {
                        None => {
                            table.insert(key.as_slice(), row.as_slice())?;
                            break;
                        }
                        // A transaction that failed reached the disk all the same.
                        Some(there) if self.retrying && there == row => break,
                        // After the clock went back there may be another entry of that millisecond and number.
                        Some(_) => {}
                    }
                }
            }
            Write::Keyframe { at, alerts, silences, services, listeners } => {
                let (alerts, silences) = (alerts.clone(), silences.clone());
                let row = KeyframeRow { alerts, silences, services: services.clone(), listeners: listeners.clone() };
                txn.open_table(KEYFRAME)?.insert(time_key(*at).as_slice(), json(&row).as_slice())?;
            }
            Write::Anomaly(anomaly) => {
                txn.open_table(ANOMALY)?.insert(anomaly_key(anomaly).as_slice(), anomaly_row(anomaly).as_slice())?;
            }
            Write::Processes { at, processes } => {
                let row = self.described.encode(*at, processes);
                txn.open_table(PROCESS)?.insert(time_key(*at).as_slice(), row.as_slice())?;
            }
            Write::Outbox { id, row } => {
                let (mut table, key) = (txn.open_table(OUTBOX)?, id.to_be_bytes());
                match row {
                    Some(row) => table.insert(key.as_slice(), frame(OPAQUE, row).as_slice())?,
                    None => table.remove(key.as_slice())?,
                };
            }
            Write::Prediction(prediction) => put_named(txn, PREDICTION, &prediction.id, Some(json(prediction)))?,
            Write::Silence(silence) => put_named(txn, SILENCE, &silence.id, Some(json(silence)))?,
            Write::Ledger { name, row } => put_opaque(txn, LEDGER, name, row)?,
            Write::Incident { name, row } => put_opaque(txn, INCIDENT, name, row)?,
            Write::Schedule { name, row } => put_opaque(txn, SCHEDULE, name, row)?,
            Write::Service { name, row } => put_opaque(txn, SERVICE, name, row)?,
            Write::Model { name, row } => put_opaque(txn, MODEL, name, row)?,
            Write::Meta { name, row } => put_opaque(txn, META, &format!("{USER}{name}"), row)?,
        }
        Ok(())
    }
}

fn put_opaque(txn: &WriteTransaction, table: Named, name: &str, row: &Option<Vec<u8>>) -> Result<(), Fault> {
    put_named(txn, table, name, row.as_deref().map(|row| frame(OPAQUE, row)))
}

fn put_named(txn: &WriteTransaction, table: Named, name: &str, row: Option<Vec<u8>>) -> Result<(), Fault> {
    let mut table = txn.open_table(table)?;
    match row {
        Some(row) => table.insert(name, row.as_slice())?,
        None => table.remove(name)?,
    };
    Ok(())
}

/// Whether the write may be dropped where memory gets short: it can be missed, decisions cannot.
pub(super) fn is_dispensable(write: &Write) -> bool {
    matches!(write, Write::Processes { .. } | Write::Keyframe { .. })
}

/// Number of a journal key.
pub(super) fn journal_number(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(8..16)?.try_into().ok()?))
}
