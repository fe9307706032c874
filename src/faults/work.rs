//! What the process of a fault does.
//!
//! Invariant: it takes at most what is written here and ends when `goes_on` says so; files and children of its own are gone then.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::FaultKind;
use crate::analyze::Noise;

const MIB: usize = 1 << 20;

/// How much is taken at a time, how often, and how much in all.
#[derive(Debug, Clone, Copy)]
pub struct Appetite {
    /// Bytes, files, connections or processes at a time.
    pub bite: usize,
    /// Time from one to the next.
    pub every: Duration,
    /// Most of it.
    pub most: usize,
}

/// A process at work; `goes_on` is asked before each step.
pub struct Work<'a> {
    /// Whether it goes on.
    pub goes_on: &'a (dyn Fn() -> bool + Sync),
    /// The file it may write.
    pub path: PathBuf,
    /// Whom it may connect to.
    pub address: SocketAddr,
}

/// Makes a fault of that severity until the work is over.
///
/// # Errors
/// What the machine refuses: a full disk, no more files, no program `true`.
pub fn make(kind: FaultKind, severity: f64, work: &Work<'_>) -> std::io::Result<()> {
    let s = severity;
    let seconds = Duration::from_secs_f64;
    let count = |n: f64| n.round() as usize;
    match kind {
        FaultKind::MemLeak => work.leak(Appetite { bite: MIB, every: seconds(0.11 / s), most: 2800 * MIB }),
        FaultKind::DiskFill => work.fill(Appetite { bite: MIB, every: seconds(0.045 / s), most: 4000 * MIB })?,
        FaultKind::CpuHog => work.spin(if s > 1.0 { 2 } else { 1 }),
        FaultKind::ForkStorm => work.fork(seconds(0.012 / s))?,
        FaultKind::FdLeak => work.open(Appetite { bite: count(25.0 * s), every: seconds(0.4), most: 9000 })?,
        FaultKind::ProcPile => work.pile(Appetite { bite: count(2.0 * s), every: seconds(0.7), most: 350 })?,
        FaultKind::ConnFlood => work.flood(seconds(0.012 / s)),
        FaultKind::LoFlood => work.datagrams(count(20.0 * s))?,
        FaultKind::IoStorm => work.storm(Appetite { bite: 4096, every: seconds(0.01 / s), most: 64 * MIB })?,
        FaultKind::LogBurst => work.log(count(12.0 * s))?,
        // The service itself does these.
        FaultKind::SvcLatency | FaultKind::SvcHang | FaultKind::SvcErr => {}
    }
    Ok(())
}

