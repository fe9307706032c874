//! As at the same time a season ago.

use super::{Forecaster, Past};

/// Repeats the last day, or the last week where two are known.
#[derive(Debug)]
pub struct SeasonalNaive;

impl Forecaster for SeasonalNaive {
    fn name(&self) -> &'static str {
        "seasonal naive"
    }

    fn forecast(&self, past: Past<'_>, horizon: usize) -> Option<Vec<f64>> {
        let season = past.season()?;
        let last = &past.values[past.values.len() - season..];
        Some(last.iter().copied().cycle().take(horizon).collect())
    }

    fn origins(&self) -> usize {
        40
    }
}
