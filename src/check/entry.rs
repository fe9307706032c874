//! One service of the board: its standing, its hours and what is shown of it.
//!
//! Invariant: time counts as a state only up to where a result vouches for it.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::board::METRICS;
use super::hours::{Hours, Run, SPANS, Spent};
use super::service::Service;
use super::standing::{Errors, Pace, Standing, Verdict};
use super::window::Window;
use crate::base::{Timestamp, format_duration};
use crate::model::{
    CheckOutcome, CheckResult, MaintenanceWindow, MeasureKind, PastCheck, Reading, SeriesKey, ServiceState, ServiceStatus,
    SloStanding,
};

/// Checks of a service that are kept to be looked at: ten minutes of one every half minute.
const CHECKS_KEPT: usize = 20;

/// When a check counts as what.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Slower answers are degraded.
    pub degraded_above: Duration,
    /// Results in a row that must be bad.
    pub fail_after: u32,
    /// Results in a row that must be good.
    pub recover_after: u32,
    /// Time a result vouches for.
    pub stale_after: Duration,
}

/// What is kept of a service.
#[derive(Clone, Serialize, Deserialize)]
pub struct Row {
    /// Version of this row.
    pub version: u32,
    /// Its state.
    pub state: ServiceState,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Its hours.
    pub hours: Vec<Run>,
}

/// How the services are that a service needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// All are well.
    None,
    /// One begins to fail: what follows from it is not known yet.
    Suspect,
    /// That one is down.
    Down(String),
}

/// A service.
pub struct Entry {
    /// What is shown, but for shares and strip.
    pub status: ServiceStatus,
    /// What its own checks say.
    pub standing: Standing,
    /// When it was found, where it was.
    pub first_seen: Option<Timestamp>,
    limits: Limits,
    hours: Hours,
    counted_to: Option<Timestamp>,
    certificate_ends: Option<f64>,
    /// State and its beginning before a restart.
    before: Option<(ServiceState, Timestamp)>,
    /// The state that counts; shown unless in maintenance.
    effective: ServiceState,
    /// What its own checks said last.
    said: String,
    /// The last ones, newest first.
    pub checks: VecDeque<PastCheck>,
    target: Option<f64>,
    windows: Vec<Window>,
    planned: Option<MaintenanceWindow>,
    /// In the order of the first metrics of [`METRICS`].
    keys: [SeriesKey; 8],
    errors: Errors,
    measures: Vec<(SeriesKey, f64)>,
}

/// The metric of a measure and the label that tells it from others.
fn measured(kind: MeasureKind) -> (&'static str, &'static str) {
    match kind {
        MeasureKind::Phase => ("service_phase_seconds", "phase"),
        MeasureKind::Seconds => ("service_perfdata_seconds", "label"),
        MeasureKind::Bytes => ("service_perfdata_bytes", "label"),
        MeasureKind::Ratio => ("service_perfdata_ratio", "label"),
        MeasureKind::Count => ("service_perfdata", "label"),
    }
}

impl Entry {
    /// One that nothing is known of but what was kept.
    pub fn new(status: ServiceStatus, limits: Limits, kept: Option<&Row>) -> Self {
        let keys = [0, 1, 2, 3, 4, 5, 6, 7]
            .map(|metric: usize| SeriesKey::new(METRICS[metric].name, [("service", status.name.as_str())]));
        let mut entry = Self {
            said: status.message.clone(),
            status: ServiceStatus { fail_after: limits.fail_after, ..status },
            limits,
            standing: Standing::default(),
            checks: VecDeque::new(),
            hours: Hours::default(),
            counted_to: None,
            first_seen: None,
            certificate_ends: None,
            before: None,
            effective: ServiceState::Unknown,
            target: None,
            windows: Vec::new(),
            planned: None,
            keys,
            errors: Errors::default(),
            measures: Vec::new(),
        };
        if let Some(row) = kept {
            entry.take(row);
        }
        entry
    }

    /// One of the configuration.
    pub fn configured(service: &Service, limits: Limits) -> Self {
        let status = ServiceStatus {
            name: service.name.clone(),
            kind: service.kind.to_owned(),
            target: service.target.clone(),
            message: "not checked yet".to_owned(),
            depends_on: service.depends_on.clone(),
            ..ServiceStatus::default()
        };
        Self { target: service.slo, windows: service.windows.clone(), ..Self::new(status, limits, None) }
    }

