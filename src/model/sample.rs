//! What one round of reading the machine gives, and the trait of those who read.
//!
//! Invariant: a reading that could not be made is absent and its source's fault says why; the first
//! reading of a counter gives no rate.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Host, MetricDef, ProcessChange, SeriesKey};
use crate::base::Timestamp;

/// One value of one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Which series.
    pub key: SeriesKey,
    /// The value, in the metric's unit; finite. A counter's is its rate.
    pub value: f64,
    /// The raw count of a counter, for exporters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cumulative: Option<f64>,
}

/// Something a source could not read in this round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFault {
    /// Name of the source (`filesystem`).
    pub source: String,
    /// What failed and where (`statvfs /mnt/nfs: no answer for 12 s`).
    pub message: String,
}

/// All that was read at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sample {
    /// Rises by one a round; the order of everything.
    pub seq: u64,
    /// Wall-clock time of the round.
    pub at: Timestamp,
    /// Monotonic time since the previous round; `None` for the first and after suspend.
    pub since_previous: Option<Duration>,
    /// Readings of this round.
    pub readings: Vec<Reading>,
    /// What changed among the processes.
    pub processes: ProcessChange,
    /// What could not be read.
    pub faults: Vec<SourceFault>,
}

/// Where sources put what they read in one round.
#[derive(Debug, Default)]
pub struct Round {
    /// Wall-clock time.
    pub at: Timestamp,
    /// Monotonic time since the previous round, for rates; `None` where no rate can be made.
    pub since_previous: Option<Duration>,
    /// Readings so far.
    pub readings: Vec<Reading>,
    /// Process changes so far.
    pub processes: ProcessChange,
    /// Faults so far.
    pub faults: Vec<SourceFault>,
    /// Instances left out so far, because there are too many of them.
    pub left_out: usize,
}

impl Round {
    /// Adds the value of a gauge; a value that is not finite is dropped.
    pub fn gauge(&mut self, key: &SeriesKey, value: f64) {
        if value.is_finite() {
            self.readings.push(Reading { key: key.clone(), value, cumulative: None });
        }
    }

    /// Adds a counter's rate with its raw count; values that are not finite are dropped.
    pub fn counter(&mut self, key: &SeriesKey, rate: f64, cumulative: f64) {
        if rate.is_finite() && cumulative.is_finite() {
            self.readings.push(Reading { key: key.clone(), value: rate, cumulative: Some(cumulative) });
        }
    }

    /// Notes that something could not be read.
    pub fn fault(&mut self, source: &str, message: impl Into<String>) {
        self.faults.push(SourceFault { source: source.to_owned(), message: message.into() });
    }
}

/// Reads one part of the machine, through [`Host`] only.
pub trait Source: Send {
    /// Its name: the name of its file.
    fn name(&self) -> &'static str;
    /// The metrics it can give.
    fn metrics(&self) -> &'static [MetricDef];
    /// Reads once. What fails is noted as a fault in `round`; the rest is read all the same.
    fn collect(&mut self, host: &dyn Host, round: &mut Round);
}
