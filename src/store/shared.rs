//! What writer and readers share in memory: the open database, the names of series, the newest rounds.
//!
//! Invariant: a round is in `rounds`, in `pending` or on disk at every moment; where it is in two of
//! them for an instant, readers take it once, because time rises within an epoch.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use redb::{Database, ReadTransaction, ReadableDatabase};

use super::ReadError;
use super::columns::Round;
use super::epochs::Epochs;
use super::numbers::{GAUGE_DIGITS, RATE_DIGITS};
use crate::base::Timestamp;
use crate::model::SeriesKey;

/// Most damaged rows remembered; more are not told apart.
const MOST_DAMAGED: usize = 10_000;

/// A tail row that is not on disk yet.
#[derive(Debug)]
pub(super) struct PendingRow {
    pub(super) epoch: u32,
    pub(super) first: Timestamp,
    pub(super) rounds: u64,
    pub(super) bytes: Vec<u8>,
}

/// The newest rounds.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) epochs: Epochs,
    pub(super) pending: VecDeque<Arc<PendingRow>>,
    pub(super) rounds: Vec<Arc<Round>>,
}

/// One series of the index.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) key: SeriesKey,
    /// A rate made from a counter; kept with fewer digits.
    pub(super) rate: bool,
}

impl Named {
    pub(super) fn digits(&self) -> i32 {
        if self.rate { RATE_DIGITS } else { GAUGE_DIGITS }
    }
}

/// Names and numbers of all series; numbers start at 1 and are not reused while the file lives.
#[derive(Debug, Default)]
pub(super) struct Index {
    ids: HashMap<SeriesKey, u32>,
    names: HashMap<u32, Named>,
    newest: u32,
}

impl Index {
    pub(super) fn id(&self, key: &SeriesKey) -> Option<u32> {
        self.ids.get(key).copied()
    }

    pub(super) fn name(&self, id: u32) -> Option<&Named> {
        self.names.get(&id)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &SeriesKey> {
        self.ids.keys()
    }

    pub(super) fn insert(&mut self, id: u32, named: Named) {
        self.ids.insert(named.key.clone(), id);
        self.names.insert(id, named);
        self.newest = self.newest.max(id);
    }

    /// Never gives out this number: its row is damaged, its blocks may be there.
    pub(super) fn skip(&mut self, id: u32) {
        self.newest = self.newest.max(id);
    }

    pub(super) fn remove(&mut self, id: u32) {
        if let Some(named) = self.names.remove(&id) {
            self.ids.remove(&named.key);
        }
    }

    /// Adds a series under the next number.
    pub(super) fn add(&mut self, named: Named) -> u32 {
        let id = self.newest + 1;
        self.insert(id, named);
        id
    }
}

/// Shared by the writer, the readers and their views.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// `None` while it is being opened anew after a failed write.
    pub(super) database: RwLock<Option<Database>>,
    pub(super) head: Mutex<Head>,
    pub(super) index: RwLock<Index>,
    damaged: Mutex<BTreeSet<Vec<u8>>>,
}

impl Shared {
    /// Runs `f` with the newest rounds.
    pub(super) fn head<T>(&self, f: impl FnOnce(&mut Head) -> T) -> T {
        f(&mut self.head.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the index.
    pub(super) fn edit_index<T>(&self, f: impl FnOnce(&mut Index) -> T) -> T {
        f(&mut self.index.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// A consistent look at what is on disk.
    pub(super) fn begin_read(&self) -> Result<ReadTransaction, ReadError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| ReadError("it is closed".to_owned()))?;
        database.begin_read().map_err(|e| ReadError(e.to_string()))
    }

    /// Counts a damaged row, each once.
    pub(super) fn note_damage(&self, key: &[u8]) {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        if damaged.len() < MOST_DAMAGED {
            damaged.insert(key.to_vec());
        }
    }

    /// How many damaged rows were met.
    pub(super) fn n_damaged(&self) -> u64 {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }
}
