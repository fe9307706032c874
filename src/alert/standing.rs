//! Alerts and silences as the journal tells them.
//!
//! A keyframe plus the journal after it is the state at any moment: at a restart, for replay and for a look
//! back. Invariant: applying an entry twice is the same as once.

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::model::{Alert, JournalEntry, Silence};

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
    pub fn apply(&mut self, _entry: &JournalEntry) {}

    /// Drops what is over for longer than an hour and silences that ended.
    pub fn prune(&mut self, _now: Timestamp) {}
}
