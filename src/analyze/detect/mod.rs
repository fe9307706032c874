//! Detectors: each votes on every value of one series, and the table of all of them.
//!
//! A vote is a plain yes; how much it says is learned outside from how often it was given. One file per
//! detector and one row in [`DETECTORS`]. Invariant: names are unique and never reused, because saved
//! state is found by them.

mod day;
mod drift;
mod jump;
mod kmeans;
mod novel;
mod season;

use std::fmt::Debug;

use super::archive::Archive;

/// One value of one series as detectors see it, on the inner scale.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    /// The value.
    pub value: f64,
    /// Its distance from what the baseline expected.
    pub residual: f64,
    /// Its distance from the value before; `None` after a gap.
    pub change: Option<f64>,
    /// The smallest deviation that means anything.
    pub floor: f64,
    /// Usual time between two values, in seconds.
    pub step: f64,
    /// The newest values since the last gap, oldest first, without this one; at most 20.
    pub recent: &'a [f32],
}

/// How many newest values a [`Point`] shows.
pub const RECENT: usize = 20;

impl Point<'_> {
    /// Mean of the newest `n` values with this one; `None` where a gap leaves fewer.
    pub fn mean(&self, n: usize) -> Option<f64> {
        let before = n.checked_sub(1)?;
        let tail = self.recent.get(self.recent.len().checked_sub(before)?..)?;
        Some((tail.iter().map(|v| f64::from(*v)).sum::<f64>() + self.value) / n as f64)
    }
}

/// Watches one series; has its own state.
pub trait Detector: Debug + Send {
    /// Takes in a value and says whether it is unusual; never while it knows too little.
    fn observe(&mut self, point: &Point<'_>) -> bool;
    /// Writes or reads its state.
    fn archive(&mut self, archive: &mut Archive<'_>);
}

/// A row of [`DETECTORS`].
#[derive(Debug, Clone, Copy)]
pub struct DetectorDef {
    /// Its name in scores.
    pub name: &'static str,
    /// What its vote says of a value, for people.
    pub says: &'static str,
    /// A detector without a past.
    pub make: fn() -> Box<dyn Detector>,
}

/// All detectors: the six votes of the measured ensemble, jumps apart from what is unusual at a time of day.
pub const DETECTORS: &[DetectorDef] = &[season::DEF, jump::DEF, drift::DEF, novel::VALUE, novel::MEAN, day::DEF, kmeans::DEF];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_file_has_a_row() {
        let names: std::collections::BTreeSet<_> = DETECTORS.iter().map(|d| d.name).collect();
        assert_eq!(names.len(), DETECTORS.len());
        let files =
            std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/analyze/detect")).expect("the folder of this file");
        for file in files {
            let name = file.expect("an entry").file_name().to_string_lossy().trim_end_matches(".rs").to_owned();
            assert!(name == "mod" || names.iter().any(|n| n.starts_with(&name)), "{name} has no row");
        }
    }

    #[test]
    fn a_mean_needs_all_its_values() {
        let point = Point { value: 3.0, residual: 0.0, change: None, floor: 0.1, step: 1.0, recent: &[9.0, 1.0, 2.0] };
        assert_eq!([point.mean(1), point.mean(3), point.mean(5)], [Some(3.0), Some(2.0), None]);
    }
}
