//! What is asked of the monitor, and when.
//!
//! Invariant: each thing is asked once, when it begins to be shown; pulses keep it current.

use std::time::Duration;

use crate::base::{TimeRange, Timestamp};
use crate::model::SeriesKey;
use crate::monitor::{HistoryRequest, Request};
use crate::ui::charts::{ChartStore, SLOTS};
use crate::ui::event::{Effect, Purpose};
use crate::ui::state::{Focus, Past, Subject, Timeline, UiState, View};

use super::time;

/// Span of an alert's and a service's charts before now: what led there is in it.
const FOCUS_SPAN: Duration = Duration::from_secs(2 * 3600);
/// Longest past drawn beside a prediction: twice the week a daily season needs.
const LONGEST: Duration = Duration::from_secs(14 * 86_400);
/// Series of one page whose bands are asked for: more than a page has charts of one series.
const BANDS: usize = 12;
/// Span of a service's promise.
const PROMISE: Duration = Duration::from_secs(30 * 86_400);
/// Services with a graph of their own: more than the largest screen has rows.
const GRAPHS: usize = 100;
/// Span of these graphs, and of one of their bins: ten cells with three bins each.
const RESPONSES: Duration = Duration::from_secs(1800);
const RESPONSE_STEP: Duration = Duration::from_secs(60);
/// How far back alerts that are over are looked for: the span a promise is about.
const OLDER: Duration = Duration::from_secs(30 * 86_400);
/// Span of the time line, at least.
const TIMELINE: Duration = Duration::from_secs(6 * 3600);

/// What is asked before the first frame.
pub fn start(state: &UiState) -> Vec<Effect> {
    // What fires longer has its messages on its own page.
    let range = TimeRange::last(TIMELINE, state.live.at);
    let mut effects = charts(state);
    effects.push(Effect::Ask(Purpose::Told, Request::Journal { range }));
    effects
}

pub(super) fn history(keys: Vec<SeriesKey>, range: TimeRange, step: Duration) -> Request {
    Request::History(HistoryRequest { keys, range, step })
}

/// Points of the live charts.
pub fn charts(state: &UiState) -> Vec<Effect> {
    let step = time::step(state.span);
    let range = TimeRange::last(state.span, state.live.at);
    let mut effects = Vec::new();
    for (purpose, keys) in [
        (Purpose::Charts, state.keys.all().cloned().collect::<Vec<_>>()),
        (Purpose::Cores, state.keys.cores.clone()),
        (Purpose::Extra, state.extra.clone()),
    ] {
        if !keys.is_empty() {
            effects.push(Effect::Ask(purpose, history(keys, range, step)));
        }
    }
    effects
}

/// Learned bands of the page's series: for a new span or page, and again when they end visibly before now.
fn bands(state: &mut UiState) -> Vec<Effect> {
    let now = state.live.at;
    let wanted: Vec<SeriesKey> = state.keys.all().chain(state.extra.iter().take(BANDS)).cloned().collect();
    let old = Duration::from_secs(60).max(state.span / 40);
    let is_asked =
        |(at, span, keys): &(Timestamp, Duration, Vec<SeriesKey>)| now.since(*at) < old && *span == state.span && *keys == wanted;
    if state.live.seq == 0 || state.past.is_some() || state.banded.as_ref().is_some_and(is_asked) {
        return Vec::new();
    }
    let range = TimeRange::last(state.span, now);
    // A band is smooth: a point a minute is finer than any column of a chart of hours.
    let step = Duration::from_secs(60).max(state.span / 200);
    let ask = |key: &SeriesKey| Effect::Ask(Purpose::Band(key.clone()), Request::Band { key: key.clone(), range, step });
    let effects = wanted.iter().map(ask).collect();
    state.banded = Some((now, state.span, wanted));
    effects
}

/// Points of the charts around another moment.
pub fn past_charts(state: &UiState, past: &Past) -> Vec<Effect> {
    let range = TimeRange::last(state.span, past.chart_end);
    let keys = state.keys.all().chain(&state.keys.cores).chain(&state.extra).cloned().collect();
    vec![Effect::Ask(Purpose::PastCharts, history(keys, range, time::step(state.span)))]
}

