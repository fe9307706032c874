//! What changed on the machine lately: units, package managers, listeners, logins, kills for memory.
//!
//! Seen in what every tick brings anyway; nothing is read for it. Invariant: what was there at the first look is no change.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Timestamp, format_duration};
use crate::check::Discovered;
use crate::model::{Culprit, HostFacts, Process, ProcessChange, Reading, SecurityEvent, ServiceState, ServiceStatus, Severity};

/// How long before an alert a change may have led to it.
const RECENT: Duration = Duration::from_secs(900);

/// How long changes are remembered: what they changed for good is known half a day later, and sooner than after a day.
const KEPT: Duration = Duration::from_secs(26 * 3600);

/// Most changes remembered, some eighty bytes each.
const MOST: usize = 256;

/// How long before and after the moment of a new level what led to it is looked for: the moment is known to some minutes.
const LED_TO: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(180));

/// Changes named in an alert.
const NAMED: usize = 5;

/// The same change again within this time is the one before: package managers start each other, a unit fails and starts again.
const AGAIN: Duration = Duration::from_secs(120);

/// Signs of a command line that are kept as evidence: enough for what was installed.
const EVIDENCE: usize = 120;

/// Programs that change what is installed.
const PACKAGE_MANAGERS: [&str; 16] = [
    "apk",
    "apt",
    "apt-get",
    "aptitude",
    "dnf",
    "dnf5",
    "dpkg",
    "emerge",
    "flatpak",
    "pacman",
    "rpm",
    "snap",
    "unattended-upgr",
    "xbps-install",
    "yum",
    "zypper",
];

/// One change.
#[derive(Debug)]
struct Change {
    at: Timestamp,
    /// What it is about: a unit, a program.
    subject: String,
    /// What happened to it.
    verb: &'static str,
}

/// What changed lately.
#[derive(Debug, Default)]
pub struct Changes {
    /// Oldest first.
    seen: VecDeque<Change>,
    /// Listeners by name, once they were looked for.
    listeners: Option<BTreeSet<String>>,
    /// Sessions by user, once they were read.
    sessions: Option<BTreeMap<String, f64>>,
    /// Of them what concerns security, not taken yet.
    security: Vec<SecurityEvent>,
}

impl Changes {
    /// Takes in what a tick changed among the processes; `before` are those of the tick before.
    pub fn processes(&mut self, at: Timestamp, before: &[Arc<Process>], change: &ProcessChange) {
        // The first look finds all of them.
        if before.is_empty() {
            return;
        }
        let known = |p: &Process| before.binary_search_by_key(&p.id, |b| b.id).is_ok();
        let new: Vec<&Arc<Process>> = change.changed.iter().filter(|p| !known(p)).collect();
        for process in &new {
            if PACKAGE_MANAGERS.contains(&&*process.name) && self.note(at, process.name.to_string(), "ran") {
                let command: String = process.command.chars().take(EVIDENCE).collect();
                let evidence = format!("{} ran {command}", process.user);
                self.secure(at, SecurityEvent::PACKAGES, &process.name, evidence);
            }
        }
        if new.is_empty() && change.gone.is_empty() {
            return;
        }
        self.units(at, before, (&new, change));
    }

    /// A unit began when its first process came, and stopped when its last one went.
    fn units(&mut self, at: Timestamp, before: &[Arc<Process>], (new, change): (&[&Arc<Process>], &ProcessChange)) {
        let gone = |p: &Process| change.gone.binary_search(&p.id).is_ok() || change.gone.contains(&p.id);
        let lost = change.gone.iter().filter_map(|id| before.binary_search_by_key(id, |p| p.id).ok().and_then(|i| before.get(i)));
        let touched: BTreeSet<&Arc<str>> = lost.chain(new.iter().copied()).filter_map(|p| p.unit.as_ref()).collect();
        for unit in touched {
            let of_unit = |p: &&Arc<Process>| p.unit.as_ref() == Some(unit);
            let had = before.iter().any(|p| of_unit(&p));
            let stays = before.iter().any(|p| of_unit(&p) && !gone(p));
            let comes = new.iter().any(of_unit);
            let verb = match (had, stays, comes) {
                (_, true, _) => continue,
                (true, false, true) => "restarted",
                (true, false, false) => "stopped",
                (false, false, _) if self.stopped_lately(at, unit) => "restarted",
                (false, false, _) => "started",
            };
            self.note(at, unit.to_string(), verb);
        }
    }

    fn stopped_lately(&self, at: Timestamp, unit: &str) -> bool {
        self.seen.iter().any(|c| c.subject == unit && c.verb != "started" && at.since(c.at) <= AGAIN)
    }

