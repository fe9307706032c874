//! The expression language: text to [`Expr`], [`Expr`] over a `SeriesSource` to values.
//!
//! The syntax is PromQL's; what is not understood yet is refused with its position. Nothing here reads
//! a clock, a file or the network: the series come through the source, the moment through the caller.
//! Invariant: a range is the instants at each of its steps; what cannot be known is absent.

mod aggregate;
mod ast;
mod check;
mod error;
mod eval;
pub mod format;
mod functions;
mod lexer;
mod matching;
mod operand;
mod parser;
mod refused;
mod summary;
#[cfg(test)]
mod tests;
mod window;
mod written;

pub use ast::Expr;
pub use error::{QueryError, QueryErrorKind};
pub use summary::{Percentiles, Summary, percentiles, summarize};

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{TimeRange, Timestamp};
use crate::model::SeriesKey;

/// One value of a query at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Name and labels; the name is empty after functions, arithmetic and aggregation.
    pub labels: SeriesKey,
    /// The value; finite.
    pub value: f64,
}

/// One series of a query over a span.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name and labels; the name is empty after functions, arithmetic and aggregation.
    pub labels: SeriesKey,
    /// Instants and finite values, by time; steps without a value are absent.
    pub values: Vec<(Timestamp, f64)>,
}

/// The name a metric's name has among labels.
pub const NAME_LABEL: &str = "__name__";

/// Labels as Prometheus lists them: the name, where there is one, under `__name__`.
pub fn metric_map(labels: &SeriesKey) -> BTreeMap<String, String> {
    let name = (!labels.metric().is_empty()).then_some((NAME_LABEL, labels.metric()));
    name.into_iter().chain(labels.labels()).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

/// The reverse of [`metric_map`].
pub fn metric_key(map: &BTreeMap<String, String>) -> SeriesKey {
    let labels = map.iter().filter(|(n, _)| *n != NAME_LABEL).map(|(n, v)| (n.as_str(), v.as_str()));
    SeriesKey::new(map.get(NAME_LABEL).map_or("", String::as_str), labels)
}

/// Reads a query.
///
/// # Errors
/// A text that is no query, and what PromQL has and this language has not (yet), with the place.
pub fn parse(text: &str) -> Result<Expr, QueryError> {
    Expr::read(text)
}

/// Steps people read easily: those of a clock's face, then whole hours and days.
const NICE_STEPS: [u64; 19] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800];

/// The finest nice step with which a span has at most `points` steps; at least one second.
pub fn auto_step(range: TimeRange, points: usize) -> Duration {
    let points = u64::try_from(points.max(1)).unwrap_or(u64::MAX);
    let least = range.length().as_secs().div_ceil(points);
    let longest = NICE_STEPS[NICE_STEPS.len() - 1];
    let nice = NICE_STEPS.into_iter().find(|s| *s >= least);
    Duration::from_secs(nice.unwrap_or_else(|| least.div_ceil(longest) * longest))
}
