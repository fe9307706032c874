//! Changes from the screen, written into `overrides.toml` or the user's own file.
//!
//! A proposal is only text: whoever makes one reads the configuration with it ([`Inputs::instead`]) and writes it where that
//! went well. Invariant: what a person wrote beside the changed values stays as it was, comments included.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike, Value};

use super::{Config, ConfigError, Inputs, texts};
use crate::base::{Readers, write_whole};
use crate::model::{OwnFile, RuleKeys, SettingChange, SettingsPlace};

/// One file before and after; `None`: there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    path: PathBuf,
    before: Option<String>,
    after: Option<String>,
}

/// A change of the configuration that can be tried before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What changes, for people.
    pub says: String,
    edits: Vec<Edit>,
}

impl Proposal {
    /// Some changes, all into one place. What is written into the user's own file is taken out of `overrides.toml`, which
    /// would hide it.
    ///
    /// # Errors
    /// A file that cannot be read or edited, a key that a variable or flag sets anyhow.
    pub fn new(inputs: &Inputs, changes: &[SettingChange], place: SettingsPlace) -> Result<Self, ConfigError> {
        let refuse = |text: &str| ConfigError::new("settings", text);
        let overrides = inputs.overrides().ok_or_else(|| refuse("there is no data folder to keep changes in"))?;
        let mut over = Draft::read(&overrides)?;
        let mut edits = Vec::new();
        if place == SettingsPlace::OwnFile {
            let own =
                inputs.file.as_deref().ok_or_else(|| refuse("there is no configuration file of one's own to write into"))?;
            if own.extension().is_some_and(|e| e == "json") {
                return Err(refuse("one's own file is JSON, which keeps no comments; change it there, or save beside it"));
            }
            let own = fs::canonicalize(own).unwrap_or_else(|_| own.to_owned());
            let mut draft = Draft::read(&own)?;
            changes.iter().try_for_each(|change| draft.make(change))?;
            changes.iter().map(removal).try_for_each(|change| over.make(&change))?;
            edits.push(draft.done());
        } else {
            changes.iter().try_for_each(|change| over.make(change))?;
        }
        edits.push(over.done());
        edits.retain(|e| e.before != e.after);
        Ok(Self { says: changes.iter().map(said).collect::<Vec<_>>().join(", "), edits })
    }

    /// The way back.
    #[must_use]
    pub fn undone(&self) -> Self {
        let back = |e: &Edit| Edit { path: e.path.clone(), before: e.after.clone(), after: e.before.clone() };
        Self { says: self.says.clone(), edits: self.edits.iter().map(back).collect() }
    }

    /// The same inputs, with the texts proposed here in place of the files.
    #[must_use]
    pub fn over(&self, mut inputs: Inputs) -> Inputs {
        inputs.instead.extend(self.edits.iter().map(|e| (e.path.clone(), e.after.clone())));
        if let Some(own) = inputs.file.as_ref().and_then(|f| fs::canonicalize(f).ok()) {
            let text = self.edits.iter().find(|e| e.path == own).map(|e| e.after.clone());
            inputs.instead.extend(text.map(|text| (inputs.file.clone().unwrap_or_default(), text)));
        }
        inputs
    }

    /// Writes it; each file is whole at every moment.
    ///
    /// # Errors
    /// A file that was changed by somebody else meanwhile, or cannot be written.
    pub fn write(&self) -> Result<(), ConfigError> {
        if let Some(edit) = self.edits.iter().find(|e| fs::read_to_string(&e.path).ok() != e.before) {
            return Err(ConfigError::new(shown(&edit.path), "was changed meanwhile; look at it and try again"));
        }
        self.edits.iter().try_for_each(|e| e.write().map_err(|error| ConfigError::new(shown(&e.path), error.to_string())))
    }
}

impl Edit {
    fn write(&self) -> std::io::Result<()> {
        let Some(text) = &self.after else { return fs::remove_file(&self.path) };
        write_whole(&self.path, text.as_bytes(), Readers::Kept)
    }
}

impl Inputs {
    /// Where changes from the screen are kept.
    pub fn overrides(&self) -> Option<PathBuf> {
        self.data_dir.as_ref().map(|d| d.join("overrides.toml"))
    }

