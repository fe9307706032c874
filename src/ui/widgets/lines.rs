//! A chart of several series: lines, or areas that stand on each other, on one scale.
//!
//! Each series has a color of its own and a number, so that it is told apart without color too. Invariant: every series has
//! its smallest and largest value in every column, whatever shares a cell with it.

use crate::ui::format::Clock;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::axis::{Scale, TimeScale, ValueLabel, draw_values, value_labels};
use super::chart::{LimitLine, Moment, draw_axis, stamp};
use super::layers::Plot;
use super::raster::{Canvas, Meet, strokes};
use super::{Graph, Ink, Role};
use crate::base::Timestamp;
use crate::model::{Band, Forecast};
use crate::ui::charts::Bin;

/// One series.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// One bin for each half column up to now; `None` is a gap.
    pub bins: &'a [Option<Bin>],
    /// Its color.
    pub role: Role,
}

/// How several series share a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Together {
    /// Lines over each other.
    #[default]
    Lines,
    /// Areas on each other, the first at the bottom: parts of a whole.
    Stacked,
}

/// A chart with its labels.
#[derive(Debug, Clone)]
pub struct LinesChart<'a> {
    /// The series; the first is drawn last, so that it is never hidden.
    pub series: &'a [Series<'a>],
    /// How they share the chart.
    pub together: Together,
    /// The first series at another time, behind everything.
    pub ghost: &'a [Option<Bin>],
    /// What comes next for the first series.
    pub forecast: Option<&'a Forecast>,
    /// Instants at which the first series was unusual.
    pub marks: &'a [Timestamp],
    /// Rows.
    pub scale: Scale,
    /// Columns.
    pub time: TimeScale,
    /// Limits.
    pub limits: &'a [LimitLine],
    /// Learned band of the first series.
    pub band: &'a [(Timestamp, Band)],
    /// Moments, most important first.
    pub moments: &'a [Moment],
    /// Time cursor with its label.
    pub cursor: Option<&'a Moment>,
    /// Columns for labels of values, at the left.
    pub gutter: u16,
    /// Zone of the time axis.
    pub zone: &'a Clock,
}

impl LinesChart<'_> {
    /// Draws it.
    pub fn draw(&self, ink: &Ink, buf: &mut Buffer, area: Rect) {
        let area = area.intersection(buf.area);
        let x = area.x.saturating_add(self.gutter);
        let plot = Rect { x, width: area.width.saturating_sub(self.gutter), height: area.height.saturating_sub(1), ..area };
        if plot.width < 2 || plot.height == 0 {
            return;
        }
        self.plot(ink, buf, plot);
        let mut labels = value_labels(&self.scale, plot.height);
        let limits = self.limits.iter().map(|l| ValueLabel { value: l.value, text: l.label.clone(), role: l.role });
        labels.splice(1..1, limits);
        draw_values(ink, buf, (area.x, plot.x.saturating_sub(1)), (plot.y, plot.height), &self.scale, &labels);
        draw_axis(ink, buf, plot, (&self.time, self.zone), (self.cursor, self.moments));
    }

    fn plot(&self, ink: &Ink, buf: &mut Buffer, area: Rect) {
        let plot = Plot { ink, area, scale: &self.scale, time: &self.time };
        let mut canvas = Canvas::new(area.width, area.height);
        plot.learned(buf, self.band);
        if self.together == Together::Stacked {
            self.stack(&plot, buf);
        }
        for limit in self.limits {
            plot.limit(&mut canvas, limit.value, limit.role);
        }
        plot.line(buf, &mut canvas, self.time.past, Role::Line);
        if let Some(forecast) = self.forecast {
            plot.future(buf, &mut canvas, forecast);
        }
        for moment in self.moments {
            if let Some(column) = self.time.column(moment.at, area.width) {
                plot.line(buf, &mut canvas, column, moment.role);
            }
        }
        polyline(&plot, buf, &mut canvas, self.ghost, (Role::Dim, ':'));
        if self.together == Together::Lines {
            for (i, series) in self.series.iter().enumerate().rev() {
                polyline(&plot, buf, &mut canvas, series.bins, (series.role, number(i)));
            }
        }
        for at in self.marks {
            if let Some(column) = self.time.column(*at, area.width) {
                plot.mark(buf, &mut canvas, column, self.top(column, area.height));
            }
        }
        if let Some(column) = self.cursor.and_then(|c| self.time.column(c.at, area.width)) {
            plot.line(buf, &mut canvas, column, Role::Cursor);
        }
        stamp(&plot, buf, &canvas);
    }

    /// Dot row from the top of the first series near a column.
    fn top(&self, column: u16, height: u16) -> u16 {
        let halves = usize::from(column.saturating_sub(1)) * 2;
        let near = self.series.first().into_iter().flat_map(|s| s.bins.iter().skip(halves).take(6)).flatten();
        let highest = near.map(|b| b.max).fold(self.scale.lo, f64::max);
        let rows = f64::from(height * 4 - 1);
        (rows - self.scale.share(highest) * rows).round() as u16
    }

    /// Areas on each other: upper and lower half of a cell have the color of the series that is there.
    fn stack(&self, plot: &Plot, buf: &mut Buffer) {
        let Rect { x, height, width, .. } = plot.area;
        for column in 0..width.min(self.time.past) {
            let mut sum = self.scale.lo;
            let mut tops = Vec::with_capacity(self.series.len());
            for series in self.series {
                let pair = series.bins.iter().skip(usize::from(column) * 2).take(2).flatten();
                let (total, n) = pair.fold((0.0, 0_u32), |(t, n), b| (t + b.mean, n + 1));
                sum += if n > 0 { total / f64::from(n) } else { 0.0 };
                tops.push((self.scale.share(sum) * 2.0 * f64::from(height)).round() as u16);
            }
            let at = |half: u16| tops.iter().position(|top| half < *top);
            for row in 0..height {
                let (low, high) = (at(row * 2), at(row * 2 + 1));
                let Some(first) = low else { break };
                let cell = &mut buf[(x + column, plot.area.bottom() - 1 - row)];
                let style = |i: usize| plot.ink.style(self.series.get(i).map_or(Role::Dim, |s| s.role));
                if plot.ink.graph == Graph::Ascii {
                    cell.set_char(number(first)).set_style(style(first));
                } else if high == low {
                    cell.set_char('█').set_style(style(first));
                } else {
                    cell.set_char('▄').set_style(style(first));
                    if let Some(color) = high.and_then(|i| style(i).fg) {
                        cell.set_bg(color);
                    }
                }
            }
        }
    }
}

