//! Detectors, forecasters, season, trend, crossing and the record of predictions.
//!
//! Everything here is a function of its arguments and its own past: no clock, no file, no thread.
//! Invariant: the same readings at the same times give the same results, restarts included.

mod analyzer;
mod config;
mod forecast;
mod limit;
mod plan;
mod predict;

pub use analyzer::{Analysis, Analyzer, AnomalyChange, CRITICAL_STRENGTH, METRICS, RestoreError, WARN_STRENGTH};
pub use config::AnalyzeConfig;
pub use forecast::{ForecastTask, forecast};
pub use limit::limit_for;
pub use plan::{ForecastPlan, capacity_plan, chart_plan};
pub use predict::{PREDICTION_SHOWN, Predictor};
