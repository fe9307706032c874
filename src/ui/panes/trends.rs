//! The four charts of the machine: CPU, memory, network, disk, each with its title.
//!
//! Past, present and future in one chart; while a past moment is shown the whole width is past, with
//! the time cursor. Invariant: the unit of the title is the unit of the labels.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::limits::Limits;
use super::parts::{Slot, at_moment, percent, prediction_of, scaled, until};
use crate::base::{Timestamp, Unit};
use crate::model::{Forecast, SeriesKey};
use crate::ui::charts::{Bin, Window};
use crate::ui::format::{time, time_seconds};
use crate::ui::pane::{Density, DrawContext, Target};
use crate::ui::widgets::axis::{Scale, TimeScale};
pub use crate::ui::widgets::chart::GUTTER;
use crate::ui::widgets::chart::{Chart, Coloring, Moment, Trace};
use crate::ui::widgets::{Phrase, Role};

/// Columns of facts beside a chart.
pub const FACTS: u16 = 30;

/// One series over the window of a chart.
pub struct Course<'a> {
    /// Its bins.
    pub bins: Vec<Option<Bin>>,
    /// What comes next; only in the present.
    pub forecast: Option<&'a Forecast>,
    /// Instants at which it was unusual.
    pub marks: Vec<Timestamp>,
}

impl<'a> Course<'a> {
    /// What is known of a series within a window.
    pub fn of(ctx: &DrawContext<'a>, key: &SeriesKey, window: Window) -> Self {
        let range = window.range();
        let known = ctx.snapshot.anomalies.iter().chain(ctx.charts().anomalies(key));
        let mut marks: Vec<Timestamp> = known.filter(|a| a.key == *key && range.contains(a.peak_at)).map(|a| a.peak_at).collect();
        marks.sort_unstable();
        marks.dedup();
        let forecast = ctx.snapshot.forecast(key).filter(|_| ctx.cursor().is_none()).map(|f| &**f);
        Self { bins: ctx.charts().bins(key, window), forecast, marks }
    }

    /// As a line of a chart.
    pub fn trace(&self, coloring: Coloring) -> Trace<'_> {
        Trace { bins: &self.bins, coloring, forecast: self.forecast, marks: &self.marks }
    }

    /// The largest value and when, in the window.
    pub fn peak(&self, window: Window) -> Option<(f64, Timestamp)> {
        let all = self.bins.iter().enumerate().filter_map(|(i, b)| b.map(|b| (b.max, window.start(i))));
        all.max_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// Mean over the window.
    pub fn mean(&self) -> Option<f64> {
        let (sum, n) = self.bins.iter().flatten().fold((0.0, 0_u32), |(s, n), b| (s + b.mean, n + 1));
        (n > 0).then(|| sum / f64::from(n))
    }

    fn top(&self) -> f64 {
        let seen = self.bins.iter().flatten().map(|b| b.max).fold(0.0, f64::max);
        let ahead = self.forecast.map_or(0.0, |f| f.mean.iter().copied().fold(0.0, f64::max));
        seen.max(ahead.min(seen * 2.0))
    }
}

/// Past columns of a chart whose plot is that wide: three quarters, or all of it while the past is shown.
pub fn past_columns(ctx: &DrawContext, plot: u16) -> u16 {
    if ctx.cursor().is_some() { plot } else { plot - plot / 4 }
}

/// The time scale of a window.
pub fn time_scale(window: Window, past: u16) -> TimeScale {
    TimeScale { from: window.from, bin: window.bin, past }
}

/// The time cursor with its label.
pub fn cursor(ctx: &DrawContext) -> Option<Moment> {
    ctx.cursor().map(|at| Moment { at, text: time_seconds(at, ctx.zone()), role: Role::Past })
}

/// Where the chart of a pane goes: its labels stand beside the border, facts have their own columns.
pub fn chart_area(slot: Slot, facts: u16) -> Rect {
    let right = if facts > 0 { facts + 2 } else { 0 };
    let x = slot.x0.saturating_add(1);
    let width = slot.x1.saturating_sub(1).saturating_sub(x).saturating_sub(right);
    Rect { x, y: slot.y0 + 1, width, height: slot.y1.saturating_sub(slot.y0 + 1) }
}

fn plot_width(area: Rect) -> u16 {
    area.width.saturating_sub(GUTTER)
}

