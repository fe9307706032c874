//! What the tour says, step by step.
//!
//! Invariant: keys are named by their actions, so that the tour is right with every keymap.

use super::state::UiState;
use super::widgets::{Phrase, Role};

/// Each step: words, with `{action}` for its key.
pub const STEPS: &[&str] = &[
    "Welcome to farol. This line shows the way; any key goes on",
    "{overview} to {processes} change the page; {open} opens, {back} goes back",
    "{time-back} {time-forward} move through time, every pane follows; {live} is now",
    "{filter} filters (cpu>5 user=www); {palette} finds all that can be done",
    "{help} lists the keys of this place; violet is the future",
];

/// A step with the keys of this screen, as wide as it may be.
pub fn line(state: &UiState, at: usize) -> Phrase {
    let mut said = Phrase::new().bold(Role::Past, &format!(" {}/{} ", at + 1, STEPS.len()));
    for part in STEPS.get(at).copied().unwrap_or("").split_inclusive(['{', '}']) {
        match part.strip_suffix('}') {
            Some(id) => said = said.strong(&state.keymap.key(id).unwrap_or_else(|| id.to_owned())),
            None => said = said.text(part.trim_end_matches('{')),
        }
    }
    said.dim("   ").strong("Esc").dim(" ends")
}
