//! Keymaps that come along, and one's own: `[ui.keys]` or a file.
//!
//! Invariant: a mistake costs only the key it is in; it is reported with its place and what to write.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::actions::ACTIONS;
use super::keymap::{Chord, Keymap, parse_sequence, shown_sequence};
use super::state::View;
use crate::model::catalog::nearest;

/// Keys of one action as they are written: one, or a list; an empty list takes all its keys away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Keys {
    /// `"Q"`.
    One(String),
    /// `["q", "F10"]`.
    Many(Vec<String>),
}

impl Keys {
    fn list(&self) -> &[String] {
        match self {
            Self::One(key) => std::slice::from_ref(key),
            Self::Many(keys) => keys,
        }
    }
}

/// A keymap by name: the keys it gives to actions in place of the table's.
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    keys: &'static [(&'static str, &'static [&'static str])],
}

/// Keymaps that come along.
pub const PRESETS: &[Preset] = &[
    Preset { name: "default", keys: &[] },
    // htop's own keys where they differ; its function keys are everybody's here.
    Preset {
        name: "htop",
        keys: &[
            ("signal", &["k", "F9"]),
            ("up", &["up"]),
            ("down", &["down"]),
            ("tag", &["space", "x"]),
            ("freeze", &["Z"]),
            ("help", &["h", "?", "F1"]),
            ("sort-cpu", &["P"]),
            ("sort-memory", &["M"]),
            ("sort-pid", &["N"]),
            ("sort-menu", &["<", ">", "F6"]),
            ("filter", &["\\", "/", "F3", "F4"]),
            ("nice-down", &["]", "F7"]),
            ("nice-up", &["[", "F8"]),
        ],
    },
    Preset {
        name: "vim",
        keys: &[
            ("first", &["g g"]),
            ("time-back", &["h", "left"]),
            ("time-forward", &["l", "right"]),
            ("page-up", &["ctrl-b", "pageup"]),
            ("page-down", &["ctrl-f", "pagedown"]),
            ("quit", &["Z Z", "q", "F10", "ctrl-c"]),
        ],
    },
];

/// Something in a keymap that was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProblem {
    /// The action it stands beside.
    pub action: String,
    /// What is wrong and what to write.
    pub message: String,
}

/// A keymap from a preset with one's own keys over it; what has a mistake keeps the preset's keys.
pub fn keymap(preset: &Preset, own: &BTreeMap<String, Keys>) -> (Keymap, Vec<KeyProblem>) {
    let mut problems = Vec::new();
    let mut changes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (action, keys) in preset.keys {
        changes.insert((*action).to_owned(), keys.iter().map(|k| (*k).to_owned()).collect());
    }
    for (action, keys) in own {
        let mut report = |message: String| problems.push(KeyProblem { action: action.clone(), message });
        if !ACTIONS.iter().any(|a| a.id == action) {
            let near = nearest(action, ACTIONS.iter().map(|a| a.id)).map(|n| format!("; did you mean \"{n}\"?"));
            report(format!("\"{action}\" is no action{}", near.unwrap_or_else(|| "; ? lists them".to_owned())));
            continue;
        }
        let (mut good, mut is_bad) = (Vec::new(), false);
        for key in keys.list() {
            match parse_sequence(key) {
                Ok(_) => good.push(key.clone()),
                Err(why) => {
                    is_bad = true;
                    report(why);
                }
            }
        }
        if !good.is_empty() || !is_bad {
            changes.insert(action.clone(), good);
        }
    }
    // One's own keys are taken from what the preset gave them to.
    let taken: Vec<String> = own.values().flat_map(|k| k.list().iter().cloned()).collect();
    for (_, keys) in changes.iter_mut().filter(|(action, _)| !own.contains_key(*action)) {
        keys.retain(|k| !taken.contains(k));
    }
    problems.extend(conflicts(own, &changes));
    let keymap = Keymap::new(&changes).expect("every key in it was understood");
    (keymap, problems)
}

/// Keys one's own map gives to two actions on one page, or that hide a longer one.
fn conflicts(own: &BTreeMap<String, Keys>, changes: &BTreeMap<String, Vec<String>>) -> Vec<KeyProblem> {
    let mut all: Vec<(&str, Vec<Chord>)> = Vec::new();
    for (action, keys) in changes.iter().filter(|(action, _)| own.contains_key(*action)) {
        all.extend(keys.iter().filter_map(|k| parse_sequence(k).ok()).map(|k| (action.as_str(), k)));
    }
    // As the keymap looks for them.
    let rank = |id: &str| ACTIONS.iter().position(|a| a.id == id);
    let place = |id: &str| ACTIONS.iter().find(|a| a.id == id).map(|a| a.place);
    let mut problems = Vec::new();
    for (i, (one, keys)) in all.iter().enumerate() {
        for (other, longer) in all.iter().skip(i + 1).chain(all.iter().take(i)) {
            let both = View::ALL.into_iter().find(|v| [one, other].iter().all(|a| place(a).is_some_and(|p| p.has(*v))));
            let Some(page) = both.filter(|_| one != other) else { continue };
            let shown = shown_sequence(keys);
            if keys == longer && rank(one) < rank(other) {
                let message = format!("{shown} is also \"{other}\" on {}; \"{one}\" has it", page.name());
                problems.push(KeyProblem { action: (*other).to_owned(), message });
            } else if longer.len() > keys.len() && longer.starts_with(keys) {
                let message = format!("{} can never be typed: {shown} is \"{one}\"", shown_sequence(longer));
                problems.push(KeyProblem { action: (*other).to_owned(), message });
            }
        }
    }
    problems
}

