//! Learns what is usual, series by series, and says what is not.
//!
//! How one series is judged is in [`super::series`]; what is said about it in [`super::explain`].
//! Invariant: a round costs the same per reading however long the machine is watched.

use std::collections::HashMap;
use std::sync::Arc;

use super::AnalyzeConfig;
use super::challenge::{CHALLENGERS, MachineDetector, Watches};
use super::detect::{DETECTORS, Detector};
use super::event::{Seen, follow};
use super::explain;
use super::machine::{Machine, Round, Top};
use super::peers::PEER_DISTANCE;
use super::scale::Scale;
use super::series::Series;
use super::slowness::SERVICE_SLOWNESS;
use super::stability::SERVICE_STABILITY;
use super::trend;
use super::watch::{Budget, Step};
use crate::base::{Timestamp, Unit};
use crate::model::{
    AnomalyInterval, Band, Catalog, Correlate, GoodDirection, MetricDef, Reading, Score, SeriesKey, Trend, Verdict,
};

/// The metric of how many connections are usual.
pub const USUAL_CONNECTIONS: &str = "tcp_connections_usual";

/// Strength from which a series or the machine is a warning.
pub const WARN_STRENGTH: f64 = 0.5;
/// Strength from which it is critical.
pub const CRITICAL_STRENGTH: f64 = 0.8;
/// A series not seen for a day is forgotten.
const FORGET_MS: i64 = 86_400_000;
/// How often forgotten series are looked for.
const SWEEP_MS: i64 = 3_600_000;
/// A vanished series' anomaly is over after this time.
const VANISHED_MS: i64 = 60_000;
const WEEK_SECONDS: f64 = 604_800.0;
/// 365.25 days / 12.
const MONTH_SECONDS: f64 = 2_629_800.0;

/// Key of what is said of the machine as a whole.
pub const MACHINE_SCORE: &str = "anomaly_machine_score";

/// The metrics this room gives: 0.5 is the warning threshold, 0.8 the critical one, 1 never seen.
pub const METRICS: &[MetricDef] = &[
    MetricDef::gauge(MACHINE_SCORE, Unit::Ratio, "How unusual the machine is; 0.5 warns, 0.8 is critical."),
    MetricDef::gauge(
        "anomaly_score",
        Unit::Ratio,
        "How unusual a series is; absent while it is normal. 0.5 warns, 0.8 is critical.",
    )
    .by(&["metric"]),
    MetricDef::gauge(
        SERVICE_STABILITY,
        Unit::Ratio,
        "Share of the last 24 hours in which the service was up and answered in the time expected of it.",
    )
    .by(&["service"])
    .good(GoodDirection::Up),
    MetricDef::gauge(SERVICE_SLOWNESS, Unit::Count, "The service's newest answer over the time 99 of 100 of its answers took.")
        .by(&["service"]),
    MetricDef::gauge(
        USUAL_CONNECTIONS,
        Unit::Count,
        "Established TCP connections below which 99 of 100 samples of the last week are; absent before a day is known.",
    ),
    MetricDef::gauge(
        PEER_DISTANCE,
        Unit::Count,
        "How many spreads a core, disk, interface or container is from its siblings; absent while it is like them.",
    )
    .by(&["metric"]),
];

/// What changed about an anomaly; it is the same one as long as key and `from` are the same.
#[derive(Debug, Clone, PartialEq)]
pub enum AnomalyChange {
    /// A new one.
    Opened(AnomalyInterval),
    /// Its peak or verdict rose.
    Updated(AnomalyInterval),
    /// It is over; `to` is set.
    Closed(AnomalyInterval),
}

/// What one round of readings means.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Analysis {
    /// Scores that are not normal, by key; `Some` when their set or a verdict changed.
    pub scores: Option<Vec<Score>>,
    /// Anomalies opened, worsened and closed; those of the machine as a whole have the key `anomaly_machine_score`.
    pub anomalies: Vec<AnomalyChange>,
    /// How unusual the machine is, 0–1 (see [`METRICS`]); 0 while learning.
    pub machine_score: f64,
    /// The at most five most unusual series, first the most; empty where nothing is unusual.
    pub most_surprised: Vec<SeriesKey>,
}

/// Learns what is usual, series by series.
#[derive(Debug)]
pub struct Analyzer {
    pub(super) catalog: Arc<Catalog>,
    budget: Budget,
    pub(super) series: Vec<Series>,
    pub(super) index: HashMap<SeriesKey, usize>,
    /// Which series the reading at each place of the last round was; `None` where it is not analyzed.
    order: Vec<(SeriesKey, Option<usize>)>,
    pub(super) machine: Machine,
    /// Anomalies that go on; few.
    pub(super) open: Vec<AnomalyInterval>,
    alone: Alone,
}

