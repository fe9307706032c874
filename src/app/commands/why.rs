//! `farol alerts why ID`: why an alert fired, and who was told when through what, or exactly why not.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::out;
use crate::app::Failure;
use crate::app::cli::{Format, Global};
use crate::app::reach::{Reach, unexpected};
use crate::base::{TimeRange, Timestamp, format_value};
use crate::model::{Alert, AlertState, JournalEntry, JournalEvent, Snooze, WaitingMessage};
use crate::monitor::{Answer, Refusal, RefusalKind, Request};

/// How far back an alert is looked for: as far as the journal of a default history reaches.
const BACK: Duration = Duration::from_secs(60 * 86_400);

/// Arguments.
#[derive(Debug, Args)]
pub struct Why {
    /// Id of the alert.
    id: String,
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Everything that is known of one alert's messages.
struct Story {
    alert: Alert,
    events: Vec<JournalEntry>,
    waiting: Vec<WaitingMessage>,
}

impl Why {
    /// Prints it.
    ///
    /// # Errors
    /// No such alert, or nobody to ask.
    pub fn run(&self, global: &Global) -> Result<(), Failure> {
        let mut reach = Reach::find(global)?;
        let story = self.story(&mut reach)?;
        let text = match self.format {
            Format::Json => story.json(),
            Format::Text => story.text(&out::zone(global)),
        };
        out::print(&text)
    }

    fn story(&self, reach: &mut Reach) -> Result<Story, Refusal> {
        let range = TimeRange::last(BACK, Timestamp::now() + Duration::from_secs(60));
        let entries = match reach.ask(Request::Journal { range })? {
            Answer::Journal { entries } => entries,
            other => return Err(unexpected(&other)),
        };
        let events: Vec<JournalEntry> = entries.into_iter().filter(|e| is_about(&e.event, &self.id)).collect();
        let present = reach.snapshot()?;
        let now = present.alerts.iter().find(|a| a.id == self.id).map(|a| (**a).clone());
        let last = events.iter().rev().find_map(|e| match &e.event {
            JournalEvent::Transition { alert, .. } => Some((**alert).clone()),
            _ => None,
        });
        let missing =
            || Refusal::new(RefusalKind::NotFound, format!("there is no alert {}; farol alerts --all lists them", self.id));
        let alert = now.or(last).ok_or_else(missing)?;
        let waiting = match reach.ask(Request::Waiting { alert: self.id.clone() })? {
            Answer::Waiting { messages } => messages,
            other => return Err(unexpected(&other)),
        };
        Ok(Story { alert, events, waiting })
    }
}

fn is_about(event: &JournalEvent, id: &str) -> bool {
    match event {
        JournalEvent::Transition { transition, .. } => transition.alert == id,
        JournalEvent::Acknowledged { alert, .. }
        | JournalEvent::Snoozed { alert, .. }
        | JournalEvent::Feedback { alert, .. }
        | JournalEvent::Delivered { alert, .. } => alert == id,
        _ => false,
    }
}

impl Story {
    fn text(&self, zone: &jiff::tz::TimeZone) -> String {
        let alert = &self.alert;
        let mut text = format!("{} {}: {}\n", alert.id, alert.rule, alert.title);
        text.push_str(&cause(alert));
        let rows: Vec<Vec<String>> =
            self.events.iter().map(|e| [out::local(e.at, zone)].into_iter().chain(row(&e.event)).collect()).collect();
        text.push_str(&out::table(&rows));
        for message in &self.waiting {
            let when = message.due_at.map_or_else(|| "on its way".to_owned(), |at| format!("due {}", out::local(at, zone)));
            let why = message.error.as_ref().map_or(String::new(), |e| format!("; {} attempts so far: {e}", message.attempts));
            text.push_str(&format!("waiting: {} {}, {when}{why}\n", message.channel, message.message));
        }
        for why in self.quiet() {
            text.push_str(&format!("quiet now: {why}\n"));
        }
        if !self.events.iter().any(|e| matches!(e.event, JournalEvent::Delivered { .. })) && self.waiting.is_empty() {
            let why = if alert.state == AlertState::Pending || alert.fired_at.is_none() {
                "it has not fired"
            } else {
                "nothing was to be sent"
            };
            text.push_str(&format!("nobody was told: {why}\n"));
        }
        text
    }

