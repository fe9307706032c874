//! What a person may set in `[analyze]`; nothing else is read from here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::time::duration_text;
use crate::base::units::share_text;

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
    /// Largest error of a service, as a share of the time an answer may take, that is as forecast.
    pub stability_error: f64,
    /// Share of the time as forecast below which a service is told of.
    #[serde(with = "share_text")]
    pub stability_below: f64,
    /// What becomes of the limits that the rules' alerts speak for.
    pub learn: Learning,
}

/// What becomes of a limit that would have served better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Learning {
    /// It is proposed.
    #[default]
    Propose,
    /// It is applied once a day.
    Apply,
}

impl Default for AnalyzeConfig {
    fn default() -> Self {
        Self {
            warn_per_week: 2.0,
            critical_per_month: 1.0,
            train_on: Duration::from_secs(7 * 86_400),
            stability_error: 0.05,
            stability_below: 0.8,
            learn: Learning::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_section_is_the_default_and_a_typo_is_refused() {
        assert_eq!(toml::from_str(""), Ok(AnalyzeConfig::default()));
        let set: AnalyzeConfig = toml::from_str("warn_per_week = 5\ntrain_on = \"14d\"").unwrap();
        assert_eq!((set.warn_per_week, set.train_on.as_secs()), (5.0, 14 * 86_400));
        assert!(toml::from_str::<AnalyzeConfig>("warn_per_weak = 5").is_err());
        let below = |text: &str| toml::from_str::<AnalyzeConfig>(text).map(|set| set.stability_below).ok();
        assert_eq!(below("stability_below = \"75%\""), Some(0.75));
        assert_eq!([below("stability_below = 75"), below("stability_below = \"75\"")], [None, None]);
    }
}
