//! How well the machine is closed: checks, what does not hold first.
//!
//! Invariant: what could not be looked at is a row of its own that neither passes nor fails.

use crate::base::Unit;
use crate::report::context::Context;
use crate::report::document::{Cell, FactsLook, Level, Section, Table};

const NOT_OBSERVED: &str = "Not observed: nobody looked at the posture in the day before the end.";

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let posture = context.facts.security.as_ref().and_then(|s| s.posture.as_ref()).map(|(_, posture)| posture);
    section.facts_look = FactsLook::InTables;
    section.fact("posture.checks", "Checks", posture.map(|p| p.checks.len() as f64), Unit::Count);
    let failed = posture.map(|p| p.checks.iter().filter(|c| !c.passed).count() as f64);
    section.fact("posture.failed", "of them failed", failed, Unit::Count);
    let columns = [("level", ""), ("check", "Check"), ("evidence", "Evidence"), ("advice", "What to do")];
    let mut checks = Table::grid("checks", &columns).or(NOT_OBSERVED);
    let mut all: Vec<_> = posture.iter().flat_map(|p| &p.checks).collect();
    all.sort_by(|a, b| (a.passed, b.severity, &a.title).cmp(&(b.passed, a.severity, &b.title)));
    for check in all {
        let level = if check.passed { Level::Ok } else { check.severity.into() };
        let advice = if check.passed { String::new() } else { check.advice.clone() };
        let texts = [check.title.clone(), check.evidence.clone(), advice];
        checks.rows.push(std::iter::once(Cell::Level(level)).chain(texts.map(Cell::Text)).collect());
    }
    for unseen in posture.iter().flat_map(|p| &p.unseen) {
        let texts = ["Not observed".to_owned(), unseen.clone(), String::new()];
        checks.rows.push(std::iter::once(Cell::Level(Level::Unknown)).chain(texts.map(Cell::Text)).collect());
    }
    section.tables.push(checks);
}
