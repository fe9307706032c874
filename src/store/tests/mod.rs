//! The store as its users see it: recorded histories against what went in, on memory and on devices that fail.

mod crash;
mod damage;
mod device;
mod opening;
mod retention;
mod series;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use redb::StorageBackend;

use super::numbers::{GAUGE_DIGITS, RATE_DIGITS, rounded};
use super::{Reader, Store, StoreConfig, View, Write, Writer};
use crate::base::{TimeRange, Timestamp};
use crate::model::{Bucket, Detail, JournalEntry, JournalEvent, Reading, Resolution, SeriesKey, SeriesSource};

/// A moment on a full day and hour, 2026-01-01T00:00:00Z.
pub(super) const START: Timestamp = Timestamp(1_767_225_600_000);

pub(super) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) fn at(second: u64) -> Timestamp {
    START + seconds(second)
}

pub(super) fn key(n: usize) -> SeriesKey {
    SeriesKey::new("test_ratio", [("n", n.to_string().as_str())])
}

/// The value of a series at a second: a constant, steps, a rate with noise, a slow rise.
pub(super) fn value(n: usize, second: u64) -> f64 {
    let noise = (second.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(n as u64 * 977) >> 33) as f64 / f64::from(u32::MAX);
    match n % 4 {
        0 => 0.25,
        1 => (second / 30 % 40) as f64 / 40.0,
        2 => 1e4 * (1.0 + noise),
        _ => 5e9 + second as f64 * 12_345.6,
    }
}

pub(super) fn readings(n: usize, second: u64) -> Vec<Reading> {
    let reading = |i| {
        let value = value(i, second);
        Reading { key: key(i), value, cumulative: (i % 4 == 2).then_some(value * 10.0) }
    };
    (0..n).map(reading).collect()
}

/// What is kept of [`value`].
pub(super) fn kept(n: usize, second: u64) -> f64 {
    rounded(value(n, second), if n % 4 == 2 { RATE_DIGITS } else { GAUGE_DIGITS })
}

pub(super) fn memory() -> Arc<redb::backends::InMemoryBackend> {
    Arc::new(redb::backends::InMemoryBackend::new())
}

pub(super) fn open(backend: &Arc<impl StorageBackend>) -> (Writer, Reader) {
    Store::open_with(backend.clone(), &StoreConfig::default()).expect("a store")
}

/// Records seconds `from..to` of `n` series with a flush every minute and all maintenance that is due.
pub(super) fn record(writer: &mut Writer, n: usize, span: std::ops::Range<u64>) {
    for second in span {
        writer.push(at(second), &readings(n, second));
        if second % 60 == 49 {
            writer.flush(at(second)).expect("memory has room");
            while writer.maintain(at(second)).expect("memory has room") {}
        }
    }
}

pub(super) fn note(n: u64) -> Write {
    Write::Journal(JournalEntry { at: at(n), event: JournalEvent::Notice { text: format!("note {n}") } })
}

pub(super) fn all() -> TimeRange {
    TimeRange { from: Timestamp(0), to: Timestamp(i64::MAX / 2) }
}

pub(super) fn notes(view: &View) -> Vec<String> {
    let entries = view.journal(all()).expect("readable");
    let text = |e: JournalEntry| match e.event {
        JournalEvent::Notice { text } => text,
        other => panic!("{other:?}"),
    };
    entries.into_iter().map(text).collect()
}

/// The value at that share of the ranks, as sketches tell it where they may.
pub(super) fn quantile(view: &View, n: usize, range: TimeRange, q: f64) -> Option<f64> {
    let mut counted = view.values(&key(n), range, Detail::Sketched).expect("readable").counted;
    counted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: u64 = counted.iter().map(|c| c.1).sum();
    let mut rank = (q * (total.max(1) - 1) as f64) as u64;
    counted.into_iter().find_map(|(value, n)| {
        let found = rank < n;
        rank = rank.saturating_sub(n);
        found.then_some(value)
    })
}

pub(super) fn raw(view: &View, n: usize) -> Vec<Bucket> {
    view.points(&key(n), all(), Resolution::Raw).expect("readable").buckets
}
