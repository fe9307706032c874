//! Rises steadily, and farther than it nearly ever rose: a leak, a filler, a queue.

use super::{ChallengerDef, Watches};
use crate::analyze::archive::Archive;
use crate::analyze::detect::{Detector, Point};

/// Values a rise is over: a minute at one second (40-60 s measured).
const WINDOW: usize = 60;
/// Share of steps that must not fall.
const STEADY: f64 = 0.9;
/// Share of past rises that must be smaller.
const RARE: f64 = 0.95;
/// Rises learned from before it says anything.
const WARM_UP: u32 = 300;

/// Its row.
pub const DEF: ChallengerDef = ChallengerDef {
    name: "leak",
    because: "work that begins rises like a leak: it helps only on what should not rise, which capacity predictions watch",
    watches: Watches::Series(|| Box::<Leak>::default()),
};

#[derive(Debug, Default)]
struct Leak {
    newest: Vec<f32>,
    /// The rise that [`RARE`] of all are below, and the mean rise's size.
    high: f64,
    size: f64,
    seen: u32,
}

/// Share of steps that do not fall.
fn steadiness(values: &[f32]) -> f64 {
    let steps = values.windows(2).filter(|w| w[1] >= w[0]).count();
    steps as f64 / values.len().saturating_sub(1).max(1) as f64
}

impl Detector for Leak {
    fn observe(&mut self, point: &Point<'_>) -> bool {
        if point.change.is_none() {
            self.newest.clear();
        }
        if self.newest.len() == WINDOW {
            self.newest.remove(0);
        }
        self.newest.push(point.value as f32);
        if self.newest.len() < WINDOW {
            return false;
        }
        let rise = point.value - f64::from(self.newest[0]);
        let leaks = self.seen > WARM_UP && rise > self.high.max(point.floor) && steadiness(&self.newest) >= STEADY;
        self.seen = self.seen.saturating_add(1);
        // Robbins-Monro, as in the tail: up on each rise beyond, down otherwise, in balance where RARE are below.
        self.size += (rise.abs() - self.size) / f64::from(self.seen.min(1000));
        let gain = 0.1 * self.size;
        self.high += gain * if rise > self.high { RARE } else { RARE - 1.0 };
        leaks
    }

    fn archive(&mut self, archive: &mut Archive<'_>) {
        archive.floats(&mut self.newest, WINDOW);
        archive.f64(&mut self.high);
        archive.f64(&mut self.size);
        archive.u32(&mut self.seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::noise::Noise;

    #[test]
    fn a_steady_rise_is_found_and_noise_or_a_step_is_not() {
        let (mut leak, mut noise) = (Leak::default(), Noise::new(5));
        let mut votes = [0; 3];
        for i in 0..3000 {
            let base = match i {
                1500..2000 => 10.0,
                2000.. => 10.0 + f64::from(i - 2000) * 0.5,
                _ => 0.0,
            };
            let value = base + 0.1 * noise.normal();
            let voted = leak.observe(&Point { value, residual: 0.0, change: Some(0.0), floor: 0.01, step: 1.0, recent: &[] });
            votes[if i < 1500 { 0 } else { usize::from(i >= 2000) + 1 }] += usize::from(voted);
        }
        assert!(votes[0] == 0 && votes[1] == 0 && votes[2] > 100, "{votes:?}");
    }
}
