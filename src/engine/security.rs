//! What concerns the machine's security: who came in, what began to listen, what was installed, how well it is closed.
//!
//! Seen in what ticks and looks bring anyway, and written to the journal. Invariant: what was there at the first look is no event.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::core::Core;
use crate::base::Timestamp;
use crate::model::{JournalEntry, JournalEvent, Listener, Posture, Protocol, Pulse, SecurityEvent, SeriesKey, Severity};

/// A listener that was there within this time is not new: services restart.
const REMEMBERED: Duration = Duration::from_secs(86_400);

/// Most listeners remembered: a machine with more has no use for a list of them.
const MOST: usize = 1024;

/// Ports that Linux gives to programs that ask for any: another one at every start, so no service is known by them.
const PASSING_PORTS: std::ops::RangeInclusive<u16> = 32_768..=60_999;

/// The posture is written at least so often: a report looks for it in the day before its end.
const POSTURE_AGAIN: Duration = Duration::from_secs(12 * 3600);

/// An alert of an event of high severity lasts so long: it has no end of its own.
const ALARMING: Duration = Duration::from_secs(600);

/// The metric that rules are fed with.
const FED: &str = "security_event";

/// What was last seen.
#[derive(Debug, Default)]
pub struct Watch {
    /// Events of high severity of the last [`ALARMING`], oldest first, each once.
    alarming: Vec<(SeriesKey, Timestamp)>,
    /// Ports by whether only this machine reaches them, and when each was last there; `None` before the first look. Names come
    /// with the processes, which the first look may not have.
    listeners: Option<BTreeMap<(u16, bool), Timestamp>>,
    posture: Option<Posture>,
    written_at: Option<Timestamp>,
    /// To be written with the next tick.
    pending: Vec<JournalEntry>,
}

impl Watch {
    /// Notes something for the journal.
    pub fn note(&mut self, seen: SecurityEvent) {
        self.pending.push(JournalEntry { at: seen.at, event: JournalEvent::Security { seen } });
    }

    /// What rules are fed with.
    pub fn fed(&self) -> impl Iterator<Item = (SeriesKey, f64)> {
        self.alarming.iter().map(|(key, _)| (key.clone(), 1.0))
    }

    /// Takes in an event that was written down, and lets old ones go.
    fn alarm(&mut self, now: Timestamp, entries: &[JournalEntry]) {
        self.alarming.retain(|(_, at)| now.since(*at) < ALARMING);
        for entry in entries {
            let JournalEvent::Security { seen } = &entry.event else { continue };
            let key = || SeriesKey::new(FED, [("event", seen.kind.as_str()), ("subject", seen.subject.as_str())]);
            if seen.severity == Severity::Critical && self.alarming.iter().all(|(known, _)| *known != key()) {
                self.alarming.push((key(), entry.at));
            }
        }
    }

    /// Takes in who listens.
    pub fn listeners(&mut self, at: Timestamp, found: &[Listener]) {
        let is_first = self.listeners.is_none();
        let mut known = self.listeners.take().unwrap_or_default();
        for one in found.iter().filter(|l| is_service(l)) {
            let before = known.insert((one.address.port(), one.address.ip().is_loopback()), at);
            if !is_first && before.is_none() {
                self.note(begun(at, one));
            }
        }
        known.retain(|_, last| at.since(*last) <= REMEMBERED);
        // Whoever listens now stays known: forgotten, it would be new with the next look.
        while known.len() > MOST
            && let Some(oldest) = known.iter().filter(|(_, last)| **last < at).min_by_key(|(_, last)| **last).map(|(key, _)| *key)
        {
            known.remove(&oldest);
        }
        self.listeners = Some(known);
    }

    /// Takes in how well the machine is closed.
    pub fn posture(&mut self, at: Timestamp, posture: Posture) {
        if let Some(before) = &self.posture {
            for seen in changed(at, before, &posture) {
                self.note(seen);
            }
        }
        let is_old = self.written_at.is_none_or(|then| at.since(then) >= POSTURE_AGAIN);
        if is_old || self.posture.as_ref() != Some(&posture) {
            self.written_at = Some(at);
            self.pending.push(JournalEntry { at, event: JournalEvent::Posture { posture: Box::new(posture.clone()) } });
        }
        self.posture = Some(posture);
    }
}

