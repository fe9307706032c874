//! The newest samples of every series, in memory.
//!
//! One shared time column and one ring of values per series. What is older than the head comes from
//! the store; [`Merged`] is both together. Invariant: for any instant exactly one of the two answers,
//! cut at the head's oldest sample, so nothing is counted twice and nothing is missing.

use std::collections::{HashMap, VecDeque};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::base::{TimeRange, Timestamp};
use crate::model::{
    Bucket, Detail, Matcher, Points, Reading, Resolution, STALE_AFTER_INTERVALS, SeriesKey, SeriesSource, SourceError, Values,
    matches_key,
};

/// How much the head keeps: longer than every rule's window by default (5 min) and than any flush.
pub const HEAD_SPAN: Duration = Duration::from_secs(600);

/// Most series the head keeps; more are refused and counted (a label bomb must not eat the memory).
const MAX_SERIES: usize = 20_000;

/// The newest samples of every series.
#[derive(Debug)]
pub struct Head {
    interval: Duration,
    span: Duration,
    times: VecDeque<Timestamp>,
    // Number of rounds ever seen; the position of a value is its round number minus the first one's.
    rounds: u64,
    columns: HashMap<SeriesKey, Column>,
    // Keys by metric and in order, so that a rule finds its series without looking at all of them.
    metrics: HashMap<Box<str>, Vec<SeriesKey>>,
    refused: u64,
}

#[derive(Debug, Default)]
struct Column {
    // Runs of consecutive rounds: (first round, values). Nearly always one run.
    runs: VecDeque<(u64, VecDeque<f64>)>,
}

impl Head {
    /// An empty head for samples `interval` apart.
    pub fn new(interval: Duration) -> Self {
        Self::spanning(HEAD_SPAN, interval)
    }

    /// One that keeps another span.
    pub fn spanning(span: Duration, interval: Duration) -> Self {
        let times = VecDeque::new();
        Self { interval, span, times, rounds: 0, columns: HashMap::new(), metrics: HashMap::new(), refused: 0 }
    }

    /// How much it keeps.
    pub fn span(&self) -> Duration {
        self.span
    }

    /// Keeps another span from the next round on.
    pub fn set_span(&mut self, span: Duration) {
        self.span = span;
    }

