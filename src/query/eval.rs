//! Values of a tree over a source.
//!
//! One moment is a grid of one step, so a range and its instants share every line. Invariant: values
//! are finite; what is not (a division by zero) is absent.

use std::time::Duration;

use super::aggregate::aggregate;
use super::ast::{Node, Operator, Selector, WindowFunction};
use super::matching::binary;
use super::window::{self, Grid};
use super::{Expr, QueryError, QueryErrorKind, Series, Value};
use crate::base::{TimeRange, Timestamp};
use crate::model::{SeriesKey, SeriesSource, SourceError};

/// Most steps of a range; Prometheus' limit.
const MAX_STEPS: u128 = 11_000;

pub(super) fn instant(expr: &Expr, source: &dyn SeriesSource, at: Timestamp) -> Result<Vec<Value>, QueryError> {
    let rows = rows(expr, source, Grid::instant(at))?;
    let value = |row: Row| row.values.first().copied().flatten().map(|value| Value { labels: row.labels, value });
    Ok(rows.into_iter().filter_map(value).collect())
}

pub(super) fn range(expr: &Expr, source: &dyn SeriesSource, range: TimeRange, step: Duration) -> Result<Vec<Series>, QueryError> {
    let refuse = |message: String| Err(expr.error(QueryErrorKind::Invalid, 0, message));
    if step.as_millis() == 0 {
        return refuse("the step must be at least 1ms".to_owned());
    }
    let n = range.length().as_millis() / step.as_millis() + 1;
    if n > MAX_STEPS {
        return refuse(format!("{n} steps are more than {MAX_STEPS}; take a longer step or a shorter span"));
    }
    let grid = Grid { from: range.from, step, n: if range.to < range.from { 0 } else { n as usize } };
    let rows = rows(expr, source, grid)?;
    let series = rows.into_iter().map(|row| {
        let values = grid.times().zip(row.values).filter_map(|(at, value)| value.map(|v| (at, v)));
        Series { labels: row.labels, values: values.collect() }
    });
    Ok(series.filter(|s| !s.values.is_empty()).collect())
}

/// One series on the grid.
pub(super) struct Row {
    pub labels: SeriesKey,
    /// One for each step.
    pub values: Vec<Option<f64>>,
}

pub(super) enum Operand {
    Number(f64),
    Vector(Vec<Row>),
}

struct Evaluation<'a> {
    expr: &'a Expr,
    source: &'a dyn SeriesSource,
    grid: Grid,
}

/// The rows of the whole query, by labels.
fn rows(expr: &Expr, source: &dyn SeriesSource, grid: Grid) -> Result<Vec<Row>, QueryError> {
    let mut rows = match (Evaluation { expr, source, grid }).node(&expr.root)? {
        Operand::Number(number) => {
            vec![Row { labels: SeriesKey::total(""), values: vec![Some(number).filter(|n| n.is_finite()); grid.n] }]
        }
        Operand::Vector(rows) => rows,
    };
    rows.sort_by(|a, b| a.labels.cmp(&b.labels));
    match rows.windows(2).find(|pair| pair[0].labels == pair[1].labels) {
        Some(pair) => Err(expr.error(QueryErrorKind::Invalid, 0, ambiguous("result", &pair[0].labels))),
        None => Ok(rows),
    }
}

fn ambiguous(place: &str, labels: &SeriesKey) -> String {
    let labels = if labels.is_total() { "no labels".to_owned() } else { format!("the labels {labels}") };
    format!("several series of the {place} have {labels}; aggregate them or name one metric")
}

