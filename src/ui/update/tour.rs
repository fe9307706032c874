//! The tour of the first time: a few words in the last line, one more with each key.
//!
//! It takes no key away: what is typed does what it always does. Invariant: Esc ends it, and so does its
//! last step.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use crate::ui::event::Effect;
use crate::ui::state::UiState;
use crate::ui::tour::STEPS;

/// The next step after a key.
pub fn step(state: &mut UiState, key: &KeyEvent) -> Option<Effect> {
    let at = state.tour.filter(|_| key.kind != KeyEventKind::Release)?;
    let is_over = key.code == KeyCode::Esc || at + 1 >= STEPS.len();
    state.tour = (!is_over).then_some(at + 1);
    is_over.then_some(Effect::TourSeen)
}
