//! Many series to few.
//!
//! Invariant: a step of a group depends on the values of its series at that step and on nothing else.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::NAME_LABEL;
use super::ast::{Aggregate, AggregateOperator, Grouping};
use super::eval::Row;
use super::window::{quantile, stddev};
use crate::model::SeriesKey;

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
            // Of all values at once.
            _ => f64::NAN,
        };
        (self.n > 0.0 && value.is_finite()).then_some(value)
    }
}

/// The rows of an aggregation.
pub(super) fn aggregate(aggregate: &Aggregate, rows: Vec<Row>, n: usize) -> Vec<Row> {
    match aggregate.operator {
        AggregateOperator::Topk(k) => ranked(aggregate, rows, (n, k), |a, b| b.total_cmp(&a)),
        AggregateOperator::Bottomk(k) => ranked(aggregate, rows, (n, k), |a, b| a.total_cmp(&b)),
        AggregateOperator::Quantile(_) | AggregateOperator::Stddev => of_all_values(aggregate, rows, n),
        _ => folded(aggregate, rows, n),
    }
}

/// Rows by group; sorted, so that sums of sums add up in the same order every time.
fn grouped(aggregate: &Aggregate, rows: Vec<Row>) -> BTreeMap<SeriesKey, Vec<Row>> {
    let mut groups: BTreeMap<SeriesKey, Vec<Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(group_key(&aggregate.grouping, &row.labels)).or_default().push(row);
    }
    groups
}

fn folded(aggregate: &Aggregate, rows: Vec<Row>, n: usize) -> Vec<Row> {
    let row = |(labels, rows): (SeriesKey, Vec<Row>)| {
        let mut gathered = vec![Gathered::NOTHING; n];
        for row in rows {
            for (gathered, value) in gathered.iter_mut().zip(row.values) {
                value.into_iter().for_each(|v| gathered.add(v));
            }
        }
        Row { labels, values: gathered.into_iter().map(|g| g.value(aggregate.operator)).collect() }
    };
    grouped(aggregate, rows).into_iter().map(row).collect()
}

fn of_all_values(aggregate: &Aggregate, rows: Vec<Row>, n: usize) -> Vec<Row> {
    let row = |(labels, rows): (SeriesKey, Vec<Row>)| {
        let at = |step: usize| {
            let mut counted: Vec<(f64, u64)> = rows.iter().filter_map(|r| Some((r.values.get(step).copied()??, 1))).collect();
            match aggregate.operator {
                AggregateOperator::Quantile(q) => quantile(q, &mut counted),
                _ => stddev(&counted),
            }
        };
        Row { values: (0..n).map(at).collect(), labels }
    };
    grouped(aggregate, rows).into_iter().map(row).collect()
}

/// The first `k` of each group at each step, with their labels; of equal ones the first by labels.
fn ranked(aggregate: &Aggregate, rows: Vec<Row>, (n, k): (usize, f64), order: fn(f64, f64) -> Ordering) -> Vec<Row> {
    let k = k as usize;
    let mut all = Vec::new();
    for mut rows in grouped(aggregate, rows).into_values() {
        rows.sort_by(|a, b| a.labels.cmp(&b.labels));
        for step in 0..n {
            let value = |row: &Row| row.values.get(step).copied().flatten();
            let mut there: Vec<(usize, f64)> = rows.iter().enumerate().filter_map(|(at, row)| Some((at, value(row)?))).collect();
            there.sort_by(|a, b| order(a.1, b.1));
            for (at, _) in there.into_iter().skip(k) {
                rows[at].values[step] = None;
            }
        }
        all.extend(rows.into_iter().filter(|row| row.values.iter().any(Option::is_some)));
    }
    all
}

/// The labels a group keeps; the name only where it is grouped by.
pub(super) fn group_key(grouping: &Grouping, key: &SeriesKey) -> SeriesKey {
    match grouping {
        Grouping::By(labels) => {
            let metric = if labels.iter().any(|l| l == NAME_LABEL) { key.metric() } else { "" };
            SeriesKey::new(metric, key.labels().filter(|(name, _)| labels.iter().any(|l| l == name)))
        }
        Grouping::Without(labels) => SeriesKey::new("", key.labels().filter(|(name, _)| !labels.iter().any(|l| l == name))),
    }
}
