//! Farther from the mean of the whole past than seen once in a thousand (SPOT: peaks over threshold on the value itself).

use super::{ChallengerDef, Watches};
use crate::analyze::archive::Archive;
use crate::analyze::detect::{Detector, Point};
use crate::analyze::tail::Tail;

/// As rare as the votes of the default.
const RARE: f64 = 1e-3;

/// Its row.
pub const DEF: ChallengerDef = ChallengerDef {
    name: "spot",
    because: "a changed level alarms without end; with the newest values' mean as its ground it is the detector \"drift\"",
    watches: Watches::Series(|| Box::<Spot>::default()),
};

#[derive(Debug, Default)]
struct Spot {
    mean: f64,
    seen: u32,
    tail: Tail,
}

impl Detector for Spot {
    fn observe(&mut self, point: &Point<'_>) -> bool {
        self.seen = self.seen.saturating_add(1);
        let deviation = (point.value - self.mean).abs();
        self.mean += (point.value - self.mean) / f64::from(self.seen);
        self.seen > 1 && self.tail.observe(deviation) < RARE && deviation > point.floor
    }

    fn archive(&mut self, archive: &mut Archive<'_>) {
        archive.f64(&mut self.mean);
        archive.u32(&mut self.seen);
        self.tail.archive(archive);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::noise::Noise;

    #[test]
    fn a_rare_distance_is_found_and_a_usual_one_is_not() {
        let (mut spot, mut noise) = (Spot::default(), Noise::new(3));
        let mut see =
            |value| spot.observe(&Point { value, residual: 0.0, change: Some(0.0), floor: 0.01, step: 60.0, recent: &[] });
        let votes = (0..10_000).filter(|_| see(noise.normal())).count();
        assert!((1..40).contains(&votes), "{votes} of 10,000, ten are expected");
        assert!(see(6.0) && !see(1.0));
    }
}
