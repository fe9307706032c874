//! Symptoms: what goes wrong is looked for in every round and handed to the rules, and who is to blame for it to their alerts.
//!
//! How it is found is the analysis' part. Invariant: an alert of a symptom names the process that has it, or nobody.

use super::core::Core;
use super::steady::allowed;
use crate::analyze::{Evidence, Heading, Suspect};
use crate::base::Timestamp;
use crate::model::{Process, Pulse, Reading, SeriesKey};
use crate::store::Write;

/// Name of what is kept in the `model` table.
pub const SYMPTOMS: &str = "symptoms";

impl Core {
    /// Looks at a round.
    pub(super) fn look_for_symptoms(&mut self, at: Timestamp, readings: &[Reading], pulse: &Pulse) {
        let short_lived = pulse.processes.short_lived.as_deref();
        self.noticed.symptoms.observe(&Evidence { at, readings, processes: &self.processes, short_lived });
    }

    /// Looks whether services answer more and more slowly, and predicts when that is too slow.
    pub(super) fn look_at_answers(&mut self, at: Timestamp, pulse: &mut Pulse) {
        let headings = self.noticed.slowing.observe(at, &self.services);
        if headings.is_empty() {
            return;
        }
        let allowed = allowed(&self.settings);
        let limit = |heading: &Heading| allowed.get(heading.key.label("service")?).copied();
        let known: Vec<(Heading, f64)> = headings.into_iter().filter_map(|h| limit(&h).map(|limit| (h, limit))).collect();
        let made = self.predictor.head(at, &known);
        if !made.is_empty() {
            pulse.predictions = Some(self.predictor.shown());
            pulse.record = Some(self.predictor.record());
            self.later.extend(made.into_iter().map(Write::Prediction));
        }
    }

    /// What rules are fed with: open predictions that are shown, security events, symptoms.
    pub(super) fn fed(&self) -> Vec<(SeriesKey, f64)> {
        let predictions = self.predictor.shown();
        let open = predictions.iter().filter(|p| p.outcome.is_none()).map(|p| {
            let labels = [("prediction", p.title.as_str()), ("kind", p.kind.as_str()), ("series", &p.key.to_string())];
            (SeriesKey::new("prediction_probability", labels), p.probability)
        });
        open.chain(self.watch.fed()).chain(self.noticed.symptoms.values()).collect()
    }

    /// Whether a process may be to blame for what a series shows.
    pub(super) fn is_suspect(&self, process: &Process, key: &SeriesKey) -> bool {
        match self.noticed.symptoms.suspect(key) {
            Suspect::Process(id) => process.id == id,
            Suspect::Anybody => true,
            Suspect::Nobody => false,
        }
    }
}