/// A keymap file: a preset to begin with, and keys.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    base: Option<String>,
    #[serde(default)]
    keys: BTreeMap<String, Keys>,
}

/// What `[ui]` says of keys.
pub struct Wanted<'a> {
    /// A preset's name, a file's path, or the name of a file in `folder`.
    pub keymap: &'a str,
    /// `[ui.keys]`.
    pub keys: &'a BTreeMap<String, Keys>,
    /// The file an action of `[ui.keys]` stands in.
    pub origin: &'a dyn Fn(&str) -> Option<String>,
    /// The user's folder of keymaps.
    pub folder: Option<&'a Path>,
}

/// The keymap that is wanted, and what was wrong with it, each with its place; what was right is used.
pub fn load(wanted: &Wanted) -> (Keymap, Vec<String>) {
    let mut said = Vec::new();
    let (preset, mut keys) = match PRESETS.iter().find(|p| p.name == wanted.keymap) {
        Some(preset) => (preset, BTreeMap::new()),
        None => from_file(wanted, &mut said),
    };
    keys.extend(wanted.keys.iter().map(|(action, keys)| (action.clone(), keys.clone())));
    let (keymap, problems) = keymap(preset, &keys);
    said.extend(problems.into_iter().map(|p| match (wanted.origin)(&p.action) {
        Some(file) => format!("{}: {}", place(&file, &p.action), p.message),
        None => format!("[ui.keys] {}: {}", p.action, p.message),
    }));
    (keymap, said)
}

/// `FILE:LINE` of the line that begins with a key.
fn place(file: &str, key: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let is_it = |line: &str| {
        let name = line.split_once('=').map_or("", |(name, _)| name).trim().trim_matches('"');
        name == key || name.strip_prefix("ui.keys.").is_some_and(|n| n.trim_matches('"') == key)
    };
    text.lines().position(is_it).map_or_else(|| file.to_owned(), |line| format!("{file}:{}", line + 1))
}

fn from_file(wanted: &Wanted, said: &mut Vec<String>) -> (&'static Preset, BTreeMap<String, Keys>) {
    let first = &PRESETS[0];
    let is_path = wanted.keymap.contains(['/', '.']);
    let named = wanted.folder.map(|f| f.join(wanted.keymap).with_extension("toml"));
    let path = if is_path { Some(Path::new(wanted.keymap).to_owned()) } else { named.filter(|p| p.exists()) };
    let Some(path) = path else {
        let names = PRESETS.iter().map(|p| p.name);
        let near = nearest(wanted.keymap, names.clone()).map(|n| format!("; did you mean \"{n}\"?"));
        let all = || format!("; there are {}", names.collect::<Vec<_>>().join(", "));
        said.push(format!("[ui] keymap: there is no keymap \"{}\"{}", wanted.keymap, near.unwrap_or_else(all)));
        return (first, BTreeMap::new());
    };
    let shown = path.display().to_string();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            said.push(format!("{shown}: {error}"));
            return (first, BTreeMap::new());
        }
    };
    let file: File = match toml::from_str(&text) {
        Ok(file) => file,
        Err(error) => {
            let line = error.span().map_or(1, |s| text.get(..s.start).unwrap_or("").matches('\n').count() + 1);
            said.push(format!("{shown}:{line}: {}", error.message()));
            return (first, BTreeMap::new());
        }
    };
    let base = file.base.as_deref().unwrap_or("default");
    let preset = PRESETS.iter().find(|p| p.name == base).unwrap_or_else(|| {
        let near = nearest(base, PRESETS.iter().map(|p| p.name)).map(|n| format!("; did you mean \"{n}\"?"));
        said.push(format!("{}: there is no keymap \"{base}\"{}", place(&shown, "base"), near.unwrap_or_default()));
        first
    });
    // Its mistakes are told with its lines; those left are only of the configuration.
    let (_, problems) = keymap(preset, &file.keys);
    said.extend(problems.iter().map(|p| format!("{}: {}", place(&shown, &p.action), p.message)));
    let good = |(action, keys): &(String, Keys)| {
        ACTIONS.iter().any(|a| a.id == action) && keys.list().iter().all(|k| parse_sequence(k).is_ok())
    };
    (preset, file.keys.into_iter().filter(good).collect())
}

#[cfg(test)]
#[path = "presets_tests.rs"]
mod tests;
