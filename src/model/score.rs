//! How unusual a value is, the band it was expected in, and where a series is heading.

use serde::{Deserialize, Serialize};

use super::SeriesKey;
use crate::base::Timestamp;

/// A range of values.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Band {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What a detector makes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Too little history to say.
    #[default]
    Learning,
    /// As expected.
    Normal,
    /// Unusual: marked.
    Warning,
    /// Very unusual.
    Critical,
}

/// What one detector says of the newest value of one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Which series.
    pub key: SeriesKey,
    /// Name of the detector.
    pub detector: String,
    /// How unusual, 0 (as always) to 1 (never seen).
    pub strength: f64,
    /// Where the value was expected; `None` while learning.
    pub band: Option<Band>,
    /// What it means.
    pub verdict: Verdict,
    /// One line for people (`6.2 spreads above its usual 31–38%`).
    pub reason: String,
}

/// A stretch of time in which a series was unusual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnomalyInterval {
    /// Which series.
    pub key: SeriesKey,
    /// First unusual sample.
    pub from: Timestamp,
    /// Last unusual sample; `None` while it goes on.
    pub to: Option<Timestamp>,
    /// The most unusual value in it.
    pub peak: f64,
    /// When that was.
    pub peak_at: Timestamp,
    /// Highest strength in it, 0–1.
    pub strength: f64,
    /// Worst verdict in it.
    pub verdict: Verdict,
    /// One line for people.
    pub reason: String,
}

/// Where a series is heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrendDirection {
    /// Rising.
    Up,
    /// Falling.
    Down,
    /// Neither.
    Flat,
    /// Fewer points than a trend needs.
    InsufficientData,
}

/// The trend of a series over its last points (24 by default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Which series.
    pub key: SeriesKey,
    /// Where it is heading.
    pub direction: TrendDirection,
    /// Change per second, in the metric's unit.
    pub slope_per_second: f64,
    /// How sure, 0–1.
    pub confidence: f64,
    /// The next value, one step on; `None` with insufficient data.
    pub next: Option<f64>,
}
