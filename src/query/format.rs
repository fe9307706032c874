//! Query results as text: a table for people, CSV, and the JSON envelope of the Prometheus HTTP API.
//!
//! Pure functions; nothing here knows the time zone or the clock.

use super::Series;
use crate::base::{Timestamp, Unit};

/// How a table is written.
pub struct TableStyle<'a> {
    /// Unit of the values ([`super::Expr::unit`]).
    pub unit: Unit,
    /// Writes an instant as local time or UTC.
    pub time: &'a dyn Fn(Timestamp) -> String,
}

/// Whether a result is of one moment or of a span; Prometheus writes them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `vector`: each series has one value.
    Instant,
    /// `matrix`: each series has values by time.
    Range,
}

/// Rows of time, series and value for people; one header row; ends with a line break.
pub fn table(series: &[Series], style: &TableStyle<'_>) -> String {
    let _ = (series, style);
    String::new()
}

/// RFC 4180 with the columns `time` (RFC 3339, UTC), `series` and `value` (base unit).
pub fn csv(series: &[Series]) -> String {
    let _ = series;
    String::new()
}

/// The Prometheus HTTP API's envelope, with `schema` and `generated_at` added; instants are seconds, values texts.
pub fn json(series: &[Series], shape: Shape, generated_at: Timestamp) -> String {
    let _ = (series, shape, generated_at);
    String::new()
}
