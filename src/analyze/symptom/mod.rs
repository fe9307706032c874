//! What goes wrong while it goes wrong: leaks, fillers, storms and floods, each with the process that does it.
//!
//! Beside the general detectors, which need days and see whole machines; what is said here means something to people and needs
//! minutes. Never decides who is told. Invariant: storms that other days had as well are no symptom.

mod churn;
mod filling;
mod growth;
mod rise;
mod slowing;
mod surge;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::churn::Churn;
use self::filling::Filling;
use self::growth::Growth;
pub use self::slowing::{Heading, Slowing};
use self::surge::Surges;
use crate::base::Timestamp;
use crate::model::{Process, ProcessId, Reading, SeriesKey, ShortLived};

/// Time between two looks at what grows.
const LOOK_SECONDS: f64 = 5.0;
/// A symptom that is not seen for so long is over: steady things pause, too.
const OVER_MS: i64 = 60_000;
/// Rounds farther apart than so many steps have a gap between them.
const LONGEST_STEP: f64 = 3.0;

/// A round.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// When.
    pub at: Timestamp,
    /// What was read, sorted by key.
    pub readings: &'a [Reading],
    /// All processes, sorted by id.
    pub processes: &'a [Arc<Process>],
    /// What those left that began and ended since the round before.
    pub short_lived: Option<&'a ShortLived>,
}

/// Who is to blame for a symptom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspect {
    /// This process.
    Process(ProcessId),
    /// Whoever used most of the resource.
    Anybody,
    /// Nobody can be named: the kernel does not count it by process.
    Nobody,
}

/// Watches for symptoms.
#[derive(Debug, Default)]
pub struct Symptoms {
    at: Option<Timestamp>,
    /// Seconds between the last two rounds, and since the last look at what grows.
    step: f64,
    since_look: f64,
    growth: Growth,
    filling: Filling,
    surges: Surges,
    churn: Churn,
    /// Those that go on.
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    key: SeriesKey,
    value: f64,
    suspect: Suspect,
    seen_at: Timestamp,
}

impl Symptoms {
    /// With what was kept by [`Symptoms::save`]; what cannot be read is learned anew.
    pub fn restore(kept: Option<&[u8]>) -> Self {
        let mut new = Self::default();
        new.surges.restore(kept.and_then(|row| serde_json::from_slice(row).ok()).unwrap_or_default());
        new
    }

    /// What is worth keeping over a restart.
    pub fn save(&self) -> Vec<u8> {
        // Names and numbers have no way to fail.
        serde_json::to_vec(&self.surges.save()).unwrap_or_default()
    }

    /// Takes in a round.
    pub fn observe(&mut self, round: &Evidence<'_>) {
        if let Some(step) = self.advance(round.at) {
            self.churn.observe(round.short_lived, step);
            self.surges.observe(round.at, round.readings, step);
            self.since_look += step;
            // Half a step early is nearer than half a step late.
            if self.since_look + step / 2.0 >= LOOK_SECONDS {
                self.look(round);
            }
        }
        self.follow(round.at);
    }

    /// Looks at what grows.
    fn look(&mut self, round: &Evidence<'_>) {
        let since = std::mem::take(&mut self.since_look);
        let total = |metric: &str| {
            let key = SeriesKey::total(metric);
            let place = round.readings.binary_search_by(|r| r.key.cmp(&key)).ok()?;
            Some(round.readings.get(place)?.value)
        };
        self.growth.look(round.processes, since, total("memory_available_bytes"));
        self.filling.look(round.readings, since);
    }

    /// Keeps the list of those that go on.
    fn follow(&mut self, at: Timestamp) {
        let growth = self.growth.found().iter().map(|(key, id, value)| (key, *value, Suspect::Process(*id)));
        let filling = self.filling.found().iter().map(|(key, value)| (key, *value, Suspect::Anybody));
        let surges = self.surges.found().iter().map(|(key, value)| (key, *value, surging(key, &self.churn)));
        for (key, value, suspect) in growth.chain(filling).chain(surges) {
            match self.open.iter_mut().find(|open| open.key == *key) {
                Some(open) => (open.value, open.seen_at) = (value, at),
                None => self.open.push(Open { key: key.clone(), value, suspect, seen_at: at }),
            }
        }
        self.open.retain(|open| (0..OVER_MS).contains(&(at.0 - open.seen_at.0)));
    }

    /// Seconds since the round before; `None` after a gap.
    fn advance(&mut self, at: Timestamp) -> Option<f64> {
        let before = self.at.replace(at)?;
        let since = at.0.saturating_sub(before.0) as f64 / 1000.0;
        let is_gap = since <= 0.0 || (self.step > 0.0 && since > LONGEST_STEP * self.step);
        // A round that comes late is followed by one that comes early: no measure of what a gap is.
        self.step = if since > 0.0 { since.max(self.step / 2.0) } else { self.step };
        if is_gap {
            self.since_look = 0.0;
            self.growth.interrupt();
            self.filling.interrupt();
            self.surges.interrupt();
        }
        (!is_gap).then_some(since)
    }

    /// Symptoms that go on: metric and labels, and how bad, in the metric's unit.
    pub fn values(&self) -> impl Iterator<Item = (SeriesKey, f64)> {
        self.open.iter().map(|open| (open.key.clone(), open.value))
    }

    /// Who is to blame for what a series shows; anybody where it is no symptom.
    pub fn suspect(&self, key: &SeriesKey) -> Suspect {
        self.open.iter().find(|open| open.key == *key).map_or(Suspect::Anybody, |open| open.suspect)
    }
}

fn surging(key: &SeriesKey, churn: &Churn) -> Suspect {
    match key.label("metric").unwrap_or_default() {
        "forks_per_second" => churn.first().map_or(Suspect::Nobody, Suspect::Process),
        metric if metric.starts_with("tcp_") => Suspect::Nobody,
        _ => Suspect::Anybody,
    }
}
