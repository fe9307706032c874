//! Security events by kind, the worst first, who came in, and from where.
//!
//! Invariant: one row an event; the access log is the events of logins. An event may stand for several of the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Timestamp, Unit};
use crate::model::{LogTopic, SecurityEvent, SecurityFacts};
use crate::report::context::Context;
use crate::report::document::{BarRow, Bars, Cell, Chart, FactsLook, Level, Section, Table};

/// What is said where no source of events is on.
const NOT_OBSERVED: &str = "Not observed: no source of security events is on.";

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let columns = [
        ("level", ""),
        ("at", "When"),
        ("kind", "Kind"),
        ("subject", "Who or what"),
        ("from", "From"),
        ("evidence", "Evidence"),
        ("n", "Times"),
    ];
    let observed = context.facts.security.as_ref();
    section.facts_look = FactsLook::InTables;
    section.fact("events.count", "Events", observed.map(|s| s.events.len() as f64), Unit::Count);
    let empty = |nothing| if observed.is_some() { nothing } else { NOT_OBSERVED };
    let mut events = Table::grid("events", &columns).titled("Events").or(empty("No event was seen."));
    let mut access = Table::grid("access", &columns).titled("Access log").or(empty("Nobody logged in or tried to."));
    let mut all: Vec<_> = observed.iter().flat_map(|s| &s.events).collect();
    all.sort_by(|a, b| (b.severity, a.at, &a.subject).cmp(&(a.severity, b.at, &b.subject)));
    let mut kinds: BTreeMap<&str, (f64, Level)> = BTreeMap::new();
    for event in &all {
        let (n, worst) = kinds.entry(event.kind.as_str()).or_insert((0.0, Level::Info));
        (*n, *worst) = (*n + f64::from(event.n), (*worst).max(event.severity.into()));
    }
    let rows = kinds.into_iter().map(|(kind, (n, level))| BarRow { name: kind.to_owned(), values: vec![n], level: Some(level) });
    let bars = Bars { unit: Unit::Count, names: Vec::new(), rows: rows.collect() };
    section.charts.extend(Chart::bars("Events by kind", context.range(), bars));
    for event in all {
        let row = vec![
            Cell::Level(event.severity.into()),
            Cell::Time(Some(event.at)),
            Cell::Text(event.kind.clone()),
            Cell::Text(event.subject.clone()),
            Cell::Text(event.from.clone()),
            Cell::Text(event.evidence.clone()),
            Cell::Number(Some(f64::from(event.n)), Unit::Count),
        ];
        if event.is_access() { access.rows.push(row) } else { events.rows.push(row) }
    }
    section.tables.extend([events, access, origins(observed)]);
}

/// Where logins and tries came from, the most first.
fn origins(observed: Option<&SecurityFacts>) -> Table {
    let columns = [("from", "From"), ("logins", "Logins"), ("failed", "Failed"), ("accounts", "As"), ("last", "Last")];
    let hears = observed.is_some_and(|s| s.hears(LogTopic::Access));
    let nothing = if hears { "Nobody came from elsewhere." } else { "Not observed: no log of logins could be read." };
    let mut table = Table::grid("origins", &columns).titled("Where logins come from").or(nothing);
    let mut origins: BTreeMap<&str, Origin<'_>> = BTreeMap::new();
    for event in observed.iter().flat_map(|s| &s.events).filter(|e| !e.from.is_empty()) {
        let origin = origins.entry(&event.from).or_default();
        match event.kind.as_str() {
            SecurityEvent::LOGIN => origin.logins += event.n,
            SecurityEvent::LOGIN_FAILED => origin.failed += event.n,
            _ => continue,
        }
        origin.accounts.extend(event.subject.split(", "));
        origin.last = origin.last.max(Some(event.at));
    }
    let mut origins: Vec<_> = origins.into_iter().filter(|(_, o)| o.last.is_some()).collect();
    origins.sort_by_key(|(from, o)| (std::cmp::Reverse(o.logins + o.failed), *from));
    table.rows = origins
        .into_iter()
        .map(|(from, origin)| {
            let count = |n: u32| Cell::Number(Some(f64::from(n)), Unit::Count);
            let accounts = origin.accounts.into_iter().collect::<Vec<_>>().join(", ");
            vec![
                Cell::Text(from.to_owned()),
                count(origin.logins),
                count(origin.failed),
                Cell::Text(accounts),
                Cell::Time(origin.last),
            ]
        })
        .collect();
    table
}

/// What came from one address.
#[derive(Default)]
struct Origin<'a> {
    logins: u32,
    failed: u32,
    accounts: BTreeSet<&'a str>,
    last: Option<Timestamp>,
}
