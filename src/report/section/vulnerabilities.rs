//! Security updates that wait, as the newest list on the machine tells them.
//!
//! Invariant: nothing is said to be mended without the date of the list.

use crate::base::Unit;
use crate::report::context::Context;
use crate::report::document::{Cell, FactsLook, Section, Table};

const NOT_OBSERVED: &str = "Not observed: no list of security updates could be read.";

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    section.facts_look = FactsLook::InTables;
    let posture = context.facts.security.as_ref().and_then(|s| s.posture.as_ref()).map(|(_, posture)| posture);
    let known = posture.filter(|p| p.listed_at.is_some());
    section.fact("vulnerabilities.count", "Security updates waiting", known.map(|p| p.vulnerabilities.len() as f64), Unit::Count);
    let columns = [("package", "Package"), ("installed", "Installed"), ("mended", "Mended in"), ("listed_at", "By the list of")];
    let empty = if known.is_some() { "No security update waits." } else { NOT_OBSERVED };
    let mut table = Table::grid("vulnerabilities", &columns).or(empty);
    let mut all: Vec<_> = known.iter().flat_map(|p| &p.vulnerabilities).collect();
    all.sort_by(|a, b| a.package.cmp(&b.package));
    for one in all {
        let texts = [&one.package, &one.installed, &one.mended].map(|t| Cell::Text(t.clone()));
        table.rows.push(texts.into_iter().chain([Cell::Time(known.and_then(|p| p.listed_at))]).collect());
    }
    section.tables.push(table);
}
