//! Services with their uptime over the span.
//!
//! Invariant: an uptime stands beside the share of the span in which it was observed.

use crate::base::Unit;
use crate::model::ServiceState;
use crate::report::context::Context;
use crate::report::document::{Cell, Chart, Level, Plot, Row, Section, Table};
use crate::report::facts::{ServiceFacts, ServiceTime};

/// Rows of the timeline: a third of a page.
const MOST_ROWS: usize = 20;

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let services = context.services();
    let n = |state| services.iter().filter(|s| s.status.state == state).count();
    section.count("services.online", "Online at the end", n(ServiceState::Online));
    section.count("services.degraded", "Degraded at the end", n(ServiceState::Degraded));
    section.count("services.offline", "Offline at the end", n(ServiceState::Offline));
    section.count("services.unknown", "Unknown at the end", n(ServiceState::Unknown));

    let mut table = Table::grid(
        "services",
        &[
            ("level", ""),
            ("service", "Service"),
            ("kind", "Kind"),
            ("target", "Target"),
            ("state", "State"),
            ("up", "Up"),
            ("observed", "Observed"),
            ("response_seconds", "Last response"),
            ("message", "Last check"),
        ],
    )
    .or("No service is checked.");
    for service in services {
        let status = &service.status;
        let (level, state) = match status.state {
            ServiceState::Online => (Level::Ok, "online"),
            ServiceState::Degraded => (Level::Warning, "degraded"),
            ServiceState::Offline => (Level::Critical, "offline"),
            ServiceState::Unknown => (Level::Unknown, "unknown"),
        };
        table.rows.push(vec![
            Cell::Level(level),
            Cell::Text(status.name.clone()),
            Cell::Text(status.kind.clone()),
            Cell::Text(status.target.clone()),
            Cell::Text(state.to_owned()),
            Cell::Number(service.share.map(|s| s.up), Unit::Ratio),
            Cell::Number(service.share.map(|s| s.observed), Unit::Ratio),
            Cell::Number(status.response_seconds, Unit::Seconds),
            Cell::Text(status.message.clone()),
        ]);
    }
    section.tables.extend([table, availability(context)]);
    section.charts.extend(timeline(context));
}

/// When each service was up, down or in maintenance.
fn timeline(context: &Context<'_>) -> Option<Chart> {
    let level = |state| match state {
        ServiceTime::Maintenance => Level::Info,
        ServiceTime::Up => Level::Ok,
        ServiceTime::Down => Level::Critical,
    };
    let row = |service: &ServiceFacts| Row {
        name: service.status.name.clone(),
        stretches: service.course.iter().map(|(range, state)| (*range, level(*state))).collect(),
    };
    // Least up first.
    let rows: Vec<Row> = context.services().into_iter().take(MOST_ROWS).map(row).collect();
    let chart = Chart { title: "Up and down".to_owned(), range: context.range(), plot: Plot::Timeline(rows) };
    (!context.facts.services.is_empty()).then_some(chart)
}

/// Where the time of the span went: up, down, not observed, and maintenance apart; and how promises are kept.
fn availability(context: &Context<'_>) -> Table {
    let mut table = Table::grid(
        "availability",
        &[
            ("level", ""),
            ("service", "Service"),
            ("up_seconds", "Up"),
            ("down_seconds", "Down"),
            ("not_observed_seconds", "Not observed"),
            ("maintenance_seconds", "Maintenance"),
            ("slo", "Promised"),
            ("slo_up", "Kept"),
            ("budget_left", "Budget left"),
            ("burn", "Burn rate"),
            ("stability", "Stability"),
        ],
    )
    .titled("Availability and promises")
    .or("No service is checked.");
    let length = context.range().length().as_secs_f64();
    for service in context.services() {
        let (times, slo) = (service.times, service.status.slo);
        let seconds = |value: f64| Cell::Number(Some(value), Unit::Seconds);
        let left = slo.and_then(|s| s.left);
        let level = match left {
            Some(left) if left < 0.0 => Level::Critical,
            _ if times.down > 0.0 => Level::Warning,
            _ if times.up > 0.0 => Level::Ok,
            _ => Level::Unknown,
        };
        table.rows.push(vec![
            Cell::Level(level),
            Cell::Text(service.status.name.clone()),
            seconds(times.up),
            seconds(times.down),
            seconds((length - times.up - times.down - times.maintenance).max(0.0)),
            seconds(times.maintenance),
            Cell::Number(slo.map(|s| s.target), Unit::Ratio),
            Cell::Number(slo.and(service.share).map(|s| s.up), Unit::Ratio),
            Cell::Number(left, Unit::Ratio),
            Cell::Number(slo.and_then(|s| s.burn), Unit::Count),
            Cell::Number(service.stability, Unit::Ratio),
        ]);
    }
    table
}