/// The one detector that is listened to, where there is one.
#[derive(Debug)]
enum Alone {
    /// All of the default.
    None,
    /// That at its place in the table.
    Detector(usize),
    /// One that each series has its own of.
    Series(fn() -> Box<dyn Detector>),
    /// One that watches all series together.
    Machine(Box<dyn MachineDetector>),
}

fn budget(config: &AnalyzeConfig) -> Budget {
    Budget {
        warn: config.warn_per_week.max(0.0) / WEEK_SECONDS,
        critical: config.critical_per_month.max(0.0) / MONTH_SECONDS,
        genuine: f64::INFINITY,
    }
}

impl Analyzer {
    /// Knows nothing yet.
    pub fn new(config: &AnalyzeConfig, catalog: Arc<Catalog>) -> Self {
        Self {
            catalog,
            budget: budget(config),
            series: Vec::new(),
            index: HashMap::new(),
            order: Vec::new(),
            machine: Machine::default(),
            open: Vec::new(),
            alone: Alone::None,
        }
    }

    /// Takes other settings; what was learned stays.
    pub fn configure(&mut self, config: &AnalyzeConfig) {
        self.budget = budget(config);
    }

    /// Listens to one detector or challenger alone, by name, from the first value on: to see what it is worth without the
    /// others.
    pub fn only(&mut self, detector: &str) {
        let challenger = CHALLENGERS.iter().find(|c| c.name == detector).map(|c| match c.watches {
            Watches::Series(make) => Alone::Series(make),
            Watches::Machine(make) => Alone::Machine(make()),
        });
        let voter = DETECTORS.iter().position(|d| d.name == detector).map(Alone::Detector);
        self.alone = challenger.or(voter).unwrap_or(Alone::None);
    }

    /// Takes in one round of readings. A series that is absent learns nothing and is not judged.
    pub fn observe(&mut self, at: Timestamp, readings: &[Reading]) -> Analysis {
        let mut analysis = Analysis::default();
        let mut changed = self.close_vanished(at, &mut analysis);
        let mut round = Round {
            surprised: Top::new(),
            lasting: Top::new(),
            n: 0,
            together: None,
            is_alone: !matches!(self.alone, Alone::None),
        };
        for (i, reading) in readings.iter().enumerate() {
            let Some(place) = self.place(i, &reading.key) else { continue };
            let series = &mut self.series[place];
            if at.0 <= series.last_at {
                // The clock went back: the value teaches nothing until time has caught up, unless it went far.
                if series.last_at - at.0 > VANISHED_MS {
                    series.last_at = at.0;
                }
                continue;
            }
            let alone = if let Alone::Detector(place) = self.alone { Some(place) } else { None };
            let step = series.observe(at.0, reading.value, alone).unwrap_or(0.0);
            if series.is_learning() {
                continue;
            }
            let step = series.watch.observe(series.score, step, series.bars(), self.budget);
            if step != Step::Quiet {
                changed |= self.follow(at, place, step, &mut analysis);
            }
            let score = self.series[place].score;
            round.n += 1;
            round.surprised.add(score.now, place);
            round.lasting.add(score.lasting, place);
        }
        if let Alone::Machine(detector) = &mut self.alone {
            let values: Vec<f64> = self.series.iter().map(|s| s.scale.inside(s.last)).collect();
            round.together = Some(detector.observe(at.seconds(), &values));
        }
        self.machine.judge(at, (&round, self.budget), (&self.series, &mut self.open), &mut analysis);
        if changed {
            analysis.scores = Some(self.scores(at));
        }
        self.sweep(at);
        analysis
    }

    /// Where the state of the reading's series is; `None` where it is not analyzed.
    fn place(&mut self, i: usize, key: &SeriesKey) -> Option<usize> {
        if let Some((known, place)) = self.order.get(i)
            && known == key
        {
            return *place;
        }
        let place = match self.index.get(key) {
            Some(place) => Some(*place),
            None if !has_habits(key.metric()) => None,
            None => {
                let mut series = Series::new(key.clone(), Scale::of(self.catalog.get(key.metric())));
                if let Alone::Series(make) = self.alone {
                    series.challenge(make());
                }
                self.series.push(series);
                self.index.insert(key.clone(), self.series.len() - 1);
                Some(self.series.len() - 1)
            }
        };
        let entry = (key.clone(), place);
        match self.order.get_mut(i) {
            Some(old) => *old = entry,
            None => self.order.push(entry),
        }
        place
    }

    /// Writes down what a step of a series' watch means; whether the set of scores changed.
    fn follow(&mut self, at: Timestamp, place: usize, step: Step, analysis: &mut Analysis) -> bool {
        let series = &self.series[place];
        let strength = series.watch.strength(series.score, series.bars());
        let reason = || explain::reason(series, at, &self.catalog);
        let seen = Seen { at, value: series.last, strength, verdict: Verdict::Warning, reason: &reason };
        follow(&mut self.open, &series.key, step, &seen, analysis)
    }

