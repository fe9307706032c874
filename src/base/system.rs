//! What each system does in its own way: who may read a file, who runs this program, what a program leaves, how important a thread is.
//!
//! The one place that asks the system for these. Invariant: where a system has no such thing, what is wished does not
//! happen and what is asked is unknown; nothing is made up.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};

/// A file that is made by these options is its owner's alone (mode 0600).
pub fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    here::owner_only(options)
}

/// Makes folders that only their owner can look into (mode 0700).
pub fn private_folder() -> DirBuilder {
    here::private_folder()
}

/// Makes an open file its owner's alone.
///
/// # Errors
/// As the system says: it belongs to somebody else.
pub fn keep_private(file: &File) -> io::Result<()> {
    here::keep_private(file)
}

/// Who may do what with a file: its nine bits of permission and the three above them; `None` where files have none.
pub fn mode(metadata: &Metadata) -> Option<u32> {
    here::mode(metadata)
}

/// Whether this user may write into a folder.
pub fn is_writable(folder: &Path) -> bool {
    here::is_writable(folder)
}

/// Whether a process has that number; `None` where that is not known.
pub fn is_process(pid: u32) -> Option<bool> {
    here::is_process(pid)
}

/// Makes a program that is started lead a group of its own: its children are ended with it, and Ctrl-C is not for it.
pub fn lead_group(command: &mut Command) -> &mut Command {
    here::lead_group(command)
}

/// Ends all that is left of a group by the number of its leader; on a system without groups nothing.
pub fn kill_group(leader: u32) {
    here::kill_group(leader);
}

/// The signal that ended a program; `None` where it ended by itself.
pub fn signal(status: ExitStatus) -> Option<i32> {
    here::signal(status)
}

/// Number of the user who runs this program; `None` where users have none.
pub fn user() -> Option<u32> {
    here::user()
}

/// Device and inode of standard error; `None` where files have none.
pub fn standard_error() -> Option<(u64, u64)> {
    here::standard_error()
}

/// Gives this thread the lowest priority, where threads have one of their own; refused is no harm.
pub fn yield_to_others() {
    here::yield_to_others();
}

/// The kind of file system at a path that keeps its files in memory (statfs(2)); `None` for all others and where it is not known.
///
/// # Errors
/// There is nothing at that path.
pub fn in_memory(path: &Path) -> io::Result<Option<&'static str>> {
    here::in_memory(path)
}

#[cfg(unix)]
mod here {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
    use std::os::unix::process::{CommandExt, ExitStatusExt};

    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};

    use super::*;

    pub(super) fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
        options.mode(0o600)
    }

    pub(super) fn private_folder() -> DirBuilder {
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        builder
    }

    pub(super) fn keep_private(file: &File) -> io::Result<()> {
        file.set_permissions(PermissionsExt::from_mode(0o600))
    }

    pub(super) fn mode(metadata: &Metadata) -> Option<u32> {
        Some(metadata.permissions().mode() & 0o7777)
    }

    pub(super) fn is_writable(folder: &Path) -> bool {
        rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
    }

    pub(super) fn is_process(pid: u32) -> Option<bool> {
        Some(number(pid).is_some_and(|pid| !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH))))
    }

    fn number(pid: u32) -> Option<Pid> {
        i32::try_from(pid).ok().and_then(Pid::from_raw)
    }

    pub(super) fn lead_group(command: &mut Command) -> &mut Command {
        command.process_group(0)
    }

    pub(super) fn kill_group(leader: u32) {
        // It fails where nobody is left, which is what is wanted.
        let _ = number(leader).map(|group| kill_process_group(group, Signal::KILL));
    }

    pub(super) fn signal(status: ExitStatus) -> Option<i32> {
        status.signal()
    }

    pub(super) fn user() -> Option<u32> {
        Some(rustix::process::getuid().as_raw())
    }

    pub(super) fn standard_error() -> Option<(u64, u64)> {
        let stat = rustix::fs::fstat(io::stderr()).ok()?;
        // Their types differ between systems.
        #[allow(clippy::useless_conversion, reason = "the device has 32 bits with a sign on macOS")]
        Some((u64::try_from(stat.st_dev).ok()?, stat.st_ino))
    }

    #[cfg(target_os = "linux")]
    pub(super) fn yield_to_others() {
        // On Linux a priority is a thread's own.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19);
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn yield_to_others() {}

    #[cfg(target_os = "linux")]
    pub(super) fn in_memory(path: &Path) -> io::Result<Option<&'static str>> {
        // Magic numbers have 32 bits, whatever the width of the field.
        Ok(match rustix::fs::statfs(path)?.f_type as u32 {
            0x0102_1994 => Some("tmpfs"),
            0x8584_58f6 => Some("ramfs"),
            _ => None,
        })
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn in_memory(path: &Path) -> io::Result<Option<&'static str>> {
        std::fs::metadata(path).map(|_| None)
    }
}

#[cfg(not(unix))]
mod here {
    use super::*;

    pub(super) fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
        options
    }

    pub(super) fn private_folder() -> DirBuilder {
        DirBuilder::new()
    }

    pub(super) fn keep_private(_: &File) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn mode(_: &Metadata) -> Option<u32> {
        None
    }

    pub(super) fn is_writable(folder: &Path) -> bool {
        std::fs::metadata(folder).is_ok_and(|m| !m.permissions().readonly())
    }

    pub(super) fn is_process(_: u32) -> Option<bool> {
        None
    }

    pub(super) fn lead_group(command: &mut Command) -> &mut Command {
        command
    }

    pub(super) fn kill_group(_: u32) {}

    pub(super) fn signal(_: ExitStatus) -> Option<i32> {
        None
    }

    pub(super) fn user() -> Option<u32> {
        None
    }

    pub(super) fn standard_error() -> Option<(u64, u64)> {
        None
    }

    pub(super) fn yield_to_others() {}

    pub(super) fn in_memory(path: &Path) -> io::Result<Option<&'static str>> {
        std::fs::metadata(path).map(|_| None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_private_is_its_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("inner");
        private_folder().create(&inner).expect("made");
        let path = inner.join("file");
        let file = owner_only(OpenOptions::new().write(true).create(true)).open(&path).expect("made");
        let modes = || [&inner, &path].map(|p| mode(&std::fs::metadata(p).expect("there")));
        assert_eq!(modes(), [Some(0o700), Some(0o600)]);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("ours");
        keep_private(&file).expect("ours");
        assert_eq!(modes(), [Some(0o700), Some(0o600)]);
        assert!(is_writable(&inner) && !is_writable(&folder.path().join("none")));
    }

    #[test]
    fn this_process_is_there_and_the_highest_number_is_nobodys() {
        assert_eq!(is_process(std::process::id()), Some(true));
        assert_eq!((is_process(i32::MAX as u32), is_process(u32::MAX), is_process(0)), (Some(false), Some(false), Some(false)));
    }

    #[test]
    fn a_folder_in_memory_is_known() {
        // In memory on most machines, where it is there; /proc is on none of these.
        assert_eq!(in_memory(Path::new("/proc")).expect("there"), None);
        assert!(in_memory(Path::new("/dev/shm")).is_ok_and(|kind| kind.is_none_or(|k| k == "tmpfs" || k == "ramfs")));
        assert!(in_memory(Path::new("/none")).is_err());
    }
}
