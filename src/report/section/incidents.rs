//! Incidents: alerts that overlap, with what happened when, who was told, and how long it took.
//!
//! Invariant: a time to acknowledge or to resolve is counted only where somebody did, or it was over.

use std::time::Duration;

use crate::base::{Timestamp, Unit};
use crate::model::{Alert, AlertState, JournalEntry, JournalEvent, ReportDepth};
use crate::report::context::Context;
use crate::report::document::{Cell, Level, Section, Table};
use crate::report::text;

/// Alerts no further apart are one incident: what fails together fires within minutes.
const APART: Duration = Duration::from_secs(300);

/// Incidents whose story is told: a list nobody reads to its end helps nobody.
const MOST_TOLD: usize = 10;

/// Alerts that belong together, by time.
struct Incident<'a> {
    from: Timestamp,
    /// `None` where it goes on.
    to: Option<Timestamp>,
    alerts: Vec<&'a Alert>,
}

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let incidents = incidents(context);
    section.count("incidents.count", "Incidents", incidents.len());
    let mean = |durations: &[Duration]| {
        let sum: f64 = durations.iter().map(Duration::as_secs_f64).sum();
        (!durations.is_empty()).then(|| sum / durations.len() as f64)
    };
    let alerts = context.alerts();
    let within = || alerts.iter().filter(|a| a.fired_at.is_some_and(|t| context.range().contains(t)));
    let told: Vec<Duration> = within().filter_map(|a| Some(first_told(context, a)?.0.since(a.fired_at?))).collect();
    let acknowledged: Vec<Duration> = within().filter_map(|a| Some(acknowledged_at(context, a)?.since(a.fired_at?))).collect();
    let resolved: Vec<Duration> = within().filter_map(|a| Some(a.resolved_at?.since(a.fired_at?))).collect();
    section.fact("incidents.mean_time_to_tell", "Mean time until somebody was told", mean(&told), Unit::Seconds);
    section.fact("incidents.mtta", "Mean time to acknowledge (MTTA)", mean(&acknowledged), Unit::Seconds);
    section.count("incidents.acknowledged", "Alerts acknowledged", acknowledged.len());
    section.fact("incidents.mttr", "Mean time to resolve (MTTR)", mean(&resolved), Unit::Seconds);
    section.count("incidents.resolved", "Alerts resolved", resolved.len());

    let mut table = Table::grid(
        "incidents",
        &[
            ("level", ""),
            ("incident", "No."),
            ("began", "Began"),
            ("over", "Over"),
            ("lasted_seconds", "Lasted"),
            ("alerts", "Alerts"),
            ("what", "What"),
            ("cause", "Cause"),
            ("told", "First told"),
            ("acknowledged_after", "Taken after"),
        ],
    )
    .or("There was no incident.");
    table.rows = incidents.iter().enumerate().map(|(n, i)| row(context, n + 1, i)).collect();
    section.tables.push(table);
    if context.spec.depth != ReportDepth::Monthly {
        section.tables.push(timeline(context, &incidents));
    }
}

/// The newest first.
fn incidents<'a>(context: &Context<'a>) -> Vec<Incident<'a>> {
    let mut alerts = context.alerts();
    alerts.sort_by(|a, b| (a.fired_at, &a.id).cmp(&(b.fired_at, &b.id)));
    let mut all: Vec<Incident<'a>> = Vec::new();
    for alert in alerts {
        let Some(from) = alert.fired_at else { continue };
        let to = alert.resolved_at.filter(|_| !context.is_open(alert));
        match all.last_mut().filter(|i| i.to.is_none_or(|to| from <= to + APART)) {
            Some(incident) => {
                incident.to = incident.to.zip(to).map(|(a, b)| a.max(b));
                incident.alerts.push(alert);
            }
            None => all.push(Incident { from, to, alerts: vec![alert] }),
        }
    }
    all.reverse();
    all
}

fn row(context: &Context<'_>, number: usize, incident: &Incident<'_>) -> Vec<Cell> {
    let end = incident.to.unwrap_or(context.range().to);
    let worst = incident.alerts.iter().max_by_key(|a| (a.severity, std::cmp::Reverse(a.fired_at)));
    let told: Option<(Timestamp, &str)> = incident.alerts.iter().filter_map(|a| first_told(context, a)).min();
    let taken = incident.alerts.iter().filter_map(|a| acknowledged_at(context, a)).min();
    let what = worst.map_or_else(String::new, |a| a.title.clone());
    let more = incident.alerts.len() - 1;
    vec![
        worst.map_or(Cell::Level(Level::Unknown), |a| Cell::Level(a.severity.into())),
        Cell::Number(Some(number as f64), Unit::Count),
        Cell::Time(Some(incident.from)),
        Cell::Time(incident.to),
        Cell::Number(Some(end.since(incident.from).as_secs_f64()), Unit::Seconds),
        Cell::Number(Some(incident.alerts.len() as f64), Unit::Count),
        Cell::Text(if more > 0 { format!("{what} and {}", text::plural(more, "other")) } else { what }),
        Cell::Text(worst.map_or_else(String::new, |a| a.explanation.summary.clone())),
        Cell::Text(told.map_or_else(|| "nobody".to_owned(), |(_, channel)| channel.to_owned())),
        Cell::Number(taken.map(|at| at.since(incident.from).as_secs_f64()), Unit::Seconds),
    ]
}

