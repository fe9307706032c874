//! Where rounds come from: this machine, or the simulated one.
//!
//! Invariant: time comes with the feed, so that a simulated day is a day for everything downstream.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::{Clock, SystemClock, Timestamp};
use crate::collect::{CollectConfig, Collector};
use crate::model::{CheckResult, Host, Sample};
use crate::sim::Machine;

/// What is watched.
pub enum Feed {
    /// This machine.
    Machine(Arc<dyn Host>),
    /// A made-up one.
    Simulated(Box<Simulation>),
}

/// The simulated machine and its clock.
pub struct Simulation {
    /// The machine.
    pub machine: Machine,
    /// Simulated now.
    pub at: Timestamp,
    /// Simulated seconds a second.
    pub speed: u32,
    /// How much history it has at the start.
    pub history: Duration,
}

/// Reads round after round.
pub(super) enum Reader {
    Machine { collector: Box<Collector>, clock: SystemClock },
    Simulated { simulation: Box<Simulation>, started: Instant, origin: Timestamp },
}

impl Reader {
    pub(super) fn new(feed: Feed, config: &CollectConfig) -> Self {
        match feed {
            Feed::Machine(host) => {
                Self::Machine { collector: Box::new(Collector::new(host, config)), clock: SystemClock::default() }
            }
            Feed::Simulated(simulation) => {
                let origin = simulation.at;
                Self::Simulated { simulation, started: Instant::now(), origin }
            }
        }
    }

    /// Reads everything once.
    pub(super) fn round(&mut self) -> (Sample, Vec<CheckResult>) {
        match self {
            Self::Machine { collector, clock } => (collector.round(clock.now(), clock.monotonic()), Vec::new()),
            Self::Simulated { simulation, started, origin } => {
                let at = *origin + started.elapsed() * simulation.speed;
                simulation.at = Timestamp(at.0 - at.0.rem_euclid(1000));
                (simulation.machine.sample(simulation.at), simulation.machine.checks(simulation.at))
            }
        }
    }

    /// Makes the sources anew; a simulation has none.
    pub(super) fn configure(&mut self, config: &CollectConfig) {
        if let Self::Machine { collector, .. } = self {
            **collector = collector.anew(config);
        }
    }

    pub(super) fn stop(&mut self) {
        if let Self::Machine { collector, .. } = self {
            collector.stop();
        }
    }
}
