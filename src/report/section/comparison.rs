//! The span against the one before it, of the same length.
//!
//! Invariant: a figure stands beside the one before it only where both were observed.

use crate::base::Unit;
use crate::model::GoodDirection;
use crate::report::context::Context;
use crate::report::document::{Cell, FactsLook, Level, Section, Table};
use crate::report::facts::{SeriesFacts, SeriesStats};
use crate::report::text;

/// A change below this share is the same: two quiet days differ by as much.
const SAME: f64 = 0.05;

/// A share that lacks less than this lacks nothing: what is written has a hundredth of a percent.
const LEAST_LACK: f64 = 0.001;

/// A figure that is compared: its label, and how it is taken.
type Figure = (&'static str, fn(&SeriesStats) -> Option<f64>);

/// A figure before and now.
pub(super) type Figures = (Option<f64>, Option<f64>);

const FIGURES: [Figure; 3] = [("mean", |s| s.mean), ("95 %", |s| s.p95), ("highest", |s| s.max)];

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    section.facts_look = FactsLook::InTables;
    let mut table = Table::grid(
        "comparison",
        &[("level", ""), ("figure", "Figure"), ("before", "Before"), ("now", "Now"), ("change", "Change")],
    )
    .or("The span before this one was not observed.");
    let previous = context.facts.previous.as_ref();
    section.fact("comparison.coverage", "Observed share of the span before", previous.map(|p| p.coverage), Unit::Ratio);
    if let Some(previous) = previous {
        let range = context.range();
        let fired = |alerts: &[crate::model::Alert], range: crate::base::TimeRange| {
            alerts.iter().filter(|a| a.fired_at.is_some_and(|t| range.contains(t))).count() as f64
        };
        let (before, now) = (fired(&previous.alerts, previous.range), fired(&context.facts.alerts, range));
        section.fact("comparison.alerts_before", "Alerts fired in the span before", Some(before), Unit::Count);
        table.rows.push(row("alerts fired", (Some(before), Some(now)), (Unit::Count, GoodDirection::Down)));
        for service in context.services() {
            let before = previous.services.iter().find(|(name, _)| *name == service.status.name).map(|(_, up)| *up);
            let name = format!("{}, up", service.status.name);
            table.rows.push(row(&name, (before, service.share.map(|s| s.up)), (Unit::Ratio, GoodDirection::Up)));
        }
        for series in context.all_series().into_iter().filter(|s| s.key.is_total()) {
            let Some(stats) = previous.series.iter().find(|(key, _)| *key == series.key).map(|(_, stats)| stats) else {
                continue;
            };
            table.rows.extend(rows(series, stats));
        }
    }
    section.tables.push(table);
}

fn rows<'a>(series: &'a SeriesFacts, before: &'a SeriesStats) -> impl Iterator<Item = Vec<Cell>> + 'a {
    FIGURES.iter().map(move |(label, take)| {
        let name = format!("{}, {label}", text::series(&series.key));
        row(&name, (take(before), take(&series.stats)), (series.def.unit, series.def.good))
    })
}

/// One figure beside the one before it.
pub(super) fn row(name: &str, (before, now): Figures, (unit, good): (Unit, GoodDirection)) -> Vec<Cell> {
    let known = before.zip(now).filter(|(a, b)| a.is_finite() && b.is_finite());
    let (level, change) = known.map_or((Level::Unknown, String::new()), |(before, now)| {
        let change = now - before;
        let share = change / before.abs().max(f64::MIN_POSITIVE);
        // Of what should be all, what lacks is compared: of 99.9 % and 98 % that is twenty times as much.
        let lacks = unit == Unit::Ratio && good == GoodDirection::Up;
        let compared = if lacks { change / (1.0 - before).max(LEAST_LACK) } else { share };
        let is_same = change == 0.0 || (before != 0.0 && compared.abs() < SAME);
        let level = match (is_same, good, change > 0.0) {
            (true, ..) | (_, GoodDirection::Neither, _) => Level::Info,
            (_, GoodDirection::Up, true) | (_, GoodDirection::Down, false) => Level::Ok,
            _ => Level::Warning,
        };
        let sign = if change > 0.0 { "+" } else { "−" };
        let amount = text::number(change.abs(), unit);
        let relative =
            if before == 0.0 || unit == Unit::Ratio { String::new() } else { format!(" ({sign}{:.0}%)", share.abs() * 100.0) };
        (level, if change == 0.0 { "same".to_owned() } else { format!("{sign}{amount}{relative}") })
    });
    vec![
        Cell::Level(level),
        Cell::Text(name.to_owned()),
        Cell::Number(before.filter(|v| v.is_finite()), unit),
        Cell::Number(now.filter(|v| v.is_finite()), unit),
        Cell::Text(change),
    ]
}
