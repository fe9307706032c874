//! Where answers go.
//!
//! Invariant: an answer about something no longer shown changes nothing.

use std::sync::Arc;

use crate::model::Alert;
use crate::monitor::{Answer, HistorySeries, Refusal, Saved};
use crate::ui::charts::ChartStore;
use crate::ui::event::{Effect, Purpose};
use crate::ui::overlay::Tone;
use crate::ui::state::UiState;

use super::{learn, reports, say, time, told};

/// Takes one answer.
pub fn take(state: &mut UiState, purpose: Purpose, answer: Result<Answer, Refusal>) -> Vec<Effect> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(refusal) => {
            refused(state, &purpose, &refusal);
            return Vec::new();
        }
    };
    match (purpose, answer) {
        (Purpose::Charts | Purpose::Cores | Purpose::Extra, Answer::History { series }) => live_charts(state, &series),
        (Purpose::PastCharts, Answer::History { series }) => {
            let mut charts = time::resized(state);
            fill(&mut charts, &series);
            if let Some(past) = &mut state.past {
                past.charts = Some(charts);
            }
        }
        (Purpose::Past(at), Answer::Snapshot { snapshot }) => {
            if let Some(past) = state.past.as_mut().filter(|p| p.at == at) {
                past.snapshot = snapshot;
            }
        }
        (Purpose::FocusCharts(subject), Answer::History { series }) => {
            if let Some(focus) = state.focus.as_mut().filter(|f| f.subject == subject) {
                fill(&mut focus.charts, &series);
            }
        }
        (Purpose::FocusLong(subject), Answer::History { series }) => {
            if let Some(focus) = state.focus.as_mut().filter(|f| f.subject == subject) {
                fill(&mut focus.long, &series);
            }
        }
        (Purpose::FocusBand(subject, key), Answer::Band { band }) => {
            if let Some(focus) = state.focus.as_mut().filter(|f| f.subject == subject) {
                focus.charts.fill_band(&key, band);
            }
        }
        (Purpose::FocusJournal(subject), Answer::Journal { entries }) => {
            if let Some(focus) = state.focus.as_mut().filter(|f| f.subject == subject) {
                focus.journal = entries;
            }
        }
        (Purpose::FocusChecks(subject), Answer::Checks { checks }) => {
            if let Some(focus) = state.focus.as_mut().filter(|f| f.subject == subject) {
                focus.checks.1 = checks;
            }
        }
        (Purpose::TimelineCharts, Answer::History { series }) => {
            if let Some(timeline) = &mut state.timeline {
                fill(&mut timeline.charts, &series);
            }
        }
        (Purpose::TimelineAlerts, Answer::Alerts { alerts }) => {
            if let Some(timeline) = &mut state.timeline {
                timeline.alerts = alerts;
            }
        }
        (Purpose::TimelineJournal, Answer::Journal { entries }) => {
            if let Some(timeline) = &mut state.timeline {
                timeline.journal = entries;
            }
        }
        (Purpose::Ghost, Answer::History { series }) => {
            if let Some(ghost) = &mut state.explore.ghost {
                fill(&mut ghost.charts, &series);
            }
        }
        (Purpose::ExploreBand(key) | Purpose::Band(key), Answer::Band { band }) => {
            let charts = state.past.as_mut().and_then(|p| p.charts.as_mut()).unwrap_or(&mut state.charts);
            if charts.keys().any(|k| *k == key) {
                charts.fill_band(&key, band);
            }
        }
        (Purpose::ExploreForecast(key), Answer::Forecast { forecasts }) => {
            state.explore.forecast = forecasts.into_iter().find(|f| f.key == key).map(Arc::new);
        }
        (Purpose::Events, Answer::Journal { entries }) => state.explore.events = entries,
        (Purpose::Responses, Answer::History { series }) => {
            if let Some(charts) = &mut state.responses {
                fill(charts, &series);
            }
        }
        (Purpose::Older, Answer::Alerts { alerts }) => {
            let known = |a: &Arc<Alert>| state.live.alerts.iter().any(|own| own.id == a.id);
            // More than anybody scrolls through; History has the rest.
            state.older = alerts.into_iter().filter(|a| a.resolved_at.is_some() && !known(a)).take(500).collect();
        }
        (Purpose::Inside(id), Answer::ProcessDetails { details }) => super::inside::details(state, id, *details),
        (Purpose::InsideHistory(id), Answer::ProcessHistory { points }) => super::inside::history(state, id, points),
        (Purpose::Settings, Answer::Settings { settings }) => return super::settings::take(state, *settings),
        (Purpose::Changed, Answer::Done { saved, message }) => {
            done(state, saved, &message);
            return super::settings::changed(state);
        }
        (Purpose::Told, Answer::Journal { entries }) => entries.iter().for_each(|e| told(state, &e.event)),
        (Purpose::Report, Answer::Report { name, bytes, .. }) => {
            return vec![Effect::Export(state.export_name.take().unwrap_or(name), bytes)];
        }
        (Purpose::Replay, Answer::Replayed(replayed)) => learn::replayed(state, &replayed),
        (Purpose::Learn, Answer::Learned(learned)) => learn::list(state, *learned),
        (Purpose::Reports, Answer::Reports { kept, next }) => reports::list(state, kept, &next),
        (_, Answer::Done { saved, message }) => done(state, saved, &message),
        (_, Answer::Silenced { saved, silence, matches }) => {
            let until = crate::ui::format::time_or_date(silence.until, state.live.at, &state.zone);
            let count = matches.len();
            done(state, saved, &format!("silenced until {until}; hides {count} of the alerts there are now"));
        }
        // Another kind of answer than was asked for: nothing of it can be shown.
        _ => say(state, Tone::Warning, "the recorder gave an answer that does not fit the question"),
    }
    Vec::new()
}

fn fill(charts: &mut ChartStore, series: &[HistorySeries]) {
    series.iter().for_each(|s| charts.fill(s));
}

/// History for the live charts; after a zoom it begins a new store with the new slots.
fn live_charts(state: &mut UiState, series: &[HistorySeries]) {
    if state.charts.step() != time::step(state.span) {
        state.charts = time::resized(state);
    }
    fill(&mut state.charts, series);
    let live = Arc::clone(&state.live);
    if live.seq > 0 {
        state.charts.observe(live.at, &live.readings);
    }
}

fn done(state: &mut UiState, saved: Saved, message: &str) {
    match saved {
        Saved::Disk => say(state, Tone::Good, message),
        Saved::Volatile => say(state, Tone::Warning, format!("{message} (kept in memory until the disk has room)")),
    }
}

fn refused(state: &mut UiState, purpose: &Purpose, refusal: &Refusal) {
    if let Purpose::Inside(id) = purpose {
        super::inside::refused(state, *id, &refusal.message);
    }
    // A new page of a machine without history has nothing to fetch; only what was wished for is worth a word.
    let is_decision = matches!(purpose, Purpose::Decision | Purpose::Changed | Purpose::Replay | Purpose::Learn);
    if is_decision || matches!(purpose, Purpose::Report | Purpose::Reports | Purpose::Past(_)) {
        say(state, Tone::Bad, refusal.message.clone());
    }
}