    /// Takes in a tick's readings, sorted by key: who logged in, and whether the kernel killed for memory.
    pub fn readings(&mut self, at: Timestamp, readings: &[Reading]) {
        let of = |metric: &'static str| {
            let from = readings.partition_point(|r| r.key.metric() < metric);
            readings.iter().skip(from).take_while(move |r| r.key.metric() == metric)
        };
        if of("oom_kills_per_second").any(|r| r.value > 0.0)
            && self.note(at, "the kernel".to_owned(), "killed a process for lack of memory")
        {
            self.secure(at, SecurityEvent::KILLED, "the kernel", "oom_kills_per_second above 0".to_owned());
        }
        let mut sessions = of("sessions").peekable();
        if sessions.peek().is_none() {
            return;
        }
        let now: BTreeMap<String, f64> = sessions.filter_map(|r| Some((r.key.label("user")?.to_owned(), r.value))).collect();
        if let Some(before) = self.sessions.take() {
            for (user, n) in &now {
                let known = before.get(user).copied().unwrap_or_default();
                if *n > known {
                    self.note(at, user.clone(), "logged in");
                    self.secure(at, SecurityEvent::LOGIN, user, format!("sessions: {known} before, {n} now"));
                }
            }
            for (user, known) in &before {
                let n = now.get(user).copied().unwrap_or_default();
                if n < *known {
                    self.secure(at, SecurityEvent::LOGOUT, user, format!("sessions: {known} before, {n} now"));
                }
            }
        }
        self.sessions = Some(now);
    }

    /// Takes in who listens.
    pub fn listeners(&mut self, at: Timestamp, found: &[Discovered]) {
        let now: BTreeSet<String> = found.iter().filter(|d| d.kind == "tcp").map(|d| d.name.clone()).collect();
        if let Some(before) = self.listeners.take() {
            for name in now.difference(&before) {
                self.note(at, name.clone(), "began to listen");
            }
        }
        self.listeners = Some(now);
    }

    /// What concerns security since it was last taken.
    pub fn take_security(&mut self) -> Vec<SecurityEvent> {
        std::mem::take(&mut self.security)
    }

    fn secure(&mut self, at: Timestamp, kind: &str, subject: &str, evidence: String) {
        let severity = if kind == SecurityEvent::KILLED { Severity::Warning } else { Severity::Info };
        let (kind, subject) = (kind.to_owned(), subject.to_owned());
        self.security.push(SecurityEvent { at, kind, severity, subject, from: String::new(), evidence, n: 1 });
    }

    /// Notes that something happened; again within [`AGAIN`] it replaces what was said of it, and is not new.
    pub fn note(&mut self, at: Timestamp, subject: String, verb: &'static str) -> bool {
        while self.seen.front().is_some_and(|c| at.since(c.at) > KEPT) || self.seen.len() >= MOST {
            self.seen.pop_front();
        }
        let package = |s: &str| PACKAGE_MANAGERS.contains(&s);
        let same = |c: &Change| c.subject == subject || (verb == "ran" && c.verb == verb && package(&subject));
        let known = self.seen.iter_mut().rev().find(|c| same(c) && at.since(c.at) <= AGAIN);
        let is_new = known.is_none();
        match known {
            // Who began it stays named; the end moves on.
            Some(known) if verb == "ran" => known.at = at,
            Some(known) => (known.at, known.verb) = (at, verb),
            None => self.seen.push_back(Change { at, subject, verb }),
        }
        is_new
    }

    /// What changed next to a moment, if anything did (`postgres restarted`).
    pub fn around(&self, at: Timestamp) -> Option<String> {
        let near = self.seen.iter().filter(|c| c.at >= at - LED_TO.0 && c.at <= at + LED_TO.1);
        near.min_by_key(|c| c.at.0.abs_diff(at.0)).map(|c| format!("{} {}", c.subject, c.verb))
    }

    /// The changes shortly before `at`: those about a culprit first, then the newest. Services that went down and the start of the
    /// machine are among them.
    pub fn before(&self, at: Timestamp, around: &Around<'_>) -> Vec<String> {
        let is_recent = |then: Timestamp| then <= at && at.since(then) <= RECENT;
        let ago = |then: Timestamp| match at.since(then) {
            now if now < Duration::from_secs(1) => "at that second".to_owned(),
            past => format!("{} before", format_duration(past)),
        };
        let about = |subject: &str| around.culprits.iter().any(|c| c.unit.as_deref() == Some(subject) || c.name == subject);
        let mut told: Vec<(bool, Timestamp, String)> = Vec::new();
        for change in self.seen.iter().filter(|c| is_recent(c.at)) {
            told.push((about(&change.subject), change.at, format!("{} {} {}", change.subject, change.verb, ago(change.at))));
        }
        for culprit in around.culprits {
            let process = around.processes.iter().find(|p| p.id.pid == culprit.pid);
            if let Some(then) = process.and_then(|p| p.started_at).filter(|then| is_recent(*then)) {
                told.push((true, then, format!("{} (pid {}) started {}", culprit.name, culprit.pid, ago(then))));
            }
        }
        let others = around.services.iter().filter(|s| s.state == ServiceState::Offline && Some(&*s.name) != around.subject);
        for (service, then) in others.filter_map(|s| Some((s, s.since.filter(|then| is_recent(*then))?))) {
            told.push((false, then, format!("{} went down {}", service.name, ago(then))));
        }
        if let Some(then) = around.host.booted_at.filter(|then| is_recent(*then)) {
            told.push((false, then, format!("the machine was started {}", ago(then))));
        }
        told.sort_by_key(|(about, at, _)| std::cmp::Reverse((*about, *at)));
        told.truncate(NAMED);
        told.into_iter().map(|(_, _, text)| text).collect()
    }
}

