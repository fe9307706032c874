//! What a person may set in `[analyze]`; nothing else is read from here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::time::duration_text;

/// The section `[analyze]` of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnalyzeConfig {
    /// How many anomalies of the machine may be opened as warnings per week.
    pub warn_per_week: f64,
    /// How many of them may become critical per month.
    pub critical_per_month: f64,
    /// How much of the past capacity forecasts learn from.
    #[serde(with = "duration_text")]
    pub train_on: Duration,
}

impl Default for AnalyzeConfig {
    fn default() -> Self {
        Self { warn_per_week: 2.0, critical_per_month: 1.0, train_on: Duration::from_secs(7 * 86_400) }
    }
}
