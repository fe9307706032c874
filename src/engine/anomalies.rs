//! Anomalies of the last hours, for marks on charts.
//!
//! Invariant: bounded in time and number; the store keeps all of them.

use std::sync::Arc;
use std::time::Duration;

use crate::analyze::AnomalyChange;
use crate::base::Timestamp;
use crate::model::AnomalyInterval;
use crate::store::Write;

/// How long one stays in the snapshot: the longest span a live chart shows.
pub const KEPT: Duration = Duration::from_secs(6 * 3600);

/// Most of them in the snapshot; the oldest leave first.
const MAX: usize = 200;

/// Anomalies of the last hours, newest last.
#[derive(Debug, Default)]
pub struct RecentAnomalies(Vec<AnomalyInterval>);

impl RecentAnomalies {
    /// Those known from before; open ones ended with the recorder.
    pub fn new(mut past: Vec<AnomalyInterval>, now: Timestamp) -> Self {
        for anomaly in &mut past {
            anomaly.to = Some(anomaly.to.unwrap_or(anomaly.peak_at));
        }
        let mut recent = Self(past);
        recent.forget(now);
        recent
    }

    /// Takes changes and gives what must be written.
    pub fn apply(&mut self, changes: &[AnomalyChange], now: Timestamp) -> Vec<Write> {
        let mut writes = Vec::with_capacity(changes.len());
        for change in changes {
            let (AnomalyChange::Opened(anomaly) | AnomalyChange::Updated(anomaly) | AnomalyChange::Closed(anomaly)) = change;
            let known = self.0.iter_mut().rev().find(|a| a.key == anomaly.key && a.from == anomaly.from);
            match known {
                Some(known) => known.clone_from(anomaly),
                None => self.0.push(anomaly.clone()),
            }
            writes.push(Write::Anomaly(anomaly.clone()));
        }
        self.forget(now);
        writes
    }

    /// All of them.
    pub fn list(&self) -> Arc<[AnomalyInterval]> {
        self.0.as_slice().into()
    }

    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|a| a.to.is_none_or(|to| to >= now - KEPT));
        let excess = self.0.len().saturating_sub(MAX);
        self.0.drain(..excess);
    }
}
