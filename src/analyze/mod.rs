//! Detectors, forecasters, season, trend, crossing and the record of predictions.
//!
//! Everything here is a function of its arguments and its own past: no clock, no file, no thread.
//! Invariant: the same readings at the same times give the same results, restarts included.

mod analyzer;
mod archive;
mod baseline;
mod config;
mod detect;
mod explain;
mod forecast;
mod limit;
mod means;
mod noise;
mod plan;
mod predict;
mod saved;
mod scale;
mod series;
mod surprise;
mod tail;
mod trend;
mod watch;

pub use analyzer::{Analysis, Analyzer, AnomalyChange, CRITICAL_STRENGTH, METRICS, WARN_STRENGTH};
pub use archive::Archive;
pub use config::AnalyzeConfig;
pub use detect::{DETECTORS, Detector, DetectorDef, Point};
pub use forecast::{FORECASTERS, ForecastTask, Forecaster, Past, forecast};
pub use limit::limit_for;
pub use plan::{ForecastPlan, capacity_plan, chart_plan};
pub use predict::{PREDICTION_SHOWN, Predictor};
pub use saved::RestoreError;
pub use trend::{Slope, slope};

#[cfg(test)]
mod tests;