/// The figure a series is named by where there is no color.
pub fn number(index: usize) -> char {
    char::from_digit(u32::try_from(index + 1).unwrap_or(0), 36).unwrap_or('*')
}

/// One line, joined with what is already in its cells.
fn polyline(plot: &Plot, buf: &mut Buffer, canvas: &mut Canvas, bins: &[Option<Bin>], (role, glyph): (Role, char)) {
    let Rect { x, width, height, .. } = plot.area;
    let rows = height * 4;
    for (half, stroke) in (0..width * 2).zip(strokes(bins, plot.scale, rows)) {
        let Some(stroke) = stroke else { continue };
        if plot.ink.graph == Graph::Braille {
            for dot in stroke.lo..=stroke.hi {
                canvas.set(half, rows - 1 - dot.min(rows - 1), role, Meet::Join);
            }
        } else {
            for row in (stroke.lo / 4)..=(stroke.hi / 4).min(height - 1) {
                let shown = if row == stroke.mean / 4 { glyph } else { '|' };
                canvas.clear(half / 2, height - 1 - row);
                buf[(x + half / 2, plot.area.bottom() - 1 - row)].set_char(shown).set_style(plot.ink.style(role));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widgets::axis::Curve;
    use crate::ui::widgets::ink::tests::dark;
    use proptest::prelude::*;
    use std::time::Duration;

    fn bins(values: &[f64]) -> Vec<Option<Bin>> {
        values.iter().map(|v| Some(Bin { min: *v, mean: *v, max: *v })).collect()
    }

    fn draw(series: &[Series], together: Together, scale: Scale, graph: Graph) -> Vec<String> {
        let mut ink = dark();
        ink.graph = graph;
        let area = Rect::new(0, 0, 12, 5);
        let mut buf = Buffer::empty(area);
        let time = TimeScale { from: Timestamp(0), bin: Duration::from_secs(30), past: 12 };
        let zone = Clock::UTC;
        LinesChart {
            series,
            together,
            ghost: &[],
            forecast: None,
            marks: &[],
            scale,
            time,
            limits: &[],
            band: &[],
            moments: &[],
            cursor: None,
            gutter: 0,
            zone: &zone,
        }
        .draw(&ink, &mut buf, area);
        (0..4).map(|y| (0..12).map(|x| buf[(x, y)].symbol()).collect()).collect()
    }

    #[test]
    fn parts_stand_on_each_other_and_every_part_keeps_its_number() {
        let (a, b) = (bins(&[0.5; 24]), bins(&[0.25; 24]));
        let series = [Series { bins: &a, role: Role::Series1 }, Series { bins: &b, role: Role::Series2 }];
        let rows = draw(&series, Together::Stacked, Scale::SHARE, Graph::Ascii);
        assert_eq!(rows, ["            ", "222222222222", "111111111111", "111111111111"]);
    }

    #[test]
    fn a_log_scale_gives_each_power_of_ten_the_same_room() {
        let scale = Scale { lo: 1.0, hi: 10_000.0, factor: 1.0, offset: 0.0, unit: "", curve: Curve::Log };
        assert!((scale.share(100.0) - 0.5).abs() < 1e-9 && scale.share(0.0) == 0.0 && scale.share(1e9) == 1.0);
        let a = bins(&[100.0; 24]);
        let rows = draw(&[Series { bins: &a, role: Role::Series1 }], Together::Lines, scale, Graph::Ascii);
        assert_eq!(rows[1], "111111111111");
    }

    proptest! {
        #[test]
        fn no_size_and_no_values_make_it_panic(w in 0u16..60, h in 0u16..20, values in prop::collection::vec(-10.0_f64..1e12, 0..90), past in 0u16..70) {
            let area = Rect::new(0, 0, w, h);
            let mut buf = Buffer::empty(area);
            let all = bins(&values);
            let series = [Series { bins: &all, role: Role::Series1 }, Series { bins: &all, role: Role::Series2 }];
            let time = TimeScale { from: Timestamp(0), bin: Duration::from_secs(30), past };
            let zone = Clock::UTC;
            for together in [Together::Lines, Together::Stacked] {
                LinesChart {
                    series: &series, together, ghost: &all, forecast: None, marks: &[Timestamp(60_000)], scale: Scale::SHARE.log(), time,
                    limits: &[], band: &[], moments: &[], cursor: None, gutter: 6, zone: &zone,
                }.draw(&dark(), &mut buf, area);
            }
        }
    }
}
