//! Services with their uptime over the span.
//!
//! Invariant: an uptime stands beside the share of the span in which it was observed.

use crate::base::Unit;
use crate::model::ServiceState;
use crate::report::context::Context;
use crate::report::document::{Cell, Level, Section, Table};

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
    section.tables.push(table);
}
