//! The page of settings: moving, changing, undoing, and taking what the screen itself shows of it.
//!
//! Invariant: nothing is shown as set before the monitor said that it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{SettingChange, Settings, SettingsPlace};
use crate::monitor::{Request, Scope};
use crate::ui::event::{Effect, Purpose};
use crate::ui::format::Hours;
use crate::ui::overlay::{Field, Form, FormKind, Overlay, Tone};
use crate::ui::pick::{Pick, PickKind, PickRow};
use crate::ui::settings::{Goal, Row, choices, chosen, goal, place, rows};
use crate::ui::state::{Look, UiState, View};
use crate::ui::widgets::Graph;
use crate::ui::widgets::units::{Bytes, Degrees};

use super::say;

/// Moves the choice by rows; headings are passed over.
pub fn step(state: &mut UiState, by: i64) {
    let rows: Vec<Row> = rows(state).into_iter().filter(|r| !matches!(r, Row::Head(_))).collect();
    let last = i64::try_from(rows.len()).unwrap_or(i64::MAX) - 1;
    let here = i64::try_from(place(&state.settings, &rows)).unwrap_or(0);
    let next = here.saturating_add(by).clamp(0, last.max(0));
    state.settings.chosen = usize::try_from(next).ok().and_then(|i| rows.into_iter().nth(i));
}

/// Asks for what is set when the page is opened.
pub fn missing(state: &mut UiState) -> Option<Effect> {
    if state.view != View::Settings {
        state.settings.is_asked = false;
        return None;
    }
    let is_new = !std::mem::replace(&mut state.settings.is_asked, true);
    is_new.then_some(Effect::Ask(Purpose::Settings, Request::Settings))
}

/// Enter: a rule opens, what has choices is chosen, what is yes or no is turned, everything else is typed.
pub fn open(state: &mut UiState) -> Vec<Effect> {
    let Some(row) = chosen(state) else { return Vec::new() };
    match row {
        Row::Rule(name) => {
            state.settings.rule = Some(name);
            state.settings.chosen = None;
            Vec::new()
        }
        Row::Channel(_) => test(state),
        row => match goal(state, &row) {
            Some(goal) => edit(state, goal),
            None => Vec::new(),
        },
    }
}

fn edit(state: &mut UiState, goal: Goal) -> Vec<Effect> {
    if is_refused(state) {
        return Vec::new();
    }
    let value = state.settings.value(&goal);
    let choices = choices(state, &goal);
    if choices == ["true", "false"] {
        let turned = if value == "false" { "true" } else { "false" };
        return change(state, &goal, Some(turned.to_owned()));
    }
    let name = match &goal {
        Goal::Key(key) => key.clone(),
        Goal::Rule(rule, key) => format!("{key} of {rule}"),
        Goal::NewRule => "New rule".to_owned(),
    };
    if choices.is_empty() {
        let fields = vec![Field::text("value", &value)];
        let form = Form { kind: FormKind::Setting(goal), title: name, fields, focus: 0, problem: None };
        state.overlays.push(Overlay::Form(form));
    } else {
        let rows = choices.iter().map(|c| PickRow::new(c, c, if *c == value { "now" } else { "" })).collect();
        state.overlays.push(Overlay::Pick(Pick::new(PickKind::Setting(goal), name, rows, &value)));
    }
    Vec::new()
}

/// Space: what is yes or no is turned, a rule is switched on or off.
pub fn toggle(state: &mut UiState) -> Vec<Effect> {
    let Some(goal) = chosen(state).and_then(|row| goal(state, &row)) else { return Vec::new() };
    if choices(state, &goal) == ["true", "false"] { edit(state, goal) } else { Vec::new() }
}

