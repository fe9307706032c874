//! Alerts and silences as the journal tells them.
//!
//! A keyframe plus the journal after it is the state at any moment: at a restart, for replay and for a look
//! back. Invariant: applying an entry twice is the same as once.

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::model::{Acknowledgment, Alert, AlertState, JournalEntry, JournalEvent, Silence};

use super::alerter::RECENT;
use super::silence::silenced_by;

/// Alerts and silences at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// Pending, firing and recently resolved alerts.
    pub alerts: Vec<Alert>,
    /// Silences that have not ended.
    pub silences: Vec<Silence>,
}

impl Standing {
    /// The state after one more line of the journal.
    pub fn apply(&mut self, entry: &JournalEntry) {
        match &entry.event {
            JournalEvent::Transition { alert, .. } => self.put(alert),
            JournalEvent::Acknowledged { alert, author, comment, active } => {
                let by = Acknowledgment { by: author.clone(), at: entry.at, comment: comment.clone() };
                self.change(alert, |a| a.acknowledged = active.then_some(by));
            }
            JournalEvent::Snoozed { alert, snooze, .. } => self.change(alert, |a| a.snoozed.clone_from(snooze)),
            JournalEvent::Feedback { alert, outcome, .. } => self.change(alert, |a| a.feedback = Some(*outcome)),
            JournalEvent::Silenced { silence } => self.silence(silence, entry.at),
            JournalEvent::Incident { .. }
            | JournalEvent::Learned { .. }
            | JournalEvent::Delivered { .. }
            | JournalEvent::Notice { .. }
            | JournalEvent::Security { .. }
            | JournalEvent::Posture { .. }
            | JournalEvent::Annotation { .. } => {}
        }
    }

    fn put(&mut self, alert: &Alert) {
        match self.alerts.iter_mut().find(|a| a.id == alert.id) {
            Some(known) => *known = alert.clone(),
            None => self.alerts.push(alert.clone()),
        }
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Alert)) {
        if let Some(alert) = self.alerts.iter_mut().find(|a| a.id == id) {
            change(alert);
        }
    }

    fn silence(&mut self, silence: &Silence, at: Timestamp) {
        self.silences.retain(|s| s.id != silence.id);
        self.silences.push(silence.clone());
        for alert in self.alerts.iter_mut().filter(|a| a.state != AlertState::Resolved) {
            alert.silenced_by = silenced_by(&alert.labels, &self.silences, at);
        }
    }

    /// Brings it to a moment that is looked at, not one that goes on (a restart gives the state to the alerter as it is): drops what was over for more than an hour, pending alerts that passed, and silences and snoozes
    /// that ended.
    pub fn prune(&mut self, now: Timestamp) {
        let fresh = |a: &Alert| a.resolved_at.is_none_or(|over| a.fired_at.is_some() && now.since(over) <= RECENT);
        self.alerts.retain(fresh);
        self.silences.retain(|s| s.until > now);
        for alert in &mut self.alerts {
            alert.silenced_by.retain(|id| self.silences.iter().any(|s| s.id == *id));
            if alert.snoozed.as_ref().is_some_and(|s| s.until.is_some_and(|until| until <= now)) {
                alert.snoozed = None;
            }
        }
    }
}
