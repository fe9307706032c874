//! The past on a regular grid that ends now, gaps filled.
//!
//! Invariant: `values` are finite, at equal distances, and the last one is the newest.

use super::{ForecastTask, Past};
use crate::base::Timestamp;

/// Points that are looked at, for crossings (48 h of minutes and some).
pub const MOST: usize = 4096;
/// Points that models are fitted on: a week of five minutes; a fit takes tens of milliseconds then.
const MOST_FITTED: usize = 2016;
/// A hole longer than this share of all points hides what was before it.
const LONGEST_HOLE_SHARE: usize = 4;
/// Holes up to this length are always filled.
const SHORT_HOLE: usize = 6;
/// Seasons that are tried: a day and a week.
const SEASONS_MS: [u128; 2] = [86_400_000, 604_800_000];

/// A regular past.
#[derive(Debug, Clone)]
pub struct Grid {
    /// Means of the steps, oldest first.
    pub values: Vec<f64>,
    /// The newest single value.
    pub newest: f64,
    /// End of the last step.
    pub end: Timestamp,
    /// Lengths of seasons that fit twice into what models are fitted on, in points.
    pub periods: Vec<usize>,
}

impl Grid {
    /// The grid of a task; `None` where there is no history at all.
    pub fn of(task: &ForecastTask) -> Option<Self> {
        let step = i64::try_from(task.step.as_millis()).unwrap_or(i64::MAX).max(1);
        let known = task.history.partition_point(|b| b.at <= task.now);
        let history = &task.history[..known];
        let (oldest, newest) = (history.first()?, history.last()?);
        // A bucket begins at its time and may last a step.
        let end = Timestamp(task.now.0.min(newest.at.0.saturating_add(step)).max(newest.at.0 + 1));
        let back = |at: Timestamp| usize::try_from((end.0 - 1 - at.0) / step).unwrap_or(usize::MAX);
        let n = back(oldest.at).saturating_add(1).min(MOST);
        let mut sums = vec![(0.0, 0.0); n];
        for bucket in history {
            let age = back(bucket.at);
            if age < n && bucket.mean.is_finite() {
                let slot = &mut sums[n - 1 - age];
                slot.0 += bucket.mean * f64::from(bucket.count);
                slot.1 += f64::from(bucket.count);
            }
        }
        let values = filled(&sums);
        let fitted = values.len().min(MOST_FITTED);
        let periods = SEASONS_MS
            .iter()
            .filter(|ms| *ms % task.step.as_millis().max(1) == 0)
            .map(|ms| usize::try_from(ms / task.step.as_millis().max(1)).unwrap_or(usize::MAX))
            .filter(|p| *p >= 4 && p.saturating_mul(2) <= fitted)
            .collect();
        Some(Self { values, newest: newest.last, end, periods })
    }

    /// What models are fitted on.
    pub fn newest_values(&self) -> &[f64] {
        &self.values[self.values.len().saturating_sub(MOST_FITTED)..]
    }

    /// Whether the series never moved, up to rounding.
    pub fn is_constant(&self) -> bool {
        let values = self.newest_values();
        let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
        high - low <= 1e-9 * high.abs().max(low.abs())
    }
}

/// Slots as values: what lies before a long hole is left out, other holes are bridged by straight lines.
fn filled(sums: &[(f64, f64)]) -> Vec<f64> {
    let longest = SHORT_HOLE.max(sums.len() / LONGEST_HOLE_SHARE);
    let mut values: Vec<f64> = Vec::with_capacity(sums.len());
    let mut hole = 0;
    for (sum, count) in sums {
        if *count <= 0.0 {
            hole += 1;
            continue;
        }
        let value = sum / count;
        match values.last().copied() {
            Some(before) if hole <= longest => {
                let rise = (value - before) / (hole + 1) as f64;
                values.extend((1..=hole).map(|i| before + rise * i as f64));
            }
            _ => values.clear(),
        }
        values.push(value);
        hole = 0;
    }
    values
}

impl Past<'_> {
    /// The past as it was `back` points ago; seasons that do not fit twice any more are left out by the methods.
    pub fn before(&self, back: usize) -> Past<'_> {
        Past { values: &self.values[..self.values.len().saturating_sub(back)], periods: self.periods }
    }

    /// The longest season that fits twice.
    pub fn season(&self) -> Option<usize> {
        self.periods.iter().rev().copied().find(|p| p * 2 <= self.values.len())
    }
}
