//! The analyzer on generated series: what it learns, what it finds, what leaves it cold.

use std::sync::Arc;

use proptest::prelude::*;

use super::noise::Noise;
use super::*;
use crate::base::{Timestamp, Unit};
use crate::model::{AnomalyInterval, Catalog, MetricDef, Reading, SeriesKey, TrendDirection, Verdict};

const DEFS: &[MetricDef] = &[
    MetricDef::gauge("cpu_usage_ratio", Unit::Ratio, "x"),
    MetricDef::gauge("load_average", Unit::Count, "x"),
    MetricDef::counter("disk_read_bytes_per_second", Unit::BytesPerSecond, "x"),
];

fn analyzer() -> Analyzer {
    Analyzer::new(&AnalyzeConfig::default(), Arc::new(Catalog::new([DEFS])))
}

fn cpu() -> SeriesKey {
    SeriesKey::total("cpu_usage_ratio")
}

fn reading(key: &SeriesKey, value: f64) -> Reading {
    Reading { key: key.clone(), value, cumulative: None }
}

/// What came of feeding one series.
struct Fed {
    analyzer: Analyzer,
    /// Second and interval of every anomaly opened, the machine's left out.
    opened: Vec<(i64, AnomalyInterval)>,
    machine: f64,
}

/// Feeds `n` values, `step` seconds apart.
fn feed(n: i64, step: i64, mut value: impl FnMut(i64) -> f64) -> Fed {
    let mut fed = Fed { analyzer: analyzer(), opened: Vec::new(), machine: 0.0 };
    for i in 0..n {
        let at = i * step;
        let analysis = fed.analyzer.observe(Timestamp::from_seconds(at), &[reading(&cpu(), value(at))]);
        fed.machine = fed.machine.max(analysis.machine_score);
        for change in analysis.anomalies {
            if let AnomalyChange::Opened(anomaly) = change
                && anomaly.key == cpu()
            {
                fed.opened.push((at, anomaly));
            }
        }
    }
    fed
}

fn day_curve(at: i64) -> f64 {
    0.4 + 0.25 * (std::f64::consts::TAU * at as f64 / 86_400.0).sin()
}

#[test]
fn a_daily_season_is_learned() {
    let mut noise = Noise::new(1);
    let fed = feed(5 * 1440, 60, |at| day_curve(at) + 0.01 * noise.normal());
    for hour in [0, 3, 6, 9, 12, 18] {
        let at = (5 * 24 + hour) * 3600;
        let usual = fed.analyzer.usual(&cpu(), Timestamp::from_seconds(at)).unwrap();
        assert!((usual - day_curve(at)).abs() < 0.05, "hour {hour}: {usual} for {}", day_curve(at));
        let band = fed.analyzer.band(&cpu(), Timestamp::from_seconds(at)).unwrap();
        assert!(band.low < usual && usual < band.high && band.high - band.low < 0.25, "hour {hour}: {band:?}");
    }
}

#[test]
fn a_level_shift_is_found_within_thirty_samples() {
    let mut noise = Noise::new(2);
    let shift = 4 * 3600;
    let fed = feed(5 * 3600, 1, |at| if at < shift { 0.2 } else { 0.7 } + 0.02 * noise.normal());
    let found = fed.opened.iter().find(|(at, _)| *at >= shift).expect("the shift is found");
    assert!(found.0 - shift <= 30, "{} s late", found.0 - shift);
    assert!(found.1.reason.contains("above its usual"), "{}", found.1.reason);
    assert!(fed.opened.iter().filter(|(at, _)| *at < shift).count() <= 1);
}

#[test]
fn a_spike_of_a_few_samples_is_found_and_closed() {
    let mut noise = Noise::new(3);
    let from = 3 * 86_400;
    let fed = feed(4 * 1440, 60, |at| if (from..from + 300).contains(&at) { 0.95 } else { 0.2 + 0.02 * noise.normal() });
    let spikes: Vec<_> = fed.opened.iter().filter(|(at, _)| (from..from + 600).contains(at)).collect();
    assert_eq!(spikes.len(), 1, "{:?}", fed.opened);
    assert!(fed.analyzer.open_anomalies().is_empty());
    assert!(fed.machine >= WARN_STRENGTH);
}

