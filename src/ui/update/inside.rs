//! Looking into a process: opening, asking, answers.
//!
//! Invariant: what may hold secrets is asked for only by who may see it.

use std::sync::Arc;
use std::time::Duration;

use crate::base::TimeRange;
use crate::model::{ProcessDepth, ProcessDetails, ProcessId, ProcessPoint};
use crate::monitor::{Request, Scope};
use crate::ui::event::{Effect, Purpose};
use crate::ui::inside::Inside;
use crate::ui::state::{UiState, View};

use super::process;

/// A process is read anew this often: files and sockets change slowly, and reading them is work.
const EVERY: Duration = Duration::from_secs(5);

/// Looks into the chosen process.
pub fn open(state: &mut UiState) {
    let Some(process) = process::chosen(state).cloned() else { return };
    state.selected.process = Some(process.id);
    state.inside = Some(Inside::new(process.id, &process.name));
}

/// Moves the lines.
pub fn scroll(inside: &mut Inside, by: i64) {
    // More lines than a process has; drawing stops at the last.
    let to = i64::try_from(inside.scroll).unwrap_or(0).saturating_add(by).clamp(0, 10_000);
    inside.scroll = usize::try_from(to).unwrap_or(0);
}

/// Width of a point of its history: two a column of a wide screen, not below the ten seconds between two rows.
pub fn step(span: Duration) -> Duration {
    Duration::from_secs((span.as_secs() / 200).max(10))
}

/// What is to be asked about the process that is looked at.
pub fn missing(state: &mut UiState) -> Vec<Effect> {
    if state.view != View::Processes {
        state.inside = None;
    }
    let depth = if state.scope >= Scope::Admin { ProcessDepth::Private } else { ProcessDepth::Public };
    let (now, span, is_present) = (state.live.at, state.span, state.past.is_none());
    let end = state.past.as_ref().map_or(now, |p| p.chart_end);
    let Some(inside) = &mut state.inside else { return Vec::new() };
    let process = inside.id;
    let mut effects = Vec::new();
    // What a process has open is known for the present only.
    if is_present && inside.asked.is_none_or(|at| now.since(at) >= EVERY) {
        inside.asked = Some(now);
        effects.push(Effect::Ask(Purpose::Inside(process), Request::ProcessDetails { process, depth }));
    }
    let step = step(span);
    let is_known = inside.asked_history.is_some_and(|(at, of)| of == span && at <= end && end.since(at) < step);
    if !is_known {
        inside.asked_history = Some((end, span));
        let range = TimeRange::last(span, end);
        effects.push(Effect::Ask(Purpose::InsideHistory(process), Request::ProcessHistory { process, range, step }));
    }
    effects
}

/// It was read.
pub fn details(state: &mut UiState, id: ProcessId, details: ProcessDetails) {
    if let Some(inside) = state.inside.as_mut().filter(|i| i.id == id) {
        inside.details = Some(Arc::new(details));
        inside.refused = None;
    }
}

/// What it used came.
pub fn history(state: &mut UiState, id: ProcessId, points: Vec<ProcessPoint>) {
    if let Some(inside) = state.inside.as_mut().filter(|i| i.id == id) {
        inside.points = points;
    }
}

/// It cannot be read.
pub fn refused(state: &mut UiState, id: ProcessId, why: &str) {
    if let Some(inside) = state.inside.as_mut().filter(|i| i.id == id) {
        inside.refused = Some(why.to_owned());
    }
}
