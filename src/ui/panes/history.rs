//! Any moment: the time line, the charts around the cursor, what is different, what happened.
//!
//! A is the moment compared with: the one set by a key, else the present. Invariant: it is always said
//! which moment is shown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{Slot, at_moment};
use super::{difference, timeline, trends};
use crate::base::Timestamp;
use crate::model::{AlertState, JournalEntry, JournalEvent};
use crate::ui::format::{moment, time};
use crate::ui::pane::{Density, DrawContext, Pane};
use crate::ui::state::View;
use crate::ui::widgets::{Borders, Phrase, Role};

/// History.
pub struct History;

impl Pane for History {
    fn view(&self) -> View {
        View::History
    }

    fn draw(&self, ctx: &DrawContext, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if super::is_too_small(area) {
            return;
        }
        if ctx.density() == Density::Small { small(ctx, buf, area) } else { large(ctx, buf, area) }
    }
}

fn large(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let (right, end) = (area.right() - 1, area.bottom() - 1);
    let middle = area.x + area.width / 2;
    let a = (area.y + timeline::ROWS + 1).min(end);
    let room = end - a;
    // Two rows of charts where they can be seven rows high, else one; the rest is words.
    let chart = (room / 3).clamp(6, 10).min(room);
    let charts = if room >= 3 * 7 { 2 } else { 1 };
    let b = a + chart * charts;
    let words = area.x + area.width * 112 / 200;
    let mut lines = Borders::new(area);
    lines.around(area).across(a, area.x, right).down(middle, a, b.min(end));
    if charts == 2 {
        lines.across(a + chart, area.x, right);
    }
    if b < end {
        lines.across(b, area.x, right).down(words, b, end);
    }
    lines.draw(ctx.ink, buf);
    timeline::draw(ctx, buf, Slot { x0: area.x, x1: right, y0: area.y, y1: a });
    let slot = |i: u16, j: u16| Slot {
        x0: if i == 0 { area.x } else { middle },
        x1: if i == 0 { middle } else { right },
        y0: a + j * chart,
        y1: (a + (j + 1) * chart).min(end),
    };
    trends::cpu(ctx, buf, slot(0, 0), 0);
    trends::memory(ctx, buf, slot(1, 0), 0);
    if charts == 2 {
        trends::network(ctx, buf, slot(0, 1), 0);
        trends::disk(ctx, buf, slot(1, 1), 0);
    }
    if b + 2 < end {
        different(ctx, buf, Slot { x0: area.x, x1: words, y0: b, y1: end });
        happened(ctx, buf, Slot { x0: words, x1: right, y0: b, y1: end });
    }
}

fn small(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let wide = area.right();
    let a = (area.y + timeline::ROWS + 1).min(area.bottom());
    let b = (a + (area.bottom() - a) * 3 / 5).min(area.bottom());
    let mut lines = Borders::new(area);
    for y in [area.y, a, b].into_iter().filter(|y| *y < area.bottom()) {
        lines.across(y, area.x, area.right() - 1);
    }
    lines.draw(ctx.ink, buf);
    timeline::draw(ctx, buf, Slot { x0: area.x, x1: wide, y0: area.y, y1: a });
    if b > a + 3 {
        trends::cpu(ctx, buf, Slot { x0: area.x, x1: wide, y0: a, y1: b }, 0);
    }
    if b < area.bottom() {
        happened(ctx, buf, Slot { x0: area.x, x1: wide, y0: b, y1: area.bottom() });
    }
}

