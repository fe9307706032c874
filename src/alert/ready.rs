//! From what a person wrote to a rule that can be judged.
//!
//! Invariant: a rule that comes out has a name, a limit and a `clear` on the good side of it.

use std::time::Duration;

use crate::base::{Unit, format_duration, format_value};
use crate::model::{Catalog, FlapLimits, Limit, RuleSpec};

use super::condition::Fault;
use super::config::{Amount, RuleConfig, RuleError};
use super::expression::value;

/// Most values `times` looks back on: a machine word of history.
const MOST_TIMES: u32 = 64;

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
        let read = self.condition(catalog)?;
        let severity = match read.ladder.first() {
            Some(_) if self.severity.is_some() => {
                return Err(("severity", "the limit names one severity for each value; leave this out".to_owned()));
            }
            Some((mildest, _)) => *mildest,
            None => self.severity.unwrap_or_default(),
        };
        let (at_least, at_most) = self.durations((Duration::ZERO, None))?;
        Ok(RuleSpec {
            clear: self.clear(read.limit, read.unit)?,
            metric: read.metric,
            condition: read.condition,
            title: if read.title.is_empty() { self.name.clone() } else { read.title },
            prefer_total: read.prefer_total,
            unit: read.unit,
            ladder: read.ladder.into_iter().skip(1).collect(),
            hold: self.hold.unwrap_or_default(),
            clear_hold: self.clear_for.unwrap_or_default(),
            at_least,
            at_most,
            flap: self.flaps(FlapLimits::default())?,
            learns: self.learn.unwrap_or(true) && (self.above.is_some() || self.below.is_some()),
            times: self.times.as_deref().map(times).transpose()?,
            severity,
            kind: self.kind.unwrap_or_default(),
            channels: self.channels.clone(),
            mutes: self.mutes.clone(),
            labels: self.labels.clone(),
            ..RuleSpec::of(&self.name, &read.expr, read.limit)
        })
    }

    /// `min_duration` and `max_duration`, with what holds where they are not written.
    fn durations(&self, (least, most): (Duration, Option<Duration>)) -> Result<(Duration, Option<Duration>), Fault> {
        let (least, most) = (self.min_duration.unwrap_or(least), self.max_duration.or(most));
        match most {
            Some(most) if most.is_zero() || most < least => {
                let message = format!("must be longer than 0s and than min_duration ({})", format_duration(least));
                Err(("max_duration", message))
            }
            most => Ok((least, most)),
        }
    }

    /// `flap_start` and `flap_stop`, with what holds where they are not written.
    fn flaps(&self, base: FlapLimits) -> Result<FlapLimits, Fault> {
        let share = |key, amount: &Option<Amount>, base| match amount {
            None => Ok(base),
            Some(amount) => match value(key, amount, Unit::Ratio)? {
                share if (0.0..=1.0).contains(&share) => Ok(share),
                _ => Err((key, "must be between 0% and 100%".to_owned())),
            },
        };
        let (start, stop) = (share("flap_start", &self.flap_start, base.start)?, share("flap_stop", &self.flap_stop, base.stop)?);
        if stop > start {
            return Err(("flap_stop", format!("must not be greater than flap_start ({})", format_value(start, Unit::Ratio))));
        }
        Ok(FlapLimits { start, stop })
    }

    /// A built-in rule with the keys written here; what it judges stays.
    ///
    /// # Errors
    /// As [`RuleConfig::ready`]; also a key that says what is judged.
    pub(super) fn over(&self, base: &RuleSpec) -> Result<RuleSpec, RuleError> {
        self.changed(base).map_err(|(key, message)| RuleError { rule: self.name.clone(), key, message })
    }

    fn changed(&self, base: &RuleSpec) -> Result<RuleSpec, Fault> {
        let judged = self.written().into_iter().find(|key| !["above", "below", "outside", "clear"].contains(key));
        if let Some(key) = judged {
            let message = "needs a metric; without one only limits, times, durations, severity, channels and labels of a built-in rule change";
            return Err((key, message.to_owned()));
        }
        let written = self.above.is_some() || self.below.is_some() || self.outside.is_some();
        let (limit, ladder) = if written { self.limits(base.unit)? } else { (base.limit, Vec::new()) };
        if !ladder.is_empty() && self.severity.is_some() {
            return Err(("severity", "the limit names one severity for each value; leave this out".to_owned()));
        }
        let kept = base.clear.filter(|clear| is_good_side(limit, *clear));
        let mut rule = base.clone();
        rule.limit = limit;
        rule.clear = self.clear(limit, base.unit)?.or(kept);
        rule.hold = self.hold.unwrap_or(base.hold);
        rule.clear_hold = self.clear_for.unwrap_or(base.clear_hold);
        rule.times = self.times.as_deref().map(times).transpose()?.or(base.times);
        rule.severity = ladder.first().map_or(self.severity.unwrap_or(base.severity), |(mildest, _)| *mildest);
        rule.ladder = if written { ladder.into_iter().skip(1).collect() } else { base.ladder.clone() };
        (rule.at_least, rule.at_most) = self.durations((base.at_least, base.at_most))?;
        rule.flap = self.flaps(base.flap)?;
        rule.learns = base.learns && self.learn.unwrap_or(true);
        rule.kind = self.kind.unwrap_or(base.kind);
        if !self.channels.is_empty() {
            rule.channels.clone_from(&self.channels);
        }
        if !self.mutes.is_empty() {
            rule.mutes.clone_from(&self.mutes);
        }
        rule.labels.extend(self.labels.clone());
        Ok(rule)
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

/// Reads `3 of 5`.
fn times(text: &str) -> Result<(u32, u32), Fault> {
    let bad = || {
        ("times", format!("\"{text}\" is not understood; write for example \"3 of 5\", at most \"{MOST_TIMES} of {MOST_TIMES}\""))
    };
    let (n, m) = text.split_once("of").ok_or_else(bad)?;
    let (n, m): (u32, u32) = (n.trim().parse().map_err(|_| bad())?, m.trim().parse().map_err(|_| bad())?);
    if n == 0 || n > m || m > MOST_TIMES { Err(bad()) } else { Ok((n, m)) }
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
            ("name='x'\nexpr='up'\nabove=1\nflap_start='4%'", "flap_stop", "flap_start (4%)"),
            ("name='x'\nexpr='up'\nabove=1\nflap_start='110%'", "flap_start", "100%"),
        ] {
            let (found, message) = error(text);
            assert!(found == key && message.contains(hint), "{text}: {found}: {message}");
        }
        assert!(toml::from_str::<RuleConfig>("name='x'\nabove=1\nhold='1m'").is_err(), "unknown keys are errors");
    }
}
