//! What is usual for every series, and what is not.

use std::sync::Arc;

use crate::base::{Timestamp, Unit};
use crate::model::{AnomalyInterval, Band, Catalog, Correlate, GoodDirection, MetricDef, Reading, Score, SeriesKey, Trend};

use super::AnalyzeConfig;

/// Strength from which a series or the machine is a warning.
pub const WARN_STRENGTH: f64 = 0.5;
/// Strength from which it is critical.
pub const CRITICAL_STRENGTH: f64 = 0.8;

/// The metrics this room gives: 0.5 is the warning threshold, 0.8 the critical one, 1 never seen.
pub const METRICS: &[MetricDef] = &[
    MetricDef::gauge("anomaly_machine_score", Unit::Ratio, "How unusual the machine is; 0.5 warns, 0.8 is critical.")
        .good(GoodDirection::Down),
    MetricDef::gauge("anomaly_score", Unit::Ratio, "How unusual a series is that is not normal; 0.5 warns, 0.8 is critical.")
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

/// Why saved state was not taken over; the analyzer then learns anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// Not written by [`Analyzer::save`], or damaged.
    #[error("the learned state is damaged")]
    Damaged,
    /// Written by a version that learns in another way.
    #[error("the learned state is of format {0}, this version reads {FORMAT}")]
    Format(u16),
}

const FORMAT: u16 = 1;

/// Learns what is usual, series by series.
#[derive(Debug)]
pub struct Analyzer {
    catalog: Arc<Catalog>,
}

impl Analyzer {
    /// Knows nothing yet.
    pub fn new(config: &AnalyzeConfig, catalog: Arc<Catalog>) -> Self {
        let _ = config;
        Self { catalog }
    }

    /// Takes in one round of readings.
    pub fn observe(&mut self, at: Timestamp, readings: &[Reading]) -> Analysis {
        let _ = (at, readings, &self.catalog);
        Analysis::default()
    }

    /// Where values of the series are expected at that time of day; `None` while learning.
    pub fn band(&self, key: &SeriesKey, at: Timestamp) -> Option<Band> {
        let _ = (key, at);
        None
    }

    /// The usual value of the series at that time of day; `None` while learning.
    pub fn usual(&self, key: &SeriesKey, at: Timestamp) -> Option<f64> {
        let _ = (key, at);
        None
    }

    /// The trend of every series, by key.
    pub fn trends(&self) -> Vec<Trend> {
        Vec::new()
    }

    /// The at most `n` series that moved most alike with `key` in the last minutes, strongest first.
    pub fn correlates(&self, key: &SeriesKey, n: usize) -> Vec<Correlate> {
        let _ = (key, n);
        Vec::new()
    }

    /// All that was learned, for the `model` table; restored it goes on as if it had never stopped.
    pub fn save(&mut self, at: Timestamp) -> Vec<u8> {
        at.millis().to_le_bytes().to_vec()
    }

    /// Takes over what was saved; discarded without an error where it is older than 7 days at `now`.
    ///
    /// # Errors
    /// Bytes that were not written by [`Self::save`] of this format; nothing is taken over then.
    pub fn restore(&mut self, now: Timestamp, bytes: &[u8]) -> Result<(), RestoreError> {
        let _ = now;
        if bytes.len() == 8 { Ok(()) } else { Err(RestoreError::Damaged) }
    }
}
