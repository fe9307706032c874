//! `[[action]]`: what an alert or a prediction sets off: a program or a webhook.
//!
//! An action is a channel of its own to the outbox, named `action:<name>`. Invariant: an action is begun at most once for an
//! alert and event, also over a crash, and nothing of a label is in its arguments.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{CHANNELS, Channel, ChannelContext, ChannelError, Reason, Secrets};
use crate::base::time::duration_text;
use crate::model::{Alert, Matcher};

/// What an action is called among channels.
const PREFIX: &str = "action:";

/// Whether a name is that of an action.
pub(super) fn is_action(channel: &str) -> bool {
    channel.starts_with(PREFIX)
}

/// When an action runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionEvent {
    /// The rule fired.
    Fired,
    /// Nobody took care: a level was reached.
    Reminder,
    /// It got worse after somebody took care.
    Worse,
    /// Over.
    Resolved,
}

impl ActionEvent {
    fn is(self, reason: Reason) -> bool {
        matches!(
            (self, reason),
            (Self::Fired, Reason::Fired)
                | (Self::Reminder, Reason::Reminder(_))
                | (Self::Worse, Reason::Worse(_))
                | (Self::Resolved, Reason::Resolved)
        )
    }
}

/// One `[[action]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionConfig {
    /// Unique name.
    pub name: String,
    /// All must match the alert's labels; predictions are alerts with `kind=predictive`.
    #[serde(rename = "match")]
    pub matchers: Vec<Matcher>,
    /// When it runs.
    #[serde(default = "on_fired")]
    pub on: Vec<ActionEvent>,
    /// Least time between two runs for the same rule and instance.
    #[serde(default = "cool_down", with = "duration_text")]
    pub cool_down: Duration,
    /// Most runs at the same time; others wait.
    #[serde(default = "one")]
    pub at_most: u32,
    /// What would have run is told, and nothing runs.
    #[serde(default)]
    pub dry_run: bool,
    /// `command` or `webhook`.
    #[serde(default = "command", rename = "type")]
    pub kind: String,
    /// The keys of such a channel.
    #[serde(flatten)]
    pub settings: Map<String, Value>,
}

fn on_fired() -> Vec<ActionEvent> {
    vec![ActionEvent::Fired]
}

/// A restart takes minutes to show whether it helped.
fn cool_down() -> Duration {
    Duration::from_secs(600)
}

fn one() -> u32 {
    1
}

fn command() -> String {
    "command".to_owned()
}

impl ActionConfig {
    /// Its name among channels.
    pub fn channel(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// Whether this step of this alert sets it off.
    pub(super) fn is_set_off_by(&self, alert: &Alert, reason: Reason) -> bool {
        let label = |m: &Matcher| m.matches(alert.labels.get(m.name()).map(String::as_str));
        self.on.iter().any(|on| on.is(reason)) && self.matchers.iter().all(label)
    }

    /// Makes it; no I/O.
    ///
    /// # Errors
    /// The key that is wrong, with the action's name.
    pub fn open(&self, context: &ChannelContext) -> Result<Arc<dyn Channel>, ChannelError> {
        let wrong = |text: String| ChannelError::new(format!("action \"{}\"", self.name), &self.settings, text);
        let kinds = ["command", "webhook"];
        let kind = CHANNELS.iter().find(|k| k.name == self.kind && kinds.contains(&k.name));
        let kind = kind.ok_or_else(|| wrong(format!("type \"{}\" is none of {}", self.kind, kinds.join(", "))))?;
        let least = [("name", self.name.is_empty()), ("on", self.on.is_empty()), ("at_most", self.at_most == 0)];
        if let Some((key, _)) = least.into_iter().find(|(_, nothing)| *nothing) {
            return Err(wrong(format!("{key} must not be empty or 0")));
        }
        let mut settings = self.settings.clone();
        Secrets::take(&mut settings, kind, &context.folder).and_then(|s| (kind.open)(&settings, s, context)).map_err(wrong)
    }
}
