//! When which fault comes: drawn from a seed.
//!
//! Invariant: the same seed gives the same plan on every machine, and a longer plan begins with a shorter one.

use std::time::Duration;

use super::FaultKind;
use crate::analyze::Noise;

/// How hard a fault may be.
const SEVERITIES: [f64; 3] = [0.6, 1.0, 1.5];
/// The shortest fault.
const SHORTEST: Duration = Duration::from_secs(60);
/// The longest gap is so many times the shortest (150 to 330 s by default).
const LONGEST_GAP: f64 = 2.2;

/// A fault to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planned {
    /// What.
    pub kind: FaultKind,
    /// How hard: 1 is the usual.
    pub severity: f64,
    /// Begins so long after the start.
    pub after: Duration,
    /// Lasts so long.
    pub lasts: Duration,
}

/// All faults of a run, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan(pub Vec<Planned>);

impl Plan {
    /// `n` faults after `quiet`, with gaps of `gap` at least between them: each kind once in random order, then each again.
    pub fn new(seed: u64, n: usize, quiet: Duration, gap: Duration) -> Self {
        let mut noise = Noise::new(seed);
        let (mut left, mut faults) = (Vec::new(), Vec::new());
        let mut at = quiet;
        for _ in 0..n {
            if left.is_empty() {
                left = FaultKind::ALL.to_vec();
            }
            let kind = left.swap_remove(noise.below(left.len()));
            let severity = SEVERITIES[noise.below(SEVERITIES.len())];
            let whole = |time: Duration| Duration::from_secs(time.as_secs());
            let lasts = whole(SHORTEST + (kind.longest() - SHORTEST).mul_f64(noise.uniform()));
            faults.push(Planned { kind, severity, after: at, lasts });
            at += lasts + whole(gap.mul_f64(1.0 + (LONGEST_GAP - 1.0) * noise.uniform()));
        }
        Self(faults)
    }

    /// When all is over: the shortest gap after the last fault.
    pub fn ends(&self, quiet: Duration, gap: Duration) -> Duration {
        self.0.last().map_or(quiet, |fault| fault.after + fault.lasts + gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_plan_has_every_kind_within_its_bounds_and_a_longer_one_begins_with_it() {
        let (quiet, gap) = (Duration::from_secs(1800), Duration::from_secs(150));
        let plan = Plan::new(7, 40, quiet, gap);
        assert_eq!(plan.0[0].after, quiet);
        let kinds: BTreeSet<&str> = plan.0[..13].iter().map(|f| f.kind.name()).collect();
        assert_eq!(kinds.len(), 13);
        for pair in plan.0.windows(2) {
            let between = pair[1].after - (pair[0].after + pair[0].lasts);
            assert!(between >= gap && between <= Duration::from_secs(330), "{pair:?}");
            assert!(pair[0].lasts >= SHORTEST && pair[0].lasts <= pair[0].kind.longest(), "{pair:?}");
        }
        assert_eq!(Plan::new(7, 3, quiet, gap).0, plan.0[..3]);
        assert_ne!(Plan::new(8, 40, quiet, gap), plan);
    }
}
