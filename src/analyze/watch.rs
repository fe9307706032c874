//! From a score to an event: when it opens, worsens and closes, and how a budget is kept.
//!
//! Invariant: in the long run events open at most as often as the budget says, or eight times as often where all of
//! them are far above the threshold, whatever the score does.

use super::archive::Archive;
use super::surprise::Level;

/// An event raises its own threshold; between events it sinks so that both balance at the budget. From 1.1 to 1.25 the
/// labeled hosts do the same.
const RAISE: f64 = 1.15;
/// What an event far above its threshold counts: hosts with two real incidents a day (the labeled ones) stay heard.
const GENUINE_SHARE: f64 = 0.05;
/// Quiet samples before an event is over (events at most 5 steps apart are one).
const QUIET: u8 = 5;

/// Scores at five minutes from which a warning begins and from which what lasts is critical, before any event.
///
/// From 3.0 to 3.4 and from 2.8 to 3.0 the labeled tracks do about the same.
const WARN: f64 = 3.2;
const CRITICAL: f64 = 2.9;
/// The score at which they were found.
const FOUND_AT_SECONDS: f64 = 300.0;
/// How much higher for ten times as many samples a day, so that chance opens as many events at a second as at an hour.
const WARN_PER_DECADE: f64 = 2.0;
const CRITICAL_PER_DECADE: f64 = 4.0;
/// Never lower than what a single frequent vote is worth.
const LEAST: f64 = 0.8;
/// The mean of few series moves more than that of many: the bars are so much higher for one.
const WARN_ALONE: f64 = 0.6;
const CRITICAL_ALONE: f64 = 0.8;
/// What is critical has also been so many times as high as a warning.
const CRITICAL_PEAK: f64 = 1.7;

/// Those of one series alone: marks on its chart, which wake nobody up.
const MARK: f64 = 1.94;
const MARK_CRITICAL: f64 = 4.7;

/// Scores from which a warning begins and from which it is critical.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bars {
    /// For the newest samples.
    pub warn: f64,
    /// For what lasts.
    pub critical: f64,
}

impl Bars {
    /// For the marks of one series.
    pub fn of_marks(caution: f64) -> Self {
        Self { warn: MARK * caution, critical: MARK_CRITICAL * caution }
    }

    /// For scores every `step` seconds that are means over `n` series at most, multiplied by `caution`.
    pub fn new(step: f64, n: usize, caution: f64) -> Self {
        let decades = (FOUND_AT_SECONDS / step).log10();
        let few = |most: usize, alone: f64| 1.0 + alone * most.saturating_sub(n) as f64 / (most - 1) as f64;
        let bar = |found: f64, per_decade: f64| (found + per_decade * decades).max(LEAST) * caution;
        Self {
            warn: bar(WARN, WARN_PER_DECADE) * few(MOST_SURPRISED, WARN_ALONE),
            critical: bar(CRITICAL, CRITICAL_PER_DECADE) * few(MOST_LASTING, CRITICAL_ALONE),
        }
    }
}

/// A machine warns by the mean of this many most surprised series …
pub const MOST_SURPRISED: usize = 5;
/// … and is critical by the mean of this many in which it lasts: what is broad and stays (measured).
pub const MOST_LASTING: usize = 10;

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
    quiet: u8,
    open: bool,
    escalated: bool,
}

impl Default for Watch {
    fn default() -> Self {
        Self { warn: 1.0, critical: 1.0, peaks: [0.0; 2], quiet: 0, open: false, escalated: false }
    }
}

impl Watch {
    /// Takes in a score `step` seconds after the one before; `bars` are those before any event.
    pub fn observe(&mut self, score: Level, step: f64, bars: Bars, budget: Budget) -> Step {
        let sink = step * RAISE.ln();
        self.warn = (self.warn * (1.0 - sink * budget.warn)).max(1.0);
        self.critical = (self.critical * (1.0 - sink * budget.critical)).max(1.0);
        let bars = self.raised(bars);
        if !self.open {
            if score.now < bars.warn {
                return Step::Quiet;
            }
            (self.open, self.quiet, self.escalated) = (true, 0, false);
            self.peaks = [score.now / bars.warn, score.lasting / bars.critical];
            return Step::Opened;
        }
        self.peaks = [self.peaks[0].max(score.now / bars.warn), self.peaks[1].max(score.lasting / bars.critical)];
        self.quiet = if score.now < bars.warn / 2.0 { self.quiet + 1 } else { 0 };
        if self.quiet >= QUIET {
            self.charge(budget);
            self.interrupt();
            return Step::Closed;
        }
        if !self.escalated && score.lasting >= bars.critical && self.peaks[0] >= CRITICAL_PEAK {
            self.escalated = true;
            return Step::Escalated;
        }
        Step::Open
    }

    /// Raises the bars for the event that ends.
    fn charge(&mut self, budget: Budget) {
        let raise = |peak: f64| if peak < budget.genuine { RAISE } else { RAISE.powf(GENUINE_SHARE) };
        self.warn *= raise(self.peaks[0]);
        if self.escalated {
            self.critical *= raise(self.peaks[1]);
        }
    }

    fn raised(&self, bars: Bars) -> Bars {
        Bars { warn: bars.warn * self.warn, critical: bars.critical * self.critical }
    }

    /// How high a score is: 0.5 where a warning begins, 0.8 where it is critical, below 1.
    pub fn strength(&self, score: Level, bars: Bars) -> f64 {
        let bars = self.raised(bars);
        if self.escalated && score.lasting >= bars.critical {
            1.0 - 0.2 * bars.critical / score.lasting
        } else if score.now < bars.warn {
            0.5 * score.now / bars.warn
        } else {
            0.8 - 0.3 * bars.warn / score.now
        }
    }

    /// Ends what is open without a word: after a gap.
    pub fn interrupt(&mut self) {
        (self.open, self.escalated, self.quiet) = (false, false, 0);
    }

    /// Writes or reads its state.
    pub fn archive(&mut self, archive: &mut Archive<'_>) {
        archive.f64(&mut self.warn);
        archive.f64(&mut self.critical);
        for peak in &mut self.peaks {
            archive.f64(peak);
        }
        archive.u8(&mut self.quiet);
        archive.flag(&mut self.open);
        archive.flag(&mut self.escalated);
        if self.warn < 1.0 || self.critical < 1.0 || self.quiet >= QUIET {
            archive.refuse();
        }
    }
}