/// A bounded series (0–1) in a pane; gives its course and window for the title.
fn bounded<'a>(ctx: &DrawContext<'a>, buf: &mut Buffer, area: Rect, key: &SeriesKey) -> (Course<'a>, Window) {
    let past = past_columns(ctx, plot_width(area));
    let window = ctx.window(past);
    let course = Course::of(ctx, key, window);
    let limits = Limits::of(ctx.snapshot, key);
    let lines = limits.lines(&Scale::SHARE, Unit::Ratio);
    let cursor = cursor(ctx);
    let mut chart = Chart::labeled(course.trace(limits.coloring()), Scale::SHARE, time_scale(window, past), ctx.zone());
    chart.limits = &lines;
    chart.band = ctx.charts().band(key);
    chart.cursor = cursor.as_ref();
    ctx.note(chart.plot(area), Target::Chart(chart.time));
    chart.draw(ctx.ink, buf, area);
    (course, window)
}

/// `CPU 26%`, in its state's color where that is not well.
fn share_title(ctx: &DrawContext, name: &str, key: &SeriesKey) -> Phrase {
    let before = at_moment(ctx);
    let Some(value) = ctx.snapshot.value(key) else { return before.strong(name).dim(" no value") };
    let text = format!("{name} {:.0}%", value * 100.0);
    match Limits::of(ctx.snapshot, key).role(value) {
        role @ (Role::Warn | Role::Crit) => before.bold(role, &text),
        _ => before.strong(&text),
    }
}

/// `now 26%` while the past is shown.
fn now_part(ctx: &DrawContext, key: &SeriesKey) -> Phrase {
    match (ctx.cursor(), ctx.live.value(key)) {
        (Some(_), Some(now)) => Phrase::new().dim("now ").join(&percent(Limits::of(ctx.live, key).role(now), now)),
        _ => Phrase::new(),
    }
}

/// CPU.
pub fn cpu(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, facts: u16) {
    let Some(key) = &ctx.state.keys.cpu else { return absent(ctx, buf, slot, "CPU", "no reading of the CPU yet") };
    let (course, window) = bounded(ctx, buf, chart_area(slot, facts), key);
    let mut span = Phrase::new();
    if let (Some((peak, at)), None) = (course.peak(window), ctx.cursor()) {
        let peak = percent(Role::Text, peak);
        span = span.dim("peak ").join(&peak).dim(&format!(" {}", time(at, ctx.zone())));
        if let Some(mean) = course.mean() {
            span = span.dim("  mean ").join(&percent(Role::Text, mean));
        }
    }
    let load: Vec<String> =
        ["1m", "5m", "15m"].iter().filter_map(|w| ctx.snapshot.part("load_average", w)).map(|l| format!("{l:.1}")).collect();
    let load = if load.is_empty() { Phrase::new() } else { Phrase::new().dim("load ").text(&load.join(" ")) };
    slot.title(ctx.ink, buf, &share_title(ctx, "CPU", key), &[now_part(ctx, key), span, load]);
}

/// Memory.
pub fn memory(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, facts: u16) {
    let Some(key) = &ctx.state.keys.memory else { return absent(ctx, buf, slot, "Memory", "no reading of the memory yet") };
    bounded(ctx, buf, chart_area(slot, facts), key);
    let s = ctx.snapshot;
    let sizes = s.total("memory_total_bytes").and_then(|t| s.total("memory_available_bytes").map(|a| (t - a, t)));
    let sizes = sizes.map_or_else(Phrase::new, |(used, total)| {
        let total = ctx.value(total, Unit::Bytes);
        let factor = ctx.units().shown_in(Unit::Bytes, s.total("memory_total_bytes").unwrap_or(1.0)).factor;
        Phrase::new().dim(&format!("{:.1} of {total}", used / factor))
    });
    slot.title(ctx.ink, buf, &share_title(ctx, "Memory", key), &[now_part(ctx, key), sizes, coming(ctx, |k| k == key)]);
}

/// `◆ full about 03:30  p 0.86` for the open prediction that comes first; shorter where there are no facts.
pub fn coming(ctx: &DrawContext, is_about: impl Fn(&SeriesKey) -> bool) -> Phrase {
    if ctx.cursor().is_some() {
        return Phrase::new();
    }
    let Some(prediction) = prediction_of(ctx.snapshot, is_about) else { return Phrase::new() };
    let what = prediction.title.strip_prefix("memory ").unwrap_or(&prediction.title);
    let when = if prediction.at.since(ctx.snapshot.at).as_secs() < 12 * 3600 {
        time(prediction.at, ctx.zone())
    } else {
        format!("in {}", until(ctx, prediction.at))
    };
    let said = Phrase::new().bold(Role::Pred, "◆ ");
    if ctx.density() == Density::Large {
        let about = if when.starts_with("in") { "" } else { "about " };
        said.role(Role::Pred, &format!("{what} {about}{when}"))
            .dim("  p ")
            .role(Role::Pred, &format!("{:.2}", prediction.probability))
    } else {
        said.role(Role::Pred, &format!("{what} {when}"))
    }
}

