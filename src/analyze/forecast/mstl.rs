//! Seasons taken out by repeated smoothing (MSTL), the rest continued by exponential smoothing.

use augurs::ets::trend::AutoETSTrendModel;
use augurs::mstl::{FittedTrendModel, MSTLModel, TrendModel};
use augurs::prelude::{Fit, Predict};

use super::ets::{self, Scaled};
use super::{Forecaster, Past};

/// Points the trend is fitted on; the seasons use all.
const TREND_FITTED: usize = 120;

/// Multiple seasonal-trend decomposition with a smoothed trend.
#[derive(Debug)]
pub struct Mstl;

impl Forecaster for Mstl {
    fn name(&self) -> &'static str {
        "mstl"
    }

    fn forecast(&self, past: Past<'_>, horizon: usize) -> Option<Vec<f64>> {
        let periods: Vec<usize> = past.periods.iter().copied().filter(|p| p * 2 <= past.values.len()).collect();
        if periods.is_empty() {
            return None;
        }
        let scaled = Scaled::of(past.values)?;
        let trend = RecentTrend(ets::model()?.into_trend_model());
        let fitted = MSTLModel::new(periods, trend).fit(&scaled.values).ok()?;
        scaled.back(fitted.predict(horizon, None).ok()?.point)
    }

    fn origins(&self) -> usize {
        8
    }
}

/// Exponential smoothing of the newest points only: its cost grows with their number, its result hardly does.
#[derive(Debug)]
struct RecentTrend(AutoETSTrendModel);

impl TrendModel for RecentTrend {
    fn name(&self) -> std::borrow::Cow<'_, str> {
        self.0.name()
    }

    fn fit(&self, y: &[f64]) -> Result<Box<dyn FittedTrendModel + Sync + Send>, Box<dyn std::error::Error + Send + Sync>> {
        self.0.fit(&y[y.len().saturating_sub(TREND_FITTED)..])
    }
}
