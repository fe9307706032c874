//! Values of a tree over a source.
//!
//! One moment is a grid of one step, so a range and its instants share every line. Invariant: values
//! are finite; what is not (a division by zero) is absent.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use super::ast::{Aggregate, AggregateOperator, Binary, Grouping, Node, Operator, Selector, WindowFunction};
use super::window::{self, Grid};
use super::{Expr, NAME_LABEL, QueryError, QueryErrorKind, Series, Value};
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
struct Row {
    labels: SeriesKey,
    /// One for each step.
    values: Vec<Option<f64>>,
}

enum Operand {
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
                Operand::Vector(self.select(selector, Clone::clone, |key| window::newest(self.source, key, self.grid))?)
            }
            Node::Window(w) => {
                // As in PromQL, the last sample is still the metric's.
                let labels = if w.function == WindowFunction::Last { Clone::clone } else { nameless };
                let read = |key: &SeriesKey| window::over_time(self.source, key, self.grid, (w.function, w.length));
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
            Node::Binary(b) => self.binary(b)?,
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

    fn binary(&self, b: &Binary) -> Result<Operand, QueryError> {
        let operator = b.operator;
        // A comparison keeps the series as it is, arithmetic makes another quantity of it.
        let labels = if operator.is_comparison() { Clone::clone } else { nameless };
        Ok(match (self.node(&b.left)?, self.node(&b.right)?) {
            // Nothing is what it is where there is no such number.
            (Operand::Number(l), Operand::Number(r)) => {
                computed(operator, l, r).map_or_else(|| Operand::Vector(Vec::new()), Operand::Number)
            }
            (Operand::Vector(rows), Operand::Number(r)) => Operand::Vector(mapped(rows, labels, |l| computed(operator, l, r))),
            (Operand::Number(l), Operand::Vector(rows)) => Operand::Vector(mapped(rows, labels, |r| {
                let value = computed(operator, l, r);
                if operator.is_comparison() { value.map(|_| r) } else { value }
            })),
            (Operand::Vector(left), Operand::Vector(right)) => Operand::Vector(self.matched(b, left, right, labels)?),
        })
    }

    /// Series of both sides with the same labels, one to one.
    fn matched(
        &self,
        b: &Binary,
        left: Vec<Row>,
        right: Vec<Row>,
        labels: fn(&SeriesKey) -> SeriesKey,
    ) -> Result<Vec<Row>, QueryError> {
        let twice = |place: &str, key: &SeriesKey| self.expr.error(QueryErrorKind::Invalid, b.position, ambiguous(place, key));
        let mut others: HashMap<SeriesKey, Vec<Option<f64>>> = HashMap::with_capacity(right.len());
        for row in right {
            let key = nameless(&row.labels);
            if others.insert(key.clone(), row.values).is_some() {
                return Err(twice("right side", &key));
            }
        }
        let mut used: HashSet<SeriesKey> = HashSet::with_capacity(left.len());
        let mut rows = Vec::with_capacity(left.len());
        for row in left {
            let key = nameless(&row.labels);
            if !used.insert(key.clone()) {
                return Err(twice("left side", &key));
            }
            if let Some(other) = others.get(&key) {
                let pairs = row.values.iter().zip(other);
                let values = pairs.map(|(l, r)| computed(b.operator, (*l)?, (*r)?)).collect();
                rows.push(Row { labels: labels(&row.labels), values });
            }
        }
        Ok(rows)
    }
}

/// The same labels without the metric's name.
fn nameless(key: &SeriesKey) -> SeriesKey {
    if key.metric().is_empty() { key.clone() } else { SeriesKey::new("", key.labels()) }
}

fn mapped(rows: Vec<Row>, labels: fn(&SeriesKey) -> SeriesKey, f: impl Fn(f64) -> Option<f64>) -> Vec<Row> {
    let row = |mut row: Row| {
        row.values.iter_mut().for_each(|v| *v = v.and_then(&f));
        Row { labels: labels(&row.labels), values: row.values }
    };
    rows.into_iter().map(row).collect()
}

/// The value of `left operator right`; a comparison gives the left side or nothing.
fn computed(operator: Operator, left: f64, right: f64) -> Option<f64> {
    let keep = |holds: bool| holds.then_some(left);
    match operator {
        Operator::Add => Some(left + right),
        Operator::Subtract => Some(left - right),
        Operator::Multiply => Some(left * right),
        Operator::Divide => Some(left / right),
        Operator::Greater => keep(left > right),
        Operator::Less => keep(left < right),
        Operator::GreaterEqual => keep(left >= right),
        Operator::LessEqual => keep(left <= right),
        Operator::Equal => keep(left == right),
        Operator::NotEqual => keep(left != right),
    }
    .filter(|v| v.is_finite())
}

/// What a group has gathered at one step.
#[derive(Clone, Copy)]
struct Gathered {
    sum: f64,
    min: f64,
    max: f64,
    n: f64,
}

impl Gathered {
    const NOTHING: Self = Self { sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, n: 0.0 };

    fn add(&mut self, value: f64) {
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.n += 1.0;
    }

    fn value(self, operator: AggregateOperator) -> Option<f64> {
        let value = match operator {
            AggregateOperator::Sum => self.sum,
            AggregateOperator::Avg => self.sum / self.n,
            AggregateOperator::Min => self.min,
            AggregateOperator::Max => self.max,
            AggregateOperator::Count => self.n,
        };
        (self.n > 0.0 && value.is_finite()).then_some(value)
    }
}

fn aggregate(aggregate: &Aggregate, rows: Vec<Row>, n: usize) -> Vec<Row> {
    // Sorted, so that sums of sums add up in the same order every time.
    let mut groups: BTreeMap<SeriesKey, Vec<Gathered>> = BTreeMap::new();
    for row in rows {
        let group = groups.entry(group_key(&aggregate.grouping, &row.labels)).or_insert_with(|| vec![Gathered::NOTHING; n]);
        for (gathered, value) in group.iter_mut().zip(row.values) {
            value.into_iter().for_each(|v| gathered.add(v));
        }
    }
    let row = |(labels, gathered): (SeriesKey, Vec<Gathered>)| {
        let values = gathered.into_iter().map(|g| g.value(aggregate.operator)).collect();
        Row { labels, values }
    };
    groups.into_iter().map(row).collect()
}

/// The labels a group keeps; the name only where it is grouped by.
fn group_key(grouping: &Grouping, key: &SeriesKey) -> SeriesKey {
    match grouping {
        Grouping::By(labels) => {
            let metric = if labels.iter().any(|l| l == NAME_LABEL) { key.metric() } else { "" };
            SeriesKey::new(metric, key.labels().filter(|(name, _)| labels.iter().any(|l| l == name)))
        }
        Grouping::Without(labels) => SeriesKey::new("", key.labels().filter(|(name, _)| !labels.iter().any(|l| l == name))),
    }
}