#[test]
fn a_constant_series_is_silent() {
    let fed = feed(20_000, 1, |_| 0.0);
    assert_eq!((fed.opened.len(), fed.machine), (0, 0.0));
}

#[test]
fn a_ripple_too_small_to_matter_is_silent() {
    let fed = feed(20_000, 1, |at| if at % 4000 > 3990 { 0.01 } else { 0.001 });
    assert_eq!(fed.opened.len(), 0);
}

#[test]
fn a_noisy_series_silences_itself() {
    let mut noise = Noise::new(4);
    // Bursts of half a minute at random, 40 a day.
    let mut burst = 0;
    let fed = feed(4 * 86_400, 1, |_| {
        burst = if burst > 0 {
            burst - 1
        } else if noise.below(2160) == 0 {
            30
        } else {
            0
        };
        if burst > 0 { 0.5 + 0.4 * noise.uniform() } else { 0.1 + 0.02 * noise.normal() }
    });
    let day = |d: i64| fed.opened.iter().filter(|(at, _)| (d * 86_400..(d + 1) * 86_400).contains(at)).count();
    assert!(day(3) <= 3, "{} on the last of {} days", day(3), 4);
}

#[test]
fn plain_noise_on_many_series_keeps_the_machine_quiet() {
    let mut analyzer = analyzer();
    let keys: Vec<SeriesKey> = (0..40).map(|i| SeriesKey::new("load_average", [("window", i.to_string().as_str())])).collect();
    let mut noise = Noise::new(5);
    let mut events = 0;
    for at in 0..(6 * 3600) {
        let readings: Vec<Reading> = keys.iter().map(|k| reading(k, 20.0 + noise.normal())).collect();
        let analysis = analyzer.observe(Timestamp::from_seconds(at), &readings);
        events += analysis.anomalies.iter().filter(|c| matches!(c, AnomalyChange::Opened(_))).count();
        assert!(analysis.machine_score < WARN_STRENGTH, "at {at}");
    }
    assert!(events <= 2, "{events} events in 240 series-hours");
}

#[test]
fn a_gap_teaches_nothing_and_raises_nothing() {
    let mut noise = Noise::new(6);
    let fed = feed(6 * 1440, 60, |_| 0.3 + 0.02 * noise.normal());
    let mut analyzer = fed.analyzer;
    let end = 6 * 86_400;
    let before = analyzer.usual(&cpu(), Timestamp::from_seconds(end)).unwrap();
    let mut changes = 0;
    for i in 0..60 {
        let at = end + 5 * 3600 + i * 60;
        let analysis = analyzer.observe(Timestamp::from_seconds(at), &[reading(&cpu(), 0.3 + 0.02 * noise.normal())]);
        changes += analysis.anomalies.len();
    }
    let after = analyzer.usual(&cpu(), Timestamp::from_seconds(end)).unwrap();
    assert_eq!(changes, 0);
    assert!((before - after).abs() < 0.02, "{before} and {after}");
}

#[test]
fn an_anomaly_of_a_series_that_vanishes_is_closed() {
    let mut noise = Noise::new(7);
    let shift = 4 * 3600;
    let mut fed = feed(shift + 20, 1, |at| if at < shift { 0.2 } else { 0.9 } + 0.02 * noise.normal());
    assert_eq!(fed.analyzer.open_anomalies().iter().filter(|a| a.key == cpu()).count(), 1);
    let analysis = fed.analyzer.observe(Timestamp::from_seconds(shift + 200), &[]);
    let closed = |c: &AnomalyChange| matches!(c, AnomalyChange::Closed(a) if a.key == cpu() && a.to == Some(Timestamp::from_seconds(shift + 19)));
    assert!(analysis.anomalies.iter().any(closed), "{:?}", analysis.anomalies);
    assert_eq!(analysis.scores.map(|s| s.len()), Some(0));
}

