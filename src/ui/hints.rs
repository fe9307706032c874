//! What the last line says, and where: pages and the keys of this place.
//!
//! Made from the table of actions. Invariant: the mouse finds exactly what is drawn.

use super::actions::{ACTIONS, Act, Action};
use super::banner;
use super::pane::Density;
use super::state::{UiState, View};
use super::widgets::Phrase;

/// A page's name on the last line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    /// The page.
    pub view: View,
    /// Its first column.
    pub from: u16,
    /// The column after it.
    pub to: u16,
    /// What is written.
    pub text: Phrase,
}

/// Pages on the last line, from the left.
pub fn tabs(state: &UiState) -> Vec<Tab> {
    let density = Density::of(state.size.0);
    let mut tabs = Vec::new();
    let mut from = 0;
    for view in View::ALL {
        let is_active = view == state.view;
        // Wide screens have room for the pages with a digit, others for the first six.
        let room = match density {
            Density::Small => 0,
            Density::Medium => 6,
            Density::Large => 10,
        };
        if view.index() >= room && !is_active {
            continue;
        }
        let tail = if is_active || density == Density::Large { " " } else { "" };
        let digit = ACTIONS.iter().find(|a| a.act == Act::Go(view)).and_then(|a| state.keymap.key(a.id));
        let digit = digit.map_or_else(|| " ".to_owned(), |key| format!(" {key} "));
        let name = format!("{}{tail}", view.name());
        let text = Phrase::new().strong(&digit);
        let text = if is_active { text.strong(&name) } else { text.dim(&name) };
        let to = from + text.width();
        tabs.push(Tab { view, from, to, text });
        from = to;
    }
    tabs
}

/// The page whose name is at that column of the last line.
pub fn view_at(state: &UiState, column: u16) -> Option<View> {
    tabs(state).into_iter().find(|t| (t.from..t.to).contains(&column)).map(|t| t.view)
}

/// Keys of this place, most used first: each with its word; two rows with one word share it.
pub fn keys(state: &UiState) -> Vec<Phrase> {
    let shown_above = banner::acts(state);
    let mut words: Vec<(&str, String)> = Vec::new();
    let is_here =
        |a: &&Action| !a.hint.is_empty() && a.place.has(state.view) && (a.enabled)(state) && !shown_above.contains(&a.act);
    for action in ACTIONS.iter().filter(is_here) {
        let Some(key) = state.keymap.key(action.id) else { continue };
        match words.iter_mut().find(|(word, _)| *word == action.hint) {
            Some((_, keys)) => keys.push_str(&key),
            None => words.push((action.hint, key)),
        }
    }
    if state.open {
        words.insert(0, ("back", "Esc".to_owned()));
        words.retain(|(word, _)| *word != "open");
    }
    words.into_iter().map(|(word, key)| Phrase::new().strong(&key).dim(&format!(" {word}"))).collect()
}

/// The word at the right end.
pub fn help(state: &UiState) -> Phrase {
    let key = ACTIONS.iter().find(|a| a.act == Act::Help).and_then(|a| state.keymap.key(a.id));
    key.map_or_else(Phrase::new, |key| Phrase::new().strong(&key).dim(" help"))
}
