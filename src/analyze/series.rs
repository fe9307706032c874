//! All that is known of one series, and what it makes of a new value.
//!
//! Never knows of other series. Invariant: a value costs the same however long the series is watched.

use super::archive::Archive;
use super::baseline::Baseline;
use super::detect::{DETECTORS, Detector, Point, RECENT};
use super::means::Means;
use super::scale::Scale;
use super::surprise::{Level, Surprise};
use super::watch::{Bars, Watch};
use crate::model::{Band, SeriesKey};

/// Nothing is judged before a quarter of an hour (cold start of the measured design) …
const LEARNING_SECONDS: f64 = 900.0;
/// … and this many values.
const LEARNING_VALUES: u32 = 30;
/// Until a day is known the thresholds are higher, at first double.
const CAUTION_SECONDS: f64 = 86_400.0;
/// A hole of more than three steps is a gap.
const GAP_STEPS: f64 = 3.0;

/// Slots of ten seconds for what moved together: ten minutes.
pub type Recent = Means<10, 60>;
/// Slots of a minute for trends: 24 points.
pub type Minutes = Means<60, 24>;

/// The state of one series.
#[derive(Debug)]
pub struct Series {
    /// Its name.
    pub key: SeriesKey,
    /// How its values are compared.
    pub scale: Scale,
    /// Milliseconds of the newest value.
    pub last_at: i64,
    /// The newest value, as read.
    pub last: f64,
    /// Usual seconds between two values.
    pub step: f64,
    /// Seconds it was watched, gaps left out.
    pub age: f64,
    seen: u32,
    /// Smallest deviation that means anything, on the inner scale.
    pub floor: f64,
    /// What it usually does.
    pub baseline: Baseline,
    detectors: Vec<Box<dyn Detector>>,
    /// One that is listened to in place of all others.
    challenger: Option<Box<dyn Detector>>,
    /// Which detectors voted on the newest value.
    pub votes: [bool; DETECTORS.len()],
    newest: Vec<f32>,
    surprise: Surprise,
    /// Mean surprise of the newest values; 0 while learning.
    pub score: Level,
    /// Its events.
    pub watch: Watch,
    /// Means over ten seconds.
    pub recent: Recent,
    /// Means over a minute.
    pub minutes: Minutes,
}

impl Series {
    /// Without a past.
    pub fn new(key: SeriesKey, scale: Scale) -> Self {
        Self {
            key,
            scale,
            last_at: i64::MIN,
            last: 0.0,
            step: 1.0,
            age: 0.0,
            seen: 0,
            floor: 0.0,
            baseline: Baseline::default(),
            detectors: DETECTORS.iter().map(|d| (d.make)()).collect(),
            challenger: None,
            votes: [false; DETECTORS.len()],
            newest: Vec::with_capacity(RECENT),
            surprise: Surprise::default(),
            score: Level::default(),
            watch: Watch::default(),
            recent: Recent::default(),
            minutes: Minutes::default(),
        }
    }

    /// Listens to a challenger in place of its detectors.
    pub fn challenge(&mut self, challenger: Box<dyn Detector>) {
        self.challenger = Some(challenger);
    }

