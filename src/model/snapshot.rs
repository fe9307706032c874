//! The whole present, immutable.
//!
//! Complete and serializable, without history. Invariant: only [`Snapshot::apply`] changes one, so
//! that engine, remote and replay cannot differ.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Alert, AlertState, AnomalyInterval, Catalog, EndedProcess, Forecast, HealthScore, HostFacts, Listener, MOST_ENDED,
    MOST_SHORT_LIVED, NextStep, Patterns, Prediction, Process, Pulse, Reading, RecorderHealth, Score, SeriesKey, ServiceStatus,
    ShortLived, Silence, SourceFault, TrackRecord, Trend, WatchedRule,
};
use crate::base::Timestamp;

/// Everything that is known of one machine at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Number of the newest pulse in it.
    pub seq: u64,
    /// Wall-clock time of its newest tick.
    pub at: Timestamp,
    /// Facts about the machine.
    pub host: Arc<HostFacts>,
    /// The metrics there are.
    pub catalog: Arc<Catalog>,
    /// Readings of the newest tick, sorted by key.
    pub readings: Arc<[Reading]>,
    /// All processes, sorted by id.
    pub processes: Arc<[Arc<Process>]>,
    /// Processes that ended lately, newest last; at most [`MOST_ENDED`].
    #[serde(default)]
    pub ended: Arc<[Arc<EndedProcess>]>,
    /// What processes left that were not met, newest round last; at most [`MOST_SHORT_LIVED`], and not kept: empty in the past.
    #[serde(default)]
    pub short_lived: Arc<[Arc<ShortLived>]>,
    /// All services, worst first.
    pub services: Arc<[ServiceStatus]>,
    /// Sockets that wait for others, by port; looked at every ten seconds, and not kept: empty in the past.
    #[serde(default)]
    pub listeners: Arc<[Listener]>,
    /// Scores that are not normal.
    pub scores: Arc<[Score]>,
    /// Anomalies of the last hours, newest last.
    pub anomalies: Arc<[AnomalyInterval]>,
    /// What stands out among parts, over days and among programs; empty in the past.
    #[serde(default)]
    pub patterns: Arc<Patterns>,
    /// Trends of the series shown.
    pub trends: Arc<[Trend]>,
    /// Forecasts.
    pub forecasts: Arc<[Arc<Forecast>]>,
    /// Open and recently scored predictions, most urgent first.
    pub predictions: Arc<[Prediction]>,
    /// How predictions did.
    pub record: TrackRecord,
    /// Pending, firing and recently resolved alerts, worst first.
    pub alerts: Arc<[Arc<Alert>]>,
    /// Silences that have not ended.
    pub silences: Arc<[Silence]>,
    /// Rules in force.
    #[serde(default)]
    pub rules: Arc<[WatchedRule]>,
    /// For alerts nobody takes care of, who is told next and when.
    #[serde(default)]
    pub next_steps: Arc<[NextStep]>,
    /// The machine's health.
    pub health: HealthScore,
    /// farol's own health.
    pub recorder: Arc<RecorderHealth>,
    /// What could not be read in the newest tick.
    pub faults: Arc<[SourceFault]>,
}

impl Snapshot {
    /// Knows nothing but what there could be.
    pub fn empty(catalog: Arc<Catalog>) -> Self {
        Self {
            seq: 0,
            at: Timestamp::default(),
            host: Arc::default(),
            catalog,
            readings: Arc::new([]),
            processes: Arc::new([]),
            ended: Arc::new([]),
            short_lived: Arc::new([]),
            services: Arc::new([]),
            listeners: Arc::new([]),
            scores: Arc::new([]),
            anomalies: Arc::new([]),
            patterns: Arc::default(),
            trends: Arc::new([]),
            forecasts: Arc::new([]),
            predictions: Arc::new([]),
            record: TrackRecord::default(),
            alerts: Arc::new([]),
            silences: Arc::new([]),
            rules: Arc::new([]),
            next_steps: Arc::new([]),
            health: HealthScore::default(),
            recorder: Arc::default(),
            faults: Arc::new([]),
        }
    }

    /// The snapshot after a pulse; sections that did not change are shared.
    #[must_use]
    pub fn apply(&self, pulse: &Pulse) -> Self {
        let mut next = self.clone();
        next.seq = pulse.seq;
        next.at = pulse.at;
        if !pulse.processes.is_empty() {
            next.processes = pulse.processes.apply(&self.processes);
        }
        if !pulse.processes.ended.is_empty() {
            let all = self.ended.iter().chain(&pulse.processes.ended);
            let surplus = (self.ended.len() + pulse.processes.ended.len()).saturating_sub(MOST_ENDED);
            next.ended = all.skip(surplus).cloned().collect();
        }
        if let Some(left) = &pulse.processes.short_lived {
            let surplus = (self.short_lived.len() + 1).saturating_sub(MOST_SHORT_LIVED);
            next.short_lived = self.short_lived.iter().skip(surplus).chain([left]).cloned().collect();
        }
        if let Some(readings) = &pulse.readings {
            next.readings = Arc::clone(readings);
        }
        replace(&mut next.services, &pulse.services);
        replace(&mut next.listeners, &pulse.listeners);
        replace(&mut next.scores, &pulse.scores);
        replace(&mut next.anomalies, &pulse.anomalies);
        replace(&mut next.patterns, &pulse.patterns);
        replace(&mut next.trends, &pulse.trends);
        replace(&mut next.forecasts, &pulse.forecasts);
        replace(&mut next.predictions, &pulse.predictions);
        replace(&mut next.record, &pulse.record);
        replace(&mut next.alerts, &pulse.alerts);
        replace(&mut next.silences, &pulse.silences);
        replace(&mut next.rules, &pulse.rules);
        replace(&mut next.next_steps, &pulse.next_steps);
        replace(&mut next.health, &pulse.health);
        replace(&mut next.recorder, &pulse.recorder);
        replace(&mut next.faults, &pulse.faults);
        replace(&mut next.host, &pulse.host);
        next
    }

    /// The newest value of a series; `None` where it is not there now.
    pub fn value(&self, key: &SeriesKey) -> Option<f64> {
        self.readings.binary_search_by(|r| r.key.cmp(key)).ok().map(|at| self.readings[at].value)
    }

    /// The newest value of a metric's unlabeled series.
    pub fn total(&self, metric: &str) -> Option<f64> {
        self.of(metric).find(|r| r.key.is_total()).map(|r| r.value)
    }

    /// The newest value of the metric's series whose only label has that value.
    pub fn part(&self, metric: &str, value: &str) -> Option<f64> {
        self.of(metric).find(|r| r.key.labels().len() == 1 && r.key.labels().all(|(_, v)| v == value)).map(|r| r.value)
    }

    /// All readings of a metric, by key.
    pub fn of<'a>(&'a self, metric: &'a str) -> impl Iterator<Item = &'a Reading> {
        let start = self.readings.partition_point(|r| r.key.metric() < metric);
        self.readings[start..].iter().take_while(move |r| r.key.metric() == metric)
    }

    /// The forecast of a series.
    pub fn forecast(&self, key: &SeriesKey) -> Option<&Arc<Forecast>> {
        self.forecasts.iter().find(|f| f.key == *key)
    }

    /// Alerts that fire, worst first.
    pub fn firing(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.alerts.iter().filter(|a| a.state == AlertState::Firing)
    }
}

fn replace<T: Clone>(section: &mut T, new: &Option<T>) {
    if let Some(new) = new {
        section.clone_from(new);
    }
}
