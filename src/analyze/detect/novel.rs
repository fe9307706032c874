//! Farther than anything seen before: the value, and the mean of 12 values for slow drift into unknown territory.

use super::{Detector, DetectorDef, Point};
use crate::analyze::archive::Archive;

/// A value must lie this share of the known range beyond it.
const MARGIN: f64 = 0.02;
/// The range shrinks by this share per sample at 1 s, by three times as much at 5 min (measured), between them evenly.
const FORGET: f64 = 1e-5;
const FORGET_MORE: f64 = 2.0 / 300.0;
/// Values before it says anything.
const WARM_UP: u32 = 100;

/// Row of the value itself.
pub const VALUE: DetectorDef =
    DetectorDef { name: "novel", says: "was never there before", make: || Box::new(Novel::<1>::default()) };
/// Row of the mean of 12 values.
pub const MEAN: DetectorDef =
    DetectorDef { name: "novel-mean", says: "stays where it never was before", make: || Box::new(Novel::<12>::default()) };

#[derive(Debug, Default)]
struct Novel<const WINDOW: usize> {
    low: f64,
    high: f64,
    seen: u32,
}

impl<const WINDOW: usize> Detector for Novel<WINDOW> {
    fn observe(&mut self, point: &Point<'_>) -> bool {
        let Some(value) = point.mean(WINDOW) else { return false };
        if self.seen == 0 {
            (self.low, self.high) = (value, value);
        }
        self.seen = self.seen.saturating_add(1);
        let margin = (MARGIN * (self.high - self.low)).max(point.floor);
        let beyond = value > self.high + margin || value < self.low - margin;
        let shrink = FORGET * (1.0 + FORGET_MORE * point.step.min(300.0)) * (self.high - self.low);
        self.high = (self.high - shrink).max(value);
        self.low = (self.low + shrink).min(value);
        beyond && self.seen > WARM_UP
    }

    fn archive(&mut self, archive: &mut Archive<'_>) {
        archive.f64(&mut self.low);
        archive.f64(&mut self.high);
        archive.u32(&mut self.seen);
    }
}
