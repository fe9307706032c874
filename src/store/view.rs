//! Reading: one consistent moment of the history.
//!
//! Rows that are damaged are skipped and counted. Invariant: a view shows every sample once, wherever
//! it lies, and never waits for the writer.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use redb::{ReadTransaction, ReadableTableMetadata};

use super::ReadError;
use super::columns::{Round, TailRow};
use super::epochs::Epochs;
use super::error::Fault;
use super::frame::{Cursor, OPAQUE, OWN, unframe};
use super::processes;
use super::rows::{KeyframeRow, USER, from_json};
use super::schema::{
    ANOMALY, INCIDENT, JOURNAL, KEYFRAME, LEDGER, META, MODEL, NAMED, NUMBERED, Named, Numbered, OUTBOX, PREDICTION, PROCESS,
    SCHEDULE, SERVICE, SILENCE, numbered_time_key, parse_time_key, time_key,
};
use super::shared::{PendingRow, Shared};
use super::track::Track;
use crate::base::{TimeRange, Timestamp};
use crate::model::{
    Alert, AnomalyInterval, JournalEntry, Listener, Prediction, Process, ProcessId, ProcessPoint, SeriesKey, ServiceStatus,
    Silence,
};

/// Where views come from; clones share the file with the writer.
#[derive(Debug, Clone)]
pub struct Reader(Arc<Shared>);

impl Reader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// One consistent moment: what is on disk and the samples not written yet. Keep it short: an open
    /// view keeps old pages from being reused.
    ///
    /// # Errors
    /// Where the file cannot be read, and after the writer was closed.
    pub fn view(&self) -> Result<View, ReadError> {
        // First the rounds in memory, then the disk: a flush between the two shows a round twice, never not at all.
        let (epochs, pending, rounds) =
            self.0.head(|head| (head.epochs.clone(), head.pending.iter().cloned().collect(), head.rounds.clone()));
        let txn = self.0.begin_read()?;
        Ok(View { shared: Arc::clone(&self.0), txn, epochs, pending, rounds, tail: OnceLock::new() })
    }
}

/// The state at a moment, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Keyframe {
    /// When.
    pub at: Timestamp,
    /// Alerts.
    pub alerts: Vec<Arc<Alert>>,
    /// Silences.
    pub silences: Vec<Silence>,
    /// Services.
    pub services: Vec<ServiceStatus>,
    /// Sockets that waited for others.
    pub listeners: Vec<Listener>,
}

/// Size of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableStats {
    /// Its name.
    pub table: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of keys and values.
    pub stored_bytes: u64,
    /// Bytes of all its pages.
    pub page_bytes: u64,
}

/// A row under its name.
pub type NamedRow = (String, Vec<u8>);

/// Processes at a moment, and when that was.
pub type ProcessesAt = (Timestamp, Vec<Arc<Process>>);

/// One moment of the history.
#[derive(Debug)]
pub struct View {
    pub(super) shared: Arc<Shared>,
    pub(super) txn: ReadTransaction,
    pub(super) epochs: Epochs,
    pub(super) pending: Vec<Arc<PendingRow>>,
    pub(super) rounds: Vec<Arc<Round>>,
    /// Rows not in slabs yet, by epoch and time; read when first needed.
    pub(super) tail: OnceLock<Vec<(u32, TailRow)>>,
}

