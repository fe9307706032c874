//! A core that goes on under other settings, or in place of one that failed.
//!
//! Nothing is read here. Invariant: what was learned, decided and seen stays.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::core::Core;
use super::exchange::{CoreSettings, Output};
use super::judge::Judge;
use super::{plan, steady};
use crate::base::Timestamp;
use crate::model::{HostFacts, SeriesSource};

impl Core {
    /// Other settings, after a reload. The interval follows with the first sample that has it; the machine keeps the name its
    /// history and its messages have.
    ///
    /// # Errors
    /// A rule whose expression cannot be read; nothing has changed then.
    pub fn reload(&mut self, mut settings: CoreSettings, at: Timestamp) -> Result<Output, String> {
        let judge = Judge::new(&settings.rules).map_err(|(rule, e)| format!("rule \"{rule}\": {e}"))?;
        self.judge = judge.after(std::mem::take(&mut self.judge));
        let mut output = Output::default();
        let mut pulse = self.next_pulse(at);
        self.board.configure(&settings.services);
        self.outbox.set_routing(settings.routing.clone());
        self.reports.set_plans(settings.reports.clone());
        self.analyzer.configure(&settings.analyze);
        self.stability.configure(settings.analyze.stability_error, steady::allowed(&settings));
        let name = self.settings.host.name.clone();
        settings.host = Arc::new(HostFacts { name, ..(*settings.host).clone() });
        settings.interval = self.settings.interval;
        pulse.host = Some(Arc::clone(&settings.host));
        self.alerter.set_escalation(settings.escalation.clone());
        self.alerter.set_mutes(settings.mutes.clone());
        let steps = self.alerter.set_rules(settings.rules.clone(), at);
        self.settings = settings;
        pulse.rules = Some(plan::watched(&self.settings.rules));
        pulse.next_steps = Some(self.next_steps());
        self.take_steps(at, steps, &mut output, &mut pulse);
        self.add_alerts(&mut pulse);
        output.pulse = Some(pulse);
        Ok(output)
    }

    /// Fills what rules with long windows look back over; before the first sample.
    pub fn recall(&mut self, history: &dyn SeriesSource, now: Timestamp) {
        if let Err(error) = self.judge.recall(history, now) {
            tracing::warn!(%error, "long windows of rules fill with time");
        }
    }

    /// The samples say how far apart they are, so that everything here changes with the first of them.
    pub(super) fn set_interval(&mut self, interval: Duration) {
        self.settings.interval = interval;
        self.recorder.interval_seconds = interval.as_secs_f64();
        self.head.write().unwrap_or_else(PoisonError::into_inner).set_interval(interval);
    }

    /// Takes over what the history does not hold from a core that failed: its head, numbers and what waits to be written.
    #[must_use]
    pub fn continue_from(mut self, failed: &mut Self) -> Self {
        self.head = Arc::clone(&failed.head);
        self.seq = failed.seq;
        self.processes = Arc::clone(&failed.processes);
        self.services = Arc::clone(&failed.services);
        self.faults = Arc::clone(&failed.faults);
        self.forecasts = std::mem::take(&mut failed.forecasts);
        self.recorder = failed.recorder.clone();
        self.rounds = std::mem::take(&mut failed.rounds);
        self.later.append(&mut failed.later);
        self.lessons = std::mem::take(&mut failed.lessons);
        self
    }
}