/// What the page shown needs and has not asked for yet.
pub fn missing(state: &mut UiState) -> Vec<Effect> {
    let mut effects = Vec::new();
    // What grew by a quarter while it was open is fetched anew: its store has no more room.
    let room = |f: &Focus| f.charts.step() * u32::try_from(SLOTS).unwrap_or(u32::MAX);
    if state.focus.as_ref().is_some_and(|f| f.range.length() > room(f)) {
        state.focus = None;
    }
    match subject(state) {
        Some(subject) if state.focus.as_ref().is_none_or(|f| f.subject != subject) => effects.extend(focus(state, subject)),
        Some(_) => {}
        None => state.focus = None,
    }
    effects.extend(checks(state));
    effects.extend(extra(state));
    effects.extend(super::explore::missing(state));
    effects.extend(bands(state));
    effects.extend(super::settings::missing(state));
    effects.extend(super::inside::missing(state));
    effects.extend(older(state));
    effects.extend(responses(state));
    let is_told = |pane: &&str| matches!(*pane, "timeline" | "happened");
    if crate::ui::panes::panes_shown(state).iter().any(is_told) {
        effects.extend(timeline(state));
    } else {
        state.timeline = None;
    }
    effects
}

/// Points of the series only this page has; those of the page before are forgotten.
fn extra(state: &mut UiState) -> Vec<Effect> {
    let wanted = crate::ui::panes::series(state);
    if wanted == state.extra {
        return Vec::new();
    }
    let own = |key: &SeriesKey| state.keys.all().chain(&state.keys.cores).any(|k| k == key);
    let known: Vec<SeriesKey> = state.charts.keys().cloned().collect();
    let new: Vec<SeriesKey> = wanted.iter().filter(|k| !known.contains(k)).cloned().collect();
    let gone: Vec<SeriesKey> = known.iter().filter(|k| !own(k) && !wanted.contains(k)).cloned().collect();
    state.charts.retain(|key| !gone.contains(key));
    new.iter().for_each(|key| state.charts.track(key));
    state.extra = wanted;
    let mut effects = Vec::new();
    if !new.is_empty() {
        let range = TimeRange::last(state.span, state.live.at);
        effects.push(Effect::Ask(Purpose::Extra, history(new.clone(), range, time::step(state.span))));
    }
    let lacks = |charts: &ChartStore| new.iter().any(|key| !charts.keys().any(|k| k == key));
    if let Some(mut past) = state.past.take() {
        if past.charts.as_ref().is_some_and(lacks) {
            effects.extend(past_charts(state, &past));
            let charts = past.charts.get_or_insert_with(|| ChartStore::new(time::step(state.span)));
            new.iter().for_each(|key| charts.track(key));
        }
        state.past = Some(past);
    }
    effects
}

/// Response times for the graphs in the list of services: of those around the chosen one, at the moment shown.
fn responses(state: &mut UiState) -> Option<Effect> {
    if state.view != View::Services || state.shown().services.is_empty() {
        state.responses = None;
        return None;
    }
    let chosen = state.lists.service_row(state.shown(), &state.selected);
    // By hundreds, so that not every step of the choice asks anew; the ones before and after are on the screen too.
    let first = (chosen / GRAPHS).saturating_sub(1) * GRAPHS;
    let names = state.lists.services.iter().skip(first).take(3 * GRAPHS).filter_map(|i| state.shown().services.get(*i));
    let keys: Vec<SeriesKey> = names.map(|s| SeriesKey::new("service_check_seconds", [("service", s.name.as_str())])).collect();
    let is_known = |key: &SeriesKey| state.responses.as_ref().is_some_and(|c| c.keys().any(|k| k == key));
    if keys.iter().all(is_known) {
        return None;
    }
    let mut charts = ChartStore::new(RESPONSE_STEP);
    keys.iter().for_each(|key| charts.track(key));
    state.responses = Some(charts);
    let range = TimeRange::last(RESPONSES, state.shown().at);
    Some(Effect::Ask(Purpose::Responses, history(keys, range, RESPONSE_STEP)))
}

/// The last checks of the service shown in detail, again after each.
fn checks(state: &mut UiState) -> Option<Effect> {
    let service = state.chosen_service().filter(|_| state.past.is_none())?;
    let (name, last) = (service.name.clone(), service.last_check);
    let focus = state.focus.as_mut().filter(|f| f.subject == Subject::Service(name.clone()) && f.checks.0 != last)?;
    focus.checks.0 = last;
    Some(Effect::Ask(Purpose::FocusChecks(focus.subject.clone()), Request::Checks { service: name }))
}

/// Alerts of the last days, once a page that tells them is shown, and again when one more is over.
fn older(state: &mut UiState) -> Option<Effect> {
    let over = state.live.alerts.iter().filter_map(|a| a.resolved_at).max();
    if !matches!(state.view, View::Alerts | View::Services)
        || state.past.is_some()
        || state.live.seq == 0
        || state.older_until == Some(over)
    {
        return None;
    }
    state.older_until = Some(over);
    Some(Effect::Ask(Purpose::Older, Request::Alerts { range: TimeRange::last(OLDER, state.live.at) }))
}