/// Whether others, or programs here, can rely on its port.
fn is_service(listener: &Listener) -> bool {
    listener.protocol == Protocol::Tcp && !PASSING_PORTS.contains(&listener.address.port())
}

fn begun(at: Timestamp, listener: &Listener) -> SecurityEvent {
    let name = listener.name.as_deref().unwrap_or("unknown");
    let severity = if listener.address.ip().is_loopback() { Severity::Info } else { Severity::Warning };
    let pid = listener.pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
    let unit = listener.unit.as_ref().map_or_else(|| ", of no unit".to_owned(), |u| format!(", unit {u}"));
    let evidence = format!("listens on {}{pid}{unit}", listener.address);
    let subject = format!("{name} :{}", listener.address.port());
    SecurityEvent { at, kind: SecurityEvent::LISTENER.to_owned(), severity, subject, from: String::new(), evidence, n: 1 }
}

/// What changed between two looks.
fn changed(at: Timestamp, before: &Posture, now: &Posture) -> Vec<SecurityEvent> {
    let event = |kind: &str, severity, subject: &str, evidence: String| SecurityEvent {
        at,
        kind: kind.to_owned(),
        severity,
        subject: subject.to_owned(),
        from: String::new(),
        evidence,
        n: 1,
    };
    let names = |posture: &Posture| posture.accounts.iter().cloned().collect::<BTreeSet<String>>();
    let (old, new) = (names(before), names(now));
    let mut events = Vec::new();
    // Where the list could not be read nobody came and nobody went.
    if !old.is_empty() && !new.is_empty() {
        let told = |kind, severity, name: &String, what: &str| event(kind, severity, name, format!("/etc/passwd: {name} {what}"));
        let added = new.difference(&old).map(|n| told(SecurityEvent::ACCOUNT, Severity::Warning, n, "has a shell and had none"));
        events.extend(added);
        let gone = old.difference(&new).map(|n| told(SecurityEvent::ACCOUNT_GONE, Severity::Info, n, "has a shell no longer"));
        events.extend(gone);
    }
    for check in now.checks.iter().filter(|c| !c.passed) {
        if before.checks.iter().any(|c| c.title == check.title && c.passed) {
            events.push(event(SecurityEvent::OPENED, check.severity, &check.title, check.evidence.clone()));
        }
    }
    events
}

