//! What a rule says, ready to be judged; what a person writes is in the alert room's configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AlertKind, Severity};
use crate::base::Unit;

/// How values of a window become one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Arithmetic mean.
    Mean,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// Quantile, 0–1.
    Quantile(f64),
}

/// When a value is wrong; in the unit of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Greater than.
    Above(f64),
    /// Less than.
    Below(f64),
    /// Less than the first or greater than the second.
    Outside(f64, f64),
}

impl Limit {
    /// Whether a value is wrong.
    pub fn is_broken_by(self, value: f64) -> bool {
        match self {
            Self::Above(limit) => value > limit,
            Self::Below(limit) => value < limit,
            Self::Outside(low, high) => value < low || value > high,
        }
    }

    /// The number nearest to `value`, for display.
    pub fn shown(self, value: f64) -> f64 {
        match self {
            Self::Above(limit) | Self::Below(limit) => limit,
            Self::Outside(low, high) => {
                if value < low {
                    low
                } else {
                    high
                }
            }
        }
    }
}

/// One rule. Its values are those of `expr`, one instance for each series it gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleSpec {
    /// Unique name.
    pub name: String,
    /// Query that gives the values, windows included (`avg_over_time(cpu_usage_ratio[1m])`).
    pub expr: String,
    /// The metric it is about; empty where the expression has several.
    pub metric: String,
    /// Unit of values and limits.
    pub unit: Unit,
    /// When a value is wrong.
    pub limit: Limit,
    /// When it is right again; `None`: as soon as it is not wrong.
    pub clear: Option<Limit>,
    /// How long it must be wrong before the rule fires.
    pub hold: Duration,
    /// How long it must be right before it is over.
    pub clear_hold: Duration,
    /// Of the last `.1` values `.0` must be wrong; `None`: the newest.
    pub times: Option<(u32, u32)>,
    /// How bad.
    pub severity: Severity,
    /// What kind.
    pub kind: AlertKind,
    /// Channels by name; empty: as routed.
    pub channels: Vec<String>,
    /// Labels added to its alerts.
    pub labels: BTreeMap<String, String>,
    /// What the alert says. Without placeholder, instance, value and limit follow it (`memory`); with one it is the whole
    /// sentence (`{service} is down`, `{mount} is {value} full`): `{value}`, `{limit}`, `{instance}` or a label's name.
    pub title: String,
    /// Where the values include one without labels, only that one is judged: a rule that names no label.
    #[serde(default)]
    pub prefer_total: bool,
    /// Came with farol, not written by the user.
    pub built_in: bool,
}
