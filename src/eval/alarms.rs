//! What farol would have alarmed: its own analysis over recorded samples, one after the other.
//!
//! Invariant: at each sample the analyzer has seen what came before and nothing else; an alarm opens at the newest
//! sample known when it was raised.

use std::sync::Arc;

use serde::Serialize;

use super::protocol::Span;
use super::table::Table;
use crate::analyze::{AnalyzeConfig, Analyzer, AnomalyChange, MACHINE_SCORE};
use crate::base::Timestamp;
use crate::model::{AnomalyInterval, Catalog, Reading, SeriesKey, Verdict};

/// How severe an alarm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Unusual, but as on other days at this time, or before days are known: marked, nobody is told.
    /// A line of the protocol has no third word for it.
    #[serde(rename = "warn")]
    Mark,
    /// Worth a look.
    Warn,
    /// Worth being woken up.
    Critical,
}

/// One line of the alarm stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alarm {
    /// Unix seconds of the newest sample known when it was raised.
    pub opened: i64,
    /// The last sample at which it was open; `None` at the end of the file.
    pub closed: Option<i64>,
    /// How severe; an escalation is a second line.
    pub severity: Severity,
    /// Strength when it was raised, 0–1.
    pub score: f64,
    /// Why, for people.
    #[serde(skip)]
    pub reason: String,
}

impl Alarm {
    /// Its span; one that is open ends with the file.
    pub fn span(&self, end: i64) -> Span {
        (self.opened, self.closed.unwrap_or(end.max(self.opened)))
    }
}

/// How series are watched.
#[derive(Debug, Clone)]
pub struct Watching {
    /// Units of known metrics.
    pub catalog: Arc<Catalog>,
    /// The configuration.
    pub config: AnalyzeConfig,
    /// One detector alone, or all as they run.
    pub detector: Option<&'static str>,
}

/// The key of a column: a known metric's own, else one of a metric nobody knows, which is compared as it is.
pub fn key_of(name: &str, catalog: &Catalog) -> SeriesKey {
    let known = name.parse::<SeriesKey>().ok().filter(|key| catalog.get(key.metric()).is_some());
    known.unwrap_or_else(|| SeriesKey::new("value", [("column", name)]))
}

/// The alarms of a machine whose samples these are.
pub fn watch(table: &Table, watching: &Watching) -> Vec<Alarm> {
    let mut analyzer = Analyzer::new(&watching.config, Arc::clone(&watching.catalog));
    if let Some(name) = watching.detector {
        analyzer.only(name);
    }
    let keys: Vec<SeriesKey> = table.columns.iter().map(|c| key_of(&c.name, &watching.catalog)).collect();
    let mut readings = Vec::with_capacity(keys.len());
    let mut stream = Stream::default();
    for (row, at) in table.times.iter().enumerate() {
        readings.clear();
        let present = keys.iter().zip(&table.columns).filter_map(|(key, c)| Some((key, c.values[row]?)));
        readings.extend(present.map(|(key, value)| Reading { key: key.clone(), value, cumulative: None }));
        for change in analyzer.observe(Timestamp::from_seconds(*at), &readings).anomalies {
            stream.take(*at, change);
        }
    }
    stream.alarms
}

/// Alarms in the making.
#[derive(Debug, Default)]
struct Stream {
    alarms: Vec<Alarm>,
    /// Where the open ones are.
    open: Vec<usize>,
}

impl Stream {
    fn take(&mut self, at: i64, change: AnomalyChange) {
        let (AnomalyChange::Opened(seen) | AnomalyChange::Updated(seen) | AnomalyChange::Closed(seen)) = &change;
        if seen.key.metric() != MACHINE_SCORE {
            return;
        }
        if let AnomalyChange::Closed(_) = change {
            for place in self.open.drain(..) {
                self.alarms[place].closed = Some(at);
            }
            return;
        }
        let reached = match seen.verdict {
            Verdict::Critical => &[Severity::Warn, Severity::Critical][..],
            Verdict::Warning => &[Severity::Warn],
            Verdict::Normal | Verdict::Learning => &[Severity::Mark],
        };
        for severity in reached {
            if self.open.iter().all(|place| self.alarms[*place].severity < *severity) {
                self.raise(at, *severity, seen);
            }
        }
    }

    fn raise(&mut self, at: i64, severity: Severity, seen: &AnomalyInterval) {
        self.open.push(self.alarms.len());
        self.alarms.push(Alarm { opened: at, closed: None, severity, score: seen.strength, reason: seen.reason.clone() });
    }
}
