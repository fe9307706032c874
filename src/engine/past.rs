//! What the history knows at a start.

use std::time::Duration;

use super::anomalies;
use super::answer::standing_at;
use super::exchange::{LAST_ID, LEARNED, Past};
use crate::alert::Restored;
use crate::base::{TimeRange, Timestamp};
use crate::store::{ReadError, View};

/// Reads it; `now` is the time of the start.
///
/// # Errors
/// Where the file cannot be read.
pub fn past(view: &View, now: Timestamp) -> Result<Past, ReadError> {
    let newest = view.newest()?;
    // State is as it was when recording ended, whatever time has passed since.
    let ended = newest.map_or(now, |newest| newest.max(last_word(view, newest).unwrap_or(newest)));
    let mut standing = standing_at(ended, view)?;
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
        predictions: view.predictions()?,
        outbox,
        anomalies: view.anomalies(TimeRange::last(anomalies::KEPT, now), None)?,
    })
}

/// Decisions are written at once, so the journal may be newer than the samples.
fn last_word(view: &View, newest: Timestamp) -> Option<Timestamp> {
    let range = TimeRange { from: newest, to: newest + Duration::from_secs(86_400) };
    view.journal(range).ok()?.last().map(|entry| entry.at)
}
