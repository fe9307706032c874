//! From a score to an event: when it opens, worsens and closes, and how a budget is kept.
//!
//! Invariant: in the long run events open at most as often as the budget says, or eight times as often where all of
//! them are far above the threshold, whatever the score does.

use super::archive::Archive;

/// An event raises its own threshold by a quarter; between events it sinks so that both balance at the budget.
const RAISE: f64 = 1.25;
/// What an event far above its threshold counts: hosts with one real incident a day (the labeled ones) stay heard.
const GENUINE_SHARE: f64 = 0.125;
/// Of the last three scores two must be high (measured).
const NEEDED: u32 = 2;
/// Quiet samples before an event is over (events at most 5 steps apart are one).
const QUIET: u8 = 5;

/// Score from which a warning begins, before any event: best of one threshold for all measured hosts.
pub const WARN_FLOOR: f64 = 1.94;
/// Score from which it is critical: of measured alarms above it two thirds and more were incidents.
pub const CRITICAL_FLOOR: f64 = 4.7;

/// How often events may open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Warnings per second.
    pub warn: f64,
    /// Critical ones per second.
    pub critical: f64,
    /// An event whose score rose this many times above the threshold is hardly a false alarm and counts an eighth;
    /// infinite where all count in full.
    pub genuine: f64,
}

/// What a score changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing is open.
    Quiet,
    /// An event began.
    Opened,
    /// It goes on.
    Open,
    /// It became critical.
    Escalated,
    /// It is over.
    Closed,
}

/// Watches one score.
#[derive(Debug, Clone)]
pub struct Watch {
    warn: f64,
    critical: f64,
    /// Highest score of the open event over its thresholds.
    peaks: [f64; 2],
    high: u8,
    severe: u8,
    quiet: u8,
    open: bool,
    escalated: bool,
}

impl Default for Watch {
    fn default() -> Self {
        Self { warn: 1.0, critical: 1.0, peaks: [0.0; 2], high: 0, severe: 0, quiet: 0, open: false, escalated: false }
    }
}

impl Watch {
    /// Takes in a score `step` seconds after the one before; `caution` multiplies the thresholds.
    pub fn observe(&mut self, score: f64, step: f64, caution: f64, budget: Budget) -> Step {
        let sink = step * RAISE.ln();
        self.warn = (self.warn * (1.0 - sink * budget.warn)).max(1.0);
        self.critical = (self.critical * (1.0 - sink * budget.critical)).max(1.0);
        let [warn, critical] = self.thresholds(caution);
        self.high = (self.high << 1 | u8::from(score >= warn)) & 0b111;
        self.severe = (self.severe << 1 | u8::from(score >= critical)) & 0b111;
        if !self.open {
            if self.high.count_ones() < NEEDED {
                return Step::Quiet;
            }
            (self.open, self.quiet, self.escalated) = (true, 0, false);
            self.peaks = [score / warn, score / critical];
            return Step::Opened;
        }
        self.peaks = [self.peaks[0].max(score / warn), self.peaks[1].max(score / critical)];
        self.quiet = if score < warn / 2.0 { self.quiet + 1 } else { 0 };
        if self.quiet >= QUIET {
            self.charge(budget);
            self.interrupt();
            return Step::Closed;
        }
        if !self.escalated && self.severe.count_ones() >= NEEDED {
            self.escalated = true;
            return Step::Escalated;
        }
        Step::Open
    }

    /// Raises the thresholds for the event that ends.
    fn charge(&mut self, budget: Budget) {
        let raise = |peak: f64| if peak < budget.genuine { RAISE } else { RAISE.powf(GENUINE_SHARE) };
        self.warn *= raise(self.peaks[0]);
        if self.escalated {
            self.critical *= raise(self.peaks[1]);
        }
    }

    /// Scores from which a warning and a critical one begin.
    pub fn thresholds(&self, caution: f64) -> [f64; 2] {
        let warn = WARN_FLOOR * self.warn * caution;
        [warn, (CRITICAL_FLOOR * self.critical * caution).max(warn)]
    }

    /// How high a score is: 0.5 at the warning threshold, 0.8 at the critical one, below 1.
    pub fn strength(&self, score: f64, caution: f64) -> f64 {
        let [warn, critical] = self.thresholds(caution);
        if score < warn {
            0.5 * score / warn
        } else if score < critical {
            0.5 + 0.3 * (score - warn) / (critical - warn)
        } else {
            1.0 - 0.2 * critical / score
        }
    }

    /// Ends what is open without a word: after a gap.
    pub fn interrupt(&mut self) {
        (self.open, self.escalated, self.high, self.severe, self.quiet) = (false, false, 0, 0, 0);
    }

    /// Writes or reads its state.
    pub fn archive(&mut self, archive: &mut Archive<'_>) {
        archive.f64(&mut self.warn);
        archive.f64(&mut self.critical);
        for peak in &mut self.peaks {
            archive.f64(peak);
        }
        archive.u8(&mut self.high);
        archive.u8(&mut self.severe);
        archive.u8(&mut self.quiet);
        archive.flag(&mut self.open);
        archive.flag(&mut self.escalated);
        if self.warn < 1.0 || self.critical < 1.0 || self.high > 0b111 || self.severe > 0b111 || self.quiet >= QUIET {
            archive.refuse();
        }
    }
}
