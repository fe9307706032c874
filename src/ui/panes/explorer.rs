//! One metric in full: its series in one chart with everything that is known of them, and a table of their figures.
//!
//! Invariant: what is drawn beside the line (log, stack, another day) is said in the title.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::limits::Limits;
use super::parts::{Slot, at_moment, series_name};
use super::trends::{Course, GUTTER, chart_area, cursor, past_columns, time_scale};
use crate::base::{Unit, format_duration};
use crate::model::{JournalEvent, SeriesKey};
use crate::ui::charts::{Bin, Window};
use crate::ui::explore::{self, Spread};
use crate::ui::format::time;
use crate::ui::pane::{DrawContext, Target, first_row};
use crate::ui::widgets::axis::Scale;
use crate::ui::widgets::chart::{LimitLine, Moment};
use crate::ui::widgets::lines::{LinesChart, Series, Together, number};
use crate::ui::widgets::table::{Column, Columns};
use crate::ui::widgets::text::lay;
use crate::ui::widgets::{Ground, Phrase, Role};

/// The chart of the chosen series and those pinned to it.
pub fn chart(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let keys = explore::charted(ctx.state);
    let explore = &ctx.state.explore;
    let Some(first) = keys.first() else {
        let name = explore.metric.as_deref().unwrap_or("no metric");
        slot.title(ctx.ink, buf, &Phrase::new().strong(name), &[]);
        let inner = slot.inner();
        if inner.height > 0 {
            let why = "it has no value on this machine at this moment";
            Phrase::new().dim(why).put(ctx.ink, buf, (inner.x, inner.y), inner.right());
        }
        return;
    };
    let past = past_columns(ctx, chart_area(slot, 0).width.saturating_sub(GUTTER));
    let window = ctx.window(past);
    let courses: Vec<Course> = keys.iter().map(|k| Course::of(ctx, k, window)).collect();
    let ghost = explore.ghost_bins(first, window);
    let unit = ctx.snapshot.catalog.unit(first.metric());
    let scale = scale(ctx, unit, &courses, &ghost);
    let limits = Limits::of(ctx.snapshot, first);
    let lines: Vec<LimitLine> = limits.lines(&scale, unit).into_iter().filter(|l| l.value <= scale.hi).collect();
    let moments = moments(ctx, &keys, window);
    let cursor = cursor(ctx);
    let series: Vec<Series> = courses.iter().zip(Role::SERIES).map(|(c, role)| Series { bins: &c.bins, role }).collect();
    let own = explore.forecast.as_deref().filter(|f| f.key == *first && ctx.cursor().is_none());
    let forecast = courses.first().and_then(|c| c.forecast).or(own);
    LinesChart {
        series: &series,
        together: explore.together,
        ghost: &ghost,
        forecast: forecast.filter(|f| !f.mean.is_empty()),
        marks: courses.first().map_or(&[], |c| &c.marks),
        scale,
        time: time_scale(window, past),
        limits: &lines,
        band: ctx.charts().band(first),
        moments: &moments,
        cursor: cursor.as_ref(),
        gutter: GUTTER,
        zone: ctx.zone(),
    }
    .draw(ctx.ink, buf, chart_area(slot, 0));
    let plot = chart_area(slot, 0);
    let plot = Rect { x: plot.x + GUTTER.min(plot.width), width: plot.width.saturating_sub(GUTTER), ..plot };
    ctx.note(plot, Target::Chart(time_scale(window, past)));
    let head = at_moment(ctx).strong(first.metric()).dim(&format!(" {}", scale.unit));
    slot.title(ctx.ink, buf, &head, &parts(ctx, &keys, window));
}

