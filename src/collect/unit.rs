//! Units of systemd: how many are in which state, which are not well, how often services were restarted.
//!
//! Through `systemctl`, every thirty seconds on the thread for programs: one run costs some twenty milliseconds. What a unit uses
//! is in `group`. Invariant: only a unit that is not simply active or inactive has a state of its own.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::time::Duration;

use super::gauges::{Ask, Found, Gauges, Plan, SELDOM};
use super::parse::{label, lines, number, words};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, Host, MetricDef, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge(
        "unit_state",
        Unit::Count,
        "1 for the state a unit of systemd is in; absent where it is active or inactive.",
    )
    .by(&["state", "unit"])
    .within(Some(0.0), Some(1.0)),
    MetricDef::gauge("units", Unit::Count, "Units of systemd in a state.").by(&["state"]).good(GoodDirection::Neither),
    MetricDef::gauge(
        "unit_restarts",
        Unit::Count,
        "How often systemd restarted a service by itself; absent for never, 0 once before the first time is told.",
    )
    .by(&["unit"]),
];

const PLAN: Plan = Plan { name: "unit", metrics: METRICS, what: "units", period: Duration::from_secs(30), retry: SELDOM };

/// ActiveStates of systemd (org.freedesktop.systemd1(5)); each has a count, also where it is 0.
const STATES: [&str; 7] = ["active", "activating", "deactivating", "failed", "inactive", "maintenance", "reloading"];

/// Restarts are asked for every so many times: systemd is asked for each service's properties, which costs ten times the list.
const RESTARTS_EVERY: u32 = 10;

/// It answers in milliseconds unless the machine hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// This folder is there where systemd is the first process (sd_booted(3)).
const BOOTED: &str = "/run/systemd/system";

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    let mut restarts = Restarts::default();
    Gauges::boxed(start, &start.programs, PLAN, move |ask| read(ask, &mut restarts))
}

/// What `systemctl` said of restarts last.
#[derive(Default)]
struct Restarts {
    askings: u32,
    said: Vec<u8>,
    /// Services that were never restarted when they were last asked for.
    never: HashSet<String>,
}

fn read(ask: &Ask<'_>, known: &mut Restarts) -> Found {
    let (mut found, mut names) = (Found::default(), Vec::new());
    if ask.host.list(BOOTED, &mut names).is_err() {
        return found;
    }
    let list = ["list-units", "--all", "--plain", "--no-legend", "--no-pager", "--full"];
    if let Some(text) = run(ask.host, &list, &mut found) {
        states(&text, &mut found);
    }
    let show = ["show", "--no-pager", "--property=Id", "--property=NRestarts", "*.service"];
    if known.askings.is_multiple_of(RESTARTS_EVERY)
        && let Some(text) = run(ask.host, &show, &mut found)
    {
        known.said = text;
    }
    known.askings = known.askings.wrapping_add(1);
    restarts(&known.said, &mut known.never, &mut found);
    found
}

fn run(host: &dyn Host, args: &[&str], found: &mut Found) -> Option<Vec<u8>> {
    match host.run("systemctl", args, PATIENCE) {
        Ok(text) => Some(text),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => None,
        Err(error) => {
            found.fault(format!("systemctl {}: {error}", args.first().unwrap_or(&"")));
            None
        }
    }
}

/// Lines `nginx.service loaded active running A web server`.
fn states(text: &[u8], found: &mut Found) {
    let mut counts = [0_u32; STATES.len()];
    for line in lines(text) {
        let mut fields = words(line);
        let (Some(unit), Some(active)) = (fields.next(), fields.nth(1)) else { continue };
        let Some(at) = STATES.iter().position(|state| state.as_bytes() == active) else { continue };
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
        let state = STATES.get(at).copied().unwrap_or_default();
        if !matches!(state, "active" | "inactive") {
            found.gauge(&METRICS[0], &[state, &label(unit)], 1.0);
        }
    }
    for (state, n) in STATES.iter().zip(counts) {
        found.gauge(&METRICS[1], &[state], f64::from(n));
    }
}

