//! The machine this program runs on: Linux, by system calls without unsafe code.
//!
//! No parsing of what the files say. Invariant: files read every round stay open and are read again
//! from their start, which costs half of opening them; at most [`MOST_OPEN`] stay open.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, Read, Seek, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use nix::time::ClockId;
use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, Mode, OFlags, RawDir, StatVfsMountFlags};
use rustix::io::Errno;
use rustix::process::Pid;

use super::netlink::Diagnosis;
use super::tree::{parse_users, process_path};
use crate::model::{FileSystemStat, Host, ListeningSocket, ProcessFile};

/// Most files kept open: the sources read about twenty every round; the rest is for growth.
const MOST_OPEN: usize = 48;

/// How much a file is asked for at once: nearly every file of a round fits.
const CHUNK: usize = 8192;

/// Most of a line that is read at once: the longest lines of package lists, the files a package holds, have a tenth of it.
const LONGEST_LINE: u64 = 1 << 20;

/// Most that is read at once of what was added to a file.
const MOST_ADDED: u64 = 1 << 20;

/// A container engine answers in milliseconds.
const SOCKET_PATIENCE: Duration = Duration::from_secs(2);

/// Most of an answer over a socket that is read: a thousand containers have a tenth of it.
const MOST_ANSWER: u64 = 16 << 20;

/// The list of users is read again for an unknown number, but not more often than this.
const USERS_AGE: Duration = Duration::from_secs(60);

/// The machine this program runs on.
#[derive(Debug, Default)]
pub struct LinuxHost {
    open: RwLock<HashMap<Box<str>, Arc<File>>>,
    proc: OnceLock<OwnedFd>,
    counts_descriptors: OnceLock<bool>,
    sockets: Mutex<Diagnosis>,
    users: Mutex<Users>,
}

#[derive(Debug, Default)]
struct Users {
    names: HashMap<u32, String>,
    read_at: Option<Instant>,
}

impl LinuxHost {
    /// Opens nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self, path: &str) -> io::Result<Arc<File>> {
        if let Some(file) = self.open.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(File::open(path)?);
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if open.len() < MOST_OPEN {
            open.insert(path.into(), Arc::clone(&file));
        }
        Ok(file)
    }

    fn forget(&self, path: &str) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    fn proc(&self) -> io::Result<&OwnedFd> {
        if let Some(fd) = self.proc.get() {
            return Ok(fd);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open("/proc", flags, Mode::empty())?;
        Ok(self.proc.get_or_init(|| fd))
    }
}

/// Fills `into` by calls of `read`, which appends what there is at an offset, until it appends nothing.
fn read_all(into: &mut Vec<u8>, mut read: impl FnMut(&mut Vec<u8>, u64) -> rustix::io::Result<usize>) -> io::Result<()> {
    into.clear();
    loop {
        into.reserve(CHUNK);
        let at = into.len() as u64;
        match read(into, at) {
            Ok(0) => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => {
                into.clear();
                return Err(error.into());
            }
        }
    }
}

impl Host for LinuxHost {
    fn read(&self, path: &str, into: &mut Vec<u8>) -> io::Result<()> {
        // Only files of /proc can be read again from the start at all times and are asked for every round; those of one
        // process are not.
        if path.strip_prefix("/proc/").is_none_or(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            into.clear();
            let file = File::open(path)?;
            return read_all(into, |into, _| rustix::io::read(&file, spare_capacity(into)));
        }
        into.clear();
        let file = self.kept(path)?;
        read_all(into, |into, at| rustix::io::pread(&file, spare_capacity(into), at)).inspect_err(|_| self.forget(path))
    }

