//! What a series is expected to do, and when it reaches a limit.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Band, SeriesKey};
use crate::base::Timestamp;

/// How well a method did on the series' own past, by rolling origins.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Backtest {
    /// Mean absolute scaled error; below 1 is better than repeating the last value. `None` where the scale is 0.
    pub mase: Option<f64>,
    /// Share of held-out values inside the 80 % band.
    pub coverage80: Option<f64>,
    /// Number of origins.
    pub n: u32,
    /// What it would have said at the newest of them.
    #[serde(default)]
    pub tried: Option<Tried>,
}

/// What a method would have said at one moment of the past, beside what came. Both are equally long; the last point is of
/// the newest value the forecast was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Time between two points.
    pub step: Duration,
    /// What it would have said.
    pub expected: Arc<[f64]>,
    /// What came.
    pub came: Arc<[f64]>,
}

/// The value is expected to reach a limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Crossing {
    /// The limit, in the metric's unit.
    pub limit: f64,
    /// How likely within the horizon, 0–1.
    pub probability: f64,
    /// Most likely moment.
    pub at: Timestamp,
    /// Early end of the 80 % interval.
    pub at_lo: Timestamp,
    /// Late end of the 80 % interval.
    pub at_hi: Timestamp,
}

/// The expected course of one series. Step `k` (from 0) is for `made_at + (k + 1) · step`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Which series.
    pub key: SeriesKey,
    /// Time of the newest value it was made from.
    pub made_at: Timestamp,
    /// Time between two points.
    pub step: Duration,
    /// Expected values; empty where there is no forecast.
    pub mean: Arc<[f64]>,
    /// 80 % band, one per value.
    pub band80: Arc<[Band]>,
    /// 95 % band, one per value.
    pub band95: Arc<[Band]>,
    /// Name of the method.
    pub method: String,
    /// How well the method did on this series' past.
    pub backtest: Backtest,
    /// Where it reaches its limit, if it does.
    pub crossing: Option<Crossing>,
    /// Why there is no forecast (`too little history (2 h of 24 h)`); `None` where there is one.
    pub none_because: Option<String>,
}