/// What differs between A and the moment shown.
fn different(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let at = |t: Timestamp| moment(t, ctx.live.at, ctx.zone());
    let mark = ctx.state.mark.as_ref();
    let (name, from) = match mark {
        Some((when, snapshot)) => (at(*when), &**snapshot),
        None => ("now".to_owned(), ctx.live),
    };
    let shown = ctx.cursor().map_or_else(|| "now".to_owned(), at);
    let head = Phrase::new()
        .strong("What is different ")
        .dim("between ")
        .strong("A ")
        .text(&name)
        .dim(" and ")
        .bold(Role::Past, "B ")
        .role(Role::Past, &shown);
    slot.title(ctx.ink, buf, &head, &[Phrase::new().dim("most changed first")]);
    let inner = slot.inner();
    if inner.height == 0 {
        return;
    }
    if mark.is_none() && ctx.cursor().is_none() {
        let how = Phrase::new()
            .strong("←")
            .dim(" goes back in time; ")
            .strong("m")
            .dim(" sets A here, to compare other moments with it");
        how.put(ctx.ink, buf, (inner.x, inner.y), inner.right());
        return;
    }
    difference::draw(ctx, buf, inner, (from, ctx.snapshot));
}

/// The journal around the moment shown.
fn happened(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    slot.title(ctx.ink, buf, &at_moment(ctx).strong("What happened").dim(" around it"), &[]);
    let inner = slot.inner();
    if inner.height == 0 {
        return;
    }
    let journal = ctx.state.timeline.as_ref().map_or(&[][..], |t| &t.journal);
    let lines: Vec<(Timestamp, Phrase)> = journal.iter().filter_map(|e| event(e).map(|p| (e.at, p))).collect();
    if lines.is_empty() {
        let words = if ctx.state.timeline.is_some() { "nothing was noted in this span" } else { "the journal is on its way" };
        Phrase::new().dim(words).put(ctx.ink, buf, (inner.x, inner.y), inner.right());
        return;
    }
    // The moment shown stays in the middle of what is listed.
    let height = usize::from(inner.height);
    let middle = lines.partition_point(|(at, _)| *at <= ctx.snapshot.at);
    let first = middle.saturating_sub(height / 2 + 1).min(lines.len().saturating_sub(height));
    for (y, (at, line)) in (inner.y..inner.bottom()).zip(lines.iter().skip(first)) {
        // What came after the moment shown has a mark.
        let mark = if *at <= ctx.snapshot.at { " " } else { "→" };
        let when = Phrase::new().dim(mark).dim(&time(*at, ctx.zone())).text(" ");
        when.join(line).put(ctx.ink, buf, (inner.x, y), inner.right());
    }
}

/// One line of the journal.
fn event(entry: &JournalEntry) -> Option<Phrase> {
    Some(match &entry.event {
        JournalEvent::Transition { transition, alert } => {
            let (glyph, role) = match (transition.to, alert.severity) {
                (AlertState::Firing, crate::model::Severity::Critical) => ("✘", Role::Crit),
                (AlertState::Firing, _) => ("▲", Role::Warn),
                (AlertState::Resolved, _) => ("✓", Role::Dim),
                (AlertState::Pending, _) => return None,
            };
            let word = if transition.to == AlertState::Resolved { " over" } else { "" };
            Phrase::new().bold(role, glyph).text(" ").role(role, &alert.title).dim(word).dim(&format!("  {}", transition.reason))
        }
        JournalEvent::Acknowledged { alert, author, active, .. } => {
            let word = if *active { "acknowledged" } else { "gave back" };
            Phrase::new().role(Role::Ok, "✓ ").text(author).dim(&format!(" {word} {alert}"))
        }
        JournalEvent::Snoozed { alert, author, .. } => Phrase::new().dim("z ").text(author).dim(&format!(" put off {alert}")),
        JournalEvent::Silenced { silence } => {
            Phrase::new().dim("z ").text(&silence.author).dim(&format!(" silenced: {}", silence.comment))
        }
        JournalEvent::Feedback { alert, author, .. } => Phrase::new().dim("· ").text(author).dim(&format!(" judged {alert}")),
        JournalEvent::Delivered { alert, channel, error: Some(why) } => {
            Phrase::new().bold(Role::Warn, "▲ ").dim(&format!("{channel} about {alert}: ")).text(why)
        }
        JournalEvent::Delivered { .. } => return None,
        JournalEvent::Notice { text } => Phrase::new().dim("· ").text(text),
        JournalEvent::Annotation { author, text } => Phrase::new().dim("· ").text(text).dim(&format!("  {author}")),
    })
}
