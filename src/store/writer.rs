//! Writing: the single owner of the file.
//!
//! Rounds wait in memory for the next flush; decisions are written at once. Invariant: what could not be
//! written waits in order and is written before anything newer is reported as on disk.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use redb::{StorageBackend, WriteTransaction};

use super::columns::{Round, encode_tail};
use super::epochs::Place;
use super::error::Fault;
use super::job::Job;
use super::numbers::kept;
use super::open;
use super::rows::{Clerk, is_dispensable};
use super::schema::{Kind, SERIES, Slab, TAIL, tail_key};
use super::series::{series_key, series_row};
use super::shared::{Named, PendingRow, Shared};
use super::state::State;
use super::{StoreConfig, Write, WriteError};
use crate::base::Timestamp;
use crate::model::{Reading, StoreHealth};

/// Most bytes of samples kept while the disk is full: some hours of 300 series. Older ones are given up, and counted.
const MOST_PENDING: usize = 4 << 20;
/// Most other rows kept while the disk is full, beyond which keyframes and processes go; decisions never do.
const MOST_QUEUED: usize = 256;
/// One day in milliseconds.
pub(super) const DAY_MS: i64 = 86_400_000;

/// The single writer; lives in the store thread.
#[derive(Debug)]
pub struct Writer {
    pub(super) config: StoreConfig,
    medium: Arc<dyn StorageBackend>,
    pub(super) shared: Arc<Shared>,
    pub(super) state: State,
    /// The state as it is on disk.
    saved: State,
    clerk: Clerk,
    /// Names not on disk yet.
    unnamed: Vec<(u32, Named)>,
    queued: Vec<Write>,
    pub(super) job: Option<Job>,
    pub(super) retention_due: bool,
    pub(super) cleaned_day: i64,
    problem: Option<WriteError>,
    /// The database takes no writes and must be opened anew first.
    failed: bool,
    last_flush_at: Option<Timestamp>,
    given_up: u64,
}

impl Writer {
    pub(super) fn new(
        config: &StoreConfig,
        medium: Arc<dyn StorageBackend>,
        shared: Arc<Shared>,
        (state, clerk): (State, Clerk),
    ) -> Self {
        Self {
            config: config.clone(),
            medium,
            shared,
            saved: state.clone(),
            state,
            clerk,
            unnamed: Vec::new(),
            queued: Vec::new(),
            job: None,
            retention_due: true,
            cleaned_day: 0,
            problem: None,
            failed: false,
            last_flush_at: None,
            given_up: 0,
        }
    }

    /// Takes new settings; retention follows them from the next slice of maintenance on.
    pub fn configure(&mut self, config: &StoreConfig) {
        self.config = config.clone();
        self.retention_due = true;
    }

    /// Takes a round of readings into memory; no I/O. A value that is not finite is left out, and of a series
    /// that is there twice the first stays.
    ///
    /// A clock that went back by more than 2 s begins a new epoch: what is recorded from now on is shown in
    /// place of what was recorded for that time before. A round less than that back is placed a
    /// millisecond after the one before it.
    ///
    /// Returns by how much the clock went back or forward where a new epoch began, in milliseconds, for a notice.
    pub fn push(&mut self, at: Timestamp, readings: &[Reading]) -> Option<i64> {
        let mut values = Vec::with_capacity(readings.len());
        for reading in readings.iter().filter(|r| r.value.is_finite()) {
            let rate = reading.cumulative.is_some();
            let known = self.shared.index().id(&reading.key);
            let id = known.unwrap_or_else(|| self.name(Named { key: reading.key.clone(), rate }));
            values.push((id, kept(reading)));
        }
        values.sort_by_key(|v| v.0);
        values.dedup_by_key(|v| v.0);
        let sealed = self.state.sealed;
        let (step, epochs) = self.shared.head(|head| {
            let before = head.epochs.current().map(|e| e.end);
            let place = head.epochs.place(at, sealed);
            let epoch = head.epochs.add(at, place);
            let at = match place {
                Place::Same(at) => at,
                Place::New => at,
            };
            head.rounds.push(Arc::new(Round { at, epoch, values: values.into() }));
            let step = (place == Place::New).then(|| before.map(|b| at.0 - b.0)).flatten();
            (step, (place == Place::New).then(|| head.epochs.clone()))
        });
        if let Some(epochs) = epochs {
            self.state.epochs = epochs;
            self.state.sealed = Timestamp(i64::MIN);
        }
        step
    }

