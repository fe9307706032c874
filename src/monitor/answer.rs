//! What is answered, and why not.
//!
//! Invariant: an answer to a decision says whether it is on disk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{TimeRange, Timestamp};
use crate::model::{
    Alert, AnomalyInterval, Band, Forecast, JournalEntry, KeptReport, Ledger, Lesson, NextReport, PastCheck, Points,
    ProcessDetails, ProcessPoint, Proposal, SeriesKey, Settings, Silence, Snapshot, Transition, WaitingMessage,
};

/// Whether a decision is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Saved {
    /// On disk.
    Disk,
    /// Kept in memory until the disk has room.
    Volatile,
}

/// Points of one series for a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistorySeries {
    /// Points, at the request's step or coarser.
    #[serde(flatten)]
    pub points: Points,
    /// Anomalies that touch the span.
    pub anomalies: Vec<AnomalyInterval>,
}

/// One series of a query's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuerySeries {
    /// Name (empty after an aggregation) and labels.
    pub metric: std::collections::BTreeMap<String, String>,
    /// Instants and values, by time.
    pub values: Vec<(Timestamp, f64)>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Done; for decisions, whether it is on disk.
    Done {
        /// On disk or in memory.
        saved: Saved,
        /// One line for people.
        message: String,
    },
    /// A silence, and ids of the alerts it matches now.
    Silenced {
        /// On disk or in memory.
        saved: Saved,
        /// The silence.
        silence: Silence,
        /// Alerts it matches now.
        matches: Vec<String>,
    },
    /// The present, or a past one.
    Snapshot {
        /// The snapshot.
        snapshot: Arc<Snapshot>,
    },
    /// Points, in the order of the request; a series without data is there without points.
    History {
        /// One for each key.
        series: Vec<HistorySeries>,
    },
    /// A query's result.
    Query {
        /// By labels.
        series: Vec<QuerySeries>,
        /// The step that was used; zero for one moment.
        step: Duration,
    },
    /// Forecasts.
    Forecast {
        /// One for each series.
        forecasts: Vec<Forecast>,
    },
    /// The learned band.
    Band {
        /// Start of each bucket and its band; empty while learning.
        band: Vec<(Timestamp, Band)>,
    },
    /// A process.
    ProcessDetails {
        /// All that could be read of it.
        details: Box<ProcessDetails>,
    },
    /// What a process used.
    ProcessHistory {
        /// By time; gaps are absent.
        points: Vec<ProcessPoint>,
    },
    /// The last checks of a service.
    Checks {
        /// Newest first; empty for one that is only seen to run, and before the first.
        checks: Vec<PastCheck>,
    },
    /// Journal.
    Journal {
        /// Oldest first.
        entries: Vec<JournalEntry>,
    },
    /// Alerts.
    Alerts {
        /// Newest first.
        alerts: Vec<Arc<Alert>>,
    },
    /// Series, sorted.
    Series {
        /// Their names.
        keys: Vec<SeriesKey>,
    },
    /// The history, checked.
    Store(StoreCheck),
    /// What rules would have done.
    Replayed(Box<Replayed>),
    /// What the rules' alerts were worth, and what could be learned from them.
    Learned(Box<Learned>),
    /// What is set.
    Settings {
        /// All of it.
        settings: Box<Settings>,
    },
    /// Messages that wait, oldest first.
    Waiting {
        /// One for each message and channel.
        messages: Vec<WaitingMessage>,
    },
    /// A report.
    Report {
        /// Proposed file name.
        name: String,
        /// The whole file.
        #[serde(with = "super::bytes")]
        bytes: Vec<u8>,
        /// What it says in short, a sentence each; empty for one that is kept.
        #[serde(default)]
        summary: Vec<String>,
    },
    /// Reports made by the clock.
    Reports {
        /// Those kept, newest first.
        kept: Vec<KeptReport>,
        /// What comes next, soonest first.
        next: Vec<NextReport>,
    },
}

/// What rules would have done over a span.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Replayed {
    /// The span.
    pub range: TimeRange,
    /// Not every sample of it is kept.
    pub approximate: bool,
    /// Alerts that would have fired, oldest first, each as it was at last.
    pub alerts: Vec<Arc<Alert>>,
    /// Changes of state, oldest first, at most some thousand.
    pub transitions: Vec<Transition>,
    /// How many changes there were.
    pub n_transitions: u64,
    /// Messages by channel.
    pub messages: BTreeMap<String, u64>,
    /// Rules that cannot be replayed, and why.
    pub left_out: Vec<(String, String)>,
}

/// What the rules' alerts were worth, and what could be learned from them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Learned {
    /// Alerts and incidents, counted.
    pub ledger: Ledger,
    /// Limits that would have served better.
    pub proposals: Vec<Proposal>,
    /// What was learned in the span, oldest first: when, who let it, what.
    pub lessons: Vec<(Timestamp, String, Lesson)>,
    /// Rules whose replays would have taken too long.
    #[serde(default)]
    pub left_out: Vec<String>,
}

/// What a check of the whole history found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoreCheck {
    /// Tables with rows.
    pub tables: Vec<StoreTable>,
    /// Damaged rows, for people, at most some hundreds.
    pub damaged: Vec<String>,
    /// How many rows are damaged.
    pub n_damaged: u64,
    /// Oldest and newest sample; `None` where nothing is recorded.
    pub span: Option<TimeRange>,
}

/// One table of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoreTable {
    /// Its name.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of keys and values.
    pub stored_bytes: u64,
    /// Bytes of all its pages.
    pub page_bytes: u64,
}

/// Why a wish was not granted: what branches and what people read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What the caller branches on.
    pub kind: RefusalKind,
    /// What, where and what to do.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The wish makes no sense (unknown metric, bad expression): exit code 2.
    Invalid,
    /// No such alert, silence or service.
    NotFound,
    /// Not allowed with this scope.
    Forbidden,
    /// Cannot be done now (replay, stopping, connection lost).
    Unavailable,
    /// farol failed.
    Failed,
}
