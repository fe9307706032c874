//! The real machine: Linux.

use std::io;
use std::time::Duration;

use crate::model::{FileSystemStat, Host, ProcessFile};

/// The machine this program runs on.
#[derive(Debug, Default)]
pub struct LinuxHost;

impl LinuxHost {
    /// Opens nothing yet.
    pub fn new() -> Self {
        Self
    }
}

impl Host for LinuxHost {
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
