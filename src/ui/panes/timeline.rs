//! The time line: health, alerts, anomalies and events of the whole span in a few rows.
//!
//! Everything stands at its time on one axis, with the cursor (B) and the moment compared with (A).
//! Invariant: what was not fetched yet is said to be on its way.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{Slot, alert_glyph};
use super::trends::time_scale;
use crate::base::Timestamp;
use crate::model::{JournalEvent, SeriesKey};
use crate::ui::charts::Window;
use crate::ui::format::{date, span_title, time, time_seconds};
use crate::ui::pane::{DrawContext, Target};
use crate::ui::state::Timeline;
use crate::ui::widgets::axis::{Curve, Scale, TimeLabel, TimeScale, draw_time};
use crate::ui::widgets::chart::{Chart, Coloring, Trace};
use crate::ui::widgets::text::write;
use crate::ui::widgets::{Phrase, Role};

/// Columns for the names of the rows.
const NAMES: u16 = 13;

/// Draws it.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let area = Rect {
        x: slot.x0 + 1,
        y: slot.y0 + 1,
        width: slot.x1.saturating_sub(slot.x0 + 2),
        height: slot.y1.saturating_sub(slot.y0 + 1),
    };
    let Some(line) = &ctx.state.timeline else {
        slot.title(ctx.ink, buf, &Phrase::new().strong("Time line"), &[]);
        if area.height == 0 {
            return;
        }
        Phrase::new().dim("the history is on its way").put(ctx.ink, buf, (area.x + 1, area.y), area.right());
        return;
    };
    let head = Phrase::new().strong("Time line ").role(Role::Past, &span_title(line.range.length()));
    let ends = format!(
        "{} {} – {} {}",
        date(line.range.from, ctx.zone()),
        time(line.range.from, ctx.zone()),
        date(line.range.to, ctx.zone()),
        time(line.range.to, ctx.zone())
    );
    slot.title(
        ctx.ink,
        buf,
        &head,
        &[Phrase::new().strong("← →").dim(" move  ").strong("+ -").dim(" zoom"), Phrase::new().dim(&ends)],
    );
    let plot = Rect { x: area.x + NAMES, width: area.width.saturating_sub(NAMES + 1), ..area };
    if plot.width < 10 || plot.height < 3 {
        return;
    }
    let rows = Rows { ctx, line, plot, scale: scale_of(line, plot.width) };
    ctx.note(plot, Target::Chart(rows.scale));
    rows.draw(buf);
    for (i, name) in (0_u16..).zip(["health", "", "alerts", "anomalies", "events"]) {
        if i + 1 < area.height {
            write(buf, (area.x + 1, area.y + i), area.x + NAMES, name, ctx.ink.style(Role::Dim));
        }
    }
}

fn window_of(line: &Timeline, columns: u16) -> Window {
    let n = usize::from(columns.max(1)) * 2;
    let seconds = line.range.length().as_secs().div_ceil(n as u64).max(1);
    Window::ending(line.range.to, Duration::from_secs(seconds), n)
}

fn scale_of(line: &Timeline, columns: u16) -> TimeScale {
    time_scale(window_of(line, columns), columns)
}

struct Rows<'a> {
    ctx: &'a DrawContext<'a>,
    line: &'a Timeline,
    plot: Rect,
    scale: TimeScale,
}

