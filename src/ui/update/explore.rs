//! The page of metrics: what is chosen, and what is asked for its chart.
//!
//! Invariant: band, forecast and events are asked once for a series and a span.

use std::time::Duration;

use crate::base::TimeRange;
use crate::monitor::Request;
use crate::ui::charts::ChartStore;
use crate::ui::event::{Effect, Purpose};
use crate::ui::explore::{self, DAY, Ghost, Spread, WEEK};
use crate::ui::state::{UiState, View};
use crate::ui::widgets::lines::Together;

use super::{fetch, time};

/// Moves the choice by rows: of metrics, in an opened one of its series.
pub fn step(state: &mut UiState, by: i64) {
    let to = |row: usize, len: usize| -> Option<usize> {
        let last = i64::try_from(len).ok()?.checked_sub(1).filter(|l| *l >= 0)?;
        usize::try_from(i64::try_from(row).ok()?.saturating_add(by).clamp(0, last)).ok()
    };
    if state.open {
        let all = explore::series(state);
        let next = to(state.explore.series_row(&all), all.len());
        state.explore.series = next.and_then(|i| all.get(i).cloned());
        return;
    }
    let all = explore::listed(state);
    let next = to(state.explore.row(&all), all.len()).and_then(|i| all.get(i)).map(|d| d.name.to_owned());
    state.explore.metric = next;
    state.explore.series = None;
}

/// Keeps the chosen series in the chart, or lets it go.
pub fn pin(state: &mut UiState) {
    let all = explore::series(state);
    let Some(key) = all.get(state.explore.series_row(&all)).cloned() else { return };
    match state.explore.pinned.iter().position(|k| *k == key) {
        Some(place) => {
            state.explore.pinned.remove(place);
        }
        None => state.explore.pinned.push(key),
    }
}

/// The other scale.
pub fn log(state: &mut UiState) {
    state.explore.spread = if state.explore.spread == Spread::Even { Spread::Log } else { Spread::Even };
}

/// The other way to share the chart.
pub fn stack(state: &mut UiState) {
    let is_lines = state.explore.together == Together::Lines;
    state.explore.together = if is_lines { Together::Stacked } else { Together::Lines };
}

/// Yesterday, then last week, then nothing behind the chart.
pub fn overlay(state: &mut UiState) -> Vec<Effect> {
    let back = match state.explore.ghost.as_ref().map(|g| g.back) {
        None => Some(DAY),
        Some(DAY) => Some(WEEK),
        Some(_) => None,
    };
    state.explore.ghost = None;
    back.map_or_else(Vec::new, |back| ghost(state, back))
}

fn ghost(state: &mut UiState, back: Duration) -> Vec<Effect> {
    let Some(key) = explore::charted(state).into_iter().next() else { return Vec::new() };
    let end = state.past.as_ref().map_or(state.live.at, |p| p.chart_end);
    let range = TimeRange::last(state.span, end - back);
    let step = time::step(state.span);
    let mut charts = ChartStore::new(step);
    charts.track(&key);
    state.explore.ghost = Some(Ghost { back, key: key.clone(), charts });
    vec![Effect::Ask(Purpose::Ghost, fetch::history(vec![key], range, step))]
}

/// What the chart of the page needs and has not asked for yet.
pub fn missing(state: &mut UiState) -> Vec<Effect> {
    if state.view != View::Metrics {
        state.explore.asked = None;
        state.explore.ghost = None;
        state.explore.forecast = None;
        state.explore.events.clear();
        return Vec::new();
    }
    if state.explore.metric.is_none() {
        let shown = state.shown();
        let first = explore::listed(state).into_iter().find(|d| shown.of(d.name).next().is_some()).map(|d| d.name.to_owned());
        state.explore.metric = first;
        step(state, 0);
    }
    let Some(key) = explore::charted(state).into_iter().next() else { return Vec::new() };
    let is_present = state.past.is_none();
    let wanted = Some((key.clone(), state.span, is_present));
    if state.explore.asked == wanted {
        return Vec::new();
    }
    state.explore.asked = wanted;
    state.explore.forecast = None;
    let end = state.past.as_ref().map_or(state.live.at, |p| p.chart_end);
    let range = TimeRange::last(state.span, end);
    // A band is smooth: a point a minute is finer than any column of a chart of hours.
    let step = Duration::from_secs(60).max(state.span / 200);
    let mut effects = vec![
        Effect::Ask(Purpose::ExploreBand(key.clone()), Request::Band { key: key.clone(), range, step }),
        Effect::Ask(Purpose::Events, Request::Journal { range }),
    ];
    let is_known = state.live.forecast(&key).is_some();
    if is_present && !is_known {
        // Past and future share the chart three to one.
        let horizon = state.span / 3;
        let selector = key.to_string();
        effects.push(Effect::Ask(Purpose::ExploreForecast(key.clone()), Request::Forecast { selector, horizon }));
    }
    if let Some(back) = state.explore.ghost.take().map(|g| g.back) {
        effects.extend(ghost(state, back));
    }
    effects
}