    /// Nominal time between two samples.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Other samples from now on; what is kept stays.
    pub fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    /// Series refused because there were too many.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Time of the oldest sample; `None` while empty.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.times.front().copied()
    }

    /// Time of the newest sample; `None` while empty.
    pub fn newest(&self) -> Option<Timestamp> {
        self.times.back().copied()
    }

    /// Adds a round. A backward clock step forgets what would lie after it.
    pub fn push(&mut self, at: Timestamp, readings: &[Reading]) {
        while self.times.back().is_some_and(|last| *last >= at) {
            self.times.pop_back();
            self.rounds -= 1;
            for column in self.columns.values_mut() {
                column.truncate(self.rounds);
            }
        }
        let round = self.rounds;
        for reading in readings {
            if let Some(column) = self.columns.get_mut(&reading.key) {
                column.push(round, reading.value);
            } else if self.columns.len() < MAX_SERIES {
                let mut column = Column::default();
                column.push(round, reading.value);
                let keys = self.metrics.entry(reading.key.metric().into()).or_default();
                keys.insert(keys.partition_point(|known| *known < reading.key), reading.key.clone());
                self.columns.insert(reading.key.clone(), column);
            } else {
                self.refused += 1;
            }
        }
        self.times.push_back(at);
        self.rounds += 1;
        self.forget(at - self.span);
    }

    fn forget(&mut self, before: Timestamp) {
        while self.times.front().is_some_and(|first| *first < before) {
            self.times.pop_front();
            let first = self.rounds - self.times.len() as u64;
            let mut ended = false;
            for column in self.columns.values_mut() {
                ended |= !column.forget(first);
            }
            if ended {
                self.columns.retain(|_, c| !c.runs.is_empty());
                let columns = &self.columns;
                self.metrics.retain(|_, keys| {
                    keys.retain(|k| columns.contains_key(k));
                    !keys.is_empty()
                });
            }
        }
    }

    /// The newest value of each series of a metric, where it is fresh; `None` where `at` is not the newest round. The same as a query
    /// for the selector, at a tenth of its cost: most rules ask for nothing else.
    pub fn latest(&self, (metric, matchers): (&str, &[Matcher]), at: Timestamp) -> Option<Vec<(SeriesKey, f64)>> {
        if self.newest() != Some(at) {
            return None;
        }
        let first = self.rounds - self.times.len() as u64;
        let oldest = at - self.interval * STALE_AFTER_INTERVALS;
        let value = |key: &SeriesKey| {
            let (start, values) = self.columns.get(key)?.runs.back()?;
            let place = usize::try_from(start + values.len() as u64 - 1 - first).ok()?;
            let fresh = self.times.get(place).is_some_and(|time| *time >= oldest);
            values.back().copied().filter(|value| fresh && value.is_finite())
        };
        let keys = self.metrics.get(metric).into_iter().flatten().filter(|key| matches_key(key, matchers));
        Some(keys.filter_map(|key| Some((key.clone(), value(key)?))).collect())
    }

    fn visit(&self, key: &SeriesKey, range: TimeRange, mut f: impl FnMut(Timestamp, f64)) {
        let Some(column) = self.columns.get(key) else { return };
        let first = self.rounds - self.times.len() as u64;
        let (low, high) = (self.index_from(range.from), self.index_after(range.to));
        for (start, values) in &column.runs {
            let offset = usize::try_from(start - first).unwrap_or(usize::MAX);
            let from = low.max(offset);
            let to = high.min(offset.saturating_add(values.len()));
            for i in from..to {
                f(self.times[i], values[i - offset]);
            }
        }
    }

    fn index_from(&self, at: Timestamp) -> usize {
        self.times.partition_point(|t| *t < at)
    }

    fn index_after(&self, at: Timestamp) -> usize {
        self.times.partition_point(|t| *t <= at)
    }
}

impl Column {
    fn push(&mut self, round: u64, value: f64) {
        match self.runs.back_mut() {
            Some((start, values)) if *start + values.len() as u64 == round => values.push_back(value),
            // A second value of the same round: the first one stays.
            Some((start, values)) if *start + values.len() as u64 > round => {}
            _ => self.runs.push_back((round, VecDeque::from([value]))),
        }
    }

    fn truncate(&mut self, rounds: u64) {
        while let Some((start, values)) = self.runs.back_mut() {
            let keep = usize::try_from(rounds.saturating_sub(*start)).unwrap_or(usize::MAX);
            if values.len() <= keep {
                break;
            }
            values.truncate(keep);
            if keep > 0 {
                break;
            }
            self.runs.pop_back();
        }
    }

    /// Forgets values before round `first`; false once nothing is left.
    fn forget(&mut self, first: u64) -> bool {
        while let Some((start, values)) = self.runs.front_mut() {
            while *start < first && values.pop_front().is_some() {
                *start += 1;
            }
            if !values.is_empty() {
                break;
            }
            self.runs.pop_front();
        }
        !self.runs.is_empty()
    }
}

impl SeriesSource for Head {
    fn select(&self, metric: Option<&str>, matchers: &[Matcher]) -> Result<Vec<SeriesKey>, SourceError> {
        let fits = |key: &&SeriesKey| matches_key(key, matchers);
        let mut keys: Vec<SeriesKey> = match metric {
            Some(metric) => self.metrics.get(metric).map_or_else(Vec::new, |keys| keys.iter().filter(fits).cloned().collect()),
            None => self.columns.keys().filter(fits).cloned().collect(),
        };
        keys.sort();
        Ok(keys)
    }

    fn points(&self, key: &SeriesKey, range: TimeRange, resolution: Resolution) -> Result<Points, SourceError> {
        let mut buckets: Vec<Bucket> = Vec::new();
        let step = resolution.step();
        self.visit(key, range, |at, value| {
            let start = at.floor(step);
            match buckets.last_mut() {
                Some(last) if !step.is_zero() && last.at.floor(step) == start => last.merge(&Bucket::raw(at, value)),
                _ => buckets.push(Bucket::raw(if step.is_zero() { at } else { start.max(range.from) }, value)),
            }
        });
        Ok(Points { key: key.clone(), resolution, buckets })
    }

