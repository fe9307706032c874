//! `[[service]]` of the configuration, and the service made from it.
//!
//! Invariant: a [`Service`] can be checked as it is; every mistake was told before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::probe::{Finding, PROBES, Probe, ProbeContext, ProbeFuture};
use super::probes::command::CommandLine;
use super::status_set::StatusSet;
use crate::base::time::duration_text;
use crate::base::{Unit, parse_quantity};
use crate::model::catalog::nearest;

/// `[[service]]` as the user writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// Unique name.
    pub name: String,
    /// `http`, `tcp`, `process`, `systemd`, `command`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For `http`: what is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// For `tcp`: `host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// For `systemd`: the unit; `.service` may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// For `process`: the kernel's short name, or `/regex/` found in the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// For `command`: program and arguments, as one text or a list; no shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandLine>,
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
    /// Checks in a row that must fail until it is offline (or be slow until it is degraded).
    #[serde(default = "three")]
    pub fail_after: u32,
    /// Checks in a row that must be good until it is well again.
    #[serde(default = "two")]
    pub recover_after: u32,
    /// For `http`: status codes that are well; default 200–399. Redirects are followed unless all of these are redirects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_status: Option<StatusSet>,
    /// For `http`: text the body's first MiB holds, or `/regex/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_body: Option<String>,
    /// For `http`: PEM file of authorities trusted beside the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// For `http`: a certificate that ends sooner makes it degraded; default `3d`.
    #[serde(default, with = "optional_duration", skip_serializing_if = "Option::is_none")]
    pub certificate_warning: Option<Duration>,
    /// Promised uptime (`"99.9%"`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo: Option<String>,
    /// Labels of its alerts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// The defaults of `contracts.md` §3.
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

/// Serde for a duration that may be absent.
mod optional_duration {
    use std::time::Duration;

    use serde::{Deserializer, Serializer};

    use crate::base::time::duration_text;

    pub fn serialize<S: Serializer>(d: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match d {
            Some(d) => duration_text::serialize(d, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        duration_text::deserialize(deserializer).map(Some)
    }
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
    /// Checks in a row that must fail until it is offline.
    pub fail_after: u32,
    /// Checks in a row that must be good until it is well again.
    pub recover_after: u32,
    /// Promised uptime, 0–1.
    pub slo: Option<f64>,
    /// Labels of its alerts.
    pub labels: BTreeMap<String, String>,
    /// How it is checked.
    pub probe: Arc<dyn Probe>,
}

impl Service {
    /// A service whose results come from elsewhere (a simulation): with every other default, and never to be checked.
    pub fn simulated(name: &str, kind: &'static str, target: &str, interval: Duration, degraded_above: Duration) -> Self {
        let plain = ServiceConfig::new(name, kind);
        Self {
            name: plain.name,
            kind,
            target: target.to_owned(),
            interval,
            retry: plain.retry,
            timeout: plain.timeout,
            degraded_above,
            fail_after: plain.fail_after,
            recover_after: plain.recover_after,
            slo: None,
            labels: BTreeMap::new(),
            probe: Arc::new(Elsewhere),
        }
    }
}

/// Stands where nothing is probed.
struct Elsewhere;

impl Probe for Elsewhere {
    fn check<'a>(&'a self, _: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async { Finding::failed("a simulated service cannot be checked") })
    }

    fn target(&self) -> String {
        "simulated".to_owned()
    }
}

