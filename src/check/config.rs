//! `[[service]]` of the configuration, read into a [`Service`].
//!
//! Invariant: every mistake is told here, with the service, the key and what to write.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pattern::Pattern;
use super::probe::{PROBES, ProbeKind};
use super::probes::command::CommandLine;
use super::service::Service;
use super::status_set::StatusSet;
use super::window::WindowConfig;
use crate::base::time::duration_text;
use crate::base::{Unit, parse_quantity};
use crate::model::catalog::nearest;

/// `[[service]]` as the user writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceConfig {
    /// Unique name.
    pub name: String,
    /// Name of a probe (`http`, `tcp`, …).
    #[serde(rename = "type")]
    pub kind: String,
    /// For `http`: what is fetched.
    pub url: Option<String>,
    /// For those that connect: `host:port`; where the protocol has a usual port it may be left out.
    pub address: Option<String>,
    /// For `systemd`: the unit; `.service` may be left out.
    pub unit: Option<String>,
    /// For `process`: the kernel's short name, or `/regex/` found in the command line.
    pub process: Option<String>,
    /// For `command`: program and arguments, as one text or a list; no shell.
    pub command: Option<CommandLine>,
    /// For `file`: its path.
    pub path: Option<String>,
    /// For `dns`: the name that is asked for.
    pub query: Option<String>,
    /// For `dns`: the kind of record; default `A`.
    pub record: Option<String>,
    /// Time between two checks.
    #[serde(with = "duration_text")]
    pub interval: Duration,
    /// Time between two checks while they fail.
    #[serde(with = "duration_text")]
    pub retry: Duration,
    /// Time a check may take.
    #[serde(with = "duration_text")]
    pub timeout: Duration,
    /// Slower answers are degraded.
    #[serde(with = "duration_text")]
    pub degraded_above: Duration,
    /// Checks in a row that must fail until it is offline (or be slow until it is degraded).
    pub fail_after: u32,
    /// Checks in a row that must be good until it is well again.
    pub recover_after: u32,
    /// For `http`: `GET`, `POST`, …; default `GET`.
    pub method: Option<String>,
    /// For `http`: headers that are sent.
    pub headers: BTreeMap<String, String>,
    /// For `http`: the request's body.
    pub body: Option<String>,
    /// For `http`: file with a token that is sent as `Authorization: Bearer`; read for each check.
    pub token_file: Option<PathBuf>,
    /// For `http`: most redirects followed; default 5. With 0 the redirect itself is judged.
    pub max_redirects: Option<usize>,
    /// For `http`: status codes that are well; default 200–399. Redirects are followed unless all of these are redirects.
    pub expect_status: Option<StatusSet>,
    /// For `http`: text the body's first MiB holds, or `/regex/`.
    pub expect_body: Option<String>,
    /// For `http`: a condition on the JSON body (`status == "up"`).
    pub expect_json: Option<String>,
    /// For `http`: headers of the answer and the text or `/regex/` each holds.
    pub expect_headers: BTreeMap<String, String>,
    /// For `tcp` and `udp`: what is sent first.
    pub send: Option<String>,
    /// For `tcp`, `udp`, `dns` and `ssh`: text the answer holds, or `/regex/`.
    pub expect: Option<String>,
    /// For `smtp`: TLS must be offered and work.
    pub starttls: Option<bool>,
    /// For `tls` and `smtp`: the name on the certificate, where it is not the address's.
    pub server_name: Option<String>,
    /// PEM file of authorities trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// A certificate that ends sooner makes it degraded; default `3d`.
    #[serde(with = "optional_duration")]
    pub certificate_warning: Option<Duration>,
    /// For `file`: older makes it offline.
    #[serde(with = "optional_duration")]
    pub max_age: Option<Duration>,
    /// For `file`: smaller makes it offline (`"1MB"`).
    pub min_size: Option<String>,
    /// For `file`: larger makes it offline.
    pub max_size: Option<String>,
    /// Services without which it cannot work: while one is offline, its own failure is unknown.
    pub depends_on: Vec<String>,
    /// Windows of maintenance that come again.
    pub maintenance: Vec<WindowConfig>,
    /// Promised uptime (`"99.9%"`).
    pub slo: Option<String>,
    /// Labels of its alerts.
    pub labels: BTreeMap<String, String>,
}