/// A rule of one's own begins with a name, a metric and a limit.
pub fn new_rule(state: &mut UiState) {
    if is_refused(state) {
        return;
    }
    let fields = vec![
        Field::text("name", ""),
        Field::text("metric", ""),
        Field::text("above", ""),
        Field::text("for", "1m"),
        Field::choice("severity", &["info", "warning", "critical"], 1),
    ];
    let title = "A new rule; its other keys are set afterwards".to_owned();
    let form = Form { kind: FormKind::Setting(Goal::NewRule), title, fields, focus: 0, problem: None };
    state.overlays.push(Overlay::Form(form));
}

/// What a form says to set.
///
/// # Errors
/// A new rule without a name.
pub fn submit(state: &mut UiState, goal: &Goal, form: &Form) -> Result<Vec<Effect>, String> {
    if *goal != Goal::NewRule {
        let value = form.get("value").trim();
        return Ok(change(state, goal, (!value.is_empty()).then(|| value.to_owned())));
    }
    let name = form.get("name").trim().to_owned();
    if name.is_empty() {
        return Err("a rule needs a name".to_owned());
    }
    if state.settings.rule(&name).is_some() {
        return Err(format!("there is a rule \"{name}\" already"));
    }
    let filled = form.fields.iter().filter(|f| f.label != "name" && !f.filled().trim().is_empty());
    let keys: BTreeMap<String, String> = filled.map(|f| (f.label.to_owned(), f.filled().trim().to_owned())).collect();
    let made = ask(state, vec![SettingChange::Rule { name: name.clone(), keys: Some(keys) }]);
    state.settings.chosen = Some(Row::Rule(name));
    Ok(made)
}

/// Sets a value, or takes it away.
pub fn change(state: &mut UiState, goal: &Goal, value: Option<String>) -> Vec<Effect> {
    if value.as_deref() == Some(state.settings.value(goal).as_str()) {
        return Vec::new();
    }
    match goal {
        Goal::Key(key) => {
            if let Some(fixed) = state.settings.key(key).filter(|k| k.fixed) {
                let text = format!("{key} is set by {} and cannot be changed here", fixed.origin);
                say(state, Tone::Warning, text);
                return Vec::new();
            }
            ask(state, vec![SettingChange::Key { key: key.clone(), value }])
        }
        Goal::Rule(rule, key) => {
            let Some(setting) = state.settings.rule(rule) else { return Vec::new() };
            let mut keys = setting.written.clone();
            match value {
                Some(value) => keys.insert(key.clone(), value),
                None => keys.remove(key),
            };
            // Empty lists are what a rule has anyway, and so is being switched on.
            keys.retain(|key, value| !(value == "[]" || value == "{}" || (key == "enabled" && value == "true")));
            let keys = (!(keys.is_empty() && setting.built_in)).then_some(keys);
            ask(state, vec![SettingChange::Rule { name: rule.clone(), keys }])
        }
        Goal::NewRule => Vec::new(),
    }
}

