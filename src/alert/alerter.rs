//! All rules over all instances, tick by tick.
//!
//! Invariant: a quiet instance costs one comparison and no memory; every change comes out as a [`Step`].

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{Alert, Explanation, HealthScore, RuleSpec, SeriesKey, Silence, Transition};

use super::{Decided, Decision, DecisionError, EscalationConfig, Standing};

/// One tick's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// Wall clock.
    pub at: Timestamp,
    /// Monotonic time since the tick before; `None` for the first one and after suspend: what lay between is not observed.
    pub elapsed: Option<Duration>,
    /// Nominal time between two ticks.
    pub interval: Duration,
}

/// Values of one rule in one tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleValues<'a> {
    /// Name of the rule; fastest in the order of the rules.
    pub rule: &'a str,
    /// One for each series the rule's expression gives; a series without value is absent.
    pub instances: &'a [(SeriesKey, f64)],
}

/// Why a step was made; what is to be told follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The condition holds, not yet for long enough: nobody is told.
    Pending,
    /// It passed before the rule fired: nobody is told.
    Withdrawn,
    /// The rule fired: level 0.
    Fired,
    /// Nobody took care of it: a higher level, told to all up to it.
    Escalated,
    /// A silence or a snooze ended while it fires: those who were not told are.
    Audible,
    /// Over: told to those who were told that it fired.
    Resolved,
}

/// One change of one alert: journal `transition` with `alert`.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Why.
    pub cause: Cause,
    /// The change; for [`Cause::Escalated`] and [`Cause::Audible`] from firing to firing.
    pub transition: Transition,
    /// The alert after it.
    pub alert: Arc<Alert>,
    /// Channels named by the rule; empty: as routed.
    pub channels: Arc<[String]>,
}

/// What is known of alerts from before a restart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Restored {
    /// Alerts and silences as the journal left them.
    pub standing: Standing,
    /// The highest number ever given to an alert or silence, where the store knows a higher one than `standing`.
    pub last_id: u64,
    /// Time of the last tick before; `None` where not known.
    pub last_tick: Option<Timestamp>,
}

/// The rules and all that they watch.
#[derive(Debug, Default)]
pub struct Alerter {
    rules: Vec<RuleSpec>,
}

impl Alerter {
    /// Watches by these rules; of two with one name the last counts.
    pub fn new(rules: Vec<RuleSpec>) -> Self {
        Self { rules }
    }

    /// Other levels than those of the mission.
    pub fn set_escalation(&mut self, _config: EscalationConfig) {}

    /// Takes up alerts and silences from before a restart; call once, before the first tick.
    ///
    /// A firing alert goes on firing. A pending one goes on counting if the first tick comes less than two intervals after
    /// `last_tick`, else its `for` starts again; `clear_for` and `times` start again. Escalation counts the downtime: one step to the level due.
    pub fn restore(&mut self, _restored: Restored) {}

    /// Other rules: alerts of rules that are gone or now watch something else are over, the others go on under the new rule.
    pub fn set_rules(&mut self, rules: Vec<RuleSpec>, _at: Timestamp) -> Vec<Step> {
        self.rules = rules;
        Vec::new()
    }

    /// The rules in use, in the order to hand values in.
    pub fn rules(&self) -> &[RuleSpec] {
        &self.rules
    }

    /// Judges one tick's values. A rule that is not among them has no values.
    pub fn step(&mut self, _tick: Tick, _values: &[RuleValues<'_>]) -> Vec<Step> {
        Vec::new()
    }

    /// Gives an alert the explanation made when it fired, and the alert with it; `None` where there is no such alert.
    pub fn explain(&mut self, _alert: &str, _explanation: Explanation) -> Option<Arc<Alert>> {
        None
    }

    /// Carries out a decision.
    ///
    /// # Errors
    /// An unknown alert or silence, or a decision that makes no sense; nothing has changed then.
    pub fn decide(&mut self, decision: &Decision, _at: Timestamp) -> Result<Decided, DecisionError> {
        Err(DecisionError::NotFound(format!("{decision:?}")))
    }

    /// Pending, firing and for an hour resolved alerts, worst first; the same allocation until something changes.
    pub fn alerts(&mut self) -> Arc<[Arc<Alert>]> {
        Arc::default()
    }

    /// Silences that have not ended, by end.
    pub fn silences(&self) -> Arc<[Silence]> {
        Arc::default()
    }

    /// Whether alerts or silences changed since the last call.
    pub fn take_changed(&mut self) -> bool {
        false
    }

    /// The machine's health by its firing alerts.
    pub fn health(&self) -> HealthScore {
        HealthScore::default()
    }

    /// The highest number ever given to an alert or silence: kept by the engine, so that ids are never reused.
    pub fn last_id(&self) -> u64 {
        0
    }
}