/// What happened to the alerts of the newest incidents, by time.
fn timeline(context: &Context<'_>, incidents: &[Incident<'_>]) -> Table {
    let columns = [("incident", "No."), ("at", "When"), ("alert", "Alert"), ("event", "What happened")];
    let mut table = Table::grid("timeline", &columns).titled("What happened when").or("There was no incident.");
    for (n, incident) in incidents.iter().enumerate().take(MOST_TOLD) {
        let mut events: Vec<(Timestamp, &str, String)> = Vec::new();
        for alert in &incident.alerts {
            let known = of(context, alert).filter_map(|(at, event)| Some((at, alert.id.as_str(), said(event)?)));
            let before = events.len();
            events.extend(known);
            if events.len() == before {
                // Older than the journal that was read.
                events.extend(alert.fired_at.map(|at| (at, alert.id.as_str(), format!("fired: {}", alert.title))));
            }
        }
        events.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let row = |(at, id, what): (Timestamp, &str, String)| {
            vec![
                Cell::Number(Some((n + 1) as f64), Unit::Count),
                Cell::Time(Some(at)),
                Cell::Text(id.to_owned()),
                Cell::Text(what),
            ]
        };
        table.rows.extend(events.into_iter().map(row));
    }
    table
}

/// Events of an alert, by time.
fn of<'a>(context: &Context<'a>, alert: &Alert) -> impl Iterator<Item = (Timestamp, &'a JournalEvent)> {
    let story: Vec<&'a JournalEntry> = context.story(&alert.id).to_vec();
    story.into_iter().map(|entry| (entry.at, &entry.event))
}

/// For people; `None` for what says nothing new.
fn said(event: &JournalEvent) -> Option<String> {
    Some(match event {
        JournalEvent::Transition { transition, alert } => match (transition.to, transition.from) {
            (AlertState::Pending, _) => return None,
            (AlertState::Firing, Some(AlertState::Firing)) if alert.level > 0 => {
                format!("nobody took care: level {}", alert.level)
            }
            (AlertState::Firing, _) => format!("fired: {}", alert.title),
            (AlertState::Resolved, _) => "over".to_owned(),
        },
        JournalEvent::Acknowledged { author, comment, active, .. } => {
            let comment = if comment.is_empty() { String::new() } else { format!(": {comment}") };
            if *active { format!("taken by {author}{comment}") } else { format!("given back by {author}") }
        }
        JournalEvent::Snoozed { author, snooze, .. } => {
            format!("{} by {author}", if snooze.is_some() { "put off" } else { "no longer put off" })
        }
        JournalEvent::Feedback { author, outcome, .. } => {
            let word = if *outcome == crate::model::Outcome::Right { "real" } else { "false" };
            format!("said to be {word} by {author}")
        }
        JournalEvent::Delivered { channel, error: None, note, .. } => format!("{channel} told: {note}"),
        JournalEvent::Delivered { channel, error: Some(why), .. } if channel.is_empty() => format!("nobody told: {why}"),
        JournalEvent::Delivered { channel, error: Some(why), .. } => format!("{channel} not told: {why}"),
        _ => return None,
    })
}

/// When a channel first had it, and which.
fn first_told<'a>(context: &Context<'a>, alert: &Alert) -> Option<(Timestamp, &'a str)> {
    of(context, alert).find_map(|(at, event)| match event {
        JournalEvent::Delivered { channel, error: None, .. } => Some((at, channel.as_str())),
        _ => None,
    })
}

/// When somebody first took care of it.
pub(super) fn acknowledged_at(context: &Context<'_>, alert: &Alert) -> Option<Timestamp> {
    let said =
        of(context, alert).find_map(|(at, event)| matches!(event, JournalEvent::Acknowledged { active: true, .. }).then_some(at));
    said.or(alert.acknowledged.as_ref().map(|a| a.at)).filter(|at| *at <= context.range().to)
}