    fn interval(&self, _key: &SeriesKey) -> Duration {
        self.interval
    }
}

/// Head and stored history as one.
///
/// The head is locked for each copy only, never while the store is read, so that a long query does not
/// keep the engine waiting.
pub struct Merged<'a, S> {
    head: Option<&'a RwLock<Head>>,
    store: Option<&'a S>,
    cut: Timestamp,
}

/// The head forgets while a query runs: what it will forget within this time is left to the store.
const CUT_MARGIN: Duration = Duration::from_secs(60);

impl<'a, S: SeriesSource> Merged<'a, S> {
    /// Both, or what there is of them.
    pub fn new(head: Option<&'a RwLock<Head>>, store: Option<&'a S>) -> Self {
        let cut = head.and_then(|head| {
            let head = read(head);
            let oldest = head.oldest()?;
            let full = head.newest()?.since(oldest) + CUT_MARGIN > HEAD_SPAN;
            Some(if full && store.is_some() { oldest + CUT_MARGIN } else { oldest })
        });
        Self { head, store, cut: cut.unwrap_or(Timestamp(i64::MAX)) }
    }
}

impl<S> Merged<'_, S> {
    /// Time between two rounds of the engine; `None` without one.
    pub fn sampled_every(&self) -> Option<Duration> {
        self.head.map(|head| read(head).interval)
    }
}

fn read(head: &RwLock<Head>) -> std::sync::RwLockReadGuard<'_, Head> {
    head.read().unwrap_or_else(PoisonError::into_inner)
}

