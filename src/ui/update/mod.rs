//! What an event does to the state.
//!
//! One function, [`update`]; it gives back what is to be done outside. Invariant: the lists belong to
//! the snapshot shown whenever it returns.

mod answers;
mod arrange;
mod explore;
mod export;
mod fetch;
mod forms;
mod inside;
mod keys;
mod learn;
mod moment;
mod mouse;
mod pick;
mod process;
mod reports;
mod settings;
mod time;
mod tour;

use std::sync::Arc;
use std::time::Duration;

pub use arrange::all_panes;
pub use fetch::start;
pub use forms::silence_matches;
pub use inside::step as inside_step;
pub use moment::HOW;
pub use time::{SPANS, step};

use super::charts::ChartStore;
use super::event::{Changed, Effect, UiEvent};
use super::lists::Lists;
use super::overlay::{Toast, Tone};
use super::process_list::ProcessOrder;
use super::state::{ChartKeys, UiState, View};
use crate::model::{JournalEvent, Pulse};

/// Messages stay this long: long enough to be read, gone before they are in the way.
const TOAST: Duration = Duration::from_secs(8);

/// New readings a message outlives at least: they come once a second to a screen, whatever the clock of a simulation does.
const TOAST_SEEN: u8 = 5;

/// Rows of the process list keep their places this long: between htop's and btop's usual intervals of one and a half and two
/// seconds a row is hardly read before it moves.
const SETTLED: Duration = Duration::from_secs(4);

/// Changes the state by one event.
pub fn update(state: &mut UiState, event: UiEvent) -> Vec<Effect> {
    let mut effects = match event {
        UiEvent::Key(key) => {
            let mut effects = keys::key(state, &key);
            effects.extend(tour::step(state, &key));
            effects
        }
        UiEvent::Mouse(event) => mouse::mouse(state, event),
        UiEvent::Paste(text) => {
            keys::paste(state, &text);
            Vec::new()
        }
        UiEvent::Resize(columns, rows) => {
            state.size = (columns, rows);
            vec![Effect::Repaint]
        }
        UiEvent::Changed(changed) => take(state, changed),
        UiEvent::Answered(purpose, answer) => answers::take(state, purpose, answer),
        UiEvent::Exported(result) => match result {
            Ok(path) => {
                say(state, Tone::Good, format!("written to {path}; the path is in the clipboard"));
                vec![Effect::Copy(path)]
            }
            Err(why) => {
                say(state, Tone::Bad, format!("not written: {why}"));
                Vec::new()
            }
        },
        UiEvent::Wished(target, wish, result) => {
            process::done(state, &target, wish, result);
            Vec::new()
        }
        UiEvent::Resumed => vec![Effect::Repaint],
        UiEvent::Suspend => vec![Effect::Suspend],
        UiEvent::Wake => Vec::new(),
        UiEvent::Stop | UiEvent::Closed => vec![Effect::Quit],
    };
    relist(state);
    effects.extend(fetch::missing(state));
    effects
}

/// Shows a short message.
fn say(state: &mut UiState, tone: Tone, text: impl Into<String>) {
    state.toast = Some(Toast { text: text.into(), tone, at: state.live.at, seen: 0 });
}

/// Makes the lists for the snapshot shown.
fn relist(state: &mut UiState) {
    let words = state.filter[state.view.index()].clone();
    state.filters.set(state.view, &words);
    let snapshot = std::sync::Arc::clone(state.shown());
    let tree = state.tree && state.view == View::Processes;
    let made_for = (state.view, state.sort, words, tree);
    // Sorted anew every few seconds, and at once where something else is asked for or another moment shown.
    let since = snapshot.at.since(state.places.at);
    let is_fresh = snapshot.at >= state.places.at && since < SETTLED && state.places.made_for == made_for;
    let settled = Some(state.places.ids.as_slice()).filter(|ids| is_fresh && !ids.is_empty());
    let held = state.processes.held.as_deref().or(settled);
    let is_new = held.is_none();
    let order = ProcessOrder { sort: state.sort, tree, choice: &state.processes, held };
    let older = if state.view == View::Alerts { Arc::clone(&state.older) } else { Arc::default() };
    state.lists = Lists::new(&snapshot, order, &state.filters, &older);
    if is_new {
        let rows = state.lists.processes.iter().take(usize::from(state.size.1) * 4);
        let ids = rows.filter_map(|i| snapshot.processes.get(*i)).map(|p| p.id).collect();
        state.places = super::state::Places { at: snapshot.at, made_for, ids };
    }
}

