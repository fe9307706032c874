//! Draws the whole screen from the state.
//!
//! Header, second line, the page, the last line, and what lies over it. Invariant: the same state gives
//! the same cells; nothing outside the buffer changes.

mod header;
mod overlays;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::banner::{self, Banner};
use super::hints;
use super::overlay::{Overlay, Tone};
use super::pane::{DrawContext, Seen, Target};
use super::panes::{PANES, body};
use super::state::UiState;
use super::tour;
use super::widgets::text::lay;
use super::widgets::{Graph, Ground, Ink, Phrase, Role, fold_ascii};

/// Least columns and rows of a screen that says anything.
pub const LEAST: (u16, u16) = (40, 12);

/// What stands at a cell of the screen, the nearest to the eye first.
pub fn pointed_at(state: &UiState, (x, y): (u16, u16)) -> Vec<(Rect, Target)> {
    let ink = Ink { styles: Default::default(), grounds: Default::default(), graph: state.look.graph };
    let seen = Seen::default();
    let mut buf = Buffer::empty(Rect::new(0, 0, state.size.0, state.size.1));
    draw_page(state, &ink, &mut buf, Some(&seen));
    let mut found = seen.into_inner();
    found.retain(|(area, _)| area.contains((x, y).into()));
    found.reverse();
    found
}

/// Draws the state with the ink into the whole buffer.
pub fn view(state: &UiState, ink: &Ink, buf: &mut Buffer) {
    view_noting(state, ink, buf, None);
}

/// The same, noting what stands where.
pub fn view_noting(state: &UiState, ink: &Ink, buf: &mut Buffer, seen: Option<&Seen>) {
    let area = buf.area;
    lay(ink, buf, area, Ground::Screen);
    if area.width < LEAST.0 || area.height < LEAST.1 {
        too_small(ink, buf, area);
        return;
    }
    let row = |y: u16| Rect { y, height: 1, ..area };
    header::draw(state, ink, row(area.y), buf);
    second_line(&banner::banner(state), ink, row(area.y + 1), buf);
    draw_page(state, ink, buf, seen);
    last_line(state, ink, row(area.bottom() - 1), buf);
    let body = body(state.size).intersection(area);
    for overlay in &state.overlays {
        overlays::draw(state, overlay, ink, body, buf);
    }
    if ink.graph == Graph::Ascii {
        fold_ascii(buf);
    }
}

/// What is wrong, in as many words as there is room for.
fn too_small(ink: &Ink, buf: &mut Buffer, area: Rect) {
    let (w, h) = LEAST;
    let forms = [
        format!("farol needs {w}x{h}, this is {}x{}", area.width, area.height),
        format!("farol needs {w}x{h}"),
        format!("{w}x{h}"),
    ];
    let fits = forms.iter().find(|text| text.len() <= usize::from(area.width));
    // Narrower than its shortest form: as much of it as there is room for.
    let text: String = fits.unwrap_or(&forms[2]).chars().take(usize::from(area.width)).collect();
    Phrase::new().text(&text).put(ink, buf, (area.x, area.y), area.right());
}

fn draw_page(state: &UiState, ink: &Ink, buf: &mut Buffer, seen: Option<&Seen>) {
    let body = body(state.size).intersection(buf.area);
    // Held still means that nothing beside it moves either.
    let is_frozen = state.past.as_ref().is_some_and(|p| p.frozen);
    let live = if is_frozen { state.shown() } else { &state.live };
    let ctx = DrawContext { snapshot: state.shown(), live, state, ink, seen };
    if let Some(pane) = PANES.iter().find(|p| p.view() == state.view) {
        pane.draw(&ctx, body, buf);
    }
}

