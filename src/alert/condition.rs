//! What a rule judges, from what a person wrote: query text, unit, limits, title.
//!
//! Invariant: a rule judges in exactly one of its forms, and keys of another form are refused by name.

use crate::base::{Unit, format_duration, format_value};
use crate::model::{Catalog, Condition, Limit, Matcher, Part, ServiceState, Severity};

use super::config::{Amount, RuleConfig, Windows};
use super::defaults::FED;
use super::expression::{known, subject, value};

/// A fault: the key and what to write.
pub(super) type Fault = (&'static str, String);

/// Probability from which a crossing counts where the rule names none: that from which predictions are shown.
const LIKELY: f64 = 0.7;

/// What is judged, in the words of a rule.
pub(super) struct Read {
    pub(super) expr: String,
    pub(super) metric: String,
    pub(super) condition: Condition,
    pub(super) unit: Unit,
    pub(super) limit: Limit,
    /// Empty, or all steps of a limit with several severities, mildest first.
    pub(super) ladder: Vec<(Severity, Limit)>,
    /// Empty: the rule's name.
    pub(super) title: String,
    pub(super) prefer_total: bool,
}

/// Limits of each severity, mildest first; empty where one limit holds.
pub(super) type Ladder = Vec<(Severity, Limit)>;

impl RuleConfig {
    /// Keys that say what is judged, as far as they are written.
    pub(super) fn written(&self) -> Vec<&'static str> {
        let keys = [
            ("metric", self.metric.is_some()),
            ("where", self.selection.is_some()),
            ("expr", self.expr.is_some()),
            ("above", self.above.is_some()),
            ("below", self.below.is_some()),
            ("outside", self.outside.is_some()),
            ("clear", self.clear.is_some()),
            ("aggregate", self.aggregate.is_some()),
            ("window", self.window.is_some()),
            ("windows", self.windows.is_some()),
            ("no_data", self.no_data.is_some()),
            ("service", self.service.is_some()),
            ("state", self.state.is_some()),
            ("anomaly", self.anomaly.is_some()),
            ("within", self.within.is_some()),
            ("probability", self.probability.is_some()),
            ("all", !self.all.is_empty()),
            ("any", !self.any.is_empty()),
            ("by", !self.by.is_empty()),
        ];
        keys.into_iter().filter(|(_, there)| *there).map(|(key, _)| key).collect()
    }

    fn only(&self, form: &str, allowed: &[&str]) -> Result<(), Fault> {
        match self.written().into_iter().find(|key| !allowed.contains(key)) {
            Some(key) => Err((key, format!("does not go with {form}; write one or the other"))),
            None => Ok(()),
        }
    }

    /// What is judged.
    ///
    /// # Errors
    /// The key at fault and what to write.
    pub(super) fn condition(&self, catalog: &Catalog) -> Result<Read, Fault> {
        match self {
            _ if !self.all.is_empty() => self.several("all", &self.all, catalog),
            _ if !self.any.is_empty() => self.several("any", &self.any, catalog),
            _ if self.service.is_some() || self.state.is_some() => self.service_state(),
            _ if self.no_data.is_some() => self.absence(catalog),
            _ if self.anomaly.is_some() => self.unusual(catalog),
            _ if self.within.is_some() => self.expected(catalog),
            _ => self.values(catalog),
        }
    }

    fn values(&self, catalog: &Catalog) -> Result<Read, Fault> {
        let def = self.metric.as_deref().map(|name| known(catalog, name)).transpose()?;
        if let Some(key) = self.written().into_iter().find(|key| ["probability", "by"].contains(key)) {
            let with = if key == "by" { "all or any" } else { "within" };
            return Err((key, format!("goes with {with} only")));
        }
        let unit = def.map(|d| d.unit).or_else(|| self.written_unit()).unwrap_or(Unit::Count);
        let (expr, unit) = self.expression(def, unit)?;
        let condition = match (self.windows, self.window) {
            (Some(Windows::Tumbling), Some(window)) => Condition::Tumbling(window),
            (Some(_), None) => return Err(("window", "windows needs a window, for example window = \"5m\"".to_owned())),
            _ => Condition::Values,
        };
        let (limit, ladder) = self.limits(unit)?;
        Ok(Read {
            expr,
            metric: def.map_or(String::new(), |d| d.name.to_owned()),
            condition,
            unit,
            limit,
            ladder,
            title: def.map_or(String::new(), |d| subject(d.name)),
            prefer_total: self.expr.is_none() && self.selection.is_none(),
        })
    }

    /// A selector of the metric, with what is said of its values instead of a limit.
    fn of_series(
        &self,
        catalog: &Catalog,
        (condition, unit, limit): (Condition, Unit, Limit),
        title: &str,
    ) -> Result<Read, Fault> {
        let def = known(catalog, self.metric.as_deref().unwrap_or_default())?;
        if FED.iter().any(|fed| fed.name == def.name) {
            return Err(("metric", format!("{} is no series; it goes with above and below only", def.name)));
        }
        Ok(Read {
            expr: self.selector(def)?,
            metric: def.name.to_owned(),
            condition,
            unit,
            limit,
            ladder: Vec::new(),
            title: title.replace("{subject}", &subject(def.name)),
            prefer_total: self.selection.is_none(),
        })
    }

    fn absence(&self, catalog: &Catalog) -> Result<Read, Fault> {
        self.only("no_data", &["no_data", "metric", "where"])?;
        let limit = self.no_data.unwrap_or_default();
        if limit.is_zero() {
            return Err(("no_data", "must be longer than 0s".to_owned()));
        }
        let judged = (Condition::NoData, Unit::Seconds, Limit::Above(limit.as_secs_f64()));
        self.of_series(catalog, judged, "no data of {subject} {instance} for {value}")
    }

    fn unusual(&self, catalog: &Catalog) -> Result<Read, Fault> {
        self.only("anomaly", &["anomaly", "metric", "where", "clear"])?;
        let limit = self.share("anomaly", self.anomaly.as_ref(), 0.0)?;
        if self.metric.is_some() {
            return self.of_series(
                catalog,
                (Condition::Anomaly, Unit::Ratio, Limit::Above(limit)),
                "{subject} {instance} is unusual, {value}",
            );
        }
        let machine = Self { metric: Some("anomaly_machine_score".to_owned()), ..self.clone() };
        let title = "the machine behaves unusually, {value}";
        machine.of_series(catalog, (Condition::Values, Unit::Ratio, Limit::Above(limit)), title)
    }

    fn expected(&self, catalog: &Catalog) -> Result<Read, Fault> {
        self.only("within", &["within", "probability", "metric", "where", "above", "below", "clear"])?;
        let def = known(catalog, self.metric.as_deref().unwrap_or_default())?;
        let within = self.within.unwrap_or_default();
        if within.is_zero() {
            return Err(("within", "must be longer than 0s".to_owned()));
        }
        let (limit, ladder) = self.limits(def.unit)?;
        let key = if self.above.is_some() { "above" } else { "below" };
        if !ladder.is_empty() {
            return Err((key, "is one value where within is written".to_owned()));
        }
        let probability = self.share("probability", self.probability.as_ref(), LIKELY)?;
        let sign = if matches!(limit, Limit::Above(_)) { ">" } else { "<" };
        let bound = format_value(limit.shown(0.0), def.unit);
        let title = format!("{{subject}} {{instance}} {sign} {bound} within {}, {{value}} likely", format_duration(within));
        let condition = Condition::Forecast { limit, within };
        self.of_series(catalog, (condition, Unit::Ratio, Limit::Above(probability)), &title)
    }

    fn service_state(&self) -> Result<Read, Fault> {
        self.only("service and state", &["service", "state"])?;
        let service =
            self.service.as_deref().ok_or_else(|| ("service", "name the service, or write \"*\" for each".to_owned()))?;
        let states = self.state.as_ref().map(|s| s.list()).unwrap_or_default();
        if states.is_empty() {
            return Err(("state", "name a state: online, degraded, offline or unknown".to_owned()));
        }
        let one = |state: &ServiceState| match service {
            "*" => format!("(service_state == bool {})", *state as u8),
            name => format!("(service_state{{{}}} == bool {})", Matcher::equal("service", name), *state as u8),
        };
        let words: Vec<String> = states.iter().map(|s| format!("{s:?}").to_lowercase()).collect();
        Ok(Read {
            expr: states.iter().map(one).collect::<Vec<_>>().join(" + "),
            metric: "service_state".to_owned(),
            condition: Condition::Values,
            unit: Unit::Count,
            limit: Limit::Above(0.5),
            ladder: Vec::new(),
            title: format!("{{service}} is {}", words.join(" or ")),
            prefer_total: false,
        })
    }

    fn several(&self, key: &'static str, written: &[Self], catalog: &Catalog) -> Result<Read, Fault> {
        self.only(key, &[key, "by"])?;
        let parts = written.iter().enumerate().map(|(n, part)| {
            let at = |(_, message): Fault| (key, format!("condition {}: {message}", n + 1));
            if let Some(own) = part.beyond_condition() {
                return Err((key, format!("condition {}: {own} belongs to the rule, not to one of its conditions", n + 1)));
            }
            let read = part.condition(catalog).map_err(|(own, message)| at((own, format!("{own}: {message}"))))?;
            if !read.ladder.is_empty() {
                return Err((key, format!("condition {}: a limit is one value here", n + 1)));
            }
            Ok(Part { expr: read.expr, condition: read.condition, limit: read.limit, prefer_total: read.prefer_total })
        });
        let parts = parts.collect::<Result<Vec<_>, Fault>>()?;
        let (operator, least) = if key == "all" { ("and", parts.len() - 1) } else { ("or", 0) };
        let expr: Vec<String> = parts.iter().map(compared).collect();
        Ok(Read {
            expr: expr.join(&format!(" {operator} on ({}) ", self.by.join(", "))),
            metric: String::new(),
            title: format!("{} {{instance}}: {{value}} of {} conditions hold", self.name, parts.len()),
            condition: Condition::Several { parts, by: self.by.clone() },
            unit: Unit::Count,
            limit: Limit::Above(least as f64),
            ladder: Vec::new(),
            prefer_total: false,
        })
    }

    /// A key that a condition inside a rule has not.
    fn beyond_condition(&self) -> Option<&'static str> {
        let keys = [
            ("name", !self.name.is_empty()),
            ("for", self.hold.is_some()),
            ("clear", self.clear.is_some()),
            ("clear_for", self.clear_for.is_some()),
            ("times", self.times.is_some()),
            ("severity", self.severity.is_some()),
            ("kind", self.kind.is_some()),
            ("channels", !self.channels.is_empty()),
            ("mutes", !self.mutes.is_empty()),
            ("test", !self.test.is_empty()),
            ("labels", !self.labels.is_empty()),
            ("enabled", !self.enabled),
            ("min_duration", self.min_duration.is_some()),
            ("max_duration", self.max_duration.is_some()),
        ];
        keys.into_iter().find(|(_, there)| *there).map(|(key, _)| key)
    }

    /// The limit, and the steps of a limit with several severities.
    pub(super) fn limits(&self, unit: Unit) -> Result<(Limit, Ladder), Fault> {
        match (&self.above, &self.below, &self.outside) {
            (Some(above), None, None) => steps("above", above, unit, Limit::Above),
            (None, Some(below), None) => steps("below", below, unit, Limit::Below),
            (None, None, Some([low, high])) => {
                let (low, high) = (value("outside", low, unit)?, value("outside", high, unit)?);
                if low >= high {
                    return Err(("outside", "the first value must be less than the second".to_owned()));
                }
                Ok((Limit::Outside(low, high), Vec::new()))
            }
            _ => Err(("above", "a rule needs exactly one of above, below and outside".to_owned())),
        }
    }

    /// A share of 1 that lies between its ends.
    fn share(&self, key: &'static str, amount: Option<&Amount>, default: f64) -> Result<f64, Fault> {
        let share = amount.map_or(Ok(default), |a| value(key, a, Unit::Ratio))?;
        if (0.0..1.0).contains(&share) { Ok(share) } else { Err((key, "must be at least 0% and less than 100%".to_owned())) }
    }
}

