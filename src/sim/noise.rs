//! Chance that is the same every time.
//!
//! Value noise: a hash of seed, stream and cell gives the values at even times, a smooth curve runs between
//! them. Invariant: a value depends on its arguments only, so a course does not depend on the step it is read at.

use crate::base::Timestamp;

/// Chance of one machine.
#[derive(Clone, Copy)]
pub(super) struct Noise {
    seed: u64,
}

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed: mixed(seed ^ 0x9e37_79b9_7f4a_7c15) }
    }

    /// Evenly spread over −1 to 1, unrelated from cell to cell.
    pub(super) fn cell(self, stream: u32, cell: i64) -> f64 {
        let bits = mixed(self.seed ^ (u64::from(stream) << 40) ^ cell.cast_unsigned());
        (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// A curve between −1 and 1 that has a new direction every `period` seconds.
    pub(super) fn smooth(self, stream: u32, at: Timestamp, period: i64) -> f64 {
        let length = period * 1000;
        let (cell, within) = (at.millis().div_euclid(length), at.millis().rem_euclid(length) as f64 / length as f64);
        let eased = within * within * (3.0 - 2.0 * within);
        let (a, b) = (self.cell(stream, cell), self.cell(stream, cell + 1));
        a + (b - a) * eased
    }

    /// Slow drift with quick jitter, −1 to 1: what a measured value does around its level.
    pub(super) fn wander(self, stream: u32, at: Timestamp) -> f64 {
        0.5 * self.smooth(stream, at, 600) + 0.3 * self.smooth(stream + 1, at, 45) + 0.2 * self.smooth(stream + 2, at, 3)
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
