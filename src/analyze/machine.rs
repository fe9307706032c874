//! The machine as a whole: one score from its most surprised series, and its events.
//!
//! Never judges a series. Invariant: an event as on earlier days at its time, and one before days are
//! known, is a mark and no warning.

use super::analyzer::{Analysis, MACHINE_SCORE, WARN_STRENGTH};
use super::event::{Seen, follow};
use super::explain;
use super::routine::Routine;
use super::series::{Series, caution};
use super::surprise::Level;
use super::watch::{Bars, Budget, MOST_LASTING, MOST_SURPRISED, Step, Watch};
use crate::base::Timestamp;
use crate::model::{AnomalyInterval, SeriesKey, Verdict};

/// Noise exceeds a threshold by little, an incident by a seventh and more (labeled hosts): the former uses the budget.
const GENUINE: f64 = 1.15;
/// Rounds farther apart than so many steps have a gap between them.
const LONGEST_STEP: f64 = 3.0;
/// What comes daily is known after so long: two nights and the day after.
const DAYS_KNOWN_SECONDS: f64 = 3.0 * 86_400.0;
/// Until then only what is so many times as high as a warning warns; the rest is marked.
const BEYOND_DOUBT: f64 = 1.5;
/// One vote says less than seven: what bars are multiplied with where one detector is listened to alone.
const ALONE: f64 = 0.3;

/// The machine as a whole.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    pub watch: Watch,
    pub last_at: i64,
    /// Usual seconds between two rounds.
    pub step: f64,
    pub age: f64,
    pub swept_at: i64,
    pub routine: Routine,
}

impl Machine {
    /// Moves its time forward and learns the step; gives the seconds since the round before, 0 after a gap.
    fn advance(&mut self, at: Timestamp) -> f64 {
        let before = std::mem::replace(&mut self.last_at, at.0);
        let since = at.0.saturating_sub(before) as f64 / 1000.0;
        if before == 0 || since <= 0.0 {
            return 0.0;
        }
        if self.step <= 0.0 {
            self.step = since.clamp(0.05, 86_400.0);
        }
        if since > LONGEST_STEP * self.step {
            self.step = (self.step * 1.1).min(since);
            return 0.0;
        }
        self.step += 0.02 * (since - self.step);
        self.age += since;
        since
    }

    /// Takes in what a round says of all series; opens, worsens and closes the machine's anomaly.
    pub fn judge(
        &mut self,
        at: Timestamp,
        (round, budget): (&Round, Budget),
        (series, open): (&[Series], &mut Vec<AnomalyInterval>),
        analysis: &mut Analysis,
    ) {
        let step = self.advance(at);
        if round.n == 0 {
            return;
        }
        let top = &round.surprised;
        let score = match round.together {
            Some(surprise) => Level { now: surprise, lasting: surprise },
            None => Level { now: top.mean(), lasting: round.lasting.mean() },
        };
        let bars = Bars::new(self.step, round.n, caution(self.age));
        let bars = if round.is_alone { Bars { warn: ALONE * bars.warn, critical: ALONE * bars.critical } } else { bars };
        let height = score.now / bars.warn;
        let is_routine = self.routine.observe(at, height);
        let is_learning = self.age < DAYS_KNOWN_SECONDS && height < BEYOND_DOUBT;
        let happened = self.watch.observe(score, step, bars, Budget { genuine: GENUINE, ..budget });
        analysis.machine_score = self.watch.strength(score, bars);
        let surprised = || top.entries().iter().filter(|(s, _)| *s > 0.0).map(|(_, place)| &series[*place]);
        if analysis.machine_score >= WARN_STRENGTH / 2.0 {
            analysis.most_surprised = surprised().map(|s| s.key.clone()).collect();
        }
        if happened != Step::Quiet {
            // A score that sinks again is no news.
            let (verdict, how) = match (is_routine, is_learning) {
                (true, _) => (Verdict::Normal, "as on other days at this time"),
                (_, true) => (Verdict::Normal, "unusual, days are not known yet"),
                _ if height < 1.0 => (Verdict::Normal, "unusual"),
                _ => (Verdict::Warning, "unusual"),
            };
            let reason = || format!("{how}: {}", explain::names(surprised()));
            let strength = analysis.machine_score;
            let seen = Seen { at, value: strength, strength, verdict, reason: &reason };
            follow(open, &SeriesKey::total(MACHINE_SCORE), happened, &seen, analysis);
        }
    }
}

/// The `N` highest scores of a round, highest first.
#[derive(Debug)]
pub struct Top<const N: usize> {
    entries: [(f64, usize); N],
    n: usize,
}

impl<const N: usize> Top<N> {
    /// Without any.
    pub fn new() -> Self {
        Self { entries: [(0.0, 0); N], n: 0 }
    }

    /// Takes one in.
    pub fn add(&mut self, score: f64, place: usize) {
        if self.n == N && score <= self.entries[N - 1].0 {
            return;
        }
        let at = self.entries[..self.n].iter().position(|(s, _)| *s < score).unwrap_or(self.n);
        self.n = (self.n + 1).min(N);
        self.entries[at..self.n].rotate_right(1);
        self.entries[at] = (score, place);
    }

    fn entries(&self) -> &[(f64, usize)] {
        &self.entries[..self.n]
    }

    fn mean(&self) -> f64 {
        self.entries().iter().map(|(score, _)| score).sum::<f64>() / self.n.max(1) as f64
    }
}

/// What a round says of all series together.
pub struct Round {
    /// Series by what is new.
    pub surprised: Top<MOST_SURPRISED>,
    /// Series by what lasts.
    pub lasting: Top<MOST_LASTING>,
    /// Series that were judged.
    pub n: usize,
    /// What a detector of all series together says, where it is listened to alone.
    pub together: Option<f64>,
    /// Whether one detector is listened to alone.
    pub is_alone: bool,
}
