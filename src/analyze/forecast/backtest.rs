//! How a method would have done: asked from several moments of the past, compared with what came.
//!
//! The same origins and the same measure for every method. Invariant: a method never sees a value that
//! came after its origin.

use std::time::Duration;

use super::{Forecaster, Past};
use crate::model::Tried;

/// Points a method must know at the earliest origin.
const FEWEST_KNOWN: usize = 10;
/// Errors of neighboring steps count together, up to a quarter nearer and a third farther.
const NEAR: f64 = 0.75;
const FAR: f64 = 4.0 / 3.0;
/// Where origins are too few for a level, the largest error is widened by so many times what is missing.
const UNSEEN: f64 = 4.0;
/// Steps of the newest origin that are kept to be looked at: two to each column of a narrow chart.
const KEPT: usize = 120;

/// What came of asking one method about the past.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// Absolute errors: per origin (newest first), per step.
    errors: Vec<(usize, Vec<f64>)>,
    /// Steps asked for, at most the horizon.
    asked: usize,
    /// What was expected from the newest origin, and what came; every `stride`-th step, the last one among them.
    newest: Vec<(f64, f64)>,
    stride: usize,
}

/// Asks a method from its number of origins; `None` where it had nothing to say.
pub fn backtest(forecaster: &dyn Forecaster, past: Past<'_>, horizon: usize) -> Option<Trial> {
    let n = past.values.len();
    // At least half of the past stays for learning.
    let asked = horizon.min(n / 4).max(1);
    let spare = n.checked_sub(FEWEST_KNOWN.max(n / 2) + asked)?;
    let (mut errors, mut newest) = (Vec::new(), Vec::new());
    let stride = asked.div_ceil(KEPT);
    for back in origins(spare, forecaster.origins()) {
        let known = past.before(asked + back);
        let Some(expected) = forecaster.forecast(known, asked) else { continue };
        let came = &past.values[n - asked - back..n - back];
        if back == 0 {
            newest = expected.iter().copied().zip(came.iter().copied()).skip((asked - 1) % stride).step_by(stride).collect();
        }
        errors.push((back, came.iter().zip(&expected).map(|(c, e)| (c - e).abs()).collect()));
    }
    (!errors.is_empty()).then_some(Trial { errors, asked, newest, stride })
}

/// At most `most` places in 0 … `spare`, evenly spread, beginning with 0. The places of fewer are among those of
/// more where `most` divides.
fn origins(spare: usize, most: usize) -> impl Iterator<Item = usize> {
    let stride = (spare / most.max(1)).max(1);
    (0..=spare).step_by(stride).take(most)
}

impl Trial {
    /// Number of origins asked from.
    pub fn origins(&self) -> u32 {
        u32::try_from(self.errors.len()).unwrap_or(u32::MAX)
    }

    /// What it would have said at the newest origin, for a series of that step; `None` where it had nothing to say there.
    pub fn tried(&self, step: Duration) -> Option<Tried> {
        let step = step * u32::try_from(self.stride).unwrap_or(u32::MAX);
        let (expected, came): (Vec<f64>, Vec<f64>) = self.newest.iter().copied().unzip();
        (expected.len() > 1).then(|| Tried { step, expected: expected.into(), came: came.into() })
    }

    /// Whether it ever was wrong: only then errors can be compared.
    pub fn has_errors(&self) -> bool {
        self.mean() > 0.0
    }

    fn mean(&self) -> f64 {
        let all = self.errors.iter().flat_map(|(_, e)| e);
        all.sum::<f64>() / (self.errors.len() * self.asked).max(1) as f64
    }

    /// Mean absolute error over that of `base` at the nearest origins; `None` where `base` was never wrong.
    pub fn relative_to(&self, base: &Self) -> Option<f64> {
        let nearest = |back: usize| base.errors.iter().min_by_key(|(b, _)| b.abs_diff(back)).map(|(_, e)| e.iter().sum::<f64>());
        let theirs: f64 = self.errors.iter().filter_map(|(back, _)| nearest(*back)).sum();
        let own: f64 = self.errors.iter().flat_map(|(_, e)| e).sum();
        (theirs > 0.0).then_some(own / theirs)
    }

    /// How far values lie from what was expected at step `k` (from 0) in `level` of all cases: split-conformal over
    /// the errors of that step and its neighbors. Beyond the steps asked for it grows with the root of time.
    pub fn reach(&self, k: usize, level: f64) -> f64 {
        let step = k.min(self.asked.saturating_sub(1));
        let growth = ((k + 1) as f64 / (step + 1) as f64).sqrt();
        growth * self.quantile(step, level, None)
    }

    /// Share of errors inside the band made from all other origins' errors; `None` with fewer than four.
    pub fn coverage(&self, level: f64) -> Option<f64> {
        if self.errors.len() < 4 {
            return None;
        }
        let steps: Vec<usize> = (0..self.asked).step_by((self.asked / 8).max(1)).collect();
        let mut inside = 0_usize;
        for (i, (_, errors)) in self.errors.iter().enumerate() {
            inside += steps.iter().filter(|k| errors[**k] <= self.quantile(**k, level, Some(i))).count();
        }
        Some(inside as f64 / (steps.len() * self.errors.len()) as f64)
    }

    fn quantile(&self, step: usize, level: f64, without: Option<usize>) -> f64 {
        let low = ((step as f64 * NEAR).ceil() as usize).min(step);
        let high = ((step as f64 * FAR) as usize).clamp(step, self.asked.saturating_sub(1));
        let origins: Vec<&[f64]> =
            self.errors.iter().enumerate().filter(|(i, _)| Some(*i) != without).map(|(_, (_, e))| e.as_slice()).collect();
        let mut near: Vec<f64> = origins.iter().flat_map(|e| e.get(low..=high).unwrap_or_default()).copied().collect();
        if near.is_empty() {
            return 0.0;
        }
        // The share that holds for the next, unseen error (Vovk; Lei et al.). Errors of one origin move together: what
        // counts is the number of origins.
        let n = origins.len() as f64;
        let share = level * (n + 1.0) / n;
        let at = ((share * near.len() as f64).ceil() as usize).clamp(1, near.len()) - 1;
        let (_, value, _) = near.select_nth_unstable_by(at, f64::total_cmp);
        *value * (1.0 + UNSEEN * (share - 1.0).max(0.0))
    }
}
