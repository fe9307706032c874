//! Anything found by its name: actions and pages, metrics, services, processes, alerts, themes, layouts.
//!
//! Invariant: only what can be done now is offered.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::actions::{ACTIONS, Act, Action};
use super::state::UiState;
use crate::model::ProcessId;

/// Something that was found.
#[derive(Debug, Clone)]
pub enum Found {
    /// Something to do.
    Action(&'static Action),
    /// A metric, by name.
    Metric(String),
    /// A service, by name.
    Service(String),
    /// A process, with its name.
    Process(ProcessId, String),
    /// An alert, by id, with its title.
    Alert(String, String),
    /// A theme, by name.
    Theme(String),
    /// A layout, by place and name.
    Layout(usize, String),
}

impl Found {
    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Action(action) => action.id,
            Self::Metric(name) | Self::Service(name) | Self::Process(_, name) | Self::Theme(name) | Self::Layout(_, name) => name,
            Self::Alert(_, title) => title,
        }
    }

    /// What it is, or does.
    pub fn help(&self) -> String {
        match self {
            Self::Action(action) => action.help.to_owned(),
            Self::Metric(_) => "metric".to_owned(),
            Self::Service(_) => "service".to_owned(),
            Self::Process(id, _) => format!("process {}", id.pid),
            Self::Alert(id, _) => format!("alert {id}"),
            Self::Theme(_) => "theme".to_owned(),
            Self::Layout(..) => "layout".to_owned(),
        }
    }

    /// Of equally good ones what comes first.
    fn worth(&self) -> u32 {
        match self {
            Self::Action(_) => 6,
            Self::Alert(..) => 5,
            Self::Service(_) => 4,
            Self::Process(..) => 3,
            Self::Metric(_) => 2,
            Self::Theme(_) | Self::Layout(..) => 1,
        }
    }
}

/// Most that are listed: nobody reads on, more letters are quicker.
const MOST: usize = 100;

/// What holds what was typed, best first; all actions where nothing was typed.
pub fn find(state: &UiState, typed: &str) -> Vec<Found> {
    let usable = |a: &&Action| a.place.has(state.view) && (a.enabled)(state) && is_command(a.act);
    let actions = ACTIONS.iter().filter(usable).map(Found::Action);
    if typed.trim().is_empty() {
        return actions.collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    // Letters of a name may be left out, words of a sentence may not.
    let of_name = Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
    let of_help = Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Substring);
    let mut letters = Vec::new();
    let mut score = |pattern: &Pattern, text: &str| pattern.score(Utf32Str::new(text, &mut letters), &mut matcher);
    let mut found: Vec<((bool, u32, u32), Found)> = actions
        .chain(things(state))
        .filter_map(|thing| {
            let worth = thing.worth();
            // The very name that was typed is what was meant.
            let exact = if thing.name().eq_ignore_ascii_case(typed.trim()) { 10_000 } else { 0 };
            let name = score(&of_name, thing.name()).map(|s| (true, s + exact, worth));
            let is_action = matches!(thing, Found::Action(_));
            let rest = |score: Option<u32>| score.map(|s| (false, s, worth));
            let best = name.or_else(|| if is_action { rest(score(&of_help, &thing.help())) } else { None });
            best.map(|s| (s, thing))
        })
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.truncate(MOST);
    found.into_iter().map(|(_, thing)| thing).collect()
}

/// Everything with a name that is no action.
fn things(state: &UiState) -> impl Iterator<Item = Found> {
    let shown = state.shown();
    let metrics = shown.catalog.iter().map(|d| Found::Metric(d.name.to_owned()));
    let services = shown.services.iter().map(|s| Found::Service(s.name.clone()));
    let processes = shown.processes.iter().map(|p| Found::Process(p.id, p.name.to_string()));
    let alerts = shown.alerts.iter().map(|a| Found::Alert(a.id.clone(), a.title.clone()));
    let themes = state.themes.iter().cloned().map(Found::Theme);
    let layouts = state.layouts.iter().enumerate().map(|(i, l)| Found::Layout(i, l.name.clone()));
    metrics.chain(services).chain(processes).chain(alerts).chain(themes).chain(layouts)
}

/// Moving by rows is no command.
fn is_command(act: Act) -> bool {
    !matches!(act, Act::Move(_) | Act::Page(_) | Act::First | Act::Last | Act::Palette | Act::Back | Act::Turn(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(typed: &str) -> String {
        let (_, state) = crate::ui::fixture::story();
        find(&state, typed).first().map_or_else(String::new, |f| f.name().to_owned())
    }

    #[test]
    fn a_few_letters_find_an_action() {
        let (_, state) = crate::ui::fixture::story();
        assert_eq!(first("silen"), "silence");
        assert_eq!(first("sort-mem"), "sort-memory");
        assert!(find(&state, "zzzz").is_empty());
        assert!(find(&state, "").iter().all(|a| a.name() != "check-now"), "only on the services page");
    }

    #[test]
    fn metrics_services_processes_alerts_themes_and_layouts_are_found_too() {
        for (typed, name) in [
            ("fsusedratio", "filesystem_used_ratio"),
            ("mail-relay", "mail-relay"),
            ("redis-ser", "redis-server"),
            ("tokyo", "tokyo-night"),
            ("duty", "duty"),
        ] {
            assert_eq!(first(typed), name, "{typed}");
        }
        let (_, state) = crate::ui::fixture::story();
        assert!(find(&state, "memory").iter().any(|f| matches!(f, Found::Alert(..))));
    }
}
