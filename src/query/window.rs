//! Buckets of one series to one value a step.
//!
//! A rolled-up bucket counts as samples at its end, so that no step sees what came after it. Invariant: a
//! step is a function of the buckets that end in its window and of nothing else.

use std::time::Duration;

use super::ast::WindowFunction;
use crate::base::{TimeRange, Timestamp};
use crate::model::{Bucket, Detail, Points, Resolution, STALE_AFTER_INTERVALS, SeriesKey, SeriesSource, SourceError};

/// Span of samples read at once: six of the store's blocks.
const PART: Duration = Duration::from_secs(3600);
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

    /// The same moments, that many milliseconds earlier.
    pub(super) fn back(self, offset: i64) -> Self {
        Self { from: Timestamp(self.from.0.saturating_sub(offset)), ..self }
    }

    pub(super) fn times(self) -> impl Iterator<Item = Timestamp> {
        let step = i64::try_from(self.step.as_millis()).unwrap_or(i64::MAX);
        (0..self.n as i64).map(move |i| Timestamp(self.from.0.saturating_add(step.saturating_mul(i))))
    }

    fn to(self) -> Timestamp {
        self.times().last().unwrap_or(self.from)
    }

    /// The same moments in parts that are read at once: those near each other together, others each by itself.
    fn parts(self) -> impl Iterator<Item = Self> {
        let together = (PART.as_millis() / self.step.as_millis().max(1)).clamp(1, self.n.max(1) as u128) as usize;
        let starts = self.times().step_by(together).enumerate();
        starts.map(move |(part, from)| Self { from, n: together.min(self.n - part * together), ..self })
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
    let mut values = Vec::with_capacity(grid.n);
    for part in grid.parts() {
        newest_of_part(source, key, (part, stale), &mut values)?;
    }
    Ok(values)
}

/// From samples while they are kept: no bucket says how old its newest one is.
fn newest_of_part(
    source: &dyn SeriesSource,
    key: &SeriesKey,
    (grid, stale): (Grid, Duration),
    values: &mut Vec<Option<f64>>,
) -> Result<(), SourceError> {
    // One bucket serves every moment until the next one ends.
    let lookback = |r: Resolution| stale.max(r.step().saturating_sub(Duration::from_millis(1)));
    let points = read(source, key, grid, Resolution::Raw, &lookback)?;
    let lookback = lookback(points.resolution);
    let mut next = 0;
    values.extend(grid.times().map(|at| {
        next += ended(&points, next, at);
        let newest = next.checked_sub(1).and_then(|i| points.buckets.get(i))?;
        (end(newest, points.resolution) >= at - lookback).then_some(newest.last)
    }));
    Ok(())
}

/// A function over the samples of `(step − length, step]` at each step; absent where there is none.
pub(super) fn over_time(
    source: &dyn SeriesSource,
    key: &SeriesKey,
    grid: Grid,
    (function, length): (WindowFunction, Duration),
) -> Result<Vec<Option<f64>>, SourceError> {
    match function {
        WindowFunction::Quantile(q) => return of_values(source, key, (grid, length), |counted| quantile(q, counted)),
        WindowFunction::Stddev => return of_values(source, key, (grid, length), |counted| stddev(counted)),
        _ => {}
    }
    if grid.n == 1 {
        let (buckets, resolution) = at_moment(source, key, (grid.from, length))?;
        return Ok(vec![apply(function, &buckets, (window(grid.from, length), resolution))]);
    }
    let points = read(source, key, grid, grid.resolution_for(length), &|_| length)?;
    let (mut first, mut next) = (0, 0);
    let values = grid.times().map(|at| {
        next += ended(&points, next, at);
        first += ended(&points, first, at - length);
        let buckets = points.buckets.get(first..next)?;
        apply(function, buckets, (window(at, length), points.resolution))
    });
    Ok(values.collect())
}

