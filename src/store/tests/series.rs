//! What went in comes out: at every resolution, from every place, through every seam.

use super::*;
use crate::model::Matcher;

/// Buckets of seconds `from..to` as they should be, from the values themselves.
fn expected(n: usize, span: std::ops::Range<u64>, resolution: Resolution) -> Vec<Bucket> {
    let mut all: Vec<Bucket> = Vec::new();
    for second in span {
        let raw = Bucket::raw(at(second), kept(n, second));
        let start = raw.at.floor(resolution.step());
        match all.last_mut().filter(|b| b.at == start) {
            Some(last) => last.merge(&raw),
            None => all.push(Bucket { at: start, ..raw }),
        }
    }
    all
}

fn assert_like(found: &[Bucket], expected: &[Bucket], what: &str) {
    assert_eq!(found.iter().map(|b| b.at).collect::<Vec<_>>(), expected.iter().map(|b| b.at).collect::<Vec<_>>(), "{what}");
    for (a, b) in found.iter().zip(expected) {
        assert_eq!((a.min, a.max, a.last, a.count), (b.min, b.max, b.last, b.count), "{what} at {}", a.at);
        // Means of means, each of four digits: three steps of rounding.
        assert!((a.mean - b.mean).abs() <= b.mean.abs() * 2e-3, "{what} at {}: {} {}", a.at, a.mean, b.mean);
    }
}

#[test]
fn every_sample_is_read_once_from_blocks_tail_and_memory_at_every_resolution() {
    let (mut writer, reader) = open(&memory());
    // Beyond a day and in the middle of slabs of every kind, with seconds that are not flushed yet.
    let end = 90_000 + 1234;
    record(&mut writer, 4, 0..end);
    let view = reader.view().expect("open");
    for n in 0..4 {
        for resolution in Resolution::ALL {
            let points = view.points(&key(n), all(), resolution).expect("readable");
            assert_eq!(points.resolution, resolution);
            assert_like(&points.buckets, &expected(n, 0..end, resolution), &format!("series {n} at {resolution:?}"));
        }
    }
    let stored: u64 = writer.state.stored.iter().sum();
    assert!(writer.state.stored.iter().all(|n| *n > 0), "all kinds were made: {:?}", writer.state.stored);
    assert!(stored < end * 4 * 2, "{stored} bytes for {} samples", end * 4);
}

#[test]
fn a_range_is_cut_at_both_ends_whatever_lies_under_it() {
    let (mut writer, reader) = open(&memory());
    record(&mut writer, 1, 0..8000);
    let view = reader.view().expect("open");
    for (from, to) in [(0, 0), (595, 605), (1799, 1801), (3333, 7999), (7990, 20_000)] {
        let range = TimeRange { from: at(from), to: at(to) };
        for resolution in [Resolution::Raw, Resolution::TenSeconds, Resolution::Minute] {
            let found = view.points(&key(0), range, resolution).expect("readable").buckets;
            let mut wanted = expected(0, 0..8000, resolution);
            wanted.retain(|b| range.contains(b.at));
            assert_like(&found, &wanted, &format!("{from}..{to} at {resolution:?}"));
        }
    }
}

#[test]
fn gaps_and_rare_series_stay_as_they_were() {
    let (mut writer, reader) = open(&memory());
    let seconds: Vec<u64> = (0..400).chain(2000..2500).chain(9000..9700).collect();
    for second in &seconds {
        let n = if second % 10 == 0 { 2 } else { 1 };
        writer.push(at(*second), &readings(n, *second));
        writer.flush(at(*second)).expect("memory");
        while writer.maintain(at(*second)).expect("memory") {}
    }
    let view = reader.view().expect("open");
    let times = |n| raw(&view, n).iter().map(|b| b.at).collect::<Vec<_>>();
    assert_eq!(times(0), seconds.iter().map(|s| at(*s)).collect::<Vec<_>>());
    assert_eq!(times(1), seconds.iter().filter(|s| *s % 10 == 0).map(|s| at(*s)).collect::<Vec<_>>());
    assert_eq!(view.interval(&key(0)), super::seconds(1));
    assert_eq!(view.interval(&key(1)), super::seconds(10));
}

#[test]
fn a_restart_goes_on_where_the_last_run_ended() {
    let backend = memory();
    let (mut writer, _) = open(&backend);
    record(&mut writer, 3, 0..700);
    writer.close(at(700)).expect("memory");
    let (mut writer, reader) = open(&backend);
    record(&mut writer, 3, 700..2000);
    let view = reader.view().expect("open");
    assert_like(&raw(&view, 2), &expected(2, 0..2000, Resolution::Raw), "across a restart");
    assert_eq!(view.select(Some("test_ratio"), &[]).map(|k| k.len()), Ok(3));
    let one = view.select(None, &[Matcher::equal("__name__", "test_ratio"), Matcher::equal("n", "1")]);
    assert_eq!(one, Ok(vec![key(1)]));
    assert_eq!((view.oldest(), view.newest()), (Ok(Some(at(0))), Ok(Some(at(1999)))));
}

