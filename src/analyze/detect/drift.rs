//! The distance from the mean of the last 20 values is one seen less than once in a thousand (DSPOT).

use super::{Detector, DetectorDef, Point, RECENT};
use crate::analyze::archive::Archive;
use crate::analyze::tail::Tail;

/// Vote 3 of the measured ensemble, with its level.
const RARE: f64 = 1e-3;

/// Its row.
pub const DEF: DetectorDef = DetectorDef { name: "drift", says: "left its recent course", make: || Box::<Drift>::default() };

#[derive(Debug, Default)]
struct Drift(Tail);

impl Detector for Drift {
    fn observe(&mut self, point: &Point<'_>) -> bool {
        if point.recent.len() < RECENT {
            return false;
        }
        let mean = point.recent.iter().map(|v| f64::from(*v)).sum::<f64>() / point.recent.len() as f64;
        let deviation = (point.value - mean).abs();
        self.0.observe(deviation) < RARE && deviation > point.floor
    }

    fn archive(&mut self, archive: &mut Archive<'_>) {
        self.0.archive(archive);
    }
}
