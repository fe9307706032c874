//! Security events by kind, the worst first, and who came in.
//!
//! Invariant: one row an event; the access log is the events of logins.

use std::collections::BTreeMap;

use crate::base::Unit;
use crate::report::context::Context;
use crate::report::document::{BarRow, Bars, Cell, Chart, FactsLook, Level, Section, Table};

/// What is said where no source of events is on.
const NOT_OBSERVED: &str = "Not observed: no source of security events is on.";

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let columns =
        [("level", ""), ("at", "When"), ("kind", "Kind"), ("subject", "Who or what"), ("from", "From"), ("evidence", "Evidence")];
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
        (*n, *worst) = (*n + 1.0, (*worst).max(event.severity.into()));
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
        ];
        if event.is_access() { access.rows.push(row) } else { events.rows.push(row) }
    }
    section.tables.extend([events, access]);
}
