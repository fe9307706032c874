//! Exponential smoothing of level and trend, the form chosen by information criterion.

use augurs::ets::AutoETS;
use augurs::prelude::{Fit, Predict};

use super::{Forecaster, Past};

/// Points it is fitted on: 8 ms at 120, 27 ms at 400 (measured); older points hardly weigh.
const MOST_FITTED: usize = 120;

/// Automatic exponential smoothing without a season.
#[derive(Debug)]
pub struct Ets;

/// Additive errors, with and without a trend: values may be 0, where multiplicative forms break down.
pub fn model() -> Option<AutoETS> {
    AutoETS::new(1, "AZN").ok()
}

impl Forecaster for Ets {
    fn name(&self) -> &'static str {
        "ets"
    }

    fn forecast(&self, past: Past<'_>, horizon: usize) -> Option<Vec<f64>> {
        let values = &past.values[past.values.len().saturating_sub(MOST_FITTED)..];
        let scaled = Scaled::of(values)?;
        let fitted = model()?.fit(&scaled.values).ok()?;
        scaled.back(fitted.predict(horizon, None).ok()?.point)
    }

    fn origins(&self) -> usize {
        8
    }
}

/// Values moved and stretched to mean 0 and spread 1: models keep their precision for bytes as for ratios.
pub struct Scaled {
    /// The values.
    pub values: Vec<f64>,
    mean: f64,
    spread: f64,
}

impl Scaled {
    /// `None` where nothing moves.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        (spread > 1e-12 * mean.abs() && spread > 0.0).then(|| Self {
            values: values.iter().map(|v| (v - mean) / spread).collect(),
            mean,
            spread,
        })
    }

    /// A forecast on the old scale; `None` where it is not finite.
    pub fn back(&self, points: Vec<f64>) -> Option<Vec<f64>> {
        points.iter().all(|p| p.is_finite()).then(|| points.iter().map(|p| self.mean + self.spread * p).collect())
    }
}
