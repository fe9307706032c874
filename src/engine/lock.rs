//! The lock of a data folder: one engine at a time, and where it listens.
//!
//! `farol.lock` is held by an exclusive file lock for as long as its owner lives; its text says who that
//! is, as JSON. Invariant: the text is only believed while the lock is held by somebody.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::base::{Timestamp, fnv, system};
use crate::net::is_listening;

/// How long a starting engine waits for a one-shot command to close the store.
const ONE_SHOT_WAIT: Duration = Duration::from_secs(10);

/// Longest path a Unix socket can have.
const MAX_SOCKET_PATH: usize = 107;

/// Who holds a data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Process number.
    pub pid: u32,
    /// What it does.
    pub role: Role,
    /// Where it listens; `None` for a one-shot command.
    pub socket: Option<PathBuf>,
    /// Since when.
    pub since: Timestamp,
}

impl Owner {
    /// Whether that process is there. The text of one that was killed stands until the next one writes its own, and
    /// whoever looks holds the lock for a moment: without this a look could be taken for the one that is gone.
    fn lives(&self) -> bool {
        system::is_process(self.pid) != Some(false)
    }
}

/// What the holder of a data folder does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Records without a screen.
    Recorder,
    /// A screen with its own engine.
    Screen,
    /// A command that reads or writes shortly.
    OneShot,
}

/// Why a data folder could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("{} is in use by {} (process {}); attach to it, or stop it first", .path.display(), role_name(.owner.role), .owner.pid)]
    Held {
        /// The folder.
        path: PathBuf,
        /// Who.
        owner: Owner,
    },
    /// The folder cannot be written, though it has a history.
    #[error(
        "data folder {}: {source}; a history that cannot be written is looked at with farol --replay {}",
        .path.display(), .path.join("farol.redb").display()
    )]
    ReadOnly {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The folder cannot be used.
    #[error("data folder {}: {source}; choose another with --data-dir or make it writable", .path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Recorder => "a recorder",
        Role::Screen => "a farol screen",
        Role::OneShot => "a farol command",
    }
}

/// The lock of a data folder; released when dropped.
#[derive(Debug)]
pub struct DataLock {
    file: File,
    dir: PathBuf,
}

