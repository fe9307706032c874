//! One alert: when it left the learned band, what moved with it, and beside it why, who and what to do.
//!
//! All charts share one time axis. Invariant: what was not fetched yet is said to be on its way, never
//! drawn as nothing.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::alert_facts;
use super::limits::Limits;
use super::parts::{Slot, alert_glyph, paragraphs, row, series_name, split_right};
use super::trends::{cursor, time_scale};
use crate::base::{Timestamp, Unit};
use crate::model::{Alert, Band, Correlate, SeriesKey, Severity};
use crate::ui::charts::{Bin, ChartStore, Window};
use crate::ui::format::time;
use crate::ui::pane::{Density, DrawContext};
use crate::ui::state::{Focus, Subject};
use crate::ui::widgets::axis::{Scale, ValueLabel};
use crate::ui::widgets::chart::{Chart, Coloring, Fill, LimitLine, Moment, Trace, draw_axis};
use crate::ui::widgets::spark::{Spark, spark};
use crate::ui::widgets::{Borders, Phrase, Role};

/// Columns for labels of values, wide enough for `limit 85%`.
const GUTTER: u16 = 13;
/// Columns for values and changes right of what moved with it.
const VALUES: u16 = 22;

/// Draws it.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, area: Rect, alert: &Alert) {
    let page = Page::of(ctx, alert);
    if ctx.density() == Density::Large && area.height >= 30 { page.large(buf, area) } else { page.small(buf, area) }
}

/// One alert and what was fetched for it.
pub struct Page<'a> {
    ctx: &'a DrawContext<'a>,
    alert: &'a Alert,
    /// What was fetched; `None` while it is on its way.
    pub focus: Option<&'a Focus>,
}

impl<'a> Page<'a> {
    /// With what was fetched for it, if it was.
    pub fn of(ctx: &'a DrawContext<'a>, alert: &'a Alert) -> Self {
        let is_own = |f: &&Focus| matches!(&f.subject, Subject::Alert(id) if *id == alert.id);
        Self { ctx, alert, focus: ctx.state.focus.as_ref().filter(is_own) }
    }
}

