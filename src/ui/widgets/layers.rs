//! What lies behind and before the line of a chart: bands, limits, the future, marks, the cursor.
//!
//! Each layer draws over the ones before it. Edges of bands are eighth blocks; where something crosses
//! such an edge, the cell is wholly inside or outside. Invariant: nothing leaves the plot.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::axis::{Scale, TimeScale};
use super::raster::{Canvas, Meet};
use super::{Ground, Ink, Role};
use crate::base::Timestamp;
use crate::model::{Band, Forecast};

/// Eighths from the bottom.
pub const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Where layers are drawn and with what.
pub struct Plot<'a> {
    /// Styles.
    pub ink: &'a Ink,
    /// The plot without labels.
    pub area: Rect,
    /// What rows stand for.
    pub scale: &'a Scale,
    /// What columns stand for.
    pub time: &'a TimeScale,
}

impl Plot<'_> {
    /// Dot row from the top for a value.
    fn dot(&self, value: f64) -> u16 {
        let rows = (self.area.height * 4).saturating_sub(1);
        rows - (self.scale.share(value) * f64::from(rows)).round() as u16
    }

    /// Eighths of a cell from the bottom for a value.
    fn eighths(&self, value: f64) -> i32 {
        (self.scale.share(value) * 8.0 * f64::from(self.area.height)).round() as i32
    }

    /// Fills one column between two values with a ground; its edges are eighth blocks.
    fn band_column(&self, buf: &mut Buffer, x: u16, band: Band, ground: Ground) {
        let style = self.ink.ground(ground);
        // Too few colors for a ground: no band.
        let Some(color) = style.bg else { return };
        let screen = self.ink.ground(Ground::Screen);
        let (low, high) = (self.eighths(band.low), self.eighths(band.high));
        for row in 0..self.area.height {
            let y = self.area.bottom() - 1 - row;
            let (from, to) = (low - 8 * i32::from(row), high - 8 * i32::from(row));
            if to <= 0 || from >= 8 {
                continue;
            }
            let cell = &mut buf[(x, y)];
            let glyph = |eighth: i32| usize::try_from(eighth).ok().and_then(|e| EIGHTHS.get(e)).copied().unwrap_or(' ');
            if from <= 0 && to < 8 {
                cell.set_char(glyph(to)).set_style(Style::new().fg(color));
            } else if from > 0 {
                cell.set_char(glyph(from)).set_style(style);
                if let Some(bg) = screen.bg {
                    cell.set_style(Style::new().fg(bg));
                }
            } else {
                cell.set_char(' ').set_style(style);
            }
        }
    }

    /// Makes a cell at the edge of a band wholly part of it or not, before something is drawn over it.
    pub fn settle(&self, buf: &mut Buffer, x: u16, y: u16) {
        let screen = self.ink.ground(Ground::Screen);
        let cell = &mut buf[(x, y)];
        let glyph = cell.symbol().chars().next().unwrap_or(' ');
        let Some(eighths) = EIGHTHS.iter().skip(1).position(|g| *g == glyph).map(|e| e + 1) else { return };
        let (fg, is_lower_edge) = (cell.fg, screen.bg == Some(cell.fg));
        cell.set_char(' ');
        if is_lower_edge {
            if eighths >= 4 {
                cell.set_style(screen);
            }
        } else if eighths >= 4 {
            cell.set_bg(fg);
        }
    }

    /// The learned band, by the start of each of its buckets.
    pub fn learned(&self, buf: &mut Buffer, band: &[(Timestamp, Band)]) {
        let (Some(first), Some(last)) = (band.first(), band.last()) else { return };
        let step = band.get(1).map_or(60_000, |b| b.0.0 - first.0.0);
        for column in 0..self.area.width {
            let at = self.time.at(column);
            if at < first.0 || at.0 >= last.0.0 + step.max(1) {
                continue;
            }
            let next = band.partition_point(|(t, _)| *t <= at);
            if let Some((_, b)) = next.checked_sub(1).and_then(|i| band.get(i)) {
                self.band_column(buf, self.area.x + column, *b, Ground::Learned);
            }
        }
    }

    /// A limit: every fourth dot.
    pub fn limit(&self, canvas: &mut Canvas, value: f64, role: Role) {
        let y = self.dot(value);
        for x in (0..self.area.width * 2).step_by(4) {
            canvas.set(x, y, role, Meet::Join);
        }
    }

    /// A vertical line at a column.
    pub fn line(&self, buf: &mut Buffer, canvas: &mut Canvas, column: u16, role: Role) {
        if column >= self.area.width {
            return;
        }
        for row in 0..self.area.height {
            let (x, y) = (self.area.x + column, self.area.y + row);
            self.settle(buf, x, y);
            canvas.clear(column, row);
            buf[(x, y)].set_char('│').set_style(self.ink.style(role));
        }
    }

    /// What is expected from `now` on: its 80 % band and, dotted, its mean.
    pub fn future(&self, buf: &mut Buffer, canvas: &mut Canvas, forecast: &Forecast) {
        let step = i64::try_from(forecast.step.as_millis()).unwrap_or(i64::MAX).max(1);
        for column in self.time.past..self.area.width {
            // The middle of the column; the first value of a forecast is one step after it was made.
            let after =
                self.time.at(column).0.saturating_add(self.time.at(1).0 - self.time.at(0).0).saturating_sub(forecast.made_at.0);
            let place = (after as f64 / step as f64 - 1.0).max(0.0);
            let Some((mean, band)) = at(forecast, place) else { continue };
            let x = self.area.x + column;
            self.band_column(buf, x, band, Ground::Band);
            let low = self.area.bottom() - 1;
            for row in 0..self.area.height {
                let inside = buf[(x, self.area.y + row)].symbol() != "│" && self.ink.ground(Ground::Band).bg.is_some();
                let (top, bottom) = (self.eighths(band.high), self.eighths(band.low));
                let up = 8 * i32::from(low - self.area.y - row);
                if inside && top > up && bottom < up + 8 {
                    canvas.clear(column, row);
                }
            }
            let dot = self.dot(mean);
            let y = self.area.y + dot / 4;
            let cell = &mut buf[(x, y)];
            cell.set_char(' ').set_style(self.ink.ground(Ground::Band));
            canvas.clear(column, dot / 4);
            canvas.set(column * 2, dot, Role::Pred, Meet::Replace);
        }
    }

    /// A mark in the cell above the highest dot near its column.
    pub fn mark(&self, buf: &mut Buffer, canvas: &mut Canvas, column: u16, top: u16) {
        let row = (top / 4).saturating_sub(1);
        if column < self.area.width && row < self.area.height {
            let (x, y) = (self.area.x + column, self.area.y + row);
            canvas.clear(column, row);
            self.settle(buf, x, y);
            let cell = &mut buf[(x, y)];
            cell.modifier.remove(Modifier::BOLD);
            cell.set_char('▼').set_style(self.ink.bold(Role::Warn));
        }
    }
}

/// Mean and 80 % band of a forecast at a fractional step; `None` past its end.
fn at(forecast: &Forecast, place: f64) -> Option<(f64, Band)> {
    let (one, share) = (place.floor() as usize, place.fract());
    let two = (one + 1).min(forecast.mean.len().saturating_sub(1));
    let between = |a: f64, b: f64| a + (b - a) * share;
    let mean = between(*forecast.mean.get(one)?, *forecast.mean.get(two)?);
    let (a, b) = (forecast.band80.get(one)?, forecast.band80.get(two)?);
    Some((mean, Band { low: between(a.low, b.low), high: between(a.high, b.high) }))
}