fn subject(state: &UiState) -> Option<Subject> {
    match state.view {
        View::Alerts => state.chosen_alert().map(|a| Subject::Alert(a.id.clone())),
        View::Services => state.chosen_service().map(|s| Subject::Service(s.name.clone())),
        View::Predictions => state.chosen_prediction().map(|p| Subject::Prediction(p.id.clone())),
        _ => None,
    }
}

fn focus(state: &mut UiState, subject: Subject) -> Vec<Effect> {
    let now = state.shown().at;
    let (keys, span) = match &subject {
        Subject::Alert(_) => {
            let Some(alert) = state.chosen_alert() else { return Vec::new() };
            let moved = alert.explanation.correlated.iter().map(|c| c.key.clone());
            let keys: Vec<SeriesKey> = std::iter::once(alert.key.clone()).chain(moved).collect();
            // The hour before it began is always in sight.
            (keys, FOCUS_SPAN.max(now.since(alert.since) + Duration::from_secs(3600)))
        }
        Subject::Service(name) => {
            let parts = state.shown().of("service_phase_seconds").filter(|r| r.key.label("service") == Some(name.as_str()));
            let whole = SeriesKey::new("service_check_seconds", [("service", name.as_str())]);
            (std::iter::once(whole).chain(parts.map(|r| r.key.clone())).collect(), FOCUS_SPAN)
        }
        Subject::Prediction(_) => {
            let Some(prediction) = state.chosen_prediction() else { return Vec::new() };
            // Three parts past to one part future, as in every chart.
            let ahead = prediction.at_hi.since(now);
            (vec![prediction.key.clone()], (ahead * 3).clamp(Duration::from_secs(3600), LONGEST))
        }
    };
    let range = TimeRange::last(span, now);
    let step = time::step(span * 5 / 4);
    let mut charts = ChartStore::new(step);
    keys.iter().for_each(|key| charts.track(key));
    let mut effects = vec![Effect::Ask(Purpose::FocusCharts(subject.clone()), history(keys.clone(), range, step))];
    if let Some(key) = keys.first() {
        let purpose = Purpose::FocusBand(subject.clone(), key.clone());
        // The band is smooth; a point a minute is finer than any column of a chart of hours.
        let step = Duration::from_secs(60).max(span / 200);
        effects.push(Effect::Ask(purpose, Request::Band { key: key.clone(), range, step }));
    }
    let long_step = PROMISE / u32::try_from(SLOTS).unwrap_or(u32::MAX);
    let mut long = ChartStore::new(long_step);
    match &subject {
        Subject::Alert(_) => effects.push(Effect::Ask(Purpose::FocusJournal(subject.clone()), Request::Journal { range })),
        Subject::Service(name) if state.chosen_service().is_some_and(|s| s.slo.is_some()) => {
            let key = SeriesKey::new("service_error_budget_ratio", [("service", name.as_str())]);
            long.track(&key);
            let wish = history(vec![key], TimeRange::last(PROMISE, now), long_step);
            effects.push(Effect::Ask(Purpose::FocusLong(subject.clone()), wish));
        }
        _ => {}
    }
    state.focus = Some(Focus { subject, range, charts, long, journal: Vec::new(), checks: (None, Vec::new()) });
    effects
}

/// The time line: at least six hours, six times the span of the charts, with the cursor in it.
fn timeline(state: &mut UiState) -> Vec<Effect> {
    let span = (state.span * 6).max(TIMELINE);
    let cursor = state.past.as_ref().map_or(state.live.at, |p| p.at);
    let is_good = state.timeline.as_ref().is_some_and(|t| {
        let length = t.range.length();
        length >= span && length < span * 2 && t.range.contains(cursor)
    });
    if is_good {
        return Vec::new();
    }
    let to: Timestamp = if cursor + span > state.live.at { state.live.at } else { cursor + span / 2 };
    let range = TimeRange::last(span, to);
    let step = Duration::from_secs(span.as_secs().div_ceil(SLOTS as u64).max(1));
    let key = SeriesKey::total("health_score");
    let mut charts = ChartStore::new(step);
    charts.track(&key);
    state.timeline = Some(Timeline { range, charts, alerts: Vec::new(), journal: Vec::new() });
    vec![
        Effect::Ask(Purpose::TimelineCharts, history(vec![key], range, step)),
        Effect::Ask(Purpose::TimelineAlerts, Request::Alerts { range }),
        Effect::Ask(Purpose::TimelineJournal, Request::Journal { range }),
    ]
}