impl Page<'_> {
    fn large(&self, buf: &mut Buffer, area: Rect) {
        let ctx = self.ctx;
        let middle = area.x + area.width * 128 / 200;
        let related = u16::try_from(self.alert.explanation.correlated.len().min(4)).unwrap_or(0);
        let told = area.bottom() - 1 - (area.height / 4).max(8);
        let first = told - if related > 0 { related * 3 + 2 } else { 0 };
        let mut lines = Borders::new(area);
        lines.around(area).down(middle, area.y, area.bottom() - 1);
        for y in [first, told] {
            lines.across(y, area.x, middle);
        }
        let (processes, todo) = (area.y + area.height * 18 / 47, area.bottom() - 1 - (area.height / 4).max(8));
        let has_processes = !self.alert.explanation.processes.is_empty();
        let split = if has_processes { processes } else { todo };
        lines.across(split, middle, area.right() - 1).across(todo, middle, area.right() - 1);
        lines.draw(ctx.ink, buf);
        let left = |y0, y1| Slot { x0: area.x, x1: middle, y0, y1 };
        let right = |y0, y1| Slot { x0: middle, x1: area.right() - 1, y0, y1 };
        self.chart(buf, left(area.y, first));
        if related > 0 {
            self.moved(buf, left(first, told), related);
        }
        alert_facts::told(ctx, buf, left(told, area.bottom() - 1), self.alert, self.focus);
        alert_facts::why(ctx, buf, right(area.y, split), self.alert);
        if has_processes {
            alert_facts::processes(ctx, buf, right(split, todo), self.alert);
        }
        alert_facts::todo(ctx, buf, right(todo, area.bottom() - 1), self.alert);
    }

    fn small(&self, buf: &mut Buffer, area: Rect) {
        let ctx = self.ctx;
        let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        let summary = &self.alert.explanation.summary;
        let summary = if summary.is_empty() { &self.alert.title } else { summary };
        Phrase::new().strong(summary).put(ctx.ink, buf, (inner.x, inner.y), inner.right());
        let normal = self.alert.explanation.normal.as_deref();
        let normal = normal.map_or_else(|| "still learning what is normal".to_owned(), |n| format!("usually {n}"));
        Phrase::new().dim(&normal).put(ctx.ink, buf, (inner.x, inner.y + 1), inner.right());
        let related = u16::try_from(self.alert.explanation.correlated.len().min(3)).unwrap_or(0);
        let rest = area.height.saturating_sub(2);
        let told = (rest / 3).clamp(2, 12);
        let chart = rest.saturating_sub(told + related).max(3);
        let (y0, y1) = (area.y + 2, (area.y + 2 + chart).min(area.bottom()));
        let y2 = (y1 + related).min(area.bottom());
        let mut lines = Borders::new(area);
        lines.across(y0, area.x, area.right() - 1);
        if y2 < area.bottom() {
            lines.across(y2, area.x, area.right() - 1);
        }
        lines.draw(ctx.ink, buf);
        let wide = |y0, y1| Slot { x0: area.x, x1: area.right(), y0, y1 };
        self.chart(buf, wide(y0, y1));
        for (i, one) in (0_u16..).zip(self.alert.explanation.correlated.iter().take(usize::from(related))) {
            let line = row(Rect { y: y1, height: y2 - y1, ..inner }, i);
            if line.height > 0 {
                self.moved_line(buf, line, one);
            }
        }
        if y2 < area.bottom() {
            alert_facts::told(ctx, buf, wide(y2, area.bottom()), self.alert, self.focus);
        }
    }

    fn store(&self) -> &ChartStore {
        self.focus.map_or_else(|| self.ctx.charts(), |f| &f.charts)
    }

    /// Past columns of a plot, and the window over them.
    fn window(&self, plot: u16) -> (u16, Window) {
        let past = if self.ctx.cursor().is_some() { plot } else { plot - plot / 5 };
        let Some(focus) = self.focus else { return (past, self.ctx.window(past)) };
        let n = usize::from(past.max(1)) * 2;
        let seconds = focus.range.length().as_secs().div_ceil(n as u64).max(1);
        (past, Window::ending(focus.range.to, std::time::Duration::from_secs(seconds), n))
    }

    fn fired(&self) -> Option<Moment> {
        let at = self.alert.fired_at?;
        let role = if self.alert.severity == Severity::Critical { Role::Crit } else { Role::Warn };
        Some(Moment { at, text: format!("fired {}", time(at, self.ctx.zone())), role })
    }

    /// Its series with the limit, what was learned, the moment it fired and what comes next.
    pub fn chart(&self, buf: &mut Buffer, slot: Slot) {
        let (ctx, alert) = (self.ctx, self.alert);
        let (_, role) = alert_glyph(alert);
        let role = if role == Role::Dim { Role::Strong } else { role };
        let name = series_name(&alert.key);
        let left = Phrase::new().bold(role, &format!("{name} {}", ctx.value(alert.value, alert.unit)));
        let normal = alert.explanation.normal.as_deref().map_or_else(Phrase::new, |n| Phrase::new().dim("usually ").text(n));
        slot.title(ctx.ink, buf, &left, &[normal, super::trends::coming(ctx, |k| *k == alert.key)]);
        let area = Rect {
            x: slot.x0 + 1,
            y: slot.y0 + 1,
            width: slot.x1.saturating_sub(slot.x0 + 2),
            height: slot.y1.saturating_sub(slot.y0 + 1),
        };
        let (past, window) = self.window(area.width.saturating_sub(GUTTER));
        let bins = self.store().bins(&alert.key, window);
        if bins.iter().all(Option::is_none) {
            let words = if self.focus.is_some() { "no history of this series" } else { "its history is on its way" };
            Phrase::new().dim(words).put(ctx.ink, buf, (area.x + 1, area.y), area.right());
            return;
        }
        let band = self.store().band(&alert.key);
        let forecast = ctx.snapshot.forecast(&alert.key).filter(|_| ctx.cursor().is_none());
        let ahead = forecast.map_or(&[][..], |f| &f.mean);
        let scale = around(ctx, alert, &bins, (band, ahead));
        let anomalies = ctx.snapshot.anomalies.iter().chain(self.store().anomalies(&alert.key));
        let mut marks: Vec<_> = anomalies.filter(|a| a.key == alert.key).map(|a| a.peak_at).collect();
        marks.dedup();
        let line_role = if alert.severity == Severity::Critical { Role::Crit } else { Role::Warn };
        let limit =
            LimitLine { value: alert.limit, role: line_role, label: format!("limit {}", ctx.value(alert.limit, alert.unit)) };
        let learned =
            band.last().map(|(_, b)| ValueLabel { value: f64::midpoint(b.low, b.high), text: "learned".into(), role: Role::Dim });
        let (moments, cursor) = (self.fired(), cursor(ctx));
        let coloring = match Limits::of(ctx.snapshot, &alert.key).coloring() {
            Coloring::Fixed(_) => Coloring::Above { warn: None, crit: Some(alert.limit) },
            own => own,
        };
        Chart {
            upper: Trace { bins: &bins, coloring, forecast: forecast.map(|f| &**f), marks: &marks },
            lower: None,
            scale,
            time: time_scale(window, past),
            fill: Fill::Line,
            limits: std::slice::from_ref(&limit),
            labels: learned.as_slice(),
            band,
            moments: moments.as_slice(),
            cursor: cursor.as_ref(),
            gutter: GUTTER,
            axis: Some(ctx.zone()),
        }
        .draw(ctx.ink, buf, area);
    }

    /// Three rows for each series that moved with it, and the time axis they share.
    fn moved(&self, buf: &mut Buffer, slot: Slot, n: u16) {
        let ctx = self.ctx;
        slot.title(
            ctx.ink,
            buf,
            &Phrase::new().strong("Moved with it").dim(" same time axis"),
            &[Phrase::new().dim("r = correlation")],
        );
        let area = Rect {
            x: slot.x0 + 1,
            y: slot.y0 + 1,
            width: slot.x1.saturating_sub(slot.x0 + 2),
            height: slot.y1.saturating_sub(slot.y0 + 1),
        };
        let plot = area.width.saturating_sub(GUTTER);
        let (past, window) = self.window(plot);
        let fired = self.fired();
        for (i, one) in (0_u16..).zip(self.alert.explanation.correlated.iter().take(usize::from(n))) {
            let place = Rect { y: area.y + i * 3, height: 3, ..area };
            let name = Rect { x: place.x + 1, width: GUTTER - 2, height: 2, ..place };
            paragraphs(ctx.ink, buf, name, &[Phrase::new().text(&series_name(&one.key))]);
            let r = Phrase::new().dim("r ").text(&format!("{:.2}", one.correlation));
            r.put_right(ctx.ink, buf, (place.x, place.x + GUTTER - 1), place.y + 2);
            let bins = self.store().bins(&one.key, window);
            // The future is not known of these: the values stand there.
            let width = GUTTER + past.min(plot.saturating_sub(VALUES));
            let scale = Scale { lo: 0.0, ..Scale::rounded(ctx.units(), self.unit(&one.key), top(&bins)) };
            let trace = Trace::plain(&bins, Coloring::Fixed(Role::Flow));
            let plot = Rect { x: place.x + GUTTER, width: width - GUTTER, ..place };
            let chart = Chart::plain(trace, scale, time_scale(window, past));
            Chart { moments: fired.as_slice(), ..chart }.draw(ctx.ink, buf, plot);
            let (_, values) = split_right(place, VALUES);
            self.change(one).put_right(ctx.ink, buf, (values.x, values.right()), place.y);
        }
        let charts = Rect { x: area.x + GUTTER, y: area.y, width: plot, height: n * 3 };
        draw_axis(ctx.ink, buf, charts, (&time_scale(window, past), ctx.zone()), (None, fired.as_slice()));
    }

    fn moved_line(&self, buf: &mut Buffer, line: Rect, one: &Correlate) {
        let ctx = self.ctx;
        Phrase::new().text(&short_name(&one.key)).put(ctx.ink, buf, (line.x, line.y), line.x + GUTTER);
        self.change(one).put_right(ctx.ink, buf, (line.x, line.right()), line.y);
        let columns = line.width.saturating_sub(GUTTER + VALUES);
        let (_, window) = self.window(columns + columns / 4);
        let bins = self.store().bins(&one.key, window);
        let values: Vec<_> = bins.iter().map(|b| b.map(|b| b.max)).collect();
        let graph =
            Spark { values: &values, range: (0.0, top(&bins).max(1e-9)), per_cell: 2, coloring: Coloring::Fixed(Role::Flow) };
        spark(ctx.ink, buf, (line.x + GUTTER, line.y), columns, &graph);
    }

    fn unit(&self, key: &SeriesKey) -> Unit {
        self.ctx.snapshot.catalog.unit(key.metric())
    }

    /// Its value when the rule fired and how that differs from usual: `22.0 MiB/s  ×7`.
    fn change(&self, one: &Correlate) -> Phrase {
        let value = self.ctx.quantity(Role::Strong, one.value, self.unit(&one.key));
        let ratio = one.value / one.usual;
        let change = match ratio {
            r if one.usual.abs() < 1e-9 || !r.is_finite() => "new".to_owned(),
            r if r >= 10.0 => format!("×{r:.0}"),
            r if r >= 2.0 => format!("×{r:.1}"),
            r => format!("{:+.0}%", (r - 1.0) * 100.0),
        };
        value.strong(&format!("{change:>8}"))
    }
}

/// A series' name for the narrow column beside its graph.
fn short_name(key: &SeriesKey) -> String {
    let name = series_name(key);
    if name.chars().count() < usize::from(GUTTER) {
        return name;
    }
    // A service is known by its name, everything else by what is measured.
    key.label("service").map_or_else(|| series_name(&SeriesKey::total(key.metric())), str::to_owned)
}

/// The largest value of bins.
fn top(bins: &[Option<Bin>]) -> f64 {
    bins.iter().flatten().map(|b| b.max).fold(0.0, f64::max)
}

/// A scale that shows the values, the limit and the learned band, and not much else.
fn around(ctx: &DrawContext, alert: &Alert, bins: &[Option<Bin>], (band, ahead): (&[(Timestamp, Band)], &[f64])) -> Scale {
    let values = bins.iter().flatten().flat_map(|b| [b.min, b.max]).chain([alert.limit]);
    let values =
        values.chain(band.iter().flat_map(|(_, b)| [b.low, b.high])).chain(ahead.iter().copied()).filter(|v| v.is_finite());
    let (lo, hi) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
    Scale::around(ctx.units(), alert.unit, lo, hi)
}
