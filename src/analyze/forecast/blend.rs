//! The mean of what the seasonal methods say: their errors cancel in part.

use super::mstl::Mstl;
use super::profile::Profile;
use super::{Forecaster, Past};

/// What is blended.
const PARTS: [&dyn Forecaster; 3] = [&Profile::Day, &Profile::Week, &Mstl];

/// The plain mean of the seasonal methods that have something to say, at least two.
#[derive(Debug)]
pub struct Blend;

impl Forecaster for Blend {
    fn name(&self) -> &'static str {
        "blend"
    }

    fn forecast(&self, past: Past<'_>, horizon: usize) -> Option<Vec<f64>> {
        let said: Vec<Vec<f64>> = PARTS.iter().filter_map(|part| part.forecast(past, horizon)).collect();
        let n = said.len();
        (n > 1).then(|| (0..horizon).map(|k| said.iter().map(|s| s[k]).sum::<f64>() / n as f64).collect())
    }

    fn origins(&self) -> usize {
        8
    }
}
