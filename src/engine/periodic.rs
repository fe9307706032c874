//! What a core does from time to time: trends, its own health, keyframes, saves.
//!
//! Counts in the time of the samples. Invariant: a clock that went back delays nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::blame;
use super::core::Core;
use super::exchange::{LEARNED, Output, Timing};
use super::steady::STABILITY;
use super::symptoms::SYMPTOMS;
use crate::base::Timestamp;
use crate::model::{JournalEntry, JournalEvent, MaintenanceWindow, Process, Pulse};
use crate::store::Write;

/// Time between two keyframes of alert and service state (design of the store).
pub(super) const KEYFRAME_EVERY: Duration = Duration::from_secs(600);

/// Most sockets that listen in a keyframe, a hundred bytes each.
const MOST_LISTENERS: usize = 256;

/// Time between two saves of what was learned: about 3 kB a series, which would be most of what is written if done each minute.
const SAVE_EVERY: Duration = Duration::from_secs(1800);

/// Time between two saves of the services' hours.
const HOURS_EVERY: Duration = Duration::from_secs(3600);

/// Time between two looks at the trends.
const TRENDS_EVERY: Duration = Duration::from_secs(60);

/// Time between two sections on farol's own health.
const HEALTH_EVERY: Duration = Duration::from_secs(10);

/// Most processes of a full scan kept, about 40 bytes each: those that run and the largest.
const MOST_SCANNED: usize = 2000;

/// When periodic work is due, in wall-clock time of the samples.
#[derive(Default)]
pub(super) struct Due {
    pub(super) flush: Timestamp,
    keyframe: Timestamp,
    save: Timestamp,
    hours: Timestamp,
    trends: Timestamp,
    look: Timestamp,
    health: Timestamp,
    pub(super) heartbeat: Timestamp,
    pub(super) learn: Timestamp,
}

impl Due {
    /// Whether `at` has come; then the next time is `every` later. A clock that went back does not wait for the old time.
    pub(super) fn take(due: &mut Timestamp, at: Timestamp, every: Duration) -> bool {
        let come = at >= *due || *due > at + every;
        if come {
            *due = at + every;
        }
        come
    }
}

impl Core {
    pub(super) fn periodic(&mut self, at: Timestamp, timing: Timing, pulse: &mut Pulse) {
        if Due::take(&mut self.due.look, at, blame::EVERY) {
            self.blame.look(at, &self.processes);
            self.later.push(Write::Processes { at, processes: blame::top(&self.processes) });
        }
        if Due::take(&mut self.due.trends, at, TRENDS_EVERY) {
            pulse.trends = Some(self.analyzer.trends().into());
            self.look_at_peers(at, pulse);
        }
        if Due::take(&mut self.due.health, at, HEALTH_EVERY) {
            self.recorder.round_seconds = timing.round.as_secs_f64();
            self.recorder.lateness_seconds = timing.lateness.as_secs_f64();
            self.recorder.skipped_rounds = timing.skipped;
            pulse.recorder = Some(Arc::new(self.recorder.clone()));
        }
        if Due::take(&mut self.due.keyframe, at, KEYFRAME_EVERY) {
            let keyframe = self.keyframe(at);
            self.later.push(keyframe);
        }
        if Due::take(&mut self.due.save, at, SAVE_EVERY) {
            self.save_learned(at);
        }
        if Due::take(&mut self.due.hours, at, HOURS_EVERY) {
            self.save_hours();
        }
    }

    /// Keeps a full scan, read because a rule fired. `at` is later than that of any row of processes before.
    pub fn scanned(&mut self, mut processes: Vec<Arc<Process>>, at: Timestamp) {
        if processes.len() > MOST_SCANNED {
            processes.sort_by_key(|p| std::cmp::Reverse((p.cpu > 0.0, p.memory_bytes)));
            processes.truncate(MOST_SCANNED);
            processes.sort_by_key(|p| p.id);
        }
        self.later.push(Write::Processes { at, processes });
    }

    pub(super) fn keyframe(&mut self, at: Timestamp) -> Write {
        Write::Keyframe {
            at,
            alerts: self.alerter.alerts().to_vec(),
            silences: self.alerter.silences().to_vec(),
            services: self.services.to_vec(),
            listeners: self.listeners.iter().take(MOST_LISTENERS).cloned().collect(),
        }
    }

    /// Everything to be written before the end.
    pub fn finish(&mut self, at: Timestamp) -> Output {
        let keyframe = self.keyframe(at);
        self.later.push(keyframe);
        self.save_learned(at);
        self.save_hours();
        let unsaid = self.ears.rest().map(|seen| JournalEntry { at, event: JournalEvent::Security { seen } });
        self.later.extend(unsaid.map(Write::Journal));
        Output { rounds: Some(std::mem::take(&mut self.rounds)), later: std::mem::take(&mut self.later), ..Output::default() }
    }

    pub(super) fn save_learned(&mut self, at: Timestamp) {
        self.later.push(Write::Model { name: LEARNED.to_owned(), row: Some(self.analyzer.save(at)) });
    }

    pub(super) fn save_hours(&mut self) {
        self.later.extend(self.board.save().into_iter().map(|(name, row)| Write::Service { name, row: Some(row) }));
        self.later.push(Write::Model { name: STABILITY.to_owned(), row: Some(self.stability.save()) });
        self.later.push(Write::Model { name: SYMPTOMS.to_owned(), row: Some(self.noticed.symptoms.save()) });
    }

    /// Services under a maintenance silence do not count; where several match, the last to end is shown.
    pub(super) fn keep_maintenance(&mut self, at: Timestamp) {
        if self.alerter.maintenance(at).next().is_none() && !self.board.in_maintenance() {
            return;
        }
        let mut windows: BTreeMap<String, MaintenanceWindow> = BTreeMap::new();
        for silence in self.alerter.maintenance(at) {
            for service in self.board.names() {
                let label = |name: &str| (name == "service").then_some(service);
                let is_longer = windows.get(service).is_none_or(|w| w.until < silence.until);
                if is_longer && silence.matchers.iter().all(|m| m.matches(label(m.name()))) {
                    let (author, comment) = (silence.author.clone(), silence.comment.clone());
                    windows.insert(service.to_owned(), MaintenanceWindow { until: silence.until, author, comment });
                }
            }
        }
        self.board.set_maintenance(windows, at);
    }
}
