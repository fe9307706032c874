//! The distance from the value before is one seen less than once in a thousand.

use super::{Detector, DetectorDef, Point};
use crate::analyze::archive::Archive;
use crate::analyze::tail::Tail;

/// As rare as the votes of the measured ensemble.
const RARE: f64 = 1e-3;

/// Its row.
pub const DEF: DetectorDef = DetectorDef { name: "jump", says: "jumped", make: || Box::<Jump>::default() };

#[derive(Debug, Default)]
struct Jump(Tail);

impl Detector for Jump {
    fn observe(&mut self, point: &Point<'_>) -> bool {
        point.change.is_some_and(|change| self.0.observe(change.abs()) < RARE && change.abs() > point.floor)
    }

    fn archive(&mut self, archive: &mut Archive<'_>) {
        self.0.archive(archive);
    }
}
