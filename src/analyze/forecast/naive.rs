//! Stays as it is: what every other method must beat.

use super::{Forecaster, Past};

/// Repeats the last value.
#[derive(Debug)]
pub struct Naive;

impl Forecaster for Naive {
    fn name(&self) -> &'static str {
        "naive"
    }

    fn forecast(&self, past: Past<'_>, horizon: usize) -> Option<Vec<f64>> {
        past.values.last().map(|last| vec![*last; horizon])
    }

    fn origins(&self) -> usize {
        40
    }
}
