//! A file that is written whole or not at all.
//!
//! The one place of this room that touches a disk. Invariant: who reads the file sees the old one or the new one, never a half.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result, Write};
use std::path::Path;

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Whom the process's mask allows.
    Usual,
    /// Its owner alone.
    Owner,
    /// Who could read the file that is replaced; as [`Readers::Usual`] where there is none.
    Kept,
}

/// Writes beside and renames, so that a full disk leaves the old file, or none. A link is followed to its file; what is no
/// file (a pipe, a device) is written into, never replaced.
///
/// # Errors
/// Where the folder cannot be written or has no room; nothing is left beside then.
pub fn write_whole(path: &Path, bytes: &[u8], readers: Readers) -> Result<()> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(&target).is_ok_and(|m| !m.is_file()) {
        return OpenOptions::new().write(true).open(&target)?.write_all(bytes);
    }
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".farol-{}", std::process::id()));
    let beside = target.with_file_name(name);
    let write = || {
        // What a killed process of the same number left is in nobody's way; a link there is not followed.
        let mut file = create(&beside, readers).or_else(|e| match e.kind() {
            ErrorKind::AlreadyExists => std::fs::remove_file(&beside).and_then(|()| create(&beside, readers)),
            _ => Err(e),
        })?;
        if let Some(meta) = std::fs::metadata(&target).ok().filter(|_| readers == Readers::Kept) {
            file.set_permissions(meta.permissions())?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, &target)?;
        // The name is on the disk as well, where the system can say so of a folder.
        let _ = target.parent().and_then(|folder| File::open(folder).ok()).map(|folder| folder.sync_all());
        Ok(())
    };
    write().inspect_err(|_| drop(std::fs::remove_file(&beside)))
}

fn create(path: &Path, readers: Readers) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if readers == Readers::Owner {
        super::system::owner_only(&mut options);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_file_or_the_new_one_and_nothing_beside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.pdf");
        let stale = folder.path().join(format!("report.pdf.farol-{}", std::process::id()));
        std::fs::write(&stale, "half").expect("room");
        for text in ["old", "new"] {
            write_whole(&path, text.as_bytes(), Readers::Owner).expect("room");
            assert_eq!(std::fs::read_to_string(&path).expect("a file"), text);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = || std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
            assert_eq!(mode(), 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("ours");
            write_whole(&path, b"newer", Readers::Kept).expect("room");
            assert_eq!(mode(), 0o640);
        }
        assert!(write_whole(&folder.path().join("none/report.pdf"), b"x", Readers::Usual).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