/// Pairs of lines `Id=nginx.service` and `NRestarts=0` in any order, an empty line between units. A service that was `never`
/// restarted and now is begins with 0, so that the first restarts are a change like any other; the next reading says how often.
fn restarts(text: &[u8], never: &mut HashSet<String>, found: &mut Found) {
    let (mut unit, mut n) = (None, None);
    for line in text.split(|b| *b == b'\n').chain([b"".as_slice()]) {
        if let Some(id) = line.strip_prefix(b"Id=") {
            unit = Some(label(id.strip_suffix(b".service").unwrap_or(id)));
        } else if let Some(count) = line.strip_prefix(b"NRestarts=") {
            n = number(count);
        } else if line.is_empty()
            && let (Some(unit), Some(n)) = (unit.take(), n.take())
        {
            match n {
                0 => drop(never.insert(unit)),
                _ if never.remove(&unit) => found.gauge(&METRICS[2], &[&unit], 0.0),
                _ => found.gauge(&METRICS[2], &[&unit], n as f64),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, mutated, value};
    use super::*;
    use proptest::prelude::*;

    const LIST: &str = "nginx.service loaded active running A web server\nbackup.service loaded failed failed Backup\n\
        a.mount loaded active mounted /a\napt.service loaded inactive dead Apt\nslow.service loaded activating start Slow\nodd\n";
    const SHOW: &str = "Id=nginx.service\nNRestarts=0\n\nNRestarts=3\nId=web.service\n\nId=odd.service\n\nNRestarts=9\n";

    #[test]
    fn units_that_are_not_well_are_named_and_all_are_counted() {
        let mut script = Script::new(make);
        script.file("/run/systemd/system/x", "");
        script.edit(|files| {
            files.programs.insert("systemctl --full".to_owned(), LIST.as_bytes().to_vec());
            files.programs.insert("systemctl *.service".to_owned(), SHOW.as_bytes().to_vec());
        });
        let round = script.round_until(|r| !r.readings.is_empty());
        for (state, n) in [("active", 2.0), ("failed", 1.0), ("inactive", 1.0), ("activating", 1.0), ("reloading", 0.0)] {
            assert_eq!(value(&round, &format!("units{{state=\"{state}\"}}")), Some(n), "{state}");
        }
        assert_eq!(value(&round, r#"unit_state{state="failed",unit="backup.service"}"#), Some(1.0));
        assert_eq!(value(&round, r#"unit_state{state="activating",unit="slow.service"}"#), Some(1.0));
        assert_eq!(value(&round, r#"unit_restarts{unit="web"}"#), Some(3.0));
        assert_eq!(round.readings.len(), STATES.len() + 3);
    }

    #[test]
    fn a_first_restart_between_two_looks_is_a_change_from_none() {
        let mut never = HashSet::new();
        let mut look = |text: &str| {
            let mut found = Found::default();
            restarts(text.as_bytes(), &mut never, &mut found);
            found.values.iter().map(|(_, value)| *value).collect::<Vec<f64>>()
        };
        assert_eq!(look("Id=a.service\nNRestarts=0\n\nId=b.service\nNRestarts=7\n"), [7.0]);
        let later = "Id=a.service\nNRestarts=3\n\nId=b.service\nNRestarts=8\n";
        assert_eq!(look(later), [0.0, 8.0]);
        assert_eq!(look(later), [3.0, 8.0]);
    }

    #[test]
    fn without_systemd_nothing_is_run() {
        let mut script = Script::new(make);
        script.round_until(|_| true);
        assert_eq!(script.edit(|files| files.runs), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(list in mutated(LIST), show in mutated(SHOW)) {
            states(&list, &mut Found::default());
            restarts(&show, &mut HashSet::new(), &mut Found::default());
        }
    }
}
