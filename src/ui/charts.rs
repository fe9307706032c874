//! Points of the charts on the screen, kept by the reader.
//!
//! Filled once from history, then from pulses. A series is a row of slots of equal length counted
//! from 1970, so that a chart moves only when a slot is full. Invariant: a gap is an absent slot.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use crate::base::{TimeRange, Timestamp};
use crate::model::{AnomalyInterval, Band, Process, ProcessId, Reading, SeriesKey};
use crate::monitor::HistorySeries;

/// Slots kept a series: more than the 400 half columns of the widest screen, so that zooming in stays sharp at once.
pub const SLOTS: usize = 1200;

/// Smallest, mean and largest value of a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Smallest value.
    pub min: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Largest value.
    pub max: f64,
}

/// Equal stretches of time next to each other: the points of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Start of the first bin.
    pub from: Timestamp,
    /// Length of a bin; not zero.
    pub bin: Duration,
    /// Number of bins.
    pub n: usize,
}

impl Window {
    /// `n` bins, the last of which holds `to`; their starts are multiples of `bin` since 1970.
    pub fn ending(to: Timestamp, bin: Duration, n: usize) -> Self {
        let bin = bin.max(Duration::from_millis(1));
        let before = u32::try_from(n.saturating_sub(1)).unwrap_or(u32::MAX);
        Self { from: to.floor(bin) - bin.saturating_mul(before), bin, n }
    }

    /// Start of bin `index`, which may lie past the end (the future).
    pub fn start(self, index: usize) -> Timestamp {
        self.from + self.bin.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The bin that holds `at`; `None` outside.
    pub fn index(self, at: Timestamp) -> Option<usize> {
        let past = at.0.checked_sub(self.from.0).filter(|ms| *ms >= 0)?;
        let bin = i64::try_from(self.bin.as_millis()).unwrap_or(i64::MAX).max(1);
        usize::try_from(past / bin).ok().filter(|i| *i < self.n)
    }

    /// From the start of the first bin to the end of the last.
    pub fn range(self) -> TimeRange {
        TimeRange { from: self.from, to: self.start(self.n) }
    }
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    min: f32,
    mean: f32,
    max: f32,
    count: u32,
}

impl Slot {
    /// Nothing was seen.
    const GAP: Self = Self { min: 0.0, mean: 0.0, max: 0.0, count: 0 };

    fn merge(&mut self, other: Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = other;
            return;
        }
        let (own, more) = (f64::from(self.count), f64::from(other.count));
        self.mean = ((f64::from(self.mean) * own + f64::from(other.mean) * more) / (own + more)) as f32;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.count = self.count.saturating_add(other.count);
    }
}

#[derive(Debug, Clone, Default)]
struct Track {
    /// Number of the first slot since 1970.
    first: i64,
    slots: VecDeque<Slot>,
    anomalies: Vec<AnomalyInterval>,
    band: Vec<(Timestamp, Band)>,
}

impl Track {
    fn add(&mut self, number: i64, slot: Slot) {
        if self.slots.is_empty() {
            self.first = number;
        }
        let mut at = number - self.first;
        if at < 0 {
            return;
        }
        // A jump of the clock past everything kept starts anew instead of filling with gaps.
        let room = i64::try_from(SLOTS).unwrap_or(i64::MAX);
        if at >= 2 * room {
            self.slots.clear();
            self.first = number;
            at = 0;
        }
        while i64::try_from(self.slots.len()).unwrap_or(i64::MAX) <= at {
            self.slots.push_back(Slot::GAP);
            if self.slots.len() > SLOTS {
                self.slots.pop_front();
                self.first += 1;
                at -= 1;
            }
        }
        if let Some(own) = usize::try_from(at).ok().and_then(|i| self.slots.get_mut(i)) {
            own.merge(slot);
        }
    }