#[test]
fn a_clock_set_back_begins_an_epoch_that_is_shown_instead() {
    let backend = memory();
    let (mut writer, reader) = open(&backend);
    record(&mut writer, 1, 0..3000);
    // One second is jitter; an hour's third is a step.
    assert_eq!(writer.push(at(2998), &readings(1, 2998)), None);
    assert_eq!(writer.push(at(1800), &[Reading { key: key(0), value: 9.0, cumulative: None }]), Some(-1_199_001));
    for second in 1801..6000 {
        writer.push(at(second), &[Reading { key: key(0), value: 9.0, cumulative: None }]);
        if second % 10 == 9 {
            writer.flush(at(second)).expect("memory");
            while writer.maintain(at(second)).expect("memory") {}
        }
    }
    let check = |view: &View| {
        let found = raw(view, 0);
        assert_eq!(found.len(), 6000, "each second once");
        assert!(found.windows(2).all(|w| w[0].at < w[1].at));
        assert!(found.iter().all(|b| b.last == if b.at < at(1800) { 0.25 } else { 9.0 }));
        let minutes = view.points(&key(0), all(), Resolution::Minute).expect("readable").buckets;
        assert_eq!(minutes.iter().map(|b| u64::from(b.count)).sum::<u64>(), 6000);
        assert!(minutes.windows(2).all(|w| w[0].at < w[1].at));
    };
    check(&reader.view().expect("open"));
    writer.close(at(6000)).expect("memory");
    check(&open(&backend).1.view().expect("open"));
}

#[test]
fn quantiles_come_from_every_sample_or_from_sketches_within_one_percent() {
    let (mut writer, reader) = open(&memory());
    record(&mut writer, 4, 0..20_000);
    let view = reader.view().expect("open");
    for range in [(0, 19_999), (1000, 18_500), (3600, 7199), (100, 200)] {
        for n in 0..4 {
            let mut values: Vec<f64> = (range.0..=range.1).map(|s| kept(n, s)).collect();
            values.sort_by(f64::total_cmp);
            for q in [0.5, 0.95, 0.99] {
                let exact = values[(q * (values.len() - 1) as f64) as usize];
                let range = TimeRange { from: at(range.0), to: at(range.1) };
                let found = quantile(&view, n, range, q).expect("values");
                // One percent, and the rounding of the sketch's own bounds.
                assert!((found - exact).abs() <= exact * 0.0101 + 1e-9, "series {n}, {range:?}, {q}: {found} for {exact}");
                let samples = view.values(&key(n), range, Detail::Exact).expect("readable");
                assert!(!samples.sketched, "every sample is kept");
                let mut samples: Vec<f64> = samples.counted.into_iter().map(|c| c.0).collect();
                samples.sort_by(f64::total_cmp);
                assert_eq!(samples, values, "series {n}, {range:?}");
            }
        }
    }
    assert_eq!(quantile(&view, 9, all(), 0.5), None);
}

#[test]
fn rows_come_back_as_they_were_given() {
    let backend = memory();
    let (mut writer, _) = open(&backend);
    let row = |n: u8| Some(vec![n; 20]);
    let name = || "a".to_owned();
    let writes = vec![
        note(2),
        note(1),
        note(1),
        Write::Outbox { id: 7, row: row(1) },
        Write::Outbox { id: 8, row: row(2) },
        Write::Ledger { name: name(), row: row(3) },
        Write::Incident { name: name(), row: row(4) },
        Write::Schedule { name: name(), row: row(5) },
        Write::Service { name: name(), row: row(6) },
        Write::Model { name: name(), row: row(7) },
        Write::Meta { name: "format".to_owned(), row: row(8) },
        Write::Keyframe { at: at(600), alerts: vec![], silences: vec![], services: vec![Default::default()], listeners: vec![] },
    ];
    assert_eq!(writer.commit(writes), Ok(()));
    assert_eq!(writer.commit(vec![Write::Outbox { id: 7, row: None }]), Ok(()));
    drop(writer);
    let (_writer, reader) = open(&backend);
    let view = reader.view().expect("open");
    assert_eq!(notes(&view), ["note 1", "note 1", "note 2"]);
    assert_eq!(view.outbox(), Ok(vec![(8, vec![2; 20])]));
    let one = |n: u8| Ok(vec![(name(), vec![n; 20])]);
    assert_eq!((view.ledger(), view.incidents(), view.schedules(), view.services()), (one(3), one(4), one(5), one(6)));
    assert_eq!((view.model("a"), view.model("b"), view.meta("format")), (Ok(row(7)), Ok(None), Ok(row(8))));
    assert_eq!(view.keyframe_before(at(599)), Ok(None));
    assert_eq!(view.keyframe_before(at(5000)).ok().flatten().map(|k| (k.at, k.services.len())), Some((at(600), 1)));
}

#[test]
fn anomalies_are_found_by_touching_a_span_and_replaced_as_they_grow() {
    use crate::model::{AnomalyInterval, Verdict};
    let (mut writer, reader) = open(&memory());
    let anomaly = |n: usize, from: u64, to: Option<u64>| AnomalyInterval {
        key: key(n),
        from: at(from),
        to: to.map(at),
        peak: 1.0,
        peak_at: at(from),
        strength: 0.9,
        verdict: Verdict::Warning,
        reason: "high".to_owned(),
    };
    let given = [anomaly(1, 10, Some(20)), anomaly(1, 100, None), anomaly(2, 15, Some(30))];
    writer.commit(given.iter().cloned().map(Write::Anomaly).collect()).expect("memory");
    writer.commit(vec![Write::Anomaly(anomaly(1, 10, Some(25)))]).expect("memory");
    let view = reader.view().expect("open");
    let span = |from, to| TimeRange { from: at(from), to: at(to) };
    assert_eq!(view.anomalies(span(22, 40), None), Ok(vec![anomaly(1, 10, Some(25)), anomaly(2, 15, Some(30))]));
    assert_eq!(view.anomalies(span(26, 40), Some(&key(1))), Ok(vec![]));
    assert_eq!(view.anomalies(span(5000, 6000), None), Ok(vec![anomaly(1, 100, None)]));
}
