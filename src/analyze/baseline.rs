//! What a series usually does: level, spread on either side, and its time-of-day profile.
//!
//! Works on the scale of the detectors (see [`super::scale`]). Invariant: the profile speaks only while
//! it explains the series better than the level alone.

use super::archive::Archive;

/// Quarters of an hour in a day.
pub const BINS: usize = 96;
const BIN_SECONDS: f64 = 900.0;
/// Memory of the level, so that a changed habit is usual after some hours.
const LEVEL_SECONDS: f64 = 3600.0;
/// The level remembers at least this many samples, however far apart they are.
const LEVEL_SAMPLES: f64 = 30.0;
/// Memory of the spread and of the two methods' errors.
const DAY_SECONDS: f64 = 86_400.0;
/// What a new day weighs in the profile (the newest days weigh most: 0.6 per day back, measured best).
const DAY_WEIGHT: f32 = 0.4;
/// Deviations beyond this many mean errors are clipped before they are learned from.
const CLIP: f64 = 4.0;
/// The profile must beat the level by 5 % in recent error.
const PROFILE_GAIN: f64 = 0.95;
/// The band reaches this many one-sided mean errors out: about ±3.2 spreads of a normal series.
const BAND_REACH: f64 = 8.0;

/// A mean that outliers move only so far.
#[derive(Debug, Clone, Copy, Default)]
struct Robust {
    mean: f64,
    error: f64,
}

impl Robust {
    /// `weight` is that of the new value, 1 for the first.
    fn observe(&mut self, value: f64, weight: f64, floor: f64) {
        let deviation = value - self.mean;
        if weight >= 1.0 {
            *self = Self { mean: value, error: 0.0 };
            return;
        }
        let reach = if weight > 0.1 { f64::INFINITY } else { CLIP * self.error.max(floor) };
        self.mean += weight * deviation.clamp(-reach, reach);
        self.error += weight * (deviation.abs().min(reach) - self.error);
    }

    fn archive(&mut self, archive: &mut Archive<'_>) {
        archive.f64(&mut self.mean);
        archive.f64(&mut self.error);
    }
}

/// The usual course of one series.
#[derive(Debug, Clone)]
pub struct Baseline {
    level: Robust,
    offset: Robust,
    /// Mean deviation below and above what was expected.
    sides: [f64; 2],
    /// Recent mean error of level and profile.
    errors: [f64; 2],
    profile: Vec<f32>,
    /// Bins filled so far, of which a day has 96.
    filled: u32,
    bin: u8,
    bin_sum: f64,
    bin_count: u32,
    seen: u32,
}

impl Default for Baseline {
    fn default() -> Self {
        Self {
            level: Robust::default(),
            offset: Robust::default(),
            sides: [0.0; 2],
            errors: [0.0; 2],
            profile: Vec::new(),
            filled: 0,
            bin: u8::MAX,
            bin_sum: 0.0,
            bin_count: 0,
            seen: 0,
        }
    }
}

/// Second of the (UTC) day.
fn second_of_day(at_seconds: f64) -> f64 {
    at_seconds.rem_euclid(DAY_SECONDS)
}

impl Baseline {
    /// What is expected at a time, before the value is known; `None` before the first value.
    pub fn expected(&self, at_seconds: f64) -> Option<f64> {
        if self.seen == 0 { None } else { Some(self.foresee(at_seconds).0) }
    }

    /// What is expected, and what the profile alone says once it knows a day.
    fn foresee(&self, at_seconds: f64) -> (f64, Option<f64>) {
        let shape = (self.filled >= BINS as u32).then(|| self.shape(at_seconds));
        match shape {
            Some(shape) if self.profile_speaks() => (shape + self.offset.mean, Some(shape)),
            _ => (self.level.mean, shape),
        }
    }

    /// How far below and above the expected value values usually are.
    pub fn reach(&self, floor: f64) -> [f64; 2] {
        self.sides.map(|side| (BAND_REACH * side).max(floor))
    }

