//! Every alert of the span, newest first.
//!
//! Invariant: one row an alert; grouping is the issues'.

use crate::base::Unit;
use crate::model::{Alert, AlertKind, Outcome, ReportKind};
use crate::report::context::Context;
use crate::report::document::{Cell, Section, Table};

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let mut table = Table::grid(
        "alerts",
        &[
            ("level", ""),
            ("id", "Id"),
            ("title", "Alert"),
            ("rule", "Rule"),
            ("series", "Series"),
            ("fired", "Fired"),
            ("resolved", "Over"),
            ("firing_seconds", "Within the span"),
            ("value", "Value"),
            ("limit", "Limit"),
            ("note", "Note"),
        ],
    )
    .or("No alert fired.");
    let concerns = |a: &&Alert| context.spec.kind != ReportKind::Security || a.kind == AlertKind::Security;
    table.rows = context.alerts().into_iter().filter(concerns).map(|alert| row(context, alert)).collect();
    section.tables.push(table);
}

fn row(context: &Context<'_>, alert: &Alert) -> Vec<Cell> {
    let finite = |v: f64| Some(v).filter(|v| v.is_finite());
    vec![
        Cell::Level(alert.severity.into()),
        Cell::Text(alert.id.clone()),
        Cell::Text(alert.title.clone()),
        Cell::Text(alert.rule.clone()),
        Cell::Series(alert.key.clone()),
        Cell::Time(alert.fired_at),
        Cell::Time(alert.resolved_at.filter(|t| *t <= context.range().to)),
        Cell::Number(Some(context.firing(alert).as_secs_f64()), Unit::Seconds),
        Cell::Number(finite(alert.value), alert.unit),
        Cell::Number(finite(alert.limit), alert.unit),
        Cell::Text(note(alert)),
    ]
}

/// What people decided about it.
fn note(alert: &Alert) -> String {
    let mut notes = Vec::new();
    if let Some(taken) = &alert.acknowledged {
        notes.push(format!("acknowledged by {}", taken.by));
    }
    if !alert.silenced_by.is_empty() {
        notes.push("silenced".to_owned());
    }
    match alert.feedback {
        Some(Outcome::Right) => notes.push("real".to_owned()),
        Some(Outcome::Wrong) => notes.push("false".to_owned()),
        None => {}
    }
    notes.join(", ")
}
