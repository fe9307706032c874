//! The machine as sources see it.
//!
//! Real on Linux, a frozen tree in tests, scripted in the simulation. Paths are those of a Linux
//! system; an implementation may put them below another root.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A file of `/proc/PID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProcessFile {
    /// `stat`.
    Stat,
    /// `statm`.
    Statm,
    /// `io`.
    Io,
    /// `status`.
    Status,
    /// `cmdline`, parts separated by NUL.
    Cmdline,
    /// `cgroup`.
    Cgroup,
}

/// What `statvfs` says of a file system; sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileSystemStat {
    /// Size.
    pub size: u64,
    /// Free, reserved blocks included.
    pub free: u64,
    /// Free for ordinary users.
    pub available: u64,
    /// Inodes in all; 0 where the file system has none.
    pub inodes: u64,
    /// Free inodes.
    pub inodes_free: u64,
    /// Mounted read-only.
    pub read_only: bool,
}

/// A TCP socket that waits for connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListeningSocket {
    /// Where it listens.
    pub address: SocketAddr,
    /// Inode of the socket, as the links of `/proc/PID/fd` name it.
    pub inode: u64,
}

/// Reads of one machine. Every method may fail with the reason; nothing blocks but [`Host::statvfs`] and [`Host::run`].
pub trait Host: Send + Sync {
    /// Replaces `into` with the whole of a file; the path is absolute (`/proc/stat`).
    ///
    /// # Errors
    /// As the system says.
    fn read(&self, path: &str, into: &mut Vec<u8>) -> io::Result<()>;
    /// The names in a folder, in any order, into `into` (cleared first); names that are not UTF-8 are made so.
    ///
    /// # Errors
    /// As the system says.
    fn list(&self, path: &str, into: &mut Vec<String>) -> io::Result<()>;
    /// Where a symbolic link leads.
    ///
    /// # Errors
    /// As the system says.
    fn read_link(&self, path: &str) -> io::Result<String>;
    /// Numbers of all processes, in any order, into `into` (cleared first).
    ///
    /// # Errors
    /// As the system says.
    fn pids(&self, into: &mut Vec<u32>) -> io::Result<()>;
    /// Replaces `into` with the whole of a process's file.
    ///
    /// # Errors
    /// As the system says; a vanished process is `NotFound`.
    fn read_process(&self, pid: u32, file: ProcessFile, into: &mut Vec<u8>) -> io::Result<()>;
    /// CPU time a process has used, all threads; to the nanosecond and without opening a file.
    ///
    /// # Errors
    /// As the system says; `Unsupported` where there is no such clock.
    fn cpu_clock(&self, pid: u32) -> io::Result<Duration>;
    /// Whether a number is that of a process or of a thread that has not ended; without opening a file.
    ///
    /// # Errors
    /// `Unsupported` where the system cannot be asked.
    fn is_alive(&self, _number: u32) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// How many files, sockets among them, a process has open.
    ///
    /// # Errors
    /// As the system says; `PermissionDenied` for another user's process on kernels before 6.2, which only list them.
    fn descriptors(&self, pid: u32) -> io::Result<u32> {
        let mut names = Vec::new();
        self.list(&format!("/proc/{pid}/fd"), &mut names)?;
        Ok(u32::try_from(names.len()).unwrap_or(u32::MAX))
    }
    /// Hands each line of a file, without its end, to `take`, holding no more than a part of the file where that can be done: for
    /// files of megabytes.
    ///
    /// # Errors
    /// As the system says.
    fn each_line(&self, path: &str, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut text = Vec::new();
        self.read(path, &mut text)?;
        text.split(|b| *b == b'\n').for_each(take);
        Ok(())
    }
    /// Replaces `into` with what stands in a file from an offset on, a megabyte at most, and gives the file's length: for files that
    /// grow. Past their end there is nothing.
    ///
    /// # Errors
    /// As the system says.
    fn read_from(&self, path: &str, offset: u64, into: &mut Vec<u8>) -> io::Result<u64> {
        self.read(path, into)?;
        let length = into.len();
        into.drain(..usize::try_from(offset).unwrap_or(length).min(length));
        Ok(length as u64)
    }
    /// Who may do what with a file or folder: its nine bits of permission and the three above them, links followed.
    ///
    /// # Errors
    /// As the system says; `Unsupported` where only the contents of files are known.
    fn mode(&self, _path: &str) -> io::Result<u32> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// State of the file system at a path. May hang on a dead network mount: call it off the sampling thread.
    ///
    /// # Errors
    /// As the system says.
    fn statvfs(&self, path: &str) -> io::Result<FileSystemStat>;
    /// Number of TCP sockets in each kernel state, index 1 (established) to 11 (closing); `[0]` is unused.
    ///
    /// # Errors
    /// As the system says.
    fn tcp_states(&self) -> io::Result<[u32; 13]>;
    /// The TCP sockets that listen, where the kernel can be asked for them alone.
    ///
    /// # Errors
    /// As the system says; `Unsupported` where only `/proc/net/tcp` has them, among all others.
    fn listening_sockets(&self) -> io::Result<Vec<ListeningSocket>> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// What a program of the system prints, whatever its exit code; it is ended where it takes longer than `patience`. May take that
    /// long: call it off the sampling thread.
    ///
    /// # Errors
    /// `NotFound` where it is not installed, `TimedOut`, `Unsupported` where this machine runs no programs.
    fn run(&self, _program: &str, _args: &[&str], _patience: Duration) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// What a program that listens on a Unix socket answers to `request`, up to where it closes; waits two seconds at most for each
    /// piece: call it off the sampling thread.
    ///
    /// # Errors
    /// As the system says; `Unsupported` where this machine has no such sockets.
    fn ask_socket(&self, _path: &str, _request: &[u8]) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// The user's name; `None` where it is unknown.
    fn user_name(&self, uid: u32) -> Option<String>;
}

/// What does not change while the machine is up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HostFacts {
    /// Name of the machine, as set in the configuration or by the system.
    pub name: String,
    /// Operating system for people (`Debian 12`).
    pub system: String,
    /// Kernel release.
    pub kernel: String,
    /// Number of logical cores.
    pub cores: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// When it was started, where known.
    pub booted_at: Option<crate::base::Timestamp>,
    /// Labels of `[general] labels`, on every export.
    pub labels: std::collections::BTreeMap<String, String>,
}
