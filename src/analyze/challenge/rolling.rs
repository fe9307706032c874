//! Farther from the mean of the last sixty values than so many spreads (rolling z-score).

use super::{ChallengerDef, Watches};
use crate::analyze::archive::Archive;
use crate::analyze::detect::{Detector, Point};

/// Values the mean and the spread are of.
const WINDOW: usize = 60;

/// Row of what is medium.
pub const MEDIUM: ChallengerDef = ChallengerDef {
    name: "z-2.5",
    because: "votes on the tails of plain noise: four of five of its alarms on labeled hosts are false",
    watches: Watches::Series(|| Box::new(Rolling { spreads: 2.5, newest: Vec::new() })),
};
/// Row of what is high.
pub const HIGH: ChallengerDef = ChallengerDef {
    name: "z-3",
    because: "as z-2.5, and blind to what lasts: the window learns it within a minute",
    watches: Watches::Series(|| Box::new(Rolling { spreads: 3.0, newest: Vec::new() })),
};

#[derive(Debug)]
struct Rolling {
    spreads: f64,
    newest: Vec<f32>,
}

/// Distance from the mean in (population) spreads of at least `floor`; `None` for none.
fn z(values: &[f32], value: f64, floor: f64) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
    (!values.is_empty()).then(|| (value - mean) / variance.sqrt().max(floor))
}

impl Detector for Rolling {
    fn observe(&mut self, point: &Point<'_>) -> bool {
        if point.change.is_none() {
            self.newest.clear();
        }
        let is_full = self.newest.len() == WINDOW;
        let far = is_full && z(&self.newest, point.value, point.floor).is_some_and(|z| z.abs() > self.spreads);
        if is_full {
            self.newest.remove(0);
        }
        self.newest.push(point.value as f32);
        far
    }

    fn archive(&mut self, archive: &mut Archive<'_>) {
        archive.floats(&mut self.newest, WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_reference() {
        // numpy: v = arange(60) ** 2 % 17; (20 - v.mean()) / v.std(), and for 3.
        let values: Vec<f32> = (0..60).map(|i| (i * i % 17) as f32).collect();
        let of = |value| z(&values, value, 1e-9).unwrap();
        assert!((of(20.0) - 2.124_419).abs() < 1e-5 && (of(3.0) + 0.868_547).abs() < 1e-5, "{} {}", of(20.0), of(3.0));
    }
}
