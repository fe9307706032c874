//! Forecasts.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{Backtest, Bucket, Forecast, Limit, MetricDef, SeriesKey};

/// What a forecast is made from.
#[derive(Debug, Clone)]
pub struct ForecastTask {
    /// Which series.
    pub key: SeriesKey,
    /// Its metric: unit and possible range.
    pub def: MetricDef,
    /// Buckets of the past by time, at most `step` long; gaps are absent.
    pub history: Vec<Bucket>,
    /// Time between two points.
    pub step: Duration,
    /// How far to look ahead.
    pub horizon: Duration,
    /// The limit whose crossing is of interest.
    pub limit: Option<Limit>,
    /// Now; history after it is not looked at.
    pub now: Timestamp,
}

/// The expected course of a series, or why there is none.
pub fn forecast(task: &ForecastTask) -> Forecast {
    Forecast {
        key: task.key.clone(),
        made_at: task.now,
        step: task.step,
        mean: Arc::new([]),
        band80: Arc::new([]),
        band95: Arc::new([]),
        method: String::new(),
        backtest: Backtest::default(),
        crossing: None,
        none_because: Some("too little history".to_owned()),
    }
}