impl Default for ServiceConfig {
    /// The defaults of the contract; name, type and the keys of the type are still to be set.
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: String::new(),
            url: None,
            address: None,
            unit: None,
            process: None,
            command: None,
            path: None,
            query: None,
            record: None,
            interval: Duration::from_secs(10),
            retry: Duration::from_secs(5),
            timeout: Duration::from_secs(5),
            degraded_above: Duration::from_secs(2),
            fail_after: 3,
            recover_after: 2,
            method: None,
            headers: BTreeMap::new(),
            body: None,
            token_file: None,
            max_redirects: None,
            expect_status: None,
            expect_body: None,
            expect_json: None,
            expect_headers: BTreeMap::new(),
            send: None,
            expect: None,
            starttls: None,
            server_name: None,
            ca_file: None,
            certificate_warning: None,
            max_age: None,
            min_size: None,
            max_size: None,
            depends_on: Vec::new(),
            maintenance: Vec::new(),
            slo: None,
            labels: BTreeMap::new(),
        }
    }
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

impl ServiceConfig {
    /// A service of a kind with every default; the keys of the kind are still to be set.
    pub fn new(name: &str, kind: &str) -> Self {
        Self { name: name.to_owned(), kind: kind.to_owned(), ..Self::default() }
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
        if let Some(key) = self.foreign_key(kind) {
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
        let windows = self.maintenance.iter().map(WindowConfig::ready).collect::<Result<_, _>>();
        let windows = windows.map_err(|e| self.error("maintenance", e))?;
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
            depends_on: self.depends_on.clone(),
            windows,
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
        if self.kind.is_empty() {
            return format!("is missing; write one of {}", names.join(", "));
        }
        format!("\"{}\" is unknown{hint} (there are {})", self.kind, names.join(", "))
    }

    /// A key that is set and belongs to other kinds only.
    fn foreign_key(&self, kind: &ProbeKind) -> Option<&'static str> {
        let written = serde_json::to_value(self).expect("keys and plain values");
        let is_set = |key: &str| match written.get(key) {
            None | Some(Value::Null) => false,
            Some(Value::Object(map)) => !map.is_empty(),
            Some(_) => true,
        };
        let mut all = PROBES.iter().flat_map(|p| p.keys).copied();
        all.find(|key| !kind.keys.contains(key) && is_set(key))
    }

    /// A key that holds a text to look for.
    ///
    /// # Errors
    /// A regular expression that is none.
    pub fn pattern(&self, key: &'static str, value: &Option<String>) -> Result<Option<Pattern>, ServiceConfigError> {
        value.as_deref().map(Pattern::parse).transpose().map_err(|e| self.error(key, e))
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
/// The first mistake; also two services of one name, and dependencies that do not exist or form a circle.
pub fn services(configs: &[ServiceConfig]) -> Result<Vec<Service>, ServiceConfigError> {
    let mut names = BTreeSet::new();
    for config in configs {
        if !names.insert(config.name.as_str()) {
            return Err(config.error("name", "is used twice; every service needs its own"));
        }
    }
    for config in configs {
        if let Some(unknown) = config.depends_on.iter().find(|d| !names.contains(d.as_str())) {
            let hint = nearest(unknown, names.iter().copied()).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
            return Err(config.error("depends_on", format!("there is no service \"{unknown}\"{hint}")));
        }
        if let Some(way) = circle(config, configs) {
            return Err(config.error("depends_on", format!("a service cannot wait for itself: {}", way.join(" → "))));
        }
    }
    configs.iter().map(ServiceConfig::ready).collect()
}

/// The way from a service back to itself.
fn circle<'a>(start: &'a ServiceConfig, configs: &'a [ServiceConfig]) -> Option<Vec<&'a str>> {
    let mut ways = vec![vec![start.name.as_str()]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        let needs = configs.iter().find(|c| way.last() == Some(&c.name.as_str())).map(|c| c.depends_on.as_slice());
        for next in needs.unwrap_or_default() {
            let way = [way.as_slice(), &[next.as_str()]].concat();
            if *next == start.name {
                return Some(way);
            }
            if seen.insert(next.as_str()) {
                ways.push(way);
            }
        }
    }
    None
}
