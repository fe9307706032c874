//! What votes are worth: a vote counts the more, the rarer it was given for this series.
//!
//! Invariant: a detector that always votes adds nothing; a noisy series silences itself.

use super::archive::Archive;
use super::detect::DETECTORS;

/// Assumed share of votes before anything is known.
const FIRST_RATE: f32 = 0.01;
/// No vote is worth more than four decades.
const LEAST_RATE: f32 = 1e-4;
/// Votes are remembered for six hours, at least 2,000 samples (measured) and at most 20,000.
const MEMORY_SECONDS: f64 = 6.0 * 3600.0;
/// Newest surprises a score is the mean of: 15 seconds, at least 3 samples (of 1–5 measured, 3 was best on all hosts).
const WINDOW: usize = 15;
const FEWEST: f64 = 3.0;
/// What lasts is the mean of 8 samples at least (measured for the critical tier).
const FEWEST_LASTING: f64 = 8.0;

/// How surprising the newest samples are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Level {
    /// Mean of the newest few.
    pub now: f64,
    /// Mean over a longer time: high where it lasts.
    pub lasting: f64,
}

/// How surprising one series is.
#[derive(Debug, Clone)]
pub struct Surprise {
    rates: [f32; DETECTORS.len()],
    window: [f32; WINDOW],
    next: u8,
}

impl Default for Surprise {
    fn default() -> Self {
        Self { rates: [FIRST_RATE; DETECTORS.len()], window: [0.0; WINDOW], next: 0 }
    }
}

impl Surprise {
    /// Takes in the votes on one value, by place in the table, and gives the mean surprise of the newest samples.
    pub fn observe(&mut self, votes: &[bool; DETECTORS.len()], step: f64) -> Level {
        let memory = (MEMORY_SECONDS / step).clamp(2_000.0, 20_000.0) as f32;
        let mut sum = 0.0;
        for (rate, vote) in self.rates.iter_mut().zip(votes) {
            if *vote {
                sum -= rate.max(LEAST_RATE).log10();
            }
            *rate += (f32::from(u8::from(*vote)) - *rate) / memory;
        }
        self.window[usize::from(self.next)] = sum;
        self.next = (self.next + 1) % WINDOW as u8;
        let mean = |fewest: f64| self.mean((WINDOW as f64 / step).clamp(fewest, WINDOW as f64) as usize);
        Level { now: mean(FEWEST), lasting: mean(FEWEST_LASTING) }
    }

    /// Mean of the newest `n`.
    fn mean(&self, n: usize) -> f64 {
        let end = usize::from(self.next);
        let (late, early) = self.window.split_at(end);
        let older = n.saturating_sub(end);
        let newest = early[early.len() - older..].iter().chain(&late[end.saturating_sub(n)..]);
        f64::from(newest.sum::<f32>()) / n as f64
    }

    /// Forgets the newest samples, not the rates: after a gap.
    pub fn interrupt(&mut self) {
        self.window = [0.0; WINDOW];
    }

    /// Writes or reads its state; `places` are those of the saved detectors in today's table.
    pub fn archive(&mut self, archive: &mut Archive<'_>, places: &[Option<usize>]) {
        for place in places {
            let mut rate = place.map_or(FIRST_RATE, |p| self.rates[p]);
            archive.f32(&mut rate);
            if let Some(p) = place {
                self.rates[*p] = rate;
            }
        }
        for value in &mut self.window {
            archive.f32(value);
        }
        archive.u8(&mut self.next);
        if usize::from(self.next) >= WINDOW {
            self.next = 0;
            archive.refuse();
        }
    }
}