    /// Why nobody is told at this moment.
    fn quiet(&self) -> Vec<String> {
        let alert = &self.alert;
        let mut why: Vec<String> = alert.silenced_by.iter().map(|id| format!("silenced by {id}")).collect();
        why.extend(alert.snoozed.as_ref().map(|s: &Snooze| match s.until {
            Some(until) => format!("snoozed until {}", until.rfc3339()),
            None => "snoozed until it changes".to_owned(),
        }));
        why.extend(alert.flaps.since.map(|since| {
            format!("flapping since {}, {} changes; told again when it has settled", since.rfc3339(), alert.flaps.n_changes)
        }));
        why.extend(alert.acknowledged.as_ref().map(|a| format!("acknowledged by {}", a.by)));
        why
    }

    fn json(&self) -> String {
        let told = self.events.iter().filter_map(|e| match &e.event {
            JournalEvent::Delivered { channel, error, note, .. } => {
                Some(json!({"at": out::time(Some(e.at)), "channel": channel, "message": note, "error": error}))
            }
            _ => None,
        });
        let waiting = self.waiting.iter().map(|w| {
            json!({"channel": w.channel, "message": w.message, "attempts": w.attempts, "due_at": out::time(w.due_at), "error": w.error})
        });
        let told: Vec<_> = told.collect();
        let waiting: Vec<_> = waiting.collect();
        let fields = json!({"alert": self.alert.json(), "told": told, "waiting": waiting, "quiet": self.quiet()});
        out::object("why", Timestamp::now(), fields)
    }
}

/// Value against limit and what is normal, who, what moved with it, what changed, and how to see it again.
fn cause(alert: &Alert) -> String {
    let shown = |value| format_value(value, alert.unit);
    let e = &alert.explanation;
    let mut rows = vec![["value".to_owned(), format!("{}, limit {}", shown(alert.value), shown(alert.limit))]];
    if let Some(normal) = &e.normal {
        rows.push(["normal".to_owned(), normal.clone()]);
    } else if alert.fired_at.is_some() {
        rows.push(["normal".to_owned(), "not learned yet".to_owned()]);
    }
    rows.extend(e.processes.iter().map(|p| ["process".to_owned(), p.text(e.resource)]));
    rows.extend(e.correlated.iter().map(|c| ["moved with it".to_owned(), c.text()]));
    rows.extend(e.changes.iter().map(|c| ["changed".to_owned(), c.clone()]));
    if !e.query.is_empty() {
        rows.push(["see it".to_owned(), e.query.clone()]);
    }
    let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
    out::table(&rows)
}

/// What, and the rest of the line.
fn row(event: &JournalEvent) -> Vec<String> {
    let (what, how) = match event {
        JournalEvent::Transition { transition, alert } => {
            let state = match transition.to {
                AlertState::Pending => "pending".to_owned(),
                AlertState::Resolved => "over".to_owned(),
                AlertState::Firing if alert.is_flapping() && transition.from == Some(AlertState::Firing) => "flaps".to_owned(),
                AlertState::Firing if alert.level > 0 => format!("level {}", alert.level),
                AlertState::Firing => "firing".to_owned(),
            };
            (state, transition.reason.clone())
        }
        JournalEvent::Acknowledged { author, comment, active, .. } => {
            let word = if *active { "acknowledged" } else { "given back" };
            (word.to_owned(), format!("by {author} {comment}"))
        }
        JournalEvent::Snoozed { author, snooze, .. } => {
            (if snooze.is_some() { "snoozed" } else { "no longer snoozed" }.to_owned(), format!("by {author}"))
        }
        JournalEvent::Feedback { author, .. } => ("feedback".to_owned(), format!("by {author}")),
        JournalEvent::Delivered { channel, error, note, .. } => {
            let channel = if channel.is_empty() { "nobody" } else { channel };
            match error {
                None => (channel.to_owned(), format!("told: {note}")),
                Some(error) => (channel.to_owned(), format!("{note}: {error}")),
            }
        }
        _ => (String::new(), String::new()),
    };
    vec![what, how]
}
