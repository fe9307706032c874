//! What can go wrong with the file, split by what the caller does differently.
//!
//! Every message says what, where and what to do. Damage inside a block is no error: the block is
//! skipped and counted.

use std::path::PathBuf;

/// Why the history file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another program has it open.
    #[error("{path}: the history file is in use by another farol; attach to that one, or stop it first")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It may not be written.
    #[error(
        "{path}: the history file cannot be written ({reason}); give this user write permission to it and its folder, or choose another folder with --data-dir"
    )]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// No room for even an empty file.
    #[error("{path}: no room on the disk for the history file; free some space, or choose another folder with --data-dir")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file's structure is broken.
    #[error(
        "{path}: the history file is damaged ({reason}); move it away and farol starts a new one, or restore it from a backup"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Written by a later version whose format this one does not know.
    #[error(
        "{path}: the history file has format {found}, this farol knows up to {known}; install a newer farol, or choose another folder with --data-dir"
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// `major.minor` of the file.
        found: String,
        /// Newest `major.minor` this version reads.
        known: String,
    },
    /// Not a history file of farol; it was not touched.
    #[error(
        "{path}: this file is not a history of farol ({reason}); it was left as it is: choose another folder with --data-dir, or move the file away"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// Anything else the system says.
    #[error("{path}: the history file cannot be opened: {reason}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
}

/// Why something is not on disk yet. What was given is kept in memory and written with a later flush.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The disk is full.
    #[error("disk full: kept in memory until there is room")]
    Full,
    /// The disk refuses for another reason.
    #[error("the history file cannot be written ({0}): kept in memory, trying again")]
    Io(String),
}

/// Why the history could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the history file cannot be read: {0}")]
pub struct ReadError(pub String);

/// What the database says, before it is known what it means for the caller.
#[derive(Debug)]
pub(super) struct Fault(Box<redb::Error>);

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

impl Fault {
    /// Whether there is no room: the disk, a quota or the largest file size.
    fn is_full(&self) -> bool {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(&*self.0, redb::Error::Io(e) if matches!(e.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    }

    /// As a failed write.
    pub(super) fn write(&self) -> WriteError {
        if self.is_full() { WriteError::Full } else { WriteError::Io(self.0.to_string()) }
    }

    /// As a failed read.
    pub(super) fn read(&self) -> ReadError {
        ReadError(self.0.to_string())
    }

    /// As a file that could not be opened.
    pub(super) fn open(&self, path: &std::path::Path) -> OpenError {
        let (path, reason) = (path.to_owned(), self.0.to_string());
        match &*self.0 {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => OpenError::Locked { path },
            _ if self.is_full() => OpenError::Full { path },
            redb::Error::Io(e) => OpenError::of_io(path, e),
            redb::Error::UpgradeRequired(_) => OpenError::Foreign { path, reason: "a database of an older kind".to_owned() },
            _ => OpenError::Damaged { path, reason },
        }
    }
}

impl OpenError {
    /// By what the system says.
    pub(super) fn of_io(path: PathBuf, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let reason = error.to_string();
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path, reason },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { path },
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Self::Damaged { path, reason },
            _ => Self::Io { path, reason },
        }
    }
}
