//! What a person writes in `[[rule]]`.
//!
//! Never judges anything: [`RuleConfig::ready`] makes the rule that does. Invariant: every key is named
//! and explained in the contracts; an unknown one is an error.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::base::parse_duration;
use crate::base::time::exact;
use crate::model::{AlertKind, Catalog, RuleSpec, Severity};

/// One `[[rule]]` as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleConfig {
    /// Unique name. With the name of a built-in rule and neither `metric` nor `expr`, the keys written here change that rule;
    /// with either of them this rule replaces it.
    pub name: String,
    /// The metric it is about; not needed beside `expr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Labels its series must have; `"*"`: any value. Absent: the unlabeled series if the metric has one, else each series.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub selection: Option<BTreeMap<String, String>>,
    /// Wrong when greater (`"85%"`, `"500MB"`, `12`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<Amount>,
    /// Wrong when less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<Amount>,
    /// Wrong when outside these two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<[Amount; 2]>,
    /// How long it must be wrong before the rule fires.
    #[serde(rename = "for", with = "span", skip_serializing_if = "Option::is_none")]
    pub hold: Option<Duration>,
    /// Right again only beyond this value, on the good side of the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear: Option<Amount>,
    /// How long it must be right before it is over.
    #[serde(with = "span", skip_serializing_if = "Option::is_none")]
    pub clear_for: Option<Duration>,
    /// `mean`, `min`, `max`, or a quantile as `p95`; needs `window`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<String>,
    /// Span the aggregate is made over; alone it means `mean`.
    #[serde(with = "span", skip_serializing_if = "Option::is_none")]
    pub window: Option<Duration>,
    /// How many of the last values must be wrong: `"3 of 5"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<String>,
    /// How bad; by default a warning, for a built-in rule what it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What kind; by default performance, for a built-in rule what it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<AlertKind>,
    /// Channels by name; empty: as routed.
    pub channels: Vec<String>,
    /// Labels added to its alerts.
    pub labels: BTreeMap<String, String>,
    /// False: the rule does nothing; with the name of a built-in rule it switches that one off.
    pub enabled: bool,
    /// Query that gives the values, instead of `metric`, `where`, `aggregate` and `window`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expr: Option<String>,
}

impl Default for RuleConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            metric: None,
            selection: None,
            above: None,
            below: None,
            outside: None,
            hold: None,
            clear: None,
            clear_for: None,
            aggregate: None,
            window: None,
            times: None,
            severity: None,
            kind: None,
            channels: Vec::new(),
            labels: BTreeMap::new(),
            enabled: true,
            expr: None,
        }
    }
}

/// A limit as written: a text with its unit or a bare number.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Amount {
    /// `"85%"`.
    Text(String),
    /// `12`.
    Number(f64),
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Amount;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a quantity such as \"85%\", \"500MB\", \"2s\" or 12")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                Ok(Amount::Text(text.to_owned()))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Amount, E> {
                Ok(Amount::Number(number))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Amount, E> {
                Ok(Amount::Number(number as f64))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Amount, E> {
                Ok(Amount::Number(number as f64))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Optional durations as people write them.
mod span {
    use super::{Deserialize, Deserializer, Duration, Error, exact, parse_duration};
    use serde::Serializer;

    pub(super) fn serialize<S: Serializer>(d: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match d {
            Some(d) => serializer.serialize_str(&exact(*d)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|t| parse_duration(&t).map_err(D::Error::custom)).transpose()
    }
}

/// The rules in force: those that come with farol, changed, switched off or replaced by those written under the same name, then the
/// other written ones.
///
/// # Errors
/// The first written rule that cannot be used, or two of one name.
pub fn all_rules(built_in: Vec<RuleSpec>, written: &[RuleConfig], catalog: &Catalog) -> Result<Vec<RuleSpec>, RuleError> {
    let mut rules = built_in;
    for (n, config) in written.iter().enumerate() {
        if written.iter().take(n).any(|earlier| earlier.name == config.name) {
            let message = "there are two rules of this name".to_owned();
            return Err(RuleError { rule: config.name.clone(), key: "name", message });
        }
        let at = rules.iter().position(|r| r.built_in && r.name == config.name);
        match at {
            Some(at) if !config.enabled => {
                rules.remove(at);
            }
            Some(at) if config.metric.is_none() && config.expr.is_none() => rules[at] = config.over(&rules[at])?,
            Some(at) => rules[at] = config.ready(catalog)?,
            None if config.enabled => rules.push(config.ready(catalog)?),
            // Switched off, but still read: a mistake shows before somebody switches it on.
            None => drop(config.ready(catalog)?),
        }
    }
    Ok(rules)
}

/// Why a rule cannot be used: the rule, the key and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule \"{rule}\": {key}: {message}")]
pub struct RuleError {
    /// Name of the rule as written.
    pub rule: String,
    /// The key at fault.
    pub key: &'static str,
    /// What is wrong and what to write.
    pub message: String,
}
