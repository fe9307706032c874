//! Hears what the engine says: alerts that fire and marks of the machine as a whole.
//!
//! Invariant: an alarm is heard once, in the second it is raised in.

use std::collections::HashMap;

use crate::analyze::MACHINE_SCORE;
use crate::base::Timestamp;
use crate::faults::Told;
use crate::model::{Alert, AlertState, SeriesKey, Severity, Snapshot, Verdict};

/// What was made, to be named by an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guilty {
    /// Nothing.
    Nobody,
    /// This process, or one that it started.
    Process(u32),
    /// The service of that name.
    Service(&'static str),
}

/// What was heard so far.
#[derive(Debug, Default)]
pub struct Ear {
    told: Vec<Told>,
    known: HashMap<(String, i64), usize>,
}

impl Ear {
    /// Listens to what is new in a snapshot.
    pub fn hear(&mut self, snapshot: &Snapshot, guilty: Guilty) {
        for alert in snapshot.alerts.iter().filter(|a| a.severity > Severity::Info && a.state != AlertState::Pending) {
            let Some(fired) = alert.fired_at else { continue };
            let ended = (alert.state == AlertState::Resolved).then_some(alert.resolved_at).flatten();
            self.take(&alert.id, (fired, ended), || Told {
                opened: seconds(fired),
                closed: None,
                critical: alert.severity == Severity::Critical,
                mark: false,
                text: format!("{}: {}", alert.rule, alert.title),
                cause: names(alert, snapshot, guilty),
            });
        }
        let marks = snapshot.anomalies.iter().filter(|a| a.key.metric() == MACHINE_SCORE && a.verdict >= Verdict::Warning);
        for mark in marks {
            self.take("", (mark.from, mark.to), || Told {
                opened: seconds(mark.from),
                closed: None,
                critical: mark.verdict == Verdict::Critical,
                mark: true,
                text: mark.reason.clone(),
                cause: None,
            });
        }
    }

    fn take(&mut self, id: &str, (from, to): (Timestamp, Option<Timestamp>), new: impl FnOnce() -> Told) {
        let told = &mut self.told;
        let place = *self.known.entry((id.to_owned(), from.0)).or_insert_with(|| {
            told.push(new());
            told.len() - 1
        });
        told[place].closed = to.map(seconds);
    }

    /// All of it.
    pub fn told(&self) -> &[Told] {
        &self.told
    }
}

/// Whether the first cause an alert names is the guilty one; `None` where it names nobody or nobody is.
fn names(alert: &Alert, snapshot: &Snapshot, guilty: Guilty) -> Option<bool> {
    match guilty {
        Guilty::Nobody => None,
        Guilty::Service(name) => {
            // A prediction is about the series it names.
            let predicted: Option<SeriesKey> = alert.key.label("series").and_then(|key| key.parse().ok());
            Some(predicted.as_ref().unwrap_or(&alert.key).label("service") == Some(name))
        }
        Guilty::Process(pid) => {
            let first = alert.explanation.processes.first()?.pid;
            let parent = || snapshot.processes.iter().find(|p| p.id.pid == first).map(|p| p.parent);
            Some(first == pid || parent() == Some(pid))
        }
    }
}

/// The second an instant is in.
pub fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1000)
}
