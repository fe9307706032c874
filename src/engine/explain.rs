//! Why an alert fired: what is normal, what moved with it, who used the resource, what changed.

use std::time::Duration;

use super::blame::Question;
use super::changes::Around;
use super::core::Core;
use crate::alert::explain_summary;
use crate::analyze::SERVICE_STABILITY;
use crate::base::{Timestamp, format_value};
use crate::model::{Alert, Explanation, Process, Resource, SeriesKey};

/// Metrics named that moved with the alert's.
const CORRELATES: usize = 3;

/// How long before an alert the query begins that shows it again.
const SHOWN: Duration = Duration::from_secs(900);

impl Core {
    pub(super) fn explain(&self, alert: &Alert, at: Timestamp) -> Explanation {
        // A prediction is explained by what it predicts.
        let predicted = alert.key.label("series").filter(|_| alert.key.metric() == "prediction_probability");
        let key = predicted.and_then(|key| key.parse().ok()).unwrap_or_else(|| alert.key.clone());
        let unit = predicted.map_or(alert.unit, |_| self.settings.catalog.unit(key.metric()));
        // What a state usually is says nothing.
        let is_state = ["service_state", "service_up"].contains(&key.metric());
        let band = self.analyzer.band(&key, at).filter(|_| !is_state);
        let resource = Resource::of(&key);
        let among = |process: &Process| is_within(process, &key) && self.is_suspect(process, &key);
        let began = alert.since - self.judge.window(&alert.rule);
        let question = |resource| Question { resource, began, at, among: &among };
        let processes = resource.map_or_else(Vec::new, |r| self.blame.culprits(&self.processes, &question(r)));
        let around = Around {
            culprits: &processes,
            processes: &self.processes,
            services: &self.services,
            subject: key.label("service"),
            host: &self.settings.host,
        };
        let changes = self.changes.before(at, &around);
        let mut explanation = Explanation {
            summary: String::new(),
            normal: band.map(|b| format!("{} to {}", format_value(b.low, unit), format_value(b.high, unit))),
            correlated: self.analyzer.correlates(&key, CORRELATES),
            resource,
            processes,
            changes,
            query: format!("farol query '{key}' --from {} --to {}", (alert.since - SHOWN).rfc3339(), at.rfc3339()),
        };
        explanation.summary = explain_summary(alert, &explanation);
        if key.metric() == SERVICE_STABILITY {
            explanation.summary = format!("{}; {}", explanation.summary.trim_end_matches('.'), self.stability_advice());
        }
        explanation
    }
}

/// Whether a process is among those a series is about: of its container or unit where it is about one.
fn is_within(process: &Process, key: &SeriesKey) -> bool {
    if key.metric().starts_with("container_") {
        return key.label("name").is_none_or(|name| process.container.as_deref() == Some(name));
    }
    if key.metric().starts_with("unit_") {
        return key.label("unit").is_none_or(|unit| process.unit.as_deref() == Some(unit));
    }
    true
}
