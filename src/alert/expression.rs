//! Query text, metrics and values from what a person wrote.
//!
//! Invariant: what comes out names a known metric and its labels, and every value has the unit it is compared in.

use std::time::Duration;

use crate::base::{Quantity, Unit, parse_quantity};
use crate::model::{Catalog, MatchOp, Matcher, MetricDef};

use super::condition::Fault;
use super::config::{Amount, RuleConfig};
use super::defaults::FED;

impl RuleConfig {
    /// The query that gives the values, and their unit.
    pub(super) fn expression(&self, def: Option<&MetricDef>, unit: Unit) -> Result<(String, Unit), Fault> {
        if let Some(expr) = &self.expr {
            if let Some(key) = self.written().into_iter().find(|k| ["where", "aggregate", "window", "windows"].contains(k)) {
                return Err((key, "expr says this already; write one or the other".to_owned()));
            }
            return Ok((expr.trim().to_owned(), unit));
        }
        let def = def.ok_or_else(|| ("metric", "a rule needs a metric or an expr".to_owned()))?;
        let selector = self.selector(def)?;
        let Some(window) = self.window else {
            return match self.aggregate {
                Some(_) => Err(("window", "an aggregate needs a window, for example window = \"5m\"".to_owned())),
                None => Ok((selector, unit)),
            };
        };
        aggregated(self.aggregate.as_deref().unwrap_or("mean"), &selector, window, unit)
    }

    pub(super) fn selector(&self, def: &MetricDef) -> Result<String, Fault> {
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
    pub(super) fn written_unit(&self) -> Option<Unit> {
        let first = self.outside.as_ref().map(|[low, _]| low);
        let mut amount = self.above.as_ref().or(self.below.as_ref()).or(first)?;
        if let Amount::Ladder(steps) = amount {
            amount = steps.values().next()?;
        }
        quantity(amount).ok()?.unit
    }
}

/// The metric of that name, read or fed.
pub(super) fn known<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a MetricDef, Fault> {
    if name.is_empty() {
        return Err(("metric", "name the metric it is about".to_owned()));
    }
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
        Amount::Ladder(_) => Err("is one value here; only above and below take one for each severity".to_owned()),
    }
}

/// A value in a unit.
pub(super) fn value(key: &'static str, amount: &Amount, unit: Unit) -> Result<f64, Fault> {
    let value = quantity(amount).and_then(|q| q.for_unit(unit).map_err(|e| e.to_string())).map_err(|message| (key, message))?;
    if value.is_finite() { Ok(value) } else { Err((key, "must be a finite number".to_owned())) }
}

fn aggregated(aggregate: &str, selector: &str, window: Duration, unit: Unit) -> Result<(String, Unit), Fault> {
    if window.is_zero() {
        return Err(("window", "must be longer than 0s".to_owned()));
    }
    let range = format!("{selector}[{}]", window_text(window));
    let function = match aggregate {
        "mean" | "avg" => "avg_over_time",
        "min" => "min_over_time",
        "max" | "peak" => "max_over_time",
        "change" => "delta",
        "rate" => {
            let unit = match unit {
                Unit::Bytes => Unit::BytesPerSecond,
                Unit::Count => Unit::PerSecond,
                other => {
                    let message = format!("a rate of {other} has no unit; take aggregate = \"change\", which is over the window");
                    return Err(("aggregate", message));
                }
            };
            return Ok((format!("deriv({range})"), unit));
        }
        other => {
            let percent: Option<f64> = other.strip_prefix('p').and_then(|p| p.parse().ok()).filter(|p| (0.0..=100.0).contains(p));
            let percent = percent.ok_or_else(|| {
                let message = format!("\"{other}\" is no aggregate; there are mean, min, max, change, rate and quantiles as p95");
                ("aggregate", message)
            })?;
            return Ok((format!("quantile_over_time({}, {range})", percent / 100.0), unit));
        }
    };
    Ok((format!("{function}({range})"), unit))
}

/// A duration as PromQL writes it.
fn window_text(window: Duration) -> String {
    let ms = window.as_millis();
    if ms.is_multiple_of(1000) { format!("{}s", ms / 1000) } else { format!("{ms}ms") }
}

/// What a metric is about, in words: its name without the unit (`memory_used_ratio` → `memory used`).
pub(super) fn subject(metric: &str) -> String {
    const UNITS: [&str; 9] =
        ["_bytes_per_second", "_bits_per_second", "_per_second", "_ratio", "_bytes", "_seconds", "_celsius", "_hertz", "_watts"];
    let bare = UNITS.iter().find_map(|unit| metric.strip_suffix(unit)).unwrap_or(metric);
    bare.replace('_', " ")
}
