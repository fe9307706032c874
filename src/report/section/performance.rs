//! Charts and figures of every resource.
//!
//! Invariant: fact ids are `<wanted id>.<figure>`; series with labels stand in the table only.

use crate::base::{TimeRange, Unit};
use crate::model::{Fact, MetricDef, ReportKind};
use crate::report::context::Context;
use crate::report::document::{Ahead, Cell, Chart, FactsLook, Line, Lines, Plot, Section, Table};
use crate::report::facts::{SeriesFacts, SeriesStats};
use crate::report::text;

/// Lines one can tell apart in a chart of half a page.
const MAX_LINES: usize = 4;

/// A chart: its title, what it shows (wanted id, name of the line), and the limit of the default rule, where there is one.
struct ChartDef(&'static str, &'static [(&'static str, &'static str)], Option<f64>);

/// In reading order; limits are those of the rules out of the box.
const CHARTS: &[ChartDef] = &[
    ChartDef("CPU", &[("cpu", "use"), ("cpu_iowait", "waiting for disks")], Some(0.8)),
    ChartDef("Memory", &[("memory", "memory"), ("swap", "swap")], Some(0.85)),
    ChartDef("File systems", &[("filesystem", "")], Some(0.9)),
    ChartDef("Disk busy", &[("disk_busy", "")], None),
    ChartDef("Disk", &[("disk_read", "read"), ("disk_write", "written")], None),
    ChartDef("Network", &[("network_receive", "in"), ("network_transmit", "out")], None),
    ChartDef("Pressure", &[("pressure", "")], None),
    ChartDef("Temperature", &[("temperature", "")], None),
    ChartDef("Sessions", &[("sessions", "")], None),
    ChartDef("Failed units", &[("units_failed", "")], None),
    ChartDef("Half-open connections", &[("half_open", "")], None),
    ChartDef("Health", &[("health", "health")], None),
];

/// A figure: the end of its id, its label, how it is taken, and whether it is exact.
type Figure = (&'static str, &'static str, fn(&SeriesStats) -> Option<f64>, fn(&SeriesStats) -> bool);

const FIGURES: [Figure; 7] = [
    ("min", "lowest", |s| s.min, |s| s.exact),
    ("mean", "mean", |s| s.mean, |s| s.exact),
    ("p50", "median", |s| s.p50, |s| s.quantiles_exact),
    ("p95", "95th percentile", |s| s.p95, |s| s.quantiles_exact),
    ("p99", "99th percentile", |s| s.p99, |s| s.quantiles_exact),
    ("max", "highest", |s| s.max, |s| s.exact),
    ("last", "at the end", |s| s.last, |_| true),
];

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    // Health has a section of its own; sizes are for what things cost.
    let is_size = |s: &&SeriesFacts| s.id == "filesystem_size" && context.spec.kind == ReportKind::Performance;
    let series = context.all_series().into_iter().filter(|s| s.id != "health" && !is_size(s));
    let mut figures = Table::grid(
        "figures",
        &[
            ("series", "Series"),
            ("min", "Lowest"),
            ("mean", "Mean"),
            ("p50", "Median"),
            ("p95", "95 %"),
            ("p99", "99 %"),
            ("max", "Highest"),
            ("last", "At the end"),
            ("exact", "Percentiles"),
        ],
    )
    .or("Nothing was observed.");
    for one in series {
        if one.key.is_total() {
            section.facts.extend(facts(one));
        }
        let numbers =
            FIGURES.iter().map(|(_, _, take, _)| Cell::Number(take(&one.stats).filter(|v| v.is_finite()), one.def.unit));
        let exact = if one.stats.quantiles_exact { "exact" } else { "sketched" };
        let name = std::iter::once(Cell::Series(one.key.clone()));
        figures.rows.push(name.chain(numbers).chain([Cell::Text(exact.to_owned())]).collect());
    }
    section.charts = charts(context);
    section.facts_look = FactsLook::InTables;
    section.tables.push(figures);
}

/// The charts of what was read, but for those that have a section of their own.
pub(super) fn charts(context: &Context<'_>) -> Vec<Chart> {
    CHARTS.iter().filter(|def| def.0 != "Health").filter_map(|def| chart(context, def)).collect()
}

/// The charts of these titles.
pub(super) fn charts_of(context: &Context<'_>, titles: &[&str]) -> Vec<Chart> {
    CHARTS.iter().filter(|def| titles.contains(&def.0)).filter_map(|def| chart(context, def)).collect()
}

fn facts(series: &SeriesFacts) -> impl Iterator<Item = Fact> {
    FIGURES.iter().map(|(id, label, take, exact)| Fact {
        id: format!("{}.{id}", series.id),
        label: format!("{}, {label}", text::series(&series.key)),
        value: take(&series.stats).filter(|v| v.is_finite()),
        unit: series.def.unit,
        exact: exact(&series.stats),
    })
}

fn chart(context: &Context<'_>, def: &ChartDef) -> Option<Chart> {
    let mut found: Vec<(&str, &SeriesFacts)> = Vec::new();
    for (id, name) in def.1 {
        found.extend(context.series(id).into_iter().filter(|s| !s.points.is_empty()).map(|s| (*name, s)));
    }
    // Where there are too many, the largest; the table has all.
    let mean = |s: &SeriesFacts| s.stats.mean.unwrap_or(f64::NEG_INFINITY);
    found.sort_by(|a, b| mean(b.1).total_cmp(&mean(a.1)).then_with(|| a.1.key.cmp(&b.1.key)));
    found.truncate(MAX_LINES);
    let MetricDef { unit, range: natural, .. } = found.first()?.1.def;
    let shows = |alert: &crate::model::Alert| found.iter().any(|(_, s)| s.key == alert.key);
    let marks = context
        .alerts()
        .into_iter()
        .filter(|a| shows(a) && a.fired_at.is_some_and(|t| context.range().contains(t)))
        .filter_map(|a| Some((a.fired_at?, a.severity.into())));
    let limit = def.2.filter(|_| unit == Unit::Ratio);
    let lines = found.iter().map(|(name, s)| Line {
        name: text::named(name, &s.key).trim().to_owned(),
        points: s.points.clone(),
        ahead: ahead(s),
    });
    let lines = Lines { unit, natural, lines: lines.collect(), limit, marks: marks.collect() };
    let end = lines.lines.iter().filter_map(|l| l.ahead.last()).map(|a| a.at).max();
    let range = TimeRange { to: end.unwrap_or(context.range().to), ..context.range() };
    Some(Chart { title: def.0.to_owned(), range, plot: Plot::Lines(lines) })
}

/// What is expected of a series that has a forecast.
fn ahead(series: &SeriesFacts) -> Vec<Ahead> {
    let Some(forecast) = series.forecast.as_ref().filter(|f| f.none_because.is_none()) else { return Vec::new() };
    let values = forecast.mean.iter().zip(forecast.band80.iter());
    let moment = |(i, (mean, band)): (usize, (&f64, &crate::model::Band))| Ahead {
        at: forecast.made_at + forecast.step * (i as u32 + 1),
        mean: *mean,
        low: band.low,
        high: band.high,
    };
    values.enumerate().map(moment).collect()
}