    /// A rule's keys in `overrides.toml`, without its name; `None` where it is not there.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn overridden(&self, rule: &str) -> Result<Option<RuleKeys>, ConfigError> {
        let Some(path) = self.overrides() else { return Ok(None) };
        let text = Draft::read(&path)?.before.unwrap_or_default();
        let table = text.parse::<toml::Table>().map_err(|e| ConfigError::new(shown(&path), e.message()))?;
        let rules = table.get("rule").and_then(toml::Value::as_array);
        let found = rules.into_iter().flatten().find(|r| r.get("name").and_then(toml::Value::as_str) == Some(rule));
        Ok(found.map(|table| {
            let mut keys = texts(table);
            keys.remove("name");
            keys
        }))
    }

    /// The user's own file, and whether changes can be written there.
    pub fn own_file(&self) -> Option<OwnFile> {
        let path = self.file.as_ref()?;
        let is_json = path.extension().is_some_and(|e| e == "json");
        let unwritable = match fs::OpenOptions::new().append(true).open(path) {
            _ if is_json => Some("JSON keeps no comments".to_owned()),
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        Some(OwnFile { path: shown(path), unwritable })
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn said(change: &SettingChange) -> String {
    match change {
        SettingChange::Key { key, value: Some(value) } => format!("{key} = {value}"),
        SettingChange::Key { key, value: None } => format!("{key} as before"),
        SettingChange::Rule { name, keys: Some(keys) } => {
            let keys: Vec<String> = keys.iter().map(|(k, v)| format!("{k} = {v}")).collect();
            format!("rule \"{name}\": {}", keys.join(", "))
        }
        SettingChange::Rule { name, keys: None } => format!("rule \"{name}\" as before"),
    }
}

fn removal(change: &SettingChange) -> SettingChange {
    match change {
        SettingChange::Key { key, .. } => SettingChange::Key { key: key.clone(), value: None },
        SettingChange::Rule { name, .. } => SettingChange::Rule { name: name.clone(), keys: None },
    }
}

/// A file being changed.
struct Draft {
    path: PathBuf,
    before: Option<String>,
    document: DocumentMut,
}

impl Draft {
    fn read(path: &Path) -> Result<Self, ConfigError> {
        let before = match fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(ConfigError::new(shown(path), error.to_string())),
        };
        let document = before.as_deref().unwrap_or_default().parse::<DocumentMut>();
        let document = document.map_err(|e| ConfigError::new(shown(path), e.message()))?;
        Ok(Self { path: path.to_owned(), before, document })
    }

    fn done(self) -> Edit {
        let text = self.document.to_string();
        let after = if text.trim().is_empty() && self.before.is_none() { None } else { Some(text) };
        Edit { path: self.path, before: self.before, after }
    }

    fn make(&mut self, change: &SettingChange) -> Result<(), ConfigError> {
        match change {
            SettingChange::Key { key, value } => {
                let value = value.as_ref().map(|text| written(text, |v| format!("{key} = {v}")));
                let path: Vec<&str> = key.split('.').collect();
                set(self.document.as_table_mut(), &path, value).ok_or_else(|| {
                    ConfigError::new(shown(&self.path), format!("{key} cannot be set there: a part of it is no table"))
                })
            }
            SettingChange::Rule { name, keys } => self.rule(name, keys.as_ref()),
        }
    }

    fn rule(&mut self, name: &str, keys: Option<&BTreeMap<String, String>>) -> Result<(), ConfigError> {
        let root = self.document.as_table_mut();
        if keys.is_none() && !root.contains_key("rule") {
            return Ok(());
        }
        let rules = root.entry("rule").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        let Item::ArrayOfTables(rules) = rules else {
            let text = "rules stand there as one list in brackets; write each as [[rule]], or save beside the file";
            return Err(ConfigError::new(shown(&self.path), text));
        };
        let at = rules.iter().position(|r| r.get("name").and_then(Item::as_str) == Some(name));
        match (at, keys) {
            (Some(at), None) => drop(rules.remove(at)),
            (None, None) => {}
            (at, Some(keys)) => {
                let at = at.unwrap_or_else(|| {
                    let mut table = Table::new();
                    table.insert("name", Item::Value(name.into()));
                    rules.push(table);
                    rules.len() - 1
                });
                let table = rules.get_mut(at).expect("it was found or pushed");
                let gone: Vec<String> =
                    table.iter().map(|(k, _)| k.to_owned()).filter(|k| k != "name" && !keys.contains_key(k)).collect();
                gone.iter().for_each(|key| drop(table.remove(key)));
                for (key, text) in keys {
                    put(table, key, written(text, |v| format!("rule = [{{ {key} = {v} }}]")));
                }
            }
        }
        if rules.is_empty() {
            root.remove("rule");
        }
        Ok(())
    }
}

/// The value a text means: what TOML reads as one, where the key takes it; else the text itself.
fn written(text: &str, whole: impl Fn(&Value) -> String) -> Value {
    let fits = |value: &Value| toml::from_str::<Config>(&whole(value)).is_ok();
    let plain = Value::from(text);
    match text.trim().parse::<Value>() {
        Ok(value) if fits(&value) || !fits(&plain) => value.decorated("", ""),
        _ => plain,
    }
}

/// Sets or removes a value below tables, which are made and removed with it; `None` where a part of the path is no table.
fn set(table: &mut dyn TableLike, path: &[&str], value: Option<Value>) -> Option<()> {
    let (first, rest) = path.split_first()?;
    if rest.is_empty() {
        match value {
            Some(value) => put(table, first, value),
            None => drop(table.remove(first)),
        }
        return Some(());
    }
    if value.is_none() && !table.contains_key(first) {
        return Some(());
    }
    let below = table.entry(first).or_insert_with(|| Item::Table(Table::new())).as_table_like_mut()?;
    set(below, rest, value)?;
    if below.is_empty() {
        table.remove(first);
    }
    Some(())
}

/// Sets a value; what stands around the old one stays.
fn put(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        _ => drop(table.insert(key, Item::Value(value))),
    }
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
