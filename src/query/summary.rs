//! The figures of one series over a span, for reports.
//!
//! Invariant: each equals what a query of the same span gives (`max_over_time(metric[24h])` at its end): it is
//! computed by the same lines.

use super::ast::WindowFunction;
use super::window::{Grid, over_time, quantile, window};
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
    /// Median, 95th and 99th percentile; `None` where neither samples nor sketches are kept.
    pub percentiles: Option<[f64; 3]>,
    /// The percentiles are made from every sample; false: from sketches, within 1 %, or from rollups.
    pub percentiles_exact: bool,
}

/// The figures of `(from, to]`; `None` where nothing was observed.
///
/// # Errors
/// The series cannot be read.
pub fn summarize(source: &dyn SeriesSource, key: &SeriesKey, range: TimeRange) -> Result<Option<Summary>, SourceError> {
    let length = range.length();
    let over = |function| -> Result<Option<f64>, SourceError> {
        Ok(over_time(source, key, Grid::instant(range.to), (function, length))?.first().copied().flatten())
    };
    let [min, mean, max] = [over(WindowFunction::Min)?, over(WindowFunction::Avg)?, over(WindowFunction::Max)?];
    let (last, n) = (over(WindowFunction::Last)?, over(WindowFunction::Count)?);
    let (Some(min), Some(mean), Some(max), Some(last), Some(n)) = (min, mean, max, last, n) else { return Ok(None) };
    let mut values = source.values(key, window(range.to, length), Detail::Exact)?;
    let mut percentile = |q: f64| quantile(q, &mut values.counted);
    let percentiles = percentile(0.5).zip(percentile(0.95)).zip(percentile(0.99)).map(|((a, b), c)| [a, b, c]);
    Ok(Some(Summary { min, mean, max, last, n: n as u64, percentiles, percentiles_exact: !values.sketched }))
}
