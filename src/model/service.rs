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
    /// Not checked yet, or in maintenance.
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
}
