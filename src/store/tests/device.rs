//! Devices that fail: no room from the n-th write on, and power that goes away with writes unsynced.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;

use super::*;

/// Memory that keeps apart what was synced, counts what is written, and fails when told to.
#[derive(Debug, Default)]
pub(super) struct Device(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    synced: Vec<u8>,
    now: Vec<u8>,
    /// Writes since the last sync, in order.
    unsynced: Vec<(u64, Vec<u8>)>,
    n_writes: u64,
    /// Writes from this one on find no room.
    full_from: Option<u64>,
    /// The power goes at this write: nothing works any more.
    off_at: Option<u64>,
}

impl Device {
    pub(super) fn holding(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inner { synced: bytes.clone(), now: bytes, ..Inner::default() })))
    }

    fn inner<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.0.lock().expect("no test panics with it"))
    }

    pub(super) fn n_writes(&self) -> u64 {
        self.inner(|i| i.n_writes)
    }

    pub(super) fn fill_from(&self, write: Option<u64>) {
        self.inner(|i| i.full_from = write);
    }

    pub(super) fn power_off_at(&self, write: u64) {
        self.inner(|i| i.off_at = Some(write));
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.inner(|i| i.now.clone())
    }

    /// What may be found after the power came back: all that was synced, and of the rest what `survives`, each write
    /// on its own, in any order (the last one wins only where it survives).
    pub(super) fn after_power_cut(&self, survives: impl Fn(usize) -> bool) -> Vec<u8> {
        self.inner(|i| {
            let mut bytes = i.synced.clone();
            let survivors: BTreeMap<usize, &(u64, Vec<u8>)> =
                i.unsynced.iter().enumerate().filter(|(n, _)| survives(*n)).collect();
            for (offset, data) in survivors.into_values() {
                let end = *offset as usize + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset as usize..end].copy_from_slice(data);
            }
            bytes
        })
    }
}

impl Inner {
    fn step(&mut self) -> io::Result<()> {
        self.n_writes += 1;
        self.alive()?;
        if self.full_from.is_some_and(|n| self.n_writes >= n) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn alive(&self) -> io::Result<()> {
        if self.off_at.is_some_and(|n| self.n_writes >= n) { Err(io::Error::other("no power")) } else { Ok(()) }
    }
}

impl StorageBackend for Device {
    fn len(&self) -> io::Result<u64> {
        self.inner(|i| Ok(i.now.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner(|i| {
            let from = i.now.get(offset as usize..offset as usize + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            out.copy_from_slice(from);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner(|i| {
            i.step()?;
            i.now.resize(len as usize, 0);
            // Sizes are kept by the file system's own journal.
            i.synced.resize(len as usize, 0);
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner(|i| {
            i.step()?;
            i.synced.clone_from(&i.now);
            i.unsynced.clear();
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner(|i| {
            i.step()?;
            let end = offset as usize + data.len();
            i.now.get_mut(offset as usize..end).ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(data);
            i.unsynced.push((offset, data.to_vec()));
            Ok(())
        })
    }
}
