//! All that one tick changed.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Alert, AnomalyInterval, Forecast, HealthScore, HostFacts, JournalEntry, Listener, NextStep, Patterns, Prediction,
    ProcessChange, Reading, RecorderHealth, Score, ServiceStatus, Silence, SourceFault, TrackRecord, Trend, WatchedRule,
};
use crate::base::Timestamp;

/// A notification of the terminal farol is looked at with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalNotice {
    /// One line.
    pub title: String,
    /// What follows it.
    pub text: String,
}

/// One tick. A section that is `Some` replaces the snapshot's; `None` leaves it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Pulse {
    /// Rises by one a pulse; readers see gaps by it.
    pub seq: u64,
    /// Wall-clock time of the tick.
    pub at: Timestamp,
    /// Monotonic time since the tick before; `None` for the first and after a gap.
    pub since_previous: Option<Duration>,
    /// All readings of the tick; `None` for a pulse between ticks (a decision, a forecast).
    pub readings: Option<Arc<[Reading]>>,
    /// What changed among the processes.
    pub processes: ProcessChange,
    /// Services.
    pub services: Option<Arc<[ServiceStatus]>>,
    /// Sockets that wait for others, where they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listeners: Option<Arc<[Listener]>>,
    /// Scores that are not normal.
    pub scores: Option<Arc<[Score]>>,
    /// Anomalies of the last hours, open ones included, newest last.
    pub anomalies: Option<Arc<[AnomalyInterval]>>,
    /// What stands out among parts, over days and among programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patterns: Option<Arc<Patterns>>,
    /// Trends of the series shown.
    pub trends: Option<Arc<[Trend]>>,
    /// Forecasts.
    pub forecasts: Option<Arc<[Arc<Forecast>]>>,
    /// Open and recently scored predictions, most urgent first.
    pub predictions: Option<Arc<[Prediction]>>,
    /// How predictions did.
    pub record: Option<TrackRecord>,
    /// Pending, firing and recently resolved alerts, worst first.
    pub alerts: Option<Arc<[Arc<Alert>]>>,
    /// Silences that have not ended.
    pub silences: Option<Arc<[Silence]>>,
    /// Rules in force, where they changed.
    #[serde(default)]
    pub rules: Option<Arc<[WatchedRule]>>,
    /// Who is told next of alerts nobody takes care of.
    #[serde(default)]
    pub next_steps: Option<Arc<[NextStep]>>,
    /// What went into the journal in this tick.
    pub journal: Vec<JournalEntry>,
    /// What terminals that look on are to notify of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<TerminalNotice>,
    /// The machine's health.
    pub health: Option<HealthScore>,
    /// farol's own health.
    pub recorder: Option<Arc<RecorderHealth>>,
    /// What could not be read.
    pub faults: Option<Arc<[SourceFault]>>,
    /// Facts about the machine, where they changed.
    pub host: Option<Arc<HostFacts>>,
}
