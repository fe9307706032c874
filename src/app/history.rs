//! The machine's own history as a table, and the incidents people confirmed in it.
//!
//! Read piece by piece, so that no answer is too long. Invariant: a minute in which a series had no value is empty.

use std::time::Duration;

use super::Failure;
use super::reach::{Reach, unexpected};
use crate::base::{TimeRange, Timestamp};
use crate::eval::{Column, Label, Table};
use crate::model::Outcome;
use crate::monitor::{Answer, HistoryRequest, Request};

/// Time between two rows: fine enough for what lasts, coarse enough to be kept for weeks.
pub const STEP: Duration = Duration::from_secs(60);
/// How much of the past is read: what 300 series of it take fits into 100 MB.
pub const PAST: Duration = Duration::from_secs(14 * 86_400);
/// Length of a piece: 300 series of it are some megabytes on the way.
const PIECE: Duration = Duration::from_secs(6 * 3600);

/// All series of the span, a mean each minute.
///
/// # Errors
/// A refusal.
pub fn table(reach: &mut Reach, range: TimeRange) -> Result<Table, Failure> {
    let keys = match reach.ask(Request::Series { range })? {
        Answer::Series { keys } => keys,
        other => return Err(unexpected(&other).into()),
    };
    let step = i64::try_from(STEP.as_secs()).unwrap_or(60);
    let row_of = |at: Timestamp| at.0.div_euclid(1000 * step);
    let first = row_of(range.from);
    let n = usize::try_from(row_of(range.to) - first + 1).unwrap_or(0);
    let mut columns: Vec<Column> = keys.iter().map(|key| Column { name: key.to_string(), values: vec![None; n] }).collect();
    let mut from = range.from;
    while from <= range.to && !keys.is_empty() {
        let to = Timestamp((from + PIECE).0 - 1).min(range.to);
        let request = HistoryRequest { keys: keys.clone(), range: TimeRange { from, to }, step: STEP };
        let series = match reach.ask(Request::History(request))? {
            Answer::History { series } => series,
            other => return Err(unexpected(&other).into()),
        };
        for (column, one) in columns.iter_mut().zip(series) {
            for bucket in one.points.buckets {
                let row = usize::try_from(row_of(bucket.at) - first).unwrap_or(usize::MAX);
                if let Some(value) = column.values.get_mut(row) {
                    *value = Some(bucket.mean);
                }
            }
        }
        from = Timestamp(to.0 + 1);
    }
    // Minutes nobody watched are gaps, not rows without values.
    let watched: Vec<usize> = (0..n).filter(|row| columns.iter().any(|c| c.values[*row].is_some())).collect();
    for column in &mut columns {
        column.values = watched.iter().map(|row| column.values[*row]).collect();
    }
    let times = watched.iter().map(|row| (first + *row as i64) * step).collect();
    Ok(Table { times, columns })
}

/// What people confirmed as real in the span.
///
/// # Errors
/// A refusal.
pub fn confirmed(reach: &mut Reach, range: TimeRange) -> Result<Label, Failure> {
    let alerts = match reach.ask(Request::Alerts { range })? {
        Answer::Alerts { alerts } => alerts,
        other => return Err(unexpected(&other).into()),
    };
    let real = alerts.iter().filter(|a| a.feedback == Some(Outcome::Right));
    let mut windows: Vec<(i64, i64)> = real.map(|a| (a.since.0 / 1000, a.resolved_at.unwrap_or(range.to).0 / 1000)).collect();
    windows.sort_unstable();
    // Alerts of one incident are one incident.
    windows.dedup_by(|later, earlier| {
        let joins = later.0 <= earlier.1;
        if joins {
            earlier.1 = earlier.1.max(later.1);
        }
        joins
    });
    Ok(Label { interval_s: i64::try_from(STEP.as_secs()).unwrap_or(60), windows, ..Label::default() })
}
