//! What stands out among parts that are alike, over days, and among programs.
//!
//! Never a verdict: nobody is told of these by themselves. Invariant: texts for people are complete sentences' worth, with units.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::SeriesKey;
use crate::base::Timestamp;

/// A part that behaves unlike its siblings: one core, disk, interface or container of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outlier {
    /// Its series.
    pub key: SeriesKey,
    /// Its mean over the last minutes, in the metric's unit.
    pub value: f64,
    /// Lowest and highest of its siblings.
    pub siblings: (f64, f64),
    /// How many siblings it has.
    pub n_siblings: u32,
    /// How many spreads it lies from their middle, below it negative.
    pub distance: f64,
    /// Since when.
    pub since: Timestamp,
    /// `98% where its 7 siblings have 3% to 9%`.
    pub reason: String,
}

/// What of a series changed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShiftKind {
    /// Where it lies.
    Level,
    /// How much it varies.
    Spread,
}

/// A moment from which a series was another one: a change point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// Which series.
    pub key: SeriesKey,
    /// The first moment of what is new.
    pub at: Timestamp,
    /// What changed.
    pub kind: ShiftKind,
    /// Level or spread before, in the metric's unit.
    pub before: f64,
    /// The same after.
    pub after: f64,
    /// Size of the change in spreads; of a change of spread, how many times as large or small it became.
    pub size: f64,
    /// What happened then (`postgres restarted`); `None` where nothing is known.
    pub with: Option<String>,
    /// `level of memory_used_ratio changed from 31% to 62%, when postgres restarted`.
    pub text: String,
}

/// Programs or services that behave alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// `programs` or `services`.
    pub of: String,
    /// Their names, in the order of the alphabet.
    pub members: Vec<String>,
    /// What they have in common that others have not, most telling first; empty where they are like most.
    pub differs: Vec<String>,
}

/// Everything that stands out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Patterns {
    /// Parts unlike their siblings now.
    pub outliers: Arc<[Outlier]>,
    /// Changes of the last week, newest first.
    pub shifts: Arc<[Shift]>,
    /// Groups, of each kind the largest first; empty where all are alike.
    pub clusters: Arc<[Cluster]>,
}