    /// Usual number of slots from one value to the next.
    fn spacing(&self) -> i64 {
        let filled = self.slots.iter().enumerate().filter(|(_, s)| s.count > 0).map(|(i, _)| i);
        let mut apart: Vec<usize> = filled.clone().zip(filled.skip(1)).map(|(a, b)| b - a).collect();
        if apart.is_empty() {
            return 1;
        }
        let middle = (apart.len() - 1) / 2;
        i64::try_from(*apart.select_nth_unstable(middle).1).unwrap_or(1)
    }

    fn get(&self, number: i64) -> Option<Slot> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.slots.get(at).copied().filter(|s| s.count > 0)
    }
}

/// The points of all charts at one width of slots.
#[derive(Debug, Clone)]
pub struct ChartStore {
    step: Duration,
    tracks: BTreeMap<SeriesKey, Track>,
}

impl ChartStore {
    /// Knows nothing; slots of `step` (at least a millisecond).
    pub fn new(step: Duration) -> Self {
        Self { step: step.max(Duration::from_millis(1)), tracks: BTreeMap::new() }
    }

    /// Length of a slot.
    pub fn step(&self) -> Duration {
        self.step
    }

    fn number(&self, at: Timestamp) -> i64 {
        at.0.div_euclid(i64::try_from(self.step.as_millis()).unwrap_or(i64::MAX))
    }

    /// Series that are kept, by key.
    pub fn keys(&self) -> impl Iterator<Item = &SeriesKey> {
        self.tracks.keys()
    }

    /// Keeps a series from now on.
    pub fn track(&mut self, key: &SeriesKey) {
        if !self.tracks.contains_key(key) {
            self.tracks.insert(key.clone(), Track::default());
        }
    }

    /// Forgets the series that `keep` does not want.
    pub fn retain(&mut self, keep: impl Fn(&SeriesKey) -> bool) {
        self.tracks.retain(|key, _| keep(key));
    }

    /// Adds the readings of a tick, sorted by key, to every series that is kept.
    pub fn observe(&mut self, at: Timestamp, readings: &[Reading]) {
        let number = self.number(at);
        for (key, track) in &mut self.tracks {
            if let Ok(place) = readings.binary_search_by(|r| r.key.cmp(key)) {
                let value = readings[place].value as f32;
                track.add(number, Slot { min: value, mean: value, max: value, count: 1 });
            }
        }
    }

    /// Takes history: it replaces what is kept of its span, newer slots stay.
    pub fn fill(&mut self, series: &HistorySeries) {
        let key = &series.points.key;
        let old = self.tracks.remove(key).unwrap_or_default();
        let mut track = Track { anomalies: series.anomalies.clone(), band: old.band, ..Track::default() };
        let mut last = i64::MIN;
        let length = series.points.resolution.step().saturating_sub(Duration::from_millis(1));
        for bucket in &series.points.buckets {
            let (first, end) = (self.number(bucket.at), self.number(bucket.at + length));
            let slot =
                Slot { min: bucket.min as f32, mean: bucket.mean as f32, max: bucket.max as f32, count: bucket.count.max(1) };
            // A bucket longer than a slot stands for all slots it covers.
            for number in first.max(last.saturating_add(1))..=end {
                track.add(number, slot);
            }
            if first == last {
                track.add(first, slot);
            }
            last = last.max(end);
        }
        for (i, slot) in old.slots.iter().enumerate() {
            let number = old.first + i64::try_from(i).unwrap_or(i64::MAX);
            if number > last && slot.count > 0 {
                track.add(number, *slot);
            }
        }
        self.tracks.insert(key.clone(), track);
    }

    /// Takes the learned band of a series.
    pub fn fill_band(&mut self, key: &SeriesKey, band: Vec<(Timestamp, Band)>) {
        self.tracks.entry(key.clone()).or_default().band = band;
    }

