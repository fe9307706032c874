//! Panes and looks: enlarging, choosing, hiding, arrangements, themes, graphs, and what goes into the clipboard.
//!
//! Invariant: whatever is hidden or enlarged comes back by the same key.

use crossterm::event::KeyCode;

use crate::ui::event::Effect;
use crate::ui::keymap::Chord;
use crate::ui::overlay::{Overlay, Tone};
use crate::ui::panes::panes_shown;
use crate::ui::state::{Look, UiState, View};
use crate::ui::widgets::Graph;

use super::say;

/// Gives the chosen pane the whole page, or its place back.
pub fn enlarge(state: &mut UiState) {
    if state.enlarged.take().is_some() {
        return;
    }
    let shown = panes_shown(state);
    let chosen = state.pane.clone().filter(|p| shown.contains(&p.as_str()));
    state.enlarged = chosen.or_else(|| shown.first().map(|p| (*p).to_owned()));
    state.pane.clone_from(&state.enlarged);
}

/// Chooses the next or previous pane of the page; enlarged, that one takes the page.
pub fn next_pane(state: &mut UiState, by: i8) {
    let large = state.enlarged.take();
    let shown = panes_shown(state);
    let here = state.pane.as_deref().and_then(|p| shown.iter().position(|s| *s == p));
    let count = shown.len().max(1);
    let next = match here {
        Some(at) => (at + count).saturating_add_signed(isize::from(by)) % count,
        None if by > 0 => 0,
        None => count - 1,
    };
    state.pane = shown.get(next).map(|p| (*p).to_owned());
    state.enlarged = large.and(state.pane.clone());
}

/// The next arrangement of panes.
pub fn next_layout(state: &mut UiState) {
    state.layout_at = (state.layout_at + 1) % state.layouts.len().max(1);
    state.enlarged = None;
    state.pane = None;
    let name = state.layouts.get(state.layout_at).map_or("", |l| l.name.as_str()).to_owned();
    say(state, Tone::Good, format!("layout {name}"));
}

/// Panes the page would have if none were hidden.
pub fn all_panes(state: &UiState) -> Vec<String> {
    state.layout().panes(state.view).into_iter().map(str::to_owned).collect()
}

/// One key in the list of panes: Space hides and shows, Enter enlarges.
pub fn panes_key(state: &mut UiState, row: usize, chord: Chord) -> Option<Overlay> {
    let all = all_panes(state);
    let last = all.len().saturating_sub(1);
    let row = row.min(last);
    let row = match (chord.code(), chord.character()) {
        (KeyCode::Down, _) | (_, Some('j')) => (row + 1).min(last),
        (KeyCode::Up, _) | (_, Some('k')) => row.saturating_sub(1),
        (_, Some(' ' | 'x')) => {
            if let Some(name) = all.get(row).filter(|n| !state.hidden.remove(*n)) {
                state.hidden.insert(name.clone());
            }
            row
        }
        (KeyCode::Enter, _) => {
            state.enlarged = all.get(row).cloned();
            state.pane.clone_from(&state.enlarged);
            return None;
        }
        _ => return None,
    };
    Some(Overlay::Panes(row))
}

/// The list of themes, at the one that applies.
pub fn themes(state: &UiState) -> Overlay {
    let row = state.themes.iter().position(|t| *t == state.look.theme).unwrap_or(0);
    Overlay::Themes(row, state.look.clone())
}

/// One key in the list of themes: each is seen at once; Esc brings back the one before.
pub fn themes_key(state: &UiState, (row, before): (usize, Look), chord: Chord) -> (Vec<Effect>, Option<Overlay>) {
    let last = state.themes.len().saturating_sub(1);
    let row = match (chord.code(), chord.character()) {
        (KeyCode::Down, _) | (_, Some('j')) => (row + 1).min(last),
        (KeyCode::Up, _) | (_, Some('k')) => row.saturating_sub(1),
        (KeyCode::Enter, _) => return (Vec::new(), None),
        _ => return (vec![Effect::Look(before)], None),
    };
    let theme = state.themes.get(row).cloned().unwrap_or_default();
    (vec![Effect::Look(Look { theme, graph: before.graph })], Some(Overlay::Themes(row, before)))
}

/// A theme by its name.
pub fn look(state: &UiState, theme: &str) -> Vec<Effect> {
    vec![Effect::Look(Look { theme: theme.to_owned(), graph: state.look.graph })]
}

/// Braille, then blocks, then ASCII.
pub fn next_graph(state: &UiState) -> Vec<Effect> {
    let graph = match state.look.graph {
        Graph::Braille => Graph::Block,
        Graph::Block => Graph::Ascii,
        Graph::Ascii => Graph::Braille,
    };
    vec![Effect::Look(Look { theme: state.look.theme.clone(), graph })]
}

/// The name of what is chosen: a service, an alert, a metric, else the command of a process.
pub fn copy(state: &mut UiState) -> Vec<Effect> {
    let text = match state.view {
        View::Services => state.chosen_service().map(|s| s.name.clone()),
        View::Alerts => state.chosen_alert().map(|a| format!("{} {}", a.id, a.title)),
        View::Predictions => state.chosen_prediction().map(|p| p.title.clone()),
        View::Metrics => crate::ui::explore::charted(state).first().map(ToString::to_string),
        _ => {
            let row = state.lists.process_row(state.shown(), &state.selected);
            let process = state.lists.processes.get(row).and_then(|i| state.shown().processes.get(*i));
            process.map(|p| if p.command.is_empty() { p.name.to_string() } else { p.command.to_string() })
        }
    };
    let Some(text) = text else { return Vec::new() };
    say(state, Tone::Good, "copied, where the terminal allows it");
    vec![Effect::Copy(text)]
}