/// What stands around an alert when it fires.
pub struct Around<'a> {
    /// Who is to blame, where anybody is.
    pub culprits: &'a [Culprit],
    /// All processes.
    pub processes: &'a [Arc<Process>],
    /// All services.
    pub services: &'a [ServiceStatus],
    /// The service the alert is about.
    pub subject: Option<&'a str>,
    /// The machine.
    pub host: &'a HostFacts,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ProcessId, SeriesKey};

    fn process(pid: u32, name: &str, unit: &str) -> Arc<Process> {
        let unit = (!unit.is_empty()).then(|| unit.into());
        Arc::new(Process { id: ProcessId { pid, started: 1 }, name: name.into(), unit, ..Process::default() })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(10_000 + second)
    }

    /// The processes of a machine, second by second, and what changed.
    #[derive(Default)]
    struct Course {
        changes: Changes,
        all: Arc<[Arc<Process>]>,
    }

    impl Course {
        fn tick(&mut self, second: i64, new: &[Arc<Process>], gone: &[u32]) {
            let gone = gone.iter().map(|pid| ProcessId { pid: *pid, started: 1 }).collect();
            let change = ProcessChange { changed: new.to_vec(), gone, ..ProcessChange::default() };
            self.changes.processes(at(second), &self.all, &change);
            self.all = change.apply(&self.all);
        }

        fn told(&self, second: i64, culprits: &[Culprit]) -> Vec<String> {
            let host = HostFacts::default();
            let around = Around { culprits, processes: &self.all, services: &[], subject: None, host: &host };
            self.changes.before(at(second), &around)
        }
    }

    #[test]
    fn units_that_start_stop_and_come_again_are_told_and_those_that_were_there_are_not() {
        let mut course = Course::default();
        course.tick(0, &[process(1, "systemd", ""), process(20, "nginx", "nginx"), process(21, "nginx", "nginx")], &[]);
        assert_eq!(course.told(1, &[]), Vec::<String>::new());
        course.tick(10, &[process(22, "nginx", "nginx")], &[21]);
        assert_eq!(course.told(10, &[]), Vec::<String>::new(), "a worker is no unit");
        course.tick(20, &[], &[20, 22]);
        assert_eq!(course.told(25, &[]), ["nginx stopped 5 s before"]);
        course.tick(30, &[process(30, "nginx", "nginx")], &[]);
        course.tick(40, &[process(40, "cron", "backup")], &[]);
        assert_eq!(course.told(60, &[]), ["backup started 20 s before", "nginx restarted 30 s before"]);
        assert_eq!(course.told(2000, &[]), Vec::<String>::new(), "long past");
    }

    #[test]
    fn package_managers_are_told_once_and_a_culprits_change_comes_first() {
        let mut course = Course::default();
        course.tick(0, &[process(1, "systemd", "")], &[]);
        course.tick(10, &[process(9, "shop", "shop")], &[]);
        course.tick(60, &[process(50, "apt-get", "")], &[]);
        course.tick(61, &[process(51, "dpkg", "")], &[50]);
        let shop = Culprit { name: "shop".to_owned(), pid: 9, unit: Some("shop".to_owned()), value: 1.0, change: None };
        assert_eq!(course.told(61, &[shop]), ["shop started 51 s before", "apt-get ran at that second"]);
    }

    #[test]
    fn logins_listeners_and_kills_for_memory_are_seen() {
        let mut changes = Changes::default();
        let sessions = |n: f64| {
            let reading = |key: &str, value| Reading { key: key.parse().expect(key), value, cumulative: None };
            vec![reading("oom_kills_per_second", 0.0), reading("sessions", n), reading("sessions{user=\"ana\"}", n)]
        };
        changes.readings(at(0), &sessions(1.0));
        changes.readings(at(1), &sessions(2.0));
        changes.readings(at(2), &[Reading { key: SeriesKey::total("oom_kills_per_second"), value: 1.0, cumulative: None }]);
        let found = |name: &str| Discovered {
            name: name.to_owned(),
            kind: "tcp",
            target: String::new(),
            state: ServiceState::Online,
            message: String::new(),
            unit: None,
        };
        changes.listeners(at(0), &[found("sshd :22")]);
        changes.listeners(at(3), &[found("sshd :22"), found("nc :4444")]);
        let host = HostFacts { booted_at: Some(at(-60)), ..HostFacts::default() };
        let around = Around { culprits: &[], processes: &[], services: &[], subject: None, host: &host };
        assert_eq!(
            changes.before(at(4), &around),
            [
                "nc :4444 began to listen 1 s before",
                "the kernel killed a process for lack of memory 2 s before",
                "ana logged in 3 s before",
                "the machine was started 1 min before",
            ]
        );
    }
}