    /// Recent mean distance from what was expected.
    pub fn mean_error(&self) -> f64 {
        self.sides[0] + self.sides[1]
    }

    /// Whether the time of day says more than the level: two days are known and the error is smaller.
    pub fn profile_speaks(&self) -> bool {
        self.filled >= 2 * BINS as u32 && self.errors[1] < PROFILE_GAIN * self.errors[0]
    }

    fn shape(&self, at_seconds: f64) -> f64 {
        let place = second_of_day(at_seconds) / BIN_SECONDS - 0.5;
        let low = place.floor();
        let part = place - low;
        let bin = |i: f64| f64::from(self.profile[(i.rem_euclid(BINS as f64)) as usize % BINS]);
        bin(low) * (1.0 - part) + bin(low + 1.0) * part
    }

    /// Takes in a value, `step` seconds after the one before, and gives its distance from what was expected; `floor` is
    /// the smallest deviation that means anything.
    pub fn observe(&mut self, at_seconds: f64, value: f64, step: f64, floor: f64) -> f64 {
        let slow = step / DAY_SECONDS;
        let first = 1.0 / f64::from(self.seen + 1);
        let (expected, shape) = self.foresee(at_seconds);
        let usual = if self.seen == 0 { value } else { expected };
        let reach = if self.seen < 20 { f64::INFINITY } else { CLIP * self.mean_error().max(floor) };
        let deviation = (value - usual).clamp(-reach, reach);
        // The spread is learned with a memory of a day, faster at first.
        let weight = slow.max(first).min(1.0);
        for (side, part) in self.sides.iter_mut().zip([-deviation, deviation]) {
            *side += weight * (part.max(0.0) - *side);
        }
        let level_weight = (step / LEVEL_SECONDS).min(1.0 / LEVEL_SAMPLES).max(first);
        let profile_miss = shape.map_or(0.0, |shape| value - shape - self.offset.mean);
        if let Some(shape) = shape {
            self.offset.observe(value - shape, level_weight.min(0.5), floor);
        }
        let misses = [value - self.level.mean, profile_miss];
        for (error, miss) in self.errors.iter_mut().zip(misses) {
            *error += weight * (miss.abs().min(reach) - *error);
        }
        self.level.observe(value, level_weight, floor);
        self.observe_bin(at_seconds, usual + deviation);
        self.seen = self.seen.saturating_add(1);
        value - usual
    }

    fn observe_bin(&mut self, at_seconds: f64, value: f64) {
        let bin = (second_of_day(at_seconds) / BIN_SECONDS) as usize % BINS;
        if bin != usize::from(self.bin) {
            self.close_bin();
            self.bin = bin as u8;
        }
        self.bin_sum += value;
        self.bin_count += 1;
    }

    fn close_bin(&mut self) {
        if self.bin_count > 0 {
            let mean = (self.bin_sum / f64::from(self.bin_count)) as f32;
            if self.profile.is_empty() {
                self.profile = vec![mean; BINS];
            }
            let weight = if self.filled < BINS as u32 { 1.0 } else { DAY_WEIGHT };
            let kept = &mut self.profile[usize::from(self.bin) % BINS];
            *kept += weight * (mean - *kept);
            self.filled = self.filled.saturating_add(1);
        }
        (self.bin_sum, self.bin_count) = (0.0, 0);
    }

    /// Writes or reads its state.
    pub fn archive(&mut self, archive: &mut Archive<'_>) {
        self.level.archive(archive);
        self.offset.archive(archive);
        for field in self.sides.iter_mut().chain(&mut self.errors) {
            archive.f64(field);
        }
        archive.floats(&mut self.profile, BINS);
        archive.u32(&mut self.filled);
        archive.u8(&mut self.bin);
        archive.f64(&mut self.bin_sum);
        archive.u32(&mut self.bin_count);
        archive.u32(&mut self.seen);
        if (self.filled > 0) != (self.profile.len() == BINS) || self.seen == u32::MAX || self.bin_count == u32::MAX {
            archive.refuse();
        }
    }
}
