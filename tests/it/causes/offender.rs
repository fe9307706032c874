//! The processes themselves: this test program again, with a mode in its environment.
//!
//! Invariant: a mode ends when its standard input is closed (the test is over, however it ended) or after two hours.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use farol::faults::Appetite;

use super::Kind;

/// Name of the variable that says what to do.
const MODE: &str = "FAROL_OFFENDER";

/// No mode works longer: 100 runs take half an hour.
const LONGEST: Duration = Duration::from_secs(7200);

const MIB: usize = 1 << 20;

/// Most a leak or a filler takes.
const MOST: usize = 400 * MIB;

/// What the large neighbor has from its beginning.
pub(super) const LARGE: usize = 300 * MIB;

/// Where modes may write, and whom they may connect to.
pub(super) struct Ground {
    pub(super) folder: PathBuf,
    pub(super) address: SocketAddr,
}

/// A process of this test; ended when dropped.
pub(super) struct Running(Child);

impl Running {
    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts an offender.
pub(super) fn offend(kind: Kind, strength: f64, ground: &Ground) -> Running {
    start(kind.name(), strength, ground)
}

/// Starts the ordinary neighbors: busy, bursting, large, breathing, writing, with many files. None of them changes its ways.
pub(super) fn neighbors(ground: &Ground) -> Vec<Running> {
    ["busy", "bursts", "large", "breathes", "writes", "opens"].iter().map(|mode| start(mode, 0.5, ground)).collect()
}

fn start(mode: &str, strength: f64, ground: &Ground) -> Running {
    let program = std::env::current_exe().expect("this program");
    let said = format!("{mode}|{strength}|{}|{}", ground.folder.display(), ground.address);
    let child = Command::new(program)
        .args(["--exact", "causes::offender::a_mode_of_this_program", "--nocapture", "--test-threads=1"])
        .env(MODE, said)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Running(child.expect("this program starts"))
}

#[test]
fn a_mode_of_this_program() {
    let Ok(said) = std::env::var(MODE) else { return };
    let parts: Vec<&str> = said.split('|').collect();
    let [mode, strength, folder, address] = parts[..] else { panic!("{said}") };
    // Killed with the parent, whatever happens to it.
    std::thread::spawn(|| {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(1)) {}
        std::process::exit(0);
    });
    let work = Work {
        strength: strength.parse().expect("a number"),
        path: PathBuf::from(folder).join(format!("of-{}", std::process::id())),
        address: address.parse().expect("an address"),
        until: Instant::now() + LONGEST,
    };
    match Kind::named(mode) {
        Some(kind) => work.as_fault(kind),
        None => work.as_neighbor(mode),
    }
}

struct Work {
    strength: f64,
    path: PathBuf,
    address: SocketAddr,
    until: Instant,
}

impl Work {
    fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    /// Between a lower and an upper figure, by strength.
    fn between(&self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.strength
    }

    /// Uses that share of a core, in turns of 50 ms.
    fn spin(&self, share: f64) {
        let turn = Duration::from_millis(50);
        while self.goes_on() {
            burn(turn.mul_f64(share));
            rest(turn.mul_f64(1.0 - share));
        }
    }

    /// As the fault bench does it, bites between two sizes in MiB by strength.
    fn as_fault(&self, kind: Kind) {
        let goes_on = || self.goes_on();
        let work = farol::faults::Work { goes_on: &goes_on, path: self.path.clone(), address: self.address };
        let bite = |low, high| (self.between(low, high) * MIB as f64) as usize;
        let each = |bite, milliseconds, most| Appetite { bite, every: Duration::from_millis(milliseconds), most };
        match kind {
            Kind::CpuHog => work.spin(1),
            // 10 to 40 MiB a second.
            Kind::MemoryLeak => work.leak(each(bite(1.0, 4.0), 100, MOST)),
            // 5 to 20 MiB a second.
            Kind::DiskFiller => work.fill(each(bite(0.5, 2.0), 100, MOST)).expect("room"),
            // Over the same 16 MiB again and again.
            Kind::IoStorm => work.storm(each(bite(0.5, 2.0), 20, 16 * MIB)).expect("a device"),
            Kind::ConnectionLeak => self.connect(),
        }
    }

    /// Opens 20 to 100 connections a second and closes none; 800 at most.
    fn connect(&self) {
        let mut kept = Vec::new();
        let pause = Duration::from_secs_f64(1.0 / self.between(20.0, 100.0));
        while self.goes_on() {
            if kept.len() < 800 {
                kept.extend(TcpStream::connect(self.address).ok());
            }
            rest(pause);
        }
    }

    fn as_neighbor(&self, mode: &str) {
        match mode {
            "busy" => self.spin(0.15),
            "bursts" => {
                while self.goes_on() {
                    burn(Duration::from_millis(500));
                    rest(Duration::from_secs(4));
                }
            }
            "large" => {
                let kept = vec![1_u8; LARGE];
                while self.goes_on() {
                    rest(Duration::from_secs(1));
                }
                drop(kept);
            }
            "breathes" => {
                while self.goes_on() {
                    let kept = vec![1_u8; 20 * MIB];
                    rest(Duration::from_secs(2));
                    drop(kept);
                    rest(Duration::from_secs(2));
                }
            }
            "writes" => {
                let mut file = File::create(&self.path).expect("a file");
                while self.goes_on() {
                    file.seek(SeekFrom::Start(0)).expect("a file");
                    file.write_all(&vec![7; MIB / 2]).expect("room");
                    file.sync_data().expect("a device");
                    rest(Duration::from_millis(500));
                }
            }
            _ => {
                let kept: Vec<File> = (0..300).filter_map(|_| File::open("/dev/null").ok()).collect();
                while self.goes_on() {
                    let more: Vec<File> = (0..20).filter_map(|_| File::open("/dev/null").ok()).collect();
                    rest(Duration::from_secs(1));
                    drop(more);
                    rest(Duration::from_secs(1));
                }
                drop(kept);
            }
        }
    }
}

fn burn(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

fn rest(time: Duration) {
    std::thread::park_timeout(time);
}
