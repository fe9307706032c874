//! One chart: a line with its area, one or two flows around one zero, the past and the future.
//!
//! Bounded values take the color of their state at that moment, by time and never by height; flows have
//! one color. Invariant: both halves of a mirrored chart share one scale, and a gap is a gap.

use crate::ui::format::Clock;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::axis::{Scale, TimeLabel, TimeScale, ValueLabel, draw_time, draw_values, value_labels};
use super::layers::{EIGHTHS, Plot};
use super::raster::{Canvas, Meet, Stroke, strokes};
use super::text::write;
use super::{Graph, Ground, Ink, Role};
use crate::base::Timestamp;
use crate::model::{Band, Forecast};
use crate::ui::charts::Bin;

/// What colors a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Coloring {
    /// One role throughout.
    Fixed(Role),
    /// The state of the value: warning and critical from these values up.
    Above {
        /// Warning from here.
        warn: Option<f64>,
        /// Critical from here.
        crit: Option<f64>,
    },
    /// The same for values that are worse the smaller they are.
    Below {
        /// Warning from here down.
        warn: Option<f64>,
        /// Critical from here down.
        crit: Option<f64>,
    },
}

impl Coloring {
    /// Role of a stretch between two values: its worst.
    pub fn role(self, min: f64, max: f64) -> Role {
        let state = |crit: bool, warn: bool| {
            if crit {
                Role::Crit
            } else if warn {
                Role::Warn
            } else {
                Role::Ok
            }
        };
        match self {
            Self::Fixed(role) => role,
            Self::Above { warn, crit } => state(crit.is_some_and(|c| max >= c), warn.is_some_and(|w| max >= w)),
            Self::Below { warn, crit } => state(crit.is_some_and(|c| min <= c), warn.is_some_and(|w| min <= w)),
        }
    }
}

/// One line.
#[derive(Debug, Clone, Copy)]
pub struct Trace<'a> {
    /// One bin for each half column up to now; `None` is a gap.
    pub bins: &'a [Option<Bin>],
    /// Its color.
    pub coloring: Coloring,
    /// What comes next.
    pub forecast: Option<&'a Forecast>,
    /// Instants at which it was unusual.
    pub marks: &'a [Timestamp],
}

/// A limit with its label.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitLine {
    /// Where, in the metric's unit.
    pub value: f64,
    /// Warning or critical.
    pub role: Role,
    /// What stands among the labels of values (`85%`).
    pub label: String,
}

/// Whether the line stands on an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Tinted down to zero.
    Area,
    /// Only the line.
    Line,
}

/// A moment with a vertical line and a label on the time axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// What the axis says (`fired 03:04`).
    pub text: String,
    /// Its color.
    pub role: Role,
}

/// A chart with its labels.
#[derive(Debug, Clone)]
pub struct Chart<'a> {
    /// The line, or the one above zero.
    pub upper: Trace<'a>,
    /// The one below zero, with names of both for the labels beside zero.
    pub lower: Option<(Trace<'a>, [&'a str; 2])>,
    /// Rows; both halves share it.
    pub scale: Scale,
    /// Columns.
    pub time: TimeScale,
    /// Area or line.
    pub fill: Fill,
    /// Limits.
    pub limits: &'a [LimitLine],
    /// Further labels of values (`learned`).
    pub labels: &'a [ValueLabel],
    /// Learned band.
    pub band: &'a [(Timestamp, Band)],
    /// Moments, most important first.
    pub moments: &'a [Moment],
    /// Time cursor with its label.
    pub cursor: Option<&'a Moment>,
    /// Columns for labels of values, at the left.
    pub gutter: u16,
    /// Zone of the time axis; `None`: no axis.
    pub axis: Option<&'a Clock>,
}

/// Columns for labels of values: five, and one before the plot.
pub const GUTTER: u16 = 6;

impl<'a> Trace<'a> {
    /// A line without a future and without marks.
    pub fn plain(bins: &'a [Option<Bin>], coloring: Coloring) -> Self {
        Self { bins, coloring, forecast: None, marks: &[] }
    }
}

