//! The figures of one series over a span, for reports.
//!
//! Invariant: each equals what a query of the same span gives (`max_over_time(metric[24h])` at its end): it is
//! computed by the same lines, from samples that are read once.

use super::ast::WindowFunction;
use super::window::{apply, at_moment, quantile_of_sorted, sort, window};
use crate::base::TimeRange;
use crate::model::{Detail, SeriesKey, SeriesSource, SourceError};

/// Figures of one series over a span.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Smallest value.
    pub min: f64,
    /// Arithmetic mean over all samples.
    pub mean: f64,
    /// Largest value.
    pub max: f64,
    /// Newest value.
    pub last: f64,
    /// Number of samples.
    pub n: u64,
}

/// Quantiles of one series over a span.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentiles {
    /// Half of the samples are not above it.
    pub p50: f64,
    /// 95 of 100 samples are not above it.
    pub p95: f64,
    /// 99 of 100 samples are not above it.
    pub p99: f64,
    /// Made from every sample; false: from sketches, within 1 %, or from rollups.
    pub exact: bool,
}

/// The figures of `(from, to]`; `None` where nothing was observed.
///
/// # Errors
/// The series cannot be read.
pub fn summarize(source: &dyn SeriesSource, key: &SeriesKey, range: TimeRange) -> Result<Option<Summary>, SourceError> {
    let (buckets, resolution) = at_moment(source, key, (range.to, range.length()))?;
    let over = |function| apply(function, &buckets, (window(range.to, range.length()), resolution));
    let [min, mean, max] = [WindowFunction::Min, WindowFunction::Avg, WindowFunction::Max].map(over);
    let (last, n) = (over(WindowFunction::Last), over(WindowFunction::Count));
    let (Some(min), Some(mean), Some(max), Some(last), Some(n)) = (min, mean, max, last, n) else { return Ok(None) };
    Ok(Some(Summary { min, mean, max, last, n: n as u64 }))
}

/// The quantiles of `(from, to]`; `None` where neither samples nor sketches are kept.
///
/// # Errors
/// The series cannot be read.
pub fn percentiles(source: &dyn SeriesSource, key: &SeriesKey, range: TimeRange) -> Result<Option<Percentiles>, SourceError> {
    let mut values = source.values(key, window(range.to, range.length()), Detail::Exact)?;
    sort(&mut values.counted);
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|q| quantile_of_sorted(q, &values.counted));
    let (Some(p50), Some(p95), Some(p99)) = (p50, p95, p99) else { return Ok(None) };
    Ok(Some(Percentiles { p50, p95, p99, exact: !values.sketched }))
}
