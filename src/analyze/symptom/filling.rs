//! File systems that fill steadily, and how soon they are full.
//!
//! For what happens within hours; days ahead are the forecasts' part. Invariant: a pace is believed only as far as it was seen.

use std::collections::BTreeMap;

use super::rise::Rise;
use crate::model::{Reading, SeriesKey};

/// The metric that is looked at, and the one it gives.
const LEFT: &str = "filesystem_available_bytes";
const FILLING: &str = "filesystem_filling_seconds";

/// Share of what was left that must be gone: a pace is believed for twenty times as long as it was seen, and a backup that writes a
/// gigabyte every ten seconds to a disk that takes a hundred such is what disks are for.
const SHARE_OF_REST: f64 = 0.05;

/// Watches all file systems.
#[derive(Debug, Default)]
pub struct Filling {
    courses: BTreeMap<SeriesKey, (Rise, bool)>,
    found: Vec<(SeriesKey, f64)>,
}

impl Filling {
    /// Looks at what is left, `step` seconds after the last time.
    pub fn look(&mut self, readings: &[Reading], step: f64) {
        self.found.clear();
        self.courses.values_mut().for_each(|(_, seen)| *seen = false);
        for reading in readings.iter().filter(|r| r.key.metric() == LEFT) {
            let (rise, seen) = self.courses.entry(reading.key.clone()).or_default();
            *seen = true;
            // Asked for every two seconds: each part of the rise has several answers.
            let Some(pace) = rise.observe(-reading.value, step, 3) else { continue };
            if reading.value > 0.0 && pace.gain >= SHARE_OF_REST * reading.value {
                self.found.push((SeriesKey::new(FILLING, reading.key.labels()), reading.value / pace.per_second));
            }
        }
        self.courses.retain(|_, (_, seen)| *seen);
    }

    /// Forgets all: after a gap.
    pub fn interrupt(&mut self) {
        self.courses.clear();
        self.found.clear();
    }

    /// Those that fill, and in how many seconds they are full.
    pub fn found(&self) -> &[(SeriesKey, f64)] {
        &self.found
    }
}
