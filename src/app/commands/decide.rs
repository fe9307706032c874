//! `farol ack`, `farol snooze`, `farol feedback`: decisions about one alert.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::out;
use crate::app::cli::{Global, duration};
use crate::app::reach::{Reach, unexpected};
use crate::app::{Failure, place};
use crate::base::Timestamp;
use crate::monitor::{Answer, Request, Saved, SnoozeUntil};

/// Arguments of `ack`.
#[derive(Debug, Args)]
pub struct Ack {
    /// Id of the alert (`farol alerts` shows it).
    id: String,
    /// What you do about it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
}

/// Arguments of `snooze`.
#[derive(Debug, Args)]
pub struct SnoozeArgs {
    /// Id of the alert.
    id: String,
    /// For how long.
    #[arg(long = "for", value_name = "TIME", value_parser = duration, required_unless_present = "until_change")]
    length: Option<Duration>,
    /// Until it gets worse, another instance joins, or it is over.
    #[arg(long, conflicts_with = "length")]
    until_change: bool,
}

/// Whether an alert was real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Verdict {
    /// It was.
    Real,
    /// It was not.
    False,
}

/// Arguments of `feedback`.
#[derive(Debug, Args)]
pub struct Feedback {
    /// Id of the alert.
    id: String,
    /// Whether it was real.
    #[arg(value_enum)]
    verdict: Verdict,
}

impl Ack {
    /// Acknowledges.
    ///
    /// # Errors
    /// No such alert, or nobody to tell.
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let (alert, comment) = (self.id.clone(), self.comment.clone());
        decide(global, Request::Acknowledge { alert, author: place::author(), comment })
    }
}

impl SnoozeArgs {
    /// Puts off.
    ///
    /// # Errors
    /// No such alert, or nobody to tell.
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let until = self.length.map_or(SnoozeUntil::Change, |length| SnoozeUntil::Time(Timestamp::now() + length));
        decide(global, Request::Snooze { alert: self.id.clone(), author: place::author(), until })
    }
}

impl Feedback {
    /// Says it.
    ///
    /// # Errors
    /// No such alert, or nobody to tell.
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let real = self.verdict == Verdict::Real;
        decide(global, Request::Feedback { alert: self.id.clone(), author: place::author(), real })
    }
}

/// Asks for a decision and prints what came of it.
///
/// # Errors
/// The refusal.
pub fn decide(global: &Global, request: Request) -> Result<ExitCode, Failure> {
    match Reach::find(global)?.ask(request)? {
        Answer::Done { saved, message } => out::print(&format!("{message}{}\n", note(saved)))?,
        other => return Err(unexpected(&other).into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// What is added where a decision is not on disk.
pub fn note(saved: Saved) -> &'static str {
    match saved {
        Saved::Disk => "",
        Saved::Volatile => " (kept in memory until the disk has room)",
    }
}
