//! Samples and expected transitions of `[[rule.test]]`, run through judge and state machine.
//!
//! Invariant: a test runs what an engine runs; only time is made up.

use std::collections::BTreeMap;
use std::time::Duration;

use super::future::Forecasts;
use super::judge::{Evidence, Judge};
use super::live::Head;
use crate::alert::{Alerter, Cause, RuleTest, Step, Tick};
use crate::base::{Timestamp, format_duration};
use crate::model::{Reading, RuleSpec, SeriesKey};

/// Most samples of a test: a day, a second apart.
const MOST_SAMPLES: usize = 86_400;

/// Where tests begin; a full hour, so that tumbling windows begin with them.
const BEGIN: Timestamp = Timestamp(1_767_225_600_000);

/// What a test did instead of what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TestFailure(String);

/// Runs a test of a rule.
///
/// # Errors
/// A test that cannot be read, or other transitions than expected, both lists told.
pub fn test_rule(rule: &RuleSpec, test: &RuleTest) -> Result<(), TestFailure> {
    let courses = courses(test)?;
    let samples = courses.values().map(Vec::len).max().unwrap_or(0);
    let mut judge = Judge::new(std::slice::from_ref(rule)).map_err(|(_, e)| TestFailure(e.to_string()))?;
    // Muting others is about other rules.
    let mut alerter = Alerter::new(vec![RuleSpec { mutes: Vec::new(), ..rule.clone() }]);
    let (mut head, forecasts) = (Head::new(test.interval), Forecasts::new());
    let mut found = Vec::new();
    for n in 0..samples {
        let since = test.interval * u32::try_from(n).unwrap_or(u32::MAX);
        let at = BEGIN + since;
        let value = |values: &Vec<Option<f64>>| values.get(n).copied().flatten();
        let there = courses.iter().filter_map(|(key, values)| Some((key, value(values)?)));
        let readings: Vec<Reading> = there.map(|(key, value)| Reading { key: key.clone(), value, cumulative: None }).collect();
        head.push(at, &readings);
        let evidence = Evidence { head: &head, at, readings: &readings, fed: &[], scores: &[], forecasts: &forecasts };
        let tick = Tick { at, elapsed: (n > 0).then_some(test.interval), interval: test.interval };
        let steps = judge.evaluate(evidence, |values| alerter.step(tick, values));
        // Escalation is no part of a rule.
        found.extend(steps.iter().filter(|s| s.cause != Cause::Escalated).map(|step| told(step, since)));
    }
    let squeezed = |text: &String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected: Vec<String> = test.expect.iter().map(squeezed).collect();
    if found == expected {
        return Ok(());
    }
    let list = |lines: &[String]| if lines.is_empty() { "nothing".to_owned() } else { lines.join(", ") };
    Err(TestFailure(format!("expected {}; it did {}", list(&expected), list(&found))))
}

/// `1m30s fired /var`: time since the first sample, what happened, the instance.
fn told(step: &Step, since: Duration) -> String {
    let cause = format!("{:?}", step.cause).to_lowercase();
    format!("{} {cause} {}", crate::base::time::exact(since), step.alert.key.instance()).trim_end().to_owned()
}

fn courses(test: &RuleTest) -> Result<BTreeMap<SeriesKey, Vec<Option<f64>>>, TestFailure> {
    if test.interval.is_zero() {
        return Err(TestFailure("interval must be longer than 0s".to_owned()));
    }
    if test.series.is_empty() {
        return Err(TestFailure(
            "series names no series; write for example { memory_used_ratio = \"0.5x60 0.9x120\" }".to_owned(),
        ));
    }
    let course = |(key, values): (&String, &String)| {
        let key: SeriesKey = key.parse().map_err(|e| TestFailure(format!("\"{key}\": {e}")))?;
        let values = expand(values)?;
        if values.len() > MOST_SAMPLES {
            let longest = format_duration(test.interval * u32::try_from(MOST_SAMPLES).unwrap_or(u32::MAX));
            return Err(TestFailure(format!("a test has at most {MOST_SAMPLES} samples ({longest})")));
        }
        Ok((key, values))
    };
    test.series.iter().map(course).collect()
}

/// `0.5x60 0.9 -x5`: a value a sample, `-` for none.
fn expand(text: &str) -> Result<Vec<Option<f64>>, TestFailure> {
    let mut values = Vec::new();
    for part in text.split_whitespace() {
        let bad = || TestFailure(format!("\"{part}\" is not understood; write a value, - for none, and how often, as in 0.5x60"));
        let (value, times) = part.split_once('x').unwrap_or((part, "1"));
        let times: usize = times.parse().ok().filter(|n| *n <= MOST_SAMPLES).ok_or_else(bad)?;
        let value = if value == "-" { None } else { Some(value.parse::<f64>().ok().filter(|v| v.is_finite()).ok_or_else(bad)?) };
        values.extend(std::iter::repeat_n(value, times));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::RuleConfig;
    use crate::engine::catalog;

    fn run(rule: &str, test: &str) -> Result<(), String> {
        let config: RuleConfig = toml::from_str(&format!("name='x'\n{rule}\n[[test]]\n{test}")).expect(test);
        let spec = config.ready(&catalog()).expect(rule);
        test_rule(&spec, &config.test[0]).map_err(|e| e.to_string())
    }

    #[test]
    fn a_test_runs_the_rule_over_its_samples() {
        let rule = "metric='memory_used_ratio'\nabove='85%'\nfor='2m'\nclear='80%'";
        let series = "series={memory_used_ratio='0.5x10 0.9x130 0.83x5 0.7x2'}";
        assert_eq!(run(rule, &format!("{series}\nexpect=['10s pending', '130s fired', '145s resolved']")), Ok(()));
        let error = run(rule, &format!("{series}\nexpect=['10s pending']")).expect_err("it fires");
        assert!(error.contains("expected 10s pending; it did 10s pending, 130s fired, 145s resolved"), "{error}");
        let disks = "metric='filesystem_used_ratio'\nabove='90%'\nwindow='1m'";
        let series = "interval='10s'\nseries={'filesystem_used_ratio{mount=\"/var\"}'='0.5x10 1x10'}";
        assert_eq!(run(disks, &format!("{series}\nexpect=['140s fired /var']")), Ok(()));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let rule = "metric='memory_used_ratio'\nabove='85%'";
        for (test, hint) in [
            ("expect=[]", "no series"),
            ("series={memory_used_ratio='x'}\nexpect=[]", "not understood"),
            ("series={memory_used_ratio='1x99999999'}\nexpect=[]", "not understood"),
            ("series={'x{'='1'}\nexpect=[]", "x{"),
            ("interval='0s'\nseries={memory_used_ratio='1'}\nexpect=[]", "interval"),
        ] {
            let error = run(rule, test).expect_err(test);
            assert!(error.contains(hint), "{test}: {error}");
        }
    }
}