impl Core {
    /// Writes down what was seen since the tick before.
    pub(super) fn tell_security(&mut self, at: Timestamp, pulse: &mut Pulse) {
        // Logs say more of a login than a count of sessions.
        let is_told = |seen: &SecurityEvent| seen.kind == SecurityEvent::LOGIN && self.ears.hears_logins();
        for seen in self.changes.take_security().into_iter().filter(|seen| !is_told(seen)) {
            self.watch.note(seen);
        }
        let entries = std::mem::take(&mut self.watch.pending);
        self.watch.alarm(at, &entries);
        for entry in entries {
            let write = self.journal(entry.at, entry.event, pulse);
            self.later.push(write);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PostureCheck;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(10_000 + second)
    }

    fn listener(name: &str, address: &str) -> Listener {
        let address = address.parse().expect("an address");
        Listener { protocol: Protocol::Tcp, address, name: Some(name.into()), pid: Some(7), unit: None }
    }

    fn told(watch: &mut Watch) -> Vec<String> {
        let entries = std::mem::take(&mut watch.pending);
        let line = |entry: JournalEntry| match entry.event {
            JournalEvent::Security { seen } => format!("{}: {} ({:?})", seen.kind, seen.subject, seen.severity),
            JournalEvent::Posture { posture } => format!("posture of {}", posture.checks.len()),
            other => format!("{other:?}"),
        };
        entries.into_iter().map(line).collect()
    }

    #[test]
    fn a_listener_is_told_once_and_a_restart_is_not_new() {
        let mut watch = Watch::default();
        let ssh = listener("sshd", "0.0.0.0:22");
        // Nobody knows yet who holds it.
        watch.listeners(at(0), &[Listener { name: None, pid: None, ..ssh.clone() }]);
        assert_eq!(told(&mut watch), Vec::<String>::new(), "was there");
        let door = listener("nc", "0.0.0.0:4444");
        let (here, passing) = (listener("redis-server", "127.0.0.1:6379"), listener("node", "127.0.0.1:41231"));
        watch.listeners(at(10), &[ssh.clone(), door.clone(), here, passing]);
        assert_eq!(told(&mut watch), ["new listener: nc :4444 (Warning)", "new listener: redis-server :6379 (Info)"]);
        watch.listeners(at(20), std::slice::from_ref(&ssh));
        watch.listeners(at(3600), &[ssh, door.clone()]);
        assert_eq!(told(&mut watch), Vec::<String>::new(), "came again");
        watch.listeners(at(2 * 86_400), &[]);
        watch.listeners(at(2 * 86_400 + 10), &[door]);
        assert_eq!(told(&mut watch).len(), 1, "a day later it is new");
    }

    #[test]
    fn whoever_listens_stays_known_however_many_come_and_go() {
        let mut watch = Watch::default();
        let ssh = listener("sshd", "0.0.0.0:22");
        watch.listeners(at(0), std::slice::from_ref(&ssh));
        for round in 1..4 {
            let first = 1000 + 2000 * round;
            let many = (first..first + 900).map(|port| listener("ftpd", &format!("0.0.0.0:{port}")));
            let found: Vec<Listener> = many.chain([ssh.clone(), listener("node", "0.0.0.0:45000")]).collect();
            watch.listeners(at(i64::from(round) * 10), &found);
            let told = told(&mut watch);
            assert_eq!(told.len(), 900, "each once");
            assert!(
                !told.iter().any(|line| line.contains("sshd") || line.contains(":45000")),
                "neither what was there nor what passes"
            );
        }
    }

    #[test]
    fn accounts_and_checks_that_change_are_events_and_the_posture_is_written_twice_a_day() {
        let check = |passed| PostureCheck {
            title: "Passwords are hidden".to_owned(),
            passed,
            severity: Severity::Critical,
            evidence: "/etc/shadow has mode 644".to_owned(),
            advice: String::new(),
        };
        let posture = |passed, accounts: &[&str]| Posture {
            checks: vec![check(passed)],
            accounts: accounts.iter().map(|a| (*a).to_owned()).collect(),
            ..Posture::default()
        };
        let mut watch = Watch::default();
        watch.posture(at(0), posture(true, &["root"]));
        assert_eq!(told(&mut watch), ["posture of 1"]);
        watch.posture(at(600), posture(true, &["root"]));
        assert_eq!(told(&mut watch), Vec::<String>::new());
        watch.posture(at(1200), posture(false, &["root", "eve"]));
        let opened = "check no longer holds: Passwords are hidden (Critical)";
        assert_eq!(told(&mut watch), ["account added: eve (Warning)", opened, "posture of 1"]);
        watch.posture(at(1800), posture(false, &[]));
        assert_eq!(told(&mut watch), ["posture of 1"], "a list that cannot be read removes nobody");
        watch.posture(at(1800 + 12 * 3600), posture(false, &[]));
        assert_eq!(told(&mut watch), ["posture of 1"]);
    }

    #[test]
    fn an_event_of_high_severity_feeds_rules_for_ten_minutes_and_others_do_not() {
        let mut watch = Watch::default();
        let entry = |severity, second: i64| {
            let (kind, subject) = (SecurityEvent::OPENED.to_owned(), "root may log in with a password".to_owned());
            let seen =
                SecurityEvent { at: at(second), kind, severity, subject, from: String::new(), evidence: String::new(), n: 1 };
            JournalEntry { at: at(second), event: JournalEvent::Security { seen } }
        };
        watch.alarm(at(0), &[entry(Severity::Warning, 0), entry(Severity::Critical, 0), entry(Severity::Critical, 0)]);
        let fed: Vec<String> = watch.fed().map(|(key, _)| key.to_string()).collect();
        assert_eq!(fed, ["security_event{event=\"check no longer holds\",subject=\"root may log in with a password\"}"]);
        watch.alarm(at(599), &[]);
        assert_eq!(watch.fed().count(), 1);
        watch.alarm(at(600), &[]);
        assert_eq!(watch.fed().count(), 0);
    }
}
