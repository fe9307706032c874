//! What one must know who reads nothing else.
//!
//! At most five sentences made from the facts, worst first: alerts, services, uptime, what comes, what was not observed.
//! Invariant: each says what it rests on.

use crate::base::Unit;
use crate::model::{ServiceState, Severity};
use crate::report::context::Context;
use crate::report::document::{Cell, Level, Section, Table};
use crate::report::text;

/// Below this the figures stand for too little of the span to be silent about it: a quarter of an hour of a day.
const COVERAGE_WORTH_SAYING: f64 = 0.99;

/// What one does about a span without a recorder.
const NOTHING: &str = "farol --record records; farol store check says from when to when there is a history.";

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let alerts = context.alerts();
    let fired = alerts.iter().filter(|a| a.fired_at.is_some_and(|t| context.range().contains(t)));
    let critical = fired.clone().filter(|a| a.severity == Severity::Critical).count();
    let fired = fired.count();
    section.count("alerts.fired", "Alerts fired", fired);
    section.count("alerts.critical", "of them critical", critical);
    section.count("alerts.open", "Alerts open at the end", context.open_alerts().len());
    section.count("anomalies.marked", "Anomalies marked", context.anomalies().len());
    let up = context.services().first().and_then(|s| s.share).map(|s| s.up);
    section.fact("services.least_up", "Least up service", up, Unit::Ratio);
    section.count("predictions.open", "Open predictions", context.open_predictions().len());

    let mut verdict = Table::statements("verdict");
    if context.saw_nothing() {
        verdict.say(Level::Unknown, "Nothing was recorded in this span: 0.0% of the span was observed.", NOTHING);
        section.tables.push(verdict);
        return;
    }
    say_alerts(context, (fired, critical), &mut verdict);
    say_services(context, &mut verdict);
    say_next(context, &mut verdict);
    if context.facts.coverage < COVERAGE_WORTH_SAYING {
        let seen = text::number(context.facts.coverage, Unit::Ratio);
        verdict.say(Level::Unknown, format!("{seen} of the span was observed; all figures describe only that."), "");
    }
    // Stable: what was said first of one level stays first.
    verdict.rows.sort_by_key(|row| std::cmp::Reverse(level(row)));
    section.tables.push(verdict);
}

/// How bad what a sentence says is.
pub(super) fn level(row: &[Cell]) -> Level {
    match row.first() {
        Some(Cell::Level(level)) => *level,
        _ => Level::Unknown,
    }
}

fn say_alerts(context: &Context<'_>, (fired, critical): (usize, usize), verdict: &mut Table) {
    let open = context.open_alerts();
    match open.first() {
        Some(worst) => {
            let since = worst.fired_at.map_or_else(String::new, |t| format!(", since {}", context.when(t)));
            let others = if open.len() > 1 { format!(" and {} more", open.len() - 1) } else { String::new() };
            let what = format!("Open at the end: {}{since}{others}.", worst.title);
            verdict.say(worst.severity.into(), what, worst.explanation.summary.clone());
        }
        None if fired == 0 => verdict.say(Level::Ok, "No alert fired.", ""),
        None => {
            let words = format!("{} fired, {critical} critical; all are over.", text::plural(fired, "alert"));
            verdict.say(if critical > 0 { Level::Warning } else { Level::Info }, words, "");
        }
    }
}

fn say_services(context: &Context<'_>, verdict: &mut Table) {
    let services = context.services();
    let in_state = |state| services.iter().filter(move |s| s.status.state == state);
    let bad: Vec<_> = in_state(ServiceState::Offline).chain(in_state(ServiceState::Degraded)).collect();
    if let Some(worst) = bad.first() {
        let status = &worst.status;
        let (level, word) =
            if status.state == ServiceState::Offline { (Level::Critical, "down") } else { (Level::Warning, "slow or impaired") };
        let since = status.since.map_or_else(String::new, |t| format!(" since {}", context.when(t)));
        let others = if bad.len() > 1 { format!(" and {} more down or impaired", bad.len() - 1) } else { String::new() };
        verdict.say(level, format!("{} is {word}{since}{others}.", status.name), status.message.clone());
    }
    let known: Vec<_> = services.iter().filter_map(|s| s.share.map(|share| (&s.status.name, share.up))).collect();
    match known.first() {
        Some((_, up)) if *up >= 1.0 => {
            verdict.say(Level::Ok, format!("{} without a minute down.", text::plural(known.len(), "service")), "");
        }
        Some((name, up)) => {
            let of =
                if known.len() > 1 { format!("Least up of {}", text::plural(known.len(), "service")) } else { "Up".to_owned() };
            verdict.say(Level::Info, format!("{of}: {name}, {}.", text::share(*up)), "");
        }
        None => {}
    }
}

fn say_next(context: &Context<'_>, verdict: &mut Table) {
    if let Some(next) = context.open_predictions().first() {
        let what = format!("Next: {}, about {} (probability {:.2}).", next.title, context.when(next.at), next.probability);
        verdict.say(Level::Predicted, what, next.factors.first().cloned().unwrap_or_default());
    }
}