    fn list(&self, path: &str, into: &mut Vec<String>) -> io::Result<()> {
        into.clear();
        for entry in std::fs::read_dir(path)? {
            into.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(())
    }

    fn each_line(&self, path: &str, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut reader = io::BufReader::new(File::open(path)?);
        let mut line = Vec::new();
        while reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? > 0 {
            take(line.strip_suffix(b"\n").unwrap_or(&line));
            line.clear();
        }
        Ok(())
    }

    fn read_from(&self, path: &str, offset: u64, into: &mut Vec<u8>) -> io::Result<u64> {
        into.clear();
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        if offset < length {
            file.seek(io::SeekFrom::Start(offset))?;
            file.take(MOST_ADDED).read_to_end(into)?;
        }
        Ok(length)
    }

    fn mode(&self, path: &str) -> io::Result<u32> {
        Ok(std::fs::metadata(path)?.permissions().mode() & 0o7777)
    }

    fn read_link(&self, path: &str) -> io::Result<String> {
        Ok(std::fs::read_link(path)?.to_string_lossy().into_owned())
    }

    fn pids(&self, into: &mut Vec<u32>) -> io::Result<()> {
        into.clear();
        // Its own descriptor: two threads may list at once, and a descriptor has one position.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(self.proc()?, ".", flags, Mode::empty())?;
        let mut buffer = [const { MaybeUninit::uninit() }; CHUNK];
        let mut entries = RawDir::new(folder, &mut buffer);
        while let Some(entry) = entries.next() {
            let pid = super::parse::number(entry?.file_name().to_bytes());
            into.extend(pid.and_then(|pid| u32::try_from(pid).ok()));
        }
        Ok(())
    }

    fn read_process(&self, pid: u32, file: ProcessFile, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        let mut name = [0; 32];
        let path = process_path(&mut name, pid, file);
        // Below the open /proc, which spares the walk from the root.
        let fd = rustix::fs::openat(self.proc()?, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut ended = false;
        let read = read_all(into, |into, _| {
            if ended {
                return Ok(0);
            }
            let room = into.capacity() - into.len();
            let n = rustix::io::read(&fd, spare_capacity(into))?;
            // These files are made whole in one piece: a piece that leaves room is the last.
            ended = n < room;
            Ok(n)
        });
        // The process ended between opening and reading.
        read.map_err(|e| if e.raw_os_error() == Some(Errno::SRCH.raw_os_error()) { io::ErrorKind::NotFound.into() } else { e })
    }

    fn cpu_clock(&self, pid: u32) -> io::Result<Duration> {
        // clock_getcpuclockid(3) makes the same number with one more system call: kernel's MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED).
        let pid = i32::try_from(pid).ok().filter(|pid| (1..=MOST_PIDS).contains(pid)).ok_or(io::ErrorKind::NotFound)?;
        let time = ClockId::from_raw((!pid << 3) | 2).now();
        // A process that is not there is an invalid clock to the kernel.
        time.map(Duration::from).map_err(|_| io::ErrorKind::NotFound.into())
    }

    fn is_alive(&self, number: u32) -> io::Result<bool> {
        let number = i32::try_from(number).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
        // Asks for the nice value, which a thread has too and everybody may know.
        Ok(rustix::process::getpriority_process(Some(number)) != Err(Errno::SRCH))
    }

    fn descriptors(&self, pid: u32) -> io::Result<u32> {
        // Since Linux 6.2 the size of this folder is their number; before it is 0, also for a process that surely has some.
        let size =
            |path: &str| rustix::fs::statat(self.proc()?, path, AtFlags::empty()).map(|s| s.st_size).map_err(io::Error::from);
        if *self.counts_descriptors.get_or_init(|| size("self/fd").is_ok_and(|n| n > 0)) {
            return size(&format!("{pid}/fd")).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(self.proc()?, format!("{pid}/fd"), flags, Mode::empty())?;
        let mut buffer = [const { MaybeUninit::uninit() }; CHUNK];
        let (mut entries, mut n) = (RawDir::new(folder, &mut buffer), 0_u32);
        while let Some(entry) = entries.next() {
            n = n.saturating_add(u32::from(!entry?.file_name().to_bytes().starts_with(b".")));
        }
        Ok(n)
    }

    fn statvfs(&self, path: &str) -> io::Result<FileSystemStat> {
        let stat = rustix::fs::statvfs(path)?;
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        Ok(FileSystemStat {
            size: bytes(stat.f_blocks),
            free: bytes(stat.f_bfree),
            available: bytes(stat.f_bavail),
            inodes: stat.f_files,
            inodes_free: stat.f_ffree,
            read_only: stat.f_flag.contains(StatVfsMountFlags::RDONLY),
        })
    }

    fn tcp_states(&self) -> io::Result<[u32; 13]> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner).count()
    }

    fn listening_sockets(&self) -> io::Result<Vec<ListeningSocket>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner).listening()
    }

    fn run(&self, program: &str, args: &[&str], patience: Duration) -> io::Result<Vec<u8>> {
        super::program::run(program, args, patience)
    }

    fn ask_socket(&self, path: &str, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(SOCKET_PATIENCE))?;
        stream.set_write_timeout(Some(SOCKET_PATIENCE))?;
        stream.write_all(request)?;
        let mut answer = Vec::new();
        stream.take(MOST_ANSWER).read_to_end(&mut answer)?;
        Ok(answer)
    }

    fn user_name(&self, uid: u32) -> Option<String> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = users.names.get(&uid) {
            return Some(name.clone());
        }
        if users.read_at.is_none_or(|at| at.elapsed() >= USERS_AGE) {
            users.read_at = Some(Instant::now());
            // Not through sysinfo, which leaves out users whose shell is `/bin/false`: many daemons.
            users.names = std::fs::read("/etc/passwd").map(|text| parse_users(&text)).unwrap_or_default();
        }
        users.names.get(&uid).cloned()
    }
}

