//! What a person decides about an alert, and what comes of it.
//!
//! Never decides who may: scopes are the engine's. Invariant: a refused decision changes nothing.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Timestamp, format_duration};
use crate::model::{Acknowledgment, Alert, AlertState, JournalEvent, Matcher, Outcome, Silence, Snooze};

use super::Alerter;
use super::silence::matches;

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
        let then = (alert.value, alert.severity);
        if let Some(instance) = self.watches.iter_mut().find_map(|w| w.find(id)) {
            instance.acknowledged_at = Some(then);
        }
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
        silence.id = self.take_id();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::{at, rule, tick};
    use crate::alert::{Restored, RuleValues, Standing};
    use crate::model::{JournalEntry, Limit, SeriesKey};

    fn firing() -> Alerter {
        let mut alerter = Alerter::new(vec![rule("r", Limit::Above(1.0))]);
        let instances = [(SeriesKey::total("m"), 2.0)];
        assert_eq!(alerter.step(tick(0), &[RuleValues { rule: "r", instances: &instances }]).len(), 1);
        assert!(alerter.take_changed() && !alerter.take_changed());
        alerter
    }

    fn id() -> String {
        "1".to_owned()
    }

    fn ana() -> String {
        "ana".to_owned()
    }

    fn silence(matchers: &[&str], seconds: u64) -> Decision {
        Decision::AddSilence {
            matchers: matchers.iter().map(|m| m.parse().expect("a matcher")).collect(),
            length: Duration::from_secs(seconds),
            author: ana(),
            comment: "work".to_owned(),
            maintenance: false,
        }
    }

    #[test]
    fn the_journal_of_decisions_rebuilds_what_they_did() {
        let mut alerter = firing();
        let mut standing = Standing { alerts: alerter.alerts().iter().map(|a| (**a).clone()).collect(), ..Standing::default() };
        let snooze = |length| Decision::Snooze { alert: id(), author: ana(), length };
        let decisions = [
            Decision::Acknowledge { alert: id(), author: ana(), comment: "mine".to_owned() },
            snooze(SnoozeLength::Until(at(500))),
            silence(&["rule=r"], 600),
            silence(&["rule=other"], 600),
            Decision::Unacknowledge { alert: id(), author: ana() },
            Decision::Feedback { alert: id(), author: ana(), real: false },
            snooze(SnoozeLength::Change),
        ];
        for decision in &decisions {
            let decided = alerter.decide(decision, at(1)).expect("a decision");
            assert!(alerter.take_changed() && !decided.message.is_empty(), "{decision:?}");
            for event in decided.events {
                let entry = JournalEntry { at: at(1), event };
                standing.apply(&entry);
                let once = standing.clone();
                standing.apply(&entry);
                assert_eq!(standing, once, "twice is once");
            }
            let held: Vec<Alert> = alerter.alerts().iter().map(|a| (**a).clone()).collect();
            assert_eq!(standing.alerts, held, "{decision:?}");
            assert_eq!(standing.silences, alerter.silences().to_vec());
        }
        standing.prune(at(700));
        assert!(standing.silences.is_empty() && standing.alerts[0].silenced_by.is_empty());
    }

    #[test]
    fn a_silence_says_what_it_matches_and_ids_are_never_reused() {
        let mut alerter = firing();
        let decided = alerter.decide(&silence(&["rule=r", "severity=~warn.*"], 60), at(1)).expect("a silence");
        assert_eq!(decided.matches, ["1"]);
        let added = decided.silence.expect("a silence");
        assert_eq!((added.id.as_str(), alerter.last_id()), ("2", 2));
        let end = Decision::ExpireSilence { id: added.id, author: ana() };
        let ended = alerter.decide(&end, at(2)).expect("its end").silence.expect("a silence");
        assert_eq!(ended.until, at(2));
        assert!(matches!(alerter.decide(&end, at(3)), Err(DecisionError::NotFound(_))));
        let mut next = Alerter::new(vec![]);
        next.restore(Restored { standing: Standing::default(), last_id: alerter.last_id(), last_tick: None });
        assert_eq!(next.decide(&silence(&["rule=r"], 60), at(3)).expect("one").silence.map(|s| s.id), Some("3".to_owned()));
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_changes_nothing() {
        let mut alerter = firing();
        let unknown = |e: &DecisionError| matches!(e, DecisionError::NotFound(_));
        for (decision, not_found) in [
            (Decision::Unacknowledge { alert: id(), author: ana() }, false),
            (Decision::Acknowledge { alert: "zz".to_owned(), author: ana(), comment: String::new() }, true),
            (Decision::Snooze { alert: id(), author: ana(), length: SnoozeLength::Until(at(1)) }, false),
            (Decision::ExpireSilence { id: "zz".to_owned(), author: ana() }, true),
            (silence(&[], 60), false),
            (silence(&["rule=r"], 0), false),
        ] {
            let error = alerter.decide(&decision, at(1)).expect_err("a refusal");
            assert_eq!(unknown(&error), not_found, "{error}");
            assert!(!alerter.take_changed(), "{decision:?}");
        }
        alerter.step(tick(1), &[RuleValues { rule: "r", instances: &[(SeriesKey::total("m"), 0.0)] }]);
        let late = Decision::Acknowledge { alert: id(), author: ana(), comment: String::new() };
        assert!(matches!(alerter.decide(&late, at(2)), Err(DecisionError::Invalid(_))), "it is over");
        assert!(alerter.decide(&Decision::Feedback { alert: id(), author: ana(), real: true }, at(2)).is_ok());
        assert_eq!(alerter.alerts().len(), 1);
        alerter.step(tick(3700), &[]);
        assert_eq!(alerter.alerts().len(), 0, "forgotten after an hour");
    }
}
