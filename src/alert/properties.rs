//! What holds for every course of values.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::tests::{at, rule, tick};
use super::*;
use crate::model::{AlertState, JournalEntry, JournalEvent, Limit, RuleSpec, SeriesKey};

fn any_rule() -> impl Strategy<Value = RuleSpec> {
    (0..8u64, prop::option::of(0.2..0.5f64), 0..5u64, prop::option::of((1..4u32, 4..6u32))).prop_map(
        |(hold, clear, over, times)| RuleSpec {
            hold: Duration::from_secs(hold),
            clear: clear.map(Limit::Above),
            clear_hold: Duration::from_secs(over),
            times,
            ..rule("r", Limit::Above(0.5))
        },
    )
}

/// Courses of three series; `None`: no value.
fn courses() -> impl Strategy<Value = Vec<[Option<f64>; 3]>> {
    let value = prop_oneof![3 => (0.0..1.0f64).prop_map(Some), 1 => Just(None)];
    prop::collection::vec([value.clone(), value.clone(), value], 1..80)
}

fn step(alerter: &mut Alerter, second: u64, values: &[Option<f64>; 3]) -> Vec<Step> {
    step_with(alerter, tick(second), values)
}

fn step_with(alerter: &mut Alerter, tick: Tick, values: &[Option<f64>; 3]) -> Vec<Step> {
    let keyed = ["a", "b", "c"].iter().zip(values).filter_map(|(name, v)| Some((SeriesKey::new("m", [("x", *name)]), (*v)?)));
    let instances: Vec<(SeriesKey, f64)> = keyed.collect();
    alerter.step(tick, &[RuleValues { rule: "r", instances: &instances }])
}

proptest! {
    #[test]
    fn states_follow_each_other_and_ids_are_unique(rule in any_rule(), courses in courses()) {
        let mut alerter = Alerter::new(vec![rule.clone()]);
        let mut states: BTreeMap<String, AlertState> = BTreeMap::new();
        for (second, values) in (0..).zip(&courses) {
            for s in step(&mut alerter, second, values) {
                let before = states.insert(s.alert.id.clone(), s.alert.state);
                prop_assert_eq!(s.transition.from, before);
                let allowed = match s.cause {
                    Cause::Pending => before.is_none() && !rule.hold.is_zero(),
                    Cause::Fired => before == if rule.hold.is_zero() { None } else { Some(AlertState::Pending) },
                    Cause::Withdrawn => before == Some(AlertState::Pending),
                    Cause::Resolved => before == Some(AlertState::Firing) && s.alert.resolved_at.is_some(),
                    Cause::Wavered => before == Some(AlertState::Firing) && s.alert.is_flapping(),
                    Cause::Escalated | Cause::Audible | Cause::Worsened | Cause::Settled => false,
                };
                prop_assert!(allowed, "{:?} after {:?}", s.cause, before);
                if s.cause == Cause::Fired {
                    prop_assert!(at(second).since(s.alert.since) >= rule.hold);
                }
            }
            let open: BTreeSet<u64> = alerter.alerts().iter().filter(|a| a.state != AlertState::Resolved).map(|a| a.fingerprint).collect();
            let count = alerter.alerts().iter().filter(|a| a.state != AlertState::Resolved).count();
            prop_assert_eq!(open.len(), count, "one alert for each instance");
        }
    }

    #[test]
    fn a_restart_between_two_ticks_is_as_if_it_never_stopped(
        hold in 0..8u64, clear in prop::option::of(0.2..0.5f64), courses in courses(), stop in 0..80u64,
    ) {
        let rule = RuleSpec { hold: Duration::from_secs(hold), clear: clear.map(Limit::Above), ..rule("r", Limit::Above(0.5)) };
        let mut steady = Alerter::new(vec![rule.clone()]);
        let mut stopped = Alerter::new(vec![rule.clone()]);
        let mut standing = Standing::default();
        // An absent series is counted anew after a restart, so courses here are complete.
        let courses: Vec<[Option<f64>; 3]> = courses.iter().map(|c| c.map(|v| Some(v.unwrap_or(0.1)))).collect();
        for (second, values) in (0..).zip(&courses) {
            let mut now = tick(second);
            if second == stop {
                let last_tick = (second > 0).then(|| at(second - 1));
                stopped = Alerter::new(vec![rule.clone()]);
                stopped.restore(Restored { standing: standing.clone(), last_id: 0, last_tick });
                now.elapsed = None;
            }
            let expected = step(&mut steady, second, values);
            let found = step_with(&mut stopped, now, values);
            for s in &found {
                let event = JournalEvent::Transition { transition: s.transition.clone(), alert: Box::new((*s.alert).clone()) };
                standing.apply(&JournalEntry { at: now.at, event });
            }
            let told = |steps: &[Step]| -> BTreeSet<(String, String, String)> {
                // How long a flapping alert was wrong again is counted anew after a restart.
                let steps = steps.iter().filter(|s| s.cause != Cause::Wavered);
                steps.map(|s| (s.alert.key.to_string(), s.transition.reason.clone(), s.alert.title.clone())).collect()
            };
            prop_assert_eq!(told(&found), told(&expected), "second {}", second);
        }
    }

    #[test]
    fn ids_read_back_as_their_numbers(number in any::<u64>()) {
        prop_assert_eq!(super::watch::id_number(&super::watch::id_text(number)), Some(number));
    }
}

#[test]
fn ten_thousand_instances_are_judged_well_within_a_tick() {
    let rules: Vec<RuleSpec> = (0..100).map(|n| rule(&format!("r{n}"), Limit::Above(0.5))).collect();
    let keys: Vec<SeriesKey> = (0..100).map(|n| SeriesKey::new("m", [("x", n.to_string().as_str())])).collect();
    let mut alerter = Alerter::new(rules.clone());
    // One of a hundred fires, so that every rule has something to look up.
    let values: Vec<(SeriesKey, f64)> =
        keys.iter().enumerate().map(|(n, k)| (k.clone(), if n == 0 { 0.9 } else { 0.1 })).collect();
    let given: Vec<RuleValues<'_>> = rules.iter().map(|r| RuleValues { rule: &r.name, instances: &values }).collect();
    assert_eq!(alerter.step(tick(0), &given).len(), 100);
    let fastest = (1..20).map(|second| {
        let begin = std::time::Instant::now();
        assert!(alerter.step(tick(second), &given).is_empty());
        begin.elapsed()
    });
    let fastest = fastest.min().expect("ticks");
    // 20 ms are the bar for a release build; this one is not optimized.
    assert!(fastest < Duration::from_millis(100), "{fastest:?}");
    println!("10,000 instances: {fastest:?}");
}
