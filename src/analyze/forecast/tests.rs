//! Forecasts of generated series: which method is chosen, how wide its bands are, what is refused.

use super::*;
use crate::analyze::noise::Noise;
use crate::base::Unit;

const DEF: MetricDef = MetricDef::gauge("cpu_usage_ratio", Unit::Ratio, "x");

/// A task over values `step` seconds apart that ends now.
fn task(values: &[f64], step: u64, ahead: u64, limit: Option<Limit>) -> ForecastTask {
    let at = |i: usize| Timestamp::from_seconds(i64::try_from(i as u64 * step).unwrap());
    ForecastTask {
        key: SeriesKey::total("cpu_usage_ratio"),
        def: DEF,
        history: values.iter().enumerate().map(|(i, v)| Bucket::raw(at(i), *v)).collect(),
        step: Duration::from_secs(step),
        horizon: Duration::from_secs(step * ahead),
        limit,
        now: at(values.len()),
    }
}

fn season(i: usize, noise: &mut Noise) -> f64 {
    0.5 + 0.3 * (std::f64::consts::TAU * i as f64 / 24.0).sin() + 0.02 * noise.normal()
}

#[test]
fn a_season_is_forecast_better_than_by_its_last_value() {
    let mut noise = Noise::new(1);
    let all: Vec<f64> = (0..264).map(|i| season(i, &mut noise)).collect();
    let made = forecast(&task(&all[..240], 3600, 24, None));
    assert_ne!(made.method, "naive");
    let error =
        |expected: &dyn Fn(usize) -> f64| all[240..].iter().enumerate().map(|(k, v)| (v - expected(k)).abs()).sum::<f64>();
    let (own, naive) = (error(&|k| made.mean[k]), error(&|_| all[239]));
    assert!(own < 0.3 * naive, "{own} and {naive} by {}", made.method);
    assert!(made.backtest.mase.is_some_and(|m| m < 0.3), "{:?}", made.backtest);
}

#[test]
fn what_was_tried_last_ends_where_the_forecast_begins() {
    let values: Vec<f64> = (0..1000).map(|i| 0.2 + f64::from(i) * 0.0005).collect();
    let made = forecast(&task(&values, 600, 250, None));
    let tried = made.backtest.tried.expect("there is a past to try it on");
    assert_eq!(tried.came.len(), tried.expected.len());
    assert!(tried.came.len() <= 120 && tried.came.last() == values.last(), "{tried:?}");
    let known = |value: &f64| values.iter().any(|v| v == value);
    assert!(tried.came.iter().all(known));
    assert!(tried.came.windows(2).all(|w| w[1] > w[0]), "oldest first");
}

#[test]
fn bands_hold_about_what_they_say() {
    let (mut in80, mut in95, mut n) = (0, 0, 0);
    for seed in 0..12 {
        let mut noise = Noise::new(seed);
        let mut level = 0.0;
        let all: Vec<f64> = (0..132)
            .map(|_| {
                level += 0.004 * noise.normal();
                0.5 + level + 0.01 * noise.normal()
            })
            .collect();
        let made = forecast(&task(&all[..120], 10, 12, None));
        for (k, value) in all[120..].iter().enumerate() {
            let inside = |b: &Band| usize::from((b.low..=b.high).contains(value));
            in80 += inside(&made.band80[k]);
            in95 += inside(&made.band95[k]);
            n += 1;
        }
    }
    let (share80, share95) = (in80 as f64 / f64::from(n), in95 as f64 / f64::from(n));
    assert!((0.65..=0.95).contains(&share80), "{share80}");
    assert!((0.85..=1.0).contains(&share95) && share95 > share80, "{share95}");
}

#[test]
fn an_honest_none_says_how_much_is_missing() {
    let made = forecast(&task(&[0.1, 0.2, 0.3], 3600, 24, None));
    assert_eq!(made.none_because.as_deref(), Some("too little history (3 h of 15 h)"));
    assert!(made.mean.is_empty() && made.crossing.is_none());
    let mut empty = task(&[], 3600, 24, None);
    empty.now = Timestamp(0);
    assert_eq!(forecast(&empty).none_because.as_deref(), Some("no history"));
}

#[test]
fn minutes_of_history_give_minutes_of_forecast() {
    let mut noise = Noise::new(2);
    let values: Vec<f64> = (0..30).map(|_| 0.3 + 0.05 * noise.normal()).collect();
    let made = forecast(&task(&values, 10, 30, None));
    assert_eq!((made.mean.len(), made.none_because), (30, None));
    assert!(made.band80[29].high > made.band80[0].low && made.band95[5].high >= made.band80[5].high);
}

