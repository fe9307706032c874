//! Operators between two sides: which series belong together, and what becomes of them.
//!
//! Invariant: one series of a side meets at most one of the other; where it could meet several the query is refused.

use std::collections::{HashMap, HashSet};

use super::aggregate::group_key;
use super::ast::{Binary, Grouping, Operator};
use super::eval::{Operand, Row, computed, mapped, nameless};
use crate::model::SeriesKey;

/// The side on which several series have the labels, and the labels.
type Ambiguous = (&'static str, SeriesKey);

/// Both sides as one.
pub(super) fn binary(b: &Binary, left: Operand, right: Operand) -> Result<Operand, Ambiguous> {
    let labels = labels_after(b);
    Ok(match (left, right) {
        // Nothing is what it is where there is no such number.
        (Operand::Number(l), Operand::Number(r)) => value(b, l, r).map_or_else(|| Operand::Vector(Vec::new()), Operand::Number),
        (Operand::Vector(rows), Operand::Number(r)) => Operand::Vector(mapped(rows, labels, |l| value(b, l, r))),
        (Operand::Number(l), Operand::Vector(rows)) => Operand::Vector(mapped(rows, labels, |r| {
            let found = value(b, l, r);
            // A comparison keeps the series' value, on whichever side it stands.
            if b.operator.is_comparison() && !b.as_number { found.map(|_| r) } else { found }
        })),
        (Operand::Vector(left), Operand::Vector(right)) if b.operator.is_set() => Operand::Vector(set(b, left, right)),
        (Operand::Vector(left), Operand::Vector(right)) => Operand::Vector(one_to_one(b, left, right)?),
    })
}

/// A comparison keeps the series as it is, everything else makes another quantity of it.
fn labels_after(b: &Binary) -> fn(&SeriesKey) -> SeriesKey {
    if b.operator.is_comparison() && !b.as_number { Clone::clone } else { nameless }
}

/// The value between two values.
pub(super) fn value(b: &Binary, left: f64, right: f64) -> Option<f64> {
    let found = computed(b.operator, left, right);
    if b.as_number { Some(f64::from(u8::from(found.is_some()))) } else { found }
}

/// The labels by which the sides meet.
fn meeting(b: &Binary, key: &SeriesKey) -> SeriesKey {
    b.matching.as_ref().map_or_else(|| nameless(key), |matching| group_key(matching, key))
}

fn one_to_one(b: &Binary, left: Vec<Row>, right: Vec<Row>) -> Result<Vec<Row>, Ambiguous> {
    let mut others: HashMap<SeriesKey, Vec<Option<f64>>> = HashMap::with_capacity(right.len());
    for row in right {
        let key = meeting(b, &row.labels);
        if others.insert(key.clone(), row.values).is_some() {
            return Err(("right side", key));
        }
    }
    let labels = labels_after(b);
    let mut used: HashSet<SeriesKey> = HashSet::with_capacity(left.len());
    let mut rows = Vec::with_capacity(left.len());
    for row in left {
        let key = meeting(b, &row.labels);
        if !used.insert(key.clone()) {
            return Err(("left side", key));
        }
        if let Some(other) = others.get(&key) {
            let values = row.values.iter().zip(other).map(|(l, r)| value(b, (*l)?, (*r)?)).collect();
            // As in PromQL, what was matched by some labels has no others.
            let labels = match &b.matching {
                None => labels(&row.labels),
                Some(Grouping::By(_)) => key,
                Some(Grouping::Without(ignored)) => without(&labels(&row.labels), ignored),
            };
            rows.push(Row { labels, values });
        }
    }
    Ok(rows)
}

fn without(key: &SeriesKey, labels: &[String]) -> SeriesKey {
    SeriesKey::new(key.metric(), key.labels().filter(|(name, _)| !labels.iter().any(|l| l == name)))
}

/// `and`, `or`, `unless`, step by step.
fn set(b: &Binary, left: Vec<Row>, right: Vec<Row>) -> Vec<Row> {
    match b.operator {
        Operator::Or => {
            let there = present(b, &left);
            let added = right.into_iter().map(|row| masked(row, |row, step| !holds(&there, &meeting(b, &row.labels), step)));
            joined(left.into_iter().chain(added))
        }
        operator => {
            let (there, wanted) = (present(b, &right), operator == Operator::And);
            left.into_iter().map(|row| masked(row, |row, step| holds(&there, &meeting(b, &row.labels), step) == wanted)).collect()
        }
    }
}

/// By labels, at which steps any of the series has a value.
fn present(b: &Binary, rows: &[Row]) -> HashMap<SeriesKey, Vec<bool>> {
    let mut all: HashMap<SeriesKey, Vec<bool>> = HashMap::new();
    for row in rows {
        let there = all.entry(meeting(b, &row.labels)).or_insert_with(|| vec![false; row.values.len()]);
        there.iter_mut().zip(&row.values).for_each(|(there, value)| *there |= value.is_some());
    }
    all
}

fn holds(there: &HashMap<SeriesKey, Vec<bool>>, key: &SeriesKey, step: usize) -> bool {
    there.get(key).and_then(|steps| steps.get(step)).copied().unwrap_or(false)
}

fn masked(row: Row, keep: impl Fn(&Row, usize) -> bool) -> Row {
    let kept = row.values.iter().enumerate().map(|(step, value)| value.filter(|_| keep(&row, step))).collect();
    Row { labels: row.labels, values: kept }
}

/// Rows of one name as one: a series of the right side fills the steps at which the left one is missing.
fn joined(rows: impl Iterator<Item = Row>) -> Vec<Row> {
    let mut all: Vec<Row> = Vec::new();
    let mut places: HashMap<SeriesKey, usize> = HashMap::new();
    for row in rows {
        match places.get(&row.labels).and_then(|at| all.get_mut(*at)) {
            Some(known) => known.values.iter_mut().zip(row.values).for_each(|(known, value)| *known = known.or(value)),
            None => {
                places.insert(row.labels.clone(), all.len());
                all.push(row);
            }
        }
    }
    all
}
