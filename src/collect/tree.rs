//! A machine as a tree of files below any folder: frozen in tests, or a host's file system mounted
//! into a container.
//!
//! Gives only what files can say: no CPU clocks, no socket states. `statvfs` is answered from a table
//! beside the tree (`statvfs`), else by the system. Invariant: no path leads out of the root.

use std::collections::HashMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::base::system;

use super::parse::{lines, number, words};
use crate::model::{FileSystemStat, Host, ProcessFile};

/// A tree of `proc`, `sys` and `etc` below a folder.
#[derive(Debug, Clone)]
pub struct TreeHost {
    root: PathBuf,
}

impl TreeHost {
    /// The tree below `root`; nothing is read yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn below(&self, path: &str) -> io::Result<PathBuf> {
        let mut full = self.root.clone();
        for part in Path::new(path).components() {
            match part {
                Component::Normal(name) => full.push(name),
                Component::RootDir | Component::CurDir => {}
                Component::ParentDir | Component::Prefix(_) => return Err(io::ErrorKind::InvalidInput.into()),
            }
        }
        Ok(full)
    }
}

impl Host for TreeHost {
    fn read(&self, path: &str, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        let mut file = std::fs::File::open(self.below(path)?)?;
        io::Read::read_to_end(&mut file, into).map(|_| ())
    }

    fn list(&self, path: &str, into: &mut Vec<String>) -> io::Result<()> {
        into.clear();
        for entry in std::fs::read_dir(self.below(path)?)? {
            into.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(())
    }

    fn mode(&self, path: &str) -> io::Result<u32> {
        system::mode(&std::fs::metadata(self.below(path)?)?).ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    fn read_link(&self, path: &str) -> io::Result<String> {
        Ok(std::fs::read_link(self.below(path)?)?.to_string_lossy().into_owned())
    }

    fn pids(&self, into: &mut Vec<u32>) -> io::Result<()> {
        let mut names = Vec::new();
        self.list("/proc", &mut names)?;
        into.clear();
        into.extend(names.iter().filter_map(|n| u32::try_from(number(n.as_bytes())?).ok()));
        Ok(())
    }

    fn read_process(&self, pid: u32, file: ProcessFile, into: &mut Vec<u8>) -> io::Result<()> {
        let mut name = [0; 32];
        self.read(&format!("/proc/{}", process_path(&mut name, pid, file)), into)
    }

    fn cpu_clock(&self, _pid: u32) -> io::Result<Duration> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn statvfs(&self, path: &str) -> io::Result<FileSystemStat> {
        let mut table = Vec::new();
        match self.read("/statvfs", &mut table) {
            Ok(()) => parse_statvfs(&table, path).ok_or_else(|| io::ErrorKind::NotFound.into()),
            Err(_) => super::ThisHost::new().statvfs(self.below(path)?.to_str().ok_or(io::ErrorKind::InvalidInput)?),
        }
    }

    fn tcp_states(&self) -> io::Result<[u32; 13]> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn user_name(&self, uid: u32) -> Option<String> {
        let mut text = Vec::new();
        self.read("/etc/passwd", &mut text).ok()?;
        parse_users(&text).remove(&uid)
    }
}

/// A process's file below `/proc`, as `PID/stat`, written into `buffer`: asked for hundreds of times a second.
pub(super) fn process_path(buffer: &mut [u8; 32], pid: u32, file: ProcessFile) -> &str {
    use io::Write;
    let name = match file {
        ProcessFile::Stat => "stat",
        ProcessFile::Statm => "statm",
        ProcessFile::Io => "io",
        ProcessFile::Status => "status",
        ProcessFile::Cmdline => "cmdline",
        ProcessFile::Cgroup => "cgroup",
    };
    let mut room = &mut buffer[..];
    // Ten digits, a slash and seven letters fit.
    let _ = write!(room, "{pid}/{name}");
    let left = room.len();
    let filled = buffer.len() - left;
    buffer.get(..filled).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
}

/// A line of the table: mount point, size, free, available, inodes, free inodes, `ro` or `rw`.
fn parse_statvfs(table: &[u8], path: &str) -> Option<FileSystemStat> {
    let line = lines(table).find(|l| words(l).next() == Some(path.as_bytes()))?;
    let mut fields = words(line).skip(1);
    let mut next = || fields.next().and_then(number);
    let [size, free, available, inodes, inodes_free] = [next()?, next()?, next()?, next()?, next()?];
    Some(FileSystemStat { size, free, available, inodes, inodes_free, read_only: fields.next() == Some(b"ro") })
}

/// Names of users by number, as in `/etc/passwd`; of two with one number the first counts, as for the system.
pub(super) fn parse_users(text: &[u8]) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in lines(text) {
        let mut fields = line.split(|b| *b == b':');
        let (Some(name), Some(uid)) = (fields.next(), fields.nth(1).and_then(number)) else { continue };
        if let Ok(uid) = u32::try_from(uid) {
            names.entry(uid).or_insert_with(|| super::parse::label(name));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_path_leads_out_of_the_root() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("proc")).expect("made");
        std::fs::write(folder.path().join("secret"), "x").expect("written");
        let host = TreeHost::new(folder.path().join("proc"));
        let mut text = Vec::new();
        assert!(host.read("/../secret", &mut text).is_err());
        assert!(TreeHost::new(folder.path()).read("/secret", &mut text).is_ok());
    }

    #[test]
    fn users_come_from_the_tree() {
        let users = parse_users(b"root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\nbad\nnobody:x:65534:1::/:/bin/false");
        assert_eq!(users.get(&0).map(String::as_str), Some("root"));
        assert_eq!(users.get(&65534).map(String::as_str), Some("nobody"));
        assert_eq!(users.len(), 2);
    }

    #[test]
    fn process_paths_are_written_whole() {
        assert_eq!(process_path(&mut [0; 32], u32::MAX, ProcessFile::Cmdline), "4294967295/cmdline");
    }

    proptest! {
        #[test]
        fn no_table_makes_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (parse_users(&bytes), parse_statvfs(&bytes, "/"));
        }
    }
}
