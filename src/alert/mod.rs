//! Rules, conditions, state machine, silences, escalation, defaults; judges values it is handed.
//!
//! Knows no clock, file, thread or query: the engine evaluates each rule's expression, hands the labeled
//! values to [`Alerter::step`] and commits what comes back. Invariant: an alert changes only through a
//! [`Step`] or a [`Decided`], so the journal of both is enough to rebuild it.

mod alerter;
mod condition;
mod config;
mod decision;
mod defaults;
mod expression;
mod flap;
mod health;
mod instance;
mod json;
mod ledger;
mod mute;
mod ready;
mod silence;
mod standing;
mod symptoms;
mod text;
mod watch;
mod written;

pub use crate::model::{EscalationConfig, LevelConfig};
pub use alerter::{Alerter, Cause, Restored, RuleValues, Step, Tick};
pub use config::{Amount, RuleConfig, RuleError, RuleTest, States, Windows, all_rules};
pub use decision::{Decided, Decision, DecisionError, SnoozeLength};
pub use defaults::{FED, default_rules};
pub use flap::settles;
pub use health::health_score;
pub use json::alerts_json;
pub use ledger::{ledger, moved, verdict};
pub use mute::{Mute, MuteConfig, MuteError, Program};
pub use standing::Standing;
pub use text::{condition_text, explain_summary, title};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod tests;
