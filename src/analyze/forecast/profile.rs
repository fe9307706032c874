//! The usual day, the newest weighing most, and a deviation from it that fades.
//!
//! Best at a week and nearly free among the measured methods.

use super::{Forecaster, Past};

/// What a day weighs relative to the one after it (measured).
const DAY_DECAY: f64 = 0.6;
/// Newest points the deviation is taken from.
const NEWEST: usize = 3;

/// A day's profile with a first-order autoregressive deviation.
#[derive(Debug)]
pub struct Profile;

impl Forecaster for Profile {
    fn name(&self) -> &'static str {
        "profile"
    }

    fn forecast(&self, past: Past<'_>, horizon: usize) -> Option<Vec<f64>> {
        let n = past.values.len();
        let day = past.periods.first().copied().filter(|day| day * 2 <= n)?;
        // Place `k` holds the values that lie `k + 1` points after the end, whole days back.
        let mut profile = vec![(0.0, 0.0); day];
        let mut weight = 1.0;
        for day in past.values.rchunks_exact(day) {
            for (slot, value) in profile.iter_mut().zip(day) {
                *slot = (slot.0 + weight * value, slot.1 + weight);
            }
            weight *= DAY_DECAY;
        }
        let profile: Vec<f64> = profile.iter().map(|(sum, weight)| sum / weight).collect();
        let start = n - (n / day) * day;
        let deviations: Vec<f64> =
            past.values[start..].iter().zip(profile.iter().cycle()).map(|(value, usual)| value - usual).collect();
        let memory = autocorrelation(&deviations).clamp(0.0, 0.999);
        let newest = &deviations[deviations.len().saturating_sub(NEWEST)..];
        let mut deviation = newest.iter().sum::<f64>() / newest.len() as f64;
        let ahead = profile.iter().cycle().take(horizon).map(|usual| {
            deviation *= memory;
            usual + deviation
        });
        Some(ahead.collect())
    }

    fn origins(&self) -> usize {
        40
    }
}

/// Correlation of a series with itself one point later; 0 where it does not move.
fn autocorrelation(values: &[f64]) -> f64 {
    let (mut with_next, mut own) = (0.0, 0.0);
    for pair in values.windows(2) {
        with_next += pair[0] * pair[1];
        own += pair[0] * pair[0];
    }
    if own > 0.0 { with_next / own } else { 0.0 }
}
