//! What a screen knows of the rules and of the plan of escalation.
//!
//! Made by the engine from the configuration. Invariant: what stands here is what really fires and who is
//! really told.

use serde::{Deserialize, Serialize};

use super::{Matcher, RuleSpec, SeriesKey};
use crate::base::Timestamp;

/// A rule in force, and which series its limit is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchedRule {
    /// The rule.
    pub spec: RuleSpec,
    /// Matchers of the one selector it judges, by itself or over a window; `None` where the limit is about something computed.
    pub matchers: Option<Vec<Matcher>>,
}

impl WatchedRule {
    /// Whether its limit is one of the values of a series.
    pub fn is_about(&self, key: &SeriesKey) -> bool {
        let holds = |matchers: &Vec<Matcher>| matchers.iter().all(|m| m.matches(key.label(m.name())));
        self.spec.metric == key.metric() && self.matchers.as_ref().is_some_and(holds)
    }
}

/// What comes next for an alert nobody takes care of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NextStep {
    /// The alert, by id.
    pub alert: String,
    /// When.
    pub at: Timestamp,
    /// The level it rises to then.
    pub level: u8,
    /// Channels told then.
    pub channels: Vec<String>,
    /// Those of them that were not told before.
    pub joining: Vec<String>,
}