impl Rows<'_> {
    fn column(&self, at: Timestamp) -> Option<u16> {
        self.scale.column(at, self.plot.width).map(|c| self.plot.x + c)
    }

    fn draw(&self, buf: &mut Buffer) {
        let last = self.plot.bottom() - 1;
        self.health(buf);
        // Of the rows below health only those before the axis.
        let row = |i: u16| Some(self.plot.y + i).filter(|y| *y < last);
        if let Some(y) = row(4) {
            self.events(buf, y);
        }
        self.lines(buf);
        if let Some(y) = row(2) {
            self.alerts(buf, y);
        }
        if let Some(y) = row(3) {
            self.anomalies(buf, y);
        }
        self.axis(buf, last);
    }

    fn health(&self, buf: &mut Buffer) {
        let window = window_of(self.line, self.plot.width);
        let bins = self.line.charts.bins(&SeriesKey::total("health_score"), window);
        // Of 100 points: below 80 something is wrong, below 60 something critical is.
        let coloring = Coloring::Below { warn: Some(80.0), crit: Some(60.0) };
        let scale = Scale { lo: 0.0, hi: 100.0, factor: 1.0, offset: 0.0, unit: "", curve: Curve::Linear };
        let area = Rect { height: 2.min(self.plot.height), ..self.plot };
        Chart::plain(Trace::plain(&bins, coloring), scale, self.scale).draw(self.ctx.ink, buf, area);
    }

    /// Lines at A and B through all rows.
    fn lines(&self, buf: &mut Buffer) {
        let marks = [(self.ctx.state.mark.as_ref().map(|m| m.0), Role::Dim), (self.ctx.cursor(), Role::Cursor)];
        for (at, role) in marks {
            if let Some(x) = at.and_then(|at| self.column(at)) {
                for y in self.plot.y..self.plot.bottom() - 1 {
                    write(buf, (x, y), x + 1, "│", self.ctx.ink.style(role));
                }
            }
        }
    }

    fn alerts(&self, buf: &mut Buffer, y: u16) {
        for alert in self.line.alerts.iter().rev() {
            let Some(fired) = alert.fired_at else { continue };
            let end = alert.resolved_at.unwrap_or(self.ctx.live.at).min(self.line.range.to);
            let from = if fired < self.line.range.from { Some(self.plot.x) } else { self.column(fired) };
            let to = self.column(end).or((end >= self.scale.from).then(|| self.plot.right() - 1));
            let (Some(from), Some(to)) = (from, to) else { continue };
            let severity =
                if alert.severity == crate::model::Severity::Critical { ("✘", Role::Crit) } else { ("▲", Role::Warn) };
            // What is over keeps the color it had.
            let (glyph, role) = if alert.is_quiet() { alert_glyph(alert) } else { severity };
            for x in from..=to {
                write(buf, (x, y), x + 1, "━", self.ctx.ink.style(role));
            }
            write(buf, (from, y), from + 1, glyph, self.ctx.ink.bold(role));
        }
    }

    fn anomalies(&self, buf: &mut Buffer, y: u16) {
        for anomaly in self.ctx.live.anomalies.iter() {
            if let Some(x) = self.column(anomaly.peak_at) {
                write(buf, (x, y), x + 1, "▼", self.ctx.ink.bold(Role::Warn));
            }
        }
    }

    /// Notices and notes, each with its first words where they do not touch the next.
    fn events(&self, buf: &mut Buffer, y: u16) {
        let all = self.line.journal.iter().filter_map(|e| match &e.event {
            JournalEvent::Notice { text } | JournalEvent::Annotation { text, .. } => self.column(e.at).map(|x| (x, text)),
            _ => None,
        });
        let all: Vec<_> = all.collect();
        for (i, (x, text)) in all.iter().enumerate() {
            let end = all.get(i + 1).map_or(self.plot.right(), |next| next.0.saturating_sub(1));
            write(buf, (*x, y), x + 1, "│", self.ctx.ink.style(Role::Dim));
            if end > x + 6 {
                Phrase::new().dim(text).put(self.ctx.ink, buf, (x + 2, y), end.min(x + 26));
            }
        }
    }

    fn axis(&self, buf: &mut Buffer, y: u16) {
        let label = |at: Timestamp, text: String, role| {
            self.scale.column(at, self.plot.width).map(|column| TimeLabel { column, text, role })
        };
        let zone = self.ctx.zone();
        let b = self.ctx.cursor().and_then(|at| label(at, format!("B {}", time_seconds(at, zone)), Role::Past));
        let a = self.ctx.state.mark.as_ref().and_then(|(at, _)| label(*at, format!("A {}", time(*at, zone)), Role::Strong));
        let marks = self.ctx.state.bookmarks.iter().filter_map(|at| label(*at, "✓".to_owned(), Role::Past));
        let fixed: Vec<_> = b.into_iter().chain(a).chain(marks).collect();
        draw_time(self.ctx.ink, buf, (self.plot.x, y), self.plot.width, &self.scale, zone, &fixed);
    }
}