/// The kernel's `PID_MAX_LIMIT`: past it a number would name another clock.
const MOST_PIDS: i32 = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_from_its_start() {
        let host = LinuxHost::new();
        let mut text = Vec::new();
        for _ in 0..3 {
            host.read("/proc/meminfo", &mut text).expect("meminfo");
            assert!(text.starts_with(b"MemTotal:"));
        }
        host.read("/proc/sys/kernel/osrelease", &mut text).expect("osrelease");
        let plain = std::fs::read("/proc/sys/kernel/osrelease").expect("osrelease");
        assert_eq!(text, plain);
        let error = host.read("/proc/nothing", &mut text).map_err(|e| e.kind());
        assert_eq!(error, Err(io::ErrorKind::NotFound));
        assert!(text.is_empty());
    }

    #[test]
    fn a_file_longer_than_one_piece_is_read_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("long");
        let long: Vec<u8> = (0..CHUNK * 3 + 5).map(|i| i as u8).collect();
        std::fs::write(&path, &long).expect("written");
        let mut text = Vec::new();
        LinuxHost::new().read(path.to_str().expect("a plain path"), &mut text).expect("read");
        assert_eq!(text, long);
    }

    #[test]
    fn of_a_file_that_grows_only_what_is_new_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        std::fs::write(&path, "one\ntwo\n").expect("written");
        let (host, mut text) = (LinuxHost::new(), b"old".to_vec());
        let mut from = |offset| {
            let length = host.read_from(path.to_str().expect("a plain path"), offset, &mut text).expect("read");
            (length, String::from_utf8_lossy(&text).into_owned())
        };
        assert_eq!(
            [from(0), from(4), from(99)].map(|(length, text)| (length, text)),
            [(8, "one\ntwo\n".to_owned()), (8, "two\n".to_owned()), (8, String::new())]
        );
    }

    #[test]
    fn this_process_is_found_with_its_clock_and_its_files() {
        let host = LinuxHost::new();
        let own = std::process::id();
        let (mut pids, mut text) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            host.pids(&mut pids).expect("the list of processes");
            assert!(pids.contains(&own) && pids.contains(&1));
        }
        let (first, second) = (host.cpu_clock(own).expect("a clock"), host.cpu_clock(own).expect("a clock"));
        assert!(first > Duration::ZERO && second >= first);
        host.read_process(own, ProcessFile::Stat, &mut text).expect("stat");
        assert!(text.starts_with(format!("{own} (").as_bytes()));
        let missing = host.read_process(u32::MAX / 2, ProcessFile::Stat, &mut text).map_err(|e| e.kind());
        assert_eq!(missing, Err(io::ErrorKind::NotFound));
        assert_eq!(host.cpu_clock(i32::MAX as u32).map_err(|e| e.kind()), Err(io::ErrorKind::NotFound));
    }

    #[test]
    fn sockets_that_listen_are_counted() {
        let host = LinuxHost::new();
        let listeners: Vec<_> = (0..3).map(|_| std::net::TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
        let states = host.tcp_states().expect("the states");
        let listening = states.get(10).copied().unwrap_or(0);
        assert!(listening >= 3, "{states:?}");
        drop(listeners);
    }

    #[test]
    fn the_users_of_this_machine_have_names() {
        let host = LinuxHost::new();
        assert_eq!(host.user_name(0).as_deref(), Some("root"));
        assert_eq!(host.user_name(u32::MAX - 7), None);
    }
}
