//! Who is logged in.
//!
//! From systemd's `/run/systemd/sessions`, else from `/run/utmp`; every five seconds. Invariant: a user's name is shown,
//! where they come from and what they type is not.

use std::collections::BTreeMap;
use std::time::Duration;

use super::gauges::{Found, Gauges, Plan};
use super::parse::{label, lines};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, Host, MetricDef, Source};

pub(super) const METRICS: &[MetricDef] =
    &[MetricDef::gauge("sessions", Unit::Count, "Sessions of people who are logged in; by user.")
        .by(&["user"])
        .good(GoodDirection::Neither)];

const PLAN: Plan =
    Plan { name: "session", metrics: METRICS, what: "users", period: Duration::from_secs(5), retry: Duration::from_secs(60) };

const FOLDER: &str = "/run/systemd/sessions";

/// Most sessions read: each is a file.
const MOST: usize = 512;

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    Gauges::boxed(start, &start.lane, PLAN, |ask| {
        let mut found = Found::default();
        if let Some(users) = of_systemd(ask.host).or_else(|| of_utmp(ask.host)) {
            for (user, n) in &users {
                found.gauge(&METRICS[0], &[user], f64::from(*n));
            }
            // Nobody is a number too.
            found.gauge(&METRICS[0], &[], f64::from(users.values().sum::<u32>()));
        }
        found
    })
}

fn of_systemd(host: &dyn Host) -> Option<BTreeMap<String, u32>> {
    let (mut names, mut text) = (Vec::new(), Vec::new());
    host.list(FOLDER, &mut names).ok()?;
    let mut users = BTreeMap::new();
    // Beside each file lies a pipe, `ID.ref`, which must not be read.
    for name in names.iter().filter(|name| !name.contains('.')).take(MOST) {
        if host.read(&format!("{FOLDER}/{name}"), &mut text).is_err() {
            continue;
        }
        let field = |wanted: &[u8]| lines(&text).find_map(|line| line.strip_prefix(wanted));
        // `manager` and `background` are the system's own; a login screen is nobody yet.
        if field(b"CLASS=").is_some_and(|class| class.starts_with(b"user"))
            && let Some(user) = field(b"USER=")
        {
            *users.entry(label(user)).or_insert(0) += 1;
        }
    }
    Some(users)
}

/// Length, type and user of `struct utmp` (utmp(5)) where `time_t` is kept in 32 bits, as on every 64-bit Linux.
const RECORD: usize = 384;
const USER: std::ops::Range<usize> = 44..76;
const USER_PROCESS: [u8; 2] = 7_u16.to_ne_bytes();

fn of_utmp(host: &dyn Host) -> Option<BTreeMap<String, u32>> {
    let mut bytes = Vec::new();
    host.read("/run/utmp", &mut bytes).ok()?;
    let mut users = BTreeMap::new();
    for record in bytes.chunks_exact(RECORD).take(MOST).filter(|record| record.starts_with(&USER_PROCESS)) {
        let name = record.get(USER).unwrap_or_default();
        let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
        if let Some(name) = name.get(..end).filter(|name| !name.is_empty()) {
            *users.entry(label(name)).or_insert(0) += 1;
        }
    }
    Some(users)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, total, value};
    use super::*;

    #[test]
    fn people_count_and_the_system_does_not() {
        let mut script = Script::new(make);
        for (id, text) in [
            ("1", "UID=1000\nUSER=ana\nCLASS=user\nREMOTE_HOST=10.0.0.1\n"),
            ("2", "UID=1000\nUSER=ana\nCLASS=user-early\n"),
            ("3", "UID=0\nUSER=root\nCLASS=user\n"),
            ("4", "UID=1000\nUSER=ana\nCLASS=manager\n"),
            ("1.ref", "USER=pipe\nCLASS=user\n"),
        ] {
            script.file(&format!("{FOLDER}/{id}"), text);
        }
        let round = script.round_until(|r| !r.readings.is_empty());
        assert_eq!((value(&round, r#"sessions{user="ana"}"#), value(&round, r#"sessions{user="root"}"#)), (Some(2.0), Some(1.0)));
        assert_eq!((total(&round, "sessions"), round.readings.len()), (Some(3.0), 3));
    }

    #[test]
    fn without_systemd_the_table_of_logins_is_read() {
        let mut script = Script::new(make);
        let record = |kind: u16, user: &str| {
            let mut bytes = vec![0; RECORD];
            bytes[..2].copy_from_slice(&kind.to_ne_bytes());
            bytes[USER.start..USER.start + user.len()].copy_from_slice(user.as_bytes());
            bytes
        };
        let mut bytes = [record(7, "ana"), record(8, "gone"), record(7, "bo\x1b")].concat();
        bytes.extend([7, 0, 1]);
        script.bytes("/run/utmp", &bytes);
        let round = script.round_until(|r| !r.readings.is_empty());
        assert_eq!((value(&round, r#"sessions{user="bo?"}"#), total(&round, "sessions")), (Some(1.0), Some(2.0)));
    }
}
