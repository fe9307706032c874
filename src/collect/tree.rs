//! A machine as a tree of files below any folder: frozen in tests, or mounted from elsewhere.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::{FileSystemStat, Host, ProcessFile};

/// A tree of `proc`, `sys` and `etc` below a folder.
#[derive(Debug, Clone)]
pub struct TreeHost {
    #[expect(dead_code)]
    root: PathBuf,
}

impl TreeHost {
    /// The tree below `root`; nothing is read yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }
}

impl Host for TreeHost {
    fn read(&self, _path: &str, _into: &mut Vec<u8>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn list(&self, _path: &str, _into: &mut Vec<String>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn read_link(&self, _path: &str) -> io::Result<String> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn pids(&self, _into: &mut Vec<u32>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn read_process(&self, _pid: u32, _file: ProcessFile, _into: &mut Vec<u8>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn cpu_clock(&self, _pid: u32) -> io::Result<Duration> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn statvfs(&self, _path: &str) -> io::Result<FileSystemStat> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn tcp_states(&self) -> io::Result<[u32; 13]> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn user_name(&self, _uid: u32) -> Option<String> {
        None
    }
}
