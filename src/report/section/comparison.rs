//! The span against the one before it, of the same length.
//!
//! Invariant: a figure stands beside the one before it only where both were observed.

use std::collections::BTreeSet;

use crate::base::{TimeRange, Unit};
use crate::model::{Alert, AlertKind, GoodDirection, LogTopic, Posture, ReportKind, SecurityEvent, SecurityFacts};
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
        let is_security = context.spec.kind == ReportKind::Security;
        let counts = |a: &&Alert| !is_security || a.kind == AlertKind::Security;
        let fired = |alerts: &[Alert], range: TimeRange| {
            alerts.iter().filter(counts).filter(|a| a.fired_at.is_some_and(|t| range.contains(t))).count() as f64
        };
        let (before, now) = (fired(&previous.alerts, previous.range), fired(&context.facts.alerts, range));
        section.fact("comparison.alerts_before", "Alerts fired in the span before", Some(before), Unit::Count);
        table.rows.push(row("alerts fired", (Some(before), Some(now)), (Unit::Count, GoodDirection::Down)));
        if let (Some(before), Some(now)) = (&previous.security, &context.facts.security) {
            table.rows.extend(of_security(before, now));
        }
        for service in context.services().into_iter().filter(|_| !is_security) {
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

/// How many of something a posture has.
type Count = fn(&Posture) -> usize;

/// Events by kind, and how well the machine was closed at the ends of the two spans.
fn of_security(before: &SecurityFacts, now: &SecurityFacts) -> Vec<Vec<Cell>> {
    let kinds: BTreeSet<&str> = before.events.iter().chain(&now.events).map(|e| e.kind.as_str()).collect();
    // A log that nobody read says nothing of how often.
    let n = |facts: &SecurityFacts, kind: &str| {
        let log = match kind {
            SecurityEvent::LOGIN_FAILED | SecurityEvent::GUESSED | SecurityEvent::PRIVILEGE | SecurityEvent::REFUSED => {
                Some(LogTopic::Access)
            }
            SecurityEvent::KERNEL => Some(LogTopic::Kernel),
            _ => None,
        };
        let count = facts.count(kind);
        (count > 0 || log.is_none_or(|topic| facts.hears(topic))).then(|| f64::from(count))
    };
    // More logins are neither good nor bad; more failed ones are bad.
    let good = |kind: &str| match kind {
        SecurityEvent::LOGIN | SecurityEvent::LOGOUT | SecurityEvent::PRIVILEGE | SecurityEvent::PACKAGES => {
            GoodDirection::Neither
        }
        _ => GoodDirection::Down,
    };
    let events = kinds.iter().map(|kind| row(kind, (n(before, kind), n(now, kind)), (Unit::Count, good(kind))));
    let of = |facts: &SecurityFacts, count: Count| facts.posture.as_ref().map(|(_, p)| count(p) as f64);
    let counted: [(&str, Count); 3] = [
        ("checks that do not hold, at the end", |p| p.checks.iter().filter(|c| !c.passed).count()),
        ("security updates waiting, at the end", |p| p.vulnerabilities.len()),
        ("accounts that may log in, at the end", |p| p.accounts.len()),
    ];
    let down = (Unit::Count, GoodDirection::Down);
    let ends = counted.iter().map(|(name, count)| row(name, (of(before, *count), of(now, *count)), down));
    events.chain(ends).collect()
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