#[test]
fn scores_name_detector_band_and_verdict() {
    let mut noise = Noise::new(8);
    let mut scores = Vec::new();
    let mut analyzer = analyzer();
    for at in 0..(4 * 3600 + 20) {
        let value = if at < 4 * 3600 { 0.2 } else { 0.9 } + 0.02 * noise.normal();
        let analysis = analyzer.observe(Timestamp::from_seconds(at), &[reading(&cpu(), value)]);
        scores = analysis.scores.unwrap_or(scores);
    }
    assert_eq!(scores.len(), 1);
    assert!(scores[0].verdict >= Verdict::Warning && scores[0].strength >= WARN_STRENGTH);
    assert!(scores[0].band.is_some_and(|b| b.high < 0.5), "{:?}", scores[0]);
    assert!(DETECTORS.iter().any(|d| d.name == scores[0].detector));
}

#[test]
fn what_hardly_moved_is_not_said_to_have_moved_with_something() {
    let mut analyzer = analyzer();
    let free = |mount| SeriesKey::new("filesystem_free_bytes", [("mount", mount)]);
    let keys = [cpu(), free("/"), SeriesKey::total("swap_used_bytes")];
    for at in 0..3600_i64 {
        let wave = (at as f64 / 60.0).sin();
        let values = [0.5 + 0.2 * wave, 2e10 + 9e6 * wave, 2e9 + 5e8 * wave];
        let readings: Vec<Reading> = keys.iter().zip(values).map(|(k, v)| reading(k, v)).collect();
        analyzer.observe(Timestamp::from_seconds(at), &readings);
    }
    assert_eq!(analyzer.correlates(&keys[0], 5).iter().map(|c| &c.key).collect::<Vec<_>>(), [&keys[2]]);
}

#[test]
fn trends_and_correlates_come_from_the_last_minutes() {
    let mut analyzer = analyzer();
    let keys = [cpu(), SeriesKey::total("load_average"), SeriesKey::total("disk_read_bytes_per_second")];
    let mut noise = Noise::new(9);
    for at in 0..3600_i64 {
        let wave = (at as f64 / 60.0).sin();
        let values = [0.5 + 0.2 * wave, 3.0 + wave + at as f64 / 1000.0, 1e6 * (1.0 + noise.uniform())];
        let readings: Vec<Reading> = keys.iter().zip(values).map(|(k, v)| reading(k, v)).collect();
        analyzer.observe(Timestamp::from_seconds(at), &readings);
    }
    let with = analyzer.correlates(&keys[0], 5);
    assert_eq!(with.iter().map(|c| &c.key).collect::<Vec<_>>(), [&keys[1]]);
    let trends = analyzer.trends();
    assert_eq!(trends.len(), 3);
    assert!(trends.iter().all(|t| t.direction != TrendDirection::InsufficientData && t.next.is_some()));
    assert!(analyzer.correlates(&SeriesKey::total("nothing"), 5).is_empty());
}

#[test]
fn a_nightly_job_warns_at_most_twice_and_is_marked_from_then_on() {
    let keys: Vec<SeriesKey> = (0..6).map(|i| SeriesKey::new("load_average", [("window", i.to_string().as_str())])).collect();
    let (mut analyzer, mut noise) = (analyzer(), Noise::new(12));
    let (mut warned, mut marked) = (Vec::new(), 0);
    for minute in 0..9 * 1440_i64 {
        let job = if (120..140).contains(&(minute % 1440)) { 6.0 + noise.normal() } else { 0.0 };
        let readings: Vec<Reading> = keys.iter().map(|k| reading(k, 20.0 + job + noise.normal())).collect();
        let at = Timestamp::from_seconds(minute * 60);
        for change in analyzer.observe(at, &readings).anomalies {
            if let AnomalyChange::Opened(a) | AnomalyChange::Updated(a) = change
                && a.key.metric() == MACHINE_SCORE
            {
                match a.verdict {
                    Verdict::Normal => marked += 1,
                    _ if !warned.contains(&a.from) => warned.push(a.from),
                    _ => {}
                }
            }
        }
    }
    assert!(marked >= 4 && warned.len() <= 2, "{marked} marked, warned at {warned:?}");
}