fn second_line(banner: &Banner, ink: &Ink, area: Rect, buf: &mut Buffer) {
    lay(ink, buf, area, banner.ground);
    let (left, right) = (area.x + 1, area.right().saturating_sub(1));
    let room = right.saturating_sub(left).saturating_sub(banner.right.width() + 2);
    let fits = banner.forms.iter().find(|f| f.width() <= room);
    let Some(form) = fits.or(banner.forms.last()) else { return };
    // The sentence goes before the keys where there is not room for both.
    let has_room = form.width() <= room;
    let end = if has_room { right.saturating_sub(banner.right.width()) } else { right };
    form.put(ink, buf, (left, area.y), end);
    if has_room {
        banner.right.put_right(ink, buf, (left, right), area.y);
    }
    let has_ground = ink.ground(banner.ground).bg.is_some_and(|c| c != Color::Reset);
    if !has_ground && banner.first_word > 0 {
        let word = form.plain().split(' ').take(2).map(|w| w.chars().count() + 1).sum::<usize>();
        let word = u16::try_from(word).unwrap_or(0).saturating_sub(1).min(banner.first_word);
        let first = Rect { x: left, width: word, ..area };
        buf.set_style(first.intersection(area), Modifier::REVERSED);
    }
}

fn last_line(state: &UiState, ink: &Ink, area: Rect, buf: &mut Buffer) {
    if let Some(Overlay::Filter(input, _)) = state.overlays.last() {
        let (before, after) = input.parts();
        let line = Phrase::new().bold(Role::Past, " / ").strong(before);
        let at = line.put(ink, buf, (area.x, area.y), area.right());
        overlays::typed(ink, buf, (at, area.y), area.right(), after);
        let keys = Phrase::new().strong("Enter").dim(" keep  ").strong("Esc").dim(" undo ");
        if let Some(problem) = state.filters.problem() {
            let wrong = area.x + 3 + u16::try_from(problem.at).unwrap_or(0);
            let cell = Rect { x: wrong, width: 1, ..area }.intersection(area);
            buf.set_style(cell, ink.bold(Role::Warn).add_modifier(Modifier::UNDERLINED));
            let text = Phrase::new().bold(Role::Warn, "▲ ").role(Role::Warn, &problem.to_string());
            let from = at + u16::try_from(after.chars().count()).unwrap_or(0) + 3;
            text.put_right(ink, buf, (from.min(area.right()), area.right()), area.y);
        } else if line.width() + Phrase::new().text(after).width() + keys.width() + 3 < area.width {
            keys.put_right(ink, buf, (area.x, area.right()), area.y);
        }
        return;
    }
    if let Some(toast) = &state.toast {
        let (role, glyph) = match toast.tone {
            Tone::Good => (Role::Ok, "✓"),
            Tone::Warning => (Role::Warn, "▲"),
            Tone::Bad => (Role::Crit, "✘"),
        };
        lay(ink, buf, area, Ground::Key);
        let text = Phrase::new().bold(role, &format!(" {glyph} ")).strong(&toast.text);
        text.put(ink, buf, (area.x, area.y), area.right());
        return;
    }
    if let Some(step) = state.tour {
        tour::line(state, step).put(ink, buf, (area.x, area.y), area.right());
        return;
    }
    let mut at = area.x;
    for tab in hints::tabs(state) {
        if tab.view == state.view {
            lay(ink, buf, Rect { x: area.x + tab.from, width: tab.to - tab.from, ..area }.intersection(area), Ground::Key);
        }
        at = tab.text.put(ink, buf, (area.x + tab.from, area.y), area.right());
    }
    if hints::tabs(state).len() == 1 {
        at = Phrase::new().strong(" 0-9").dim(" views").put(ink, buf, (at, area.y), area.right());
    }
    let help = hints::help(state);
    let end = area.right().saturating_sub(1);
    help.put_right(ink, buf, (at, end), area.y);
    let limit = end.saturating_sub(help.width() + 2);
    for hint in hints::keys(state) {
        at += 2;
        if at + hint.width() > limit {
            break;
        }
        at = hint.put(ink, buf, (at, area.y), limit);
    }
}