impl Evaluation<'_> {
    fn node(&self, node: &Node) -> Result<Operand, QueryError> {
        Ok(match node {
            Node::Number(number) => Operand::Number(*number),
            Node::Selector(selector) => {
                let grid = self.grid.back(selector.offset);
                Operand::Vector(self.select(selector, Clone::clone, |key| window::newest(self.source, key, grid))?)
            }
            Node::Window(w) => {
                // As in PromQL, the last sample is still the metric's.
                let labels = if w.function == WindowFunction::Last { Clone::clone } else { nameless };
                let grid = self.grid.back(w.selector.offset);
                let function = match w.function {
                    // From the moment asked for, not from the end of the window.
                    WindowFunction::PredictLinear(seconds) => {
                        WindowFunction::PredictLinear(seconds + w.selector.offset as f64 / 1000.0)
                    }
                    function => function,
                };
                let read = |key: &SeriesKey| window::over_time(self.source, key, grid, (function, w.length));
                Operand::Vector(self.select(&w.selector, labels, read)?)
            }
            Node::Aggregate(a) => match self.node(&a.inner)? {
                Operand::Vector(rows) => Operand::Vector(aggregate(a, rows, self.grid.n)),
                number @ Operand::Number(_) => number,
            },
            Node::Negate(inner) => match self.node(inner)? {
                Operand::Number(number) => Operand::Number(-number),
                Operand::Vector(rows) => Operand::Vector(mapped(rows, nameless, |v| Some(-v))),
            },
            Node::Binary(b) => {
                let (left, right) = (self.node(&b.left)?, self.node(&b.right)?);
                let twice =
                    |place: &str, key: &SeriesKey| self.expr.error(QueryErrorKind::Invalid, b.position, ambiguous(place, key));
                binary(b, left, right).map_err(|(place, key)| twice(place, &key))?
            }
            Node::Call(call) => match self.node(&call.inner)? {
                Operand::Number(number) => Operand::Number((call.function.of)(number, &call.arguments)),
                Operand::Vector(rows) => {
                    let of = |v| Some((call.function.of)(v, &call.arguments)).filter(|v: &f64| v.is_finite());
                    Operand::Vector(mapped(rows, nameless, of))
                }
            },
        })
    }

    fn select(
        &self,
        selector: &Selector,
        labels: fn(&SeriesKey) -> SeriesKey,
        read: impl Fn(&SeriesKey) -> Result<Vec<Option<f64>>, SourceError>,
    ) -> Result<Vec<Row>, QueryError> {
        let failed = |e: SourceError| self.expr.error(QueryErrorKind::Source, selector.position, e.0);
        let keys = self.source.select(selector.metric.as_deref(), &selector.matchers).map_err(failed)?;
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            let values = read(&key).map_err(failed)?;
            if values.iter().any(Option::is_some) {
                rows.push(Row { labels: labels(&key), values });
            }
        }
        Ok(rows)
    }
}

/// The same labels without the metric's name.
pub(super) fn nameless(key: &SeriesKey) -> SeriesKey {
    if key.metric().is_empty() { key.clone() } else { SeriesKey::new("", key.labels()) }
}

pub(super) fn mapped(rows: Vec<Row>, labels: fn(&SeriesKey) -> SeriesKey, f: impl Fn(f64) -> Option<f64>) -> Vec<Row> {
    let row = |mut row: Row| {
        row.values.iter_mut().for_each(|v| *v = v.and_then(&f));
        Row { labels: labels(&row.labels), values: row.values }
    };
    rows.into_iter().map(row).collect()
}

/// The value of `left operator right`; a comparison gives the left side or nothing.
pub(super) fn computed(operator: Operator, left: f64, right: f64) -> Option<f64> {
    let keep = |holds: bool| holds.then_some(left);
    match operator {
        Operator::Add => Some(left + right),
        Operator::Subtract => Some(left - right),
        Operator::Multiply => Some(left * right),
        Operator::Divide => Some(left / right),
        Operator::Modulo => Some(left % right),
        Operator::Power => Some(left.powf(right)),
        // Series are kept or not before their values are looked at.
        Operator::And | Operator::Or | Operator::Unless => None,
        Operator::Greater => keep(left > right),
        Operator::Less => keep(left < right),
        Operator::GreaterEqual => keep(left >= right),
        Operator::LessEqual => keep(left <= right),
        Operator::Equal => keep(left == right),
        Operator::NotEqual => keep(left != right),
    }
    .filter(|v| v.is_finite())
}
