//! Who starts the processes that end at once: by the CPU time its children leave it.
//!
//! Invariant: only a parent that still lives is named.

use std::collections::HashMap;

use crate::model::{ProcessId, ShortLived};

/// What is left of a share after a second: half after three.
const KEPT: f64 = 0.8;
/// Less CPU than this is nothing, in seconds.
const LEAST: f64 = 1e-4;

/// Parents of those nobody met.
#[derive(Debug, Default)]
pub struct Churn(HashMap<ProcessId, f64>);

impl Churn {
    /// Takes in what those left that ended unseen since the round before, `step` seconds ago.
    pub fn observe(&mut self, left: Option<&ShortLived>, step: f64) {
        let kept = KEPT.powf(step);
        self.0.retain(|_, seconds| {
            *seconds *= kept;
            *seconds > LEAST
        });
        for by in left.into_iter().flat_map(|left| left.by.iter()) {
            *self.0.entry(by.parent).or_default() += by.cpu_seconds;
        }
    }

    /// Whose children used most lately.
    pub fn first(&self) -> Option<ProcessId> {
        self.0.iter().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0))).map(|(id, _)| *id)
    }
}
