//! Decisions of people: applied at once, answered once they are on disk.

use std::time::Duration;

use super::core::Core;
use super::exchange::{Occasion, Output, notice};
use crate::alert::{Decided, Decision, DecisionError, SnoozeLength};
use crate::base::{Timestamp, format_duration};
use crate::model::catalog::nearest;
use crate::model::{Incident, JournalEntry, JournalEvent, Lesson, Matcher};
use crate::monitor::{Answer, Refusal, RefusalKind, Request, Saved, SnoozeUntil};
use crate::store::Write;

/// Longest comment or note kept.
const MAX_TEXT: usize = 2000;

impl Core {
    /// Carries out a decision; the answer is to be given after `Output::now` is on disk.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub fn decide(&mut self, request: Request, at: Timestamp) -> Result<(Output, Decided), Refusal> {
        if let Request::Annotate { at: when, author, text } = request {
            return Ok(self.annotate(at, JournalEntry { at: when, event: JournalEvent::Annotation { author, text: cut(text) } }));
        }
        if let Request::AddIncident { incident, author } = request {
            return self.add_incident(incident, author, at);
        }
        if let Request::DeleteReport { report, author } = request {
            return self.delete_report(&report, &author, at);
        }
        if let Request::Maintenance { service, length, author, comment } = request {
            let steps = self.maintenance(&service, length, (author, cut(comment)), at)?;
            let (output, _) = self.carry_out(&steps, at)?;
            let message = match length {
                Some(length) => format!("{service} is in maintenance for {}", format_duration(length)),
                None => format!("the maintenance of {service} is over"),
            };
            return Ok((output, Decided { message, ..Decided::default() }));
        }
        self.carry_out(&[decision(request)?], at)
    }

    /// Carries out decisions that belong together; gives what the last one led to.
    fn carry_out(&mut self, steps: &[Decision], at: Timestamp) -> Result<(Output, Decided), Refusal> {
        let mut output = Output::default();
        let mut pulse = self.next_pulse(at);
        let mut last = Decided::default();
        for decision in steps {
            let decided = self.alerter.decide(decision, at).map_err(|error| match error {
                DecisionError::NotFound(text) => Refusal::new(RefusalKind::NotFound, text),
                DecisionError::Invalid(text) => Refusal::new(RefusalKind::Invalid, text),
            })?;
            for event in &decided.events {
                let write = self.journal(at, event.clone(), &mut pulse);
                output.now.push(write);
            }
            output.now.extend(decided.silence.clone().map(Write::Silence));
            last = decided;
        }
        self.save_id(&mut output.now);
        self.keep_maintenance(at);
        self.add_services(&mut pulse);
        self.add_alerts(&mut pulse);
        output.pulse = Some(pulse);
        Ok((output, last))
    }

    /// The decisions behind a wish for maintenance: silences on that service alone end, a new one begins.
    fn maintenance(
        &self,
        service: &str,
        length: Option<Duration>,
        (author, comment): (String, String),
        at: Timestamp,
    ) -> Result<Vec<Decision>, Refusal> {
        if !self.board.names().any(|name| name == service) {
            let hint = nearest(service, self.board.names()).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
            return Err(Refusal::new(RefusalKind::NotFound, format!("there is no service \"{service}\"{hint}")));
        }
        if length.is_some_and(|l| l.is_zero()) {
            return Err(Refusal::new(RefusalKind::Invalid, "a maintenance must last; write for example 2h"));
        }
        let own = [Matcher::equal("service", service)];
        let set = self.alerter.maintenance(at).filter(|s| s.matchers == own);
        let mut steps: Vec<Decision> =
            set.map(|s| Decision::ExpireSilence { id: s.id.clone(), author: author.clone() }).collect();
        match length {
            Some(length) => {
                steps.push(Decision::AddSilence { matchers: own.into(), length, author, comment, maintenance: true });
            }
            None if steps.is_empty() => {
                let message = format!("{service} is in no maintenance of its own; see farol silence list");
                return Err(Refusal::new(RefusalKind::Invalid, message));
            }
            None => {}
        }
        Ok(steps)
    }

    fn add_incident(&mut self, incident: Incident, author: String, at: Timestamp) -> Result<(Output, Decided), Refusal> {
        let invalid = |text: &str| Err(Refusal::new(RefusalKind::Invalid, text));
        if incident.span.from >= incident.span.to {
            return invalid("an incident must last: its end must come after its beginning");
        }
        if incident.span.from > at {
            return invalid("an incident lies in the past; a silence is for what is planned");
        }
        let mut names = self.settings.rules.iter().map(|r| r.name.as_str());
        if let Some(rule) = incident.rule.as_deref().filter(|rule| !names.any(|name| name == *rule)) {
            let near = nearest(rule, self.settings.rules.iter().map(|r| r.name.as_str()));
            let hint = near.map_or_else(|| "; see farol rules list".to_owned(), |near| format!("; did you mean \"{near}\"?"));
            return invalid(&format!("there is no rule \"{rule}\"{hint}"));
        }
        let incident = Incident { comment: cut(incident.comment), ..incident };
        let (output, _) = self.annotate(at, JournalEntry { at, event: JournalEvent::Incident { incident, author } });
        Ok((output, Decided { message: "noted; farol rules learn counts it".to_owned(), ..Decided::default() }))
    }

    /// Journals that another configuration was taken, and why; what to tell.
    pub fn taken(&mut self, at: Timestamp, occasion: Occasion, message: String) -> (Output, String) {
        match occasion {
            Occasion::Learned(lesson, author) => self.learn(at, lesson, author),
            Occasion::Asked | Occasion::Changed(_) => (self.note(at, message.clone()), message),
        }
    }

    /// Journals that a rule was changed by what was learned of it, with an id of its own; what to tell.
    pub fn learn(&mut self, at: Timestamp, lesson: Lesson, author: String) -> (Output, String) {
        let of_this = |known: &&Lesson| known.undoes.is_none() && known.rule == lesson.rule && known.after == lesson.before;
        let last = || self.lessons.iter().rev().find(of_this).map(|known| known.id.clone());
        let undoes = lesson.undoes.clone().and_then(|undone| if undone.is_empty() { last() } else { Some(undone) });
        let lesson = Lesson { id: self.alerter.take_id(), undoes, ..lesson };
        self.lessons.push(lesson.clone());
        let message = match &lesson.undoes {
            Some(undone) => format!("rule \"{}\" is as before {undone}", lesson.rule),
            None => format!("rule \"{}\" changed; farol rules learn --undo {} takes it back", lesson.rule, lesson.id),
        };
        let (mut output, _) = self.annotate(at, JournalEntry { at, event: JournalEvent::Learned { lesson, author } });
        self.save_id(&mut output.now);
        (output, message)
    }

    fn annotate(&mut self, at: Timestamp, entry: JournalEntry) -> (Output, Decided) {
        let mut pulse = self.next_pulse(at);
        pulse.journal.push(entry.clone());
        let output = Output { pulse: Some(pulse), now: vec![Write::Journal(entry)], ..Output::default() };
        (output, Decided { message: "noted".to_owned(), ..Decided::default() })
    }

    /// Journals something about farol or the machine.
    pub fn note(&mut self, at: Timestamp, text: impl Into<String>) -> Output {
        let entry = notice(at, text);
        self.annotate(at, entry).0
    }
}