impl DataLock {
    /// Takes the folder, making it if need be; waits up to 10 s for a one-shot command.
    ///
    /// # Errors
    /// [`LockError::Held`] by another engine, [`LockError::Io`] where the folder cannot be used.
    pub fn take(dir: &Path, role: Role) -> Result<Self, LockError> {
        make_private(dir)?;
        let path = dir.join("farol.lock");
        let io = |source| LockError::Io { path: path.clone(), source };
        let mut options = OpenOptions::new();
        // Whoever may read it learns where the engine listens, whoever may write it could keep it from starting.
        system::owner_only(&mut options);
        let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(|source| {
            let is_closed =
                matches!(source.kind(), std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied);
            let has_history = role == Role::OneShot && File::open(dir.join("farol.redb")).is_ok();
            if is_closed && has_history { LockError::ReadOnly { path: dir.to_owned(), source } } else { io(source) }
        })?;
        let deadline = Instant::now() + ONE_SHOT_WAIT;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    let owner = read_owner(&mut file).filter(Owner::lives);
                    let passing = owner.as_ref().is_none_or(|o| o.role == Role::OneShot);
                    if !passing || Instant::now() >= deadline {
                        let unknown = Owner { pid: 0, role: Role::OneShot, socket: None, since: Timestamp::default() };
                        return Err(LockError::Held { path: dir.to_owned(), owner: owner.unwrap_or(unknown) });
                    }
                    // A file lock has no timed wait; a one-shot command holds it for milliseconds.
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::Error(error)) => return Err(io(error)),
            }
        }
        let lock = Self { file, dir: dir.to_owned() };
        // One that was made with another mode; where it is not ours, its owner decides.
        let _ = system::keep_private(&lock.file);
        lock.announce(&Owner { pid: std::process::id(), role, socket: None, since: Timestamp::now() })?;
        Ok(lock)
    }

    /// Says who holds the folder and where it listens.
    ///
    /// # Errors
    /// Where the lock file cannot be written; a full disk is not an error, the folder is held all the same.
    pub fn announce(&self, owner: &Owner) -> Result<(), LockError> {
        let text = serde_json::to_vec(owner).expect("an owner is plain data");
        let mut file = &self.file;
        let written = file.rewind().and_then(|()| file.write_all(&text)).and_then(|()| self.file.set_len(text.len() as u64));
        match written {
            Err(e) if e.kind() != std::io::ErrorKind::StorageFull => {
                Err(LockError::Io { path: self.dir.join("farol.lock"), source: e })
            }
            _ => Ok(()),
        }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Drop for DataLock {
    fn drop(&mut self) {
        // The text would outlive its truth; failing to remove it does no harm because nobody believes it unlocked.
        let _ = self.file.set_len(0);
    }
}

/// Makes a folder that only its owner can read.
fn make_private(dir: &Path) -> Result<(), LockError> {
    let made = system::private_folder().recursive(true).create(dir);
    made.map_err(|source| LockError::Io { path: dir.to_owned(), source })
}

fn read_owner(file: &mut File) -> Option<Owner> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Who holds a folder now; `None` where nobody does or it cannot be read.
pub fn owner(dir: &Path) -> Option<Owner> {
    let mut file = File::open(dir.join("farol.lock")).ok()?;
    match file.try_lock_shared() {
        Ok(()) => None,
        Err(_) => read_owner(&mut file).filter(Owner::lives),
    }
}

/// The socket in a folder whose lock file this user may not read: for members of the engine's group.
pub fn shared(dir: &Path) -> Option<PathBuf> {
    let unread = File::open(dir.join("farol.lock")).is_err_and(|e| e.kind() == std::io::ErrorKind::PermissionDenied);
    let path = dir.join("farol.sock");
    (unread && is_listening(&path)).then_some(path)
}

/// The engine on a folder, once it listens; waits for one that is starting. `None` where there is none.
pub fn listening(dir: &Path) -> Option<(PathBuf, Owner)> {
    let deadline = Instant::now() + ONE_SHOT_WAIT;
    loop {
        let owner = owner(dir).filter(|o| o.role != Role::OneShot)?;
        if let Some(socket) = owner.socket.clone() {
            return Some((socket, owner));
        }
        if Instant::now() >= deadline {
            return None;
        }
        // A lock file cannot be waited for; opening a history takes milliseconds.
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Where an engine on that folder listens: the runtime folder where it may write, else the data folder,
/// else (past 107 bytes) a short path in the temporary folder. The name is made from the data folder's.
pub fn socket_path(dir: &Path) -> PathBuf {
    let full = std::fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    // Only has to differ between the data folders of one machine.
    let name = format!("farol-{:08x}.sock", fnv(full.as_os_str().as_encoded_bytes()) as u32);
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(|d| PathBuf::from(d).join("farol"));
    for folder in runtime.into_iter().chain([PathBuf::from("/run/farol")]) {
        let path = folder.join(&name);
        if path.as_os_str().len() <= MAX_SOCKET_PATH && make_private(&folder).is_ok() && system::is_writable(&folder) {
            return path;
        }
    }
    let path = full.join("farol.sock");
    if path.as_os_str().len() <= MAX_SOCKET_PATH { path } else { std::env::temp_dir().join(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_folder_says_who_holds_it() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(owner(dir.path()), None);
        let file = dir.path().join("farol.lock");
        std::fs::write(&file, "").expect("ours");
        let lock = DataLock::take(dir.path(), Role::Recorder).expect("free");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).expect("there").permissions());
        assert_eq!(mode & 0o777, 0o600, "whatever it was before");
        let seen = owner(dir.path()).expect("held");
        assert_eq!((seen.pid, seen.role), (std::process::id(), Role::Recorder));
        assert!(matches!(DataLock::take(dir.path(), Role::Screen), Err(LockError::Held { .. })));
        drop(lock);
        assert_eq!(owner(dir.path()), None);
        assert!(DataLock::take(dir.path(), Role::Screen).is_ok());
    }

    #[test]
    fn the_text_of_one_that_was_killed_is_not_believed() {
        let dir = tempfile::tempdir().expect("a folder");
        // No process has the highest number there is.
        let gone = r#"{"pid": 2147483647, "role": "recorder", "socket": "/none.sock", "since": "2026-01-01T00:00:00Z"}"#;
        std::fs::write(dir.path().join("farol.lock"), gone).expect("written");
        let looks = File::open(dir.path().join("farol.lock")).expect("there");
        looks.lock_shared().expect("free");
        std::thread::scope(|scope| {
            let taking = scope.spawn(|| DataLock::take(dir.path(), Role::Recorder).map(drop));
            drop(looks);
            assert!(taking.join().expect("no panic").is_ok());
        });
    }

    #[test]
    fn garbage_in_the_lock_file_is_not_believed() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("farol.lock"), b"\xff\x00 garbage").expect("written");
        assert_eq!(owner(dir.path()), None);
        assert!(DataLock::take(dir.path(), Role::Recorder).is_ok());
    }

    #[test]
    fn a_long_folder_gets_a_short_socket() {
        let dir = tempfile::tempdir().expect("a folder");
        let long = dir.path().join("x".repeat(120));
        std::fs::create_dir(&long).expect("made");
        assert!(socket_path(&long).as_os_str().len() <= MAX_SOCKET_PATH);
    }
}
