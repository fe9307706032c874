//! Reports made by the clock: what is kept of them, and what comes next.

use serde::{Deserialize, Serialize};

use super::ReportSpec;
use crate::base::Timestamp;

/// A report that was made by a schedule and is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptReport {
    /// Names it: the schedule and the moment it was due, in letters that a file's name may have.
    pub id: String,
    /// Name of the schedule.
    pub schedule: String,
    /// What it is.
    pub spec: ReportSpec,
    /// When it was made; later than the end of its span where farol did not run then.
    pub made_at: Timestamp,
    /// Name proposed for its file.
    pub name: String,
    /// Size of its file.
    pub bytes: u64,
    /// When it is removed.
    pub keep_until: Timestamp,
    /// To whom it went, or why not.
    pub sent: Vec<SentReport>,
}

/// A report on its way to one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentReport {
    /// Name of the channel, or the path as configured.
    pub to: String,
    /// When it was taken; `None` while it waits, and where it was given up.
    pub at: Option<Timestamp>,
    /// Why it was not taken so far.
    pub error: Option<String>,
    /// When it is tried next; `None` where nothing more happens, and while it is on its way.
    pub due_at: Option<Timestamp>,
    /// Nothing more happens.
    pub over: bool,
}

impl SentReport {
    /// One that is on its way.
    pub fn on_its_way(to: &str) -> Self {
        Self { to: to.to_owned(), at: None, error: None, due_at: None, over: false }
    }
}

/// When a schedule makes its next report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextReport {
    /// Name of the schedule.
    pub schedule: String,
    /// When; `None`: never again.
    pub at: Option<Timestamp>,
    /// Where it goes.
    pub to: Vec<String>,
    /// Why the last one could not be made, while that is so.
    pub problem: Option<String>,
}
