//! Runs `tests/scenarios/alert/*.toml`: values over time and the steps they must give.
//!
//! A scenario has rules as in the configuration, series with values a second each (`0.5x60 0.9 -x5`; `-`: absent), what people do, and
//! the whole list of steps as `SECOND CAUSE RULE`. A restart forgets everything but the journal.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::tests::{at, catalog, tick};
use super::*;
use crate::base::parse_duration;
use crate::model::{JournalEntry, JournalEvent, SeriesKey};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    about: String,
    rule: Vec<RuleConfig>,
    series: Vec<Series>,
    #[serde(default)]
    mute: Vec<MuteConfig>,
    #[serde(default)]
    act: Vec<Act>,
    expect: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    key: SeriesKey,
    values: String,
}

/// What happens before the tick of that second. `alert` names a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    at: u64,
    acknowledge: Option<String>,
    snooze: Option<String>,
    length: Option<String>,
    silence: Option<String>,
    remove: Option<String>,
    /// Nobody watches for that many seconds; their values are lost.
    restart_after: Option<u64>,
}

struct Run {
    alerter: Alerter,
    rules: Vec<(RuleConfig, crate::model::RuleSpec)>,
    journal: Vec<JournalEntry>,
    standing: Standing,
    last: Option<crate::base::Timestamp>,
    blind_until: u64,
    seen: Vec<String>,
}

impl Run {
    fn new(rules: &[RuleConfig], mutes: &[MuteConfig]) -> Self {
        let rules: Vec<_> = rules.iter().map(|r| (r.clone(), r.ready(&catalog()).expect("a rule"))).collect();
        let mut alerter = Alerter::new(rules.iter().map(|(_, spec)| spec.clone()).collect());
        alerter.set_mutes(mutes.iter().enumerate().map(|(n, m)| m.ready(n).expect("a mute")).collect());
        Self { alerter, rules, journal: vec![], standing: Standing::default(), last: None, blind_until: 0, seen: vec![] }
    }

    fn write(&mut self, at: crate::base::Timestamp, event: JournalEvent) {
        let entry = JournalEntry { at, event };
        self.standing.apply(&entry);
        self.journal.push(entry);
    }

    fn id_of(&mut self, rule: &str) -> String {
        let open = self.alerter.alerts().iter().find(|a| a.rule == rule).map(|a| a.id.clone());
        open.unwrap_or_else(|| panic!("no alert of rule {rule}"))
    }

    fn act(&mut self, act: &Act) {
        let author = || "ana".to_owned();
        let length = act.length.as_deref().map(|l| parse_duration(l).expect("a duration"));
        let decision = if let Some(rule) = &act.acknowledge {
            Decision::Acknowledge { alert: self.id_of(rule), author: author(), comment: String::new() }
        } else if let Some(rule) = &act.snooze {
            let length = length.map_or(SnoozeLength::Change, |l| SnoozeLength::Until(at(act.at) + l));
            Decision::Snooze { alert: self.id_of(rule), author: author(), length }
        } else if let Some(matcher) = &act.silence {
            Decision::AddSilence {
                matchers: vec![matcher.parse().expect("a matcher")],
                length: length.expect("a length"),
                author: author(),
                comment: String::new(),
                maintenance: false,
            }
        } else if let Some(rule) = &act.remove {
            self.rules.retain(|(r, _)| r.name != *rule);
            let steps = self.alerter.set_rules(self.rules.iter().map(|(_, spec)| spec.clone()).collect(), at(act.at));
            return self.note(act.at, steps);
        } else {
            let specs = self.rules.iter().map(|(_, spec)| spec.clone()).collect();
            self.alerter = Alerter::new(specs);
            self.alerter.restore(Restored { standing: self.standing.clone(), last_id: 0, last_tick: self.last });
            self.blind_until = act.at + act.restart_after.expect("a restart");
            return;
        };
        let decided = self.alerter.decide(&decision, at(act.at)).expect("a decision");
        for event in decided.events {
            self.write(at(act.at), event);
        }
    }

