//! The time cursor, the span of the charts, and holding still.
//!
//! Invariant: the cursor lies within the span its charts show, and never after the present.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{TimeRange, Timestamp};
use crate::monitor::Request;
use crate::ui::charts::{ChartStore, CpuTracks, SLOTS};
use crate::ui::event::{Effect, Purpose};
use crate::ui::state::{Past, UiState};

use super::fetch;

/// Spans one zooms through: from what one second resolves to what is kept for a month.
pub const SPANS: [Duration; 11] = [
    Duration::from_secs(300),
    Duration::from_secs(900),
    Duration::from_secs(1800),
    Duration::from_secs(3600),
    Duration::from_secs(3 * 3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(12 * 3600),
    Duration::from_secs(86_400),
    Duration::from_secs(3 * 86_400),
    Duration::from_secs(7 * 86_400),
    Duration::from_secs(30 * 86_400),
];

/// The span one starts with.
pub const USUAL: Duration = Duration::from_secs(3600);

/// Width of a slot for charts over `span`, in whole seconds.
pub fn step(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs().div_ceil(SLOTS as u64).max(1))
}

/// Puts the time cursor at a moment; in the future it is the present.
pub fn go(state: &mut UiState, at: Timestamp) -> Vec<Effect> {
    if at >= state.live.at {
        return live(state);
    }
    let mut past = state.past.take().unwrap_or_else(|| hold(state));
    past.at = at;
    past.frozen = false;
    state.cpu = CpuTracks::default();
    state.focus = None;
    let mut effects = vec![Effect::Ask(Purpose::Past(at), Request::At { at })];
    let shown = TimeRange::last(state.span, past.chart_end);
    if !shown.contains(at) {
        // The cursor lands in the middle, so that what came next is seen too.
        past.chart_end = (at + state.span / 2).min(state.live.at);
        effects.extend(fetch::past_charts(state, &past));
    }
    state.past = Some(past);
    effects
}

/// Back to the present.
pub fn live(state: &mut UiState) -> Vec<Effect> {
    state.play = None;
    if let Some(past) = state.past.take() {
        state.cpu = past.cpu;
        // What was fetched ends at another moment.
        state.focus = None;
    }
    Vec::new()
}

/// The present as a moment that stays.
fn hold(state: &UiState) -> Past {
    let (at, snapshot) = (state.live.at, Arc::clone(&state.live));
    Past { at, snapshot, chart_end: at, charts: Some(state.charts.clone()), frozen: true, cpu: state.cpu.clone() }
}

/// Moves the cursor by sixtieths of the span.
pub fn step_by(state: &mut UiState, by: i32) -> Vec<Effect> {
    let length = (state.span / 60).max(Duration::from_secs(1)) * by.unsigned_abs();
    let from = state.past.as_ref().map_or(state.live.at, |p| p.at);
    let to = if by < 0 { from - length } else { from + length };
    if by > 0 && state.past.is_none() { Vec::new() } else { go(state, to) }
}

/// Moves the cursor to the alert or anomaly after (or before) it.
pub fn mark(state: &mut UiState, direction: i8) -> Vec<Effect> {
    let here = state.past.as_ref().map_or(state.live.at, |p| p.at);
    let alerts = state.live.alerts.iter().chain(state.timeline.iter().flat_map(|t| &t.alerts));
    let times = alerts.filter_map(|a| a.fired_at).chain(state.live.anomalies.iter().map(|a| a.from));
    let times = times.chain(state.bookmarks.iter().copied());
    let next = if direction > 0 { times.filter(|t| *t > here).min() } else { times.filter(|t| *t < here).max() };
    match next {
        Some(at) => go(state, at),
        None if direction > 0 => live(state),
        None => Vec::new(),
    }
}

/// Keeps the moment shown to come back to, or forgets it.
pub fn bookmark(state: &mut UiState) {
    let at = state.past.as_ref().map_or(state.live.at, |p| p.at);
    match state.bookmarks.binary_search(&at) {
        Ok(place) => {
            state.bookmarks.remove(place);
        }
        Err(place) => state.bookmarks.insert(place, at),
    }
}

/// Moves the cursor to the newest bookmark before it, from the oldest again to the newest.
pub fn next_bookmark(state: &mut UiState) -> Vec<Effect> {
    let here = state.past.as_ref().map_or(state.live.at, |p| p.at);
    let before = state.bookmarks.iter().rev().find(|at| **at < here).or(state.bookmarks.last()).copied();
    before.map_or_else(Vec::new, |at| go(state, at))
}

/// How fast time goes on, one after the other.
const SPEEDS: [u32; 3] = [10, 60, 600];

/// The next speed; after the last one it stands still again.
pub fn faster(state: &mut UiState) {
    let next = match state.play {
        None => SPEEDS.first(),
        Some(speed) => SPEEDS.iter().find(|s| **s > speed),
    };
    state.play = next.copied();
}

/// Lets time go on by one tick; at the present it is live again.
pub fn play(state: &mut UiState) -> Vec<Effect> {
    let Some((speed, at)) = state.play.zip(state.past.as_ref().map(|p| p.at)) else { return Vec::new() };
    let tick = Duration::try_from_secs_f64(state.live.recorder.interval_seconds).unwrap_or(Duration::ZERO);
    go(state, at + tick.max(Duration::from_secs(1)) * speed)
}

/// Puts the cursor at the oldest moment the charts show.
pub fn oldest(state: &mut UiState) -> Vec<Effect> {
    let end = state.past.as_ref().map_or(state.live.at, |p| p.chart_end);
    let span = state.span;
    go(state, end - span)
}

/// Holds everything still, or lets it go.
pub fn freeze(state: &mut UiState) -> Vec<Effect> {
    if state.past.is_some() {
        return live(state);
    }
    state.past = Some(hold(state));
    Vec::new()
}

/// A shorter (1) or longer (−1) span; 0 for the usual one.
pub fn zoom(state: &mut UiState, direction: i8) -> Vec<Effect> {
    let place = SPANS.iter().position(|s| *s >= state.span).unwrap_or(SPANS.len() - 1);
    let span = match direction {
        0 => USUAL,
        1.. => SPANS[place.saturating_sub(1)],
        _ => SPANS[(place + 1).min(SPANS.len() - 1)],
    };
    if span == state.span {
        return Vec::new();
    }
    state.span = span;
    let mut effects = fetch::charts(state);
    if let Some(mut past) = state.past.take() {
        if !TimeRange::last(span, past.chart_end).contains(past.at) {
            past.chart_end = (past.at + span / 2).min(state.live.at);
        }
        effects.extend(fetch::past_charts(state, &past));
        state.past = Some(past);
    }
    effects
}

/// A store with the slots of the span, for the same series.
pub fn resized(state: &UiState) -> ChartStore {
    let mut charts = ChartStore::new(step(state.span));
    for key in state.keys.all().chain(&state.keys.cores).chain(&state.extra) {
        charts.track(key);
        charts.fill_band(key, state.charts.band(key).to_vec());
    }
    charts
}