    /// Takes in a value and gives the seconds since the one before; `None` after a gap. Values that are not
    /// newer are left out. Of the detectors only that at `alone` is listened to.
    pub fn observe(&mut self, at_ms: i64, value: f64, alone: Option<usize>) -> Option<f64> {
        let since = self.advance(at_ms);
        let step = self.step;
        let inner = self.scale.inside(value);
        let at_seconds = at_ms as f64 / 1000.0;
        self.floor = self.scale.floor(self.baseline.mean_error(), inner);
        let residual = self.baseline.observe(at_seconds, inner, step, self.floor);
        let change = since.and(self.newest.last()).map(|last| inner - f64::from(*last));
        let point = Point { value: inner, residual, change, floor: self.floor, step, recent: &self.newest };
        for (vote, detector) in self.votes.iter_mut().zip(&mut self.detectors) {
            *vote = detector.observe(&point);
        }
        if let Some(alone) = alone {
            (0..).zip(&mut self.votes).filter(|(i, _)| *i != alone).for_each(|(_, vote)| *vote = false);
        }
        if let Some(challenger) = &mut self.challenger {
            self.votes = [false; DETECTORS.len()];
            self.votes[0] = challenger.observe(&point);
        }
        let score = self.surprise.observe(&self.votes, step);
        self.score = if self.is_learning() { Level::default() } else { score };
        if self.newest.len() == RECENT {
            self.newest.rotate_left(1);
            self.newest.pop();
        }
        self.newest.push(inner as f32);
        self.recent.observe(at_ms, value);
        self.minutes.observe(at_ms, value);
        self.last = value;
        self.seen = self.seen.saturating_add(1);
        since
    }

    /// Moves its time forward and learns the step.
    fn advance(&mut self, at_ms: i64) -> Option<f64> {
        let before = std::mem::replace(&mut self.last_at, at_ms);
        if before == i64::MIN {
            return None;
        }
        let since = at_ms.saturating_sub(before) as f64 / 1000.0;
        if self.seen == 1 && since > 0.0 {
            self.step = since.clamp(0.05, 86_400.0);
        }
        if since <= 0.0 || since > GAP_STEPS * self.step {
            self.interrupt();
            // A step that was learned from the first two values alone may be wrong: follow what keeps coming.
            if since > 0.0 {
                self.step = (self.step * 1.1).min(since);
            }
            return None;
        }
        self.step += 0.02 * (since - self.step);
        self.age += since;
        Some(since)
    }

    fn interrupt(&mut self) {
        self.newest.clear();
        self.surprise.interrupt();
    }

    /// Whether it is too young to be judged.
    pub fn is_learning(&self) -> bool {
        self.age < LEARNING_SECONDS || self.seen < LEARNING_VALUES
    }

    /// From which scores on it is unusual: double when new.
    pub fn bars(&self) -> Bars {
        Bars::of_marks(caution(self.age))
    }

    /// Where values are expected at a time; `None` while learning.
    pub fn band(&self, at_seconds: f64) -> Option<Band> {
        if self.is_learning() {
            return None;
        }
        let expected = self.baseline.expected(at_seconds)?;
        let [below, above] = self.baseline.reach(self.floor);
        Some(Band { low: self.scale.outside(expected - below), high: self.scale.outside(expected + above) })
    }

    /// The usual value at a time; `None` while learning.
    pub fn usual(&self, at_seconds: f64) -> Option<f64> {
        if self.is_learning() { None } else { self.baseline.expected(at_seconds).map(|v| self.scale.outside(v)) }
    }

    /// Writes or reads its state but for the key; `places` are those of the saved detectors in today's table.
    pub fn archive(&mut self, archive: &mut Archive<'_>, places: &[Option<usize>]) {
        archive.i64(&mut self.last_at);
        for field in [&mut self.last, &mut self.step, &mut self.age, &mut self.floor] {
            archive.f64(field);
        }
        for field in [&mut self.score.now, &mut self.score.lasting] {
            archive.f64(field);
        }
        archive.u32(&mut self.seen);
        self.baseline.archive(archive);
        archive.floats(&mut self.newest, RECENT);
        self.surprise.archive(archive, places);
        self.watch.archive(archive);
        self.recent.archive(archive);
        self.minutes.archive(archive);
        for place in places {
            let detector = place.map(|p| &mut self.detectors[p]);
            archive.part(|part| {
                if let Some(detector) = detector {
                    detector.archive(part);
                }
            });
        }
        if self.step <= 0.0 || self.age < 0.0 {
            archive.refuse();
        }
    }
}

/// What thresholds are multiplied with at an age in seconds.
pub fn caution(age: f64) -> f64 {
    2.0 - (age / CAUTION_SECONDS).min(1.0)
}