/// The buckets of `(at − length, at]` from which all functions of a moment are made, and how fine they are.
pub(super) fn at_moment(
    source: &dyn SeriesSource,
    key: &SeriesKey,
    (at, length): (Timestamp, Duration),
) -> Result<(Vec<Bucket>, Resolution), SourceError> {
    let grid = Grid::instant(at);
    let resolution = grid.resolution_for(length);
    if resolution > Resolution::Raw {
        return Ok((whole_window(source, key, window(at, length), resolution)?, resolution));
    }
    let mut points = read(source, key, grid, resolution, &|_| length)?;
    points.buckets.truncate(ended(&points, 0, at));
    points.buckets.drain(..ended(&points, 0, at - length));
    Ok((points.buckets, points.resolution))
}

/// Buckets of one window: rolled up where they lie in it whole, samples at its two ends. Where the samples are gone, the bucket
/// that ends in the window counts.
fn whole_window(
    source: &dyn SeriesSource,
    key: &SeriesKey,
    range: TimeRange,
    resolution: Resolution,
) -> Result<Vec<Bucket>, SourceError> {
    let step = resolution.step();
    let before = |at: Timestamp| Timestamp(at.0.saturating_sub(1));
    let (first, last) = (before(range.from).floor(step) + step, Timestamp(range.to.0.saturating_add(1)).floor(step));
    let part = |from: Timestamp, to: Timestamp, resolution| {
        let range = TimeRange { from, to };
        if from <= to { Ok(Some(source.points(key, range, resolution)?)) } else { Ok(None) }
    };
    let mut buckets = Vec::new();
    if let Some(start) = part(range.from, before(first), Resolution::Raw)? {
        buckets = start.buckets;
        if start.resolution > Resolution::Raw {
            buckets = part(first - step, before(first), resolution)?.map(|p| p.buckets).unwrap_or_default();
        }
    }
    buckets.extend(part(first, before(last), resolution)?.into_iter().flat_map(|p| p.buckets));
    if let Some(end) = part(last.max(first), range.to, Resolution::Raw)?
        && end.resolution == Resolution::Raw
    {
        buckets.extend(end.buckets);
    }
    Ok(buckets)
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

/// The function's value; `None` without buckets.
pub(super) fn apply(function: WindowFunction, buckets: &[Bucket], (window, resolution): (TimeRange, Resolution)) -> Option<f64> {
    let newest = buckets.last()?;
    let count = || buckets.iter().map(|b| f64::from(b.count)).sum::<f64>();
    let sum = || buckets.iter().map(|b| b.mean * f64::from(b.count)).sum::<f64>();
    let value = match function {
        WindowFunction::Avg => sum() / count(),
        WindowFunction::Sum => sum(),
        WindowFunction::Count => count(),
        WindowFunction::Min => buckets.iter().map(|b| b.min).fold(f64::INFINITY, f64::min),
        WindowFunction::Max => buckets.iter().map(|b| b.max).fold(f64::NEG_INFINITY, f64::max),
        WindowFunction::Last => newest.last,
        WindowFunction::Delta => delta(buckets, window)?,
        WindowFunction::Deriv => line(buckets, window.to, resolution)?.0,
        WindowFunction::PredictLinear(seconds) => {
            let (slope, value) = line(buckets, window.to, resolution)?;
            slope.mul_add(seconds, value)
        }
        // Of all values at once.
        WindowFunction::Quantile(_) | WindowFunction::Stddev => return None,
    };
    Some(value).filter(|v| v.is_finite())
}

/// Newest less oldest value, extended to the ends of the window as Prometheus does it: over a gap that is longer than 1.1 times the
/// usual one by half of that only.
fn delta(buckets: &[Bucket], window: TimeRange) -> Option<f64> {
    let [oldest, .., newest] = buckets else { return None };
    let seen = newest.at.since(oldest.at).as_secs_f64();
    let usual = seen / (buckets.len() - 1) as f64;
    let gap = |length: Duration| if length.as_secs_f64() < usual * 1.1 { length.as_secs_f64() } else { usual / 2.0 };
    // The window's first instant is the millisecond after its beginning.
    let begin = Timestamp(window.from.0.saturating_sub(1));
    let extended = seen + gap(oldest.at.since(begin)) + gap(window.to.since(newest.at));
    Some((newest.last - oldest.mean) * extended / seen)
}

/// Slope a second and value at `at` of the straight line of least squares.
fn line(buckets: &[Bucket], at: Timestamp, resolution: Resolution) -> Option<(f64, f64)> {
    let half = resolution.step().as_secs_f64() / 2.0;
    let points = buckets.iter().map(|b| {
        let middle = if b.count > 1 { half } else { 0.0 };
        ((b.at.0 - at.0) as f64 / 1000.0 + middle, b.mean, f64::from(b.count))
    });
    let n: f64 = points.clone().map(|p| p.2).sum();
    let (x, y) = (points.clone().map(|p| p.0 * p.2).sum::<f64>() / n, points.clone().map(|p| p.1 * p.2).sum::<f64>() / n);
    let (xx, xy) = points.fold((0.0, 0.0), |(xx, xy), p| (xx + p.2 * (p.0 - x).powi(2), xy + p.2 * (p.0 - x) * (p.1 - y)));
    let slope = if xx > 0.0 { xy / xx } else { return None };
    Some((slope, y - slope * x))
}

/// A figure of all samples of `(step − length, step]` at each step: of one moment from every sample that is kept, of a span
/// from the sketches of whole hours, which are within 1 %.
fn of_values(
    source: &dyn SeriesSource,
    key: &SeriesKey,
    (grid, length): (Grid, Duration),
    figure: impl Fn(&mut [(f64, u64)]) -> Option<f64>,
) -> Result<Vec<Option<f64>>, SourceError> {
    let detail = if grid.n <= 1 { Detail::Exact } else { Detail::Sketched };
    let one = |at: Timestamp| Ok(figure(&mut source.values(key, window(at, length), detail)?.counted));
    grid.times().map(one).collect()
}

/// Standard deviation of the values as they are, as PromQL has it; absent without values.
pub(super) fn stddev(counted: &[(f64, u64)]) -> Option<f64> {
    let n: f64 = counted.iter().map(|(_, n)| *n as f64).sum();
    let mean = counted.iter().map(|(v, n)| v * *n as f64).sum::<f64>() / n;
    let squares: f64 = counted.iter().map(|(v, n)| (v - mean).powi(2) * *n as f64).sum();
    (n > 0.0).then(|| (squares / n).sqrt()).filter(|v| v.is_finite())
}

/// `(at − length, at]` in whole milliseconds.
pub(super) fn window(at: Timestamp, length: Duration) -> TimeRange {
    TimeRange { from: Timestamp((at - length).0.saturating_add(1)), to: at }
}

/// Quantile of values with counts, by linear interpolation between ranks as Prometheus does it; absent without values.
pub(super) fn quantile(q: f64, values: &mut [(f64, u64)]) -> Option<f64> {
    sort(values);
    quantile_of_sorted(q, values)
}

/// Values by size, as [`quantile_of_sorted`] wants them.
pub(super) fn sort(values: &mut [(f64, u64)]) {
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
}

/// The same of values that are sorted already.
pub(super) fn quantile_of_sorted(q: f64, values: &[(f64, u64)]) -> Option<f64> {
    let total: u64 = values.iter().map(|(_, n)| *n).sum();
    let rank = q * total.saturating_sub(1) as f64;
    let at_rank = |rank: f64| {
        let mut before = 0;
        let found = values.iter().find(|(_, n)| {
            before += *n;
            rank < before as f64
        });
        found.or(values.last()).map(|(value, _)| *value)
    };
    let (low, high) = (at_rank(rank.floor())?, at_rank(rank.ceil())?);
    Some(low + (high - low) * rank.fract())
}
