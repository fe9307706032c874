//! Why an alert fired: what is normal, what moved with it, who used the resource, what changed.

use std::time::Duration;

use super::blame::Resource;
use super::core::Core;
use crate::alert::explain_summary;
use crate::base::{Timestamp, format_duration, format_value};
use crate::model::{Alert, Culprit, Explanation};

/// Metrics named that moved with the alert's.
const CORRELATES: usize = 3;

/// A process younger than this counts as a recent change.
const RECENT: Duration = Duration::from_secs(900);

impl Core {
    pub(super) fn explain(&self, alert: &Alert, at: Timestamp) -> Explanation {
        // What a state usually is says nothing.
        let is_state = ["service_state", "service_up"].contains(&alert.key.metric());
        let band = self.analyzer.band(&alert.key, at).filter(|_| !is_state);
        let normal = band.map(|b| format!("{} to {}", format_value(b.low, alert.unit), format_value(b.high, alert.unit)));
        let resource = Resource::of(alert.key.metric());
        let processes = resource.map_or_else(Vec::new, |r| self.blame.culprits(&self.processes, r, alert.since));
        let changes = processes.iter().filter_map(|c| self.recently_started(c, at)).collect();
        let mut explanation = Explanation {
            summary: String::new(),
            normal,
            correlated: self.analyzer.correlates(&alert.key, CORRELATES),
            processes,
            changes,
            query: format!("farol query '{}' --from {} --to {}", alert.key, (alert.since - RECENT).rfc3339(), at.rfc3339()),
        };
        explanation.summary = explain_summary(alert, &explanation);
        explanation
    }

    /// `postgres (pid 812) started 2 min before`, where it is true.
    fn recently_started(&self, culprit: &Culprit, at: Timestamp) -> Option<String> {
        let process = self.processes.iter().find(|p| p.id.pid == culprit.pid)?;
        let booted = self.settings.host.booted_at?;
        // Kernel ticks are 10 ms on every system farol runs on.
        let age = at.since(booted + Duration::from_millis(process.id.started * 10));
        (age < RECENT).then(|| format!("{} (pid {}) started {} before", culprit.name, culprit.pid, format_duration(age)))
    }
}
