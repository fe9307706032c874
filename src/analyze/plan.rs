//! How much past a forecast reads, in which steps, and how far it looks ahead.

use std::time::Duration;

use super::AnalyzeConfig;

/// What to read from history and what to ask of [`super::forecast`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForecastPlan {
    /// How much of the past to read.
    pub past: Duration,
    /// Time between two points, of the history read and of the forecast.
    pub step: Duration,
    /// How far to look ahead.
    pub horizon: Duration,
    /// How often to make it again.
    pub renew: Duration,
}

/// The plan for a chart that shows `shown` of the past: the forecast takes a quarter of its width.
pub fn chart_plan(shown: Duration, interval: Duration) -> ForecastPlan {
    let _ = interval;
    ForecastPlan { past: shown, step: shown / 60, horizon: shown / 3, renew: Duration::from_secs(30) }
}

/// The plan for capacity: days ahead from days of history.
pub fn capacity_plan(config: &AnalyzeConfig) -> ForecastPlan {
    let hour = Duration::from_secs(3600);
    ForecastPlan { past: config.train_on, step: hour, horizon: config.train_on, renew: hour }
}
