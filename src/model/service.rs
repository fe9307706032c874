//! Services: what a check found, and what is known of a service.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// What a service is for its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// Answers as it should.
    Online,
    /// Answers, but slower than allowed or with a warning.
    Degraded,
    /// Failed as many checks in a row as its configuration says.
    Offline,
    /// Not checked yet, in maintenance, or without a service that it needs.
    #[default]
    Unknown,
}

/// What one check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// As expected.
    Ok,
    /// Works with a warning (a plugin's WARNING, a certificate about to end).
    Warning,
    /// Does not work.
    Failed,
}

/// What a further value of a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasureKind {
    /// Seconds of the answer's time (`dns`, `connect`, `tls`, `first_byte`, `whole`).
    Phase,
    /// A plugin's value in seconds.
    Seconds,
    /// A plugin's value in bytes.
    Bytes,
    /// A plugin's value as a ratio 0–1.
    Ratio,
    /// A plugin's value without a unit.
    Count,
}

/// A further value of a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// What it is.
    pub kind: MeasureKind,
    /// Name of the phase, label of the plugin.
    pub label: String,
    /// In base units.
    pub value: f64,
}

/// One check of one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Name of the service.
    pub service: String,
    /// When the check ended.
    pub at: Timestamp,
    /// What it found.
    pub outcome: CheckOutcome,
    /// Time to the answer; `None` where there was none.
    pub response: Option<Duration>,
    /// What happened, for people (`connection refused`, `200 in 12 ms`).
    pub message: String,
    /// Time until the certificate ends, negative after it; `None` without a certificate.
    pub certificate_expires_in_seconds: Option<f64>,
    /// Phases of the time, a plugin's performance data.
    #[serde(default)]
    pub measures: Vec<Measure>,
}

/// Share of time a service was up within a span.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct UptimeShare {
    /// (online + degraded) / observed, 0–1; maintenance excluded.
    pub up: f64,
    /// Observed / span, 0–1.
    pub observed: f64,
}

/// A span in which a service is worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceWindow {
    /// Its end.
    pub until: Timestamp,
    /// Who set it; empty for one of the configuration.
    pub author: String,
    /// Why.
    pub comment: String,
}

/// How a service keeps its promise over 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SloStanding {
    /// Promised uptime, 0–1.
    pub target: f64,
    /// Share of the allowed downtime that is left; negative once it is overspent. `None` where nothing was observed.
    pub left: Option<f64>,
    /// Downtime of this hour and the one before it, over the allowed one: at 1 the promise is just kept.
    pub burn: Option<f64>,
}

/// A check that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastCheck {
    /// When it ended.
    pub at: Timestamp,
    /// What it found, taken alone: it failed, was slow or had a warning, or was well.
    pub state: ServiceState,
    /// Time to the answer, in seconds; `None` where there was none.
    pub response_seconds: Option<f64>,
    /// What happened, for people.
    pub message: String,
}

/// A service as it stands.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Its name; unique.
    pub name: String,
    /// How it is checked (`http`, `tcp`, `process`, `systemd`, `command`).
    pub kind: String,
    /// What is checked (a URL, an address, a unit).
    pub target: String,
    /// Its state.
    pub state: ServiceState,
    /// Since when it has that state.
    pub since: Option<Timestamp>,
    /// When it was last checked.
    pub last_check: Option<Timestamp>,
    /// Last response time, in seconds.
    pub response_seconds: Option<f64>,
    /// What the last check said.
    pub message: String,
    /// Uptime over 24 h, 7 d and 30 d; `None` where nothing was observed.
    pub uptime: [Option<UptimeShare>; 3],
    /// State of each of the last 24 hours, oldest first; `None` where nothing was observed. The worst state of the hour counts.
    pub strip: Vec<Option<ServiceState>>,
    /// Found by farol itself, not configured.
    pub discovered: bool,
    /// In maintenance: checks run, nothing is alerted or counted.
    pub maintenance: bool,
    /// Until when, by whom and why, while it is in maintenance.
    #[serde(default)]
    pub window: Option<MaintenanceWindow>,
    /// Failed checks in a row: below `fail_after` the state is soft, one more result may change it.
    #[serde(default)]
    pub failures: u32,
    /// Checks in a row that must fail until it is offline.
    #[serde(default)]
    pub fail_after: u32,
    /// Services it needs.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// The service that is down and that this one needs: its own state is unknown for that long.
    #[serde(default)]
    pub caused_by: Option<String>,
    /// How its promise is kept, where it has one.
    #[serde(default)]
    pub slo: Option<SloStanding>,
}