/// How the chart is drawn, then names and values at the cursor.
fn parts(ctx: &DrawContext, keys: &[SeriesKey], window: Window) -> Vec<Phrase> {
    let explore = &ctx.state.explore;
    let mut said = Vec::new();
    for (i, key) in keys.iter().enumerate().rev() {
        let at = ctx.cursor().and_then(|at| window.index(at));
        let value = match at {
            Some(at) => ctx.charts().bins(key, window).get(at).copied().flatten().map(|b| b.mean),
            None => ctx.snapshot.value(key),
        };
        let unit = ctx.snapshot.catalog.unit(key.metric());
        let value = value.map_or_else(|| Phrase::new().dim("-"), |v| ctx.quantity(Role::Strong, v, unit));
        let role = Role::SERIES.get(i).copied().unwrap_or(Role::Dim);
        let name = if key.is_total() { "total".to_owned() } else { key.instance() };
        let name = if keys.iter().all(|k| k.metric() == key.metric()) { name } else { series_name(key) };
        said.push(Phrase::new().bold(role, &format!("{} ", number(i))).dim(&name).text(" ").join(&value));
    }
    let mut how = Vec::new();
    if explore.spread == Spread::Log {
        how.push("log".to_owned());
    }
    if explore.together == Together::Stacked {
        how.push("stacked".to_owned());
    }
    if let Some(ghost) = &explore.ghost {
        how.push(if ghost.back == explore::DAY { "yesterday dotted".to_owned() } else { "last week dotted".to_owned() });
    }
    how.push(crate::ui::format::span_title(ctx.state.span));
    said.push(Phrase::new().role(Role::Past, &how.join(" · ")));
    said
}

/// The highest that series on each other reach, bin by bin.
fn stacked_top(courses: &[Course]) -> f64 {
    let bins = courses.iter().map(|c| c.bins.len()).max().unwrap_or(0);
    let mean = |c: &Course, i: usize| c.bins.get(i).copied().flatten().map_or(0.0, |b| b.mean);
    (0..bins).map(|i| courses.iter().map(|c| mean(c, i)).sum()).fold(0.0, f64::max)
}

fn scale(ctx: &DrawContext, unit: Unit, courses: &[Course], ghost: &[Option<Bin>]) -> Scale {
    let explore = &ctx.state.explore;
    let all = || courses.iter().flat_map(|c| &c.bins).chain(ghost).flatten();
    let top = match explore.together {
        Together::Lines => all().map(|b| b.max).fold(0.0, f64::max),
        Together::Stacked => stacked_top(courses),
    };
    let scale = match unit {
        // Shares of a whole add up to it but for what rounding and means of different spans add.
        Unit::Ratio if top > 0.25 && top <= 1.25 => Scale::SHARE,
        Unit::Celsius | Unit::Hertz if explore.together == Together::Lines => {
            Scale::around(ctx.units(), unit, all().map(|b| b.min).fold(top, f64::min), top.max(1.0))
        }
        _ => Scale::rounded(ctx.units(), unit, top),
    };
    if explore.spread == Spread::Log { scale.log() } else { scale }
}

/// Alerts of the series, restarts, notes, and a clock that went back, as lines with their time.
fn moments(ctx: &DrawContext, keys: &[SeriesKey], window: Window) -> Vec<Moment> {
    let range = window.range();
    let fired = ctx.snapshot.alerts.iter().filter(|a| keys.contains(&a.key)).filter_map(|a| Some((a.fired_at?, a)));
    let alerts = fired.map(|(at, alert)| {
        let role = if alert.severity == crate::model::Severity::Critical { Role::Crit } else { Role::Warn };
        Moment { at, text: format!("fired {}", time(at, ctx.zone())), role }
    });
    let events = ctx.state.explore.events.iter().filter_map(|entry| {
        let text = match &entry.event {
            JournalEvent::Notice { text } | JournalEvent::Annotation { text, .. } => text,
            _ => return None,
        };
        let short: String = text.chars().take(14).collect();
        Some(Moment { at: entry.at, text: short, role: Role::Dim })
    });
    let marks = ctx.state.bookmarks.iter().map(|at| Moment { at: *at, text: "bookmark".to_owned(), role: Role::Past });
    alerts.chain(marks).chain(events).filter(|m| range.contains(m.at)).take(12).collect()
}

const COLUMNS: &[Column] = &[
    Column::words("", 3),
    Column::words("series", 34),
    Column::number("now", 13),
    Column::number("least", 13),
    Column::number("mean", 13),
    Column::number("most", 13),
    Column::words("most at", 11),
    Column::words("", 0),
];

