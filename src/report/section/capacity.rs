//! What is used of everything that can become full, how it grows, and when it is exhausted.
//!
//! Invariant: a date stands with its interval, its probability and the error of the method behind it; "no trend" is an
//! answer.

use crate::base::{Unit, format_duration};
use crate::model::{Crossing, TrendDirection};
use crate::report::context::Context;
use crate::report::document::{BarRow, Bars, Cell, Chart, FactsLook, Level, Section, Table};
use crate::report::facts::SeriesFacts;
use crate::report::text;

/// Mean lengths of a week and of a Gregorian month.
pub(super) const WEEK: f64 = 604_800.0;
pub(super) const MONTH: f64 = 2_629_746.0;
/// From here on an exhaustion is said to come (mission P4).
pub(super) const LIKELY: f64 = 0.7;
/// Below this it is not worth a date.
const POSSIBLE: f64 = 0.1;
/// Bars one compares at a glance.
const MOST_BARS: usize = 8;
/// Share of its limit from which a resource is short, whatever its trend: the limit of the rule out of the box.
const SHORT: f64 = 0.9;

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let bounded = context.bounded();
    let due = |s: &&SeriesFacts| s.crossing().is_some_and(|c| c.probability >= LIKELY);
    let short = |s: &&SeriesFacts| s.used_share().is_some_and(|u| u >= SHORT);
    section.count("capacity.resources", "Resources with a limit", bounded.len());
    section.count("capacity.exhausting", "Exhausted soon", bounded.iter().copied().filter(due).count());
    section.count("capacity.short", "Nearly full now", bounded.iter().copied().filter(short).count());
    let trend = |s: &&SeriesFacts| s.trend.as_ref().is_some_and(|t| t.direction == TrendDirection::Up);
    section.count("capacity.growing", "Growing", bounded.iter().copied().filter(trend).count());

    let mut verdict = Table::statements("outlook").or("Nothing with a limit was observed.");
    for series in bounded.iter().copied().filter(due) {
        if let Some(crossing) = series.crossing() {
            verdict.say(Level::Predicted, due_sentence(context, series, crossing), because(series));
        }
    }
    for series in bounded.iter().copied().filter(short) {
        let used = text::number(series.stats.last.unwrap_or_default(), series.def.unit);
        verdict.say(Level::Warning, format!("{} is nearly full: {used}.", text::series(&series.key)), "");
    }
    if verdict.rows.is_empty() && !bounded.is_empty() {
        let ahead = bounded.iter().filter_map(|s| s.forecast.as_ref()).map(|f| f.step * f.mean.len() as u32).max();
        let what = match ahead {
            Some(ahead) => format!("Nothing is expected to run out within {}.", format_duration(ahead)),
            None => "Nothing is nearly full; there is too little history to look ahead.".to_owned(),
        };
        verdict.say(Level::Ok, what, "");
    }
    section.facts_look = FactsLook::Tiles;
    section.tables.push(verdict);
    section.charts = super::performance::charts(context);
    section.charts.extend(fullest(context, &bounded));
    section.charts.extend(growth_bars(context, &bounded));
    section.tables.push(table(context, &bounded));
}

/// The resources of which most is used at the end.
fn fullest(context: &Context<'_>, bounded: &[&SeriesFacts]) -> Option<Chart> {
    let mut used: Vec<(f64, &SeriesFacts)> = bounded.iter().filter_map(|s| Some((s.used_share()?, *s))).collect();
    used.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.key.cmp(&b.1.key)));
    let row = |(share, series): (f64, &SeriesFacts)| BarRow {
        name: text::series(&series.key),
        values: vec![share],
        level: Some(if share >= SHORT { Level::Warning } else { Level::Ok }),
    };
    let rows = used.into_iter().take(MOST_BARS).map(row).collect();
    Chart::bars("Used at the end", context.range(), Bars { unit: Unit::Ratio, names: Vec::new(), rows })
}

