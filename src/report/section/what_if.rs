//! How far each resource would reach if the load grew.
//!
//! A sizing rule, not a forecast: every use grows by the same share. Invariant: absent where no growth was asked for.

use crate::base::Unit;
use crate::report::context::Context;
use crate::report::document::{Cell, FactsLook, Level, Section, Table};

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let growth = f64::from(context.spec.growth_percent) / 100.0;
    section.facts_look = FactsLook::InTables;
    section.fact("what_if.growth", "Growth", Some(growth), Unit::Ratio);
    let mut table = Table::grid(
        "resources",
        &[
            ("level", ""),
            ("series", "Resource"),
            ("p95", "95 % now"),
            ("grown", "95 % then"),
            ("limit", "Limit"),
            ("verdict", "Verdict"),
        ],
    )
    .titled("If everything grew by the same share")
    .or("Ask with --growth 20.");
    if growth > 0.0 {
        for series in context.bounded() {
            let (Some(p95), Some(limit)) = (series.stats.p95, series.limit) else { continue };
            let grown = p95 * (1.0 + growth);
            let (level, verdict) = match grown / limit {
                share if share >= 1.0 => (Level::Critical, "does not fit"),
                share if share >= 0.9 => (Level::Warning, "hardly fits"),
                _ => (Level::Ok, "fits"),
            };
            let unit = series.def.unit;
            table.rows.push(vec![
                Cell::Level(level),
                Cell::Series(series.key.clone()),
                Cell::Number(Some(p95), unit),
                Cell::Number(Some(grown), unit),
                Cell::Number(Some(limit), unit),
                Cell::Text(verdict.to_owned()),
            ]);
        }
    }
    section.count(
        "what_if.short",
        "Would not fit",
        table.rows.iter().filter(|r| matches!(r.first(), Some(Cell::Level(Level::Critical)))).count(),
    );
    section.tables.push(table);
}