#[test]
fn a_constant_is_expected_to_stay_and_crosses_nothing() {
    let made = forecast(&task(&[0.7; 100], 60, 10, Some(Limit::Above(0.9))));
    assert_eq!((&*made.mean, made.method.as_str(), made.crossing), (&[0.7; 10][..], "naive", None));
}

#[test]
fn forecasts_stay_within_what_is_possible_and_gaps_do_no_harm() {
    let mut noise = Noise::new(3);
    let values: Vec<f64> = (0..200).map(|i| (0.5 + i as f64 * 0.0025 + 0.03 * noise.normal()).min(1.0)).collect();
    let mut gappy = task(&values, 60, 60, None);
    gappy.history.retain(|b| !(3000..3900).contains(&(b.at.0 / 1000)));
    let made = forecast(&gappy);
    assert_eq!(made.none_because, None);
    assert!(made.band95.iter().all(|b| b.low >= 0.0 && b.high <= 1.0 && b.low <= b.high));
    assert!(made.mean.iter().all(|m| m.is_finite() && *m > 0.8), "{:?}", made.mean);
}

#[test]
fn what_lies_before_a_long_hole_is_left_out() {
    let mut values = vec![0.1; 100];
    values.extend([0.5; 40]);
    let mut broken = task(&values, 60, 10, None);
    for bucket in broken.history.iter_mut().skip(100) {
        bucket.at = bucket.at + Duration::from_secs(86_400);
    }
    broken.now = broken.now + Duration::from_secs(86_400);
    assert_eq!(forecast(&broken).mean[0], 0.5);
}

#[test]
fn a_filling_disk_is_full_when_its_pace_says_so() {
    let mut noise = Noise::new(4);
    let mut used = 0.6;
    let values: Vec<f64> = (0..168)
        .map(|_| {
            used += 0.002 * noise.uniform();
            used
        })
        .collect();
    let made = forecast(&task(&values, 3600, 336, Some(Limit::Above(0.995))));
    let crossing = made.crossing.expect("it fills");
    let hours = crossing.at.since(made.made_at).as_secs_f64() / 3600.0;
    let true_hours = (0.995 - used) / 0.001;
    assert!(crossing.probability > 0.95, "{crossing:?}");
    assert!((hours - true_hours).abs() < 0.15 * true_hours, "{hours} of {true_hours}");
    assert!(crossing.at_lo <= crossing.at && crossing.at <= crossing.at_hi);
    assert_eq!(forecast(&task(&values, 3600, 336, Some(Limit::Above(0.995)))).crossing, Some(crossing), "the same again");
}

#[test]
fn a_stable_disk_does_not_fill_and_a_full_one_does_not_fill_again() {
    let mut noise = Noise::new(5);
    let values: Vec<f64> = (0..168).map(|_| 0.5 + 0.01 * noise.normal()).collect();
    assert_eq!(forecast(&task(&values, 3600, 168, Some(Limit::Above(0.995)))).crossing, None);
    let full: Vec<f64> = values.iter().map(|v| v + 0.5).collect();
    let made = forecast(&task(&full, 3600, 168, Some(Limit::Above(0.8))));
    assert_eq!(made.crossing, None);
}

#[test]
fn a_falling_series_reaches_a_lower_limit() {
    let mut noise = Noise::new(6);
    let values: Vec<f64> = (0..168).map(|i| 0.9 - 0.003 * i as f64 + 0.002 * noise.normal()).collect();
    let crossing = forecast(&task(&values, 3600, 168, Some(Limit::Below(0.2)))).crossing;
    assert!(crossing.is_some_and(|c| c.probability > 0.9), "{crossing:?}");
}

#[test]
fn names_are_unique_and_every_file_has_a_row() {
    let names: std::collections::BTreeSet<_> = FORECASTERS.iter().map(|f| f.name()).collect();
    assert_eq!(names.len(), FORECASTERS.len());
    assert_eq!(FORECASTERS[0].name(), "naive", "the others must beat it");
    let shared = ["mod", "tests", "backtest", "crossing", "grid"];
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/analyze/forecast")).expect("the folder of this file")
    {
        let name = file.expect("an entry").file_name().to_string_lossy().trim_end_matches(".rs").to_owned();
        assert!(shared.contains(&name.as_str()) || names.iter().any(|n| n.starts_with(&name)), "{name} has no row");
    }
}
