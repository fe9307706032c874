//! The first line: which machine, how it is, which moment.
//!
//! All of the moment shown. Invariant: the right side is never cut; the system goes first, then uptime.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::{Severity, Snapshot};
use crate::monitor::Link;
use crate::ui::format;
use crate::ui::state::UiState;
use crate::ui::widgets::{Ink, Phrase, Role};

/// Below so many columns only what is wrong, the mode, the clock and the machine's name are left.
const ROOMY: u16 = 60;

/// Draws the line.
pub fn draw(state: &UiState, ink: &Ink, area: Rect, buf: &mut Buffer) {
    let right = right(state, area.width);
    // Closer together the two sides read as one.
    let room = area.width.saturating_sub(right.width() + 6);
    let name = if area.width >= ROOMY { " farol  " } else { " " };
    let mut left = Phrase::new().strong(name).strong(&state.live.host.name);
    // Pieces come back in the order of their worth, the system last.
    let (system, up) = (system(state.shown()), uptime(state));
    let whole = left.clone().dim(&system).dim(&up);
    let with_uptime = left.clone().dim(&up);
    if whole.width() <= room {
        left = whole;
    } else if with_uptime.width() <= room {
        left = with_uptime;
    }
    left.put(ink, buf, (area.x, area.y), area.x + area.width.saturating_sub(right.width() + 1));
    right.put_right(ink, buf, (area.x, area.right()), area.y);
}

fn system(snapshot: &Snapshot) -> String {
    let host = &snapshot.host;
    if host.system.is_empty() {
        return String::new();
    }
    // Major and minor are enough to recognize a kernel.
    let kernel: Vec<&str> = host.kernel.split(['.', '-']).take(2).collect();
    format!(" · {} · {} · {} cores", host.system, kernel.join("."), host.cores)
}

fn uptime(state: &UiState) -> String {
    let booted = state.live.host.booted_at;
    booted.map_or_else(String::new, |at| format!(" · up {}", format::span_short(state.shown().at.since(at))))
}

/// How the machine is: ok from 90, critical below 50 (half of all points are lost).
fn health_role(score: f64) -> Role {
    match score {
        90.0.. => Role::Ok,
        50.0.. => Role::Warn,
        _ => Role::Crit,
    }
}

fn count(line: Phrase, (role, glyph): (Role, &str), number: usize) -> Phrase {
    match number {
        0 => line.dim(&format!("{glyph} 0")),
        _ if role == Role::Dim => line.dim(&format!("{glyph} {number}")),
        _ => line.bold(role, &format!("{glyph} {number}")),
    }
}

fn right(state: &UiState, columns: u16) -> Phrase {
    let shown = state.shown();
    let loud = |severity: Severity| shown.firing().filter(|a| a.severity == severity && !a.is_quiet()).count();
    let quiet = shown.firing().filter(|a| a.is_quiet()).count();
    let open = shown.predictions.iter().filter(|p| p.outcome.is_none()).count();
    let wide = if columns >= 100 { "   " } else { "  " };
    let mut line = Phrase::new();
    if columns >= ROOMY {
        line = line.dim("health ").bold(health_role(shown.health.score), &format!("{:.0}", shown.health.score)).text("   ");
    }
    for (mark, number) in [
        ((Role::Crit, "✘"), loud(Severity::Critical)),
        ((Role::Warn, "▲"), loud(Severity::Warning)),
        ((Role::Pred, "◆"), open),
        ((Role::Dim, "z"), quiet),
    ] {
        if matches!(mark.0, Role::Crit | Role::Warn) || columns >= ROOMY {
            line = count(line, mark, number).text("  ");
        }
    }
    let line = line.text(wide.get(2..).unwrap_or(""));
    let line = mode(state, store(state, line), columns);
    let at = state.past.as_ref().map_or(shown.at, |p| p.at);
    let clock = if shown.at.0 == 0 { "--:--:--".to_owned() } else { format::time_seconds(at, &state.zone) };
    line.text("  ").strong(&clock).text(" ")
}

/// A badge where what is recorded cannot be kept.
fn store(state: &UiState, line: Phrase) -> Phrase {
    match &state.live.recorder.store.problem {
        Some(_) => line.bold(Role::Crit, "✘ STORE").text("  "),
        None => line,
    }
}

fn mode(state: &UiState, line: Phrase, columns: u16) -> Phrase {
    let interval = state.live.recorder.interval_seconds;
    let every = if interval > 0.0 && columns >= ROOMY { format!(" {interval:.0}s") } else { String::new() };
    match (&state.past, &state.link) {
        (_, Link::Lost { .. }) => line.bold(Role::Crit, "○ LOST"),
        (Some(past), _) if past.frozen => line.bold(Role::Past, "◄ FROZEN"),
        (Some(_), _) => line.bold(Role::Past, "◄ PAST"),
        (None, Link::Replay(_)) => line.bold(Role::Past, "◄ REPLAY"),
        (None, Link::Attached(_)) => line.bold(Role::Ok, "● ATTACHED").dim(&every),
        (None, Link::Own) => line.bold(Role::Ok, "● LIVE").dim(&every),
    }
}
