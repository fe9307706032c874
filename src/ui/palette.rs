//! Actions found by name.
//!
//! Invariant: only what can be done now is offered.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::actions::{ACTIONS, Act, Action};
use super::state::UiState;

/// Actions that can be done here and hold what was typed, best first; all of them where nothing was typed.
pub fn find(state: &UiState, typed: &str) -> Vec<&'static Action> {
    let usable = |a: &&Action| a.place.has(state.view) && (a.enabled)(state) && is_command(a.act);
    let here = ACTIONS.iter().filter(usable);
    if typed.trim().is_empty() {
        return here.collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
    let mut letters = Vec::new();
    let mut found: Vec<(u32, &Action)> = here
        .filter_map(|action| {
            let text = format!("{} {}", action.id, action.help);
            pattern.score(Utf32Str::new(&text, &mut letters), &mut matcher).map(|score| (score, action))
        })
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, action)| action).collect()
}

/// Moving by rows is no command.
fn is_command(act: Act) -> bool {
    !matches!(act, Act::Move(_) | Act::Page(_) | Act::First | Act::Last | Act::Palette | Act::Back | Act::Turn(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_letters_find_an_action() {
        let (_, state) = crate::ui::fixture::story();
        assert_eq!(find(&state, "silen").first().map(|a| a.id), Some("silence"));
        assert_eq!(find(&state, "memory").first().map(|a| a.id), Some("sort-memory"));
        assert!(find(&state, "zzzz").is_empty());
        assert!(find(&state, "").iter().all(|a| a.id != "check-now"), "only on the services page");
    }
}