impl<'a> Chart<'a> {
    /// A line on its area and nothing else: no labels, no time axis.
    pub fn plain(upper: Trace<'a>, scale: Scale, time: TimeScale) -> Self {
        Self {
            upper,
            lower: None,
            scale,
            time,
            fill: Fill::Area,
            limits: &[],
            labels: &[],
            band: &[],
            moments: &[],
            cursor: None,
            gutter: 0,
            axis: None,
        }
    }

    /// The same with labels of values and a time axis.
    pub fn labeled(upper: Trace<'a>, scale: Scale, time: TimeScale, zone: &'a Clock) -> Self {
        Self { gutter: GUTTER, axis: Some(zone), ..Self::plain(upper, scale, time) }
    }

    /// The plot within the chart's area: without labels and time axis.
    pub fn plot(&self, area: Rect) -> Rect {
        let axis = u16::from(self.axis.is_some());
        Rect {
            x: area.x.saturating_add(self.gutter),
            width: area.width.saturating_sub(self.gutter),
            height: area.height.saturating_sub(axis),
            ..area
        }
    }

    /// Draws it.
    pub fn draw(&self, ink: &Ink, buf: &mut Buffer, area: Rect) {
        let area = area.intersection(buf.area);
        let plot = self.plot(area);
        if plot.width < 2 || plot.height == 0 {
            return;
        }
        let gutter = (area.x, plot.x.saturating_sub(1));
        match &self.lower {
            None => {
                self.half(ink, buf, plot, &self.upper, Side::Up);
                let mut labels = value_labels(&self.scale, plot.height);
                let limits = self.limits.iter().map(|l| ValueLabel { value: l.value, text: l.label.clone(), role: l.role });
                // The top keeps its row, then limits, then the rest.
                labels.splice(1..1, limits.chain(self.labels.iter().cloned()));
                draw_values(ink, buf, gutter, (plot.y, plot.height), &self.scale, &labels);
            }
            Some((lower, names)) => {
                let up = Rect { height: plot.height / 2, ..plot };
                let down = Rect { y: plot.y + up.height, height: plot.height - up.height, ..plot };
                self.half(ink, buf, up, &self.upper, Side::Up);
                self.half(ink, buf, down, lower, Side::Down);
                let top = self.scale.label(self.scale.hi);
                let dim = ink.style(Role::Dim);
                let mut put = |row: u16, text: &str| {
                    let wide = super::text::width(text);
                    if row < plot.bottom() && gutter.0 + wide <= gutter.1 {
                        write(buf, (gutter.1 - wide, row), gutter.1, text, dim);
                    }
                };
                if up.height > 1 {
                    put(up.y, &top);
                    put(down.bottom() - 1, &top);
                }
                if up.height > 0 {
                    put(down.y - 1, names[0]);
                    put(down.y, names[1]);
                }
            }
        }
        if let Some(zone) = self.axis {
            draw_axis(ink, buf, plot, (&self.time, zone), (self.cursor, self.moments));
        }
    }

    fn half(&self, ink: &Ink, buf: &mut Buffer, area: Rect, trace: &Trace, side: Side) {
        if area.height == 0 {
            return;
        }
        let plot = Plot { ink, area, scale: &self.scale, time: &self.time };
        let mut canvas = Canvas::new(area.width, area.height);
        if side == Side::Up {
            plot.learned(buf, self.band);
            for limit in self.limits {
                plot.limit(&mut canvas, limit.value, limit.role);
            }
        }
        plot.line(buf, &mut canvas, self.time.past, Role::Line);
        if let Some(forecast) = trace.forecast.filter(|_| side == Side::Up) {
            plot.future(buf, &mut canvas, forecast);
        }
        for moment in self.moments {
            if let Some(column) = self.time.column(moment.at, area.width) {
                plot.line(buf, &mut canvas, column, moment.role);
            }
        }
        let line = Line { plot: &plot, trace, side, fill: self.fill };
        let tops = line.draw(buf, &mut canvas);
        for mark in trace.marks.iter().filter(|_| side == Side::Up) {
            if let Some(column) = self.time.column(*mark, area.width) {
                let near = tops.iter().skip(usize::from(column).saturating_sub(1)).take(3).flatten().max();
                let top = (area.height * 4 - 1).saturating_sub(near.copied().unwrap_or(0));
                plot.mark(buf, &mut canvas, column, top);
            }
        }
        if let Some(column) = self.cursor.and_then(|c| self.time.column(c.at, area.width)) {
            plot.line(buf, &mut canvas, column, Role::Cursor);
        }
        stamp(&plot, buf, &canvas);
    }
}

