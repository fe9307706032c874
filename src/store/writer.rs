//! Writing: the single owner of the file.

use std::path::Path;
use std::sync::Arc;

use super::{OpenError, Reader, StoreConfig, Write, WriteError};
use crate::base::Timestamp;
use crate::model::{Reading, StoreHealth};

/// Opens histories.
#[derive(Debug)]
pub struct Store;

impl Store {
    /// Opens the file, or makes it (mode 0600), and takes its lock.
    ///
    /// # Errors
    /// Each with what to do; a foreign or newer file is not touched.
    pub fn open(path: &Path, _config: &StoreConfig) -> Result<(Writer, Reader), OpenError> {
        Err(OpenError::Io { path: path.into(), reason: "not open".into() })
    }
    /// The same on something else than a file: memory, or a device that fails when told to.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(_backend: Arc<dyn redb::StorageBackend>, _config: &StoreConfig) -> Result<(Writer, Reader), OpenError> {
        Err(OpenError::Io { path: "memory".into(), reason: "not open".into() })
    }
}

/// The single writer; lives in the store thread.
#[derive(Debug)]
pub struct Writer {}

impl Writer {
    /// Takes a round of readings into memory; no I/O. A value that is not finite is left out.
    pub fn push(&mut self, _at: Timestamp, _readings: &[Reading]) {}
    /// Writes what was taken since the last flush, and what could not be written before, in one transaction.
    ///
    /// # Errors
    /// It is kept in memory and written with a later flush.
    pub fn flush(&mut self, _now: Timestamp) -> Result<(), WriteError> {
        Ok(())
    }
    /// Takes writes that may wait for the next flush; no I/O.
    pub fn queue(&mut self, _writes: Vec<Write>) {}
    /// Writes decisions at once: on disk when it returns `Ok`.
    ///
    /// # Errors
    /// They are kept in memory and written with a later flush or commit.
    pub fn commit(&mut self, _writes: Vec<Write>) -> Result<(), WriteError> {
        Ok(())
    }
    /// One slice (at most about 50 ms) of sealing, rolling up and retention; true: there is more to do now.
    ///
    /// # Errors
    /// The slice is done again later.
    pub fn maintain(&mut self, _now: Timestamp) -> Result<bool, WriteError> {
        Ok(false)
    }
    /// How the file is.
    pub fn health(&self) -> StoreHealth {
        StoreHealth::default()
    }
    /// Writes everything and releases the file.
    ///
    /// # Errors
    /// What could not be written is lost with the writer.
    pub fn close(self, _now: Timestamp) -> Result<(), WriteError> {
        Ok(())
    }
}
