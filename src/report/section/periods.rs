//! The span in its parts: a week by its days, a month by its weeks, both by the hours of their days.
//!
//! Invariant: the figures of a part are those a report of that part alone would have.

use std::collections::BTreeMap;

use crate::base::{TimeRange, Timestamp, Unit};
use crate::model::{Alert, Severity};
use crate::report::context::Context;
use crate::report::document::{Cell, Chart, FactsLook, Heat, Level, Plot, Section, Table};
use crate::report::facts::{PartFacts, SeriesStats};
use crate::report::text;

/// Cells of a day: two hours each, which is how fine a month's points are.
const SLOTS: usize = 12;
const SLOT_MINUTES: usize = 24 * 60 / SLOTS;

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    section.facts_look = FactsLook::InTables;
    let parts = &context.facts.parts;
    section.count("periods.count", "Parts that were observed", parts.len());
    let mut table = Table::grid(
        "periods",
        &[
            ("level", ""),
            ("part", "From – to"),
            ("coverage", "Observed"),
            ("health", "Health"),
            ("cpu_mean", "CPU, mean"),
            ("cpu_p95", "CPU, 95 %"),
            ("memory_mean", "Memory, mean"),
            ("memory_max", "Memory, highest"),
            ("alerts", "Alerts"),
            ("critical", "Critical"),
            ("firing_seconds", "Firing"),
            ("least_up", "Least up"),
        ],
    )
    .or("Nothing was observed.");
    table.rows = parts.iter().map(|part| row(context, part)).collect();
    section.tables.push(table);
    section.charts.extend(heat(context));
}

fn row(context: &Context<'_>, part: &PartFacts) -> Vec<Cell> {
    let of = |metric: &str, take: fn(&SeriesStats) -> Option<f64>| {
        part.series.iter().find(|(key, _)| key.is_total() && key.metric() == metric).and_then(|(_, stats)| take(stats))
    };
    let fired: Vec<&Alert> =
        part.alerts.iter().filter(|a| a.fired_at.is_some_and(|t| part.range.from < t && t <= part.range.to)).collect();
    let critical = fired.iter().filter(|a| a.severity == Severity::Critical).count();
    let firing: f64 = part.alerts.iter().filter_map(|a| firing(a, part.range)).sum();
    let least = part.services.iter().map(|(_, up)| *up).reduce(f64::min);
    let level = match (critical, fired.len()) {
        (0, 0) => Level::Ok,
        (0, _) => Level::Warning,
        _ => Level::Critical,
    };
    let when = |at| text::local(at, &context.facts.zone, "%b %-d %H:%M");
    vec![
        Cell::Level(level),
        Cell::Text(format!("{} – {}", when(part.range.from), when(part.range.to))),
        Cell::Number(Some(part.coverage), Unit::Ratio),
        Cell::Number(of("health_score", |s| s.mean), Unit::Count),
        Cell::Number(of("cpu_usage_ratio", |s| s.mean), Unit::Ratio),
        Cell::Number(of("cpu_usage_ratio", |s| s.p95), Unit::Ratio),
        Cell::Number(of("memory_used_ratio", |s| s.mean), Unit::Ratio),
        Cell::Number(of("memory_used_ratio", |s| s.max), Unit::Ratio),
        Cell::Number(Some(fired.len() as f64), Unit::Count),
        Cell::Number(Some(critical as f64), Unit::Count),
        Cell::Number(Some(firing), Unit::Seconds),
        Cell::Number(least, Unit::Ratio),
    ]
}

/// Seconds an alert was firing within a part.
fn firing(alert: &Alert, part: TimeRange) -> Option<f64> {
    let (from, to) = (alert.fired_at?.max(part.from), alert.resolved_at.unwrap_or(part.to).min(part.to));
    (to > from).then(|| to.since(from).as_secs_f64())
}

/// A day: its first point, and the sum and number of the samples of each slot.
type Day = (Timestamp, Vec<(f64, f64)>);

/// CPU by day and hour of the report's zone.
fn heat(context: &Context<'_>) -> Option<Chart> {
    let series = context.series("cpu").into_iter().next()?;
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    for bucket in &series.points {
        let local = |format| text::local(bucket.at, &context.facts.zone, format);
        let (hour, minute) = (local("%H").parse::<usize>().ok()?, local("%M").parse::<usize>().ok()?);
        let (_, slots) = days.entry(local("%Y-%m-%d")).or_insert_with(|| (bucket.at, vec![(0.0, 0.0); SLOTS]));
        if let Some((sum, n)) = slots.get_mut((hour * 60 + minute) / SLOT_MINUTES) {
            *sum += bucket.mean * f64::from(bucket.count);
            *n += f64::from(bucket.count);
        }
    }
    let mean = |(sum, n): (f64, f64)| (n > 0.0).then(|| sum / n);
    let (days, cells) = days.into_values().map(|(at, slots)| (at, slots.into_iter().map(mean).collect())).unzip();
    let plot = Plot::Heat(Heat { days, cells });
    Some(Chart { title: "CPU by day and hour".to_owned(), range: context.range(), plot })
}
