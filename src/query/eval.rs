//! Values of an expression over a source.

use std::time::Duration;

use super::{Expr, QueryError, Series, Value};
use crate::base::{TimeRange, Timestamp};
use crate::model::SeriesSource;

pub(super) fn instant(expr: &Expr, source: &dyn SeriesSource, at: Timestamp) -> Result<Vec<Value>, QueryError> {
    let _ = (expr, source, at);
    Ok(Vec::new())
}

pub(super) fn range(expr: &Expr, source: &dyn SeriesSource, range: TimeRange, step: Duration) -> Result<Vec<Series>, QueryError> {
    let _ = (expr, source, range, step);
    Ok(Vec::new())
}
