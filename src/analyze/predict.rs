//! Predictions kept as made and scored when due.

use std::sync::Arc;

use crate::base::Timestamp;
use crate::model::{Forecast, Prediction, SeriesKey, TrackRecord};

/// Predictions at least this likely are shown and raised (P4 of the goals: above 0.7).
pub const PREDICTION_SHOWN: f64 = 0.7;

/// Keeps predictions as they were made and scores them when they are due.
#[derive(Debug, Default)]
pub struct Predictor {
    kept: Vec<Prediction>,
}

impl Predictor {
    /// Without a past.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the predictions kept in the store.
    pub fn restore(kept: Vec<Prediction>) -> Self {
        Self { kept }
    }

    /// Makes predictions from the crossings of new forecasts; gives those that changed, to be stored.
    pub fn update(&mut self, now: Timestamp, forecasts: &[Arc<Forecast>]) -> Vec<Prediction> {
        let _ = (now, forecasts);
        Vec::new()
    }

    /// Looks whether something predicted happened or is overdue; gives those scored, to be stored.
    pub fn observe(&mut self, now: Timestamp, values: &dyn Fn(&SeriesKey) -> Option<f64>) -> Vec<Prediction> {
        let _ = (now, values);
        Vec::new()
    }

    /// Open and recently scored ones that are likely enough, most urgent first.
    pub fn shown(&self) -> Arc<[Prediction]> {
        self.kept.iter().filter(|p| p.probability >= PREDICTION_SHOWN).cloned().collect()
    }

    /// How the shown ones did.
    pub fn record(&self) -> TrackRecord {
        TrackRecord::default()
    }
}
