//! What the history knows at a start.

use std::time::Duration;

use super::anomalies;
use super::exchange::{LAST_ID, LEARNED, Past};
use super::moment::standing_at;
use super::patterns::{CONNECTIONS_ROW, SHIFTS};
use super::steady::STABILITY;
use super::symptoms::SYMPTOMS;
use crate::alert::{Restored, Standing};
use crate::base::{TimeRange, Timestamp};
use crate::store::{ReadError, View};

/// Reads it; `now` is the time of the start.
///
/// # Errors
/// Where the file cannot be read.
pub fn past(view: &View, now: Timestamp) -> Result<Past, ReadError> {
    let newest = view.newest()?;
    let mut standing = last_standing(view, now)?;
    let open: Vec<_> = view.silences()?.into_iter().filter(|s| s.until > now).collect();
    for silence in open {
        match standing.silences.iter_mut().find(|s| s.id == silence.id) {
            Some(known) => *known = silence,
            None => standing.silences.push(silence),
        }
    }
    let last_id = view.meta(LAST_ID)?.and_then(|row| row.try_into().ok()).map_or(0, u64::from_le_bytes);
    let rows = view.outbox()?;
    let outbox = rows.iter().filter_map(|(_, row)| serde_json::from_slice(row).ok()).collect();
    Ok(Past {
        alerts: Restored { standing, last_id, last_tick: newest },
        services: view.services()?,
        learned: view.model(LEARNED)?,
        stability: view.model(STABILITY)?,
        shifts: view.model(SHIFTS)?,
        connections: view.model(CONNECTIONS_ROW)?,
        symptoms: view.model(SYMPTOMS)?,
        predictions: view.predictions()?,
        outbox,
        reports: view.schedules()?,
        anomalies: view.anomalies(TimeRange::last(anomalies::KEPT, now), None)?,
    })
}

/// Alerts and silences as they were when recording ended, with what was decided since, whatever time has passed.
///
/// # Errors
/// Where the file cannot be read.
pub fn last_standing(view: &View, now: Timestamp) -> Result<Standing, ReadError> {
    let newest = view.newest()?;
    let mut standing = newest.map_or_else(|| Ok(Standing::default()), |newest| standing_at(newest, view))?;
    let mut ended = newest.unwrap_or_default();
    // Decisions are written at once and without an engine, too: the journal may be newer than the samples, by any time.
    let since = TimeRange { from: ended, to: now.max(ended) + Duration::from_secs(86_400) };
    for entry in view.journal(since)? {
        standing.apply(&entry);
        ended = entry.at;
    }
    standing.prune(ended);
    Ok(standing)
}
