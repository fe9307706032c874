//! What is deleted and what is not.

use super::*;

fn with(config: StoreConfig) -> (Writer, Reader) {
    Store::open_with(memory(), &config).expect("a store")
}

/// One sample each ten seconds, a flush every ten minutes.
fn record_days(writer: &mut Writer, days: std::ops::Range<u64>) {
    for second in (days.start * 86_400..days.end * 86_400).step_by(10) {
        writer.push(at(second), &readings(2, second));
        if second % 600 == 590 {
            writer.flush(at(second)).expect("memory");
            while writer.maintain(at(second)).expect("memory") {}
        }
    }
}

#[test]
fn each_tier_is_kept_as_long_as_it_shall_and_older_time_is_answered_by_the_next() {
    let day = 86_400;
    let config =
        StoreConfig { raw: seconds(day), ten_seconds: seconds(2 * day), minute: seconds(3 * day), ..StoreConfig::default() };
    let (mut writer, reader) = with(config);
    writer.commit(vec![note(0)]).expect("memory");
    record_days(&mut writer, 0..5);
    let view = reader.view().expect("open");
    let points = view.points(&key(1), all(), Resolution::Raw).expect("readable");
    assert_eq!(points.resolution, Resolution::Hour);
    let count = |from: u64, to: u64, n: usize| {
        let found = points.buckets.iter().filter(|b| at(from * day / 2) <= b.at && b.at < at(to * day / 2));
        assert_eq!(found.count(), n, "half days {from} to {to}");
    };
    // By hours, then minutes, ten seconds, samples: the seams lie within an hour or two of the limits.
    count(0, 3, 36);
    count(4, 5, 720);
    count(7, 8, 4320);
    assert_eq!(points.buckets.iter().map(|b| u64::from(b.count)).sum::<u64>(), 5 * 8640, "no sample is counted twice or missing");
    assert!(points.buckets.windows(2).all(|w| w[0].at < w[1].at));
    assert_eq!(notes(&view).len(), 1, "the journal is kept as long as the hours");
}

#[test]
fn percentiles_of_time_whose_samples_are_gone_are_within_one_percent() {
    let config = StoreConfig { raw: seconds(3600), ten_seconds: seconds(86_400), ..StoreConfig::default() };
    let (mut writer, reader) = with(config);
    record_days(&mut writer, 0..2);
    let view = reader.view().expect("open");
    // Whole hours: between two instants that are no samples.
    let range = TimeRange { from: at(3600), to: Timestamp(at(20 * 3600).0 - 1) };
    let values = view.values(&key(1), range, Detail::Exact).expect("readable");
    assert!(values.sketched);
    assert_eq!(values.counted.iter().map(|c| c.1).sum::<u64>(), 19 * 360);
    let mut exact: Vec<f64> = (3600..20 * 3600).step_by(10).map(|s| kept(1, s)).collect();
    exact.sort_by(f64::total_cmp);
    for q in [0.05, 0.5, 0.95, 0.99] {
        let (found, exact) = (quantile(&view, 1, range, q).expect("values"), exact[(q * (exact.len() - 1) as f64) as usize]);
        assert!((found - exact).abs() <= exact * 0.0101, "{q}: {found} for {exact}");
    }
}

#[test]
fn a_small_file_gives_up_the_finest_tier_first() {
    let (mut writer, reader) = with(StoreConfig { max_size: 60_000, ..StoreConfig::default() });
    record_days(&mut writer, 0..6);
    let stored: u64 = writer.state.stored.iter().sum();
    assert!(stored <= 62_000, "{stored}");
    let view = reader.view().expect("open");
    let hours = view.points(&key(1), all(), Resolution::Hour).expect("readable").buckets;
    assert_eq!(hours.len(), 6 * 24, "the hours are all there");
    let first = raw(&view, 1).into_iter().find(|b| b.count == 1).expect("the newest samples");
    assert!(first.at > at(86_400), "samples went first: {}", first.at);
}

#[test]
fn what_is_kept_stays_within_its_size_over_months_with_all_that_lies_beside_the_samples() {
    let max_size = 2_000_000;
    let (mut writer, reader) = with(StoreConfig { max_size, ..StoreConfig::default() });
    let process = std::sync::Arc::new(crate::model::Process {
        name: "postgres".into(),
        command: "x".repeat(200).into(),
        ..Default::default()
    });
    let mut largest = 0;
    for minute in 0..90 * 24 * 60 {
        let second = minute * 60;
        writer.push(at(second), &readings(2, second));
        let processes = Write::Processes { at: at(second), processes: vec![process.clone(); 8] };
        writer.queue(vec![processes]);
        if minute % 10 == 9 {
            writer.flush(at(second)).expect("memory");
            while writer.maintain(at(second)).expect("memory") {}
        }
        if minute % (24 * 60) == 24 * 60 - 1 {
            let stored: u64 = reader.view().expect("open").stats().expect("readable").iter().map(|t| t.stored_bytes).sum();
            largest = largest.max(stored);
        }
    }
    assert!(largest <= max_size, "{largest} bytes");
    assert!(largest >= max_size / 2, "the room is used: {largest}");
    let view = reader.view().expect("open");
    let newest = at(90 * 86_400 - 60);
    assert!(view.processes_near(newest - seconds(3600)).is_ok_and(|p| p.is_some()), "those of the last hours are there");
    let hours = view.points(&key(1), all(), Resolution::Hour).expect("readable").buckets;
    assert_eq!(hours.iter().map(|b| u64::from(b.count)).sum::<u64>(), 90 * 24 * 60, "the hours are all there");
}

#[test]
fn a_clock_years_ahead_for_a_while_deletes_nothing() {
    let (mut writer, reader) = with(StoreConfig::default());
    record_days(&mut writer, 0..1);
    let ahead = 20 * 365 * 86_400;
    for second in (ahead..ahead + 1200).step_by(10) {
        writer.push(at(second), &readings(2, second));
        writer.flush(at(second)).expect("memory");
        while writer.maintain(at(second)).expect("memory") {}
    }
    record_days(&mut writer, 1..2);
    let view = reader.view().expect("open");
    assert_eq!(raw(&view, 0).len(), 2 * 8640);
    assert_eq!(view.newest(), Ok(Some(at(2 * 86_400 - 10))));
}

#[test]
fn what_the_next_tier_is_still_to_be_made_of_stays() {
    let hour = 3600;
    let config =
        StoreConfig { raw: seconds(1), ten_seconds: seconds(1), minute: seconds(1), max_size: 0, ..StoreConfig::default() };
    let (mut writer, reader) = with(config);
    record_days(&mut writer, 0..4);
    let view = reader.view().expect("open");
    let hours = view.points(&key(0), all(), Resolution::Hour).expect("readable").buckets;
    assert!(hours.iter().rev().take(30).all(|b| b.count == 360), "the newest day was made whole: {hours:?}");
    assert!(hours.last().is_some_and(|b| b.at == at(4 * 86_400 - hour)));
}
