//! Whether an alert comes and goes too often to be told each time: the method of weighted transitions.
//!
//! Pure: counts changes, and minutes without one. Invariant: an alert that flaps is told when it begins to and when it has
//! settled, and never in between.

use std::time::Duration;

use super::instance::Passed;
use super::{Cause, Step};
use crate::base::Timestamp;
use crate::model::{FlapLimits, Flaps, RuleSpec};

/// Looks back over so many changes, or minutes without one; Nagios keeps 21 states, which are 20 changes.
const KEPT: u32 = 20;

/// Time without a change that counts as much as a change: Nagios' usual time between two checks.
const CALM: Duration = Duration::from_secs(60);

/// Weights of the oldest and of the newest change, as Nagios has them.
const WEIGHTS: (f64, f64) = (0.8, 1.2);

/// How long the end of an alert must last before it is told: what lasted less than changes lie apart that are too many may come back
/// as soon. Zero where it lasted longer, or where its rule does not ask for flapping.
pub fn settles(step: &Step, rules: &[RuleSpec]) -> Duration {
    let alert = &step.alert;
    let Some(rule) = rules.iter().find(|rule| rule.name == alert.rule && rule.flap.start < 1.0) else { return Duration::ZERO };
    let lasted = alert.fired_at.zip(alert.resolved_at).map(|(from, to)| to.since(from));
    let phase = longest_phase(rule.flap);
    let is_short = step.cause == Cause::Resolved && lasted.is_some_and(|lasted| lasted < phase);
    if is_short { phase } else { Duration::ZERO }
}

/// Changes that lie so far apart or farther are never too many: five minutes, by default, of which four are without a change.
fn longest_phase(limits: FlapLimits) -> Duration {
    CALM.mul_f64(limits.start.max(1.0 / f64::from(KEPT)).recip())
}

/// How an instance changed lately.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Flap {
    /// The last changes and minutes without one, the newest in the lowest bit.
    recent: u32,
    /// Observed time since the newest of `recent`.
    rest: Duration,
    /// It changed in this tick, before which its time does not count.
    fresh: bool,
    flapping: bool,
    calm: bool,
    n_changes: u32,
    /// As it was at the last change: what is kept with the alert.
    kept: Flaps,
}

/// A flapping alert has settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// Its condition stays right.
    Right,
    /// Its condition stays wrong.
    Wrong,
}

impl Flap {
    /// As an alert of before a restart has it; what was observed ended with `last_tick`.
    pub(super) fn restored(kept: Flaps, last_tick: Option<Timestamp>) -> Self {
        let Flaps { recent, n_changes, calm, .. } = kept;
        let mut flap = Self { recent, flapping: kept.since.is_some(), calm, n_changes, kept, ..Self::default() };
        if let Some((at, changed)) = last_tick.zip(kept.changed_at) {
            flap.pass(at.since(changed));
        }
        flap
    }

    /// Notes when the last change was; what is kept with the alert.
    pub(super) fn note(&mut self, at: Timestamp) -> Flaps {
        let since = self.flapping.then(|| self.kept.since.unwrap_or(at));
        let Self { recent, n_changes, calm, .. } = *self;
        self.kept = Flaps { recent, changed_at: Some(at), since, n_changes, calm };
        self.kept
    }

    /// What is kept with an alert that begins.
    pub(super) fn kept(&self) -> Flaps {
        self.kept
    }

    /// Whether nobody is told.
    pub(super) fn is_flapping(&self) -> bool {
        self.flapping
    }

    /// Whether it flaps and its condition is right at the moment.
    pub(super) fn is_calm(&self) -> bool {
        self.calm
    }

    /// Whether nothing is remembered.
    pub(super) fn is_idle(&self) -> bool {
        self.recent == 0 && !self.flapping
    }

    /// Share of changes, newer ones weighing more.
    fn share(&self) -> f64 {
        let step = (WEIGHTS.1 - WEIGHTS.0) / f64::from(KEPT - 1);
        let of = |n: u32| if self.recent >> n & 1 == 1 { WEIGHTS.1 - step * f64::from(n) } else { 0.0 };
        (0..KEPT).map(of).sum::<f64>() / f64::from(KEPT)
    }

    fn push(&mut self, changed: bool) {
        self.recent = ((self.recent << 1) | u32::from(changed)) & (u32::MAX >> (32 - KEPT));
        (self.rest, self.fresh) = (Duration::ZERO, changed);
    }

    /// The alert fires. It begins to flap only then, so that the beginning is told.
    pub(super) fn fires(&mut self, limits: FlapLimits) {
        self.push(true);
        if !self.flapping {
            self.flapping = limits.start < 1.0 && self.share() > limits.start;
            self.n_changes = if self.flapping { self.recent.count_ones() } else { 0 };
        }
    }

