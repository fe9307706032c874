//! What an event does to the state.
//!
//! One function, [`update`]; it gives back what is to be done outside. Invariant: the lists belong to
//! the snapshot shown whenever it returns.

mod answers;
mod arrange;
mod explore;
mod fetch;
mod forms;
mod keys;
mod moment;
mod mouse;
mod time;

use std::time::Duration;

pub use arrange::all_panes;
pub use fetch::start;
pub use forms::silence_matches;
pub use moment::HOW;
pub use time::{SPANS, step};

use super::charts::ChartStore;
use super::event::{Changed, Effect, UiEvent};
use super::lists::{Filter, Filters, Lists, ProcessOrder};
use super::overlay::{Toast, Tone};
use super::state::{ChartKeys, UiState, View};
use crate::model::{JournalEvent, Pulse};

/// Messages stay this long: long enough to be read, gone before they are in the way.
const TOAST: Duration = Duration::from_secs(8);

/// Rows of the process list keep their places this long: between htop's and btop's usual intervals of one and a half and two
/// seconds a row is hardly read before it moves.
const SETTLED: Duration = Duration::from_secs(4);

/// Changes the state by one event.
pub fn update(state: &mut UiState, event: UiEvent) -> Vec<Effect> {
    let mut effects = match event {
        UiEvent::Key(key) => keys::key(state, &key),
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
        UiEvent::Exported(result) => {
            match result {
                Ok(path) => say(state, Tone::Good, format!("written to {path}")),
                Err(why) => say(state, Tone::Bad, format!("not written: {why}")),
            }
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
    state.toast = Some(Toast { text: text.into(), tone, at: state.live.at });
}

/// Makes the lists for the snapshot shown.
fn relist(state: &mut UiState) {
    let filter = |view: View| Filter::new(&state.filter[view.index()]);
    let mut filters = Filters {
        processes: filter(View::Processes),
        services: filter(View::Services),
        alerts: filter(View::Alerts),
        predictions: filter(View::Predictions),
    };
    if state.view == View::Overview {
        filters = Filters { processes: filter(View::Overview), ..Filters::default() };
    }
    let order = ProcessOrder { sort: state.sort, tree: state.tree && state.view == View::Processes };
    state.lists = Lists::new(state.shown(), order, &filters);
    settle(state);
}

/// Sorts the processes anew every few seconds, and at once where something else is asked for or another moment shown.
fn settle(state: &mut UiState) {
    let snapshot = std::sync::Arc::clone(state.shown());
    let made_for = (state.view, state.sort, state.filter().to_owned());
    let since = snapshot.at.since(state.places.at);
    let is_fresh = snapshot.at >= state.places.at && since < SETTLED && state.places.made_for == made_for;
    if is_fresh && !state.places.ids.is_empty() {
        state.lists.keep_places(&snapshot, &state.places.ids);
        return;
    }
    let rows = state.lists.processes.iter().take(usize::from(state.size.1) * 4);
    let ids = rows.filter_map(|i| snapshot.processes.get(*i)).map(|p| p.id).collect();
    state.places = super::state::Places { at: snapshot.at, made_for, ids };
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
    state.live = snapshot;
    state.link = link;
    state.scope = scope;
    let is_over = |toast: &Toast| state.live.at.since(toast.at) > TOAST;
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
mod tests;
