//! The newest means of a series over slots of equal length: for trends and for what moved together.
//!
//! Invariant: slots follow each other without holes; a short hole repeats the value before it, a long
//! one forgets what was there.

use super::archive::Archive;

/// Slots that may be missing before the past is forgotten.
const LONGEST_HOLE: i64 = 6;

/// Means over slots of `SECONDS`, the newest `SLOTS`.
#[derive(Debug, Clone, Default)]
pub struct Means<const SECONDS: u32, const SLOTS: usize> {
    values: Vec<f32>,
    next: u32,
    /// Number of the slot that is being filled.
    slot: i64,
    sum: f64,
    count: u32,
}

impl<const SECONDS: u32, const SLOTS: usize> Means<SECONDS, SLOTS> {
    /// Takes in a value.
    pub fn observe(&mut self, at_ms: i64, value: f64) {
        let slot = at_ms.div_euclid(i64::from(SECONDS) * 1000);
        if slot != self.slot {
            self.close(slot);
        }
        self.sum += value;
        self.count += 1;
    }

    fn close(&mut self, slot: i64) {
        let holes = slot.saturating_sub(self.slot);
        if self.count > 0 && (1..=LONGEST_HOLE).contains(&holes) {
            let mean = (self.sum / f64::from(self.count)) as f32;
            for _ in 0..holes {
                self.push(mean);
            }
        } else {
            self.values.clear();
            self.next = 0;
        }
        (self.slot, self.sum, self.count) = (slot, 0.0, 0);
    }

    fn push(&mut self, mean: f32) {
        if self.values.len() < SLOTS {
            self.values.reserve_exact(SLOTS - self.values.len());
            self.values.push(mean);
        } else {
            self.values[self.next as usize] = mean;
            self.next = (self.next + 1) % SLOTS as u32;
        }
    }

    /// Number of the newest closed slot plus one.
    pub fn end(&self) -> i64 {
        self.slot
    }

    /// The closed slots, oldest first.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f64> {
        let n = self.values.len();
        (0..n).map(move |i| f64::from(self.values[(self.next as usize + i) % n]))
    }

    /// The closed slots and what the open one has so far, oldest first.
    pub fn values_now(&self) -> impl Iterator<Item = f64> {
        self.values().chain((self.count > 0).then(|| self.sum / f64::from(self.count)))
    }

    /// Writes or reads its state.
    pub fn archive(&mut self, archive: &mut Archive<'_>) {
        archive.floats(&mut self.values, SLOTS);
        archive.u32(&mut self.next);
        archive.i64(&mut self.slot);
        archive.f64(&mut self.sum);
        archive.u32(&mut self.count);
        if self.next as usize >= SLOTS || (self.next > 0 && self.values.len() < SLOTS) || self.count == u32::MAX {
            archive.refuse();
            self.next = 0;
        }
    }
}
