//! The state of every service: results in, statuses out.
//!
//! A pure fold over results and time. Invariant: time counts as a state only up to where a result
//! vouches for it; beyond that the service is unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::config::Service;
use super::discover::{Discovered, LOOK_EVERY};
use super::hours::{Hours, Run, SPANS, Spent, stale_after};
use super::standing::{Pace, Standing, Verdict};
use crate::base::{Timestamp, Unit, format_duration};
use crate::model::{
    CheckOutcome, CheckResult, GoodDirection, MaintenanceWindow, MetricDef, Reading, SeriesKey, ServiceState, ServiceStatus,
};

/// Metrics of services.
pub const METRICS: &[MetricDef] = &[
    MetricDef::gauge("service_up", Unit::Count, "Whether the service is up (1 online or degraded, 0 offline)")
        .by(&["service"])
        .good(GoodDirection::Up)
        .within(Some(0.0), Some(1.0)),
    MetricDef::gauge("service_state", Unit::Count, "State of the service (0 online, 1 degraded, 2 offline, 3 unknown)")
        .by(&["service"])
        .within(Some(0.0), Some(3.0)),
    MetricDef::gauge("service_check_seconds", Unit::Seconds, "Time the service took to answer its last check").by(&["service"]),
    MetricDef::gauge("service_certificate_expiry_seconds", Unit::Seconds, "Time until the service's certificate ends")
        .by(&["service"])
        .good(GoodDirection::Up)
        .within(None, None),
];

/// A discovered service that was there for less than this leaves without a trace: it was somebody's experiment.
const SETTLED_AFTER: Duration = Duration::from_secs(60);

/// A discovered service that is gone for longer than the strip shows is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Statuses that only grow older are told this often; a share moves by less than a pixel in that time.
const REFRESH_MS: i64 = 60_000;

/// Version of the rows of [`ServiceBoard::save`].
const ROW_VERSION: u32 = 1;

/// All services and their states.
#[derive(Default)]
pub struct ServiceBoard {
    entries: BTreeMap<String, Entry>,
    /// Hours kept from before for services that are not known yet.
    kept: BTreeMap<String, Row>,
    changed: bool,
    now: Timestamp,
}

struct Entry {
    status: ServiceStatus,
    limits: Limits,
    standing: Standing,
    hours: Hours,
    counted_to: Option<Timestamp>,
    first_seen: Option<Timestamp>,
    certificate_ends: Option<f64>,
    /// State and its beginning before a restart.
    before: Option<(ServiceState, Timestamp)>,
    /// In the order of [`METRICS`].
    keys: [SeriesKey; 4],
}

#[derive(Clone, Copy)]
struct Limits {
    degraded_above: Duration,
    fail_after: u32,
    recover_after: u32,
    stale_after: Duration,
}

/// What is kept of a service.
#[derive(Clone, Serialize, Deserialize)]
struct Row {
    version: u32,
    state: ServiceState,
    since: Option<Timestamp>,
    hours: Vec<Run>,
}

impl Entry {
    fn new(status: ServiceStatus, limits: Limits, kept: Option<&Row>) -> Self {
        let keys = [0, 1, 2, 3].map(|metric: usize| SeriesKey::new(METRICS[metric].name, [("service", status.name.as_str())]));
        let mut entry = Self {
            status,
            limits,
            standing: Standing::default(),
            hours: Hours::default(),
            counted_to: None,
            first_seen: None,
            certificate_ends: None,
            before: None,
            keys,
        };
        if let Some(row) = kept {
            entry.take(row);
        }
        entry
    }

    fn take(&mut self, row: &Row) {
        self.hours = Hours::from_runs(&row.hours);
        self.before = row.since.map(|since| (row.state, since));
    }

    fn row(&self) -> Row {
        Row { version: ROW_VERSION, state: self.status.state, since: self.status.since, hours: self.hours.runs() }
    }

    /// Counts the time up to `at` as the state it was in, as far as the last result vouches for it.
    fn count(&mut self, at: Timestamp) {
        let vouched = self.status.last_check.map_or(at, |last| at.min(last + self.limits.stale_after));
        if let Some(from) = self.counted_to {
            let spent = if self.status.maintenance { Spent::Maintenance } else { Spent::In(self.standing.state) };
            self.hours.add(from, vouched, spent);
        }
        self.counted_to = Some(at);
    }

    /// Shows a state that began at `at`, or before a restart.
    fn show(&mut self, state: ServiceState, at: Timestamp) {
        let state = if self.status.maintenance { ServiceState::Unknown } else { state };
        if self.status.state == state && self.status.since.is_some() {
            return;
        }
        let kept = self.before.take_if(|(before, _)| *before == state).map(|(_, since)| since);
        if state != ServiceState::Unknown {
            self.before = None;
        }
        self.status.state = state;
        self.status.since = Some(kept.unwrap_or(at));
    }