    /// The alert is over.
    pub(super) fn ends(&mut self) {
        self.push(true);
        if !self.flapping {
            self.n_changes = 0;
        }
        (self.flapping, self.calm) = (false, false);
    }

    /// While it flaps: the condition is right, or wrong again.
    pub(super) fn turns(&mut self) {
        self.push(true);
        self.calm = !self.calm;
        self.n_changes = self.n_changes.saturating_add(1);
    }

    /// Time passes; nothing is known of a gap.
    pub(super) fn passed(&mut self, passed: Passed, limits: FlapLimits) -> Option<Settled> {
        if self.is_idle() {
            return None;
        }
        let fresh = std::mem::take(&mut self.fresh);
        if let (false, Passed::Observed(time)) = (fresh, passed) {
            self.pass(time);
        }
        if !self.flapping || (self.recent != 0 && self.share() >= limits.stop) {
            return None;
        }
        let settled = if self.calm { Settled::Right } else { Settled::Wrong };
        (self.flapping, self.calm) = (false, false);
        Some(settled)
    }

    fn pass(&mut self, time: Duration) {
        let mut rest = self.rest + time;
        while rest >= CALM && self.recent != 0 {
            rest -= CALM;
            self.push(false);
        }
        self.rest = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: FlapLimits = FlapLimits { start: 0.2, stop: 0.05 };

    fn at(minute: u32) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000) + CALM * minute
    }

    fn fires(flap: &mut Flap) -> bool {
        flap.fires(LIMITS);
        flap.is_flapping()
    }

    fn minutes(flap: &mut Flap, n: u64) -> Option<Settled> {
        flap.fresh = false;
        (0..n).find_map(|_| flap.passed(Passed::Observed(CALM), LIMITS))
    }

    #[test]
    fn five_changes_in_a_row_are_too_many_and_two_in_twenty_minutes_are_not() {
        let mut flap = Flap::default();
        assert!(!fires(&mut flap));
        flap.ends();
        assert!(!fires(&mut flap), "three changes are 17.7 %");
        flap.ends();
        assert!(fires(&mut flap), "the beginning is told when it fires");
        let mut slow = Flap::default();
        for _ in 0..50 {
            assert!(!fires(&mut slow) && minutes(&mut slow, 10).is_none());
            slow.ends();
            assert_eq!(minutes(&mut slow, 10), None);
        }
    }

    #[test]
    fn what_was_calm_for_so_long_that_nothing_is_remembered_has_settled_whatever_the_limit() {
        let limits = FlapLimits { stop: 0.0, ..LIMITS };
        let mut flap = Flap::default();
        (0..5).for_each(|_| {
            flap.fires(limits);
            flap.ends();
        });
        flap.fires(limits);
        assert!(flap.is_flapping());
        let settled = (0..60).find_map(|_| flap.passed(Passed::Observed(CALM), limits));
        assert!(matches!(settled, Some(Settled::Wrong)));
        flap.ends();
        assert_eq!(flap.n_changes, 0, "an end long after has nothing to do with it");
    }

    #[test]
    fn what_flaps_settles_after_nineteen_calm_minutes_and_is_forgotten_after_twenty() {
        let mut flap = Flap::default();
        for n in 0..1000 {
            match n % 2 {
                _ if flap.is_flapping() => flap.turns(),
                0 => drop(fires(&mut flap)),
                _ => flap.ends(),
            }
        }
        assert!(flap.is_calm() && flap.n_changes == 1000);
        assert_eq!(minutes(&mut flap, 18), None);
        assert_eq!(minutes(&mut flap, 1), Some(Settled::Right));
        assert!(!flap.is_idle() && minutes(&mut flap, 1).is_none() && flap.is_idle());
    }

    #[test]
    fn a_limit_of_one_switches_it_off() {
        let mut flap = Flap::default();
        for _ in 0..100 {
            flap.fires(FlapLimits { start: 1.0, stop: 0.05 });
            assert!(!flap.is_flapping());
            flap.ends();
        }
    }

    #[test]
    fn a_restart_keeps_it_and_an_unobserved_time_counts_for_nothing() {
        let mut flap = Flap::default();
        for _ in 0..4 {
            flap.push(true);
        }
        assert!(fires(&mut flap));
        let kept = flap.note(at(0));
        assert_eq!((kept.since, kept.calm, kept.n_changes), (Some(at(0)), false, 5));
        let mut again = Flap::restored(kept, Some(at(10)));
        assert_eq!((again.passed(Passed::Gap, LIMITS), minutes(&mut again, 8)), (None, None));
        assert_eq!(minutes(&mut again, 1), Some(Settled::Wrong));
        let mut late = Flap::restored(kept, Some(at(30)));
        assert_eq!(late.passed(Passed::Gap, LIMITS), Some(Settled::Wrong), "nobody was told before the restart");
    }
}
