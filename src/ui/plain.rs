//! The machine in lines, for screen readers, dumb terminals and logs.
//!
//! One calm line for each thing that changed, and one on the whole every few minutes; nothing is drawn,
//! moved or colored. Invariant: what was said once is not said again before it changes.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use crate::ui::format::Clock;

use super::event::UiEvent;
use super::fields::service_state;
use super::format::{time_or_date, time_seconds};
use super::input::EventSource;
use super::run::Exit;
use crate::base::{Timestamp, Unit, format_duration, format_value};
use crate::model::{Alert, AlertState, ServiceState, Snapshot};
use crate::monitor::{Link, Monitor};

/// Time between two lines on the whole: often enough to know that it lives, seldom enough to listen to.
const SUMMARY: Duration = Duration::from_secs(300);
/// Probability from which a prediction is told (`contracts.md`, §5).
const TOLD: f64 = 0.7;

/// Prints lines until somebody ends it. The waker of `events` must be what the monitor calls.
///
/// # Errors
/// Signals cannot be listened to.
pub fn run(mut monitor: Box<dyn Monitor>, zone: &Clock, events: &EventSource) -> io::Result<Exit> {
    events.listen_signals()?;
    let mut teller = Teller::default();
    loop {
        let snapshot = monitor.snapshot();
        let said = teller.lines(&snapshot, &monitor.link(), zone);
        // A reader that is gone is a normal end.
        if !said.is_empty() && print(&said).is_err() {
            return Ok(Exit::Closed);
        }
        match events.next(None) {
            Some(UiEvent::Stop) => return Ok(Exit::Stopped),
            Some(UiEvent::Closed) => return Ok(Exit::Closed),
            Some(UiEvent::Suspend) => super::input::stop_process(),
            _ => {}
        }
        drop(monitor.changed());
    }
}

fn print(lines: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush()
}

/// What was said so far.
#[derive(Debug, Default)]
struct Teller {
    summary: Option<Timestamp>,
    alerts: BTreeMap<String, (AlertState, u8, bool)>,
    services: BTreeMap<String, ServiceState>,
    predictions: Vec<String>,
    lost: bool,
}

impl Teller {
    /// What is to be said now.
    fn lines(&mut self, snapshot: &Snapshot, link: &Link, zone: &Clock) -> Vec<String> {
        let mut said = Vec::new();
        let is_lost = matches!(link, Link::Lost { .. });
        if is_lost != self.lost {
            self.lost = is_lost;
            said.push(match link {
                Link::Lost { address, reason, .. } => format!("the recorder at {address} is gone: {reason}; trying again"),
                _ => "the recorder is back".to_owned(),
            });
        }
        if snapshot.seq == 0 || snapshot.readings.is_empty() {
            return said;
        }
        if self.summary.is_none_or(|last| snapshot.at.since(last) >= SUMMARY) {
            self.summary = Some(snapshot.at);
            said.push(whole(snapshot));
        }
        self.alerts(snapshot, zone, &mut said);
        self.services(snapshot, &mut said);
        self.predictions(snapshot, zone, &mut said);
        let at = time_seconds(snapshot.at, zone);
        said.iter().map(|line| format!("{at} {}", inert(line))).collect()
    }

    fn alerts(&mut self, snapshot: &Snapshot, zone: &Clock, said: &mut Vec<String>) {
        for alert in snapshot.alerts.iter().filter(|a| a.state != AlertState::Pending && !a.is_quiet()) {
            let now = (alert.state, alert.level, alert.acknowledged.is_some());
            let before = self.alerts.insert(alert.id.clone(), now);
            if before == Some(now) || (before.is_none() && alert.state == AlertState::Resolved) {
                continue;
            }
            said.push(sentence(alert, before, snapshot, zone));
        }
        self.alerts.retain(|id, _| snapshot.alerts.iter().any(|a| a.id == *id));
    }

    fn services(&mut self, snapshot: &Snapshot, said: &mut Vec<String>) {
        for service in snapshot.services.iter().filter(|s| s.state != ServiceState::Unknown) {
            let before = self.services.insert(service.name.clone(), service.state);
            let is_news = before.map_or(service.state != ServiceState::Online, |b| b != service.state);
            if is_news {
                let state = if service.state == ServiceState::Offline { "down" } else { service_state(service.state) };
                let message = if service.message.is_empty() { String::new() } else { format!(": {}", service.message) };
                said.push(format!("service {} is {state}{message}", service.name));
            }
        }
    }