    fn observe(&mut self, result: &CheckResult) {
        self.count(result.at);
        let slow = result.response.is_some_and(|r| r > self.limits.degraded_above);
        let verdict = Verdict::of(result.outcome, if slow { Pace::Slow } else { Pace::Fast });
        let state = self.standing.observe(verdict, self.limits.fail_after, self.limits.recover_after);
        self.status.last_check = Some(result.at);
        self.status.response_seconds = result.response.map(|r| r.as_secs_f64());
        if let Some(left) = result.certificate_expires_in_seconds {
            self.certificate_ends = Some(result.at.seconds() + left);
        }
        self.status.message = match verdict {
            Verdict::Bad if state != ServiceState::Offline => {
                format!("{} ({} of {})", result.message, self.standing.failures(), self.limits.fail_after)
            }
            Verdict::Poor if result.outcome == CheckOutcome::Ok => {
                format!("{}, slower than {}", result.message, format_duration(self.limits.degraded_above))
            }
            _ => result.message.clone(),
        };
        self.show(state, result.at);
    }

    /// Sets what was seen of a discovered service.
    fn see(&mut self, state: ServiceState, message: &str, at: Timestamp) {
        self.count(at);
        self.first_seen.get_or_insert(at);
        self.standing.state = state;
        self.status.last_check = Some(at);
        message.clone_into(&mut self.status.message);
        self.show(state, at);
    }

    /// Lets time pass; true where the service has become unknown.
    fn tick(&mut self, at: Timestamp) -> bool {
        self.count(at);
        let stale = self.status.last_check.is_some_and(|last| at.since(last) > self.limits.stale_after);
        if !stale || self.standing.state == ServiceState::Unknown {
            return false;
        }
        self.standing.forget();
        self.status.message = format!("no result for {}", format_duration(self.limits.stale_after));
        self.show(ServiceState::Unknown, at);
        true
    }

    fn status(&self, now: Timestamp) -> ServiceStatus {
        let uptime = SPANS.map(|hours| self.hours.share(hours, now));
        ServiceStatus { uptime, strip: self.hours.strip(now), ..self.status.clone() }
    }

    /// Worst first.
    fn rank(&self) -> u8 {
        match self.status.state {
            ServiceState::Offline => 0,
            ServiceState::Degraded => 1,
            ServiceState::Unknown => 2,
            ServiceState::Online => 3,
        }
    }
}

impl ServiceBoard {
    /// All services unknown.
    pub fn new(services: &[Service]) -> Self {
        let entries = services.iter().map(|service| {
            let status = ServiceStatus {
                name: service.name.clone(),
                kind: service.kind.to_owned(),
                target: service.target.clone(),
                message: "not checked yet".to_owned(),
                ..ServiceStatus::default()
            };
            let limits = Limits {
                degraded_above: service.degraded_above,
                fail_after: service.fail_after,
                recover_after: service.recover_after,
                stale_after: stale_after(service.interval.max(service.retry), service.timeout),
            };
            (service.name.clone(), Entry::new(status, limits, None))
        });
        Self { entries: entries.collect(), changed: true, ..Self::default() }
    }

    /// Other services from now on. One that is checked as before keeps its state, one of the same name its hours; what was
    /// found without configuration stays while there is none.
    pub fn configure(&mut self, services: &[Service]) {
        let before = std::mem::replace(self, Self::new(services));
        self.now = before.now;
        self.kept = before.kept;
        for (name, old) in before.entries {
            let same = |new: &Entry| new.status.kind == old.status.kind && new.status.target == old.status.target;
            match self.entries.get_mut(&name) {
                Some(new) if same(new) && !old.status.discovered => *new = Entry { limits: new.limits, ..old },
                Some(new) => new.take(&old.row()),
                None if old.status.discovered && services.is_empty() => drop(self.entries.insert(name, old)),
                None => drop(self.kept.insert(name, old.row())),
            }
        }
    }

    /// Takes a result; one of an unknown service is left out.
    pub fn observe(&mut self, result: &CheckResult) {
        self.now = self.now.max(result.at);
        if let Some(entry) = self.entries.get_mut(&result.service) {
            entry.observe(result);
            self.changed = true;
        }
    }

