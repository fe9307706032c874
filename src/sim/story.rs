//! What happens to the machine, as data.
//!
//! Times count from the start of the story; a day and two hours into it, it is the moment of the reference screens: the
//! nightly report has filled the memory, the shop waits for it, the mail relay is down. Invariant: what
//! happens depends on the time alone.

use std::time::Duration;

use super::noise::Noise;
use crate::base::Timestamp;

/// How long the machine is healthy before its incidents: a machine whose story began this long ago is in trouble now.
/// A day and its night to learn from, and two hours more.
pub const HISTORY: Duration = Duration::from_secs(TROUBLE);

const DAY: u64 = 86_400;
/// The moment of the reference screens.
const TROUBLE: u64 = 26 * 3600;
const MINUTE: u64 = 60;

/// Something that goes on for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Incident {
    /// The report whose query takes more and more memory, until it is canceled.
    Report,
    /// The mail relay refuses connections.
    Outage,
    /// A flood of connections and log-in attempts.
    Attack,
    /// The nightly backup.
    Backup,
    /// A new version of the shop.
    Deploy,
}

impl Incident {
    /// Whether it belongs to a healthy machine's days.
    fn is_routine(self) -> bool {
        matches!(self, Self::Backup | Self::Deploy)
    }
}

/// Which part of the story is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Story {
    /// All of it.
    Whole,
    /// Only what comes at its time and does no harm.
    Routine,
}

/// One incident: when it first starts, how often it comes again, how long it lasts; in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Episode {
    pub incident: Incident,
    pub first: u64,
    pub every: u64,
    pub lasts: u64,
}

/// The story.
pub(super) const STORY: &[Episode] = &[
    Episode { incident: Incident::Report, first: TROUBLE - 23 * MINUTE, every: DAY, lasts: 40 * MINUTE },
    Episode { incident: Incident::Outage, first: TROUBLE - 41 * MINUTE, every: DAY, lasts: 66 * MINUTE },
    Episode { incident: Incident::Attack, first: TROUBLE + 30 * MINUTE, every: DAY / 3, lasts: 12 * MINUTE },
    Episode { incident: Incident::Backup, first: 210 * MINUTE, every: DAY, lasts: 25 * MINUTE },
    Episode { incident: Incident::Deploy, first: 780 * MINUTE, every: DAY / 2, lasts: 3 * MINUTE },
];

/// Use of `/var`, 0–1: at the start, what comes in a day, where old logs are thrown away, and what is left then.
const VAR_AT_START: f64 = 0.839;
const VAR_PER_DAY: f64 = 0.038;
const VAR_CLEANED_AT: f64 = 0.985;
const VAR_AFTER_CLEANING: f64 = 0.60;

impl Episode {
    /// Which time it is (from 0) and how many seconds it has lasted; `None` while it does not happen.
    pub(super) fn now(&self, since_start: f64) -> Option<(u64, f64)> {
        let since_first = since_start - self.first as f64;
        if since_first < 0.0 {
            return None;
        }
        let (times, within) = ((since_first / self.every as f64).floor(), since_first % self.every as f64);
        (within < self.lasts as f64).then_some((times as u64, within))
    }
}

/// What is going on at one moment; strengths are 0–1.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scene {
    /// How many visitors there are: least at four in the morning UTC, most at two in the afternoon.
    pub visitors: f64,
    /// The report: which time, and for how many seconds.
    pub report: Option<(u64, f64)>,
    pub outage: bool,
    pub attack: f64,
    pub backup: f64,
    pub deploy: f64,
    /// Use of `/var`, 0–1.
    pub var_used: f64,
}

impl Scene {
    pub(super) fn at(story: Story, noise: Noise, start: Timestamp, at: Timestamp) -> Self {
        let since_start = (at.millis() - start.millis()) as f64 / 1000.0;
        let var_used = if story == Story::Whole { var_used(since_start) } else { VAR_AFTER_CLEANING };
        let mut scene = Self { visitors: visitors(noise, at), var_used, ..Self::default() };
        for episode in STORY.iter().filter(|e| story == Story::Whole || e.incident.is_routine()) {
            let Some((times, seconds)) = episode.now(since_start) else { continue };
            let strength = ramp(seconds, episode.lasts as f64);
            match episode.incident {
                Incident::Report => scene.report = Some((times, seconds)),
                Incident::Outage => scene.outage = true,
                Incident::Attack => scene.attack = strength,
                Incident::Backup => scene.backup = strength,
                Incident::Deploy => scene.deploy = strength,
            }
        }
        scene
    }
}

fn visitors(noise: Noise, at: Timestamp) -> f64 {
    let hour = at.millis().rem_euclid(DAY as i64 * 1000) as f64 / 3_600_000.0;
    let curve = 0.5 - 0.5 * ((hour - 3.0) / 24.0 * std::f64::consts::TAU).cos();
    // Flat at night, steep in the morning.
    (0.12 + 0.8 * curve.powf(1.3) + 0.08 * noise.wander(0, at)).clamp(0.02, 1.0)
}

fn var_used(since_start: f64) -> f64 {
    let grown = VAR_AT_START + VAR_PER_DAY * since_start.max(0.0) / DAY as f64;
    if grown < VAR_CLEANED_AT {
        return grown;
    }
    VAR_AFTER_CLEANING + (grown - VAR_CLEANED_AT) % (VAR_CLEANED_AT - VAR_AFTER_CLEANING)
}

/// Rises within twenty seconds, falls within the last twenty.
fn ramp(seconds: f64, lasts: f64) -> f64 {
    (seconds / 20.0).min((lasts - seconds) / 20.0).clamp(0.0, 1.0)
}