    fn predictions(&mut self, snapshot: &Snapshot, zone: &Clock, said: &mut Vec<String>) {
        let open: Vec<_> = snapshot.predictions.iter().filter(|p| p.outcome.is_none() && p.probability > TOLD).collect();
        for p in open.iter().filter(|p| !self.predictions.contains(&p.id)) {
            let at = time_or_date(p.at, snapshot.at, zone);
            said.push(format!("prediction: {} about {at}, probability {:.2}", p.title, p.probability));
        }
        self.predictions = open.iter().map(|p| p.id.clone()).collect();
    }
}

/// `web-01: health 58 of 100, 1 critical, 2 warnings; CPU 26%, memory 91%, load 4.2; 10 of 12 services online`.
fn whole(snapshot: &Snapshot) -> String {
    let count = |word: &str| snapshot.firing().filter(|a| !a.is_quiet() && a.severity.name() == word).count();
    let mut said = format!("{}: health {:.0} of 100", snapshot.host.name, snapshot.health.score);
    match (count("critical"), count("warning")) {
        (0, 0) => said.push_str(", nothing is wrong"),
        (critical, warning) => said.push_str(&format!(", {critical} critical, {warning} warning")),
    }
    let figures = [
        ("CPU", snapshot.total("cpu_usage_ratio"), Unit::Ratio),
        ("memory", snapshot.total("memory_used_ratio"), Unit::Ratio),
        ("load", snapshot.part("load_average", "1m"), Unit::Count),
    ];
    let known: Vec<String> =
        figures.iter().filter_map(|(name, v, unit)| Some(format!("{name} {}", format_value((*v)?, *unit)))).collect();
    if !known.is_empty() {
        said.push_str(&format!("; {}", known.join(", ")));
    }
    if !snapshot.services.is_empty() {
        let up = snapshot.services.iter().filter(|s| s.state == ServiceState::Online).count();
        said.push_str(&format!("; {up} of {} services online", snapshot.services.len()));
    }
    said
}

fn sentence(alert: &Alert, before: Option<(AlertState, u8, bool)>, snapshot: &Snapshot, zone: &Clock) -> String {
    let word = alert.severity.name();
    let fired = alert.fired_at.unwrap_or(alert.since);
    if let Some(over) = alert.resolved_at {
        return format!("resolved: {}, after {}", alert.title, format_duration(over.since(fired)));
    }
    if let Some(taken) = alert.acknowledged.as_ref().filter(|_| before.is_some_and(|(_, _, was)| !was)) {
        return format!("acknowledged by {}: {}", taken.by, alert.title);
    }
    if before.is_some_and(|(_, level, _)| alert.level > level) {
        return format!("level {} of 4, nobody has acknowledged: {}", alert.level, alert.title);
    }
    let why = alert.explanation.beyond(&alert.title).map_or(String::new(), |why| format!(". {why}"));
    format!("{word} since {}: {}{why}", time_or_date(fired, snapshot.at, zone), alert.title)
}

/// Without characters that would move a cursor.
fn inert(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fixture;

    #[test]
    fn each_thing_is_said_once_until_it_changes() {
        let mut snapshot = fixture::snapshot();
        let mut teller = Teller::default();
        let first = teller.lines(&snapshot, &Link::Own, &Clock::UTC);
        assert!(first[0].contains("web-01: health 58 of 100") && first[0].starts_with("03:14:31 "), "{first:?}");
        assert!(first.iter().any(|l| l.contains("critical since") && l.contains("memory 91%")), "{first:?}");
        assert!(first.iter().any(|l| l.contains("service mail-relay is down")), "{first:?}");
        assert_eq!(teller.lines(&snapshot, &Link::Own, &Clock::UTC), Vec::<String>::new());
        let mut alert = (*snapshot.alerts[0]).clone();
        alert.state = AlertState::Resolved;
        alert.resolved_at = Some(snapshot.at);
        alert.title = "a\x1b[2Jb".to_owned();
        snapshot.alerts = std::sync::Arc::new([std::sync::Arc::new(alert)]);
        let said = teller.lines(&snapshot, &Link::Own, &Clock::UTC);
        assert!(said.len() == 1 && said[0].contains("resolved: a [2Jb"), "{said:?}");
        snapshot.at = snapshot.at + SUMMARY;
        assert_eq!(teller.lines(&snapshot, &Link::Own, &Clock::UTC).len(), 1, "one line on the whole");
        let lost = Link::Lost { address: "x".into(), since: snapshot.at, reason: "refused".into() };
        assert!(teller.lines(&snapshot, &lost, &Clock::UTC)[0].contains("the recorder at x is gone: refused"));
    }
}
