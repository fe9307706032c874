//! Series as queries read them, wherever they are kept.
//!
//! The live head, the store, the simulation and a remote engine all answer through [`SeriesSource`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Matcher, SeriesKey};
use crate::base::{TimeRange, Timestamp};

/// Values of a span rolled up; a raw sample is a bucket with a count of 1 and four equal values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Start of the span; for a raw sample its time.
    pub at: Timestamp,
    /// Smallest value.
    pub min: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Largest value.
    pub max: f64,
    /// Newest value.
    pub last: f64,
    /// Number of samples.
    pub count: u32,
}

impl Bucket {
    /// One sample.
    pub fn raw(at: Timestamp, value: f64) -> Self {
        Self { at, min: value, mean: value, max: value, last: value, count: 1 }
    }

    /// Adds a later bucket to this one; its start stays.
    pub fn merge(&mut self, later: &Self) {
        let total = f64::from(self.count) + f64::from(later.count);
        self.mean = (self.mean * f64::from(self.count) + later.mean * f64::from(later.count)) / total;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.last = later.last;
        self.count = self.count.saturating_add(later.count);
    }
}

/// A sample is shown up to two intervals of its series after it was taken: one may be late or missing (`contracts.md` §1).
pub const STALE_AFTER_INTERVALS: u32 = 2;

/// How finely a series is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Every sample.
    Raw,
    /// 10 s.
    TenSeconds,
    /// 1 min.
    Minute,
    /// 1 h.
    Hour,
}

impl Resolution {
    /// Finest first.
    pub const ALL: [Self; 4] = [Self::Raw, Self::TenSeconds, Self::Minute, Self::Hour];

    /// Length of its buckets; zero for raw samples.
    pub fn step(self) -> Duration {
        Duration::from_secs(match self {
            Self::Raw => 0,
            Self::TenSeconds => 10,
            Self::Minute => 60,
            Self::Hour => 3600,
        })
    }

    /// The coarsest resolution whose buckets are not longer than `step`.
    pub fn for_step(step: Duration) -> Self {
        Self::ALL.into_iter().rev().find(|r| r.step() <= step).unwrap_or(Self::Raw)
    }
}

/// Buckets of one series, by time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Points {
    /// Which series.
    pub key: SeriesKey,
    /// How fine they are.
    pub resolution: Resolution,
    /// By time, each instant once; gaps are absent.
    pub buckets: Vec<Bucket>,
}

impl Points {
    /// The usual time between two samples: the median, which neither a gap nor a sample too many moves; `None` for fewer than two.
    pub fn interval(&self) -> Option<Duration> {
        let within = self.buckets.iter().filter(|b| b.count > 1).map(|b| self.resolution.step() / b.count);
        let single = |w: &&[Bucket]| w[0].count == 1 && w[1].count == 1;
        let between = self.buckets.windows(2).filter(single).map(|w| w[1].at.since(w[0].at));
        let mut steps: Vec<Duration> = within.chain(between).collect();
        steps.sort_unstable();
        steps.get(steps.len() / 2).copied()
    }
}

/// How closely the values of a span are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Every sample, where all of the span are kept; else as [`Detail::Sketched`], for some samples make nothing exact.
    Exact,
    /// Whole hours may come from their sketch, which is much less to read.
    Sketched,
}

/// The values of a span, without their times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    /// Values and how many samples have each, in any order.
    pub counted: Vec<(f64, u64)>,
    /// At least one value is not exact: it stands for samples within 1 % of it, or is the mean of a bucket.
    pub sketched: bool,
}

/// Why series could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);

/// Somewhere series can be read from.
pub trait SeriesSource {
    /// All series of a metric whose labels match; the metric may be a matcher on `__name__` (then `metric` is `None`).
    ///
    /// # Errors
    /// What keeps it from reading.
    fn select(&self, metric: Option<&str>, matchers: &[Matcher]) -> Result<Vec<SeriesKey>, SourceError>;

    /// Buckets of one series that begin within `range`, as near to `resolution` as is kept there (finer or coarser).
    /// Where nothing is kept the result is empty.
    ///
    /// # Errors
    /// What keeps it from reading.
    fn points(&self, key: &SeriesKey, range: TimeRange, resolution: Resolution) -> Result<Points, SourceError>;

    /// Values of one series in `range`: what quantiles are made from. Of hours whose samples are gone, those that end in the
    /// range count.
    ///
    /// # Errors
    /// What keeps it from reading.
    fn values(&self, key: &SeriesKey, range: TimeRange, _detail: Detail) -> Result<Values, SourceError> {
        let buckets = self.points(key, range, Resolution::Raw)?.buckets;
        let sketched = buckets.iter().any(|b| b.count > 1);
        Ok(Values { counted: buckets.iter().map(|b| (b.mean, u64::from(b.count))).collect(), sketched })
    }

    /// Nominal time between two samples of the series.
    fn interval(&self, key: &SeriesKey) -> Duration;
}
