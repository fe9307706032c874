//! Six spreads away from the mean of the last day.

use super::{Detector, DetectorDef, Point};
use crate::analyze::archive::Archive;

/// Vote 6 of the measured ensemble, with its level.
const SPREADS: f64 = 6.0;
/// Its memory.
const DAY_SECONDS: f64 = 86_400.0;
/// Values before it says anything.
const WARM_UP: u32 = 100;

/// Its row.
pub const DEF: DetectorDef = DetectorDef { name: "day-z", says: "is far from its last day", make: || Box::<DayZ>::default() };

#[derive(Debug, Default)]
struct DayZ {
    mean: f64,
    variance: f64,
    seen: u32,
}

impl Detector for DayZ {
    fn observe(&mut self, point: &Point<'_>) -> bool {
        let deviation = point.value - self.mean;
        let spread = self.variance.sqrt().max(point.floor);
        let far = self.seen >= WARM_UP && deviation.abs() > SPREADS * spread;
        self.seen = self.seen.saturating_add(1);
        let weight = (point.step / DAY_SECONDS).max(1.0 / f64::from(self.seen));
        // West's incremental update with an exponential memory.
        self.mean += weight * deviation;
        self.variance = (1.0 - weight) * (self.variance + weight * deviation * deviation);
        far
    }

    fn archive(&mut self, archive: &mut Archive<'_>) {
        archive.f64(&mut self.mean);
        archive.f64(&mut self.variance);
        archive.u32(&mut self.seen);
        if self.variance < 0.0 {
            archive.refuse();
        }
    }
}
