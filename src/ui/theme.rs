//! Themes: which color stands for which role, as data.
//!
//! A theme is a TOML file: `inherits`, `[palette]`, `[roles]`, `[grounds]`; a dotted name falls back
//! to its shorter ones (`state.ok.calm` → `state.ok` → `state`). Invariant: a theme that loads can be
//! drawn with at every color depth.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use toml::de::{DeTable, DeValue};

use super::color::{Depth, Rgb, at_depth, mix};
use super::widgets::{Graph, Ground, Ink, Role};
use crate::model::catalog::nearest;

/// Themes that are built in.
pub const BUILT_IN: [(&str, &str); 15] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("contrast", include_str!("../../themes/contrast.toml")),
    ("deutan", include_str!("../../themes/deutan.toml")),
    ("tritan", include_str!("../../themes/tritan.toml")),
    ("gruvbox", include_str!("../../themes/gruvbox.toml")),
    ("nord", include_str!("../../themes/nord.toml")),
    ("dracula", include_str!("../../themes/dracula.toml")),
    ("catppuccin", include_str!("../../themes/catppuccin.toml")),
    ("solarized", include_str!("../../themes/solarized.toml")),
    ("solarized-light", include_str!("../../themes/solarized-light.toml")),
    ("tokyo-night", include_str!("../../themes/tokyo-night.toml")),
    ("paper", include_str!("../../themes/paper.toml")),
    ("sixteen", include_str!("../../themes/sixteen.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// Names of the roles in a file, by `Role as usize`.
const ROLES: [&str; Role::COUNT] = [
    "text",
    "text.strong",
    "text.dim",
    "line",
    "line.cursor",
    "state.ok",
    "state.warn",
    "state.crit",
    "future",
    "flow",
    "past",
    "state.ok.calm",
    "flow.calm",
    "series.1",
    "series.2",
    "series.3",
    "series.4",
    "series.5",
    "series.6",
];

/// Names of the grounds in a file, by `Ground as usize`.
const GROUNDS: [&str; Ground::COUNT] = [
    "screen",
    "screen.selected",
    "screen.key",
    "screen.band",
    "screen.learned",
    "screen.panel",
    "area.ok",
    "area.warn",
    "area.crit",
    "area.flow",
    "area.future",
    "area.past",
    "bar.crit",
    "bar.warn",
    "bar.past",
    "bar.ok",
];

/// The sixteen colors by their names in a file.
const NAMED: [(&str, Color); 17] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright black", Color::DarkGray),
    ("bright red", Color::LightRed),
    ("bright green", Color::LightGreen),
    ("bright yellow", Color::LightYellow),
    ("bright blue", Color::LightBlue),
    ("bright magenta", Color::LightMagenta),
    ("bright cyan", Color::LightCyan),
    ("bright white", Color::White),
];

/// Why a theme cannot be used: where, what, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", place(.file, *.line))]
pub struct ThemeError {
    /// Name or path of the file.
    pub file: String,
    /// Line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

fn place(file: &str, line: usize) -> String {
    if line == 0 { format!("theme {file}") } else { format!("{file}:{line}") }
}

/// Where something was written.
#[derive(Debug, Clone)]
struct Place {
    file: String,
    line: usize,
}

impl Place {
    fn error(&self, message: impl Into<String>) -> ThemeError {
        ThemeError { file: self.file.clone(), line: self.line, message: message.into() }
    }
}

/// What a role or ground is drawn with, as written.
#[derive(Debug, Clone)]
struct Entry {
    color: Option<String>,
    modifier: Modifier,
    place: Place,
}

/// A theme, with everything it inherits.
#[derive(Debug, Clone)]
pub struct Theme {
    name: String,
    palette: BTreeMap<String, Entry>,
    roles: BTreeMap<String, Entry>,
    grounds: BTreeMap<String, Entry>,
}

impl Theme {
    /// The theme of that name: one of the user's in `folder` before a built-in one.
    ///
    /// # Errors
    /// An unknown name with the nearest known one; a file that cannot be read or has a mistake.
    pub fn load(name: &str, folder: Option<&Path>) -> Result<Self, ThemeError> {
        let (theme, faults) = Self::mended(name, folder)?;
        faults.into_iter().next().map_or(Ok(theme), Err)
    }

    /// The same, where mistakes in the file are told and all the rest of it is used.
    ///
    /// # Errors
    /// An unknown name with the nearest known one; a file that cannot be read.
    pub fn mended(name: &str, folder: Option<&Path>) -> Result<(Self, Vec<ThemeError>), ThemeError> {
        let mut faults = Vec::new();
        let theme = Self::load_at(name, (folder, 0), &mut faults)?;
        Ok((theme, faults))
    }

    /// What a theme is that says nothing itself.
    fn ground() -> Self {
        let text = BUILT_IN[0].1;
        Self::parse(BUILT_IN[0].0, ("dark.toml", text), (None, 0), &mut Vec::new()).expect("the first built-in theme is right")
    }

    fn load_at(name: &str, (folder, depth): (Option<&Path>, usize), faults: &mut Vec<ThemeError>) -> Result<Self, ThemeError> {
        let whole = |message: String| ThemeError { file: name.to_owned(), line: 0, message };
        // A chain of parents longer than this is a circle.
        if depth > 8 {
            return Err(whole("inherits itself in the end; take one \"inherits\" out".to_owned()));
        }
        let path = folder.map(|f| f.join(format!("{name}.toml"))).filter(|p| p.is_file());
        let (file, text) = match (path, BUILT_IN.iter().find(|(n, _)| *n == name)) {
            (Some(path), _) => {
                let text = std::fs::read_to_string(&path).map_err(|e| whole(format!("cannot be read: {e}")))?;
                (path.display().to_string(), text)
            }
            (None, Some((_, text))) => (format!("{name}.toml"), (*text).to_owned()),
            (None, None) => {
                let known = Self::names(folder);
                let near = nearest(name, known.iter().map(String::as_str)).map(|n| format!("; did you mean \"{n}\"?"));
                let message = format!("no theme has this name{} (known: {})", near.unwrap_or_default(), known.join(", "));
                return Err(whole(message));
            }
        };
        Ok(Self::parse(name, (&file, &text), (folder, depth), faults).unwrap_or_else(|error| {
            faults.push(error);
            Self { name: name.to_owned(), ..Self::ground() }
        }))
    }

    /// Names of all themes there are.
    pub fn names(folder: Option<&Path>) -> Vec<String> {
        let mut names: Vec<String> = BUILT_IN.iter().map(|(n, _)| (*n).to_owned()).collect();
        let files = folder.and_then(|f| std::fs::read_dir(f).ok()).into_iter().flatten().flatten();
        for path in files.map(|f| f.path()).filter(|p| p.extension().is_some_and(|e| e == "toml")) {
            names.extend(path.file_stem().map(|s| s.to_string_lossy().into_owned()));
        }
        names.sort();
        names.dedup();
        names
    }

    /// Reads a file; mistakes other than of its form go to `faults`.
    fn parse(
        name: &str,
        (file, text): (&str, &str),
        (folder, depth): (Option<&Path>, usize),
        faults: &mut Vec<ThemeError>,
    ) -> Result<Self, ThemeError> {
        let line = |offset: usize| 1 + text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count();
        let place = |offset: usize| Place { file: file.to_owned(), line: line(offset) };
        let table =
            DeTable::parse(text).map_err(|e| place(e.span().map_or(0, |s| s.start)).error(e.message().to_owned()))?.into_inner();
        let mut theme =
            Self { name: name.to_owned(), palette: BTreeMap::new(), roles: BTreeMap::new(), grounds: BTreeMap::new() };
        for (key, value) in &table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("inherits", DeValue::String(from)) => {
                    let inherited = Self::load_at(from, (folder, depth + 1), faults).unwrap_or_else(|e| {
                        faults.push(place(value.span().start).error(format!("inherits \"{from}\": {}", e.message)));
                        Self::ground()
                    });
                    theme = Self { name: theme.name, ..inherited };
                }
                ("palette" | "roles" | "grounds", DeValue::Table(_)) => {}
                (other, _) => {
                    let near = nearest(other, ["inherits", "palette", "roles", "grounds"]);
                    let hint = near.map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default();
                    faults.push(place(key.span().start).error(format!("\"{other}\" is no part of a theme{hint}")));
                }
            }
        }
        let before = theme.clone();
        for (section, into) in [("palette", &mut theme.palette), ("roles", &mut theme.roles), ("grounds", &mut theme.grounds)] {
            let Some(DeValue::Table(entries)) = table.get(section).map(toml::Spanned::get_ref) else { continue };
            for (key, value) in entries {
                match entry(value.get_ref(), place(key.span().start)) {
                    Ok(entry) => {
                        into.insert(key.get_ref().to_string(), entry);
                    }
                    Err(fault) => faults.push(fault),
                }
            }
        }
        theme.mend(&before, faults);
        Ok(theme)
    }

    /// Puts back what was before wherever a name is unknown or a color cannot be made.
    fn mend(&mut self, before: &Self, faults: &mut Vec<ThemeError>) {
        let bad: Vec<(String, ThemeError)> = self
            .palette
            .iter()
            .filter_map(|(name, entry)| {
                let made = self.color(entry.color.as_deref().unwrap_or(""), &entry.place, Depth::True);
                made.err().map(|fault| (name.clone(), fault))
            })
            .collect();
        for (name, fault) in bad {
            faults.push(fault);
            restore(&mut self.palette, &before.palette, &name);
        }
        let (mut roles, mut grounds) = (self.roles.clone(), self.grounds.clone());
        let sections = [(&mut roles, &before.roles, &ROLES[..], "role"), (&mut grounds, &before.grounds, &GROUNDS[..], "ground")];
        for (entries, before, known, what) in sections {
            for (name, entry) in entries.clone() {
                let is_known = known.iter().any(|k| *k == name || k.starts_with(&format!("{name}.")));
                let fault = if is_known {
                    entry.color.as_ref().and_then(|color| self.color(color, &entry.place, Depth::True).err())
                } else {
                    let near = nearest(&name, known.iter().copied()).unwrap_or(known[0]);
                    Some(entry.place.error(format!("\"{name}\" is no {what}; did you mean \"{near}\"?")))
                };
                if let Some(fault) = fault {
                    faults.push(fault);
                    restore(entries, before, &name);
                }
            }
        }
        (self.roles, self.grounds) = (roles, grounds);
    }

    /// Red, green and blue of a color as written; `None` for one of the sixteen.
    fn rgb(&self, written: &str, place: &Place, level: usize) -> Result<Option<Rgb>, ThemeError> {
        if let Some(rgb) = hex(written) {
            return Ok(Some(rgb));
        }
        if NAMED.iter().any(|(n, _)| *n == written) {
            return Ok(None);
        }
        if let Some((name, share)) = written.rsplit_once(' ').filter(|(_, s)| s.ends_with('%')) {
            let share = share.trim_end_matches('%').parse::<f64>().ok().filter(|s| (0.0..=100.0).contains(s));
            let share = share.ok_or_else(|| place.error(format!("\"{written}\": a share is written as \"ok 20%\"")))?;
            let pair = self.rgb(name, place, level + 1)?.zip(self.rgb("bg", place, level + 1)?);
            return Ok(pair.map(|(color, ground)| mix(color, ground, share / 100.0)));
        }
        match self.palette.get(written) {
            Some(entry) if level < 8 => self.rgb(entry.color.as_deref().unwrap_or(""), &entry.place, level + 1),
            Some(_) => Err(place.error(format!("\"{written}\" is made from itself"))),
            None => {
                let known = self.palette.keys().map(String::as_str).chain(NAMED.iter().map(|(n, _)| *n));
                let near = nearest(written, known).map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default();
                Err(place.error(format!("\"{written}\" is no color{near} Write #rrggbb or a name of [palette].")))
            }
        }
    }

    fn color(&self, written: &str, place: &Place, depth: Depth) -> Result<Color, ThemeError> {
        Ok(match self.rgb(written, place, 0)? {
            Some(rgb) => at_depth(rgb, depth),
            None => NAMED.iter().find(|(n, _)| *n == written).map_or(Color::Reset, |(_, c)| *c),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Finished styles for a terminal; below 256 colors those of the `sixteen` theme, unless this one needs no more.
    pub fn ink(&self, depth: Depth, graph: Graph) -> Ink {
        // What was made without full colors stays as it is.
        let is_poor = matches!(self.name.as_str(), "sixteen" | "mono");
        if depth <= Depth::Sixteen && !is_poor {
            return Self::load("sixteen", None).expect("the built-in themes load").ink(depth, graph);
        }
        let style = |entries: &BTreeMap<String, Entry>, name: &str, set: fn(Style, Color) -> Style| {
            let Some(entry) = fallback(entries, name) else { return Style::new() };
            let color = entry.color.as_deref().map(|c| self.color(c, &entry.place, depth).unwrap_or(Color::Reset));
            let color = if depth == Depth::None { None } else { color };
            color.map_or(Style::new(), |c| set(Style::new(), c)).add_modifier(entry.modifier)
        };
        Ink {
            styles: ROLES.map(|name| style(&self.roles, name, Style::fg)),
            grounds: GROUNDS.map(|name| style(&self.grounds, name, Style::bg)),
            graph,
        }
    }
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// An entry as it was before, or none.
fn restore(entries: &mut BTreeMap<String, Entry>, before: &BTreeMap<String, Entry>, name: &str) {
    match before.get(name) {
        Some(entry) => entries.insert(name.to_owned(), entry.clone()),
        None => entries.remove(name),
    };
}

/// The entry of the name or of the nearest shorter one.
fn fallback<'a>(entries: &'a BTreeMap<String, Entry>, name: &str) -> Option<&'a Entry> {
    let mut name = name;
    loop {
        if let Some(entry) = entries.get(name) {
            return Some(entry);
        }
        name = name.rsplit_once('.')?.0;
    }
}

fn entry(value: &DeValue<'_>, place: Place) -> Result<Entry, ThemeError> {
    let mut entry = Entry { color: None, modifier: Modifier::empty(), place };
    match value {
        DeValue::String(color) => entry.color = Some(color.to_string()),
        DeValue::Table(parts) => {
            for (name, value) in parts {
                match (name.get_ref().as_ref(), value.get_ref()) {
                    ("color", DeValue::String(color)) => entry.color = Some(color.to_string()),
                    ("bold", DeValue::Boolean(on)) => entry.modifier.set(Modifier::BOLD, *on),
                    ("reverse", DeValue::Boolean(on)) => entry.modifier.set(Modifier::REVERSED, *on),
                    ("underline", DeValue::Boolean(on)) => entry.modifier.set(Modifier::UNDERLINED, *on),
                    (other, _) => {
                        let message =
                            format!("\"{other}\" is not understood; write color = \"…\", bold, reverse or underline = true");
                        return Err(entry.place.error(message));
                    }
                }
            }
        }
        _ => return Err(entry.place.error("a color is a text: \"#rrggbb\" or a name of [palette]")),
    }
    Ok(entry)
}

fn hex(text: &str) -> Option<Rgb> {
    let digits = text.strip_prefix('#').filter(|d| d.len() == 6)?;
    let all = u32::from_str_radix(digits, 16).ok()?;
    let [_, r, g, b] = all.to_be_bytes();
    Some([r, g, b])
}

#[cfg(test)]
#[path = "theme_tests.rs"]
mod tests;
