//! Where the series were heading at the end of the span.
//!
//! Invariant: a trend is shown with its confidence, and what is too short for one is counted, not guessed.

use crate::base::Unit;
use crate::model::{GoodDirection, TrendDirection};
use crate::report::context::Context;
use crate::report::document::{Cell, Level, Section, Table};
use crate::report::facts::SeriesFacts;

const SECONDS_A_DAY: f64 = 86_400.0;

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let series = context.all_series();
    let with = |direction| series.iter().filter(|s| s.trend.as_ref().is_some_and(|t| t.direction == direction)).count();
    section.count("trends.up", "Rising", with(TrendDirection::Up));
    section.count("trends.down", "Falling", with(TrendDirection::Down));
    section.count("trends.flat", "Steady", with(TrendDirection::Flat));
    let unknown = series.iter().filter(|s| s.trend.is_none()).count();
    section.count("trends.insufficient", "Too little history", with(TrendDirection::InsufficientData) + unknown);

    let mut table = Table::grid(
        "moving",
        &[
            ("level", ""),
            ("series", "Series"),
            ("direction", "Heading"),
            ("change_per_day", "Change a day"),
            ("confidence", "Confidence"),
            ("last", "At the end"),
            ("next", "Next"),
        ],
    )
    .or("Nothing is rising or falling.");
    let mut moving: Vec<(Level, f64, &SeriesFacts)> =
        series.iter().filter_map(|s| Some((level(s)?, s.trend.as_ref()?.confidence, *s))).collect();
    moving.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then_with(|| a.2.key.cmp(&b.2.key)));
    table.rows = moving.into_iter().filter_map(|(level, _, series)| row(level, series)).collect();
    section.tables.push(table);
}

/// How a movement is to be seen; `None` where there is none.
fn level(series: &SeriesFacts) -> Option<Level> {
    let worse = match series.trend.as_ref()?.direction {
        TrendDirection::Up => GoodDirection::Down,
        TrendDirection::Down => GoodDirection::Up,
        TrendDirection::Flat | TrendDirection::InsufficientData => return None,
    };
    Some(match series.def.good {
        GoodDirection::Neither => Level::Info,
        good if good == worse => Level::Warning,
        _ => Level::Ok,
    })
}

fn row(level: Level, series: &SeriesFacts) -> Option<Vec<Cell>> {
    let trend = series.trend.as_ref()?;
    let unit = series.def.unit;
    let heading = if trend.direction == TrendDirection::Up { "rising" } else { "falling" };
    let finite = |v: f64| Some(v).filter(|v| v.is_finite());
    Some(vec![
        Cell::Level(level),
        Cell::Series(series.key.clone()),
        Cell::Text(heading.to_owned()),
        Cell::Number(finite(trend.slope_per_second * SECONDS_A_DAY), unit),
        Cell::Number(finite(trend.confidence), Unit::Ratio),
        Cell::Number(series.stats.last, unit),
        Cell::Number(trend.next.and_then(finite), unit),
    ])
}