    /// One bin for each stretch of the window; `None` where nothing was seen. Bins finer than the slots repeat them, and a
    /// series that is read less often than there are bins holds its value for two of its own intervals.
    pub fn bins(&self, key: &SeriesKey, window: Window) -> Vec<Option<Bin>> {
        let Some(track) = self.tracks.get(key) else { return vec![None; window.n] };
        let hold = std::cell::OnceCell::new();
        (0..window.n)
            .map(|i| {
                let (from, to) = (self.number(window.start(i)), self.number(Timestamp(window.start(i + 1).0 - 1)));
                let mut sum = Slot::GAP;
                for number in from.max(track.first)..=to.min(track.first + i64::try_from(track.slots.len()).unwrap_or(0)) {
                    if let Some(slot) = track.get(number) {
                        sum.merge(slot);
                    }
                }
                if sum.count == 0 {
                    // A series with a value in every slot has a real gap here.
                    let hold = *hold.get_or_init(|| 2 * track.spacing());
                    let back = if hold > 2 { from - hold } else { from };
                    sum = (back..from).rev().find_map(|number| track.get(number)).unwrap_or(Slot::GAP);
                }
                (sum.count > 0).then(|| Bin { min: f64::from(sum.min), mean: f64::from(sum.mean), max: f64::from(sum.max) })
            })
            .collect()
    }

    /// Anomalies that history named; the newest are in the snapshot.
    pub fn anomalies(&self, key: &SeriesKey) -> &[AnomalyInterval] {
        self.tracks.get(key).map_or(&[], |t| &t.anomalies)
    }

    /// Learned band, by time; empty while learning or where it was not asked for.
    pub fn band(&self, key: &SeriesKey) -> &[(Timestamp, Band)] {
        self.tracks.get(key).map_or(&[], |t| &t.band)
    }

    /// Time of the oldest slot of a series.
    pub fn oldest(&self, key: &SeriesKey) -> Option<Timestamp> {
        let track = self.tracks.get(key).filter(|t| !t.slots.is_empty())?;
        Some(Timestamp(track.first.saturating_mul(i64::try_from(self.step.as_millis()).unwrap_or(i64::MAX))))
    }
}

/// Ticks of CPU use kept a process: the row's graph is of the last minute at one second.
pub const CPU_TICKS: usize = 60;

/// CPU use of every process over the last ticks.
#[derive(Debug, Clone, Default)]
pub struct CpuTracks {
    tick: u64,
    rings: HashMap<ProcessId, CpuRing>,
}

#[derive(Debug, Clone)]
struct CpuRing {
    /// Tick of the newest value.
    newest: u64,
    /// Cores in steps of 1/240, saturating: a graph is full at one core.
    cores: [u8; CPU_TICKS],
}

/// Steps a core is cut into: one byte holds a core and a little more.
const STEPS: f64 = 240.0;

impl CpuTracks {
    /// Takes the next tick.
    pub fn observe(&mut self, processes: &[std::sync::Arc<Process>]) {
        self.tick += 1;
        let tick = self.tick;
        for process in processes.iter().filter(|p| p.cpu > 0.0) {
            let ring = self.rings.entry(process.id).or_insert(CpuRing { newest: tick, cores: [0; CPU_TICKS] });
            for gap in ring.newest + 1..tick.min(ring.newest + CPU_TICKS as u64 + 1) {
                ring.cores[(gap % CPU_TICKS as u64) as usize] = 0;
            }
            ring.newest = tick;
            ring.cores[(tick % CPU_TICKS as u64) as usize] = (process.cpu * STEPS).ceil().clamp(0.0, 255.0) as u8;
        }
        if tick.is_multiple_of(CPU_TICKS as u64) {
            self.rings.retain(|_, ring| ring.newest + CPU_TICKS as u64 > tick);
            self.rings.shrink_to_fit();
        }
    }

    /// The same for a graph of `per_cell` ticks a cell: what the newest cell still waits for is absent, so that cells keep their
    /// ticks and the graph moves only when its newest cell is full.
    pub fn cells(&self, id: ProcessId, per_cell: usize) -> Vec<Option<f64>> {
        let mut ticks: Vec<Option<f64>> = self.last(id).into_iter().map(Some).collect();
        if !ticks.is_empty() && per_cell > 1 {
            let filled = (self.tick % per_cell as u64) as usize + 1;
            ticks.extend(std::iter::repeat_n(None, per_cell - filled));
            ticks.drain(..ticks.len() - CPU_TICKS / per_cell * per_cell);
        }
        ticks
    }

