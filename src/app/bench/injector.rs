//! The process that makes a fault: this program again, by a hidden command.
//!
//! Invariant: it ends when its standard input does, however the bench ended.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::app::Failure;
use crate::base::{Worker, system};
use crate::faults::{FaultKind, Work, make};

/// No fault lasts longer; the bench ends it before.
const LONGEST: Duration = Duration::from_secs(240);
/// What has not ended by then hangs in a system call.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes one fault until standard input is closed.
///
/// # Errors
/// What the machine refuses.
pub fn inject(kind: FaultKind, severity: f64, path: PathBuf, address: SocketAddr) -> Result<(), Failure> {
    static ENDED: AtomicBool = AtomicBool::new(false);
    Worker::spawn("inject-end", |_| {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(1)) {}
        ENDED.store(true, Ordering::Relaxed);
        std::thread::park_timeout(PATIENCE);
        std::process::exit(1);
    })?;
    let until = Instant::now() + LONGEST;
    let goes_on = || !ENDED.load(Ordering::Relaxed) && Instant::now() < until;
    make(kind, severity, &Work { goes_on: &goes_on, path, address }).with_context(|| kind.name().to_owned())?;
    Ok(())
}

/// A fault being made; over when dropped.
pub struct Injected(Child);

impl Injected {
    /// Starts it.
    ///
    /// # Errors
    /// This program cannot be started again.
    pub fn start(kind: FaultKind, severity: f64, path: &Path, address: SocketAddr) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program cannot be found")?;
        let mut command = Command::new(program);
        command.args(["bench", "inject", kind.name(), &severity.to_string()]).arg(path).arg(address.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        // Ctrl-C on the terminal is for the bench, which ends the fault in its turn.
        system::lead_group(&mut command);
        Ok(Self(command.spawn().context("this program cannot be started again")?))
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Injected {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let deadline = Instant::now() + PATIENCE / 2;
        // A child's end has no timed wait.
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