    fn name(&mut self, named: Named) -> u32 {
        let id = self.shared.edit_index(|index| index.add(named.clone()));
        self.unnamed.push((id, named));
        id
    }

    /// Writes what was taken since the last flush, and what could not be written before, in one transaction.
    ///
    /// # Errors
    /// It is kept in memory and written with a later flush.
    pub fn flush(&mut self, now: Timestamp) -> Result<(), WriteError> {
        self.bundle();
        self.write_out()?;
        self.last_flush_at = Some(now);
        Ok(())
    }

    /// Turns the rounds into rows, one for each slab they lie in.
    fn bundle(&mut self) {
        let rounds = self.shared.head(|head| head.rounds.clone());
        let slab = |r: &Arc<Round>| Slab::holding(Kind::Raw, r.at, r.epoch);
        let rows = rounds.chunk_by(|a, b| slab(a) == slab(b)).map(|rounds| {
            let rounds: Vec<Round> = rounds.iter().map(|r| Round::clone(r)).collect();
            let (epoch, first) = (rounds[0].epoch, rounds[0].at);
            Arc::new(PendingRow { epoch, first, rounds: rounds.len() as u64, bytes: encode_tail(&rounds) })
        });
        let rows: Vec<Arc<PendingRow>> = rows.collect();
        let given_up = self.shared.head(|head| {
            head.pending.extend(rows);
            head.rounds.clear();
            let mut bytes: usize = head.pending.iter().map(|p| p.bytes.len()).sum();
            let mut given_up = 0;
            while bytes > MOST_PENDING
                && let Some(oldest) = head.pending.pop_front()
            {
                bytes -= oldest.bytes.len();
                given_up += oldest.rounds;
            }
            given_up
        });
        self.given_up += given_up;
    }

    /// Takes writes that may wait for the next flush; no I/O.
    pub fn queue(&mut self, writes: Vec<Write>) {
        self.queued.extend(writes);
    }

    /// Writes decisions at once: on disk when it returns `Ok`.
    ///
    /// # Errors
    /// They are kept in memory and written with a later flush or commit.
    pub fn commit(&mut self, writes: Vec<Write>) -> Result<(), WriteError> {
        self.queued.extend(writes);
        self.write_out()
    }

    /// One transaction with all that waits.
    fn write_out(&mut self) -> Result<(), WriteError> {
        let pending: Vec<Arc<PendingRow>> = self.shared.head(|head| head.pending.iter().cloned().collect());
        if pending.is_empty() && self.queued.is_empty() && self.unnamed.is_empty() {
            return if self.failed { self.transact(|_, _| Ok(())) } else { Ok(()) };
        }
        let (queued, unnamed) = (std::mem::take(&mut self.queued), std::mem::take(&mut self.unnamed));
        let mark = self.clerk.mark();
        let written = self.transact(|writer, txn| {
            for (id, named) in &unnamed {
                let day = pending.last().map_or(0, |p| p.first.0.div_euclid(DAY_MS));
                let row = series_row(named, u32::try_from(day).unwrap_or(0));
                txn.open_table(SERIES)?.insert(series_key(*id).as_slice(), row.as_slice())?;
            }
            for row in &pending {
                txn.open_table(TAIL)?.insert(tail_key(row.epoch, row.first).as_slice(), row.bytes.as_slice())?;
            }
            queued.iter().try_for_each(|write| writer.clerk.apply(txn, write))
        });
        if written.is_err() {
            self.clerk.failed(mark);
            self.unnamed = unnamed;
            self.queued = queued;
            let mut excess = self.queued.len().saturating_sub(MOST_QUEUED);
            self.queued.retain(|write| {
                let drop = excess > 0 && is_dispensable(write);
                excess -= usize::from(drop);
                !drop
            });
            return written;
        }
        self.clerk.done();
        self.shared.head(|head| head.pending.drain(..pending.len()).for_each(drop));
        written
    }

    /// Runs a durable transaction; the first one after opening also notes that the file is in use.
    pub(super) fn transact(
        &mut self,
        body: impl FnOnce(&mut Self, &WriteTransaction) -> Result<(), Fault>,
    ) -> Result<(), WriteError> {
        if self.failed {
            self.reopen()?;
        }
        let begun = self.begin();
        let done = begun.and_then(|txn| {
            let before = self.state.clone();
            self.state.clean = false;
            let written = body(self, &txn);
            let saved = written.and_then(|()| if self.state == self.saved { Ok(()) } else { self.state.save(&txn) });
            let committed = saved.and_then(|()| Ok(txn.commit()?));
            match &committed {
                Ok(()) if self.state == self.saved => {}
                Ok(()) => self.saved = self.state.clone(),
                Err(_) => self.state = before,
            }
            committed
        });
        match done {
            Ok(()) => {
                self.problem = None;
                Ok(())
            }
            Err(fault) => Err(self.fail(&fault)),
        }
    }

