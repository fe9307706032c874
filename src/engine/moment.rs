//! The state at any moment: values, alerts, silences, services, processes.
//!
//! Series from samples or buckets; alerts and silences from one keyframe and the journal after it.
//! Invariant: what was not observed at that moment is absent or unknown, never the last thing known.

use std::sync::Arc;
use std::time::Duration;

use super::anomalies;
use super::answer::{Context, sorted, source_failed, unread};
use super::live::Merged;
use super::periodic::KEYFRAME_EVERY;
use crate::alert::{Standing, health_score};
use crate::base::{TimeRange, Timestamp};
use crate::model::{
    Alert, Prediction, Reading, Resolution, STALE_AFTER_INTERVALS, SeriesKey, SeriesSource, ServiceState, ServiceStatus,
    Snapshot, SourceError,
};
use crate::monitor::Refusal;
use crate::store::{Keyframe, ReadError, View};

/// Where the sample before a moment is looked for when there is none within two of today's intervals: how far back, and how
/// finely. Twice the longest stretch is the longest interval that is understood.
const LOOKS: [(Resolution, Duration); 3] = [
    (Resolution::Raw, Duration::from_secs(600)),
    (Resolution::Minute, Duration::from_secs(6 * 3600)),
    (Resolution::Hour, Duration::from_secs(4 * 86_400)),
];

/// Alerts and silences at a moment: one keyframe and the journal after it. Where nothing was recorded for long the keyframe is as
/// old, and the journal holds what was decided since.
///
/// # Errors
/// Where the file cannot be read.
pub fn standing_at(at: Timestamp, view: &View) -> Result<Standing, ReadError> {
    standing_after(view.keyframe_before(at)?.as_ref(), at, view)
}

fn standing_after(keyframe: Option<&Keyframe>, at: Timestamp, view: &View) -> Result<Standing, ReadError> {
    // The journal is kept longer than keyframes: before the first of them it tells everything.
    let from = keyframe.map_or(Timestamp(i64::MIN), |k| k.at);
    let mut standing = keyframe.map_or_else(Standing::default, |k| Standing {
        alerts: k.alerts.iter().map(|a| (**a).clone()).collect(),
        silences: k.silences.clone(),
    });
    for entry in view.journal(TimeRange { from, to: at })? {
        standing.apply(&entry);
    }
    standing.prune(at);
    Ok(standing)
}

/// The snapshot of a moment.
///
/// # Errors
/// Where the history cannot be read.
pub fn snapshot_at(at: Timestamp, context: &Context<'_>) -> Result<Snapshot, Refusal> {
    let view = context.view()?;
    let mut snapshot = Snapshot::empty(Arc::clone(context.catalog));
    snapshot.at = at;
    snapshot.host = Arc::clone(&context.now.host);
    snapshot.recorder = Arc::clone(&context.now.recorder);
    let source = context.source();
    snapshot.readings = readings_at(at, &source).map_err(source_failed)?.into();
    let keyframe = view.keyframe_before(at).map_err(unread)?;
    let standing = standing_after(keyframe.as_ref(), at, view).map_err(unread)?;
    let alerts: Vec<Arc<Alert>> = standing.alerts.into_iter().map(Arc::new).collect();
    snapshot.health = health_score(&alerts);
    snapshot.alerts = sorted(alerts);
    snapshot.silences = standing.silences.into();
    if let Some(keyframe) = keyframe {
        // Where nothing was read then nobody knows what listened.
        if !snapshot.readings.is_empty() && at.since(keyframe.at) <= KEYFRAME_EVERY * 2 {
            snapshot.listeners = keyframe.listeners.into();
        }
        let services = keyframe.services.into_iter().map(|s| service_at(s, (keyframe.at, at), &snapshot.readings, &source));
        snapshot.services = services.collect::<Result<_, _>>().map_err(source_failed)?;
    }
    if let Some((_, mut processes)) = view.processes_near(at).map_err(unread)? {
        processes.sort_by_key(|p| p.id);
        snapshot.processes = processes.into();
    }
    let around = TimeRange { from: at - anomalies::KEPT, to: at };
    snapshot.anomalies = view.anomalies(around, None).map_err(unread)?.into();
    let open_then = |p: &Prediction| p.made_at <= at && p.scored_at.is_none_or(|scored| scored > at);
    snapshot.predictions = view.predictions().map_err(unread)?.into_iter().filter(open_then).collect();
    Ok(snapshot)
}

/// A service of a keyframe as its own series tell of it since.
fn service_at(
    mut service: ServiceStatus,
    (keyframe, at): (Timestamp, Timestamp),
    readings: &[Reading],
    source: &Merged<'_, View>,
) -> Result<ServiceStatus, SourceError> {
    let key = |metric: &str| SeriesKey::new(metric, [("service", service.name.as_str())]);
    let value = |key: &SeriesKey| readings.binary_search_by(|r| r.key.cmp(key)).ok().map(|found| readings[found].value);
    let state_key = key("service_state");
    let state = value(&state_key).map_or(ServiceState::Unknown, state_of);
    service.response_seconds = value(&key("service_check_seconds"));
    if state == service.state {
        return Ok(service);
    }
    let since = source.points(&state_key, TimeRange { from: keyframe, to: at }, Resolution::Raw)?;
    let run = since.buckets.iter().rev().take_while(|b| state_of(b.last) == state);
    service.since = run.last().map(|b| b.at);
    service.state = state;
    // What the check said belongs to the state before.
    service.message = String::new();
    Ok(service)
}

/// The state a number of `service_state` stands for.
fn state_of(number: f64) -> ServiceState {
    let states = [ServiceState::Online, ServiceState::Degraded, ServiceState::Offline];
    states.into_iter().find(|s| f64::from(*s as u8) == number).unwrap_or(ServiceState::Unknown)
}

/// The newest value of every series at a moment, at most two of its intervals of that time old, from whatever resolution is kept.
fn readings_at(at: Timestamp, source: &Merged<'_, View>) -> Result<Vec<Reading>, SourceError> {
    let mut readings = Vec::new();
    for key in source.select(None, &[])? {
        if let Some(value) = value_at(&key, at, source)? {
            readings.push(Reading { key, value, cumulative: None });
        }
    }
    readings.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(readings)
}

fn value_at(key: &SeriesKey, at: Timestamp, source: &Merged<'_, View>) -> Result<Option<f64>, SourceError> {
    // Of hundreds of series most have a sample that near; how far apart the others were is looked for below.
    let span = source.sampled_every().unwrap_or_else(|| source.interval(key)) * STALE_AFTER_INTERVALS;
    let near = source.points(key, TimeRange { from: at - span, to: at }, Resolution::Raw)?;
    if let Some(newest) = near.buckets.last().filter(|b| b.count == 1) {
        return Ok(Some(newest.last));
    }
    for (resolution, back) in LOOKS {
        let mut points = source.points(key, TimeRange { from: at - back, to: at }, resolution)?;
        let step = points.resolution.step();
        points.buckets.retain(|b| b.at + step <= at);
        let Some(newest) = points.buckets.last() else { continue };
        let Some(interval) = points.interval() else { continue };
        // One bucket serves until the next one ends.
        let fresh = at.since(newest.at + step) <= (interval * STALE_AFTER_INTERVALS).max(step);
        return Ok(fresh.then_some(newest.last));
    }
    Ok(None)
}
