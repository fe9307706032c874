//! The mouse: pages by their names, time by charts, rows by a click, the wheel.
//!
//! Everything works without it. Invariant: a click acts on what was drawn at that cell, found by the same drawing.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use crate::ui::draw::pointed_at;
use crate::ui::event::Effect;
use crate::ui::hints;
use crate::ui::pane::Target;
use crate::ui::state::{UiState, View};
use crate::ui::widgets::axis::TimeScale;
use ratatui::layout::Rect;

use super::{keys, time};

/// The wheel moves the choice, over a chart it zooms; a click or a drag in a chart puts the time cursor there; a click on a
/// process chooses it, again opens it, on a head of its list sorts, again inverts, on a pane's border the pane, on a page's name the page.
pub fn mouse(state: &mut UiState, event: MouseEvent) -> Vec<Effect> {
    if !state.overlays.is_empty() {
        return Vec::new();
    }
    let at = (event.column, event.row);
    match event.kind {
        MouseEventKind::ScrollUp | MouseEventKind::ScrollDown => {
            let is_up = event.kind == MouseEventKind::ScrollUp;
            if chart(state, at).is_some() {
                return time::zoom(state, if is_up { 1 } else { -1 });
            }
            keys::step(state, if is_up { -3 } else { 3 });
        }
        MouseEventKind::Down(MouseButton::Left) if event.row + 1 == state.size.1 => {
            if let Some(view) = hints::view_at(state, event.column) {
                keys::go(state, view);
            }
        }
        MouseEventKind::Down(MouseButton::Left) => return click(state, at),
        MouseEventKind::Drag(MouseButton::Left) => {
            if let Some((plot, scale)) = chart(state, at) {
                return to(state, plot, &scale, at.0);
            }
        }
        _ => {}
    }
    Vec::new()
}

fn chart(state: &UiState, at: (u16, u16)) -> Option<(Rect, TimeScale)> {
    pointed_at(state, at).into_iter().find_map(|(plot, target)| match target {
        Target::Chart(scale) => Some((plot, scale)),
        _ => None,
    })
}

/// The time cursor to a column of a chart; right of now it is the present.
fn to(state: &mut UiState, plot: Rect, scale: &TimeScale, column: u16) -> Vec<Effect> {
    // The middle of the column.
    let at = scale.at(column.saturating_sub(plot.x)) + scale.bin;
    time::go(state, at)
}

fn click(state: &mut UiState, at: (u16, u16)) -> Vec<Effect> {
    match pointed_at(state, at).into_iter().next() {
        Some((plot, Target::Chart(scale))) => to(state, plot, &scale, at.0),
        Some((_, Target::Head(column))) => {
            keys::sort(state, column);
            Vec::new()
        }
        // The one that is chosen already opens, or closes.
        Some((_, Target::Process(id))) if state.view == View::Processes && state.selected.process == Some(id) => {
            state.open = !state.open;
            Vec::new()
        }
        Some((_, Target::Process(id))) => {
            state.selected.process = Some(id);
            Vec::new()
        }
        Some((_, Target::Pane(name))) => {
            state.pane = Some(name.to_owned());
            Vec::new()
        }
        // A link is opened by the terminal itself, with a key held.
        Some((_, Target::Link(_))) | None => Vec::new(),
    }
}