impl<S: SeriesSource> SeriesSource for Merged<'_, S> {
    fn select(&self, metric: Option<&str>, matchers: &[Matcher]) -> Result<Vec<SeriesKey>, SourceError> {
        let mut keys = match self.store {
            Some(store) => store.select(metric, matchers)?,
            None => Vec::new(),
        };
        if let Some(head) = self.head {
            keys.extend(read(head).select(metric, matchers)?);
        }
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    fn points(&self, key: &SeriesKey, range: TimeRange, resolution: Resolution) -> Result<Points, SourceError> {
        let cut = self.cut;
        let mut merged = Points { key: key.clone(), resolution, buckets: Vec::new() };
        if let Some(store) = self.store
            && range.from < cut
        {
            let older = TimeRange { from: range.from, to: range.to.min(Timestamp(cut.0.saturating_sub(1))) };
            merged = store.points(key, older, resolution)?;
        }
        if let Some(head) = self.head
            && range.to >= cut
        {
            let newer = TimeRange { from: range.from.max(cut), to: range.to };
            let mut points = read(head).points(key, newer, resolution)?;
            // The bucket that the cut divides is put together again.
            if let (Some(last), Some(first)) = (merged.buckets.last_mut(), points.buckets.first())
                && !resolution.step().is_zero()
                && last.at.floor(resolution.step()) == first.at.floor(resolution.step())
            {
                last.merge(first);
                points.buckets.remove(0);
            }
            merged.buckets.append(&mut points.buckets);
        }
        Ok(merged)
    }

    fn values(&self, key: &SeriesKey, range: TimeRange, detail: Detail) -> Result<Values, SourceError> {
        let mut values = Values::default();
        if let Some(store) = self.store
            && range.from < self.cut
        {
            let older = TimeRange { from: range.from, to: range.to.min(Timestamp(self.cut.0.saturating_sub(1))) };
            values = store.values(key, older, detail)?;
        }
        if let Some(head) = self.head
            && range.to >= self.cut
        {
            let newer = TimeRange { from: range.from.max(self.cut), to: range.to };
            values.counted.extend(read(head).values(key, newer, detail)?.counted);
        }
        Ok(values)
    }

    fn interval(&self, key: &SeriesKey) -> Duration {
        // As without an engine; where it samples less often than before, the newest samples are as far apart as it says.
        let stored = self.store.map(|store| store.interval(key));
        let live =
            self.head.map(read).filter(|head| stored.is_none() || head.columns.contains_key(key)).map(|head| head.interval);
        stored.max(live).unwrap_or(Duration::from_secs(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000 + n)
    }

    fn reading(metric: &str, value: f64) -> Reading {
        Reading { key: SeriesKey::total(metric), value, cumulative: None }
    }

    fn values(head: &Head, metric: &str, from: i64, to: i64) -> Vec<f64> {
        let range = TimeRange { from: second(from), to: second(to) };
        let points = head.points(&SeriesKey::total(metric), range, Resolution::Raw).expect("memory");
        points.buckets.iter().map(|b| b.last).collect()
    }

    #[test]
    fn gaps_stay_gaps() {
        let mut head = Head::new(Duration::from_secs(1));
        for n in 0..6 {
            let mut readings = vec![reading("a", n as f64)];
            if n != 2 && n != 3 {
                readings.push(reading("b", n as f64));
            }
            head.push(second(n), &readings);
        }
        assert_eq!(values(&head, "a", 1, 3), [1.0, 2.0, 3.0]);
        assert_eq!(values(&head, "b", 0, 9), [0.0, 1.0, 4.0, 5.0]);
    }

    #[test]
    fn the_head_forgets_series_that_ended() {
        let mut head = Head::new(Duration::from_secs(1));
        head.push(second(0), &[reading("gone", 1.0), reading("a", 1.0)]);
        for n in 1..700 {
            head.push(second(n), &[reading("a", n as f64)]);
        }
        assert_eq!(head.select(Some("gone"), &[]).expect("memory"), []);
        assert_eq!(values(&head, "a", 0, 700).len(), 601);
    }

    #[test]
    fn a_clock_that_goes_back_replaces_what_it_repeats() {
        let mut head = Head::new(Duration::from_secs(1));
        for n in 0..10 {
            head.push(second(n), &[reading("a", n as f64)]);
        }
        head.push(second(5), &[reading("a", 50.0)]);
        assert_eq!(values(&head, "a", 0, 20), [0.0, 1.0, 2.0, 3.0, 4.0, 50.0]);
    }

    #[test]
    fn buckets_are_aligned_to_the_clock() {
        let mut head = Head::new(Duration::from_secs(1));
        for n in 5..25 {
            head.push(second(n), &[reading("a", n as f64)]);
        }
        let range = TimeRange { from: second(0), to: second(30) };
        let points = head.points(&SeriesKey::total("a"), range, Resolution::TenSeconds).expect("memory");
        let means: Vec<(i64, f64, u32)> = points.buckets.iter().map(|b| (b.at.0 / 1000 - 1_000_000, b.mean, b.count)).collect();
        assert_eq!(means, [(0, 7.0, 5), (10, 14.5, 10), (20, 22.0, 5)]);
    }

    #[test]
    fn series_that_come_seldom_are_as_far_apart_as_without_an_engine() {
        use crate::store::{Store, StoreConfig};
        let dir = tempfile::tempdir().expect("a folder");
        let (mut writer, reader) = Store::open(&dir.path().join("farol.redb"), &StoreConfig::default()).expect("a history");
        let start = 1_780_000_000;
        let key = |metric| SeriesKey::total(metric);
        let head = RwLock::new(Head::new(Duration::from_secs(1)));
        for second in 0..1200 {
            let at = Timestamp::from_seconds(start + second);
            let mut readings = vec![reading("a", 1.0)];
            if second % 10 == 0 {
                readings.push(reading("seldom", 1.0));
            }
            writer.push(at, &readings);
            head.write().expect("no panic").push(at, &readings);
        }
        writer.flush(Timestamp::from_seconds(start + 1200)).expect("written");
        let view = reader.view().expect("readable");
        let merged = Merged::new(Some(&head), Some(&view));
        for metric in ["a", "seldom"] {
            assert_eq!(merged.interval(&key(metric)), view.interval(&key(metric)), "{metric}");
        }
        head.write().expect("no panic").set_interval(Duration::from_secs(60));
        assert_eq!(merged.interval(&key("a")), Duration::from_secs(60), "it has just changed");
    }
}
