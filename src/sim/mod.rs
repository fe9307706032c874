//! The simulated machine of `farol demo` and of tests.
//!
//! No clock, no file, no thread: a seed and simulated times give readings, processes and check results.
//! Invariant: the same seed and the same times give the same values, and readings are sorted by key.

mod figures;
mod noise;
mod process;
mod series;
mod service;
mod story;
#[cfg(test)]
mod tests;

pub use service::SimService;
pub use story::HISTORY;

use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{CheckResult, HostFacts, Sample};
use figures::{Figures, Memory, Moment};
use noise::Noise;
use process::Processes;
use series::Board;
use service::{SERVICES, Surroundings};
use story::{Scene, Story};

/// A simulated web server with eight cores, a shop, a database, and a story: a nightly report fills the memory, `/var` fills
/// up, the mail relay fails, somebody floods the machine.
pub struct Machine {
    noise: Noise,
    story: Story,
    start: Timestamp,
    seq: u64,
    previous: Option<Timestamp>,
    checked: Option<Timestamp>,
    memory: Memory,
    scene: Scene,
    figures: Figures,
    processes: Processes,
    board: Board,
}

impl Machine {
    /// A machine whose story begins at `start`; the same seed tells the same story. It is in trouble [`HISTORY`] after `start`.
    pub fn new(seed: u64, start: Timestamp) -> Self {
        Self::telling(Story::Whole, seed, start)
    }

    /// A healthy machine: its visitors by day, its backup by night, two deployments a day, nothing else.
    pub fn quiet(seed: u64, start: Timestamp) -> Self {
        Self::telling(Story::Routine, seed, start)
    }

    fn telling(story: Story, seed: u64, start: Timestamp) -> Self {
        let noise = Noise::new(seed);
        Self {
            noise,
            story,
            start,
            seq: 0,
            previous: None,
            checked: None,
            memory: Memory::default(),
            scene: Scene::default(),
            figures: Figures::default(),
            processes: Processes::new(noise),
            board: Board::new(),
        }
    }

    /// The machine at `at`, which is not before the previous one. Any step works: a second and ten seconds give the same course.
    /// Counters begin with the second sample, as on a real machine.
    pub fn sample(&mut self, at: Timestamp) -> Sample {
        let since_previous = self.previous.filter(|p| *p < at).map(|p| at.since(p));
        let seconds = since_previous.map(|d| d.as_secs_f64());
        self.scene = Scene::at(self.story, self.noise, self.start, at);
        let booted = self.booted_at();
        let (mut processes, work) = self.processes.step(&self.scene, (at, booted), seconds.unwrap_or(0.0));
        let moment = Moment { noise: self.noise, start: self.start, at, seconds: seconds.unwrap_or(0.0) };
        self.figures = Figures::at(&moment, &self.scene, &work, &mut self.memory);
        processes.short_lived = self.processes.short_lived(at, self.figures.forks, seconds.unwrap_or(0.0));
        self.seq += 1;
        self.previous = Some(at);
        let readings = self.board.read(&self.figures, seconds);
        Sample { seq: self.seq, at, since_previous, readings, processes, faults: Vec::new() }
    }

    /// Results of the checks that fell due since the last call, one a service at most. They find what the latest sample shows, so
    /// call it after [`Machine::sample`].
    pub fn checks(&mut self, at: Timestamp) -> Vec<CheckResult> {
        let surroundings = Surroundings { noise: self.noise, start: self.start, scene: &self.scene, figures: &self.figures };
        let before = self.checked.replace(at);
        let due = |index: usize, service: &SimService| {
            // Services take turns within their interval.
            let offset = Duration::from_secs(index as u64 % service.interval.as_secs().max(1));
            let turn = |t: Timestamp| (t + offset).floor(service.interval);
            before.is_none_or(|before| turn(before) < turn(at))
        };
        let due = SERVICES.iter().enumerate().filter(|(index, service)| due(*index, service));
        due.filter_map(|(index, _)| surroundings.check(index, at)).collect()
    }

    /// What does not change.
    pub fn facts(&self) -> HostFacts {
        HostFacts {
            name: "web-01".to_owned(),
            system: "Debian 12".to_owned(),
            kernel: "6.1.0-18-amd64".to_owned(),
            cores: figures::CORES as u32,
            memory_bytes: figures::MEMORY as u64,
            booted_at: Some(self.booted_at()),
            labels: Default::default(),
        }
    }

    fn booted_at(&self) -> Timestamp {
        self.start - Duration::from_secs(figures::UP_BEFORE.unsigned_abs())
    }

    /// Its services, by name.
    pub fn services(&self) -> &'static [SimService] {
        SERVICES
    }
}
