//! What happened and who decided what: the append-only journal.

use serde::{Deserialize, Serialize};

use super::{Alert, Incident, Lesson, Outcome, Posture, SecurityEvent, Silence, Snooze, Transition};
use crate::base::Timestamp;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: JournalEvent,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JournalEvent {
    /// An alert changed its state; the alert as it is afterwards.
    Transition {
        /// The change.
        transition: Transition,
        /// The alert after it.
        alert: Box<Alert>,
    },
    /// Somebody took care of an alert, or gave it back.
    Acknowledged {
        /// The alert.
        alert: String,
        /// Who.
        author: String,
        /// What they said.
        comment: String,
        /// False: the acknowledgment was taken back.
        active: bool,
    },
    /// Somebody put an alert off; `None` ends it.
    Snoozed {
        /// The alert.
        alert: String,
        /// Who.
        author: String,
        /// Until when.
        snooze: Option<Snooze>,
    },
    /// A silence was added or changed.
    Silenced {
        /// The silence after the change.
        silence: Silence,
    },
    /// Somebody said whether an alert was real.
    Feedback {
        /// The alert.
        alert: String,
        /// Who.
        author: String,
        /// Right: it was real.
        outcome: Outcome,
    },
    /// Somebody marked an incident.
    Incident {
        /// What it was.
        incident: Incident,
        /// Who.
        author: String,
    },
    /// A rule was changed by what was learned of it, or changed back.
    Learned {
        /// The change.
        lesson: Lesson,
        /// Who let it.
        author: String,
    },
    /// A message went out, or did not.
    Delivered {
        /// The alert, or the report it brought.
        alert: String,
        /// Name of the channel.
        channel: String,
        /// `None`: delivered; else why not.
        error: Option<String>,
        /// Which message (`level 2`), and what the other side answered.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// Something that concerns security was seen.
    Security {
        /// What, and when.
        seen: SecurityEvent,
    },
    /// How well the machine is closed: at a start, twice a day, and where it changed.
    Posture {
        /// What was found.
        posture: Box<Posture>,
    },
    /// Something about the machine or farol itself worth knowing (`recorder started`, `clock went back by 3 s`).
    Notice {
        /// One line for people.
        text: String,
    },
    /// A person's note at a moment.
    Annotation {
        /// Who.
        author: String,
        /// What.
        text: String,
    },
}