    /// Takes what was found without configuration, all of it. A listener that was found before and is missing is
    /// offline for a day; a unit that is missing was stopped and leaves.
    pub fn set_discovered(&mut self, list: Vec<Discovered>, at: Timestamp) {
        self.now = at;
        self.changed = true;
        let mut missing: BTreeSet<String> =
            self.entries.iter().filter(|(_, e)| e.status.discovered).map(|(name, _)| name.clone()).collect();
        for found in list {
            missing.remove(&found.name);
            let entry = self.entries.entry(found.name.clone()).or_insert_with(|| {
                let status = ServiceStatus {
                    name: found.name.clone(),
                    kind: found.kind.to_owned(),
                    target: found.target.clone(),
                    discovered: true,
                    ..ServiceStatus::default()
                };
                let stale_after = stale_after(LOOK_EVERY, Duration::ZERO);
                let limits = Limits { degraded_above: Duration::MAX, fail_after: 1, recover_after: 1, stale_after };
                Entry::new(status, limits, self.kept.get(&found.name))
            });
            if entry.status.discovered {
                entry.see(found.state, &found.message, at);
            }
        }
        for name in missing {
            let Some(entry) = self.entries.get_mut(&name) else { continue };
            let since = entry.status.since.unwrap_or(at);
            let settled = entry.first_seen.is_some_and(|first| at.since(first) >= SETTLED_AFTER);
            let gone_for = if entry.status.state == ServiceState::Offline { at.since(since) } else { Duration::ZERO };
            if entry.status.kind == "systemd" || !settled || gone_for > FORGOTTEN_AFTER {
                self.entries.remove(&name);
            } else {
                entry.see(ServiceState::Offline, "nobody listens any more", at);
            }
        }
    }

    /// Names the services in maintenance; all others are not.
    pub fn set_maintenance(&mut self, windows: &BTreeMap<String, MaintenanceWindow>, at: Timestamp) {
        for (name, entry) in &mut self.entries {
            let window = windows.get(name);
            if entry.status.window.as_ref() == window {
                continue;
            }
            entry.count(at);
            entry.status.maintenance = window.is_some();
            entry.status.window = window.cloned();
            entry.show(entry.standing.state, at);
            self.changed = true;
        }
    }

    /// Whether any service is in maintenance.
    pub fn in_maintenance(&self) -> bool {
        self.entries.values().any(|e| e.status.maintenance)
    }

    /// Names of all services.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Lets time pass: closes hours; no result for three intervals makes a service unknown.
    pub fn tick(&mut self, at: Timestamp) {
        for entry in self.entries.values_mut() {
            self.changed |= entry.tick(at);
        }
        self.changed |= at.millis().div_euclid(REFRESH_MS) != self.now.millis().div_euclid(REFRESH_MS);
        self.now = at;
    }

    /// All statuses, worst first and then by name; `None` where nothing changed since the last call.
    pub fn statuses(&mut self) -> Option<Arc<[ServiceStatus]>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_by_key(|e| e.rank());
        Some(entries.into_iter().map(|e| e.status(self.now)).collect())
    }

    /// Adds the readings of [`METRICS`]; an unknown service has a state and nothing else.
    pub fn readings(&self, round: &mut Vec<Reading>) {
        for entry in self.entries.values() {
            let [up, state, seconds, certificate] = &entry.keys;
            let mut push = |key: &SeriesKey, value: f64| round.push(Reading { key: key.clone(), value, cumulative: None });
            push(state, f64::from(entry.status.state as u8));
            if entry.status.state == ServiceState::Unknown {
                continue;
            }
            push(up, if entry.status.state == ServiceState::Offline { 0.0 } else { 1.0 });
            if let Some(response) = entry.status.response_seconds {
                push(seconds, response);
            }
            if let Some(end) = entry.certificate_ends {
                push(certificate, end - self.now.seconds());
            }
        }
    }

    /// One row a service: its name, and its hours and state as versioned JSON. An hour that is like the one before
    /// costs nothing, so rows have some hundred bytes.
    pub fn save(&self) -> Vec<(String, Vec<u8>)> {
        let row = |entry: &Entry| serde_json::to_vec(&entry.row()).expect("a row is numbers and names");
        self.entries.iter().map(|(name, entry)| (name.clone(), row(entry))).collect()
    }

    /// Takes rows written by [`ServiceBoard::save`], before the first result; other versions are left out.
    pub fn restore(&mut self, rows: &[(String, Vec<u8>)]) {
        for (name, bytes) in rows {
            let Ok(row) = serde_json::from_slice::<Row>(bytes) else { continue };
            if row.version != ROW_VERSION {
                continue;
            }
            if let Some(entry) = self.entries.get_mut(name) {
                entry.take(&row);
            }
            self.kept.insert(name.clone(), row);
        }
        self.changed = true;
    }
}
