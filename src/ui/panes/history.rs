//! Any moment: the time line, the charts around the cursor, what is different, what happened.
//!
//! A is the moment compared with: the one set by a key, else the present. Invariant: it is always said
//! which moment is shown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::difference;
use super::parts::{Slot, at_moment};
use crate::base::Timestamp;
use crate::model::{AlertState, JournalEntry, JournalEvent};
use crate::ui::format::{moment, time};
use crate::ui::pane::{DrawContext, Pane};
use crate::ui::state::View;
use crate::ui::widgets::{Phrase, Role};

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
        super::page::draw(ctx, area, buf);
    }
}

/// What differs between A and the moment shown.
pub fn different(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
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
pub fn happened(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
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
        JournalEvent::Delivered { alert, channel, error: Some(why), .. } => {
            Phrase::new().bold(Role::Warn, "▲ ").dim(&format!("{channel} about {alert}: ")).text(why)
        }
        JournalEvent::Delivered { .. } => return None,
        JournalEvent::Notice { text } => Phrase::new().dim("· ").text(text),
        JournalEvent::Security { seen } => {
            let (glyph, role) =
                if seen.severity > crate::model::Severity::Info { ("▲ ", Role::Warn) } else { ("· ", Role::Dim) };
            Phrase::new().role(role, glyph).dim(&format!("{}: ", seen.kind)).text(&seen.subject)
        }
        JournalEvent::Posture { .. } => return None,
        JournalEvent::Incident { incident, author } => {
            Phrase::new().dim("· incident ").text(&incident.comment).dim(&format!("  {author}"))
        }
        JournalEvent::Learned { lesson, author } => {
            Phrase::new().dim("· learned ").text(&lesson.rule).dim(&format!(": {}, by {author}", lesson.reason))
        }
        JournalEvent::Annotation { author, text } => Phrase::new().dim("· ").text(text).dim(&format!("  {author}")),
    })
}
