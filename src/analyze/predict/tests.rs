//! Predictions made, scored and restored.

use super::*;
use crate::model::{Backtest, Band};

const HOUR: i64 = 3_600_000;

fn root() -> SeriesKey {
    SeriesKey::new("filesystem_used_ratio", [("mount", "/")])
}

fn forecast(made_at: i64, probability: f64, hours: [i64; 3]) -> Arc<Forecast> {
    let [lo, at, hi] = hours.map(|h| Timestamp(made_at + h * HOUR));
    Arc::new(Forecast {
        key: root(),
        made_at: Timestamp(made_at),
        step: Duration::from_secs(3600),
        mean: Arc::new([0.90, 0.91, 0.92]),
        band80: vec![Band::default(); 3].into(),
        band95: vec![Band::default(); 3].into(),
        method: "ets".to_owned(),
        backtest: Backtest::default(),
        crossing: Some(Crossing { limit: 0.995, probability, at, at_lo: lo, at_hi: hi }),
        none_because: None,
    })
}

fn observe(predictor: &mut Predictor, hour: i64, value: f64) -> Vec<Prediction> {
    predictor.observe(Timestamp(hour * HOUR), &|key| (*key == root()).then_some(value))
}

#[test]
fn a_likely_crossing_becomes_one_prediction_with_its_reasons() {
    let mut predictor = Predictor::new();
    let made = predictor.update(Timestamp(0), &[forecast(0, 0.82, [4, 6, 9])]);
    assert_eq!(made.len(), 1);
    assert_eq!((made[0].title.as_str(), made[0].at), ("/ is full", Timestamp(6 * HOUR)));
    assert_eq!(made[0].factors[0], "+24.0% a day expected");
    assert!(predictor.update(Timestamp(HOUR), &[forecast(HOUR, 0.9, [3, 5, 8])]).is_empty(), "it says the same");
    assert_eq!(predictor.update(Timestamp(HOUR), &[forecast(HOUR, 0.9, [18, 20, 22])]).len(), 1, "it says something else");
    assert_eq!(predictor.shown().len(), 1, "one line per series");
}

#[test]
fn who_would_come_twice_too_late_is_told_anew() {
    let mut predictor = Predictor::new();
    predictor.update(Timestamp(0), &[forecast(0, 0.9, [1, 14, 40])]);
    assert!(
        predictor.update(Timestamp(HOUR), &[forecast(HOUR, 0.9, [4, 6, 9])]).is_empty(),
        "within what was said, and not far from it"
    );
    assert_eq!(predictor.update(Timestamp(HOUR), &[forecast(HOUR, 0.9, [1, 2, 3])]).len(), 1, "13 hours would be too late");
    assert_eq!(predictor.shown()[0].at, Timestamp(3 * HOUR), "the sooner one speaks");
    assert!(predictor.update(Timestamp(2 * HOUR), &[forecast(2 * HOUR, 0.9, [1, 1, 2])]).is_empty(), "it says the same");
}

#[test]
fn an_average_that_does_not_get_there_is_not_the_reason() {
    let slow = Forecast { mean: Arc::new([0.90, 0.9001, 0.9002]), ..(*forecast(0, 0.8, [1, 2, 3])).clone() };
    let made = Predictor::new().update(Timestamp(0), &[Arc::new(slow)]);
    assert_eq!(made[0].factors[0], SWINGS, "a tenth of a percent in ten hours is not why it is full in two");
}

#[test]
fn an_unlikely_crossing_is_not_shown() {
    let mut predictor = Predictor::new();
    assert!(predictor.update(Timestamp(0), &[forecast(0, 0.69, [4, 6, 9])]).is_empty());
    assert_eq!(predictor.record(), TrackRecord::default());
}

#[test]
fn what_happens_within_the_interval_was_right() {
    let mut predictor = Predictor::new();
    predictor.update(Timestamp(0), &[forecast(0, 0.8, [4, 6, 9])]);
    assert!(observe(&mut predictor, 3, 0.95).is_empty());
    let scored = observe(&mut predictor, 5, 0.997);
    assert_eq!(scored.iter().map(|p| p.outcome).collect::<Vec<_>>(), [Some(Outcome::Right)]);
    let record = predictor.record();
    assert_eq!((record.shown, record.right, record.wrong, record.missed), (1, 1, 0, 0));
    assert!((record.brier.unwrap() - 0.04).abs() < 1e-9);
    assert_eq!(record.said.map(|c| (c.cases, c.came)), [(0, 0), (1, 1), (0, 0)], "0.8 belongs to the second tenth");
    assert_eq!(record.lead_seconds, Some(5.0 * 3600.0));
    assert!(observe(&mut predictor, 6, 0.998).is_empty(), "it happened once");
}

#[test]
fn what_does_not_happen_or_happens_too_early_was_wrong() {
    for (hour, value) in [(10, 0.95), (3, 0.999)] {
        let mut predictor = Predictor::new();
        predictor.update(Timestamp(0), &[forecast(0, 0.8, [4, 6, 9])]);
        observe(&mut predictor, 1, 0.9);
        let scored = observe(&mut predictor, hour, value);
        assert_eq!(scored.first().and_then(|p| p.outcome), Some(Outcome::Wrong), "at hour {hour}");
        assert_eq!((predictor.record().wrong, predictor.record().missed), (1, 0));
    }
}

#[test]
fn an_event_nobody_was_told_of_is_missed_once_and_survives_a_restart() {
    let mut predictor = Predictor::new();
    predictor.update(Timestamp(0), &[forecast(0, 0.3, [4, 6, 9])]);
    observe(&mut predictor, 1, 0.9);
    let stored = observe(&mut predictor, 2, 1.0);
    assert_eq!(stored.len(), 1);
    assert!(observe(&mut predictor, 3, 0.99).is_empty(), "it wavers at the limit");
    assert!(observe(&mut predictor, 4, 1.0).is_empty());
    assert_eq!(Predictor::restore(stored).record(), predictor.record());
    assert_eq!(predictor.record().missed, 1);
    let shown = predictor.shown();
    assert!(shown.len() == 1 && shown[0].is_missed(), "what nobody foresaw stands beside what was said");
}

#[test]
fn a_disk_that_is_full_at_the_start_is_no_event() {
    let mut predictor = Predictor::new();
    predictor.update(Timestamp(0), &[forecast(0, 0.3, [4, 6, 9])]);
    assert!(observe(&mut predictor, 1, 1.0).is_empty());
}

#[test]
fn restored_predictions_are_scored_when_due() {
    let mut predictor = Predictor::new();
    let made = predictor.update(Timestamp(0), &[forecast(0, 0.8, [4, 6, 9])]);
    let mut restored = Predictor::restore(made);
    assert_eq!(observe(&mut restored, 10, 0.9).first().and_then(|p| p.outcome), Some(Outcome::Wrong));
    assert!(!restored.shown().is_empty(), "scored ones stay for a week");
    observe(&mut restored, 10 + 7 * 24 + 1, 0.9);
    assert!(restored.shown().is_empty());
}

#[test]
fn a_rise_is_said_in_the_span_in_which_it_reads_well() {
    let day = |percent: f64| rise(percent / 100.0 / 86_400.0);
    assert_eq!(day(2.1), "+2.1% a day expected");
    assert_eq!(day(-0.3), "-0.3% a day expected");
    assert_eq!(day(569.1), "+23.7% an hour expected");
    assert_eq!(day(5_000.0), "+3.5% a minute expected");
    assert_eq!(day(0.004), SWINGS);
}