    fn note(&mut self, second: u64, steps: Vec<Step>) {
        for step in steps {
            let cause = format!("{:?}", step.cause).to_lowercase();
            let level = if step.cause == Cause::Escalated { format!(" {}", step.alert.level) } else { String::new() };
            let instance = step.alert.key.instance();
            let text =
                format!("{second} {cause} {}{}{instance}{level}", step.alert.rule, if instance.is_empty() { "" } else { " " });
            self.seen.push(text);
            let event = JournalEvent::Transition { transition: step.transition, alert: Box::new((*step.alert).clone()) };
            self.write(at(second), event);
        }
    }

    fn step(&mut self, second: u64, values: &BTreeMap<SeriesKey, Option<f64>>) {
        if second < self.blind_until {
            return;
        }
        let given: Vec<(String, Vec<(SeriesKey, f64)>)> = self
            .rules
            .iter()
            .map(|(config, spec)| {
                let wanted = |key: &SeriesKey| {
                    let selection = config.selection.iter().flatten();
                    key.metric() == spec.metric
                        && selection.into_iter().all(|(l, v)| key.label(l).is_some_and(|own| v == "*" || own == v))
                };
                let own = values.iter().filter(|(k, _)| wanted(k)).filter_map(|(k, v)| Some((k.clone(), (*v)?)));
                (spec.name.clone(), own.collect())
            })
            .collect();
        let given: Vec<RuleValues<'_>> = given.iter().map(|(rule, v)| RuleValues { rule, instances: v }).collect();
        let mut now = tick(second);
        if second == self.blind_until {
            now.elapsed = None;
        }
        let steps = self.alerter.step(now, &given);
        self.last = Some(now.at);
        self.note(second, steps);
    }
}

/// `0.5x60 0.9 -x5`: a value a second.
fn expand(values: &str) -> Vec<Option<f64>> {
    let parts = values.split_whitespace().flat_map(|part| {
        let (value, times) = part.split_once('x').map_or((part, 1), |(v, n)| (v, n.parse().expect("a count")));
        let value = (value != "-").then(|| value.parse().expect("a value"));
        std::iter::repeat_n(value, times)
    });
    parts.collect()
}

fn run(scenario: &Scenario) -> Vec<String> {
    let series: Vec<(SeriesKey, Vec<Option<f64>>)> = scenario.series.iter().map(|s| (s.key.clone(), expand(&s.values))).collect();
    let length = series.iter().map(|(_, v)| v.len()).max().unwrap_or(0);
    let mut run = Run::new(&scenario.rule, &scenario.mute);
    for second in 0..u64::try_from(length).expect("a length") {
        scenario.act.iter().filter(|a| a.at == second).for_each(|a| run.act(a));
        let place = usize::try_from(second).expect("a second");
        let values = series.iter().map(|(k, v)| (k.clone(), v.get(place).copied().flatten())).collect();
        run.step(second, &values);
    }
    // What the journal tells is what the alerter has.
    let mut told: Vec<String> = run.standing.alerts.iter().filter(|a| a.resolved_at.is_none()).map(|a| a.id.clone()).collect();
    let mut held: Vec<String> = run.alerter.alerts().iter().filter(|a| a.resolved_at.is_none()).map(|a| a.id.clone()).collect();
    told.sort();
    held.sort();
    assert_eq!(told, held, "{}", scenario.about);
    run.seen
}

#[test]
fn every_scenario_gives_its_steps() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/alert");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).expect("the folder").map(|f| f.expect("a file").path()).collect();
    files.sort();
    assert!(files.len() >= 10, "scenarios are missing from {}", folder.display());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a scenario");
        let scenario: Scenario = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert_eq!(run(&scenario), scenario.expect, "{}: {}", file.display(), scenario.about);
    }
}
