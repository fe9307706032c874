//! The state of every service: results in, statuses out.
//!
//! A pure fold over results and time. Invariant: time counts as a state only up to where a result
//! vouches for it; beyond that the service is unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::discover::{Discovered, LOOK_EVERY};
use super::entry::{Cause, Entry, Limits, Row};
use super::hours::stale_after;
use super::service::Service;
use crate::base::{Timestamp, Unit};
use crate::model::{CheckResult, GoodDirection, MaintenanceWindow, MetricDef, PastCheck, Reading, ServiceState, ServiceStatus};

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
    MetricDef::gauge(
        "service_error_budget_ratio",
        Unit::Ratio,
        "Share left of the downtime the service's promise allows in 30 days",
    )
    .by(&["service"])
    .good(GoodDirection::Up)
    .within(None, Some(1.0)),
    MetricDef::gauge(
        "service_burn_rate",
        Unit::Count,
        "Downtime of the last two hours over the allowed one (1 just keeps the promise)",
    )
    .by(&["service"]),
    MetricDef::gauge("service_maintenance", Unit::Count, "The service is in maintenance (1); absent at other times")
        .by(&["service"])
        .good(GoodDirection::Neither)
        .within(Some(0.0), Some(1.0)),
    MetricDef::gauge(
        "service_error_ratio",
        Unit::Ratio,
        "Share of the service's last 60 checks that failed; absent before there are so many, and an outage begins it anew",
    )
    .by(&["service"])
    .within(Some(0.0), Some(1.0)),
    MetricDef::gauge("service_phase_seconds", Unit::Seconds, "Time of a part of the service's last check")
        .by(&["service", "phase"]),
    MetricDef::gauge("service_perfdata", Unit::Count, "A plugin's value without a unit")
        .by(&["service", "label"])
        .good(GoodDirection::Neither)
        .within(None, None),
    MetricDef::gauge("service_perfdata_seconds", Unit::Seconds, "A plugin's value in seconds")
        .by(&["service", "label"])
        .good(GoodDirection::Neither)
        .within(None, None),
    MetricDef::gauge("service_perfdata_bytes", Unit::Bytes, "A plugin's value in bytes")
        .by(&["service", "label"])
        .good(GoodDirection::Neither)
        .within(None, None),
    MetricDef::gauge("service_perfdata_ratio", Unit::Ratio, "A plugin's value as a share")
        .by(&["service", "label"])
        .good(GoodDirection::Neither)
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
    /// Services under a silence of maintenance.
    silenced: BTreeMap<String, MaintenanceWindow>,
    changed: bool,
    now: Timestamp,
    /// When it was last refreshed and looked for windows of maintenance.
    refreshed: Option<Timestamp>,
}

impl ServiceBoard {
    /// All services unknown.
    pub fn new(services: &[Service]) -> Self {
        let entries = services.iter().map(|service| {
            let limits = Limits {
                degraded_above: service.degraded_above,
                fail_after: service.fail_after,
                recover_after: service.recover_after,
                stale_after: stale_after(service.interval.max(service.retry), service.timeout),
            };
            (service.name.clone(), Entry::configured(service, limits))
        });
        Self { entries: entries.collect(), changed: true, ..Self::default() }
    }

    /// Other services from now on. One that is checked as before keeps its state, one of the same name its hours; what was
    /// found without configuration stays while there is none.
    pub fn configure(&mut self, services: &[Service]) {
        let before = std::mem::replace(self, Self::new(services));
        self.now = before.now;
        self.kept = before.kept;
        self.silenced = before.silenced;
        for (name, old) in before.entries {
            let same = |new: &Entry| new.status.kind == old.status.kind && new.status.target == old.status.target;
            match self.entries.get_mut(&name) {
                Some(new) if same(new) && !old.status.discovered => new.go_on_from(old),
                Some(new) => new.take(&old.row(ROW_VERSION)),
                None if old.status.discovered && services.is_empty() => drop(self.entries.insert(name, old)),
                None => drop(self.kept.insert(name, old.row(ROW_VERSION))),
            }
        }
    }

