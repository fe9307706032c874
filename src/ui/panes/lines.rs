//! A pane with several series in one chart, each with its name, its color and its value at the moment shown.
//!
//! Invariant: the values beside the chart are those of the time cursor, and without one the newest.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::limits::Limits;
use super::parts::{Slot, at_moment, series_name};
use super::trends::{GUTTER, chart_area, cursor, past_columns, time_scale};
use crate::base::Unit;
use crate::model::{SeriesKey, Snapshot};
use crate::ui::charts::{Bin, Window};
use crate::ui::pane::{DrawContext, Target};
use crate::ui::widgets::axis::Scale;
use crate::ui::widgets::chart::LimitLine;
use crate::ui::widgets::lines::{LinesChart, Series, Together, number};
use crate::ui::widgets::{Graph, Phrase, Role};

/// Columns of names and values beside a chart that is wide enough for them.
const LEGEND: u16 = 28;
/// Columns a pane has at least for that.
const ROOMY: u16 = 74;

/// Which series a pane shows.
#[derive(Debug, Clone, Copy)]
pub struct Lines {
    /// Its title.
    pub title: &'static str,
    /// Their metrics.
    pub metrics: &'static [&'static str],
    /// How they share the chart.
    pub together: Together,
}

/// Series of a pane: of each metric its parts where it has some, else its total; at most as many as there are colors.
pub fn keys(snapshot: &Snapshot, what: &Lines) -> Vec<SeriesKey> {
    let mut all = Vec::new();
    for metric in what.metrics {
        let parts = snapshot.of(metric).filter(|r| !r.key.is_total() && r.key.instance() != "lo");
        let parts: Vec<_> = parts.filter(|r| what.together == Together::Lines || r.key.instance() != "idle").collect();
        let totals = snapshot.of(metric).filter(|r| r.key.is_total());
        all.extend(totals.filter(|_| parts.is_empty()).map(|r| r.key.clone()));
        all.extend(parts.into_iter().map(|r| r.key.clone()));
    }
    all.truncate(Role::SERIES.len());
    all
}

/// Draws the pane.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, what: &Lines) {
    let keys = keys(ctx.snapshot, what);
    let first = keys.first().map_or("", SeriesKey::metric);
    let is_one_metric = keys.iter().all(|k| k.metric() == first);
    let names = keys.iter().map(|k| if is_one_metric && !k.is_total() { k.instance() } else { series_name(k) }).collect();
    let names = without_common_start(names);
    let course = Courses::of(ctx, keys, names, slot);
    course.draw(ctx, buf, slot, (what.title, what.together));
}

/// Names without the words all of them begin with.
fn without_common_start(names: Vec<String>) -> Vec<String> {
    let words = |name: &String| name.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let all: Vec<Vec<String>> = names.iter().map(words).collect();
    let first = all.first().cloned().unwrap_or_default();
    let is_common = |i: usize| all.len() > 1 && all.iter().all(|n| n.len() > i + 1 && n.get(i) == first.get(i));
    let common = (0..first.len()).take_while(|i| is_common(*i)).count();
    all.iter().map(|n| n.get(common..).unwrap_or(&[]).join(" ")).collect()
}

/// Some series over the window of a chart.
struct Courses {
    keys: Vec<SeriesKey>,
    names: Vec<String>,
    bins: Vec<Vec<Option<Bin>>>,
    window: Window,
    past: u16,
    legend: u16,
}

impl Courses {
    fn of(ctx: &DrawContext, keys: Vec<SeriesKey>, names: Vec<String>, slot: Slot) -> Self {
        let legend = if slot.inner().width >= ROOMY && keys.len() > 1 { LEGEND } else { 0 };
        let plot = chart_area(slot, legend).width.saturating_sub(GUTTER);
        // Several lines have no future that could be told apart: all columns are for the past.
        let has_future = keys.len() == 1 && keys.first().is_some_and(|k| ctx.snapshot.forecast(k).is_some());
        let past = if has_future { past_columns(ctx, plot) } else { plot };
        let window = ctx.window(past);
        let bins = keys.iter().map(|key| ctx.charts().bins(key, window)).collect();
        Self { keys, names, bins, window, past, legend }
    }

    fn unit(&self, ctx: &DrawContext) -> Unit {
        self.keys.first().map_or(Unit::Count, |k| ctx.snapshot.catalog.unit(k.metric()))
    }

