//! How well the machine is closed: checks, known vulnerabilities, and what threatens it most.
//!
//! Invariant: a hypothesis stands with its evidence; without evidence there is none.

use std::collections::BTreeMap;

use crate::base::Unit;
use crate::model::Severity;
use crate::report::context::Context;
use crate::report::document::{Cell, FactsLook, Level, Section, Table};
use crate::report::text;

const NOT_OBSERVED: &str = "Not observed: no posture check is on.";

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let observed = context.facts.security.as_ref();
    section.facts_look = FactsLook::InTables;
    section.fact("posture.checks", "Checks", observed.map(|s| s.checks.len() as f64), Unit::Count);
    let failed = observed.map(|s| s.checks.iter().filter(|c| !c.passed).count() as f64);
    section.fact("posture.failed", "of them failed", failed, Unit::Count);
    let mut checks =
        Table::grid("checks", &[("level", ""), ("check", "Check"), ("evidence", "Evidence"), ("advice", "What to do")])
            .titled("Posture and vulnerabilities")
            .or(NOT_OBSERVED);
    let mut all: Vec<_> = observed.iter().flat_map(|s| &s.checks).collect();
    all.sort_by(|a, b| (a.passed, b.severity, &a.title).cmp(&(b.passed, a.severity, &b.title)));
    for check in all {
        let level = if check.passed { Level::Ok } else { check.severity.into() };
        let advice = if check.passed { String::new() } else { check.advice.clone() };
        let texts = [check.title.clone(), check.evidence.clone(), advice];
        checks.rows.push(std::iter::once(Cell::Level(level)).chain(texts.map(Cell::Text)).collect());
    }
    section.tables.push(checks);
    section.tables.push(threats(context));
}

/// Kinds of events ranked by the worst severity, then by how often they were seen.
fn threats(context: &Context<'_>) -> Table {
    let observed = context.facts.security.as_ref();
    let empty =
        if observed.is_some() { "Nothing points to a threat." } else { "Not observed: no source of security events is on." };
    let mut table = Table::statements("threats").titled("Threats, most likely first").or(empty);
    let mut kinds: BTreeMap<&str, (Severity, usize, &str)> = BTreeMap::new();
    for event in observed.iter().flat_map(|s| &s.events).filter(|e| e.severity > Severity::Info) {
        let entry = kinds.entry(event.kind.as_str()).or_insert((event.severity, 0, event.evidence.as_str()));
        entry.0 = entry.0.max(event.severity);
        entry.1 += 1;
    }
    let mut ranked: Vec<_> = kinds.into_iter().collect();
    ranked.sort_by(|a, b| (b.1.0, b.1.1, a.0).cmp(&(a.1.0, a.1.1, b.0)));
    for (kind, (severity, n, evidence)) in ranked {
        table.say(severity.into(), format!("{kind}: {}.", text::plural(n, "event")), evidence);
    }
    table
}
