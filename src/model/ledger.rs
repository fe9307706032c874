//! What each rule's alerts were worth, incidents marked by hand, and what was learned from both.
//!
//! Counted from the journal. Invariant: an alert counts in one row, and each figure says what it counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SeriesKey;
use crate::base::{TimeRange, Timestamp};

/// Something that happened and was marked by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// From when to when.
    pub span: TimeRange,
    /// What happened.
    pub comment: String,
    /// The rule that should have told, where that was said.
    #[serde(default)]
    pub rule: Option<String>,
}

/// One rule's record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RuleRecord {
    /// Name of the rule.
    pub rule: String,
    /// From when it is counted: its last lesson, or the beginning of the span.
    pub since: Timestamp,
    /// Alerts that fired.
    pub fired: u32,
    /// Of these: somebody acknowledged it or said that it was real.
    pub acted_on: u32,
    /// Of these: somebody said that it was real.
    pub said_real: u32,
    /// Of these: somebody said that it was false.
    pub said_false: u32,
    /// Of these: over within five minutes, and nobody acted on it or judged it.
    pub self_healed: u32,
    /// Incidents it should have told of and did not.
    pub missed: u32,
    /// Alerts that somebody acted on: what a looser limit must still tell.
    pub real: Vec<(SeriesKey, TimeRange)>,
}

impl RuleRecord {
    /// Alerts that were false: said so, or over by themselves.
    pub fn n_false(&self) -> u32 {
        self.said_false + self.self_healed
    }

    /// Share of its alerts that were false; `None` where it did not fire.
    pub fn false_share(&self) -> Option<f64> {
        (self.fired > 0).then(|| f64::from(self.n_false()) / f64::from(self.fired))
    }

    /// Share of what it should have told that it missed; `None` where there was nothing to tell.
    pub fn missed_share(&self) -> Option<f64> {
        let all = self.fired.saturating_sub(self.n_false()) + self.missed;
        (all > 0).then(|| f64::from(self.missed) / f64::from(all))
    }
}

/// An incident, and whether anybody was told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRecord {
    /// The incident.
    pub incident: Incident,
    /// Who marked it; `None` for the outage of a service.
    pub author: Option<String>,
    /// No alert told of it: before it ended or, of an outage, before it began.
    pub missed: bool,
}

/// All rules' records of a span.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// The span.
    pub range: TimeRange,
    /// Rules that fired or missed something, by name.
    pub rules: Vec<RuleRecord>,
    /// Incidents marked by hand and outages of services, oldest first.
    pub incidents: Vec<IncidentRecord>,
}

/// Keys of a rule as people write them.
pub type RuleKeys = BTreeMap<String, String>;

/// A limit that would have served better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The rule.
    pub rule: String,
    /// The keys that change, as they hold.
    pub from: RuleKeys,
    /// The same as proposed.
    pub to: RuleKeys,
    /// Why, for people.
    pub reason: String,
    /// What the history says of it.
    pub evidence: Evidence,
}

/// The same span with the limit in force and with the one proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// Alerts before and after.
    pub alerts: [u64; 2],
    /// Messages on all channels before and after.
    pub messages: [u64; 2],
    /// Real alerts of which it would have told before and after.
    pub real: [u64; 2],
    /// Missed incidents of which it would have told before and after.
    pub incidents: [u64; 2],
    /// Not every sample of the span is kept.
    pub approximate: bool,
}

/// A change of a rule that was learned, or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// Short and never reused.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// Its entry in `overrides.toml` before; `None`: there was none.
    pub before: Option<RuleKeys>,
    /// Its entry after.
    pub after: Option<RuleKeys>,
    /// Why.
    pub reason: String,
    /// The lesson that it takes back.
    pub undoes: Option<String>,
}