impl ServiceConfig {
    /// A service of a kind with every default; the keys of the kind are still to be set.
    pub fn new(name: &str, kind: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            url: None,
            address: None,
            unit: None,
            process: None,
            command: None,
            interval: ten_seconds(),
            retry: five_seconds(),
            timeout: five_seconds(),
            degraded_above: two_seconds(),
            fail_after: three(),
            recover_after: two(),
            expect_status: None,
            expect_body: None,
            ca_file: None,
            certificate_warning: None,
            slo: None,
            labels: BTreeMap::new(),
        }
    }

    /// Validates one service.
    ///
    /// # Errors
    /// The first mistake.
    pub fn ready(&self) -> Result<Service, ServiceConfigError> {
        if self.name.trim().is_empty() {
            return Err(self.error("name", "must not be empty"));
        }
        let Some(kind) = PROBES.iter().find(|p| p.name == self.kind) else {
            return Err(self.error("type", self.unknown_kind()));
        };
        if let Some((key, _)) = self.set_keys().into_iter().find(|(key, set)| *set && !kind.keys.contains(key)) {
            return Err(self.error(key, format!("is not used by type {}; it uses {}", kind.name, kind.keys.join(", "))));
        }
        let periods = [("interval", self.interval), ("retry", self.retry), ("timeout", self.timeout)];
        // A tenth of a second is the least that a person can mean; below, a typo would flood the service.
        if let Some((key, _)) = periods.into_iter().find(|(_, d)| *d < Duration::from_millis(100)) {
            return Err(self.error(key, "must be at least 100ms"));
        }
        let counts = [("fail_after", self.fail_after), ("recover_after", self.recover_after)];
        if let Some((key, _)) = counts.into_iter().find(|(_, n)| *n == 0) {
            return Err(self.error(key, "must be at least 1"));
        }
        let probe = (kind.make)(self)?;
        Ok(Service {
            name: self.name.clone(),
            kind: kind.name,
            target: probe.target(),
            interval: self.interval,
            retry: self.retry,
            timeout: self.timeout,
            degraded_above: self.degraded_above,
            fail_after: self.fail_after,
            recover_after: self.recover_after,
            slo: self.slo.as_deref().map(|text| self.share(text)).transpose()?,
            labels: self.labels.clone(),
            probe,
        })
    }

    /// A mistake in one of its keys.
    pub fn error(&self, key: &'static str, message: impl Into<String>) -> ServiceConfigError {
        ServiceConfigError { service: self.name.clone(), key, message: message.into() }
    }

    /// The value of a key its kind cannot do without.
    ///
    /// # Errors
    /// It is missing or blank.
    pub fn required<'a>(&self, key: &'static str, value: &'a Option<String>) -> Result<&'a str, ServiceConfigError> {
        let value = value.as_deref().map(str::trim).filter(|v| !v.is_empty());
        value.ok_or_else(|| self.error(key, format!("is missing; type {} needs it", self.kind)))
    }

    fn unknown_kind(&self) -> String {
        let names: Vec<&str> = PROBES.iter().map(|p| p.name).collect();
        let hint = nearest(&self.kind, names.iter().copied()).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
        format!("\"{}\" is unknown{hint} (there are {})", self.kind, names.join(", "))
    }

    /// The keys that belong to some kinds only, and whether they are set.
    fn set_keys(&self) -> [(&'static str, bool); 9] {
        [
            ("url", self.url.is_some()),
            ("address", self.address.is_some()),
            ("unit", self.unit.is_some()),
            ("process", self.process.is_some()),
            ("command", self.command.is_some()),
            ("expect_status", self.expect_status.is_some()),
            ("expect_body", self.expect_body.is_some()),
            ("ca_file", self.ca_file.is_some()),
            ("certificate_warning", self.certificate_warning.is_some()),
        ]
    }

    fn share(&self, text: &str) -> Result<f64, ServiceConfigError> {
        let value = parse_quantity(text).and_then(|q| q.for_unit(Unit::Ratio)).map_err(|e| self.error("slo", e.to_string()))?;
        if value > 0.0 && value < 1.0 {
            Ok(value)
        } else {
            Err(self.error("slo", "must lie between 0% and 100%, as in \"99.9%\""))
        }
    }
}

/// Validates all services.
///
/// # Errors
/// The first mistake; also two services of one name.
pub fn services(configs: &[ServiceConfig]) -> Result<Vec<Service>, ServiceConfigError> {
    let mut names = BTreeSet::new();
    for config in configs {
        if !names.insert(config.name.as_str()) {
            return Err(config.error("name", "is used twice; every service needs its own"));
        }
    }
    configs.iter().map(ServiceConfig::ready).collect()
}