/// Two flows around one zero.
struct Flows<'a> {
    keys: &'a (SeriesKey, SeriesKey),
    /// Beside zero, and in the title.
    names: [&'a str; 2],
    title: &'a str,
}

fn flows(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, facts: u16, what: &Flows) -> (Phrase, Phrase) {
    let area = chart_area(slot, facts);
    let past = past_columns(ctx, plot_width(area));
    let window = ctx.window(past);
    let (above, below) = (Course::of(ctx, &what.keys.0, window), Course::of(ctx, &what.keys.1, window));
    let scale = Scale::rounded(ctx.units(), ctx.snapshot.catalog.unit(what.keys.0.metric()), above.top().max(below.top()));
    let flow = Coloring::Fixed(Role::Flow);
    let cursor = cursor(ctx);
    let mut chart = Chart::labeled(above.trace(flow), scale, time_scale(window, past), ctx.zone());
    chart.lower = Some((below.trace(flow), what.names));
    chart.cursor = cursor.as_ref();
    ctx.note(chart.plot(area), Target::Chart(chart.time));
    chart.draw(ctx.ink, buf, area);
    let value = |key: &SeriesKey| ctx.snapshot.value(key).map_or_else(|| "-".to_owned(), |v| scaled(v, &scale));
    let title = at_moment(ctx).strong(what.title).dim(&format!(" {} ", what.names[0])).strong(&value(&what.keys.0));
    let title = title.dim(&format!(" {} ", what.names[1])).strong(&value(&what.keys.1)).dim(&format!(" {}", scale.unit));
    let peak = above.peak(window).into_iter().chain(below.peak(window)).max_by(|a, b| a.0.total_cmp(&b.0));
    let peak = peak.filter(|_| ctx.cursor().is_none()).map_or_else(Phrase::new, |(v, at)| {
        Phrase::new().dim("peak ").text(&scaled(v, &scale)).dim(&format!(" {}", time(at, ctx.zone())))
    });
    (title, peak)
}

/// Network.
pub fn network(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, facts: u16) {
    let Some(keys) = &ctx.state.keys.network else { return absent(ctx, buf, slot, "Network", "no interface that is up") };
    let (title, peak) = flows(ctx, buf, slot, facts, &Flows { keys, names: ["↓", "↑"], title: "Network" });
    let link = keys.0.label("interface").map_or_else(Phrase::new, |name| {
        let speed = ctx.snapshot.part("network_link_bits_per_second", name).filter(|s| *s > 0.0);
        let speed = speed.map_or_else(String::new, |s| format!(" of {}", ctx.value(s, Unit::BitsPerSecond).replace(".0 ", " ")));
        Phrase::new().dim(&format!("{name}{speed}"))
    });
    slot.title(ctx.ink, buf, &title, &[peak, link]);
}

/// Disk.
pub fn disk(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, facts: u16) {
    let Some(keys) = &ctx.state.keys.disk else { return absent(ctx, buf, slot, "Disk", "no block device to read") };
    let (title, _) = flows(ctx, buf, slot, facts, &Flows { keys, names: ["r", "w"], title: "Disk" });
    let busiest = ctx.snapshot.of("disk_busy_ratio").max_by(|a, b| a.value.total_cmp(&b.value));
    let busy = busiest.map_or_else(Phrase::new, |r| {
        Phrase::new().dim(&format!("{} ", r.key.instance())).join(&percent(Role::Text, r.value)).dim(" busy")
    });
    let full = if facts == 0 { coming(ctx, |k| k.metric().starts_with("filesystem_")) } else { Phrase::new() };
    slot.title(ctx.ink, buf, &title, &[busy, full]);
}

/// A pane that has nothing yet, and why.
fn absent(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, name: &str, why: &str) {
    slot.title(ctx.ink, buf, &Phrase::new().strong(name), &[]);
    let inner = slot.inner();
    if inner.height > 0 {
        Phrase::new().dim(why).put(ctx.ink, buf, (inner.x, inner.y), inner.right());
    }
}