    /// Ends anomalies of series that are not read any more; whether there were any.
    fn close_vanished(&mut self, at: Timestamp, analysis: &mut Analysis) -> bool {
        let (index, series) = (&self.index, &mut self.series);
        let before = self.open.len();
        self.open.retain(|anomaly| {
            let Some(series) = index.get(&anomaly.key).map(|place| &mut series[*place]) else { return true };
            let silence = at.0.saturating_sub(series.last_at);
            if silence <= VANISHED_MS.max((5000.0 * series.step) as i64) {
                return true;
            }
            series.watch.interrupt();
            analysis
                .anomalies
                .push(AnomalyChange::Closed(AnomalyInterval { to: Some(Timestamp(series.last_at)), ..anomaly.clone() }));
            false
        });
        self.open.len() != before
    }

    /// Forgets series that were not seen for long, as those of gone containers.
    fn sweep(&mut self, at: Timestamp) {
        if at.0.saturating_sub(self.machine.swept_at) < SWEEP_MS {
            return;
        }
        self.machine.swept_at = at.0;
        let before = self.series.len();
        self.series.retain(|s| at.0.saturating_sub(s.last_at) < FORGET_MS);
        if self.series.len() != before {
            self.order.clear();
            self.index = self.series.iter().enumerate().map(|(place, s)| (s.key.clone(), place)).collect();
        }
    }

    /// Scores of all series that are not normal, by key.
    fn scores(&self, at: Timestamp) -> Vec<Score> {
        let series = self.open.iter().filter_map(|a| Some((a, &self.series[*self.index.get(&a.key)?])));
        let mut scores: Vec<Score> = series
            .map(|(anomaly, series)| Score {
                key: series.key.clone(),
                detector: explain::loudest(series).name.to_owned(),
                strength: anomaly.strength,
                band: series.band(at.seconds()),
                verdict: anomaly.verdict,
                reason: anomaly.reason.clone(),
            })
            .collect();
        scores.sort_by(|a, b| a.key.cmp(&b.key));
        scores
    }

    /// Forgets in which order readings come.
    pub(super) fn forget_order(&mut self) {
        self.order.clear();
    }

    fn get(&self, key: &SeriesKey) -> Option<&Series> {
        self.index.get(key).map(|place| &self.series[*place])
    }

    /// Anomalies that go on, oldest first.
    pub fn open_anomalies(&self) -> &[AnomalyInterval] {
        &self.open
    }

    /// Where values of the series are expected at that time of day; `None` while learning.
    pub fn band(&self, key: &SeriesKey, at: Timestamp) -> Option<Band> {
        self.get(key)?.band(at.seconds())
    }

    /// The usual value of the series at that time of day; `None` while learning.
    pub fn usual(&self, key: &SeriesKey, at: Timestamp) -> Option<f64> {
        self.get(key)?.usual(at.seconds())
    }

    /// The trend of every series over its last 24 minutes, by key. About 5 µs each: for every minute, not every tick.
    pub fn trends(&self) -> Vec<Trend> {
        let mut trends: Vec<Trend> = self.series.iter().map(trend_of).collect();
        trends.sort_by(|a, b| a.key.cmp(&b.key));
        trends
    }

    /// The at most `n` series that moved most alike with `key` in the last ten minutes, strongest first, one of each metric; none
    /// where `key` is unknown or did not move.
    pub fn correlates(&self, key: &SeriesKey, n: usize) -> Vec<Correlate> {
        self.get(key).map(|series| explain::correlates(series, &self.series, &self.catalog, n)).unwrap_or_default()
    }
}

fn trend_of(series: &Series) -> Trend {
    let values: Vec<f64> = series.minutes.values().collect();
    let magnitude = series.scale.inside(series.last);
    let floor = series.scale.outside(magnitude + series.floor) - series.scale.outside(magnitude);
    let slope = trend::slope(&values, floor.abs());
    Trend {
        key: series.key.clone(),
        direction: slope.direction,
        slope_per_second: slope.per_point / 60.0,
        confidence: slope.confidence,
        next: slope.next,
    }
}

/// Whether a metric says something about the machine's habits: not what only grows, never changes, or was made from scores.
pub fn has_habits(metric: &str) -> bool {
    let is_skipped = metric == "uptime_seconds"
        || metric == "health_score"
        || metric == SERVICE_STABILITY
        || metric == PEER_DISTANCE
        || metric == SERVICE_SLOWNESS
        || metric == USUAL_CONNECTIONS
        || metric.starts_with("anomaly_")
        || metric.starts_with("farol_")
        || metric.ends_with("_expiry_seconds");
    !is_skipped
}