/// A part of several as a query, for people.
fn compared(part: &Part) -> String {
    match part.limit {
        Limit::Above(limit) => format!("({} > {limit})", part.expr),
        Limit::Below(limit) => format!("({} < {limit})", part.expr),
        Limit::Outside(low, high) => format!("({0} < {low} or {0} > {high})", part.expr),
    }
}

/// One limit, or one for each severity; each worse one is farther out.
fn steps(key: &'static str, amount: &Amount, unit: Unit, limit: fn(f64) -> Limit) -> Result<(Limit, Ladder), Fault> {
    let Amount::Ladder(written) = amount else { return Ok((limit(value(key, amount, unit)?), Vec::new())) };
    let steps = written.iter().map(|(severity, amount)| Ok((*severity, limit(value(key, amount, unit)?))));
    let steps = steps.collect::<Result<Ladder, Fault>>()?;
    let Some((_, mildest)) = steps.first().copied() else {
        return Err((key, "name a severity: { warning = \"85%\", critical = \"95%\" }".to_owned()));
    };
    if steps.windows(2).any(|pair| !pair[0].1.is_broken_by(pair[1].1.shown(0.0))) {
        return Err((key, "a worse severity needs a limit farther out".to_owned()));
    }
    Ok((mildest, steps))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::{catalog, config, spec};
    use std::time::Duration;

    #[test]
    fn every_form_becomes_a_query_a_condition_and_a_limit() {
        let minute = Duration::from_secs(60);
        for (text, expr, condition, limit) in [
            ("metric='memory_used_ratio'\nno_data='1m'", "memory_used_ratio", Condition::NoData, Limit::Above(60.0)),
            (
                "metric='memory_used_ratio'\nabove='90%'\nwindow='1m'\nwindows='tumbling'",
                "avg_over_time(memory_used_ratio[60s])",
                Condition::Tumbling(minute),
                Limit::Above(0.9),
            ),
            (
                "service='*'\nstate=['degraded', 'offline']",
                "(service_state == bool 1) + (service_state == bool 2)",
                Condition::Values,
                Limit::Above(0.5),
            ),
            ("anomaly='80%'", "anomaly_machine_score", Condition::Values, Limit::Above(0.8)),
            ("metric='memory_used_ratio'\nanomaly=0.8", "memory_used_ratio", Condition::Anomaly, Limit::Above(0.8)),
            (
                "metric='memory_used_ratio'\nabove='90%'\nwithin='1m'",
                "memory_used_ratio",
                Condition::Forecast { limit: Limit::Above(0.9), within: minute },
                Limit::Above(0.7),
            ),
            (
                "metric='memory_available_bytes'\naggregate='rate'\nwindow='1m'\nbelow='-1MB/s'",
                "deriv(memory_available_bytes[60s])",
                Condition::Values,
                Limit::Below(-1e6),
            ),
        ] {
            let rule = spec(&format!("name='x'\n{text}"));
            assert_eq!((rule.expr.as_str(), &rule.condition, rule.limit), (expr, &condition, limit), "{text}");
        }
    }

    #[test]
    fn several_conditions_are_counted() {
        let text = "name='x'\nby=['core']\nall=[{metric='cpu_usage_ratio', where={core='*'}, above='90%'}, {metric='memory_used_ratio', below='9%'}]";
        let rule = spec(text);
        assert_eq!(rule.limit, Limit::Above(1.0));
        assert!(matches!(&rule.condition, Condition::Several { parts, by } if parts.len() == 2 && by == &["core"]));
        assert_eq!(rule.expr, "(cpu_usage_ratio{core!=\"\"} > 0.9) and on (core) (memory_used_ratio < 0.09)");
        assert_eq!(spec(&text.replace("all", "any").replace("'9%'", "'8%'")).limit, Limit::Above(0.0));
    }

    #[test]
    fn rules_mute_rules_there_are_and_never_themselves() {
        let all = |texts: [&str; 3]| {
            let written: Vec<RuleConfig> = texts.iter().map(|t| config(&format!("expr='x'\nabove=1\n{t}"))).collect();
            crate::alert::all_rules(Vec::new(), &written, &catalog()).map_err(|e| e.to_string())
        };
        assert!(all(["name='a'\nmutes=['b', 'c']", "name='b'\nmutes=['c']", "name='c'"]).is_ok());
        let error = all(["name='a'\nmutes=['b']", "name='b'\nmutes=['c']", "name='c'\nmutes=['a']"]).expect_err("a circle");
        assert!(error.contains("rule \"a\": mutes") && error.contains("b, c"), "{error}");
        let error = all(["name='alpha'\nmutes=['alpa']", "name='b'", "name='c'"]).expect_err("a typo");
        assert!(error.contains("did you mean \"alpha\""), "{error}");
    }

    #[test]
    fn a_limit_names_one_value_for_each_severity() {
        let rule = spec("name='x'\nmetric='memory_used_ratio'\nabove={warning='85%', critical='95%'}\nclear='80%'");
        assert_eq!((rule.severity, rule.limit), (Severity::Warning, Limit::Above(0.85)));
        assert_eq!(rule.ladder, [(Severity::Critical, Limit::Above(0.95))]);
    }

    #[test]
    fn keys_of_another_form_are_refused_by_name() {
        for (text, key, hint) in [
            ("metric='memory_used_ratio'\nno_data='1m'\nabove='9%'", "above", "no_data"),
            ("metric='memory_used_ratio'\nno_data='0s'", "no_data", "longer"),
            ("metric='memory_used_ratio'\nabove='9%'\nwindows='tumbling'", "window", "5m"),
            ("metric='memory_used_ratio'\nabove='9%'\nprobability='9%'", "probability", "within"),
            ("metric='memory_used_ratio'\noutside=['1%','9%']\nwithin='1h'", "outside", "within"),
            ("metric='memory_used_ratio'\nabove={warning='9%', critical='8%'}", "above", "farther"),
            ("metric='memory_used_ratio'\nabove={}", "above", "severity"),
            ("metric='memory_used_ratio'\nabove={warning='9%'}\nseverity='info'", "severity", "leave"),
            ("metric='memory_used_ratio'\nabove='9%'\naggregate='rate'\nwindow='1m'", "aggregate", "change"),
            ("metric='memory_used_ratio'\nabove='9%'\nmin_duration='2m'\nmax_duration='1m'", "max_duration", "min_duration"),
            ("service='web'", "state", "offline"),
            ("state='offline'", "service", "*"),
            ("no_data='1m'", "metric", "name"),
            ("anomaly='100%'", "anomaly", "less"),
            ("all=[{metric='memory_usd_ratio', above='9%'}]", "all", "memory_used_ratio"),
            ("any=[{metric='memory_used_ratio', above='9%', for='1m'}]", "any", "belongs to the rule"),
            ("any=[{metric='memory_used_ratio', above='9%'}]\nabove='9%'", "above", "any"),
        ] {
            let error = config(&format!("name='x'\n{text}")).ready(&catalog()).expect_err(text);
            assert!(error.key == key && error.message.contains(hint), "{text}: {error}");
        }
    }
}
