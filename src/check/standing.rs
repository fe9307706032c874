//! From single results to the state of a service.
//!
//! One bad result is no outage and one good one no recovery. Invariant: the state changes only after
//! as many results in a row as the configuration says; the first good one ends "unknown".

use crate::model::{CheckOutcome, ServiceState};

/// How a result counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Slow, or with a warning.
    Poor,
    /// Failed.
    Bad,
}

impl Verdict {
    /// Of an outcome whose answer was slower than allowed, or not.
    pub fn of(outcome: CheckOutcome, pace: Pace) -> Self {
        match (outcome, pace) {
            (CheckOutcome::Failed, _) => Self::Bad,
            (CheckOutcome::Warning, _) | (_, Pace::Slow) => Self::Poor,
            (CheckOutcome::Ok, Pace::Fast) => Self::Good,
        }
    }
}

/// How fast the answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Within the limit, or without a time.
    Fast,
    /// Above the limit.
    Slow,
}

/// Results that an error rate is made of, and the fewest: ten minutes of checks 10 s apart. Of fewer, two that failed beside a
/// start of the machine would be a rate that alarms.
const JUDGED: u32 = 60;

/// Which of its last results failed. A service that is down has no error rate: its outage is told as such; nor has one that has
/// not answered yet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Errors {
    /// The newest in the lowest bit.
    failed: u64,
    known: u32,
}

impl Errors {
    /// Takes a result and the state after it.
    pub fn observe(&mut self, verdict: Verdict, state: ServiceState) {
        if matches!(state, ServiceState::Offline | ServiceState::Unknown) {
            *self = Self::default();
            return;
        }
        self.failed = ((self.failed << 1) | u64::from(verdict == Verdict::Bad)) & (u64::MAX >> (64 - JUDGED));
        self.known = (self.known + 1).min(JUDGED);
    }

    /// The share that failed; `None` where too few are known.
    pub fn share(self) -> Option<f64> {
        (self.known >= JUDGED).then(|| f64::from(self.failed.count_ones()) / f64::from(self.known))
    }
}

/// The state and the results in a row that may change it.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The state now.
    pub state: ServiceState,
    bad: u32,
    not_good: u32,
    not_bad: u32,
    good: u32,
}

impl Standing {
    /// Takes a result; gives the state after it.
    pub fn observe(&mut self, verdict: Verdict, fail_after: u32, recover_after: u32) -> ServiceState {
        let count = |run: &mut u32, holds| *run = if holds { run.saturating_add(1) } else { 0 };
        count(&mut self.bad, verdict == Verdict::Bad);
        count(&mut self.not_good, verdict != Verdict::Good);
        count(&mut self.not_bad, verdict != Verdict::Bad);
        count(&mut self.good, verdict == Verdict::Good);
        use ServiceState::{Degraded, Offline, Online, Unknown};
        self.state = match self.state {
            _ if self.bad >= fail_after => Offline,
            Unknown if verdict == Verdict::Good => Online,
            Unknown if verdict == Verdict::Poor => Degraded,
            Offline if self.not_bad >= recover_after => {
                if verdict == Verdict::Good {
                    Online
                } else {
                    Degraded
                }
            }
            Online if self.not_good >= fail_after => Degraded,
            Degraded if self.good >= recover_after => Online,
            same => same,
        };
        self.state
    }

    /// Failed results in a row.
    pub fn failures(&self) -> u32 {
        self.bad
    }

    /// Knows nothing again.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// g good, p poor, b bad → the state after each: N online, D degraded, F offline, ? unknown.
    fn check(results: &str, states: &str) {
        let mut standing = Standing::default();
        let seen: String = results
            .chars()
            .map(|c| match standing.observe(verdict(c), 3, 2) {
                ServiceState::Online => 'N',
                ServiceState::Degraded => 'D',
                ServiceState::Offline => 'F',
                ServiceState::Unknown => '?',
            })
            .collect();
        assert_eq!(seen, states, "{results}");
    }

    fn verdict(c: char) -> Verdict {
        match c {
            'g' => Verdict::Good,
            'p' => Verdict::Poor,
            _ => Verdict::Bad,
        }
    }

    #[test]
    fn an_error_rate_is_of_the_last_sixty_results_and_an_outage_begins_it_anew() {
        let mut errors = Errors::default();
        let mut take = |verdict, state, n: usize| {
            (0..n).for_each(|_| errors.observe(verdict, state));
            errors.share()
        };
        assert_eq!(take(Verdict::Bad, ServiceState::Unknown, 2), None, "a start of the machine");
        assert_eq!(take(Verdict::Good, ServiceState::Online, 59), None);
        assert_eq!(take(Verdict::Bad, ServiceState::Online, 1), Some(1.0 / 60.0));
        assert_eq!(take(Verdict::Poor, ServiceState::Degraded, 40), Some(1.0 / 60.0));
        assert_eq!(take(Verdict::Good, ServiceState::Online, 60), Some(0.0));
        assert_eq!(take(Verdict::Bad, ServiceState::Offline, 1), None);
    }

    #[test]
    fn states_change_only_after_results_in_a_row() {
        check("gbbgbbb", "NNNNNNF");
        check("bbbgbgg", "??FFFFN");
        check("gpppg", "NNNDD");
        check("gpppgg", "NNNDDN");
        check("pgg", "DDN");
        check("bbbpp", "??FFD");
        check("gpbp", "NNND");
        check("gbpb", "NNND");
        check("gpppbbb", "NNNDDDF");
    }

    proptest! {
        #[test]
        fn offline_needs_three_failures_in_a_row(results in "[gpb]{0,40}") {
            let mut standing = Standing::default();
            let mut failures = 0;
            for c in results.chars() {
                let before = standing.state;
                failures = if c == 'b' { failures + 1 } else { 0 };
                if standing.observe(verdict(c), 3, 2) == ServiceState::Offline && before != ServiceState::Offline {
                    prop_assert_eq!(failures, 3);
                }
                prop_assert_eq!(standing.failures(), failures);
            }
        }
    }
}