    /// Takes over the state of the same check under its settings of before.
    pub fn go_on_from(&mut self, old: Self) {
        let windows = std::mem::take(&mut self.windows);
        let depends_on = std::mem::take(&mut self.status.depends_on);
        let status = ServiceStatus { depends_on, fail_after: self.limits.fail_after, ..old.status };
        *self = Self { limits: self.limits, target: self.target, windows, status, ..old };
    }

    /// Takes what was kept.
    pub fn take(&mut self, row: &Row) {
        self.hours = Hours::from_runs(&row.hours);
        self.before = row.since.map(|since| (row.state, since));
    }

    /// What is to be kept.
    pub fn row(&self, version: u32) -> Row {
        Row { version, state: self.status.state, since: self.status.since, hours: self.hours.runs() }
    }

    /// Counts the time up to `at` as the state it was in, as far as the last result vouches for it.
    fn count(&mut self, at: Timestamp) {
        let vouched = self.status.last_check.map_or(at, |last| at.min(last + self.limits.stale_after));
        if let Some(from) = self.counted_to {
            let spent = if self.status.maintenance { Spent::Maintenance } else { Spent::In(self.effective) };
            self.hours.add(from, vouched, spent);
        }
        self.counted_to = Some(at);
    }

    /// Shows a state that began at `at`, or before a restart.
    fn show(&mut self, state: ServiceState, at: Timestamp) {
        self.effective = state;
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

    /// Takes a result; [`Entry::settle`] shows what it means.
    pub fn observe(&mut self, result: &CheckResult) {
        self.count(result.at);
        let slow = result.response.is_some_and(|r| r > self.limits.degraded_above);
        let verdict = Verdict::of(result.outcome, if slow { Pace::Slow } else { Pace::Fast });
        let state = self.standing.observe(verdict, self.limits.fail_after, self.limits.recover_after);
        // What fails in maintenance, or with what it needs, is no error of its own.
        if !self.status.maintenance && self.status.caused_by.is_none() {
            self.errors.observe(verdict, state);
        }
        self.status.last_check = Some(result.at);
        self.remember(result, verdict);
        self.status.response_seconds = result.response.map(|r| r.as_secs_f64());
        if let Some(left) = result.certificate_expires_in_seconds {
            self.certificate_ends = Some(result.at.seconds() + left);
        }
        self.said = match verdict {
            Verdict::Bad if state != ServiceState::Offline => {
                format!("{} ({} of {})", result.message, self.standing.failures(), self.limits.fail_after)
            }
            Verdict::Poor if result.outcome == CheckOutcome::Ok => {
                format!("{}, slower than {}", result.message, format_duration(self.limits.degraded_above))
            }
            _ => result.message.clone(),
        };
        self.measure(result);
    }

    /// Keeps the check among the last ones.
    fn remember(&mut self, result: &CheckResult, verdict: Verdict) {
        let state = match verdict {
            Verdict::Good => ServiceState::Online,
            Verdict::Poor => ServiceState::Degraded,
            Verdict::Bad => ServiceState::Offline,
        };
        let response_seconds = result.response.map(|r| r.as_secs_f64());
        self.checks.truncate(CHECKS_KEPT - 1);
        self.checks.push_front(PastCheck { at: result.at, state, response_seconds, message: result.message.clone() });
    }

    /// Keeps the further values; keys that are the same as before are used again.
    fn measure(&mut self, result: &CheckResult) {
        let mut before = std::mem::take(&mut self.measures).into_iter().map(|(key, _)| key);
        for measure in &result.measures {
            let (metric, label) = measured(measure.kind);
            let same = before.next().filter(|k| k.metric() == metric && k.label(label) == Some(measure.label.as_str()));
            let labels = [("service", self.status.name.as_str()), (label, measure.label.as_str())];
            self.measures.push((same.unwrap_or_else(|| SeriesKey::new(metric, labels)), measure.value));
        }
    }

    /// Shows what its own checks mean, given how the services are that it needs. True where that changed.
    pub fn settle(&mut self, cause: Cause, at: Timestamp) -> bool {
        let was = (self.effective, self.status.caused_by.is_some());
        let (mut state, mut caused_by) = (self.standing.state, None);
        if state == ServiceState::Offline {
            match cause {
                Cause::Down(name) => (state, caused_by) = (ServiceState::Unknown, Some(name)),
                Cause::Suspect => (state, caused_by) = (self.effective, self.status.caused_by.take()),
                // What it needs is back: it gets as many checks as any other before it is called offline.
                Cause::None if was.1 => {
                    self.standing.forget();
                    state = ServiceState::Unknown;
                }
                Cause::None => {}
            }
        }
        if (state, caused_by.is_some()) != was {
            self.count(at);
        }
        self.status.message = match &caused_by {
            Some(name) => format!("unknown because {name} is down; {}", self.said),
            None => self.said.clone(),
        };
        self.status.caused_by = caused_by;
        self.status.failures = self.standing.failures();
        self.show(state, at);
        (self.effective, self.status.caused_by.is_some()) != was
    }

    /// Sets what was seen of a discovered service.
    pub fn see(&mut self, state: ServiceState, message: &str, at: Timestamp) {
        self.count(at);
        self.first_seen.get_or_insert(at);
        self.standing.state = state;
        self.status.last_check = Some(at);
        message.clone_into(&mut self.status.message);
        self.show(state, at);
    }

    /// Lets time pass; true where the service has become unknown.
    pub fn tick(&mut self, at: Timestamp) -> bool {
        self.count(at);
        let stale = self.status.last_check.is_some_and(|last| at.since(last) > self.limits.stale_after);
        if !stale || self.standing.state == ServiceState::Unknown {
            return false;
        }
        self.standing.forget();
        self.said = format!("no result for {}", format_duration(self.limits.stale_after));
        self.status.message.clone_from(&self.said);
        self.status.caused_by = None;
        self.show(ServiceState::Unknown, at);
        true
    }

    /// Looks whether one of its own windows of maintenance has come or gone.
    pub fn plan(&mut self, at: Timestamp) {
        if !self.windows.is_empty() {
            self.planned = self.windows.iter().filter_map(|w| w.covering(at)).max_by_key(|w| w.until);
        }
    }

    /// Whether a window of its own has just ended.
    pub fn is_plan_over(&self, at: Timestamp) -> bool {
        self.planned.as_ref().is_some_and(|w| w.until <= at)
    }

    /// Goes into maintenance by a silence or a window of its own, or leaves it; true where that changed.
    pub fn maintain(&mut self, silence: Option<&MaintenanceWindow>, at: Timestamp) -> bool {
        let window = silence.into_iter().chain(&self.planned).max_by_key(|w| w.until);
        if self.status.window.as_ref() == window {
            return false;
        }
        let window = window.cloned();
        self.count(at);
        self.status.maintenance = window.is_some();
        self.status.window = window;
        self.show(self.effective, at);
        true
    }

    /// All that is shown, shares and promise computed anew.
    pub fn refresh(&mut self, now: Timestamp) -> ServiceStatus {
        let share = |hours: i64| self.hours.share(hours, now);
        let slo = self.target.map(|target| {
            let spent = |hours| share(hours).map(|s| (1.0 - s.up) / (1.0 - target));
            SloStanding { target, left: spent(SPANS[2]).map(|s| 1.0 - s), burn: spent(BURN_HOURS) }
        });
        let uptime = SPANS.map(share);
        self.status.slo = slo;
        ServiceStatus { uptime, strip: self.hours.strip(now), ..self.status.clone() }
    }

    /// Worst first.
    pub fn rank(&self) -> u8 {
        match self.status.state {
            ServiceState::Offline => 0,
            ServiceState::Degraded => 1,
            ServiceState::Unknown => 2,
            ServiceState::Online => 3,
        }
    }

    /// Adds its readings; an unknown service has a state, a promise and nothing else.
    pub fn readings(&self, now: Timestamp, round: &mut Vec<Reading>) {
        let [up, state, seconds, certificate, budget, burn, maintenance, errors] = &self.keys;
        let mut push = |key: &SeriesKey, value: f64| round.push(Reading { key: key.clone(), value, cumulative: None });
        push(state, f64::from(self.status.state as u8));
        if let Some(left) = self.status.slo.and_then(|s| s.left) {
            push(budget, left);
        }
        if let Some(rate) = self.status.slo.and_then(|s| s.burn) {
            push(burn, rate);
        }
        if self.status.maintenance {
            push(maintenance, 1.0);
        }
        if self.status.state == ServiceState::Unknown {
            return;
        }
        push(up, if self.status.state == ServiceState::Offline { 0.0 } else { 1.0 });
        if let Some(response) = self.status.response_seconds {
            push(seconds, response);
        }
        if let Some(share) = self.errors.share() {
            push(errors, share);
        }
        if let Some(end) = self.certificate_ends {
            push(certificate, end - now.seconds());
        }
        for (key, value) in &self.measures {
            push(key, *value);
        }
    }
}

/// Hours a burn is judged over: the running one and the one before, so that there is always a whole one in it.
const BURN_HOURS: i64 = 2;
