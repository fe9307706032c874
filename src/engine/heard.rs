//! What the logs say of logins and rights, as events for people and as a rate for rules.
//!
//! Somebody who guesses passwords writes a line a second. Invariant: the first of a kind is told at once, what follows in ten minutes
//! is one event that says how many; every line counts in exactly one.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{Timestamp, Unit};
use crate::check::Heard;
use crate::model::{GoodDirection, LogTopic, MetricDef, Reading, SecurityEvent, SeriesKey, Severity};

/// Metrics made here.
pub const METRICS: &[MetricDef] =
    &[MetricDef::counter(FAILURES, Unit::PerSecond, "Logins that failed, where a log of them can be read")
        .good(GoodDirection::Down)];

const FAILURES: &str = "login_failures_per_second";

/// More of the same is told after this.
const AGAIN: Duration = Duration::from_secs(600);

/// Without another one for so long it is forgotten, and so is how many there were.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// Most that are told apart at a time; the rest of a kind is one.
const MOST: usize = 128;

/// Names told of many.
const NAMES: usize = 3;

/// Failed logins from an address after which one that does not fail was likely guessed: people err a few times.
const GUESSES: u32 = 10;

/// See the file's head.
#[derive(Debug, Default)]
pub struct Ears {
    known: BTreeMap<(String, String), Course>,
    failures: u64,
    /// Failures a second between the last two looks; `None`: logins are not heard of.
    rate: Option<f64>,
    looked_at: Option<Timestamp>,
    /// Whether the log of logins is read.
    hears_logins: bool,
}

/// One thing that happens again and again.
#[derive(Debug)]
struct Course {
    last_at: Timestamp,
    told_at: Timestamp,
    n: u32,
    waiting: Option<SecurityEvent>,
}

impl Ears {
    /// Whether every login is heard of here.
    pub fn hears_logins(&self) -> bool {
        self.hears_logins
    }

    /// Takes in what a look found; gives what is to be told now.
    pub fn take(&mut self, at: Timestamp, heard: Heard) -> Vec<SecurityEvent> {
        self.hears_logins = heard.topics.contains(&LogTopic::Access);
        let failed: u32 = heard.events.iter().filter(|e| e.kind == SecurityEvent::LOGIN_FAILED).map(|e| e.n).sum();
        self.failures += u64::from(failed);
        let since = self.looked_at.replace(at).map(|before| at.since(before).as_secs_f64()).filter(|s| *s > 0.0);
        self.rate = since.filter(|_| self.hears_logins).map(|seconds| f64::from(failed) / seconds);
        let mut told = Vec::new();
        for event in heard.events {
            self.guessed(&event, &mut told);
            self.add(event, &mut told);
        }
        for course in self.known.values_mut().filter(|c| at.since(c.told_at) >= AGAIN) {
            if let Some(event) = course.waiting.take() {
                course.told_at = at;
                told.push(event);
            }
        }
        self.known.retain(|_, c| c.waiting.is_some() || at.since(c.last_at) < FORGOTTEN);
        told
    }

    /// Somebody came in from where many tries have just failed; that is told once. Nobody guesses a key.
    fn guessed(&mut self, login: &SecurityEvent, told: &mut Vec<SecurityEvent>) {
        let is_guess = login.kind == SecurityEvent::LOGIN && !login.from.is_empty() && !login.evidence.contains("publickey");
        let tries = self.known.get_mut(&(SecurityEvent::LOGIN_FAILED.to_owned(), login.from.clone()));
        let just = |t: &&mut Course| login.at.since(t.last_at) < AGAIN && t.n >= GUESSES;
        if let Some(tries) = tries.filter(|_| is_guess).filter(just) {
            let n = std::mem::take(&mut tries.n);
            let evidence = format!("{n} failed logins from {} before; {}", login.from, login.evidence);
            let kind = SecurityEvent::GUESSED.to_owned();
            told.push(SecurityEvent { kind, severity: Severity::Critical, evidence, ..login.clone() });
        }
    }

    fn add(&mut self, event: SecurityEvent, told: &mut Vec<SecurityEvent>) {
        let mut key = (event.kind.clone(), whom(&event));
        if self.known.len() >= MOST && !self.known.contains_key(&key) {
            key.1 = "others".to_owned();
        }
        let Some(course) = self.known.get_mut(&key) else {
            self.known.insert(key, Course { last_at: event.at, told_at: event.at, n: event.n, waiting: None });
            told.push(event);
            return;
        };
        // Tries of an hour ago are no part of this attempt.
        let before = if event.at.since(course.last_at) < AGAIN { course.n } else { 0 };
        (course.last_at, course.n) = (event.at, before.saturating_add(event.n));
        course.waiting = Some(match course.waiting.take() {
            None => event,
            Some(before) => joined(before, event),
        });
    }

    /// What waits to be told, at the end.
    pub fn rest(&mut self) -> impl Iterator<Item = SecurityEvent> {
        self.known.values_mut().filter_map(|course| course.waiting.take())
    }