    /// Takes a result; one of an unknown service is left out. Those that need it are judged anew.
    pub fn observe(&mut self, result: &CheckResult) {
        self.now = self.now.max(result.at);
        let Some(entry) = self.entries.get_mut(&result.service) else { return };
        entry.observe(result);
        self.changed = true;
        let needs = |(name, entry): (&String, &Entry)| {
            (*name == result.service || !entry.status.depends_on.is_empty()).then(|| name.clone())
        };
        let names: Vec<String> = self.entries.iter().filter_map(needs).collect();
        for name in names {
            let cause = self.cause(&name);
            if let Some(entry) = self.entries.get_mut(&name) {
                entry.settle(cause, result.at);
            }
        }
    }

    /// How those are that a service needs, and those that they need.
    fn cause(&self, service: &str) -> Cause {
        let mut seen = BTreeSet::from([service]);
        let mut open = vec![service];
        let mut suspect = false;
        while let Some(name) = open.pop() {
            let Some(entry) = self.entries.get(name) else { continue };
            for needed in entry.status.depends_on.iter().filter(|n| seen.insert(n.as_str())) {
                let standing = self.entries.get(needed).map(|e| &e.standing);
                if standing.is_some_and(|s| s.state == ServiceState::Offline) {
                    // The one at the bottom is the cause of those above it.
                    return match self.cause(needed) {
                        Cause::Down(deeper) => Cause::Down(deeper),
                        _ => Cause::Down(needed.clone()),
                    };
                }
                suspect |= standing.is_some_and(|s| s.failures() > 0);
                open.push(needed);
            }
        }
        if suspect { Cause::Suspect } else { Cause::None }
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

    /// Names the services under a silence of maintenance; all others are in it by their own windows only.
    pub fn set_maintenance(&mut self, windows: BTreeMap<String, MaintenanceWindow>, at: Timestamp) {
        self.silenced = windows;
        self.maintain(at);
    }

    fn maintain(&mut self, at: Timestamp) {
        for (name, entry) in &mut self.entries {
            self.changed |= entry.maintain(self.silenced.get(name), at);
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

    /// The last checks of a service, newest first; none of one that is only seen to run.
    pub fn checks(&self, service: &str) -> Vec<PastCheck> {
        self.entries.get(service).map_or_else(Vec::new, |entry| entry.checks.iter().cloned().collect())
    }

    /// Lets time pass: closes hours; no result for three intervals makes a service unknown.
    pub fn tick(&mut self, at: Timestamp) {
        for entry in self.entries.values_mut() {
            self.changed |= entry.tick(at);
        }
        let minute = |at: Timestamp| at.millis().div_euclid(REFRESH_MS);
        let is_minute = self.refreshed.is_some_and(|before| minute(before) != minute(at));
        let is_first = self.refreshed.replace(at).is_none();
        if is_first || is_minute || self.entries.values().any(|e| e.is_plan_over(at)) {
            self.entries.values_mut().for_each(|e| e.plan(at));
            self.maintain(at);
        }
        self.changed |= is_minute;
        self.now = at;
    }

    /// All statuses, worst first and then by name; `None` where nothing changed since the last call.
    pub fn statuses(&mut self) -> Option<Arc<[ServiceStatus]>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let mut entries: Vec<&mut Entry> = self.entries.values_mut().collect();
        entries.sort_by_key(|e| e.rank());
        Some(entries.into_iter().map(|e| e.refresh(self.now)).collect())
    }

    /// Adds the readings of [`METRICS`].
    pub fn readings(&self, round: &mut Vec<Reading>) {
        self.entries.values().for_each(|entry| entry.readings(self.now, round));
    }

    /// One row a service: its name, and its hours and state as versioned JSON. An hour that is like the one before
    /// costs nothing, so rows have some hundred bytes.
    pub fn save(&self) -> Vec<(String, Vec<u8>)> {
        let row = |entry: &Entry| serde_json::to_vec(&entry.row(ROW_VERSION)).expect("a row is numbers and names");
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