/// The answer to a decision that was carried out.
pub fn answer(decided: Decided, saved: Saved) -> Answer {
    match decided.silence {
        Some(silence) => Answer::Silenced { saved, silence, matches: decided.matches },
        None => Answer::Done { saved, message: decided.message },
    }
}

fn decision(request: Request) -> Result<Decision, Refusal> {
    Ok(match request {
        Request::Acknowledge { alert, author, comment } => Decision::Acknowledge { alert, author, comment: cut(comment) },
        Request::Unacknowledge { alert, author } => Decision::Unacknowledge { alert, author },
        Request::Snooze { alert, author, until } => Decision::Snooze {
            alert,
            author,
            length: match until {
                SnoozeUntil::Time(until) => SnoozeLength::Until(until),
                SnoozeUntil::Change => SnoozeLength::Change,
                SnoozeUntil::Now => SnoozeLength::End,
            },
        },
        Request::AddSilence { matchers, length, author, comment, maintenance } => {
            Decision::AddSilence { matchers, length, author, comment: cut(comment), maintenance }
        }
        Request::ExpireSilence { id, author } => Decision::ExpireSilence { id, author },
        Request::Feedback { alert, author, real } => Decision::Feedback { alert, author, real },
        _ => return Err(Refusal::new(RefusalKind::Failed, "this request is no decision")),
    })
}

fn cut(text: String) -> String {
    if text.chars().count() <= MAX_TEXT { text } else { text.chars().take(MAX_TEXT).collect() }
}
