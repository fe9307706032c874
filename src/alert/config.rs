//! What a person writes in `[[rule]]`.
//!
//! Never judges anything: [`RuleConfig::ready`] makes the rule that does. Invariant: every key is named
//! and explained in the contracts; an unknown one is an error.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::base::parse_duration;
use crate::base::time::{duration_text, exact};
use crate::model::catalog::nearest;
use crate::model::{AlertKind, Catalog, RuleSpec, ServiceState, Severity};

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
    /// `mean`, `min`, `max` (or `peak`), a quantile as `p95`, `change` (newest less oldest value) or `rate` (change a second by the
    /// line of least squares); needs `window`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<String>,
    /// Span the aggregate is made over; alone it means `mean`.
    #[serde(with = "span", skip_serializing_if = "Option::is_none")]
    pub window: Option<Duration>,
    /// Whether windows slide with every sample or follow each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
    /// Wrong when a series had no sample for this long, instead of a limit.
    #[serde(with = "span", skip_serializing_if = "Option::is_none")]
    pub no_data: Option<Duration>,
    /// The service `state` is about; `"*"`: each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Wrong while the service is in this state, or one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<States>,
    /// Wrong from this anomaly score on, 0–1: of the metric's series, or of the machine where no metric is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<Amount>,
    /// Wrong when the limit is expected to be reached within this time.
    #[serde(with = "span", skip_serializing_if = "Option::is_none")]
    pub within: Option<Duration>,
    /// How likely that must be; 70 % by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<Amount>,
    /// Wrong when all of these hold: each says what is judged and its limit, as a rule does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<Self>,
    /// Wrong when one of these holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<Self>,
    /// Labels by which the conditions of `all` or `any` belong together, each value an instance; none: the machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// How long an alert lasts at least.
    #[serde(with = "span", skip_serializing_if = "Option::is_none")]
    pub min_duration: Option<Duration>,
    /// How long it lasts at most: then it is over, and fires again only once it was right.
    #[serde(with = "span", skip_serializing_if = "Option::is_none")]
    pub max_duration: Option<Duration>,
    /// An alert flaps above this share of changes among the last twenty changes or quiet minutes; `"100%"`: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flap_start: Option<Amount>,
    /// It has settled below this share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flap_stop: Option<Amount>,
    /// False: what is learned from its alerts never moves its limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learn: Option<bool>,
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
    /// Rules that are not told while this one fires.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mutes: Vec<String>,
    /// What it must do over made-up samples; run by `farol rules check`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<RuleTest>,
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
            windows: None,
            no_data: None,
            service: None,
            state: None,
            anomaly: None,
            within: None,
            probability: None,
            all: Vec::new(),
            any: Vec::new(),
            by: Vec::new(),
            min_duration: None,
            max_duration: None,
            flap_start: None,
            flap_stop: None,
            learn: None,
            times: None,
            severity: None,
            kind: None,
            channels: Vec::new(),
            mutes: Vec::new(),
            test: Vec::new(),
            labels: BTreeMap::new(),
            enabled: true,
            expr: None,
        }
    }
}

impl RuleConfig {
    /// Whether it says itself what is judged; else it changes a built-in rule.
    pub fn is_whole(&self) -> bool {
        self.metric.is_some()
            || self.expr.is_some()
            || self.service.is_some()
            || self.anomaly.is_some()
            || !(self.all.is_empty() && self.any.is_empty())
    }
}

/// One `[[rule.test]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleTest {
    /// What people see where it fails; its number where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Time between two samples.
    #[serde(default = "second", with = "duration_text")]
    pub interval: Duration,
    /// Values of each series, in the metric's base unit: `0.5x60 0.9 -x5`, `-` for none.
    #[serde(default)]
    pub series: BTreeMap<String, String>,
    /// All that must happen: time since the first sample, what, and the instance where there is one (`2m fired /var`).
    pub expect: Vec<String>,
}

fn second() -> Duration {
    Duration::from_secs(1)
}

/// How windows follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Windows {
    /// Each sample ends one.
    #[default]
    Sliding,
    /// Each begins where the one before ended, on the clock.
    Tumbling,
}

/// One state or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum States {
    /// `"offline"`.
    One(ServiceState),
    /// `["degraded", "offline"]`.
    Several(Vec<ServiceState>),
}

impl States {
    /// All of them.
    pub fn list(&self) -> &[ServiceState] {
        match self {
            Self::One(state) => std::slice::from_ref(state),
            Self::Several(states) => states,
        }
    }
}

/// A limit as written: a text with its unit, a bare number, or one for each severity.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Amount {
    /// `"85%"`.
    Text(String),
    /// `12`.
    Number(f64),
    /// `{ warning = "85%", critical = "95%" }`.
    Ladder(BTreeMap<Severity, Amount>),
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Amount;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a quantity such as \"85%\", \"500MB\", \"2s\" or 12")
            }
            fn visit_map<M: serde::de::MapAccess<'de>>(self, map: M) -> Result<Amount, M::Error> {
                BTreeMap::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Amount::Ladder)
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
pub(super) mod span {
    use super::{Deserialize, Deserializer, Duration, Error, exact, parse_duration};
    use serde::Serializer;

    pub fn serialize<S: Serializer>(d: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match d {
            Some(d) => serializer.serialize_str(&exact(*d)),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
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
            Some(at) if !config.is_whole() => rules[at] = config.over(&rules[at])?,
            Some(at) => rules[at] = config.ready(catalog)?,
            None if config.enabled => rules.push(config.ready(catalog)?),
            // Switched off, but still read: a mistake shows before somebody switches it on.
            None => drop(config.ready(catalog)?),
        }
    }
    check_mutes(&rules)?;
    Ok(rules)
}

/// Whether rules mute rules that there are, and none itself through others.
fn check_mutes(rules: &[RuleSpec]) -> Result<(), RuleError> {
    let fault = |rule: &RuleSpec, message| RuleError { rule: rule.name.clone(), key: "mutes", message };
    let named = |name: &str| rules.iter().find(|r| r.name == name);
    for rule in rules {
        if let Some(unknown) = rule.mutes.iter().find(|name| named(name).is_none()) {
            let near = nearest(unknown, rules.iter().map(|r| r.name.as_str()));
            let hint = near.map_or(String::new(), |near| format!("; did you mean \"{near}\"?"));
            return Err(fault(rule, format!("there is no rule \"{unknown}\"{hint}")));
        }
        // Everything that follows from it, each once.
        let mut reached: Vec<&str> = rule.mutes.iter().map(String::as_str).collect();
        let mut at = 0;
        while let Some(name) = reached.get(at) {
            let next = named(name).map_or(&[][..], |r| &r.mutes);
            let new: Vec<&str> = next.iter().map(String::as_str).filter(|n| !reached.contains(n)).collect();
            reached.extend(new);
            at += 1;
        }
        if reached.contains(&rule.name.as_str()) {
            let through = reached.iter().filter(|n| **n != rule.name).copied().collect::<Vec<_>>().join(", ");
            let way = if through.is_empty() { String::new() } else { format!(" through {through}") };
            return Err(fault(rule, format!("a rule cannot mute itself{way}; take one of them out")));
        }
    }
    Ok(())
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
