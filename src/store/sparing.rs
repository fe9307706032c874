//! Writes only what differs from what lies there already.
//!
//! redb saves the state of its allocator with each commit, which is what makes opening quick after a kill: 128 KiB at
//! 1 GiB, in one of two places by turns, nearly all of it as it was. Invariant: what is below holds the same bytes after
//! a write as if all of them had been written.

use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{BackendError, StorageBackend};

use super::medium::locks_below;

/// What is compared and written at once: a page of the system's cache, which is what goes to the disk for one byte too.
const PIECE: usize = 4096;

/// Most that is read at once to be compared.
const CHUNK: usize = 16 * PIECE;

/// A medium that is read before it is written.
#[derive(Debug)]
pub(super) struct Sparing {
    below: Arc<dyn StorageBackend>,
    /// What is read may not be what is on the disk: a sync has failed.
    doubtful: AtomicBool,
}

impl Sparing {
    pub(super) fn new(below: Arc<dyn StorageBackend>) -> Self {
        Self { below, doubtful: AtomicBool::new(false) }
    }

    /// Writes those pieces of `data`, at most a chunk, that differ from what lies at `offset`; neighbors together.
    fn write_changed(&self, offset: u64, data: &[u8], there: &[u8]) -> io::Result<()> {
        let pieces: Vec<(&[u8], bool)> =
            data.chunks(PIECE).zip(there.chunks(PIECE)).map(|(new, old)| (new, new != old)).collect();
        let mut at = 0;
        for run in pieces.chunk_by(|a, b| a.1 == b.1) {
            let len: usize = run.iter().map(|(piece, _)| piece.len()).sum();
            if run[0].1 {
                self.below.write(offset + at as u64, &data[at..at + len])?;
            }
            at += len;
        }
        Ok(())
    }
}

impl StorageBackend for Sparing {
    fn len(&self) -> io::Result<u64> {
        self.below.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.below.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.below.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.below.sync_data().inspect_err(|_| self.doubtful.store(true, Ordering::Relaxed))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        // One page or less nearly always differs: that is why it is written.
        if data.len() <= PIECE || self.doubtful.load(Ordering::Relaxed) {
            return self.below.write(offset, data);
        }
        let mut there = vec![0; data.len().min(CHUNK)];
        let mut offset = offset;
        for chunk in data.chunks(CHUNK) {
            let there = &mut there[..chunk.len()];
            match self.below.read(offset, there) {
                Ok(()) => self.write_changed(offset, chunk, there)?,
                Err(_) => self.below.write(offset, chunk)?,
            }
            offset += chunk.len() as u64;
        }
        Ok(())
    }

    locks_below!(below);
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;
    use redb::backends::InMemoryBackend;

    use super::*;

    /// Memory that notes where it was written, and whose sync fails when told to.
    #[derive(Debug, Default)]
    struct Noting {
        memory: InMemoryBackend,
        writes: Mutex<Vec<(u64, usize)>>,
        fails: AtomicBool,
    }

    impl StorageBackend for Noting {
        fn len(&self) -> io::Result<u64> {
            self.memory.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.memory.read(offset, out)
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.memory.set_len(len)
        }
        fn sync_data(&self) -> io::Result<()> {
            if self.fails.load(Ordering::Relaxed) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }
        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.writes.lock().expect("whole").push((offset, data.len()));
            self.memory.write(offset, data)
        }
    }

    fn of(len: u64) -> (Arc<Noting>, Sparing) {
        let below = Arc::new(Noting::default());
        below.set_len(len).expect("memory");
        (Arc::clone(&below), Sparing::new(below))
    }

    #[test]
    fn only_the_pieces_that_differ_are_written_and_neighbors_together() {
        let (below, medium) = of(1 << 20);
        let mut data = vec![7; 20 * PIECE];
        medium.write(4096, &data).expect("memory");
        let before = std::mem::take(&mut *below.writes.lock().expect("whole"));
        assert_eq!(before, [(4096, CHUNK), (4096 + CHUNK as u64, 4 * PIECE)]);
        for changed in [PIECE, 3 * PIECE - 1, 19 * PIECE] {
            data[changed] = 8;
        }
        medium.write(4096, &data).expect("memory");
        let expected = [(8192, 2 * PIECE), (20 * PIECE as u64, PIECE)];
        assert_eq!(*below.writes.lock().expect("whole"), expected);
    }

    #[test]
    fn after_a_failed_sync_everything_is_written() {
        let (below, medium) = of(1 << 20);
        let data = [7; 2 * PIECE];
        medium.write(0, &data).expect("memory");
        below.fails.store(true, Ordering::Relaxed);
        medium.sync_data().expect_err("no room");
        medium.write(0, &data).expect("memory");
        assert_eq!(*below.writes.lock().expect("whole"), [(0, 2 * PIECE); 2]);
    }

    proptest! {
        #[test]
        fn the_bytes_below_are_those_written(writes in proptest::collection::vec((0_usize..40_000, 1_usize..90_000, 0_u8..3), 1..8)) {
            let (_, medium) = of(130_000);
            let mut expected = vec![0; 130_000];
            for (offset, len, byte) in writes {
                medium.write(offset as u64, &vec![byte; len]).expect("memory");
                expected[offset..offset + len].fill(byte);
            }
            let mut seen = vec![0; 130_000];
            medium.read(0, &mut seen).expect("memory");
            prop_assert!(seen == expected);
        }
    }
}