/// As it was before anybody wrote it down: a key has its default, a rule is as it comes with farol, or gone.
pub fn reset(state: &mut UiState) -> Vec<Effect> {
    if is_refused(state) {
        return Vec::new();
    }
    match chosen(state) {
        Some(Row::Key(key)) => ask(state, vec![SettingChange::Key { key, value: None }]),
        Some(Row::Rule(name)) => ask(state, vec![SettingChange::Rule { name, keys: None }]),
        Some(row @ Row::RuleKey(_)) => match goal(state, &row) {
            Some(goal) => change(state, &goal, None),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Takes the last change back.
pub fn undo(state: &mut UiState) -> Vec<Effect> {
    if is_refused(state) {
        return Vec::new();
    }
    vec![Effect::Ask(Purpose::Changed, Request::UndoSettings { author: state.author.clone() })]
}

/// Sends a test through the chosen channel.
pub fn test(state: &mut UiState) -> Vec<Effect> {
    match chosen(state) {
        Some(Row::Channel(channel)) if state.scope >= Scope::Operate => {
            say(state, Tone::Good, format!("a test goes out through {channel}"));
            vec![Effect::Ask(Purpose::Decision, Request::TestChannel { channel })]
        }
        _ => Vec::new(),
    }
}

/// Changes go into the other file from now on.
pub fn turn_place(state: &mut UiState) {
    let file = state.settings.known.as_ref().and_then(|k| k.file.clone());
    let text = match (state.settings.place, file) {
        (SettingsPlace::OwnFile, _) => {
            state.settings.place = SettingsPlace::Overrides;
            "changes are kept beside your file, in overrides.toml of the data folder".to_owned()
        }
        (SettingsPlace::Overrides, None) => {
            "there is no configuration file of yours; changes are kept in overrides.toml".to_owned()
        }
        (SettingsPlace::Overrides, Some(file)) => match file.unwritable {
            Some(why) => format!("{} cannot be written: {why}", file.path),
            None => {
                state.settings.place = SettingsPlace::OwnFile;
                format!("changes are written into {}; its comments stay", file.path)
            }
        },
    };
    say(state, Tone::Good, text);
}

fn ask(state: &mut UiState, changes: Vec<SettingChange>) -> Vec<Effect> {
    let (place, author) = (state.settings.place, state.author.clone());
    vec![Effect::Ask(Purpose::Changed, Request::ChangeSettings { changes, place, author })]
}

fn is_refused(state: &mut UiState) -> bool {
    let is_refused = state.scope < Scope::Admin;
    if is_refused {
        say(state, Tone::Warning, "only the recorder's own user and root may change its settings");
    }
    is_refused
}

/// The monitor did it: what holds now is asked for.
pub fn changed(state: &mut UiState) -> Vec<Effect> {
    state.settings.is_changed = true;
    vec![Effect::Ask(Purpose::Settings, Request::Settings)]
}

/// What is set came; after a change from here the screen takes its own part at once.
pub fn take(state: &mut UiState, settings: Settings) -> Vec<Effect> {
    let before = state.settings.known.replace(Arc::new(settings));
    if state.settings.rule.as_deref().is_some_and(|name| state.settings.rule(name).is_none()) {
        state.settings.rule = None;
    }
    let is_changed = std::mem::take(&mut state.settings.is_changed);
    let Some(before) = before.filter(|_| is_changed) else { return Vec::new() };
    let new: Vec<(String, String)> = {
        let known = state.settings.known.as_ref().map(|k| k.keys.as_slice()).unwrap_or_default();
        let differs = |key: &str, value: &str| before.keys.iter().any(|old| old.key == key && old.value != value);
        known.iter().filter(|k| differs(&k.key, &k.value)).map(|k| (k.key.clone(), k.value.clone())).collect()
    };
    new.iter().flat_map(|(key, value)| shown(state, key, value)).collect()
}

/// What the screen draws differently for a key.
fn shown(state: &mut UiState, key: &str, value: &str) -> Vec<Effect> {
    match key {
        "ui.theme" => vec![Effect::Look(Look { theme: value.to_owned(), graph: state.look.graph })],
        "ui.graph" => {
            Graph::named(value).map(|graph| Effect::Look(Look { theme: state.look.theme.clone(), graph })).into_iter().collect()
        }
        "ui.layout" => {
            state.layout_at = state.layouts.iter().position(|l| l.name == value).unwrap_or(state.layout_at);
            Vec::new()
        }
        "ui.units" => {
            state.units.bytes = Bytes::named(value).unwrap_or(state.units.bytes);
            Vec::new()
        }
        "ui.temperature" => {
            state.units.degrees = Degrees::named(value).unwrap_or(state.units.degrees);
            Vec::new()
        }
        "ui.time_format" => {
            state.zone.hours = Hours::named(value).unwrap_or(state.zone.hours);
            Vec::new()
        }
        "ui.keymap" => vec![Effect::Keymap(value.to_owned())],
        _ => Vec::new(),
    }
}
