//! Alerts and silences; what an alert says of its cause is in `explanation`.
//!
//! Invariant: an alert's id is never reused; its state changes only by a [`Transition`].

use serde::{Deserialize, Serialize};

use super::{Explanation, Flaps, Matcher, Outcome, SeriesKey};
use crate::base::{Timestamp, Unit};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Should be looked at.
    #[default]
    Warning,
    /// Must be looked at now.
    Critical,
}

impl Severity {
    /// Its name, as it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What an alert is about; each kind has a weight in the health score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Too slow or too full; weight 0.4.
    #[default]
    Performance,
    /// Broken; weight 0.3.
    Error,
    /// Somebody does what they should not; weight 0.2.
    Security,
    /// Will be too slow, too full or broken; weight 0.1.
    Predictive,
}

impl AlertKind {
    /// All kinds, heaviest first.
    pub const ALL: [Self; 4] = [Self::Performance, Self::Error, Self::Security, Self::Predictive];

    /// Weight in the health score (`contracts.md` §5).
    pub fn weight(self) -> f64 {
        match self {
            Self::Performance => 0.4,
            Self::Error => 0.3,
            Self::Security => 0.2,
            Self::Predictive => 0.1,
        }
    }
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// The condition holds, but not yet for long enough.
    Pending,
    /// The rule fired.
    Firing,
    /// Over.
    Resolved,
}

/// Somebody takes care of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgment {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What they said.
    pub comment: String,
}

/// Quiet until a time or a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    /// End; `None` where only the condition ends it.
    pub until: Option<Timestamp>,
    /// What ends it beside the time (`until_change`).
    pub condition: Option<String>,
}

/// One rule's alert for one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Short and never reused.
    pub id: String,
    /// The same for the same rule and instance, over time and restarts.
    pub fingerprint: u64,
    /// Name of the rule.
    pub rule: String,
    /// The series it is about.
    pub key: SeriesKey,
    /// Labels matchers see: the series' labels, the rule's, and `rule`, `severity`, `kind`.
    pub labels: std::collections::BTreeMap<String, String>,
    /// What it is about.
    pub kind: AlertKind,
    /// How bad.
    pub severity: Severity,
    /// Where it stands.
    pub state: AlertState,
    /// What happens, for people (`memory 91% > 85%`).
    pub title: String,
    /// Since when the condition holds.
    pub since: Timestamp,
    /// When it fired.
    pub fired_at: Option<Timestamp>,
    /// When it last got worse after somebody had taken care of it.
    #[serde(default)]
    pub worsened_at: Option<Timestamp>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// Value of the condition, now or when it was over.
    pub value: f64,
    /// Limit of the rule, in the same unit.
    pub limit: f64,
    /// Unit of both.
    pub unit: Unit,
    /// Escalation level, 0 to 4.
    pub level: u8,
    /// Who takes care.
    pub acknowledged: Option<Acknowledgment>,
    /// Quiet until.
    pub snoozed: Option<Snooze>,
    /// Ids of the silences that match it.
    pub silenced_by: Vec<String>,
    /// How it came and went lately.
    #[serde(default, skip_serializing_if = "Flaps::is_none")]
    pub flaps: Flaps,
    /// Real or false, as somebody said.
    pub feedback: Option<Outcome>,
    /// Why it fired; made when it fires.
    pub explanation: Explanation,
}

#[cfg(test)]
impl Alert {
    /// A warning that fires at `since`, for tests to change.
    pub(crate) fn example(id: &str, rule: &str, key: SeriesKey, since: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            fingerprint: 7,
            rule: rule.to_owned(),
            key,
            labels: [("rule".to_owned(), rule.to_owned())].into(),
            kind: AlertKind::Performance,
            severity: Severity::Warning,
            state: AlertState::Firing,
            title: format!("{rule} 2 > 1"),
            since,
            fired_at: Some(since),
            worsened_at: None,
            resolved_at: None,
            value: 2.0,
            limit: 1.0,
            unit: Unit::Count,
            level: 0,
            acknowledged: None,
            snoozed: None,
            silenced_by: Vec::new(),
            flaps: Flaps::default(),
            feedback: None,
            explanation: Explanation::default(),
        }
    }
}

impl Alert {
    /// From when its levels count: escalation begins again where it got worse.
    pub fn counts_from(&self) -> Option<Timestamp> {
        self.worsened_at.or(self.fired_at)
    }

    /// Whether it changes too often to be told each time.
    pub fn is_flapping(&self) -> bool {
        self.flaps.since.is_some()
    }

    /// Whether nobody should be told: silenced or snoozed.
    pub fn is_quiet(&self) -> bool {
        !self.silenced_by.is_empty() || self.snoozed.is_some()
    }
}

/// A change of an alert's state, or a decision about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// The alert.
    pub alert: String,
    /// Its rule.
    pub rule: String,
    /// State before; `None` for a new alert.
    pub from: Option<AlertState>,
    /// State after.
    pub to: AlertState,
    /// When.
    pub at: Timestamp,
    /// Why, for people.
    pub reason: String,
    /// Who, where it was a person.
    pub author: Option<String>,
}

/// Alerts that match are not told to anybody until it ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Short and never reused.
    pub id: String,
    /// All must match.
    pub matchers: Vec<Matcher>,
    /// Start.
    pub from: Timestamp,
    /// End.
    pub until: Timestamp,
    /// Who.
    pub author: String,
    /// Why.
    pub comment: String,
    /// Maintenance: the services concerned do not count in uptime.
    pub maintenance: bool,
}