    /// How often logins fail.
    pub fn readings(&self, readings: &mut Vec<Reading>) {
        let reading = |rate| Reading { key: SeriesKey::total(FAILURES), value: rate, cumulative: Some(self.failures as f64) };
        readings.extend(self.rate.map(reading));
    }
}

/// What an event has in common with others of its kind: who guesses names comes from one address.
fn whom(event: &SecurityEvent) -> String {
    match event.kind.as_str() {
        SecurityEvent::LOGIN_FAILED if !event.from.is_empty() => event.from.clone(),
        _ => format!("{} {}", event.subject, event.from),
    }
}

fn joined(before: SecurityEvent, event: SecurityEvent) -> SecurityEvent {
    let names: Vec<&str> = before.subject.split(", ").collect();
    let subject = match names.len() {
        _ if names.contains(&event.subject.as_str()) => before.subject,
        n if n < NAMES => format!("{}, {}", before.subject, event.subject),
        NAMES => format!("{}, …", before.subject),
        _ => before.subject,
    };
    let from = if before.from == event.from { before.from } else { "several".to_owned() };
    SecurityEvent { subject, from, n: before.n.saturating_add(event.n), ..event }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_seconds(10_000) + Duration::from_secs(second)
    }

    fn event(second: u64, kind: &str, subject: &str, from: &str) -> SecurityEvent {
        let (kind, subject, from) = (kind.to_owned(), subject.to_owned(), from.to_owned());
        SecurityEvent { at: at(second), kind, severity: Severity::Info, subject, from, evidence: "a line".to_owned(), n: 1 }
    }

    fn heard(events: Vec<SecurityEvent>) -> Heard {
        Heard { events, topics: [LogTopic::Access].into(), unheard: Vec::new() }
    }

    fn lines(told: &[SecurityEvent]) -> Vec<String> {
        told.iter().map(|e| format!("{} {} {} x{} ({:?})", e.kind, e.subject, e.from, e.n, e.severity)).collect()
    }

    #[test]
    fn an_attack_is_an_event_at_once_and_one_every_ten_minutes_and_each_try_counts() {
        let mut ears = Ears::default();
        let mut told = Vec::new();
        let names = ["root", "admin", "git", "test", "oracle"];
        for second in (0..3600).step_by(10) {
            let tries = (0..10).map(|n| event(second, SecurityEvent::LOGIN_FAILED, names[n % 5], "203.0.113.5"));
            told.extend(ears.take(at(second), heard(tries.collect())));
        }
        told.extend(ears.rest());
        assert_eq!(told.len(), 7, "{:?}", lines(&told));
        assert_eq!(
            lines(&told)[..2],
            ["login failed root 203.0.113.5 x1 (Info)", "login failed admin, git, test, … 203.0.113.5 x609 (Info)"]
        );
        assert_eq!(told.iter().map(|e| e.n).sum::<u32>(), 3600);
        let mut readings = Vec::new();
        ears.readings(&mut readings);
        assert_eq!((readings[0].value, readings[0].cumulative), (1.0, Some(3600.0)));
    }

    #[test]
    fn who_comes_in_after_many_failed_tries_from_there_was_likely_guessed() {
        let mut ears = Ears::default();
        let tries = |n, from: &str| (0..n).map(|_| event(0, SecurityEvent::LOGIN_FAILED, "root", from)).collect::<Vec<_>>();
        ears.take(at(0), heard(tries(10, "203.0.113.5")));
        ears.take(at(0), heard(tries(3, "10.0.0.9")));
        let came = |from: &str| heard(vec![event(60, SecurityEvent::LOGIN, "root", from)]);
        assert_eq!(lines(&ears.take(at(60), came("10.0.0.9"))), ["login root 10.0.0.9 x1 (Info)"]);
        assert_eq!(
            lines(&ears.take(at(60), came("203.0.113.5"))),
            ["login after failures root 203.0.113.5 x1 (Critical)", "login root 203.0.113.5 x1 (Info)"]
        );
        ears.take(at(8000), heard(Vec::new()));
        assert_eq!(ears.take(at(8010), came("203.0.113.5")).len(), 1, "hours later it is another story");
    }

    #[test]
    fn a_thousand_addresses_are_some_events_and_what_is_not_heard_has_no_rate() {
        let mut ears = Ears::default();
        let tries = (0..1000).map(|n| event(0, SecurityEvent::LOGIN_FAILED, "root", &format!("10.0.{}.{}", n / 250, n % 250)));
        let first = ears.take(at(0), heard(tries.collect()));
        let rest: Vec<SecurityEvent> = ears.rest().collect();
        assert_eq!((first.len(), rest.len()), (MOST + 1, 1));
        assert_eq!((rest[0].from.as_str(), rest[0].n), ("several", 1000 - MOST as u32 - 1));
        ears.take(at(10), Heard::default());
        let mut readings = Vec::new();
        ears.readings(&mut readings);
        assert!(readings.is_empty() && !ears.hears_logins(), "{readings:?}");
    }
}