#[test]
fn nothing_is_judged_in_the_first_quarter_of_an_hour() {
    let fed = feed(890, 1, |at| if at == 600 { 1.0 } else { 0.1 });
    assert_eq!((fed.opened.len(), fed.machine), (0, 0.0));
    assert_eq!(fed.analyzer.band(&cpu(), Timestamp::from_seconds(890)), None);
}

#[test]
fn state_older_than_a_week_is_left_out_and_foreign_bytes_are_refused() {
    let mut fed = feed(2000, 1, |_| 0.5);
    let bytes = fed.analyzer.save(Timestamp::from_seconds(2000));
    let mut other = analyzer();
    assert_eq!(other.restore(Timestamp::from_seconds(2000 + 8 * 86_400), &bytes), Ok(()));
    assert_eq!(other.usual(&cpu(), Timestamp::from_seconds(2000)), None);
    assert_eq!(other.restore(Timestamp::from_seconds(2100), &bytes), Ok(()));
    assert!(other.usual(&cpu(), Timestamp::from_seconds(2000)).is_some());
    for foreign in [&b""[..], b"FLRN", &bytes[..bytes.len() - 1], b"not at all what was saved"] {
        assert_eq!(other.restore(Timestamp::from_seconds(2100), foreign), Err(RestoreError::Damaged));
    }
    assert!(other.usual(&cpu(), Timestamp::from_seconds(2000)).is_some(), "nothing was taken over");
}

#[test]
fn one_series_needs_less_than_five_kilobytes() {
    let mut noise = Noise::new(10);
    let mut fed = feed(3 * 1440, 60, |_| noise.uniform());
    let bytes = fed.analyzer.save(Timestamp::from_seconds(3 * 86_400)).len();
    assert!(bytes < 4000, "{bytes}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn restored_it_goes_on_as_if_it_had_never_stopped(seed in any::<u64>(), cut in 1_i64..2500, step in prop::sample::select(vec![1_i64, 10, 300])) {
        let mut noise = Noise::new(seed);
        let keys = [cpu(), SeriesKey::new("load_average", [("window", "1m")])];
        let mut kept = analyzer();
        let mut restarted = analyzer();
        for i in 0..2600 {
            if i == cut {
                let now = Timestamp::from_seconds(i * step);
                let bytes = restarted.save(now);
                restarted = analyzer();
                prop_assert_eq!(restarted.restore(now, &bytes), Ok(()));
            }
            let jump = if noise.below(200) == 0 { 3.0 } else { 0.0 };
            let readings = [reading(&keys[0], noise.uniform()), reading(&keys[1], noise.normal().abs() + jump)];
            let at = Timestamp::from_seconds(i * step);
            prop_assert_eq!(kept.observe(at, &readings), restarted.observe(at, &readings));
        }
        prop_assert_eq!(kept.trends(), restarted.trends());
        prop_assert_eq!(kept.save(Timestamp(0)), restarted.save(Timestamp(0)));
    }

    #[test]
    fn damaged_bytes_are_refused(at in 0_usize..3000, with in 1_u8..=255) {
        let mut fed = feed(1000, 1, |at| at as f64 / 1000.0);
        let mut bytes = fed.analyzer.save(Timestamp::from_seconds(1000));
        let at = at % bytes.len();
        bytes[at] ^= with;
        prop_assert!(analyzer().restore(Timestamp::from_seconds(1000), &bytes).is_err());
    }
}
