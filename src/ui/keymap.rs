//! Keys as they are written and typed, and which action they stand for.
//!
//! Invariant: every key of the table is understood; a keymap of one's own replaces the keys of the
//! actions it names and leaves the others.

use std::collections::BTreeMap;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::actions::{ACTIONS, Action};
use super::state::UiState;
use crate::model::catalog::nearest;

/// One key with what is held beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    held: KeyModifiers,
}

/// Names of the keys that are no character.
const NAMED: [(&str, KeyCode); 14] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("space", KeyCode::Char(' ')),
];

impl Chord {
    /// What was typed. Shift stays only with keys that are no character: `G` is itself.
    pub fn of(event: &KeyEvent) -> Self {
        let mut held = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let mut code = event.code;
        if matches!(code, KeyCode::Char(_)) {
            held.remove(KeyModifiers::SHIFT);
        }
        if code == KeyCode::BackTab {
            (code, held) = (KeyCode::Tab, held | KeyModifiers::SHIFT);
        }
        Self { code, held }
    }

    /// Reads `g`, `G`, `ctrl-u`, `shift-left`, `F10`, `space`.
    ///
    /// # Errors
    /// A key that does not exist, with how keys are written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("\"{text}\" is no key; write for example g, G, ctrl-u, shift-left, F10, enter, space");
        let mut held = KeyModifiers::NONE;
        let mut rest = text;
        for (name, modifier) in [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)] {
            if let Some(tail) = rest.strip_prefix(name) {
                held |= modifier;
                rest = tail;
            }
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            (Some('F'), Some(_)) => {
                let number = rest.trim_start_matches('F').parse::<u8>().ok().filter(|n| (1..=24).contains(n));
                KeyCode::F(number.ok_or_else(bad)?)
            }
            _ => NAMED.iter().find(|(name, _)| *name == rest).map(|(_, code)| *code).ok_or_else(bad)?,
        };
        Ok(Self { code, held })
    }

    /// The character typed, where it is one and nothing but Shift is held.
    pub fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.held.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => Some(c),
            _ => None,
        }
    }

    /// The key without what is held.
    pub fn code(self) -> KeyCode {
        self.code
    }

    /// As it is shown beside a hint: `Enter`, `←`, `Ctrl-U`.
    pub fn shown(self) -> String {
        let mut text = String::new();
        for (modifier, name) in [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-"), (KeyModifiers::SHIFT, "Shift-")] {
            if self.held.contains(modifier) {
                text.push_str(name);
            }
        }
        let name = match self.code {
            KeyCode::Left => "←",
            KeyCode::Right => "→",
            KeyCode::Up => "↑",
            KeyCode::Down => "↓",
            KeyCode::Enter => "Enter",
            KeyCode::Esc => "Esc",
            KeyCode::Tab => "Tab",
            KeyCode::Home => "Home",
            KeyCode::End => "End",
            KeyCode::PageUp => "PgUp",
            KeyCode::PageDown => "PgDn",
            KeyCode::Char(' ') => "Space",
            KeyCode::Backspace => "Backspace",
            KeyCode::Delete => "Del",
            KeyCode::Char(c) => {
                text.push(c);
                ""
            }
            KeyCode::F(n) => {
                text.push_str(&format!("F{n}"));
                ""
            }
            _ => "?",
        };
        text + name
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// Most keys one binding can have, one after the other.
const LONGEST: usize = 3;

/// Reads keys typed one after the other, separated by blanks: `d d`.
///
/// # Errors
/// A key that does not exist; no key or too many.
pub fn parse_sequence(text: &str) -> Result<Vec<Chord>, String> {
    let keys: Vec<Chord> = text.split_whitespace().map(Chord::parse).collect::<Result<_, _>>()?;
    if keys.is_empty() || keys.len() > LONGEST {
        return Err(format!("\"{text}\" is no key; write one to {LONGEST} keys, for example g, ctrl-u, \"d d\""));
    }
    Ok(keys)
}

/// As keys are shown beside a hint: `d d`, `F9`.
pub fn shown_sequence(keys: &[Chord]) -> String {
    keys.iter().map(|k| k.shown()).collect::<Vec<_>>().join(" ")
}

/// What the keys typed so far stand for.
#[derive(Debug, Clone, Copy)]
pub enum Found {
    /// An action.
    Action(&'static Action),
    /// The beginning of one or more.
    Beginning,
    /// Nothing.
    Nothing,
}

/// Which keys stand for which action.
#[derive(Debug, Clone)]
pub struct Keymap(Vec<(Vec<Chord>, &'static Action)>);

impl Default for Keymap {
    fn default() -> Self {
        Self::new(&BTreeMap::new()).expect("a test reads every key of the table")
    }
}

impl Keymap {
    /// The table's keys, and for the actions in `changes` those keys instead (none: no key).
    ///
    /// # Errors
    /// An unknown action with the nearest known one; a key that does not exist.
    pub fn new(changes: &BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        if let Some(id) = changes.keys().find(|id| !ACTIONS.iter().any(|a| a.id == **id)) {
            let near = nearest(id, ACTIONS.iter().map(|a| a.id)).map(|n| format!("; did you mean \"{n}\"?"));
            return Err(format!("\"{id}\" is no action{}", near.unwrap_or_default()));
        }
        let mut keys = Vec::new();
        for action in ACTIONS {
            match changes.get(action.id) {
                Some(own) => {
                    for key in own {
                        keys.push((parse_sequence(key)?, action));
                    }
                }
                None => {
                    for key in action.keys {
                        keys.push((parse_sequence(key)?, action));
                    }
                }
            }
        }
        // Keys of one's own win over the table's.
        keys.sort_by_key(|(_, action)| !changes.contains_key(action.id));
        Ok(Self(keys))
    }

    /// The first enabled action of the page that has these keys, or begins with them.
    pub fn find(&self, typed: &[Chord], state: &UiState) -> Found {
        let is_here = |action: &Action| action.place.has(state.view) && (action.enabled)(state);
        let mut here = self.0.iter().filter(|(keys, action)| keys.starts_with(typed) && is_here(action));
        match here.clone().find(|(keys, _)| keys.len() == typed.len()) {
            Some((_, action)) => Found::Action(action),
            None if here.next().is_some() => Found::Beginning,
            None => Found::Nothing,
        }
    }

    /// The keys shown for an action; `None` where it has none.
    pub fn key(&self, id: &str) -> Option<String> {
        self.keys(id).next()
    }

    /// All keys of an action, as they are shown.
    pub fn keys<'a>(&'a self, id: &'a str) -> impl Iterator<Item = String> + 'a {
        self.0.iter().filter(move |(_, action)| action.id == id).map(|(keys, _)| shown_sequence(keys))
    }

    /// All bindings.
    pub fn bindings(&self) -> impl Iterator<Item = (&[Chord], &'static Action)> {
        self.0.iter().map(|(keys, action)| (keys.as_slice(), *action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::actions::key_table;
    use crate::ui::state::View;

    #[test]
    fn every_key_of_the_table_is_understood_and_means_one_thing_on_a_page() {
        let keymap = Keymap::default();
        let ids: std::collections::BTreeSet<_> = ACTIONS.iter().map(|a| a.id).collect();
        assert_eq!(ids.len(), ACTIONS.len(), "an id is used twice");
        for view in View::ALL {
            let mut seen = std::collections::HashMap::new();
            for (keys, action) in keymap.bindings().filter(|(_, a)| a.place.has(view)) {
                let other = seen.insert(keys, action.id);
                assert!(other.is_none(), "{} on {view:?}: {} and {other:?}", shown_sequence(keys), action.id);
                let is_hidden = keys.len() > 1 && keymap.bindings().any(|(k, a)| k == &keys[..1] && a.place.has(view));
                assert!(!is_hidden, "the first key of {} on {view:?} is an action of its own", shown_sequence(keys));
            }
        }
        assert!(key_table().contains("| `q` `F10` `ctrl-c` | anywhere | quit |"));
    }

    #[test]
    fn a_keymap_replaces_the_keys_of_what_it_names() {
        let changes = BTreeMap::from([("quit".to_owned(), vec!["Q".to_owned()]), ("help".to_owned(), vec![])]);
        let keymap = Keymap::new(&changes).expect("a keymap");
        let (_, state) = crate::ui::fixture::story();
        let find = |key: &str| match keymap.find(&parse_sequence(key).expect("a key"), &state) {
            Found::Action(action) => Some(action.id),
            _ => None,
        };
        assert_eq!((find("Q"), find("q"), find("?"), find("j")), (Some("quit"), None, None, Some("down")));
        let unknown = Keymap::new(&BTreeMap::from([("silense".to_owned(), vec![])])).expect_err("unknown");
        assert!(unknown.contains("did you mean \"silence\"?"), "{unknown}");
        assert!(Chord::parse("ctrl-nothing").is_err() && Chord::parse("").is_err() && Chord::parse("F99").is_err());
    }
}
