//! The chart of a prediction: its series' past, what is expected, and the moment it is about.
//!
//! Invariant: the predicted moment and its interval lie within the chart while it is open.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::limits::Limits;
use super::parts::{Slot, until};
use super::trends::{GUTTER, chart_area, cursor, time_scale};
use crate::base::{TimeRange, Unit};
use crate::model::{Forecast, Prediction, Tried};
use crate::ui::charts::{Bin, Window};
use crate::ui::format::time_or_date;
use crate::ui::pane::{DrawContext, Target};
use crate::ui::state::Subject;
use crate::ui::widgets::axis::{Scale, TimeScale};
use crate::ui::widgets::chart::{Chart, Fill, LimitLine, Moment, Trace};
use crate::ui::widgets::lines::{LinesChart, Series, Together};
use crate::ui::widgets::{Phrase, Role};

/// Draws it.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, p: &Prediction) {
    let unit = ctx.snapshot.catalog.unit(p.key.metric());
    title(ctx, buf, slot, p, unit);
    let area = chart_area(slot, 0);
    let plot = area.width.saturating_sub(GUTTER);
    let focus = ctx.state.focus.as_ref().filter(|f| f.subject == Subject::Prediction(p.id.clone()));
    let (store, range) =
        focus.map_or_else(|| (ctx.charts(), TimeRange::last(ctx.state.span, ctx.snapshot.at)), |f| (&f.charts, f.range));
    // The future shown reaches a little past the interval, at most as far as the past.
    let ahead = (p.at_hi.since(ctx.snapshot.at) * 9 / 8).min(range.length());
    let share = range.length().as_secs_f64() / (range.length() + ahead).as_secs_f64().max(1.0);
    let past = if ctx.cursor().is_some() { plot } else { ((f64::from(plot) * share) as u16).clamp(plot / 2, plot - plot / 5) };
    let n = usize::from(past.max(1)) * 2;
    let seconds = range.length().as_secs().div_ceil(n as u64).max(1);
    let window = Window::ending(range.to, Duration::from_secs(seconds), n);
    let bins = store.bins(&p.key, window);
    if bins.iter().all(Option::is_none) {
        let words = if focus.is_some() { "no history of this series" } else { "its history is on its way" };
        Phrase::new().dim(words).put(ctx.ink, buf, (area.x + 1, area.y), area.right());
        return;
    }
    let limits = Limits::of(ctx.snapshot, &p.key);
    let forecast = ctx.snapshot.forecast(&p.key).filter(|_| ctx.cursor().is_none()).map(|f| &**f);
    let scale = scale(ctx, &bins, (forecast, p), unit);
    let mut lines = limits.lines(&scale, unit);
    lines.retain(|l| (scale.lo..=scale.hi).contains(&l.value));
    if !lines.iter().any(|l| (l.value - p.limit).abs() < 1e-9) {
        lines.insert(0, LimitLine { value: p.limit, role: Role::Crit, label: ctx.value(p.limit, unit).replace(' ', "") });
    }
    let at = Moment { at: p.at, text: time_or_date(p.at, ctx.snapshot.at, ctx.zone()), role: Role::Pred };
    let cursor = cursor(ctx);
    let trace = Trace { forecast, ..Trace::plain(&bins, limits.coloring()) };
    let chart = Chart {
        fill: if scale.lo > 0.0 { Fill::Line } else { Fill::Area },
        limits: &lines,
        band: store.band(&p.key),
        moments: std::slice::from_ref(&at),
        cursor: cursor.as_ref(),
        ..Chart::labeled(trace, scale, time_scale(window, past), ctx.zone())
    };
    ctx.note(chart.plot(area), Target::Chart(chart.time));
    chart.draw(ctx.ink, buf, area);
}

/// What the method would have said some time ago, beside what came: whether it follows such a course.
pub fn tried(ctx: &DrawContext, buf: &mut Buffer, area: Rect, (forecast, tried): (&Forecast, &Tried)) {
    let unit = ctx.snapshot.catalog.unit(forecast.key.metric());
    let head = Phrase::new().dim("tried before: ").bold(Role::Flow, "1").dim(" what came  ").bold(Role::Pred, "2");
    head.dim(" what it would have said").put(ctx.ink, buf, (area.x, area.y), area.right());
    let area = Rect { x: area.x.saturating_sub(1), y: area.y + 1, width: area.width + 1, height: area.height - 1 };
    let plot = area.width.saturating_sub(GUTTER);
    let (halves, n) = (usize::from(plot.max(1)) * 2, tried.came.len());
    let course = |values: &[f64]| -> Vec<Option<Bin>> {
        (0..halves).map(|i| values.get(i * n / halves).map(|v| Bin { min: *v, mean: *v, max: *v })).collect()
    };
    let (came, expected) = (course(&tried.came), course(&tried.expected));
    let all = || tried.came.iter().chain(tried.expected.iter()).copied();
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let length = tried.step * u32::try_from(n).unwrap_or(u32::MAX);
    LinesChart {
        series: &[Series { bins: &came, role: Role::Flow }, Series { bins: &expected, role: Role::Pred }],
        together: Together::Lines,
        ghost: &[],
        forecast: None,
        marks: &[],
        scale: Scale::around(ctx.units(), unit, low, high),
        time: TimeScale { from: forecast.made_at - length, bin: length / u32::try_from(halves).unwrap_or(1), past: plot },
        limits: &[],
        band: &[],
        moments: &[],
        cursor: None,
        gutter: GUTTER,
        zone: ctx.zone(),
    }
    .draw(ctx.ink, buf, area);
}

fn title(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, p: &Prediction, unit: Unit) {
    let head = Phrase::new().bold(Role::Pred, &format!("◆ {}", p.title));
    let head = if p.outcome.is_none() { head.bold(Role::Pred, &format!(" in {}", until(ctx, p.at))) } else { head };
    let now = ctx
        .snapshot
        .value(&p.key)
        .map_or_else(Phrase::new, |v| Phrase::new().dim("now ").join(&ctx.quantity(Role::Text, v, unit)));
    let probability = Phrase::new().dim("p ").role(Role::Pred, &format!("{:.2}", p.probability));
    slot.title(ctx.ink, buf, &head, &[now, probability]);
}

/// Shares that stay in the upper half are shown from where they are: the way to the limit is what matters.
fn scale(ctx: &DrawContext, bins: &[Option<Bin>], (forecast, p): (Option<&Forecast>, &Prediction), unit: Unit) -> Scale {
    let seen = bins.iter().flatten();
    let (lo, hi) = seen.fold((f64::INFINITY, p.limit), |(lo, hi), b| (lo.min(b.min), hi.max(b.max)));
    let expected = forecast.map_or(&[][..], |f| &f.mean).iter().copied().fold(lo, f64::min);
    match unit {
        Unit::Ratio if expected.min(lo) > 0.5 => Scale { lo: 0.5, ..Scale::SHARE },
        Unit::Ratio => Scale::SHARE,
        _ => Scale::rounded(ctx.units(), unit, hi),
    }
}
