//! Predictions in short: what, when, how likely, why, and what became of earlier ones.
//!
//! Invariant: what comes first stands first; what was scored stands below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::alert_rows::Depth;
use super::parts::until;
use crate::base::format_duration;
use crate::model::{Outcome, Prediction, Snapshot};
use crate::ui::format::time_or_date;
use crate::ui::pane::DrawContext;
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::{Phrase, Role};

/// Number of open ones.
pub fn open(snapshot: &Snapshot) -> usize {
    snapshot.predictions.iter().filter(|p| p.outcome.is_none()).count()
}

/// `right 74 of 82`.
pub fn record(snapshot: &Snapshot) -> Phrase {
    let scored = snapshot.record.right + snapshot.record.wrong;
    if scored == 0 {
        return Phrase::new();
    }
    Phrase::new().dim("right ").text(&snapshot.record.right.to_string()).dim(&format!(" of {scored}"))
}

/// What is said where nothing is predicted.
pub fn none() -> Phrase {
    Phrase::new().dim("Nothing is predicted. Forecasts need about a day of history.")
}

/// Draws predictions in the order of the list, as many as fit; gives the rows used.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, area: Rect, depth: Depth) -> u16 {
    if area.height == 0 || area.width < 24 {
        return 0;
    }
    let list = &ctx.state.lists.predictions;
    if list.is_empty() {
        none().put(ctx.ink, buf, (area.x, area.y), area.right());
        return 1;
    }
    let mut y = area.y;
    for prediction in list.iter().filter_map(|i| ctx.snapshot.predictions.get(*i)) {
        if y >= area.bottom() {
            break;
        }
        let line = Rect { y, height: 1, ..area };
        match (prediction.outcome, depth) {
            (Some(outcome), _) => scored(ctx, buf, line, prediction, outcome),
            (None, Depth::Line) => short(ctx, buf, line, prediction),
            (None, Depth::Why) => {
                long(ctx, buf, line, prediction);
                y += 1;
                if let Some(why) = prediction.factors.first().filter(|_| y < area.bottom()) {
                    Phrase::new().dim("why ").text(why).put(ctx.ink, buf, (area.x + 2, y), area.right());
                }
            }
        }
        y += 1;
    }
    y.min(area.bottom()) - area.y
}

fn long(ctx: &DrawContext, buf: &mut Buffer, line: Rect, p: &Prediction) {
    let end = line.right();
    Phrase::new().text(&format!("{:.2}", p.probability)).put_right(ctx.ink, buf, (line.x, end), line.y);
    meter(ctx.ink, buf, (end - 12, line.y), 7, Meter { share: p.probability, limit: None, role: Role::Pred });
    let at = Phrase::new().dim(&time_or_date(p.at, ctx.snapshot.at, ctx.zone()));
    at.put_right(ctx.ink, buf, (line.x, end - 14), line.y);
    let left = Phrase::new().dim("in ").strong(&until(ctx, p.at)).put_right(ctx.ink, buf, (line.x, end - 22), line.y);
    let title = Phrase::new().bold(Role::Pred, "◆ ").bold(Role::Pred, &p.title);
    title.put(ctx.ink, buf, (line.x, line.y), left.saturating_sub(1));
}

fn short(ctx: &DrawContext, buf: &mut Buffer, line: Rect, p: &Prediction) {
    let when = time_or_date(p.at, ctx.snapshot.at, ctx.zone());
    let probability = Phrase::new().dim("p ").text(&format!("{:.2}", p.probability));
    let from = probability.put_right(ctx.ink, buf, (line.x, line.right()), line.y);
    let said = Phrase::new().bold(Role::Pred, "◆ ").dim(&format!("{when:>6} ")).bold(Role::Pred, &p.title);
    said.dim(&format!(" in {}", until(ctx, p.at))).put(ctx.ink, buf, (line.x, line.y), from.saturating_sub(1));
}

/// How a scored prediction ended: `came after 6 min`, `came earlier, after 2 min`, `did not come`.
pub fn ending(p: &Prediction, outcome: Outcome) -> String {
    match (outcome, p.scored_at) {
        _ if p.is_missed() => "not foreseen".to_owned(),
        (Outcome::Right, Some(at)) => format!("came after {}", format_duration(at.since(p.made_at))),
        (Outcome::Right, None) => "came".to_owned(),
        (Outcome::Wrong, Some(at)) if at < p.at_lo => format!("came earlier, after {}", format_duration(at.since(p.made_at))),
        (Outcome::Wrong, _) => "did not come".to_owned(),
    }
}

fn scored(ctx: &DrawContext, buf: &mut Buffer, line: Rect, p: &Prediction, outcome: Outcome) {
    let glyph = match outcome {
        _ if p.is_missed() => "▲",
        Outcome::Right => "✓",
        Outcome::Wrong => "✘",
    };
    let from = Phrase::new().dim(&ending(p, outcome)).put_right(ctx.ink, buf, (line.x, line.right()), line.y);
    let when = time_or_date(p.made_at, ctx.snapshot.at, ctx.zone());
    Phrase::new().dim(&format!("{glyph} {when} {}", p.title)).put(ctx.ink, buf, (line.x, line.y), from.saturating_sub(1));
}
