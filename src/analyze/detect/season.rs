//! The distance from the baseline is one seen less than once in a thousand.

use super::{Detector, DetectorDef, Point};
use crate::analyze::archive::Archive;
use crate::analyze::tail::Tail;

/// Vote 2 of the measured ensemble, with its level.
const RARE: f64 = 1e-3;

/// Its row.
pub const DEF: DetectorDef =
    DetectorDef { name: "season", says: "is not usual at this time of day", make: || Box::<Season>::default() };

#[derive(Debug, Default)]
struct Season(Tail);

impl Detector for Season {
    fn observe(&mut self, point: &Point<'_>) -> bool {
        self.0.observe(point.residual.abs()) < RARE && point.residual.abs() > point.floor
    }

    fn archive(&mut self, archive: &mut Archive<'_>) {
        self.0.archive(archive);
    }
}
