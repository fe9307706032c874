//! Buckets of one series to one value a step.
//!
//! A rolled-up bucket counts as samples at its end, so that no step sees what came after it. Invariant: a
//! step is a function of the buckets that end in its window and of nothing else.

use std::time::Duration;

use super::ast::WindowFunction;
use crate::base::{TimeRange, Timestamp};
use crate::model::{Bucket, Points, Resolution, SeriesKey, SeriesSource, SourceError};

/// Two intervals: one sample may be late or missing (`contracts.md` §1).
const STALE_AFTER_INTERVALS: u32 = 2;
/// A window of a moment is made of at least this many buckets: one minute of samples in an hour's figure errs by 2 %.
const BUCKETS_AT_A_MOMENT: u32 = 60;
/// A window of a span is made of at least this many buckets, so that long spans stay cheap.
const BUCKETS_IN_A_SPAN: u32 = 5;

/// The moments of an evaluation: `n` of them from `from`, `step` apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub from: Timestamp,
    pub step: Duration,
    pub n: usize,
}

impl Grid {
    /// One moment.
    pub(super) fn instant(at: Timestamp) -> Self {
        Self { from: at, step: Duration::ZERO, n: 1 }
    }

    pub(super) fn times(self) -> impl Iterator<Item = Timestamp> {
        let step = i64::try_from(self.step.as_millis()).unwrap_or(i64::MAX);
        (0..self.n as i64).map(move |i| Timestamp(self.from.0.saturating_add(step.saturating_mul(i))))
    }

    fn to(self) -> Timestamp {
        self.times().last().unwrap_or(self.from)
    }

    /// The resolution that serves plain selectors.
    fn resolution(self) -> Resolution {
        if self.n <= 1 { Resolution::Raw } else { Resolution::for_step(self.step) }
    }

    fn resolution_for(self, window: Duration) -> Resolution {
        if self.n <= 1 {
            Resolution::for_step(window / BUCKETS_AT_A_MOMENT)
        } else {
            Resolution::for_step(self.step.min(window / BUCKETS_IN_A_SPAN))
        }
    }
}

/// The newest sample at each step, where it is fresh.
pub(super) fn newest(source: &dyn SeriesSource, key: &SeriesKey, grid: Grid) -> Result<Vec<Option<f64>>, SourceError> {
    let stale = source.interval(key) * STALE_AFTER_INTERVALS;
    // One bucket serves every moment until the next one ends.
    let lookback = |r: Resolution| stale.max(r.step().saturating_sub(Duration::from_millis(1)));
    let points = read(source, key, grid, grid.resolution(), &lookback)?;
    let lookback = lookback(points.resolution);
    let mut next = 0;
    let values = grid.times().map(|at| {
        next += ended(&points, next, at);
        let newest = next.checked_sub(1).and_then(|i| points.buckets.get(i))?;
        (end(newest, points.resolution) >= at - lookback).then_some(newest.last)
    });
    Ok(values.collect())
}

/// A function over the samples of `(step − length, step]` at each step; absent where there is none.
pub(super) fn over_time(
    source: &dyn SeriesSource,
    key: &SeriesKey,
    grid: Grid,
    (function, length): (WindowFunction, Duration),
) -> Result<Vec<Option<f64>>, SourceError> {
    let points = read(source, key, grid, grid.resolution_for(length), &|_| length)?;
    let (mut first, mut next) = (0, 0);
    let mut scratch = Vec::new();
    let values = grid.times().map(|at| {
        next += ended(&points, next, at);
        first += ended(&points, first, at - length);
        let buckets = points.buckets.get(first..next)?;
        if buckets.is_empty() { None } else { Some(apply(function, buckets, &mut scratch)) }
    });
    Ok(values.collect())
}

/// Buckets for all steps, each with `lookback` before it.
fn read(
    source: &dyn SeriesSource,
    key: &SeriesKey,
    grid: Grid,
    resolution: Resolution,
    lookback: &dyn Fn(Resolution) -> Duration,
) -> Result<Points, SourceError> {
    let at = |r: Resolution| {
        let range = TimeRange { from: grid.from - lookback(r) - r.step(), to: grid.to() };
        source.points(key, range, r)
    };
    let points = at(resolution)?;
    // Only coarser ones are kept: the first steps need buckets that begin earlier.
    if points.resolution > resolution { at(points.resolution) } else { Ok(points) }
}

fn end(bucket: &Bucket, resolution: Resolution) -> Timestamp {
    bucket.at + resolution.step()
}

/// How many buckets from `from` on end at or before `at`.
fn ended(points: &Points, from: usize, at: Timestamp) -> usize {
    let rest = points.buckets.iter().skip(from);
    rest.take_while(|b| end(b, points.resolution) <= at).count()
}

/// The function's value; `buckets` is not empty. `scratch` is reused between steps.
fn apply(function: WindowFunction, buckets: &[Bucket], scratch: &mut Vec<(f64, u32)>) -> f64 {
    let count = || buckets.iter().map(|b| f64::from(b.count)).sum::<f64>();
    let sum = || buckets.iter().map(|b| b.mean * f64::from(b.count)).sum::<f64>();
    match function {
        WindowFunction::Avg => sum() / count(),
        WindowFunction::Sum => sum(),
        WindowFunction::Count => count(),
        WindowFunction::Min => buckets.iter().map(|b| b.min).fold(f64::INFINITY, f64::min),
        WindowFunction::Max => buckets.iter().map(|b| b.max).fold(f64::NEG_INFINITY, f64::max),
        WindowFunction::Last => buckets.last().map_or(f64::NAN, |b| b.last),
        WindowFunction::Quantile(q) => {
            scratch.clear();
            scratch.extend(buckets.iter().map(|b| (b.mean, b.count)));
            quantile(q, scratch)
        }
    }
}

/// Quantile of values with counts, by linear interpolation between ranks as Prometheus does it; a rolled-up bucket stands
/// with its mean for each of its samples.
fn quantile(q: f64, values: &mut [(f64, u32)]) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|(_, n)| f64::from(*n)).sum();
    let rank = q * (total - 1.0).max(0.0);
    let at_rank = |rank: f64| {
        let mut before = 0.0;
        let found = values.iter().find(|(_, n)| {
            before += f64::from(*n);
            rank < before
        });
        found.or(values.last()).map_or(f64::NAN, |(value, _)| *value)
    };
    let (low, high) = (at_rank(rank.floor()), at_rank(rank.ceil()));
    low + (high - low) * rank.fract()
}
