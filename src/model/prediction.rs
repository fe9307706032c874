//! A prediction as it was shown, and what came of it.
//!
//! Invariant: kept as made; only the outcome is written later.

use serde::{Deserialize, Serialize};

use super::SeriesKey;
use crate::base::Timestamp;

/// What came of a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened within the stated interval.
    Right,
    /// It did not.
    Wrong,
}

/// Something that will happen, when, how likely and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Short and never reused.
    pub id: String,
    /// Model that made it: `capacity`, `degradation`, `failure`.
    pub kind: String,
    /// Series it is about.
    pub key: SeriesKey,
    /// What will happen, for people (`/ is full`).
    pub title: String,
    /// The limit that is reached, in the metric's unit.
    pub limit: f64,
    /// How likely, 0–1.
    pub probability: f64,
    /// Most likely moment.
    pub at: Timestamp,
    /// Early end of the 80 % interval.
    pub at_lo: Timestamp,
    /// Late end of the 80 % interval; after it the prediction is due.
    pub at_hi: Timestamp,
    /// How sure the model is of its probability, 0–1.
    pub confidence: f64,
    /// Why, most important first.
    pub factors: Vec<String>,
    /// What to do.
    pub advice: String,
    /// How the forecast behind it was made (`mstl`, `bootstrap`).
    pub method: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// What came of it; `None` while it is open.
    pub outcome: Option<Outcome>,
    /// When that was known.
    pub scored_at: Option<Timestamp>,
}

impl Prediction {
    /// Whether it stands for something that happened without having been said ([`Prediction::MISSED`]).
    pub fn is_missed(&self) -> bool {
        self.method == Self::MISSED
    }

    /// The method of what nobody said before it happened.
    pub const MISSED: &str = "missed";
}

/// Predictions of about one probability, and how many of them came: equal where probabilities are honest.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// Scored ones.
    pub cases: u32,
    /// Those that happened within their interval.
    pub came: u32,
    /// Mean of the probabilities said, 0–1; 0 without cases.
    pub said: f64,
}

/// How predictions did so far; only those shown count.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct TrackRecord {
    /// Shown and scored, or still open.
    pub shown: u32,
    /// Happened within the stated interval.
    pub right: u32,
    /// Did not.
    pub wrong: u32,
    /// Happened without having been shown.
    pub missed: u32,
    /// Mean squared error of the probabilities; `None` before any was scored.
    pub brier: Option<f64>,
    /// The same for always saying the base rate.
    pub base_rate_brier: Option<f64>,
    /// By what was said: from 0.7, from 0.8, from 0.9 up.
    #[serde(default)]
    pub said: [Calibration; 3],
    /// Median time from what was said to what came; `None` before any came.
    #[serde(default)]
    pub lead_seconds: Option<f64>,
}
