//! What a query is once it is understood.

use std::time::Duration;

use super::{QueryError, QueryErrorKind, Series, Value, eval};
use crate::base::{TimeRange, Timestamp, Unit};
use crate::model::{Catalog, SeriesSource};

/// A query that was understood; cheap to evaluate again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    text: String,
}

pub(super) fn parse(text: &str) -> Result<Expr, QueryError> {
    let _ = text;
    Err(QueryError { kind: QueryErrorKind::Invalid, position: 0, message: String::new(), text: text.to_owned() })
}

impl Expr {
    /// Names of the metrics it reads, each once, in the order of the text; a metric given by a pattern is not among them.
    pub fn metrics(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether every metric it names is known.
    ///
    /// # Errors
    /// An unknown metric, with the nearest known one.
    pub fn check(&self, catalog: &Catalog) -> Result<(), QueryError> {
        let _ = (catalog, &self.text);
        Ok(())
    }

    /// Its values at one moment, by labels. A series shows its newest sample at most two of its own intervals old, else nothing.
    ///
    /// # Errors
    /// The source cannot be read, or the two sides of an operator do not match one to one.
    pub fn instant(&self, source: &dyn SeriesSource, at: Timestamp) -> Result<Vec<Value>, QueryError> {
        eval::instant(self, source, at)
    }

    /// Its values at `range.from`, then every `step` up to `range.to`, by labels. The resolution read is the coarsest that serves the
    /// step and the windows.
    ///
    /// # Errors
    /// As for [`Expr::instant`]; also a step of zero and more than 11,000 steps.
    pub fn range(&self, source: &dyn SeriesSource, range: TimeRange, step: Duration) -> Result<Vec<Series>, QueryError> {
        eval::range(self, source, range, step)
    }

    /// The longest window it looks back over (`[5m]`); zero where it has none. Two intervals of a series come on top.
    pub fn max_window(&self) -> Duration {
        Duration::ZERO
    }

    /// The unit of its values: that of its metric where functions and operators keep it, a plain number otherwise.
    pub fn unit(&self, catalog: &Catalog) -> Unit {
        let _ = catalog;
        Unit::Count
    }
}
