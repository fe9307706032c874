//! The machine this program runs on, where that is no Linux: what its files and sysinfo say.
//!
//! No processes and no figures of the kernel. Invariant: what is not known is refused, never guessed.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use sysinfo::Disks;

use crate::model::{FileSystemStat, Host, ProcessFile};

/// The machine this program runs on.
#[derive(Debug, Default)]
pub struct ElsewhereHost;

impl ElsewhereHost {
    /// Opens nothing yet.
    pub fn new() -> Self {
        Self
    }
}

fn unknown<T>() -> io::Result<T> {
    Err(io::Error::new(ErrorKind::Unsupported, "farol does not know how to read this on this system"))
}

impl Host for ElsewhereHost {
    fn read(&self, path: &str, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        io::Read::read_to_end(&mut std::fs::File::open(path)?, into).map(|_| ())
    }

    fn list(&self, path: &str, into: &mut Vec<String>) -> io::Result<()> {
        into.clear();
        for entry in std::fs::read_dir(path)? {
            into.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(())
    }

    fn read_link(&self, path: &str) -> io::Result<String> {
        Ok(std::fs::read_link(path)?.to_string_lossy().into_owned())
    }

    fn pids(&self, _: &mut Vec<u32>) -> io::Result<()> {
        unknown()
    }

    fn read_process(&self, _: u32, _: ProcessFile, _: &mut Vec<u8>) -> io::Result<()> {
        unknown()
    }

    fn cpu_clock(&self, _: u32) -> io::Result<Duration> {
        unknown()
    }

    fn statvfs(&self, path: &str) -> io::Result<FileSystemStat> {
        let disks = Disks::new_with_refreshed_list().map_err(io::Error::other)?;
        // Of those that hold the path, the one that is mounted furthest down.
        let holds = |disk: &&sysinfo::Disk| Path::new(path).starts_with(disk.mount_point());
        let disk = disks.iter().filter(holds).max_by_key(|disk| disk.mount_point().components().count());
        let disk = disk.ok_or(ErrorKind::NotFound)?;
        let free = disk.available_space();
        let (size, read_only) = (disk.total_space(), disk.is_read_only());
        Ok(FileSystemStat { size, free, available: free, inodes: 0, inodes_free: 0, read_only })
    }

    fn tcp_states(&self) -> io::Result<[u32; 13]> {
        unknown()
    }

    fn user_name(&self, _: u32) -> Option<String> {
        None
    }
}
