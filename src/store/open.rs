//! Opening: is it ours, can this version read it, is it in use; and making a new one.
//!
//! Invariant: a file that is refused has not been written to.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use redb::backends::FileBackend;
use redb::{Builder, Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend, TableError};

use super::error::Fault;
use super::frame::{OPAQUE, frame, unframe};
use super::medium::{Kept, Probe};
use super::rows::{Clerk, journal_number};
use super::schema::{FORMAT, JOURNAL, META, NAMED, NUMBERED, SERIES, TAIL};
use super::series::{parse_series_key, parse_series_row};
use super::shared::{Index, Shared};
use super::sparing::Sparing;
use super::state::State;
use super::{OpenError, Reader, StoreConfig, Writer};
use crate::base::{Timestamp, system};

/// Page cache of redb: enough for the pages of one flush and one chart; its default is 1 GiB.
const CACHE: usize = 2 << 20;
/// Cache while only looking whether the file is ours.
const PROBE_CACHE: usize = 256 << 10;
/// Files below this are never compacted: the gain is not worth the time.
const COMPACT_ABOVE: u64 = 16 << 20;
/// How every redb file begins (its design document).
const MAGIC: [u8; 9] = [b'r', b'e', b'd', b'b', 0x1A, 0x0A, 0xA9, 0x0D, 0x0A];
/// Row of `meta` with the format.
const FORMAT_ROW: &str = "format";

/// Opens histories.
#[derive(Debug)]
pub struct Store;

impl Store {
    /// Opens the file, or makes it (mode 0600), and takes its lock. A file made is complete before it has its name.
    ///
    /// # Errors
    /// Each with what to do; a foreign or newer file is not touched.
    pub fn open(path: &Path, config: &StoreConfig) -> Result<(Writer, Reader), OpenError> {
        let io = |e: &std::io::Error| OpenError::of_io(path.to_owned(), e);
        if std::fs::metadata(path).map_or(true, |m| m.len() == 0) {
            make(path)?;
        }
        let mut file = options().open(path).map_err(|e| io(&e))?;
        let mut start = [0; MAGIC.len()];
        if file.read_exact(&mut start).is_err() || start != MAGIC {
            return Err(OpenError::Foreign { path: path.to_owned(), reason: "not a database".to_owned() });
        }
        open(Arc::new(backend(file, path)?), path, config)
    }

    /// The same on something else than a file: memory, or a device that fails when told to. An empty one is made a history.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(backend: Arc<dyn StorageBackend>, config: &StoreConfig) -> Result<(Writer, Reader), OpenError> {
        let path = Path::new("(memory)");
        if backend.len().map_err(|e| OpenError::of_io(path.to_owned(), &e))? == 0 {
            create(&backend).map_err(|e| e.open(path))?;
        }
        open(backend, path, config)
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    system::owner_only(&mut options);
    options
}

#[allow(deprecated, reason = "the version after this one changes only the return type")]
fn backend(file: File, path: &Path) -> Result<FileBackend, OpenError> {
    FileBackend::new(file).map_err(|e| Fault::from(e).open(path))
}

