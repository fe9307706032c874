//! The simulated machine keeps its promises.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::model::{CheckOutcome, ProcessChange};

/// A day that begins at midnight UTC.
const START: Timestamp = Timestamp::from_seconds(1_795_132_800);

fn after(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

const DAY: u64 = 86_400;
const TROUBLE: u64 = HISTORY.as_secs();

fn value(sample: &Sample, key: &str) -> f64 {
    let found = sample.readings.iter().find(|r| r.key.to_string() == key);
    found.unwrap_or_else(|| panic!("{key} is not there")).value
}

/// The sample at each of these seconds, the last of a machine that was read every ten seconds before.
fn at(seconds: u64) -> Sample {
    let mut machine = Machine::new(7, START);
    (0..=seconds / 10).map(|i| machine.sample(after(i * 10))).last().expect("a sample")
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_one_another() {
    let run = |seed: u64| {
        let mut machine = Machine::new(seed, START);
        (0..200).map(|i| (machine.sample(after(i * 7)), machine.checks(after(i * 7)))).collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn readings_are_sorted_unique_finite_and_within_their_range() {
    let mut machine = Machine::new(3, START);
    for i in 0..2 * DAY / 60 {
        let sample = machine.sample(after(i * 60));
        assert!(sample.readings.windows(2).all(|w| w[0].key < w[1].key));
        for reading in &sample.readings {
            assert!(reading.value.is_finite() && reading.value >= 0.0, "{}", reading.key);
            assert!(!reading.key.metric().ends_with("_ratio") || reading.value <= 1.0, "{} is {}", reading.key, reading.value);
        }
    }
}

#[test]
fn counters_begin_with_the_second_sample_and_only_grow() {
    let mut machine = Machine::new(3, START);
    let first = machine.sample(after(0));
    assert!(first.since_previous.is_none() && first.readings.iter().all(|r| r.cumulative.is_none()));
    let mut counts: BTreeMap<String, f64> = BTreeMap::new();
    for i in 1..500 {
        for reading in machine.sample(after(i * 5)).readings {
            let Some(count) = reading.cumulative else { continue };
            let before = counts.insert(reading.key.to_string(), count).unwrap_or(0.0);
            assert!(count >= before, "{}", reading.key);
        }
    }
    assert!(counts.len() > 25);
}

#[test]
fn one_second_and_ten_seconds_give_the_same_course() {
    let (mut fine, mut coarse) = (Machine::new(5, START), Machine::new(5, START));
    for i in 0..=600 {
        let sample = fine.sample(after(i));
        if i % 10 == 0 {
            let other = coarse.sample(after(i));
            for (a, b) in sample.readings.iter().zip(&other.readings) {
                // Averages over time follow a step's own path.
                let averaged = a.key.metric() == "load_average" || ["fan_rpm", "temperature_celsius"].contains(&a.key.metric());
                let tolerance = if averaged { 0.1 * a.value.abs() } else { 0.0 };
                assert!(a.key == b.key && (a.value - b.value).abs() <= tolerance, "{} {} {}", a.key, a.value, b.value);
            }
        }
    }
}

#[test]
fn after_its_history_the_report_has_filled_the_memory_and_the_relay_is_down() {
    let healthy = at(TROUBLE - 3600);
    assert!(value(&healthy, "memory_used_ratio") < 0.8);
    let mut machine = Machine::new(7, START);
    let mut over = None;
    for i in 0..=TROUBLE / 10 {
        let sample = machine.sample(after(i * 10));
        if over.is_none() && value(&sample, "memory_used_ratio") > 0.85 {
            over = Some(i * 10);
        }
    }
    let over = over.expect("memory passes 85 %");
    assert!((TROUBLE - 15 * 60..TROUBLE - 4 * 60).contains(&over), "{} s before", TROUBLE - over);
    machine.sample(after(TROUBLE));
    let results: BTreeMap<String, CheckResult> = {
        // Every service is due within ten seconds.
        let mut machine = machine;
        (0..20)
            .flat_map(|i| {
                machine.sample(after(TROUBLE + i));
                machine.checks(after(TROUBLE + i))
            })
            .map(|r| (r.service.clone(), r))
            .collect()
    };
    assert_eq!(results.len(), 12);
    assert_eq!(results["mail-relay"].outcome, CheckOutcome::Failed);
    assert!(results["checkout-api"].response.is_some_and(|r| r > Duration::from_secs(1)), "{:?}", results["checkout-api"]);
    assert!(results["redis"].outcome == CheckOutcome::Ok);
}

#[test]
fn the_guilty_process_is_the_one_that_grew() {
    let mut machine = Machine::new(7, START);
    let mut list: std::sync::Arc<[std::sync::Arc<crate::model::Process>]> = Vec::new().into();
    let mut born = None;
    for i in 0..=TROUBLE / 10 {
        let change: ProcessChange = machine.sample(after(i * 10)).processes;
        list = change.apply(&list);
        if born.is_none() && list.iter().any(|p| &*p.name == "report") {
            born = Some(i * 10);
        }
    }
    assert_eq!(born, Some(TROUBLE - 23 * 60));
    let query = list.iter().find(|p| p.command.contains("report nightly")).expect("the query runs");
    assert!(query.memory_bytes > 4_000_000_000 && query.unit.as_deref() == Some("postgresql@15"));
    let ids: BTreeSet<_> = list.iter().map(|p| p.id.pid).collect();
    assert!(ids.len() == list.len() && (110..130).contains(&list.len()), "{}", list.len());
    // An hour later it is over.
    for i in 0..=360 {
        list = machine.sample(after(TROUBLE + i * 10)).processes.apply(&list);
    }
    assert!(!list.iter().any(|p| &*p.name == "report"));
}

#[test]
fn processes_and_machine_agree_on_the_work() {
    let mut machine = Machine::new(7, START);
    let mut list: std::sync::Arc<[std::sync::Arc<crate::model::Process>]> = Vec::new().into();
    for i in 0..100 {
        let sample = machine.sample(after(43_200 + i * 10));
        list = sample.processes.apply(&list);
        let cores: f64 = list.iter().map(|p| p.cpu).sum();
        let machine = value(&sample, "cpu_usage_ratio") * 8.0;
        assert!((cores - machine).abs() < 0.3, "{cores} of {machine}");
        let parts: f64 = sample.readings.iter().filter(|r| r.key.metric() == "cpu_mode_ratio").map(|r| r.value).sum();
        assert!((parts - 1.0).abs() < 1e-9, "{parts}");
    }
}

#[test]
fn a_flood_shows_in_connections_and_cpu() {
    let (calm, flood) = (at(TROUBLE + 28 * 60), at(TROUBLE + 36 * 60));
    let established = "tcp_connections{state=\"established\"}";
    assert!(value(&flood, established) > value(&calm, established) + 2500.0);
    assert!(value(&flood, "cpu_usage_ratio") > value(&calm, "cpu_usage_ratio") + 0.2);
}

#[test]
fn the_disk_fills_and_is_cleaned_before_it_is_full() {
    let mut machine = Machine::new(7, START);
    let used: Vec<f64> =
        (0..20).map(|day| value(&machine.sample(after(day * DAY)), "filesystem_used_ratio{mount=\"/var\"}")).collect();
    assert!(used.windows(2).take(3).all(|w| w[1] > w[0]), "{used:?}");
    assert!(used.iter().all(|u| *u < 0.99) && used.iter().any(|u| *u < 0.7), "{used:?}");
}

#[test]
fn each_service_is_checked_at_its_own_times() {
    let mut machine = Machine::new(7, START);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for i in 0..600 {
        machine.sample(after(i));
        machine.checks(after(i)).into_iter().for_each(|r| *counts.entry(r.service).or_default() += 1);
    }
    assert!(counts.values().all(|n| (60..=61).contains(n)), "{counts:?}");
    assert_eq!(
        counts.keys().map(String::as_str).collect::<Vec<_>>(),
        machine.services().iter().map(|s| s.name).collect::<Vec<_>>()
    );
}
