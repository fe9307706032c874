//! What a rule says, ready to be judged; what a person writes is in the alert room's configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AlertKind, FlapLimits, Severity};
use crate::base::Unit;

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

/// Where the values of a rule come from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// What the expression gives, at every tick.
    #[default]
    Values,
    /// What the expression gave at the end of the last whole window of this length, windows lying on the clock.
    Tumbling(Duration),
    /// Seconds since each series of the expression, which is a selector, had its newest sample.
    NoData,
    /// How unusual each series of the expression, which is a selector, is: 0 (as always) to 1 (never seen).
    Anomaly,
    /// How likely each series of the expression, which is a selector, is beyond a limit within a time, 0–1, by its forecast.
    Forecast {
        /// The limit, in the unit of the series.
        limit: Limit,
        /// Within this time from now.
        within: Duration,
    },
    /// How many of these hold, for each value of the labels `by`; without labels for the machine as a whole.
    Several {
        /// What may hold.
        parts: Vec<Part>,
        /// Labels that tell instances apart; a part without them counts for every instance.
        by: Vec<String>,
    },
}

/// One of several conditions: it holds where one of its values is beyond its limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Query of its values.
    pub expr: String,
    /// What is made of them.
    pub condition: Condition,
    /// When it holds.
    pub limit: Limit,
    /// Where the values include one without labels, only that one counts.
    pub prefer_total: bool,
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
    /// What is made of them.
    #[serde(default)]
    pub condition: Condition,
    /// Unit of values and limits.
    pub unit: Unit,
    /// When a value is wrong.
    pub limit: Limit,
    /// Limits from which it is worse, each with its severity, mildest first.
    #[serde(default)]
    pub ladder: Vec<(Severity, Limit)>,
    /// When it is right again; `None`: as soon as it is not wrong.
    pub clear: Option<Limit>,
    /// How long it must be wrong before the rule fires.
    pub hold: Duration,
    /// How long it must be right before it is over.
    pub clear_hold: Duration,
    /// How long an alert lasts at least.
    #[serde(default)]
    pub at_least: Duration,
    /// After this it is over even where it is still wrong, and fires again only once it was right.
    #[serde(default)]
    pub at_most: Option<Duration>,
    /// From when its alerts flap, and until when.
    #[serde(default)]
    pub flap: FlapLimits,
    /// What is learned from its alerts may move its limit.
    #[serde(default)]
    pub learns: bool,
    /// Of the last `.1` values `.0` must be wrong; `None`: the newest.
    pub times: Option<(u32, u32)>,
    /// How bad.
    pub severity: Severity,
    /// What kind.
    pub kind: AlertKind,
    /// Channels by name; empty: as routed.
    pub channels: Vec<String>,
    /// Rules that are not told while it fires.
    #[serde(default)]
    pub mutes: Vec<String>,
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

impl RuleSpec {
    /// A warning about performance in plain numbers, at once and without more ado: what other rules are made from.
    pub fn of(name: &str, expr: &str, limit: Limit) -> Self {
        Self {
            name: name.to_owned(),
            expr: expr.to_owned(),
            metric: String::new(),
            condition: Condition::Values,
            unit: Unit::Count,
            limit,
            ladder: Vec::new(),
            clear: None,
            hold: Duration::ZERO,
            clear_hold: Duration::ZERO,
            at_least: Duration::ZERO,
            at_most: None,
            flap: FlapLimits::default(),
            learns: true,
            times: None,
            severity: Severity::Warning,
            kind: AlertKind::Performance,
            channels: Vec::new(),
            mutes: Vec::new(),
            labels: BTreeMap::new(),
            title: name.to_owned(),
            prefer_total: false,
            built_in: false,
        }
    }
}
