//! What a person decides about an alert, and what comes of it.
//!
//! Never decides who may: scopes are the engine's. Invariant: a refused decision changes nothing.

use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{JournalEvent, Matcher, Silence};

/// How long an alert is put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnoozeLength {
    /// Until then.
    Until(Timestamp),
    /// Until it gets worse, another instance of its rule fires or it is over.
    Change,
    /// No longer: a snooze ends.
    End,
}

/// What a person decides.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Takes care of an alert; escalation stops.
    Acknowledge {
        /// The alert.
        alert: String,
        /// Who.
        author: String,
        /// What they say.
        comment: String,
    },
    /// Gives it back; escalation goes on.
    Unacknowledge {
        /// The alert.
        alert: String,
        /// Who.
        author: String,
    },
    /// Puts an alert off.
    Snooze {
        /// The alert.
        alert: String,
        /// Who.
        author: String,
        /// How long.
        length: SnoozeLength,
    },
    /// Adds a silence that begins now.
    AddSilence {
        /// All must match; at least one.
        matchers: Vec<Matcher>,
        /// How long from now.
        length: Duration,
        /// Who.
        author: String,
        /// Why.
        comment: String,
        /// Services concerned do not count in uptime.
        maintenance: bool,
    },
    /// Ends a silence now.
    ExpireSilence {
        /// The silence.
        id: String,
        /// Who.
        author: String,
    },
    /// Says whether an alert was real.
    Feedback {
        /// The alert.
        alert: String,
        /// Who.
        author: String,
        /// It was.
        real: bool,
    },
}

/// What came of a decision: commit the events, then answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decided {
    /// For the journal, at the time of the decision.
    pub events: Vec<JournalEvent>,
    /// The silence that was added or ended.
    pub silence: Option<Silence>,
    /// Ids of pending and firing alerts the silence matches.
    pub matches: Vec<String>,
    /// One line for people.
    pub message: String,
}

/// Why a decision was refused; the text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// No such alert or silence.
    #[error("{0}")]
    NotFound(String),
    /// It makes no sense (a silence without matchers, an alert that is over).
    #[error("{0}")]
    Invalid(String),
}