    fn scale(&self, ctx: &DrawContext, together: Together) -> Scale {
        let unit = self.unit(ctx);
        let all = || self.bins.iter().flatten().flatten();
        let top = match together {
            Together::Lines => all().map(|b| b.max).fold(0.0, f64::max),
            Together::Stacked => self.bins.iter().map(|s| s.iter().flatten().map(|b| b.mean).fold(0.0, f64::max)).sum(),
        };
        match unit {
            // A share of a whole keeps its whole scale, unless it is so small that nothing would be seen.
            Unit::Ratio if together == Together::Stacked || (0.25..=1.25).contains(&top) => Scale::SHARE,
            Unit::Celsius => Scale::around(ctx.units(), unit, all().map(|b| b.min).fold(top, f64::min), top.max(1.0)),
            _ => Scale::rounded(ctx.units(), unit, top),
        }
    }

    /// The value of a series at the moment shown.
    fn value(&self, ctx: &DrawContext, i: usize) -> Option<f64> {
        let key = self.keys.get(i)?;
        match ctx.cursor().and_then(|at| self.window.index(at)) {
            Some(at) => self.bins.get(i)?.get(at).copied().flatten().map(|b| b.mean),
            None => ctx.snapshot.value(key),
        }
    }

    fn draw(&self, ctx: &DrawContext, buf: &mut Buffer, slot: Slot, (title, together): (&str, Together)) {
        let scale = self.scale(ctx, together);
        let unit = self.unit(ctx);
        let is_single = self.keys.len() == 1;
        let limits = self.keys.first().filter(|_| is_single).map(|k| Limits::of(ctx.snapshot, k)).unwrap_or_default();
        let lines: Vec<LimitLine> = limits.lines(&scale, unit).into_iter().filter(|l| l.value <= scale.hi).collect();
        let series: Vec<Series> = self.bins.iter().zip(Role::SERIES).map(|(bins, role)| Series { bins, role }).collect();
        let forecast = self.keys.first().filter(|_| is_single && ctx.cursor().is_none());
        let cursor = cursor(ctx);
        LinesChart {
            series: &series,
            together,
            ghost: &[],
            forecast: forecast.and_then(|k| ctx.snapshot.forecast(k)).map(|f| &**f),
            marks: &[],
            scale,
            time: time_scale(self.window, self.past),
            limits: &lines,
            band: self.keys.first().filter(|_| is_single).map_or(&[], |k| ctx.charts().band(k)),
            moments: &[],
            cursor: cursor.as_ref(),
            gutter: GUTTER,
            zone: ctx.zone(),
        }
        .draw(ctx.ink, buf, chart_area(slot, self.legend));
        let plot = chart_area(slot, self.legend);
        let plot = Rect { x: plot.x + GUTTER.min(plot.width), width: plot.width.saturating_sub(GUTTER), ..plot };
        ctx.note(plot, Target::Chart(time_scale(self.window, self.past)));
        let head = at_moment(ctx).strong(title);
        let head = if scale.unit.is_empty() || scale.unit == "%" { head } else { head.dim(&format!(" {}", scale.unit)) };
        if self.legend > 0 {
            slot.title(ctx.ink, buf, &head, &[]);
            let inner = slot.inner();
            let x = inner.right().saturating_sub(self.legend);
            self.legend_column(ctx, buf, Rect { x, width: self.legend, ..inner });
        } else {
            let parts: Vec<Phrase> = (0..self.keys.len()).rev().map(|i| self.legend_part(ctx, i)).collect();
            slot.title(ctx.ink, buf, &head, &parts);
        }
    }

    fn mark(&self, ctx: &DrawContext, i: usize) -> Phrase {
        let role = Role::SERIES.get(i).copied().unwrap_or(Role::Dim);
        // Without colors the figure names the line.
        let is_named = ctx.ink.graph != Graph::Braille || ctx.ink.style(Role::Series1) == ctx.ink.style(Role::Series2);
        let glyph = if is_named { number(i).to_string() } else { "━".to_owned() };
        Phrase::new().bold(role, &glyph).text(" ")
    }

    fn legend_part(&self, ctx: &DrawContext, i: usize) -> Phrase {
        let unit = self.unit(ctx);
        let value = self.value(ctx, i).map_or_else(|| Phrase::new().dim("-"), |v| ctx.quantity(Role::Strong, v, unit));
        if self.keys.len() == 1 {
            return value;
        }
        self.mark(ctx, i).dim(self.names.get(i).map_or("", String::as_str)).text(" ").join(&value)
    }

    fn legend_column(&self, ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
        let unit = self.unit(ctx);
        for (y, i) in (area.y..area.bottom()).zip(0..self.keys.len()) {
            let value = self.value(ctx, i).map_or_else(|| Phrase::new().dim("-"), |v| ctx.quantity(Role::Text, v, unit));
            let from = value.put_right(ctx.ink, buf, (area.x, area.right()), y);
            let name = self.mark(ctx, i).text(self.names.get(i).map_or("", String::as_str));
            name.put(ctx.ink, buf, (area.x, y), from.saturating_sub(1));
        }
    }
}