impl Work<'_> {
    fn goes_on(&self) -> bool {
        (self.goes_on)()
    }

    /// Does `step` once in a time, catching up where it fell behind by less than a second.
    fn each(&self, every: Duration, mut step: impl FnMut() -> std::io::Result<()>) -> std::io::Result<()> {
        let mut next = Instant::now();
        while self.goes_on() {
            step()?;
            next = (next + every).max(Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or(next));
            rest(next.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }

    /// Keeps cores busy.
    pub fn spin(&self, cores: usize) {
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    while self.goes_on() {
                        burn(Duration::from_millis(50));
                    }
                });
            }
        });
    }

    /// Takes memory that no other page is equal to, so that it is really taken.
    pub fn leak(&self, appetite: Appetite) {
        let (mut kept, mut noise): (Vec<Vec<u8>>, _) = (Vec::new(), Noise::new(1));
        // Only the rest of a second call would fail: memory is given when it is touched.
        let _ = self.each(appetite.every, || {
            if kept.len() * appetite.bite < appetite.most {
                let mut piece = vec![1; appetite.bite];
                piece.iter_mut().step_by(64).for_each(|byte| *byte = noise.below(256) as u8);
                kept.push(piece);
            }
            Ok(())
        });
    }

    /// Writes to a file that grows; it is removed at the end.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn fill(&self, appetite: Appetite) -> std::io::Result<()> {
        let piece = vec![7; appetite.bite];
        let mut file = File::create(&self.path)?;
        let mut written = 0;
        let done = self.each(appetite.every, || {
            if written < appetite.most {
                file.write_all(&piece)?;
                written += piece.len();
            }
            Ok(())
        });
        std::fs::remove_file(&self.path).and(done)
    }

    /// Writes pieces at places anywhere in a file of `most` bytes, each down to the device.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn storm(&self, appetite: Appetite) -> std::io::Result<()> {
        let (piece, mut noise) = (vec![7; appetite.bite], Noise::new(2));
        let mut file = File::create(&self.path)?;
        let places = appetite.most / appetite.bite.max(1);
        let done = self.each(appetite.every, || {
            file.seek(SeekFrom::Start((noise.below(places) * appetite.bite) as u64))?;
            file.write_all(&piece)?;
            file.sync_data()
        });
        std::fs::remove_file(&self.path).and(done)
    }

    /// Opens files; as many as this process may have, if that is less.
    fn open(&self, appetite: Appetite) -> std::io::Result<()> {
        allow_files(appetite.most as u64 + 100);
        let mut kept: Vec<File> = Vec::new();
        self.each(appetite.every, || {
            let more = appetite.bite.min(appetite.most.saturating_sub(kept.len()));
            kept.extend((0..more).map_while(|_| File::open("/dev/null").ok()));
            Ok(())
        })
    }

    /// Starts processes that end at once.
    fn fork(&self, every: Duration) -> std::io::Result<()> {
        self.each(every, || quiet("true").status().map(drop))
    }

    /// Starts processes that wait; all are ended at the end, and by themselves after the longest fault.
    fn pile(&self, appetite: Appetite) -> std::io::Result<()> {
        let mut kept: Vec<Child> = Vec::new();
        let done = self.each(appetite.every, || {
            for _ in 0..appetite.bite.min(appetite.most.saturating_sub(kept.len())) {
                kept.push(quiet("sleep").arg("300").spawn()?);
            }
            Ok(())
        });
        for child in &mut kept {
            let _ = child.kill();
            let _ = child.wait();
        }
        done
    }

    /// Opens connections and closes them.
    fn flood(&self, every: Duration) {
        // Where none is taken any more, the flood has done what it does.
        let _ = self.each(every, || {
            drop(TcpStream::connect(self.address));
            Ok(())
        });
    }

    /// Sends datagrams of 30 kB to a socket nobody reads, so many every 20 ms.
    fn datagrams(&self, n: usize) -> std::io::Result<()> {
        let (to, from) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
        let (address, piece) = (to.local_addr()?, vec![7; 30_000]);
        self.each(Duration::from_millis(20), || {
            (0..n).for_each(|_| drop(from.send_to(&piece, address)));
            Ok(())
        })
    }

    /// Adds so many lines to a log every tenth of a second.
    fn log(&self, n: usize) -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        self.each(Duration::from_millis(100), || {
            (0..n).try_for_each(|_| writeln!(file, "error: order 4711 could not be stored: the database does not answer"))
        })
    }
}

/// Keeps a core busy for that long.
fn burn(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

/// Waits.
fn rest(time: Duration) {
    if !time.is_zero() {
        std::thread::park_timeout(time);
    }
}

fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Lets this process have so many files, as far as the system allows.
#[cfg(unix)]
fn allow_files(n: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(n, |most| most.min(n));
    if limit.current.is_some_and(|now| now < wanted) {
        // Refused: it has as many as it has.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
    }
}

#[cfg(not(unix))]
fn allow_files(_: u64) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Makes a fault for so many steps.
    fn made(kind: FaultKind, steps: u32) -> (tempfile::TempDir, std::io::Result<()>) {
        let folder = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let left = AtomicU32::new(steps);
        let goes_on = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok();
        let work = Work { goes_on: &goes_on, path: folder.path().join("file"), address: listener.local_addr().unwrap() };
        let done = make(kind, 1.0, &work);
        (folder, done)
    }

    #[test]
    fn every_fault_ends_when_told_and_leaves_nothing_but_its_log() {
        for kind in FaultKind::ALL {
            let (folder, done) = made(kind, 3);
            done.unwrap_or_else(|e| panic!("{}: {e}", kind.name()));
            let left = std::fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(left, usize::from(kind == FaultKind::LogBurst), "{}", kind.name());
        }
    }
}
