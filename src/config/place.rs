//! Where in the configuration something stands: file, line and column, variable or flag.
//!
//! Rooms say which key is wrong, by its path; what stands there is looked up only then. Invariant: nothing of a value is
//! repeated, which may be a secret.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use super::Origin;
use super::error::line_and_column;

/// What is wrong with the value of a key, or with a table that lacks one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeyError {
    /// Keys and places in lists on the way to it (`rule`, `2`, `above`).
    pub path: Vec<String>,
    /// What is wrong and what to do.
    pub message: String,
}

impl KeyError {
    /// A mistake at the end of a path.
    pub fn new<P: Into<String>>(path: impl IntoIterator<Item = P>, message: impl ToString) -> Self {
        Self { path: path.into_iter().map(Into::into).collect(), message: message.to_string() }
    }
}

/// Where the value of a path stands, or, where it is missing, the innermost table that should hold it.
pub(super) fn place(origins: &BTreeMap<String, Origin>, path: &[String]) -> String {
    match origin(origins, path) {
        Some(Origin::File(file)) => {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let is_json = Path::new(file).extension().is_some_and(|e| e == "json");
            match if is_json { start_in_json(&text, path) } else { start(&text, path) } {
                Some(at) => {
                    let (line, column) = line_and_column(&text, at);
                    format!("{file}:{line}:{column}")
                }
                None => file.clone(),
            }
        }
        origin => origin.map_or_else(|| "configuration".to_owned(), ToString::to_string),
    }
}

/// Who wrote it, or else something beside it in the innermost table that was written.
fn origin<'a>(origins: &'a BTreeMap<String, Origin>, path: &[String]) -> Option<&'a Origin> {
    // Lists are replaced whole, so the key of the list says who wrote it.
    let keys: Vec<&str> = path.iter().map(String::as_str).take_while(|p| p.parse::<usize>().is_err()).collect();
    if let Some(origin) = origins.get(&keys.join(".")) {
        return Some(origin);
    }
    (1..=keys.len()).rev().find_map(|n| {
        let within = format!("{}.", keys.get(..n)?.join("."));
        let mut beside = origins.range(within.clone()..).take_while(|(key, _)| key.starts_with(&within));
        beside.find(|(_, origin)| **origin != Origin::Default).map(|(_, origin)| origin)
    })
}

/// Where the innermost part of a path that is there begins in a TOML text.
fn start(text: &str, path: &[String]) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let (first, rest) = path.split_first()?;
    let mut at = table.get_ref().get(first.as_str())?;
    for part in rest {
        let inner = match at.get_ref() {
            DeValue::Table(table) => table.get(part.as_str()),
            DeValue::Array(list) => part.parse::<usize>().ok().and_then(|n| list.get(n)),
            _ => None,
        };
        let Some(inner) = inner else { break };
        at = inner;
    }
    Some(at.span().start)
}

/// Where the innermost part of a path that is there begins in a JSON text.
fn start_in_json(text: &str, path: &[String]) -> Option<usize> {
    let mut at: &RawValue = serde_json::from_str(text).ok()?;
    for (depth, part) in path.iter().enumerate() {
        let inner = match part.parse::<usize>() {
            Ok(n) => serde_json::from_str::<Vec<&RawValue>>(at.get()).ok().and_then(|list| list.get(n).copied()),
            Err(_) => {
                serde_json::from_str::<BTreeMap<String, &RawValue>>(at.get()).ok().and_then(|table| table.get(part).copied())
            }
        };
        let Some(inner) = inner else { return (depth > 0).then(|| offset(text, at)) };
        at = inner;
    }
    Some(offset(text, at))
}

/// Bytes of a text before a part of it.
fn offset(text: &str, part: &RawValue) -> usize {
    part.get().as_ptr().addr() - text.as_ptr().addr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, load};

    const TEXT: &str = "[general]\nhost = \"a\"\n\n[[rule]]\nname = \"x\"\nmetric = \"load_average\"\nabove = 3\n\n\
                        [notify.ops]\ntype = \"file\"\npath = \"p\"\n";

    const JSON: &str = r#"{
  "general": {"host": "\u0061"},
  "rule": [{"name": "x", "metric": "load_average",
    "above": 3}],
  "notify": {"ops": {"type": "file", "path": "p"}}
}"#;

    fn located(path: &[&str]) -> String {
        located_in("config.toml", TEXT, path)
    }

    fn located_in(name: &str, text: &str, path: &[&str]) -> String {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join(name);
        std::fs::write(&file, text).expect("written");
        let environment = vec![("FAROL_GENERAL__INTERVAL".to_owned(), "2s".to_owned())];
        let loaded = load(&Inputs { file: Some(file), environment, ..Inputs::default() }).expect("right");
        let text = loaded.located(&KeyError::new(path.iter().copied(), "wrong")).to_string();
        text.rsplit('/').next().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_mistake_is_shown_where_its_key_stands() {
        assert_eq!(located(&["rule", "0", "above"]), "config.toml:7:9: wrong");
        assert_eq!(located(&["notify", "ops", "path"]), "config.toml:11:8: wrong");
    }

    #[test]
    fn a_mistake_in_json_is_shown_where_its_value_stands() {
        assert_eq!(located_in("config.json", JSON, &["rule", "0", "above"]), "config.json:4:14: wrong");
        assert_eq!(located_in("config.json", JSON, &["rule", "0", "clear"]), "config.json:3:12: wrong");
        assert_eq!(located_in("config.json", JSON, &["notify", "ops", "path"]), "config.json:5:46: wrong");
        assert_eq!(located_in("config.json", JSON, &["general", "host"]), "config.json:2:23: wrong");
    }

    #[test]
    fn a_key_that_is_missing_is_missing_in_its_table() {
        assert_eq!(located(&["rule", "0", "clear"]), "config.toml:4:1: wrong");
        assert_eq!(located(&["notify", "ops", "to"]), "config.toml:9:1: wrong");
    }

    #[test]
    fn what_is_in_no_file_is_named_by_its_origin() {
        assert_eq!(located(&["general", "interval"]), "$FAROL_GENERAL__INTERVAL: wrong");
        assert_eq!(located(&["ui", "theme"]), "default: wrong");
    }
}
