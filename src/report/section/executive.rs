//! A month on half a page: the handful of figures with their change, what runs out, what it costs.
//!
//! Invariant: every figure is one of another section or of a query; nothing is counted only here.

use super::comparison::{Figures, row};
use super::{capacity, cost};
use crate::base::Unit;
use crate::model::{GoodDirection, ReportKind, Severity};
use crate::report::context::Context;
use crate::report::document::{FactsLook, Level, Section, Table};
use crate::report::facts::{PartFacts, SeriesFacts, SeriesStats};

/// Predictions and resources that are named.
const MOST: usize = 3;

/// A figure of the whole machine: its label, its metric, how it is taken, and what is good.
type Whole = (&'static str, &'static str, fn(&SeriesStats) -> Option<f64>, (Unit, GoodDirection));

const WHOLES: [Whole; 5] = [
    ("Health, mean", "health_score", |s| s.mean, (Unit::Count, GoodDirection::Up)),
    ("CPU, mean", "cpu_usage_ratio", |s| s.mean, (Unit::Ratio, GoodDirection::Down)),
    ("CPU, 95 % of the time below", "cpu_usage_ratio", |s| s.p95, (Unit::Ratio, GoodDirection::Down)),
    ("Memory, mean", "memory_used_ratio", |s| s.mean, (Unit::Ratio, GoodDirection::Down)),
    ("Memory, highest", "memory_used_ratio", |s| s.max, (Unit::Ratio, GoodDirection::Down)),
];

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    section.facts_look = FactsLook::InTables;
    let mut ahead = Table::statements("ahead").titled("What comes").or("Nothing is known of what comes.");
    // A capacity report has said it above.
    if context.spec.kind == ReportKind::Performance {
        say_next(context, &mut ahead);
    }
    say_cost(context, &mut ahead);
    section.tables.extend([ahead, glance(context)]);
}

fn say_next(context: &Context<'_>, ahead: &mut Table) {
    let likely = |s: &&SeriesFacts| s.crossing().is_some_and(|c| c.probability >= capacity::LIKELY);
    let due: Vec<&SeriesFacts> = context.bounded().into_iter().filter(likely).collect();
    for series in &due {
        if let Some(crossing) = series.crossing() {
            ahead.say(Level::Predicted, capacity::due_sentence(context, series, crossing), "");
        }
    }
    for next in context.open_predictions().into_iter().filter(|p| !due.iter().any(|s| s.key == p.key)) {
        let what = format!("{}, about {} (probability {:.2}).", next.title, context.when(next.at), next.probability);
        ahead.say(Level::Predicted, what, next.advice.clone());
    }
    ahead.rows.truncate(MOST);
    if ahead.rows.is_empty() && !context.saw_nothing() {
        ahead.say(Level::Ok, "Nothing is expected to run out.", "");
    }
}

fn say_cost(context: &Context<'_>, ahead: &mut Table) {
    if let Some((now, then)) = cost::totals(context) {
        let currency = &context.facts.prices.currency;
        let money = |amount: f64| format!("{amount:.2} {currency}").trim_end().to_owned();
        let what = match now - then {
            saving if saving > 0.0 => format!("It costs {} a month; in its right size {} less.", money(now), money(saving)),
            saving if saving < 0.0 => {
                format!("It costs {} a month; the size it needs costs {} more.", money(now), money(-saving))
            }
            _ => format!("It costs {} a month and has the right size.", money(now)),
        };
        ahead.say(Level::Info, what, "By the price table of the configuration; the capacity report has the items.");
    }
}

/// The handful of figures, beside those of the span before.
fn glance(context: &Context<'_>) -> Table {
    let columns = [("level", ""), ("figure", "Figure"), ("before", "Before"), ("now", "Now"), ("change", "Change")];
    let mut table = Table::grid("glance", &columns).titled("At a glance, against the span before");
    let before = context.facts.previous.as_ref();
    let range = context.range();
    let fired = |least: Severity| {
        let of = |alerts: &[crate::model::Alert], range: crate::base::TimeRange| {
            alerts.iter().filter(|a| a.severity >= least && a.fired_at.is_some_and(|t| range.contains(t))).count() as f64
        };
        (before.map(|p| of(&p.alerts, p.range)), Some(of(&context.facts.alerts, range)))
    };
    let count = (Unit::Count, GoodDirection::Down);
    let least_before = before.and_then(|p| p.services.iter().map(|(_, up)| *up).reduce(f64::min));
    let least = context.services().first().and_then(|s| s.share).map(|s| s.up);
    let shares: [(&str, Figures, _); 4] = [
        ("Least up service", (least_before, least), (Unit::Ratio, GoodDirection::Up)),
        ("Alerts", fired(Severity::Info), count),
        ("Critical alerts", fired(Severity::Critical), count),
        ("Observed", (before.map(|p| p.coverage), Some(context.facts.coverage)), (Unit::Ratio, GoodDirection::Up)),
    ];
    let known = |(before, now): &Figures| before.is_some() || now.is_some();
    table.rows = shares.into_iter().filter(|(_, f, _)| known(f)).map(|(label, f, of)| row(label, f, of)).collect();
    let wholes = WHOLES
        .iter()
        .map(|(label, metric, take, of)| (label, (of_part(before, metric, *take), of_now(context, metric, *take)), of));
    table.rows.extend(wholes.filter(|(_, f, _)| known(f)).map(|(label, f, of)| row(label, f, *of)));
    table
}

fn of_part(part: Option<&PartFacts>, metric: &str, take: fn(&SeriesStats) -> Option<f64>) -> Option<f64> {
    part?.series.iter().find(|(key, _)| key.is_total() && key.metric() == metric).and_then(|(_, stats)| take(stats))
}

fn of_now(context: &Context<'_>, metric: &str, take: fn(&SeriesStats) -> Option<f64>) -> Option<f64> {
    context.facts.series.iter().find(|s| s.key.is_total() && s.key.metric() == metric).and_then(|s| take(&s.stats))
}
