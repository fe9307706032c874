//! Actions found by name.
//!
//! Invariant: only what can be done now is offered.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
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
    // Letters of a name may be left out, words of a sentence may not.
    let of_name = Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
    let of_help = Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Substring);
    let mut letters = Vec::new();
    let mut score = |pattern: &Pattern, text: &str| pattern.score(Utf32Str::new(text, &mut letters), &mut matcher);
    let mut found: Vec<((bool, u32), &Action)> = here
        .filter_map(|action| {
            let name = score(&of_name, action.id).map(|s| (true, s));
            name.or_else(|| score(&of_help, action.help).map(|s| (false, s))).map(|s| (s, action))
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