/// Which way a line grows from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Up,
    Down,
}

/// The time axis under a plot: the cursor's label, "now" where there is room for the future, and what happened.
pub fn draw_axis(
    ink: &Ink,
    buf: &mut Buffer,
    plot: Rect,
    (time, zone): (&TimeScale, &Clock),
    (cursor, moments): (Option<&Moment>, &[Moment]),
) {
    let label = |m: &Moment| {
        let column = time.column(m.at, plot.width)?;
        Some(TimeLabel { column, text: m.text.clone(), role: m.role })
    };
    let now = (time.past < plot.width).then(|| TimeLabel { column: time.past, text: "now".into(), role: Role::Strong });
    let fixed: Vec<_> = cursor.and_then(label).into_iter().chain(now).chain(moments.iter().filter_map(label)).collect();
    draw_time(ink, buf, (plot.x, plot.bottom()), plot.width, time, zone, &fixed);
}

/// Puts the dots into the buffer; without braille each cell with a dot gets a middle dot.
pub(super) fn stamp(plot: &Plot, buf: &mut Buffer, canvas: &Canvas) {
    for (column, row, glyph, role) in canvas.iter() {
        let (x, y) = (plot.area.x + column, plot.area.y + row);
        if x < plot.area.right() && y < plot.area.bottom() {
            plot.settle(buf, x, y);
            let glyph = if plot.ink.graph == Graph::Braille { glyph } else { '·' };
            buf[(x, y)].set_char(glyph).set_style(plot.ink.style(role));
        }
    }
}

/// The line of one half.
struct Line<'a> {
    plot: &'a Plot<'a>,
    trace: &'a Trace<'a>,
    side: Side,
    fill: Fill,
}