/// All series of the chosen metric with their figures over the span of the chart.
pub fn series(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let explore = &ctx.state.explore;
    let all = explore::series(ctx.state);
    let charted = explore::charted(ctx.state);
    let inner = slot.inner();
    let chosen = explore.series_row(&all);
    let help = explore.metric.as_deref().and_then(|m| ctx.snapshot.catalog.get(m)).map_or("", |d| d.help);
    let head = Phrase::new().strong("Series ").dim(&all.len().to_string());
    slot.title(ctx.ink, buf, &head, &[Phrase::new().dim(help)]);
    if inner.height == 0 || inner.width < 40 {
        return;
    }
    let columns = Columns::new(COLUMNS, inner);
    columns.heads(ctx.ink, buf, inner.y, None);
    let first = first_row(chosen, usize::from(inner.height - 1), all.len());
    let window = ctx.window(past_columns(ctx, chart_area(slot, 0).width.saturating_sub(GUTTER)));
    for (y, (at, key)) in (inner.y + 1..inner.bottom()).zip(all.iter().enumerate().skip(first)) {
        if at == chosen {
            lay(ctx.ink, buf, Rect { y, height: 1, ..inner }, Ground::Selected);
        }
        let unit = ctx.snapshot.catalog.unit(key.metric());
        let line = charted.iter().position(|k| k == key);
        let mark = line.and_then(|i| Some((number(i), *Role::SERIES.get(i)?)));
        let mark = mark.map_or_else(Phrase::new, |(n, role)| Phrase::new().bold(role, &n.to_string()));
        let name = if key.is_total() { "total".to_owned() } else { labels(key) };
        columns.cell(ctx.ink, buf, y, 0, &mark);
        columns.cell(ctx.ink, buf, y, 1, &Phrase::new().text(&name));
        let said = |v: Option<f64>| v.map_or_else(|| Phrase::new().dim("-"), |v| ctx.quantity(Role::Text, v, unit));
        columns.cell(ctx.ink, buf, y, 2, &said(ctx.snapshot.value(key)));
        if line.is_some() {
            let course = Course::of(ctx, key, window);
            let least = course.bins.iter().flatten().map(|b| b.min).reduce(f64::min);
            let peak = course.peak(window);
            columns.cell(ctx.ink, buf, y, 3, &said(least));
            columns.cell(ctx.ink, buf, y, 4, &said(course.mean()));
            columns.cell(ctx.ink, buf, y, 5, &said(peak.map(|p| p.0)));
            let when = peak.map_or_else(Phrase::new, |p| Phrase::new().dim(&time(p.1, ctx.zone())));
            columns.cell(ctx.ink, buf, y, 6, &when);
            let (x, end) = columns.span(7);
            comes(ctx, key).put(ctx.ink, buf, ((x + 1).min(end), y), end);
        }
    }
}

/// What is said of its future.
fn comes(ctx: &DrawContext, key: &SeriesKey) -> Phrase {
    let known = ctx.snapshot.forecast(key).map(|f| &**f);
    let Some(forecast) = known.or(ctx.state.explore.forecast.as_deref().filter(|f| f.key == *key)) else { return Phrase::new() };
    if let Some(why) = &forecast.none_because {
        return Phrase::new().dim("no forecast: ").dim(why);
    }
    let ahead = forecast.step * u32::try_from(forecast.mean.len()).unwrap_or(0);
    let unit = ctx.snapshot.catalog.unit(key.metric());
    let Some((mean, band)) = forecast.mean.last().zip(forecast.band80.last()) else { return Phrase::new() };
    Phrase::new()
        .bold(Role::Pred, "◆ ")
        .dim(&format!("in {} ", format_duration(ahead)))
        .join(&ctx.quantity(Role::Pred, *mean, unit))
        .dim("  80% from ")
        .join(&ctx.quantity(Role::Pred, band.low, unit))
        .dim(" to ")
        .join(&ctx.quantity(Role::Pred, band.high, unit))
        .dim(&format!("  {}", forecast.method))
}

fn labels(key: &SeriesKey) -> String {
    key.labels().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}