impl View {
    /// Journal of a span, oldest first.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn journal(&self, range: TimeRange) -> Result<Vec<JournalEntry>, ReadError> {
        let (from, to) = (numbered_time_key(range.from, 0), numbered_time_key(range.to, u64::MAX));
        self.collect(JOURNAL, (&from, &to), |_, row| from_json(row))
    }

    /// The newest keyframe not after `at` that can be read.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn keyframe_before(&self, at: Timestamp) -> Result<Option<Keyframe>, ReadError> {
        let table = self.txn.open_table(KEYFRAME).map_err(|e| Fault::from(e).read())?;
        let rows = table.range::<&[u8]>(..=time_key(at).as_slice()).map_err(|e| Fault::from(e).read())?;
        for row in rows.rev() {
            let (key, value) = row.map_err(|e| Fault::from(e).read())?;
            if let Some(KeyframeRow { alerts, silences, services, listeners }) = from_json(value.value()) {
                let at = parse_time_key(key.value()).unwrap_or_default();
                return Ok(Some(Keyframe { at, alerts, silences, services, listeners }));
            }
            self.shared.note_damage(key.value());
        }
        Ok(None)
    }

    /// Anomalies that touch a span, by start; of one series or of all.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn anomalies(&self, range: TimeRange, key: Option<&SeriesKey>) -> Result<Vec<AnomalyInterval>, ReadError> {
        let (from, mut to) = (time_key(Timestamp(i64::MIN)), time_key(range.to).to_vec());
        to.push(u8::MAX);
        let text = key.map(ToString::to_string);
        let found = self.collect(ANOMALY, (&from, &to), |row_key, row| {
            let mut cursor = Cursor(unframe(OWN, row)?);
            let end = Timestamp(cursor.get_signed()?);
            let wanted = end >= range.from && text.as_ref().is_none_or(|t| row_key.get(8..) == Some(t.as_bytes()));
            if wanted { Some(Some(serde_json::from_slice(cursor.0).ok()?)) } else { Some(None) }
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    /// All predictions kept, by id.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn predictions(&self) -> Result<Vec<Prediction>, ReadError> {
        Ok(self.named(PREDICTION, from_json)?.into_iter().map(|(_, p)| p).collect())
    }

    /// The newest processes written not after `at`, and when that was; `None` where none were in its hour or the one before.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn processes_near(&self, at: Timestamp) -> Result<Option<ProcessesAt>, ReadError> {
        let fault = |e: redb::StorageError| Fault::from(e).read();
        let table = self.txn.open_table(PROCESS).map_err(|e| Fault::from(e).read())?;
        let earliest = time_key(at.floor(processes::CHAPTER) - processes::CHAPTER);
        let mut rows = table.range::<&[u8]>(earliest.as_slice()..=time_key(at).as_slice()).map_err(fault)?;
        let Some((key, _)) = rows.next_back().transpose().map_err(fault)? else { return Ok(None) };
        let newest = parse_time_key(key.value()).unwrap_or_default();
        let chapter = time_key(newest.floor(processes::CHAPTER));
        let rows = table.range::<&[u8]>(chapter.as_slice()..=key.value()).map_err(fault)?;
        let rows: Vec<_> = rows.collect::<Result<_, _>>().map_err(fault)?;
        let found = processes::decode(rows.iter().map(|(_, row)| row.value()));
        if found.is_none() {
            self.shared.note_damage(key.value());
        }
        Ok(found.map(|processes| (newest, processes)))
    }

    /// What one process used in a span, by time: from the rows of those that used most, ten seconds apart or more. Spans shorter
    /// than `step` are put together; a row the process is not in gives no point.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn process_history(&self, id: ProcessId, range: TimeRange, step: Duration) -> Result<Vec<ProcessPoint>, ReadError> {
        let fault = |e: redb::StorageError| Fault::from(e).read();
        let table = self.txn.open_table(PROCESS).map_err(|e| Fault::from(e).read())?;
        let from = time_key(range.from.floor(processes::CHAPTER));
        let mut track = Track::new(id, step);
        for row in table.range::<&[u8]>(from.as_slice()..=time_key(range.to).as_slice()).map_err(fault)? {
            let (key, row) = row.map_err(fault)?;
            if let Some(at) = parse_time_key(key.value())
                && !track.read(at, row.value(), range.contains(at))
            {
                self.shared.note_damage(key.value());
            }
        }
        Ok(track.points())
    }

    /// All silences kept, by id, ended ones included.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn silences(&self) -> Result<Vec<Silence>, ReadError> {
        Ok(self.named(SILENCE, from_json)?.into_iter().map(|(_, s)| s).collect())
    }

    /// Messages not done with, by number.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn outbox(&self) -> Result<Vec<(u64, Vec<u8>)>, ReadError> {
        self.collect(OUTBOX, (&[0; 8], &[u8::MAX; 8]), |key, row| Some((u64::from_be_bytes(key.try_into().ok()?), opaque(row)?)))
    }

    /// Rows of what was told to whom, by name.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn ledger(&self) -> Result<Vec<NamedRow>, ReadError> {
        self.named(LEDGER, opaque)
    }

    /// Rows of incidents, by name.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn incidents(&self) -> Result<Vec<NamedRow>, ReadError> {
        self.named(INCIDENT, opaque)
    }

    /// Rows of schedules, by name.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn schedules(&self) -> Result<Vec<NamedRow>, ReadError> {
        self.named(SCHEDULE, opaque)
    }

    /// Rows of services, by name.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn services(&self) -> Result<Vec<NamedRow>, ReadError> {
        self.named(SERVICE, opaque)
    }

    /// Something learned.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn model(&self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.one(MODEL, name)
    }

    /// A small fact.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.one(META, &format!("{USER}{name}"))
    }

    /// Size of every table; walks the whole file.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn stats(&self) -> Result<Vec<TableStats>, ReadError> {
        let mut all = Vec::new();
        for table in NUMBERED {
            let open = self.txn.open_table(table).map_err(|e| Fault::from(e).read())?;
            all.push(stats_of(redb::TableHandle::name(&table).to_owned(), &open)?);
        }
        for table in NAMED {
            let open = self.txn.open_table(table).map_err(|e| Fault::from(e).read())?;
            all.push(stats_of(redb::TableHandle::name(&table).to_owned(), &open)?);
        }
        Ok(all)
    }

    /// Rows of a table between two keys, those that can be read.
    pub(super) fn collect<T>(
        &self,
        table: Numbered,
        (from, to): (&[u8], &[u8]),
        read: impl Fn(&[u8], &[u8]) -> Option<T>,
    ) -> Result<Vec<T>, ReadError> {
        let table = self.txn.open_table(table).map_err(|e| Fault::from(e).read())?;
        let mut found = Vec::new();
        if from > to {
            return Ok(found);
        }
        for row in table.range::<&[u8]>(from..=to).map_err(|e| Fault::from(e).read())? {
            let (key, value) = row.map_err(|e| Fault::from(e).read())?;
            match read(key.value(), value.value()) {
                Some(row) => found.push(row),
                None => self.shared.note_damage(key.value()),
            }
        }
        Ok(found)
    }

    fn named<T>(&self, table: Named, read: impl Fn(&[u8]) -> Option<T>) -> Result<Vec<(String, T)>, ReadError> {
        let table = self.txn.open_table(table).map_err(|e| Fault::from(e).read())?;
        let mut found = Vec::new();
        for row in table.range::<&str>(..).map_err(|e| Fault::from(e).read())? {
            let (key, value) = row.map_err(|e| Fault::from(e).read())?;
            match read(value.value()) {
                Some(row) => found.push((key.value().to_owned(), row)),
                None => self.shared.note_damage(key.value().as_bytes()),
            }
        }
        Ok(found)
    }

    fn one(&self, table: Named, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let table = self.txn.open_table(table).map_err(|e| Fault::from(e).read())?;
        let Some(row) = table.get(name).map_err(|e| Fault::from(e).read())? else { return Ok(None) };
        let found = opaque(row.value());
        if found.is_none() {
            self.shared.note_damage(name.as_bytes());
        }
        Ok(found)
    }
}

fn opaque(row: &[u8]) -> Option<Vec<u8>> {
    unframe(OPAQUE, row).map(<[u8]>::to_vec)
}

fn stats_of(table: String, open: &impl ReadableTableMetadata) -> Result<TableStats, ReadError> {
    let rows = open.len().map_err(|e| Fault::from(e).read())?;
    let stats = open.stats().map_err(|e| Fault::from(e).read())?;
    let page_bytes = stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes();
    Ok(TableStats { table, rows, stored_bytes: stats.stored_bytes(), page_bytes })
}
