//! Where the bytes lie: a file, memory, or whatever else a test hands in.
//!
//! A medium outlives the database on it, which must be opened anew after each failed write. Invariant: a
//! [`Probe`] never writes to what is below it.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use redb::{BackendError, StorageBackend};

/// A shared backend as redb wants to own it.
#[derive(Debug, Clone)]
pub(super) struct Kept(pub(super) Arc<dyn StorageBackend>);

/// Passes the locks through to `self.$below`.
macro_rules! locks_below {
    ($below:tt) => {
        fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
            self.$below.try_lock_range(start, end)
        }
        fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
            self.$below.try_lock_shared_range(start, end)
        }
        fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
            self.$below.lock_range(start, end)
        }
        fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
            self.$below.lock_shared_range(start, end)
        }
        fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
            self.$below.unlock_range(start, end)
        }
        fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
            self.$below.query_lock_range(start, end)
        }
        fn close(&self) -> io::Result<()> {
            self.$below.close()
        }
    };
}

pub(super) use locks_below;

impl StorageBackend for Kept {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
    locks_below!(0);
}

/// Size of the pieces a probe keeps: redb's smallest page.
const PIECE: u64 = 4096;

/// A look at a database without touching it: what opening it repairs stays in memory.
#[derive(Debug)]
pub(super) struct Probe {
    below: Arc<dyn StorageBackend>,
    state: Mutex<Pieces>,
}

#[derive(Debug)]
struct Pieces {
    len: u64,
    changed: BTreeMap<u64, Vec<u8>>,
}

impl Probe {
    pub(super) fn new(below: Arc<dyn StorageBackend>) -> io::Result<Self> {
        let len = below.len()?;
        Ok(Self { below, state: Mutex::new(Pieces { len, changed: BTreeMap::new() }) })
    }

    /// The piece at `at` (a multiple of the size) as it lies below; zeros past the end.
    fn below(&self, at: u64) -> io::Result<Vec<u8>> {
        let mut piece = vec![0; PIECE as usize];
        let there = self.below.len()?.saturating_sub(at).min(PIECE) as usize;
        if there > 0 {
            self.below.read(at, &mut piece[..there])?;
        }
        Ok(piece)
    }
}

/// The pieces a stretch of `len` bytes at `offset` touches: start of the piece, first byte in it, first byte of the
/// stretch, and how many.
fn touched(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, usize, usize)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let within = (at % PIECE) as usize;
        let n = (len - done).min(PIECE as usize - within);
        let step = (at - within as u64, within, done, n);
        done += n;
        (n > 0).then_some(step)
    })
}

impl StorageBackend for Probe {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner).len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > state.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if state.changed.is_empty() {
            return self.below.read(offset, out);
        }
        for (piece, within, start, n) in touched(offset, out.len()) {
            let bytes = state.changed.get(&piece).map_or_else(|| self.below(piece), |b| Ok(b.clone()))?;
            out[start..start + n].copy_from_slice(&bytes[within..within + n]);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for (piece, within, start, n) in touched(offset, data.len()) {
            let mut bytes = state.changed.remove(&piece).map_or_else(|| self.below(piece), Ok)?;
            bytes[within..within + n].copy_from_slice(&data[start..start + n]);
            state.changed.insert(piece, bytes);
        }
        Ok(())
    }

    locks_below!(below);
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::backends::InMemoryBackend;

    #[test]
    fn a_probe_shows_its_own_writes_and_leaves_what_is_below() {
        let below = Arc::new(InMemoryBackend::new());
        below.set_len(10_000).expect("memory");
        below.write(0, &[7; 10_000]).expect("memory");
        let probe = Probe::new(below.clone()).expect("memory");
        probe.set_len(20_000).expect("memory");
        probe.write(4000, &[9; 5000]).expect("memory");
        let mut seen = vec![0; 20_000];
        probe.read(0, &mut seen).expect("memory");
        let expected: Vec<u8> = [vec![7; 4000], vec![9; 5000], vec![7; 1000], vec![0; 10_000]].concat();
        assert_eq!(seen, expected);
        let mut kept = vec![0; 10_000];
        StorageBackend::read(&*below, 0, &mut kept).expect("memory");
        assert_eq!(kept, vec![7; 10_000]);
        assert!(probe.read(19_999, &mut [0; 2]).is_err());
    }
}
