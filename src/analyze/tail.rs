//! How rare a large deviation is, learned from the largest ones seen (peaks over threshold).
//!
//! Never judges; it gives a probability. Source: Siffer et al., "Anomaly detection in streams with
//! extreme value theory" (SPOT); the fit is by probability-weighted moments (Hosking and Wallis).

use super::archive::Archive;

/// Share of deviations beyond the base threshold.
const BASE_RATE: f64 = 0.02;
/// Peaks kept: enough for a shape within ±0.15, half a kibibyte.
const PEAKS: usize = 128;
/// New peaks between two fits.
const REFIT: u8 = 8;
/// Fewer peaks give no fit.
const FEWEST_PEAKS: usize = 10;
/// Deviations before it says anything; measured to be enough on the labeled sets.
const WARM_UP: u32 = 500;
/// Deviations after which mean and threshold move no more slowly.
const SETTLED: u32 = 1000;
/// Anything rarer than this is kept out of the fit, so that an incident does not teach itself.
const NEVER_LEARNED: f64 = 1e-5;

/// The learned upper tail of a deviation (not negative).
#[derive(Debug, Clone, Default)]
pub struct Tail {
    threshold: f64,
    mean: f64,
    seen: u32,
    peaks: Vec<f32>,
    next: u8,
    fresh: u8,
    scale: f32,
    shape: f32,
}

impl Tail {
    /// Takes in a deviation and gives how often one as large is to be expected, 0–1; 1 while learning.
    pub fn observe(&mut self, deviation: f64) -> f64 {
        let p = self.probability(deviation);
        if p >= NEVER_LEARNED {
            self.learn(deviation);
        }
        p
    }

    fn probability(&self, deviation: f64) -> f64 {
        if self.seen < WARM_UP || self.peaks.len() < FEWEST_PEAKS || deviation <= self.threshold {
            return 1.0;
        }
        let (scale, shape) = (f64::from(self.scale).max(1e-12), f64::from(self.shape));
        let excess = (deviation - self.threshold) / scale;
        let beyond = if shape.abs() < 1e-3 {
            (-excess).exp()
        } else {
            let base = 1.0 + shape * excess;
            if base <= 0.0 { 0.0 } else { base.powf(-1.0 / shape) }
        };
        BASE_RATE * beyond
    }

    fn learn(&mut self, deviation: f64) {
        self.seen = self.seen.saturating_add(1);
        let n = f64::from(self.seen.min(SETTLED));
        self.mean += (deviation - self.mean) / n;
        // Robbins-Monro: the threshold rises on each exceedance and sinks otherwise, in balance at the base rate.
        let gain = self.mean * (60.0 / n).min(1.0);
        if deviation > self.threshold {
            self.push((deviation - self.threshold) as f32);
            self.threshold += gain * (1.0 - BASE_RATE);
        } else {
            self.threshold = (self.threshold - gain * BASE_RATE).max(0.0);
        }
    }

    fn push(&mut self, excess: f32) {
        if self.peaks.len() < PEAKS {
            if self.peaks.capacity() == 0 {
                self.peaks.reserve_exact(PEAKS);
            }
            self.peaks.push(excess);
        } else {
            self.peaks[usize::from(self.next) % PEAKS] = excess;
            self.next = ((usize::from(self.next) + 1) % PEAKS) as u8;
        }
        self.fresh += 1;
        if self.fresh >= REFIT || self.peaks.len() == FEWEST_PEAKS {
            self.fresh = 0;
            self.fit();
        }
    }

    fn fit(&mut self) {
        let mut sorted = [0.0_f32; PEAKS];
        let n = self.peaks.len();
        let sorted = &mut sorted[..n];
        sorted.copy_from_slice(&self.peaks);
        sorted.sort_unstable_by(f32::total_cmp);
        let mut first = 0.0;
        let mut weighted = 0.0;
        for (i, x) in sorted.iter().enumerate() {
            first += f64::from(*x);
            weighted += f64::from(*x) * (n - 1 - i) as f64 / (n - 1) as f64;
        }
        let (first, weighted) = (first / n as f64, weighted / n as f64);
        let spread = first - 2.0 * weighted;
        if first <= 0.0 || spread.abs() < 1e-9 * first {
            (self.shape, self.scale) = (0.0, first as f32);
            return;
        }
        // Shape kept in −0.3 … 0.5 as measured; the scale follows from the mean so that both agree.
        let shape = (2.0 - first / spread).clamp(-0.3, 0.5);
        self.shape = shape as f32;
        self.scale = (first * (1.0 - shape)) as f32;
    }

    /// Writes or reads its state.
    pub fn archive(&mut self, archive: &mut Archive<'_>) {
        archive.f64(&mut self.threshold);
        archive.f64(&mut self.mean);
        archive.u32(&mut self.seen);
        archive.floats(&mut self.peaks, PEAKS);
        archive.u8(&mut self.next);
        archive.u8(&mut self.fresh);
        archive.f32(&mut self.scale);
        archive.f32(&mut self.shape);
        if usize::from(self.next) >= PEAKS || self.fresh >= REFIT {
            archive.refuse();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::noise::Noise;

    #[test]
    fn rare_is_rare_and_common_is_not() {
        let mut noise = Noise::new(7);
        let mut tail = Tail::default();
        for _ in 0..20_000 {
            tail.observe(noise.normal().abs());
        }
        // Two-sided tail of the normal distribution.
        let p3 = tail.probability(3.3);
        assert!((2e-4..4e-3).contains(&p3), "{p3}");
        assert!(tail.probability(1.0) > 0.9);
        assert!(tail.probability(8.0) < 1e-5);
    }

    #[test]
    fn a_constant_has_no_tail() {
        let mut tail = Tail::default();
        for _ in 0..2_000 {
            assert_eq!(tail.observe(0.0), 1.0);
        }
    }
}