    fn begin(&self) -> Result<WriteTransaction, Fault> {
        let database = self.shared.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or(redb::Error::DatabaseClosed)?;
        let mut txn = database.begin_write()?;
        txn.set_quick_repair(true);
        Ok(txn)
    }

    /// After a failed write redb answers nothing any more: opened anew it answers reads, and writes once there is room.
    fn fail(&mut self, fault: &Fault) -> WriteError {
        let error = fault.write();
        self.failed = true;
        self.problem = Some(error.clone());
        let _ = self.reopen();
        error
    }

    fn reopen(&mut self) -> Result<(), WriteError> {
        let mut database = self.shared.database.write().unwrap_or_else(PoisonError::into_inner);
        // The old one must be gone before its medium is opened again.
        *database = None;
        match open::database(&self.medium).and_then(|opened| Ok((open::state(&opened)?, opened))) {
            Ok((state, opened)) => {
                *database = Some(opened);
                drop(database);
                self.failed = false;
                // The failed transaction may have reached the disk all the same.
                self.saved = state.clone();
                self.state = state;
                let epochs = self.shared.head(|head| head.epochs.clone());
                if epochs.current().map(|e| e.id) != self.state.epochs.current().map(|e| e.id) {
                    self.state.sealed = Timestamp(i64::MIN);
                }
                self.state.epochs = epochs;
                Ok(())
            }
            Err(fault) => {
                *database = open::probe(&self.medium).ok();
                let error = fault.write();
                self.problem = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Gives back the room of what was deleted; everything else waits meanwhile. True: there was some.
    ///
    /// # Errors
    /// Nothing is lost; also where a view is open.
    pub fn compact(&mut self) -> Result<bool, WriteError> {
        let mut database = self.shared.database.write().unwrap_or_else(PoisonError::into_inner);
        let database_there = database.as_mut().ok_or(Fault::from(redb::Error::DatabaseClosed));
        let done = database_there.and_then(|database| Ok(database.compact()?));
        drop(database);
        done.map_err(|fault| self.fail(&fault))
    }

    /// How the file is.
    pub fn health(&self) -> StoreHealth {
        let pending = self.shared.head(|head| head.pending.iter().map(|p| p.rounds).sum());
        let lost = (self.given_up > 0).then(|| format!("{} samples given up while the disk was full", self.given_up));
        let problem = self.problem.as_ref().map(ToString::to_string);
        StoreHealth {
            ok: self.problem.is_none(),
            problem: problem.map(|p| lost.as_ref().map_or(p.clone(), |l| format!("{p}; {l}"))).or(lost),
            file_bytes: self.medium.len().unwrap_or(0),
            last_flush_at: self.last_flush_at,
            pending_rounds: pending,
            damaged_blocks: self.shared.n_damaged(),
        }
    }

    /// Writes everything, notes that the end was in order, and releases the file.
    ///
    /// # Errors
    /// What could not be written is lost with the writer.
    pub fn close(mut self, now: Timestamp) -> Result<(), WriteError> {
        self.flush(now)?;
        let epochs = self.shared.head(|head| head.epochs.clone());
        self.transact(|writer, _| {
            writer.state.epochs = epochs;
            writer.state.clean = true;
            Ok(())
        })
    }

    /// The newest round's epoch and time.
    pub(super) fn current(&self) -> Option<(u32, Timestamp)> {
        self.shared.head(|head| head.epochs.current().map(|e| (e.id, e.end)))
    }

    /// Whether no round of that slab waits in memory.
    pub(super) fn is_on_disk(&self, slab: Slab) -> bool {
        let inside = |at: Timestamp, epoch: u32| Slab::holding(Kind::Raw, at, epoch) == slab;
        self.shared.head(|head| {
            !head.pending.iter().any(|p| inside(p.first, p.epoch)) && !head.rounds.iter().any(|r| inside(r.at, r.epoch))
        })
    }
}

impl Drop for Writer {
    /// Releases the file even while readers live on.
    fn drop(&mut self) {
        *self.shared.database.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Time between two flushes, for the thread that owns the writer.
impl Writer {
    /// How often [`Writer::flush`] should be called.
    pub fn flush_every(&self) -> Duration {
        self.config.flush
    }
}
