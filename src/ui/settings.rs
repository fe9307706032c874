//! The page of settings: its rows, what can be chosen for each, and where one is.
//!
//! What is set comes from the monitor; nothing is read or written here. Invariant: a row is named by what it sets, never by
//! its place.

use std::sync::Arc;

use super::filter::{Filter, Texts};
use super::state::{UiState, View};
use crate::model::{ChannelSetting, RuleSetting, Setting, Settings, SettingsPlace};

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A heading.
    Head(String),
    /// A key outside lists, by section and name.
    Key(String),
    /// A rule, by name.
    Rule(String),
    /// A key of the opened rule.
    RuleKey(String),
    /// A channel, by name.
    Channel(String),
}

/// What a value is set for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// A key outside lists.
    Key(String),
    /// A key of a rule: the rule, the key.
    Rule(String, String),
    /// A rule that is new.
    NewRule,
}

/// Where one is on the page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettingsPage {
    /// What is set; `None` until it came.
    pub known: Option<Arc<Settings>>,
    /// It was asked for since the page was opened.
    pub is_asked: bool,
    /// Something was changed from here: what the screen shows of it is taken with the next answer.
    pub is_changed: bool,
    /// The chosen row; `None`: the first.
    pub chosen: Option<Row>,
    /// The opened rule.
    pub rule: Option<String>,
    /// Where changes are written.
    pub place: SettingsPlace,
}

impl SettingsPage {
    /// A key.
    pub fn key(&self, name: &str) -> Option<&Setting> {
        self.known.as_ref()?.keys.iter().find(|k| k.key == name)
    }

    /// A rule.
    pub fn rule(&self, name: &str) -> Option<&RuleSetting> {
        self.known.as_ref()?.rules.iter().find(|r| r.name == name)
    }

    /// A channel.
    pub fn channel(&self, name: &str) -> Option<&ChannelSetting> {
        self.known.as_ref()?.channels.iter().find(|c| c.name == name)
    }

    /// What holds for a goal now.
    pub fn value(&self, goal: &Goal) -> String {
        match goal {
            Goal::Key(key) => self.key(key).map(|k| k.value.clone()),
            Goal::Rule(rule, key) => self.rule(rule).and_then(|r| r.keys.get(key).cloned()),
            Goal::NewRule => None,
        }
        .unwrap_or_default()
    }
}

/// Sections in the order of the page, as people call them; those without a row stand behind, under their own name.
const SECTIONS: &[(&str, &str)] = &[
    ("ui", "Screen"),
    ("general", "Machine"),
    ("escalation", "Escalation"),
    ("heartbeat", "Heartbeat"),
    ("analyze", "Learning"),
    ("collect", "Readings"),
    ("store", "History"),
    ("prices", "Prices"),
    ("net", "Connections"),
    ("api", "Who may connect"),
];

/// The rows, with the filter; headings of nothing are left out.
pub fn rows(state: &UiState) -> Vec<Row> {
    let page = &state.settings;
    let Some(known) = &page.known else { return Vec::new() };
    let filter: Filter<Texts> = Filter::new(&state.filter[View::Settings.index()]);
    let mut rows = Vec::new();
    let mut section = |name: String, below: Vec<Row>| {
        if !below.is_empty() {
            rows.push(Row::Head(name));
            rows.extend(below);
        }
    };
    if let Some(rule) = page.rule.as_deref().filter(|name| page.rule(name).is_some()) {
        // The words that found the rule say nothing of its keys.
        section(format!("Rule {rule}"), known.rule_keys.iter().map(|(key, _)| Row::RuleKey(key.clone())).collect());
        return rows;
    }
    let keys = |name: &str| -> Vec<Row> {
        let own = known.keys.iter().filter(|k| k.key.split('.').next() == Some(name));
        own.filter(|k| filter.matches(&[&k.key, &k.value, &k.help])).map(|k| Row::Key(k.key.clone())).collect()
    };
    let named = |names: std::ops::Range<usize>| SECTIONS.get(names).unwrap_or_default();
    for (name, shown) in named(0..2) {
        section((*shown).to_owned(), keys(name));
    }
    let rules = known.rules.iter().filter(|r| filter.matches(&[&r.name, &r.says, "rule"]));
    section("Rules".to_owned(), rules.map(|r| Row::Rule(r.name.clone())).collect());
    let channels = known.channels.iter().filter(|c| filter.matches(&[&c.name, &c.kind, &c.about, "channel"]));
    section("Channels".to_owned(), channels.map(|c| Row::Channel(c.name.clone())).collect());
    for (name, shown) in named(2..SECTIONS.len()) {
        section((*shown).to_owned(), keys(name));
    }
    let mut others: Vec<&str> = known.keys.iter().filter_map(|k| k.key.split('.').next()).collect();
    others.dedup();
    for name in others.into_iter().filter(|n| !SECTIONS.iter().any(|(own, _)| own == n)) {
        section(name.to_owned(), keys(name));
    }
    rows
}

/// Place of the chosen row; of the first that is no heading where none is chosen.
pub fn place(page: &SettingsPage, rows: &[Row]) -> usize {
    let first = || rows.iter().position(|r| !matches!(r, Row::Head(_)));
    let chosen = page.chosen.as_ref().and_then(|row| rows.iter().position(|r| r == row));
    chosen.or_else(first).unwrap_or(0)
}

/// The chosen row.
pub fn chosen(state: &UiState) -> Option<Row> {
    let rows = rows(state);
    let at = place(&state.settings, &rows);
    rows.into_iter().nth(at)
}

/// What a row sets; `None` for one that sets nothing.
pub fn goal(state: &UiState, row: &Row) -> Option<Goal> {
    match row {
        Row::Key(key) => Some(Goal::Key(key.clone())),
        Row::RuleKey(key) => Some(Goal::Rule(state.settings.rule.clone()?, key.clone())),
        Row::Rule(name) => Some(Goal::Rule(name.clone(), "enabled".to_owned())),
        Row::Head(_) | Row::Channel(_) => None,
    }
}

/// The values one can choose from; empty where any may be typed.
pub fn choices(state: &UiState, goal: &Goal) -> Vec<String> {
    let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    let value = state.settings.value(goal);
    match goal {
        Goal::Key(key) => match key.as_str() {
            "ui.theme" => state.themes.to_vec(),
            "ui.layout" => state.layouts.iter().map(|l| l.name.clone()).collect(),
            "ui.graph" => own(&["braille", "block", "ascii"]),
            "ui.units" => own(&["iec", "si"]),
            "ui.temperature" => own(&["celsius", "fahrenheit"]),
            "ui.time_format" => own(&["24h", "12h"]),
            "ui.keymap" => super::presets::PRESETS.iter().map(|p| p.name.to_owned()).collect(),
            _ if value == "true" || value == "false" => own(&["true", "false"]),
            _ => Vec::new(),
        },
        Goal::Rule(_, key) => match key.as_str() {
            "severity" => own(&["info", "warning", "critical"]),
            "kind" => own(&["performance", "error", "security", "predictive"]),
            _ if key == "enabled" || value == "true" || value == "false" => own(&["true", "false"]),
            _ => Vec::new(),
        },
        Goal::NewRule => Vec::new(),
    }
}