/// Those that move most, by week and by month.
fn growth_bars(context: &Context<'_>, bounded: &[&SeriesFacts]) -> Option<Chart> {
    let shares = bounded.iter().filter(|s| s.def.unit == Unit::Ratio);
    let mut moving: Vec<(f64, &SeriesFacts)> = shares.filter_map(|s| Some((growth(s, MONTH)?, *s))).collect();
    moving.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()).then_with(|| a.1.key.cmp(&b.1.key)));
    let row = |(month, series): (f64, &SeriesFacts)| BarRow {
        name: text::series(&series.key),
        values: vec![month / MONTH * WEEK, month],
        level: None,
    };
    let rows = moving.into_iter().take(MOST_BARS).map(row).collect();
    Chart::bars("Growth", context.range(), Bars { unit: Unit::Ratio, names: vec!["a week", "a month"], rows })
}

/// How much more is used after so many seconds of the trend; `None` where there is none.
fn growth(series: &SeriesFacts, seconds: f64) -> Option<f64> {
    let moving = |t: &&crate::model::Trend| matches!(t.direction, TrendDirection::Up | TrendDirection::Down);
    series.trend.as_ref().filter(moving).map(|t| t.slope_per_second * seconds).filter(|v| v.is_finite())
}

fn table(context: &Context<'_>, bounded: &[&SeriesFacts]) -> Table {
    let mut table = Table::grid(
        "resources",
        &[
            ("level", ""),
            ("series", "Resource"),
            ("last", "Now"),
            ("p95", "95 %"),
            ("per_week", "A week"),
            ("per_month", "A month"),
            ("at", "Exhausted"),
            ("at_lo", "Not before"),
            ("at_hi", "Not after"),
            ("probability", "Probability"),
            ("mase", "Backtest error"),
            ("because", "From"),
        ],
    )
    .or("Nothing with a limit was observed.");
    table.rows = bounded.iter().map(|s| row(context, s)).collect();
    table
}

fn row(context: &Context<'_>, series: &SeriesFacts) -> Vec<Cell> {
    let unit = series.def.unit;
    let crossing = series.crossing().filter(|c| c.probability >= POSSIBLE);
    let level = match crossing {
        Some(c) if c.probability >= LIKELY => Level::Predicted,
        _ if series.used_share().is_some_and(|u| u >= SHORT) => Level::Warning,
        _ => Level::Ok,
    };
    let mase = series.forecast.as_ref().filter(|f| f.none_because.is_none()).and_then(|f| f.backtest.mase);
    vec![
        Cell::Level(level),
        Cell::Series(series.key.clone()),
        Cell::Number(series.stats.last, unit),
        Cell::Number(series.stats.p95, unit),
        Cell::Number(growth(series, WEEK), unit),
        Cell::Number(growth(series, MONTH), unit),
        Cell::Time(crossing.map(|c| c.at)),
        Cell::Time(crossing.map(|c| c.at_lo)),
        Cell::Time(crossing.map(|c| c.at_hi)),
        Cell::Number(series.crossing().map(|c| c.probability), Unit::Ratio),
        Cell::Number(mase, Unit::Count),
        Cell::Text(from(context, series)),
    ]
}

/// What the date rests on, or why there is none.
fn from(context: &Context<'_>, series: &SeriesFacts) -> String {
    match &series.forecast {
        Some(forecast) => match (&forecast.none_because, forecast.crossing) {
            (Some(why), _) => why.clone(),
            (None, Some(_)) => forecast.method.clone(),
            (None, None) if series.trend.as_ref().is_some_and(|t| t.direction == TrendDirection::Flat) => "no trend".to_owned(),
            (None, None) => format!("{}: limit not in reach", forecast.method),
        },
        None => format!("no forecast at {}", context.when(context.range().to)),
    }
}

/// When a resource is exhausted, in a sentence.
pub(super) fn due_sentence(context: &Context<'_>, series: &SeriesFacts, crossing: Crossing) -> String {
    let (at, lo, hi) = (context.when(crossing.at), context.when(crossing.at_lo), context.when(crossing.at_hi));
    format!("{} is exhausted about {at} ({lo} – {hi}), probability {:.2}.", text::series(&series.key), crossing.probability)
}

fn because(series: &SeriesFacts) -> String {
    let Some(forecast) = &series.forecast else { return String::new() };
    let error = forecast.backtest.mase.map_or_else(String::new, |m| format!(", backtest error {m:.2} of the naive one"));
    format!("Method {}{error}, {} origins.", forecast.method, forecast.backtest.n)
}