    /// Cores used in each of the last ticks, oldest first, in cores; empty where nothing was used.
    pub fn last(&self, id: ProcessId) -> Vec<f64> {
        let Some(ring) = self.rings.get(&id) else { return Vec::new() };
        let ticks = CPU_TICKS as u64;
        (0..ticks)
            .map(|i| (self.tick + i + 1).saturating_sub(ticks))
            .map(|tick| {
                let known = tick > 0 && tick <= ring.newest && tick + ticks > ring.newest;
                if known { f64::from(ring.cores[(tick % ticks) as usize]) / STEPS } else { 0.0 }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(store: &mut ChartStore, key: &SeriesKey, at: Timestamp, value: f64) {
        store.observe(at, &[Reading { key: key.clone(), value, cumulative: None }]);
    }

    #[test]
    fn a_bin_keeps_the_peak_within_it_and_gaps_stay_gaps() {
        let key = SeriesKey::total("m");
        let mut store = ChartStore::new(Duration::from_secs(1));
        store.track(&key);
        for (second, value) in [(7, 1.0), (8, 1.0), (9, 1.0), (10, 1.0), (11, 9.0), (14, 2.0)] {
            push(&mut store, &key, Timestamp::from_seconds(second), value);
        }
        let window = Window::ending(Timestamp::from_seconds(15), Duration::from_secs(2), 3);
        assert_eq!(window.from, Timestamp::from_seconds(10));
        let bins = store.bins(&key, window);
        assert_eq!(bins[0], Some(Bin { min: 1.0, mean: 5.0, max: 9.0 }));
        assert_eq!((bins[1], bins[2].map(|b| b.mean)), (None, Some(2.0)));
    }

    #[test]
    fn history_comes_before_what_pulses_brought() {
        let key = SeriesKey::total("m");
        let mut store = ChartStore::new(Duration::from_secs(1));
        store.track(&key);
        push(&mut store, &key, Timestamp::from_seconds(20), 5.0);
        let buckets = [16, 17, 18].map(|s| crate::model::Bucket::raw(Timestamp::from_seconds(s), 1.0)).into();
        let points = crate::model::Points { key: key.clone(), resolution: crate::model::Resolution::Raw, buckets };
        store.fill(&HistorySeries { points, anomalies: Vec::new() });
        let bins = store.bins(&key, Window::ending(Timestamp::from_seconds(20), Duration::from_secs(1), 3));
        assert_eq!(bins.iter().map(|b| b.map(|b| b.mean)).collect::<Vec<_>>(), [Some(1.0), None, Some(5.0)]);
    }

    #[test]
    fn at_most_the_newest_slots_are_kept() {
        let key = SeriesKey::total("m");
        let mut store = ChartStore::new(Duration::from_secs(1));
        store.track(&key);
        for second in 0..5000 {
            push(&mut store, &key, Timestamp::from_seconds(second), 1.0);
        }
        push(&mut store, &key, Timestamp::from_seconds(10_000_000), 1.0);
        assert_eq!(store.oldest(&key), Some(Timestamp::from_seconds(10_000_000)));
        push(&mut store, &key, Timestamp::from_seconds(10_000_000 + 1500), 1.0);
        assert_eq!(store.oldest(&key), Some(Timestamp::from_seconds(10_000_000 + 301)));
    }

    #[test]
    fn a_process_that_slept_has_zeros_in_between() {
        let id = ProcessId { pid: 7, started: 1 };
        let busy = std::sync::Arc::new(Process { id, cpu: 0.5, ..Process::default() });
        let mut tracks = CpuTracks::default();
        tracks.observe(&[std::sync::Arc::clone(&busy)]);
        tracks.observe(&[]);
        tracks.observe(&[busy]);
        let last = tracks.last(id);
        assert_eq!((last.len(), &last[57..]), (60, &[0.5, 0.0, 0.5][..]));
        assert!(tracks.last(ProcessId::default()).is_empty());
    }
}
