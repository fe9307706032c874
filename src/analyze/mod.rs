//! Detectors, forecasters, season, trend, crossing and the record of predictions.
//!
//! Everything here is a function of its arguments and its own past: no clock, no file, no thread.
//! Invariant: the same readings at the same times give the same results, restarts included.

mod analyzer;
mod archive;
mod baseline;
mod beyond;
mod challenge;
mod cluster;
mod config;
mod detect;
mod event;
mod explain;
mod forecast;
mod limit;
mod machine;
mod means;
mod noise;
mod peers;
mod plan;
mod predict;
mod routine;
mod saved;
mod scale;
mod series;
mod shift;
mod slowness;
mod stability;
mod surprise;
mod symptom;
mod tail;
mod trend;
mod watch;

pub use analyzer::{
    Analysis, Analyzer, AnomalyChange, CRITICAL_STRENGTH, MACHINE_SCORE, METRICS, USUAL_CONNECTIONS, WARN_STRENGTH, has_habits,
};
pub use archive::Archive;
pub use beyond::beyond;
pub use challenge::{CHALLENGERS, ChallengerDef};
pub use cluster::{Feature, Member, clusters};
pub use config::{AnalyzeConfig, Learning};
pub use detect::{DETECTORS, Detector, DetectorDef, Point};
pub use forecast::{CROSSING_TOLD, FORECASTERS, ForecastTask, Forecaster, Past, forecast, reaches};
pub use limit::limit_for;
pub use noise::Noise;
pub use peers::{PEER_DISTANCE, Peers};
pub use plan::{ForecastPlan, asked_past, capacity_plan, chart_plan, crossing_plan};
pub use predict::{PREDICTION_SHOWN, Predictor};
pub use saved::RestoreError;
pub use shift::{moment, shifts};
pub use slowness::{SERVICE_SLOWNESS, Slowness};
pub use stability::{SERVICE_STABILITY, Stability};
pub use symptom::{Evidence, Heading, Slowing, Suspect, Symptoms};
pub use trend::{Slope, slope};

#[cfg(test)]
mod tests;
