//! What one must know of the machine's security, and what farol does not observe yet.
//!
//! Invariant: what is not observed is said; it is never shown as zero.

use crate::base::Unit;
use crate::model::AlertKind;
use crate::report::context::Context;
use crate::report::document::{Level, Section, Table};
use crate::report::text;

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let mut verdict = Table::statements("verdict");
    let alerts: Vec<_> = context.alerts().into_iter().filter(|a| a.kind == AlertKind::Security).collect();
    let open = alerts.iter().filter(|a| context.is_open(a)).count();
    section.count("security.alerts", "Security alerts", alerts.len());
    section.count("security.open", "of them open at the end", open);
    match alerts.iter().map(|a| a.severity).max() {
        None => verdict.say(Level::Ok, "No security alert fired.", ""),
        Some(worst) => verdict.say(
            worst.into(),
            format!("{} fired, {open} open at the end.", text::plural(alerts.len(), "security alert")),
            "",
        ),
    }
    match &context.facts.security {
        Some(security) => {
            let n = security.events.len();
            section.count("security.events", "Events seen", n);
            let failed = security.checks.iter().filter(|c| !c.passed).count();
            section.count("security.checks_failed", "Checks that failed", failed);
            if n > 0 {
                verdict.say(Level::Info, format!("{} seen.", text::plural(n, "event")), "");
            }
            if failed > 0 {
                verdict.say(Level::Warning, format!("{} failed.", text::plural(failed, "posture check")), "");
            }
        }
        None => {
            section.fact("security.events", "Events seen", None, Unit::Count);
            section.fact("security.checks_failed", "Checks that failed", None, Unit::Count);
            verdict.say(
                Level::Unknown,
                "Not observed: logins, privileges, accounts, new listeners, packages.",
                "No source of security events is on.",
            );
        }
    }
    section.tables.push(verdict);
}