/// Makes an empty history under another name and gives it its name once it is whole.
fn make(path: &Path) -> Result<(), OpenError> {
    let io = |e: &std::io::Error| OpenError::of_io(path.to_owned(), e);
    let unfinished = PathBuf::from(format!("{}.new", path.display()));
    let file = options().create(true).truncate(true).open(&unfinished).map_err(|e| io(&e))?;
    let made = backend(file, path).and_then(|backend| {
        let made: Arc<dyn StorageBackend> = Arc::new(backend);
        create(&made).map_err(|e| e.open(path))
    });
    if let Err(error) = made.and_then(|()| std::fs::rename(&unfinished, path).map_err(|e| io(&e))) {
        // On a full disk it takes the room that is missing; where it cannot be removed the next start makes it anew.
        let _ = std::fs::remove_file(&unfinished);
        return Err(error);
    }
    // The name is on disk when its folder is; where a folder cannot be opened the system writes it in its own time.
    if let Some(Ok(folder)) = path.parent().map(File::open) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// All tables and the format, in one transaction.
fn create(backend: &Arc<dyn StorageBackend>) -> Result<(), Fault> {
    let database = Builder::new().set_cache_size(CACHE).create_with_backend(Kept(Arc::clone(backend)))?;
    let mut txn = database.begin_write()?;
    txn.set_durability(Durability::Immediate)?;
    txn.set_quick_repair(true);
    for table in NUMBERED {
        txn.open_table(table)?;
    }
    for table in NAMED {
        txn.open_table(table)?;
    }
    let format = format!("{}.{}", FORMAT.0, FORMAT.1);
    txn.open_table(META)?.insert(FORMAT_ROW, frame(OPAQUE, format.as_bytes()).as_slice())?;
    State { clean: true, ..State::default() }.save(&txn)?;
    txn.commit()?;
    Ok(())
}

/// Opens the database on a medium for writing.
pub(super) fn database(medium: &Arc<dyn StorageBackend>) -> Result<Database, Fault> {
    Ok(Builder::new().set_cache_size(CACHE).create_with_backend(Kept(Arc::clone(medium)))?)
}

/// Opens the database on a medium that takes no writes: what opening repairs stays in memory.
pub(super) fn probe(medium: &Arc<dyn StorageBackend>) -> Result<Database, Fault> {
    let probe = Probe::new(Arc::clone(medium)).map_err(redb::Error::Io)?;
    Ok(Builder::new().set_cache_size(PROBE_CACHE).create_with_backend(probe)?)
}

/// The state a database was left in.
pub(super) fn state(database: &Database) -> Result<State, Fault> {
    State::load(&database.begin_read()?)
}

fn open(medium: Arc<dyn StorageBackend>, path: &Path, config: &StoreConfig) -> Result<(Writer, Reader), OpenError> {
    let medium: Arc<dyn StorageBackend> = Arc::new(Sparing::new(medium));
    let looked = probe(&medium).map_err(|e| e.open(path))?;
    check_format(&looked, path)?;
    drop(looked);
    let fault = |e: Fault| e.open(path);
    let mut database = database(&medium).map_err(fault)?;
    let state = state(&database).map_err(fault)?;
    let stored: u64 = state.stored.iter().sum();
    let size = medium.len().unwrap_or(0);
    if state.clean && size > COMPACT_ABOVE && size > stored.saturating_mul(2) {
        database.compact().map_err(|e| Fault::from(e).open(path))?;
    }
    let txn = database.begin_read().map_err(|e| Fault::from(e).open(path))?;
    let shared = Arc::new(Shared::default());
    let clerk = load(&txn, &state, &shared).map_err(fault)?;
    drop(txn);
    *shared.database.write().unwrap_or_else(PoisonError::into_inner) = Some(database);
    Ok((Writer::new(config, medium, Arc::clone(&shared), (state, clerk)), Reader::new(shared)))
}

fn check_format(database: &Database, path: &Path) -> Result<(), OpenError> {
    let damaged = |reason: &str| OpenError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
    let foreign = || OpenError::Foreign { path: path.to_owned(), reason: "another program's database".to_owned() };
    let fault = |e: Fault| e.open(path);
    let txn = database.begin_read().map_err(|e| fault(e.into()))?;
    let meta = match txn.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::Storage(e)) => return Err(fault(e.into())),
        Err(_) => return Err(foreign()),
    };
    let row = meta.get(FORMAT_ROW).map_err(|e| fault(e.into()))?.ok_or_else(foreign)?;
    let text = unframe(OPAQUE, row.value()).and_then(|b| std::str::from_utf8(b).ok()).ok_or_else(|| damaged("format"))?;
    let major = text.split('.').next().and_then(|m| m.parse::<u32>().ok()).ok_or_else(|| damaged("format"))?;
    if major > FORMAT.0 {
        let known = format!("{}.{}", FORMAT.0, FORMAT.1);
        return Err(OpenError::NewerFormat { path: path.to_owned(), found: text.to_owned(), known });
    }
    Ok(())
}

/// Fills what is shared in memory from the file.
fn load(txn: &ReadTransaction, state: &State, shared: &Shared) -> Result<Clerk, Fault> {
    let mut index = Index::default();
    for row in txn.open_table(SERIES)?.range::<&[u8]>(..)? {
        let (key, value) = row?;
        match (parse_series_key(key.value()), parse_series_row(value.value())) {
            (Some(id), Some((named, _))) => index.insert(id, named),
            (Some(id), None) => {
                index.skip(id);
                shared.note_damage(key.value());
            }
            _ => {}
        }
    }
    shared.edit_index(|known| *known = index);
    let mut epochs = state.epochs.clone();
    for row in txn.open_table(TAIL)?.range::<&[u8]>(..)? {
        let (key, value) = row?;
        let epoch = super::schema::parse_tail_key(key.value()).map(|k| k.0);
        let newest = super::columns::TailRow::parse(value.value()).and_then(|r| r.times.last().copied());
        if let Some(epoch) = epochs.0.iter_mut().find(|e| Some(e.id) == epoch) {
            epoch.end = epoch.end.max(newest.unwrap_or(Timestamp(i64::MIN)));
        }
    }
    shared.head(|head| head.epochs = epochs);
    let newest = txn.open_table(JOURNAL)?.last()?.and_then(|(key, _)| journal_number(key.value()));
    Ok(Clerk::after(newest))
}
