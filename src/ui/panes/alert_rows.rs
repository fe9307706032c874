//! Alerts in short: what, since when, for how long, who was told, and why.
//!
//! Invariant: what fires stands above what waits, what waits above what is over.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::alert_glyph;
use crate::base::format_duration;
use crate::model::{Alert, AlertState, Snapshot};
use crate::ui::format::{time, time_or_date};
use crate::ui::pane::DrawContext;
use crate::ui::widgets::{Phrase, Role};

/// One or two rows an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// One row.
    Line,
    /// Below it, why.
    Why,
}

/// `3 active · 1 acknowledged · 1 silenced`.
pub fn counts(snapshot: &Snapshot) -> Phrase {
    let firing: Vec<_> = snapshot.firing().collect();
    let quiet = firing.iter().filter(|a| a.is_quiet()).count();
    let pending = snapshot.alerts.iter().filter(|a| a.state == AlertState::Pending && !a.is_quiet()).count();
    let acknowledged = firing.iter().filter(|a| a.acknowledged.is_some()).count();
    let mut said = format!("{} active", firing.len() - quiet);
    for (n, word) in [(acknowledged, "acknowledged"), (pending, "pending"), (quiet, "silenced")] {
        if n > 0 {
            said.push_str(&format!(" · {n} {word}"));
        }
    }
    Phrase::new().dim(&said)
}

/// Glyph, time, what, and for how long.
pub fn headline(ctx: &DrawContext, alert: &Alert) -> Phrase {
    let (glyph, role) = alert_glyph(alert);
    let began = alert.fired_at.unwrap_or(alert.since);
    let ended = alert.resolved_at.unwrap_or(ctx.snapshot.at);
    let head = if role == Role::Dim { Phrase::new().dim(glyph) } else { Phrase::new().bold(role, glyph) };
    let head = head.dim(&format!(" {} ", time_or_date(began, ctx.snapshot.at, ctx.zone())));
    let head = if role == Role::Dim { head.dim(&alert.title) } else { head.bold(role, &alert.title) };
    head.dim(&format!(" {}", format_duration(ended.since(began))))
}

/// Who takes care, who was told: `✓ acknowledged by maria 02:39`, `silenced to 08:00 by tom`, `told slack · level 2 of 4`.
pub fn standing(ctx: &DrawContext, alert: &Alert) -> Phrase {
    let at = |t| time_or_date(t, ctx.snapshot.at, ctx.zone());
    if let Some(resolved) = alert.resolved_at {
        return Phrase::new().dim(&format!("resolved {}", at(resolved)));
    }
    if let Some(snooze) = &alert.snoozed {
        let until = snooze.until.map_or_else(|| "until it changes".to_owned(), |t| format!("to {}", at(t)));
        return Phrase::new().dim(&format!("snoozed {until}"));
    }
    if let Some(silence) = ctx.snapshot.silences.iter().find(|s| alert.silenced_by.contains(&s.id)) {
        return Phrase::new().dim(&format!("silenced to {} by {}", time(silence.until, ctx.zone()), silence.author));
    }
    if let Some(taken) = &alert.acknowledged {
        return Phrase::new().dim(&format!("✓ acknowledged by {} {}", taken.by, at(taken.at)));
    }
    if alert.state == AlertState::Pending {
        return Phrase::new().dim("not yet for long enough");
    }
    let said = told(ctx, alert);
    if let Some(since) = alert.flaps.since {
        let now = if alert.flaps.calm { ", right at the moment" } else { "" };
        let flaps = format!("flapping since {}, {} changes{now}", at(since), alert.flaps.n_changes);
        return Phrase::new().text(&flaps).dim(" · ").join(&said);
    }
    match next_step(ctx, alert) {
        Some(next) => said.dim(" · ").join(&next),
        None => said,
    }
}

/// `told slack, email · level 2 of 4`.
fn told(ctx: &DrawContext, alert: &Alert) -> Phrase {
    let told = ctx.state.told.get(&alert.id).filter(|channels| !channels.is_empty());
    let told = told.map_or_else(Phrase::new, |channels| Phrase::new().dim("told ").text(&channels.join(", ")).dim(" · "));
    told.join(&level(alert))
}

/// Who is told next and when: `sms at 03:34`; nothing where nobody is or where it is the past.
pub fn next_step(ctx: &DrawContext, alert: &Alert) -> Option<Phrase> {
    let next = ctx.snapshot.next_steps.iter().find(|n| n.alert == alert.id)?;
    let who = if next.joining.is_empty() { &next.channels } else { &next.joining };
    if who.is_empty() || ctx.cursor().is_some() {
        return None;
    }
    let word = if next.joining.is_empty() { "again " } else { "" };
    Some(Phrase::new().role(Role::Pred, &format!("{word}{} at {}", who.join(", "), time(next.at, ctx.zone()))))
}

/// `level 2 of 4`.
fn level(alert: &Alert) -> Phrase {
    Phrase::new().text(&format!("level {}", alert.level)).dim(" of 4")
}

/// Draws alerts in the order of the list, as many as fit; gives the rows used.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, area: Rect, depth: Depth) -> u16 {
    if area.height == 0 || area.width < 12 {
        return 0;
    }
    let list = &ctx.state.lists.alerts;
    if list.is_empty() {
        quiet(ctx).put(ctx.ink, buf, (area.x, area.y), area.right());
        return 1;
    }
    let mut y = area.y;
    for alert in list.iter().filter_map(|i| ctx.snapshot.alerts.get(*i)) {
        if y >= area.bottom() {
            break;
        }
        alert_line(ctx, buf, Rect { y, height: 1, ..area }, alert);
        y += 1;
        let active = depth == Depth::Why && alert.state == AlertState::Firing && !alert.is_quiet();
        let why = active.then(|| alert.explanation.beyond(&alert.title)).flatten();
        if let Some(why) = why.filter(|_| y < area.bottom()) {
            Phrase::new().dim("why ").text(&why).put(ctx.ink, buf, (area.x + 2, y), area.right());
            y += 1;
        }
    }
    y - area.y
}

/// One alert in one row.
pub fn alert_line(ctx: &DrawContext, buf: &mut Buffer, line: Rect, alert: &Alert) {
    let head = headline(ctx, alert);
    let end = line.right();
    let after = head.put(ctx.ink, buf, (line.x, line.y), end);
    let is_told = alert.state == AlertState::Firing && !alert.is_quiet() && alert.acknowledged.is_none();
    let shorter = [told(ctx, alert), level(alert)].into_iter().filter(|_| is_told);
    // Whole or not at all: a name cut in the middle says nothing.
    let fits = |p: &Phrase| after + 2 + p.width() <= end;
    if let Some(standing) = std::iter::once(standing(ctx, alert)).chain(shorter).find(fits) {
        standing.put_right(ctx.ink, buf, (after, end), line.y);
    }
}

/// What is said where there is no alert.
fn quiet(ctx: &DrawContext) -> Phrase {
    if ctx.snapshot.seq == 0 {
        Phrase::new().dim("waiting for the first readings")
    } else {
        Phrase::new().role(Role::Ok, "● ").text("nothing is wrong").dim(" · rules come from the configuration (farol rules list)")
    }
}
