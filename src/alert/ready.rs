//! From what a person wrote to a rule that can be judged: units, limits, query text.
//!
//! Invariant: a rule that comes out has a name, exactly one limit and a `clear` on the good side of it.

use std::time::Duration;

use crate::base::{Quantity, Unit, parse_quantity};
use crate::model::{Catalog, Limit, MatchOp, Matcher, MetricDef, RuleSpec};

use super::config::{Amount, RuleConfig, RuleError};
use super::defaults::FED;

/// Most values `times` looks back on: a machine word of history.
const MOST_TIMES: u32 = 64;

/// A fault: the key and what to write.
type Fault = (&'static str, String);

impl RuleConfig {
    /// The rule ready to be judged; `enabled` is the caller's to heed.
    ///
    /// # Errors
    /// No name; no or several limits; a value whose unit does not fit the metric; an unknown metric or label, with the nearest
    /// known one; keys that exclude each other.
    pub fn ready(&self, catalog: &Catalog) -> Result<RuleSpec, RuleError> {
        self.checked(catalog).map_err(|(key, message)| RuleError { rule: self.name.clone(), key, message })
    }

    fn checked(&self, catalog: &Catalog) -> Result<RuleSpec, Fault> {
        if self.name.trim().is_empty() {
            return Err(("name", "a rule needs a name".to_owned()));
        }
        let def = self.metric.as_deref().map(|name| known(catalog, name)).transpose()?;
        let expr = self.expression(def)?;
        let unit = def.map(|d| d.unit).or_else(|| self.written_unit()).unwrap_or(Unit::Count);
        let limit = self.limit(unit)?;
        Ok(RuleSpec {
            name: self.name.clone(),
            metric: def.map_or(String::new(), |d| d.name.to_owned()),
            title: def.map_or_else(|| self.name.clone(), |d| subject(d.name)),
            prefer_total: self.expr.is_none() && self.selection.is_none(),
            expr,
            unit,
            limit,
            clear: self.clear(limit, unit)?,
            hold: self.hold.unwrap_or_default(),
            clear_hold: self.clear_for.unwrap_or_default(),
            times: self.times.as_deref().map(times).transpose()?,
            severity: self.severity.unwrap_or_default(),
            kind: self.kind.unwrap_or_default(),
            channels: self.channels.clone(),
            labels: self.labels.clone(),
            built_in: false,
        })
    }

    /// A built-in rule with the keys written here; what it judges stays.
    ///
    /// # Errors
    /// As [`RuleConfig::ready`]; also a key that says what is judged.
    pub(super) fn over(&self, base: &RuleSpec) -> Result<RuleSpec, RuleError> {
        self.changed(base).map_err(|(key, message)| RuleError { rule: self.name.clone(), key, message })
    }

    fn changed(&self, base: &RuleSpec) -> Result<RuleSpec, Fault> {
        let judged =
            [(self.selection.is_some(), "where"), (self.aggregate.is_some(), "aggregate"), (self.window.is_some(), "window")];
        if let Some((_, key)) = judged.into_iter().find(|(there, _)| *there) {
            return Err((
                key,
                "needs a metric; without one only limits, times, severity, channels and labels of a built-in rule change"
                    .to_owned(),
            ));
        }
        let written = self.above.is_some() || self.below.is_some() || self.outside.is_some();
        let limit = if written { self.limit(base.unit)? } else { base.limit };
        let kept = base.clear.filter(|clear| is_good_side(limit, *clear));
        let mut rule = base.clone();
        rule.limit = limit;
        rule.clear = self.clear(limit, base.unit)?.or(kept);
        rule.hold = self.hold.unwrap_or(base.hold);
        rule.clear_hold = self.clear_for.unwrap_or(base.clear_hold);
        rule.times = self.times.as_deref().map(times).transpose()?.or(base.times);
        rule.severity = self.severity.unwrap_or(base.severity);
        rule.kind = self.kind.unwrap_or(base.kind);
        if !self.channels.is_empty() {
            rule.channels.clone_from(&self.channels);
        }
        rule.labels.extend(self.labels.clone());
        Ok(rule)
    }

    /// The query that gives the values.
    fn expression(&self, def: Option<&MetricDef>) -> Result<String, Fault> {
        if let Some(expr) = &self.expr {
            let written =
                [(self.selection.is_some(), "where"), (self.aggregate.is_some(), "aggregate"), (self.window.is_some(), "window")];
            if let Some((_, key)) = written.into_iter().find(|(there, _)| *there) {
                return Err((key, "expr says this already; write one or the other".to_owned()));
            }
            return Ok(expr.trim().to_owned());
        }
        let def = def.ok_or_else(|| ("metric", "a rule needs a metric or an expr".to_owned()))?;
        let selector = self.selector(def)?;
        let Some(window) = self.window else {
            return match self.aggregate {
                Some(_) => Err(("window", "an aggregate needs a window, for example window = \"5m\"".to_owned())),
                None => Ok(selector),
            };
        };
        aggregated(self.aggregate.as_deref().unwrap_or("mean"), &selector, window)
    }

    fn selector(&self, def: &MetricDef) -> Result<String, Fault> {
        let Some(selection) = self.selection.as_ref().filter(|s| !s.is_empty()) else { return Ok(def.name.to_owned()) };
        let mut matchers = Vec::new();
        for (label, value) in selection {
            if !def.labels.contains(&label.as_str()) {
                let known = if def.labels.is_empty() { "none".to_owned() } else { def.labels.join(", ") };
                return Err(("where", format!("{} has no label \"{label}\"; its labels: {known}", def.name)));
            }
            let matcher = match value.as_str() {
                "*" => Matcher::new(label, MatchOp::NotEqual, "").map_err(|e| ("where", e.to_string()))?,
                value => Matcher::equal(label, value),
            };
            matchers.push(matcher.to_string());
        }
        Ok(format!("{}{{{}}}", def.name, matchers.join(",")))
    }

    /// The unit the limit was written with, for an expression whose metric is not named.
    fn written_unit(&self) -> Option<Unit> {
        let first = self.outside.as_ref().map(|[low, _]| low);
        let amount = self.above.as_ref().or(self.below.as_ref()).or(first)?;
        quantity(amount).ok()?.unit
    }

    fn limit(&self, unit: Unit) -> Result<Limit, Fault> {
        match (&self.above, &self.below, &self.outside) {
            (Some(above), None, None) => Ok(Limit::Above(value("above", above, unit)?)),
            (None, Some(below), None) => Ok(Limit::Below(value("below", below, unit)?)),
            (None, None, Some([low, high])) => {
                let (low, high) = (value("outside", low, unit)?, value("outside", high, unit)?);
                if low >= high {
                    return Err(("outside", "the first value must be less than the second".to_owned()));
                }
                Ok(Limit::Outside(low, high))
            }
            _ => Err(("above", "a rule needs exactly one of above, below and outside".to_owned())),
        }
    }

    fn clear(&self, limit: Limit, unit: Unit) -> Result<Option<Limit>, Fault> {
        let Some(amount) = &self.clear else { return Ok(None) };
        let clear = value("clear", amount, unit)?;
        match limit {
            Limit::Above(above) if clear <= above => Ok(Some(Limit::Above(clear))),
            Limit::Below(below) if clear >= below => Ok(Some(Limit::Below(clear))),
            Limit::Above(_) => Err(("clear", "must not be greater than above".to_owned())),
            Limit::Below(_) => Err(("clear", "must not be less than below".to_owned())),
            Limit::Outside(..) => Err(("clear", "goes with above and below, not with outside; use clear_for".to_owned())),
        }
    }
}

/// Whether `clear` is not beyond the limit.
fn is_good_side(limit: Limit, clear: Limit) -> bool {
    match (limit, clear) {
        (Limit::Above(limit), Limit::Above(clear)) => clear <= limit,
        (Limit::Below(limit), Limit::Below(clear)) => clear >= limit,
        _ => false,
    }
}

fn known<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a MetricDef, Fault> {
    let fed = || FED.iter().find(|def| def.name == name);
    catalog.get(name).or_else(fed).ok_or_else(|| {
        let hint = catalog.nearest(name).map_or(String::new(), |near| format!("; did you mean {near}?"));
        ("metric", format!("there is no metric \"{name}\"{hint}"))
    })
}

fn quantity(amount: &Amount) -> Result<Quantity, String> {
    match amount {
        Amount::Text(text) => parse_quantity(text).map_err(|e| e.to_string()),
        Amount::Number(value) => Ok(Quantity { value: *value, unit: None }),
    }
}

fn value(key: &'static str, amount: &Amount, unit: Unit) -> Result<f64, Fault> {
    let value = quantity(amount).and_then(|q| q.for_unit(unit).map_err(|e| e.to_string())).map_err(|message| (key, message))?;
    if value.is_finite() { Ok(value) } else { Err((key, "must be a finite number".to_owned())) }
}

/// Reads `3 of 5`.
fn times(text: &str) -> Result<(u32, u32), Fault> {
    let bad = || {
        ("times", format!("\"{text}\" is not understood; write for example \"3 of 5\", at most \"{MOST_TIMES} of {MOST_TIMES}\""))
    };
    let (n, m) = text.split_once("of").ok_or_else(bad)?;
    let (n, m): (u32, u32) = (n.trim().parse().map_err(|_| bad())?, m.trim().parse().map_err(|_| bad())?);
    if n == 0 || n > m || m > MOST_TIMES { Err(bad()) } else { Ok((n, m)) }
}

fn aggregated(aggregate: &str, selector: &str, window: Duration) -> Result<String, Fault> {
    if window.is_zero() {
        return Err(("window", "must be longer than 0s".to_owned()));
    }
    let range = format!("{selector}[{}]", window_text(window));
    let function = match aggregate {
        "mean" | "avg" => "avg_over_time",
        "min" => "min_over_time",
        "max" => "max_over_time",
        other => {
            let percent: Option<f64> = other.strip_prefix('p').and_then(|p| p.parse().ok()).filter(|p| (0.0..=100.0).contains(p));
            let percent = percent.ok_or_else(|| {
                ("aggregate", format!("\"{other}\" is no aggregate; there are mean, min, max and quantiles as p95"))
            })?;
            return Ok(format!("quantile_over_time({}, {range})", percent / 100.0));
        }
    };
    Ok(format!("{function}({range})"))
}

/// A duration as PromQL writes it.
fn window_text(window: Duration) -> String {
    let ms = window.as_millis();
    if ms.is_multiple_of(1000) { format!("{}s", ms / 1000) } else { format!("{ms}ms") }
}

/// What a metric is about, in words: its name without the unit (`memory_used_ratio` → `memory used`).
fn subject(metric: &str) -> String {
    const UNITS: [&str; 9] =
        ["_bytes_per_second", "_bits_per_second", "_per_second", "_ratio", "_bytes", "_seconds", "_celsius", "_hertz", "_watts"];
    let bare = UNITS.iter().find_map(|unit| metric.strip_suffix(unit)).unwrap_or(metric);
    bare.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::{catalog, config, spec};

    fn error(text: &str) -> (&'static str, String) {
        let e = config(text).ready(&catalog()).expect_err(text);
        (e.key, e.message)
    }

    #[test]
    fn the_example_of_the_contract_becomes_a_rule() {
        let rule =
            spec("name='memory is tight'\nmetric='memory_used_ratio'\nabove='85%'\nfor='2m'\nclear='80%'\nseverity='critical'");
        assert_eq!(rule.expr, "memory_used_ratio");
        assert_eq!((rule.limit, rule.clear), (Limit::Above(0.85), Some(Limit::Above(0.8))));
        assert_eq!((rule.hold, rule.title.as_str()), (Duration::from_secs(120), "memory used"));
        assert!(rule.prefer_total);
    }

    #[test]
    fn selections_and_windows_become_query_text() {
        for (text, expr) in [
            ("where={core='*'}", "cpu_usage_ratio{core!=\"\"}"),
            ("where={core='3'}", "cpu_usage_ratio{core=\"3\"}"),
            ("where={core='a\"b'}", "cpu_usage_ratio{core=\"a\\\"b\"}"),
            ("window='1m'", "avg_over_time(cpu_usage_ratio[60s])"),
            ("window='90s'\naggregate='max'", "max_over_time(cpu_usage_ratio[90s])"),
            ("window='5m'\naggregate='p95'", "quantile_over_time(0.95, cpu_usage_ratio[300s])"),
        ] {
            assert_eq!(spec(&format!("name='x'\nmetric='cpu_usage_ratio'\nabove='80%'\n{text}")).expr, expr);
        }
    }

    #[test]
    fn units_are_checked_and_the_right_text_is_named() {
        let (key, message) = error("name='x'\nmetric='cpu_usage_ratio'\nabove=85");
        assert!(key == "above" && message.contains("\"85%\""), "{message}");
        let (key, message) = error("name='x'\nmetric='cpu_usage_ratio'\nabove='500MB'");
        assert!(key == "above" && message.contains("bytes"), "{message}");
        assert_eq!(spec("name='x'\nmetric='memory_available_bytes'\nbelow='500MB'").limit, Limit::Below(5e8));
        assert_eq!(spec("name='x'\nexpr='sum(memory_available_bytes)'\nbelow='500MB'").unit, Unit::Bytes);
    }

    #[test]
    fn written_rules_change_replace_or_switch_off_built_in_ones() {
        let built_in = crate::alert::default_rules(&crate::model::HostFacts::default(), None);
        let count = built_in.len();
        let all = |texts: &[&str]| {
            let written: Vec<RuleConfig> = texts.iter().map(|t| config(t)).collect();
            crate::alert::all_rules(built_in.clone(), &written, &catalog())
        };
        let rules = all(&[
            "name='memory'\nabove='95%'",
            "name='cpu'\nenabled=false",
            "name='own'\nmetric='memory_used_ratio'\nabove='9%'",
        ]);
        let rules = rules.expect("rules");
        let memory = rules.iter().find(|r| r.name == "memory").expect("memory");
        assert_eq!((memory.limit, memory.clear), (Limit::Above(0.95), Some(Limit::Above(0.8))));
        assert_eq!((memory.severity, memory.built_in), (crate::model::Severity::Critical, true));
        assert_eq!((rules.len(), rules.iter().any(|r| r.name == "cpu")), (count, false));
        let memory = all(&["name='memory'\nabove='70%'"]).expect("rules").into_iter().find(|r| r.name == "memory");
        assert_eq!(memory.and_then(|m| m.clear), None, "a clear beyond the new limit is dropped");
        for wrong in [
            &["name='memory'\nabove=95"][..],
            &["name='memory'\nwindow='1m'"],
            &["name='own'\nenabled=false"],
            &["name='cpu'", "name='cpu'"],
        ] {
            assert!(all(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_key() {
        for (text, key, hint) in [
            ("metric='cpu_usage_ratio'\nabove='8%'", "name", "name"),
            ("name='x'\nabove=1", "metric", "expr"),
            ("name='x'\nmetric='cpu_usge_ratio'\nabove='8%'", "metric", "cpu_usage_ratio"),
            ("name='x'\nmetric='cpu_usage_ratio'", "above", "exactly one"),
            ("name='x'\nmetric='cpu_usage_ratio'\nabove='8%'\nbelow='9%'", "above", "exactly one"),
            ("name='x'\nmetric='cpu_usage_ratio'\nabove='8%'\nclear='9%'", "clear", "greater"),
            ("name='x'\nmetric='cpu_usage_ratio'\noutside=['9%','8%']", "outside", "less"),
            ("name='x'\nmetric='cpu_usage_ratio'\nabove='8%'\naggregate='max'", "window", "window"),
            ("name='x'\nmetric='cpu_usage_ratio'\nabove='8%'\nwindow='1m'\naggregate='p101'", "aggregate", "p95"),
            ("name='x'\nmetric='cpu_usage_ratio'\nabove='8%'\ntimes='6 of 5'", "times", "3 of 5"),
            ("name='x'\nmetric='cpu_usage_ratio'\nabove='8%'\ntimes='1 of 65'", "times", "64"),
            ("name='x'\nmetric='cpu_usage_ratio'\nabove='8%'\nwhere={cpu='1'}", "where", "core"),
            ("name='x'\nexpr='up'\nabove=1\nwindow='1m'", "window", "expr"),
        ] {
            let (found, message) = error(text);
            assert!(found == key && message.contains(hint), "{text}: {found}: {message}");
        }
        assert!(toml::from_str::<RuleConfig>("name='x'\nabove=1\nhold='1m'").is_err(), "unknown keys are errors");
    }
}
