//! What came before of the same: when the rule fired for this instance, for how long, and whether it was real.
//!
//! Invariant: what nobody said is not guessed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::alerts::before;
use super::parts::{Slot, cells, paragraphs};
use crate::base::format_duration;
use crate::model::{Alert, Outcome};
use crate::ui::format::moment;
use crate::ui::pane::DrawContext;
use crate::ui::widgets::{Phrase, Role};

/// Draws it: a line a time, newest first.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, alert: &Alert) {
    let all: Vec<&Alert> = before(ctx, alert).collect();
    let count = if all.is_empty() { Phrase::new() } else { Phrase::new().text(&all.len().to_string()).dim(" times") };
    slot.title(ctx.ink, buf, &Phrase::new().strong("Seen before").dim(" 30 d"), &[count]);
    let inner = slot.inner();
    if all.is_empty() {
        return paragraphs(ctx.ink, buf, inner, &[Phrase::new().dim("not within 30 days")]);
    }
    for (y, one) in (inner.y..inner.bottom()).zip(all) {
        line(ctx, buf, Rect { y, height: 1, ..inner }, one);
    }
}

fn line(ctx: &DrawContext, buf: &mut Buffer, line: Rect, one: &Alert) {
    let fired = one.fired_at.unwrap_or(one.since);
    let ended = one.resolved_at.unwrap_or(ctx.snapshot.at);
    let name = Phrase::new().dim("✓ ").text(&moment(fired, ctx.snapshot.at, ctx.zone()));
    let said = match one.feedback {
        Some(Outcome::Right) => Phrase::new().role(Role::Ok, "real"),
        Some(Outcome::Wrong) => Phrase::new().role(Role::Warn, "false alarm"),
        None => Phrase::new().dim("nobody said"),
    };
    let value = Phrase::new().text(&ctx.value(one.value, one.unit));
    let lasted = Phrase::new().text(&format_duration(ended.since(fired)));
    cells(ctx.ink, buf, line, &name, &[(0, said), (14, value), (26, lasted)]);
}

/// `seen 2 times in 30 d, last Nov 12 03:01`; empty where it was not.
pub fn in_short(ctx: &DrawContext, alert: &Alert) -> Phrase {
    let mut all = before(ctx, alert);
    let Some(last) = all.next() else { return Phrase::new() };
    let n = 1 + all.count();
    let when = moment(last.fired_at.unwrap_or(last.since), ctx.snapshot.at, ctx.zone());
    let times = if n == 1 { "once".to_owned() } else { format!("{n} times") };
    Phrase::new().dim("seen before ").text(&times).dim(" in 30 d, last ").text(&when)
}

/// The silences there are: what they hide, until when, by whom.
pub fn silences(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let all = &ctx.snapshot.silences;
    let title = Phrase::new().strong("Silences ").dim(&all.len().to_string());
    slot.title(ctx.ink, buf, &title, &[Phrase::new().dim("nobody is told of what they match")]);
    let inner = slot.inner();
    for (y, silence) in (inner.y..inner.bottom()).zip(all.iter()) {
        let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
        let until = moment(silence.until, ctx.snapshot.at, ctx.zone());
        let mut name = Phrase::new().dim("z ").text(&matchers.join(", "));
        if silence.maintenance {
            name = name.role(Role::Past, " maintenance");
        }
        let name = if silence.comment.is_empty() { name } else { name.dim(&format!("  {}", silence.comment)) };
        let by = Phrase::new().dim("to ").text(&until).dim(&format!(" by {}", silence.author));
        cells(ctx.ink, buf, Rect { y, height: 1, ..inner }, &name, &[(0, by)]);
    }
}
