//! What a person decides about an alert, and what comes of it.
//!
//! Never decides who may: scopes are the engine's. Invariant: a refused decision changes nothing.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Timestamp, format_duration};
use crate::model::{Acknowledgment, Alert, AlertState, JournalEvent, Matcher, Outcome, Silence, Snooze};

use super::Alerter;
use super::silence::matches;
use super::watch::id_text;

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

impl Alerter {
    /// Carries out a decision.
    ///
    /// # Errors
    /// An unknown alert or silence, or a decision that makes no sense; nothing has changed then.
    pub fn decide(&mut self, decision: &Decision, at: Timestamp) -> Result<Decided, DecisionError> {
        let decided = match decision {
            Decision::Acknowledge { alert, author, comment } => self.acknowledge((alert, author, comment), at),
            Decision::Unacknowledge { alert, author } => self.unacknowledge(alert, author),
            Decision::Snooze { alert, author, length } => self.snooze((alert, author), *length, at),
            Decision::AddSilence { matchers, length, author, comment, maintenance } => {
                let silence = Silence {
                    id: String::new(),
                    matchers: matchers.clone(),
                    from: at,
                    until: at + *length,
                    author: author.clone(),
                    comment: comment.clone(),
                    maintenance: *maintenance,
                };
                self.add_silence(silence)
            }
            Decision::ExpireSilence { id, author } => self.expire_silence(id, author, at),
            Decision::Feedback { alert, author, real } => self.feedback(alert, author, *real),
        }?;
        self.touch();
        Ok(decided)
    }

    fn known(&mut self, id: &str) -> Result<&mut Alert, DecisionError> {
        let found = self.find(id).map(Arc::make_mut);
        found.ok_or_else(|| DecisionError::NotFound(format!("no alert \"{id}\"; see farol alerts --all")))
    }

    fn open(&mut self, id: &str) -> Result<&mut Alert, DecisionError> {
        let alert = self.known(id)?;
        if alert.state == AlertState::Resolved {
            return Err(DecisionError::Invalid(format!("alert {id} ({}) is over", alert.rule)));
        }
        Ok(alert)
    }

    fn acknowledge(&mut self, (id, author, comment): (&str, &str, &str), at: Timestamp) -> Result<Decided, DecisionError> {
        let alert = self.open(id)?;
        alert.acknowledged = Some(Acknowledgment { by: author.to_owned(), at, comment: comment.to_owned() });
        let message = format!("{author} takes care of {id}: {}", alert.title);
        Ok(Decided { events: vec![acknowledged((id, author, comment), true)], message, ..Decided::default() })
    }

    fn unacknowledge(&mut self, id: &str, author: &str) -> Result<Decided, DecisionError> {
        let alert = self.open(id)?;
        if alert.acknowledged.take().is_none() {
            return Err(DecisionError::Invalid(format!("nobody had acknowledged alert {id}")));
        }
        let message = format!("nobody takes care of {id} now: {}", alert.title);
        Ok(Decided { events: vec![acknowledged((id, author, ""), false)], message, ..Decided::default() })
    }

    fn snooze(&mut self, (id, author): (&str, &str), length: SnoozeLength, at: Timestamp) -> Result<Decided, DecisionError> {
        let alert = self.open(id)?;
        let (snooze, message) = match length {
            SnoozeLength::Until(until) if until <= at => {
                return Err(DecisionError::Invalid("a snooze must end in the future".to_owned()));
            }
            SnoozeLength::Until(until) => {
                let message = format!("{id} is snoozed for {}", format_duration(until.since(at)));
                (Some(Snooze { until: Some(until), condition: None }), message)
            }
            SnoozeLength::Change => (
                Some(Snooze { until: None, condition: Some("until_change".to_owned()) }),
                format!("{id} is snoozed until it changes"),
            ),
            SnoozeLength::End => (None, format!("{id} is not snoozed")),
        };
        alert.snoozed.clone_from(&snooze);
        let value = alert.value;
        if let Some(instance) = self.watches.iter_mut().find_map(|w| w.find(id)) {
            instance.snoozed_at = value;
        }
        let event = JournalEvent::Snoozed { alert: id.to_owned(), author: author.to_owned(), snooze };
        Ok(Decided { events: vec![event], message, ..Decided::default() })
    }

    fn add_silence(&mut self, mut silence: Silence) -> Result<Decided, DecisionError> {
        if silence.matchers.is_empty() {
            return Err(DecisionError::Invalid("a silence needs at least one matcher, for example rule=disk".to_owned()));
        }
        if silence.until <= silence.from {
            return Err(DecisionError::Invalid("a silence must last; write for example 2h".to_owned()));
        }
        self.last_id += 1;
        silence.id = id_text(self.last_id);
        let mut found = Vec::new();
        for instance in self.watches.iter_mut().flat_map(|w| w.active.values_mut()) {
            let Some(alert) = instance.alert.as_mut().filter(|a| matches(&silence, &a.labels)) else { continue };
            Arc::make_mut(alert).silenced_by.push(silence.id.clone());
            found.push(alert.id.clone());
        }
        found.sort();
        self.silences.push(silence.clone());
        self.in_force = None;
        let message = format!(
            "silence {} for {}, matches {} now",
            silence.id,
            format_duration(silence.until.since(silence.from)),
            found.len()
        );
        let events = vec![JournalEvent::Silenced { silence: silence.clone() }];
        Ok(Decided { events, silence: Some(silence), matches: found, message })
    }

    fn expire_silence(&mut self, id: &str, author: &str, at: Timestamp) -> Result<Decided, DecisionError> {
        let found = self.silences.iter_mut().find(|s| s.id == id && s.until > at);
        let silence = found.ok_or_else(|| DecisionError::NotFound(format!("no silence \"{id}\"; see farol silence list")))?;
        silence.until = at;
        let silence = silence.clone();
        self.in_force = None;
        let message = format!("silence {id} ended by {author}");
        let events = vec![JournalEvent::Silenced { silence: silence.clone() }];
        Ok(Decided { events, silence: Some(silence), matches: Vec::new(), message })
    }

    fn feedback(&mut self, id: &str, author: &str, real: bool) -> Result<Decided, DecisionError> {
        let outcome = if real { Outcome::Right } else { Outcome::Wrong };
        self.known(id)?.feedback = Some(outcome);
        let message = format!("{id} was {}", if real { "real" } else { "a false alarm" });
        let event = JournalEvent::Feedback { alert: id.to_owned(), author: author.to_owned(), outcome };
        Ok(Decided { events: vec![event], message, ..Decided::default() })
    }
}

fn acknowledged((alert, author, comment): (&str, &str, &str), active: bool) -> JournalEvent {
    JournalEvent::Acknowledged { alert: alert.to_owned(), author: author.to_owned(), comment: comment.to_owned(), active }
}