impl Line<'_> {
    /// Draws line and area; gives the highest dot of each column, in dots from zero.
    fn draw(&self, buf: &mut Buffer, canvas: &mut Canvas) -> Vec<Option<u16>> {
        let area = self.plot.area;
        let rows = area.height * 4;
        let n = usize::from(area.width) * 2;
        let bins = self.trace.bins.get(..n.min(self.trace.bins.len())).unwrap_or(&[]);
        let mut all = strokes(bins, self.plot.scale, rows);
        let mut tops = vec![None; usize::from(area.width)];
        let mut was = (u16::MAX, false);
        for (column, top) in (0_u16..).zip(tops.iter_mut()).take(bins.len().div_ceil(2)) {
            let pair = [all.next().flatten(), all.next().flatten()];
            let Some(whole) = merged(pair) else {
                was.0 = u16::MAX;
                continue;
            };
            *top = Some(whole.hi);
            let role = self.trace.coloring.role(whole.min, whole.max);
            match self.plot.ink.graph {
                Graph::Braille => {
                    self.braille(buf, canvas, column, pair, role);
                    if self.fill == Fill::Area {
                        was = self.area(buf, column, whole.mean, role, was);
                    }
                }
                Graph::Block => self.blocks(buf, canvas, column, whole, role),
                Graph::Ascii => self.ascii(buf, canvas, column, whole, role),
            }
        }
        tops
    }

    /// Row of a cell counted from zero.
    fn y(&self, row: u16) -> u16 {
        match self.side {
            Side::Up => self.plot.area.bottom() - 1 - row,
            Side::Down => self.plot.area.y + row,
        }
    }

    fn braille(&self, buf: &mut Buffer, canvas: &mut Canvas, column: u16, pair: [Option<Stroke>; 2], role: Role) {
        let height = self.plot.area.height;
        for row in 0..height {
            let touched = pair.iter().flatten().any(|s| s.lo / 4 <= row && s.hi / 4 >= row);
            if touched {
                let y = self.y(row);
                self.plot.settle(buf, self.plot.area.x + column, y);
                buf[(self.plot.area.x + column, y)].set_char(' ');
                canvas.clear(column, y - self.plot.area.y);
            }
        }
        for (half, stroke) in (0_u16..).zip(pair).filter_map(|(i, s)| s.map(|s| (i, s))) {
            for dot in stroke.lo..=stroke.hi {
                let y = match self.side {
                    Side::Up => height * 4 - 1 - dot.min(height * 4 - 1),
                    Side::Down => dot,
                };
                canvas.set(column * 2 + half, y, role, Meet::Join);
            }
        }
    }

    /// Tints a column from zero to the half cell nearest the line; `was` keeps the edge from flickering between columns.
    fn area(&self, buf: &mut Buffer, column: u16, dot: u16, role: Role, was: (u16, bool)) -> (u16, bool) {
        let row = dot / 4;
        let whole = if was.0 == row && matches!(dot % 4, 1 | 2) { was.1 } else { dot % 4 >= 2 };
        let style = self.plot.ink.ground(Ground::area(role));
        for r in (0..row).chain(whole.then_some(row)).filter(|r| *r < self.plot.area.height) {
            let at = (self.plot.area.x + column, self.y(r));
            if let Some(bg) = style.bg {
                self.plot.settle(buf, at.0, at.1);
                buf[at].set_bg(bg);
            }
        }
        (row, whole)
    }

    fn blocks(&self, buf: &mut Buffer, canvas: &mut Canvas, column: u16, whole: Stroke, role: Role) {
        let eighths = (self.plot.scale.share(whole.max) * 8.0 * f64::from(self.plot.area.height)).round() as u16;
        let style = self.plot.ink.style(role.calm());
        for row in 0..=(eighths / 8).min(self.plot.area.height - 1) {
            let part = usize::from(eighths.saturating_sub(row * 8).min(8));
            let y = self.y(row);
            let cell = &mut buf[(self.plot.area.x + column, y)];
            canvas.clear(column, y - self.plot.area.y);
            match self.side {
                // Hanging from zero: the rest of the cell is drawn, reversed.
                Side::Down if part < 8 => {
                    let glyph = EIGHTHS.get(8 - part).copied().unwrap_or(' ');
                    let style = if part > 0 { style.add_modifier(Modifier::REVERSED) } else { Style::new() };
                    cell.set_char(if part > 0 { glyph } else { ' ' }).set_style(style);
                }
                _ => {
                    cell.set_char(EIGHTHS.get(part).copied().unwrap_or(' ')).set_style(style);
                }
            }
        }
    }

    fn ascii(&self, buf: &mut Buffer, canvas: &mut Canvas, column: u16, whole: Stroke, role: Role) {
        let style = self.plot.ink.style(role);
        for row in (whole.lo / 4)..=(whole.hi / 4).min(self.plot.area.height - 1) {
            let y = self.y(row);
            canvas.clear(column, y - self.plot.area.y);
            let glyph = if row == whole.mean / 4 { '*' } else { '|' };
            buf[(self.plot.area.x + column, y)].set_char(glyph).set_style(style);
        }
    }
}

/// Both halves of a column as one stroke.
fn merged(pair: [Option<Stroke>; 2]) -> Option<Stroke> {
    match pair {
        [Some(a), Some(b)] => Some(Stroke {
            lo: a.lo.min(b.lo),
            hi: a.hi.max(b.hi),
            mean: a.mean.min(b.mean),
            min: a.min.min(b.min),
            max: a.max.max(b.max),
        }),
        [a, b] => a.or(b),
    }
}

#[cfg(test)]
#[path = "chart_tests.rs"]
mod tests;