/// Takes new pulses.
fn take(state: &mut UiState, changed: Changed) -> Vec<Effect> {
    let Changed { snapshot, pulses, lagged, link, scope } = changed;
    let is_first = state.live.seq == 0 && state.live.readings.is_empty();
    state.keys = ChartKeys::choose(&snapshot, &state.keys);
    let known = |charts: &ChartStore, key| charts.keys().any(|k| k == key);
    let wanted: Vec<_> = state.keys.all().chain(&state.keys.cores).chain(&state.extra).cloned().collect();
    let is_new = wanted.iter().any(|key| !known(&state.charts, key));
    if is_new {
        state.charts.retain(|key| wanted.contains(key));
        wanted.iter().for_each(|key| state.charts.track(key));
    }
    for pulse in &pulses {
        follow(state, pulse);
        if pulse.readings.is_some() {
            let cpu = state.past.as_mut().map_or(&mut state.cpu, |p| &mut p.cpu);
            cpu.observe(&snapshot.processes);
        }
    }
    for pulse in &pulses {
        state.processes.forget(&pulse.processes.gone);
    }
    state.live = snapshot;
    followed(state);
    state.link = link;
    state.scope = scope;
    if let Some(toast) = &mut state.toast {
        toast.seen = toast.seen.saturating_add(1);
    }
    let is_over = |toast: &Toast| toast.seen >= TOAST_SEEN && state.live.at.since(toast.at) > TOAST;
    if state.toast.as_ref().is_some_and(is_over) {
        state.toast = None;
    }
    let now: std::collections::BTreeSet<&str> = state.live.alerts.iter().map(|a| a.id.as_str()).collect();
    state.told.retain(|id, _| now.contains(id.as_str()));
    // Lost pulses leave holes that history fills; so does a series that was not there before.
    let mut effects = if is_first || lagged > 0 || is_new { fetch::charts(state) } else { Vec::new() };
    effects.extend(time::play(state));
    effects
}

/// Says when the process that is followed has ended.
fn followed(state: &mut UiState) {
    let Some(id) = state.processes.followed else { return };
    if state.live.processes.binary_search_by_key(&id, |p| p.id).is_err() {
        state.processes.followed = None;
        let name = state
            .live
            .ended
            .iter()
            .rev()
            .find(|e| e.process.id == id)
            .map_or_else(String::new, |e| format!(" {}", e.process.name));
        say(state, Tone::Warning, format!("process {}{name}, which was followed, has ended", id.pid));
    }
}

/// Carries the points and journals kept here on by one pulse; what is shown of another moment stays.
fn follow(state: &mut UiState, pulse: &Pulse) {
    let readings = pulse.readings.as_deref().unwrap_or_default();
    state.charts.observe(pulse.at, readings);
    for entry in &pulse.journal {
        told(state, &entry.event);
    }
    if state.past.is_some() {
        return;
    }
    state.explore.events.extend(pulse.journal.iter().cloned());
    if let Some(responses) = &mut state.responses {
        responses.observe(pulse.at, readings);
    }
    if let Some(focus) = &mut state.focus {
        focus.charts.observe(pulse.at, readings);
        focus.range.to = focus.range.to.max(pulse.at);
        focus.journal.extend(pulse.journal.iter().cloned());
    }
    if let Some(timeline) = &mut state.timeline {
        timeline.charts.observe(pulse.at, readings);
        timeline.range.to = timeline.range.to.max(pulse.at);
        timeline.journal.extend(pulse.journal.iter().cloned());
    }
}

/// Remembers who was told.
fn told(state: &mut UiState, event: &JournalEvent) {
    if let JournalEvent::Delivered { alert, channel, error: None, .. } = event {
        let channels = state.told.entry(alert.clone()).or_default();
        if !channels.contains(channel) {
            channels.push(channel.clone());
        }
    }
}

#[cfg(test)]
mod export_tests;
#[cfg(test)]
mod process_tests;
#[cfg(test)]
mod tests;
