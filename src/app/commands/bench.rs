//! `farol bench`: faults made on this machine, and whether farol notices them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::out;
use crate::app::bench::{self, Run};
use crate::app::cli::{Format, duration};
use crate::app::{Failure, logging};
use crate::base::Timestamp;
use crate::faults::{FaultKind, Verdict};

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Records this machine each second while real faults are made on it, and says which were noticed, how soon and with which
    /// cause. Takes up to 3 GB of memory and 4 GB of the temporary folder, on loopback only; Ctrl-C ends every fault.
    Faults(Faults),
    /// Plays a recording of such a run through the same engine.
    Replay(Replay),
    /// Makes one fault until standard input is closed.
    #[command(hide = true)]
    Inject(Inject),
}

/// Arguments of `bench faults`.
#[derive(Debug, Args)]
struct Faults {
    /// The same seed makes the same faults at the same times; without one it is drawn, and printed.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many; 13 kinds come in random order.
    #[arg(long, value_name = "N", default_value = "40", value_parser = clap::value_parser!(u16).range(1..=500))]
    faults: u16,
    /// Quiet start, in which farol learns and every alarm is a false one.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30m")]
    quiet: Duration,
    /// Shortest time between two faults; the longest is 2.2 times as long.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "150s")]
    gap: Duration,
    /// Keep a recording there, some MB an hour; names and figures of processes are on it, no command lines.
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Arguments of `bench replay`.
#[derive(Debug, Args)]
struct Replay {
    /// The recording.
    file: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Arguments of `bench inject`.
#[derive(Debug, Args)]
struct Inject {
    #[arg(value_parser = kind)]
    kind: FaultKind,
    severity: f64,
    path: PathBuf,
    address: SocketAddr,
}

fn kind(name: &str) -> Result<FaultKind, String> {
    FaultKind::named(name).ok_or_else(|| {
        let names: Vec<&str> = FaultKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("one of {}", names.join(", "))
    })
}

impl Bench {
    /// Makes faults, plays a recording back, or is a fault.
    ///
    /// # Errors
    /// Too little room, a recording that cannot be read or written.
    pub fn run(self) -> Result<ExitCode, Failure> {
        match self.what {
            What::Faults(faults) => faults.run(),
            What::Replay(Replay { file, format }) => {
                print(&bench::replay(&file)?, None, format)?;
                Ok(ExitCode::SUCCESS)
            }
            What::Inject(Inject { kind, severity, path, address }) => {
                bench::inject(kind, severity, path, address)?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl Faults {
    fn run(&self) -> Result<ExitCode, Failure> {
        let seed = self.seed.unwrap_or_else(|| Timestamp::now().0.unsigned_abs() % 10_000);
        let minutes = self.quiet.as_secs_f64() / 60.0;
        logging::say(&format!("seed {seed}: {} faults after {minutes:.0} quiet minutes", self.faults));
        let run = Run { seed, faults: self.faults.into(), quiet: self.quiet, gap: self.gap, keep: self.keep.as_deref() };
        let (verdict, is_broken_off) = bench::run(run, &logging::say)?;
        print(&verdict, Some(seed), self.format)?;
        if is_broken_off {
            logging::say("broken off: only the faults until then are counted");
        }
        Ok(ExitCode::from(u8::from(is_broken_off)))
    }
}

fn print(verdict: &Verdict, seed: Option<u64>, format: Format) -> Result<(), Failure> {
    match format {
        Format::Text => out::print(&verdict.text()),
        Format::Json => {
            let mut body = verdict.json();
            if let (Some(seed), Some(body)) = (seed, body.as_object_mut()) {
                body.insert("seed".to_owned(), seed.into());
            }
            out::print(&out::object("faults", Timestamp::now(), body))
        }
    }
}
