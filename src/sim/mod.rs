//! The simulated machine of `farol demo` and of tests.
//!
//! No clock, no file, no thread: a seed and simulated times give readings, processes and check results.
//! Invariant: the same seed and the same times give the same values, and readings are sorted by key.

use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{CheckResult, HostFacts, MetricDef, Sample};

/// A simulated web server with eight cores.
pub struct Machine {
    facts: HostFacts,
    seq: u64,
    previous: Option<Timestamp>,
}

/// A service of the simulated machine, as a configuration would name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimService {
    /// Its name.
    pub name: &'static str,
    /// How it is checked (`http`, `tcp`, `systemd`).
    pub kind: &'static str,
    /// What is checked.
    pub target: &'static str,
    /// Time between two checks.
    pub interval: Duration,
    /// Slower answers are degraded.
    pub degraded_above: Duration,
}

/// The metrics the machine gives; names and units are those of the real sources.
pub const METRICS: &[MetricDef] = &[];

impl Machine {
    /// A machine whose story begins at `start`; the same seed tells the same story.
    pub fn new(_seed: u64, _start: Timestamp) -> Self {
        Self { facts: HostFacts::default(), seq: 0, previous: None }
    }

    /// The machine at `at`, not before the previous one; any step works, a second and ten seconds give the same course.
    pub fn sample(&mut self, at: Timestamp) -> Sample {
        self.seq += 1;
        let since_previous = self.previous.map(|p| at.since(p));
        self.previous = Some(at);
        Sample { seq: self.seq, at, since_previous, ..Sample::default() }
    }

    /// Results of the checks that are due at `at`, each service by its own interval.
    pub fn checks(&mut self, _at: Timestamp) -> Vec<CheckResult> {
        Vec::new()
    }

    /// What does not change.
    pub fn facts(&self) -> HostFacts {
        self.facts.clone()
    }

    /// Its services.
    pub fn services(&self) -> &'static [SimService] {
        &[]
    }
}
