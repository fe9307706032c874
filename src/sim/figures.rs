//! What the machine measures in a scene.
//!
//! Every figure follows from the scene and the work of the processes, so that they agree with each other.
//! Invariant: ratios lie within 0–1, nothing is negative, everything is finite.

use super::noise::Noise;
use super::process::{MIB, REPORT_BYTES_PER_SECOND, Work};
use super::story::Scene;
use crate::base::Timestamp;

pub(super) const CORES: usize = 8;
const GIB: f64 = 1_073_741_824.0;
/// 24 GiB.
pub(super) const MEMORY: f64 = 24.0 * GIB;
pub(super) const SWAP: f64 = 4.0 * GIB;
/// Up since twelve days before the story, as on the reference screens.
pub(super) const UP_BEFORE: i64 = 12 * 86_400;

/// One moment's figures, in base units.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Figures {
    /// Threads running or waiting, averaged over 1, 5 and 15 minutes.
    pub load: [f64; 3],
    pub cpu: f64,
    pub cores: [f64; CORES],
    pub user: f64,
    pub system: f64,
    pub softirq: f64,
    pub iowait: f64,
    pub steal: f64,
    pub idle: f64,
    pub frequency: f64,
    pub memory_used: f64,
    pub cached: f64,
    pub dirty: f64,
    pub swap_used: f64,
    pub swap_in: f64,
    pub swap_out: f64,
    pub root_used: f64,
    pub var_used: f64,
    pub backup_used: f64,
    pub read: f64,
    pub written: f64,
    pub busy: f64,
    pub receive: f64,
    pub transmit: f64,
    pub loopback: f64,
    pub established: f64,
    pub syn_recv: f64,
    pub time_wait: f64,
    pub retransmits: f64,
    pub processes: f64,
    pub running: f64,
    pub threads: f64,
    pub forks: f64,
    pub uptime: f64,
    /// How much the shop waits for memory, 0–1.
    pub starved: f64,
    pub heat: f64,
}

/// What must be remembered from moment to moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Memory {
    load: Option<[f64; 3]>,
    heat: Option<f64>,
}

/// The moment: its noise, its time and the seconds since the one before.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub noise: Noise,
    pub start: Timestamp,
    pub at: Timestamp,
    pub seconds: f64,
}

impl Moment {
    /// Around 1, by at most `width`.
    fn around(&self, stream: u32, width: f64) -> f64 {
        1.0 + width * self.noise.wander(stream, self.at)
    }
}

impl Figures {
    pub(super) fn at(moment: &Moment, scene: &Scene, work: &Work, memory: &mut Memory) -> Self {
        let mut f = Self { uptime: ((moment.at.millis() - moment.start.millis()) / 1000 + UP_BEFORE) as f64, ..Self::default() };
        f.memory(moment, scene);
        f.disks(moment, scene, work);
        f.cpu(moment, scene, work);
        f.network(moment, scene);
        f.counts(moment, scene, work);
        let runnable = (f.cpu + f.iowait) * CORES as f64 * (1.0 + 0.6 * f.cpu);
        let load = [60.0, 300.0, 900.0];
        f.load = std::array::from_fn(|i| {
            let before = memory.load.map_or(runnable, |l| l[i]);
            runnable + (before - runnable) * (-moment.seconds / load[i]).exp()
        });
        // A heat sink follows within two minutes.
        let heat = memory.heat.map_or(f.cpu, |before| f.cpu + (before - f.cpu) * (-moment.seconds / 120.0).exp());
        f.heat = heat;
        *memory = Memory { load: Some(f.load), heat: Some(heat) };
        f
    }

    fn memory(&mut self, moment: &Moment, scene: &Scene) {
        let report = scene.report.map_or(0.0, |(_, seconds)| seconds * REPORT_BYTES_PER_SECOND / MEMORY);
        let level = 0.715 + 0.035 * scene.visitors + 0.008 * moment.noise.wander(40, moment.at);
        // The kernel never gives out the last of it.
        self.memory_used = (level + report + 0.02 * scene.backup).min(0.975);
        self.cached = (1.0 - self.memory_used) * 0.72 * MEMORY;
        self.starved = ((self.memory_used - 0.86) / 0.06).clamp(0.0, 1.0);
        self.swap_used = (0.05 + 1.9 * (self.memory_used - 0.86).max(0.0)).min(0.6);
        self.swap_in = 2.4 * MIB * self.starved * moment.around(44, 0.5);
        self.swap_out = 3.1 * MIB * self.starved * moment.around(48, 0.5);
    }

    fn disks(&mut self, moment: &Moment, scene: &Scene, work: &Work) {
        self.read = work.read + self.swap_in;
        self.written = work.written + self.swap_out;
        self.busy = ((self.read + 1.5 * self.written) / (260.0 * MIB) + 0.3 * self.starved).min(0.98);
        self.dirty = 24.0 * MIB + 6.0 * self.written * moment.around(52, 0.3);
        self.root_used = 0.71 + 0.002 * moment.noise.smooth(56, moment.at, 7200);
        self.var_used = scene.var_used + 0.0004 * moment.noise.smooth(57, moment.at, 900);
        self.backup_used = 0.83 + 0.004 * scene.backup;
    }

    fn cpu(&mut self, moment: &Moment, scene: &Scene, work: &Work) {
        self.cpu = (work.cpu / CORES as f64 + 0.012 * moment.around(60, 0.5) + 0.16 * scene.attack).min(0.985);
        self.iowait = ((0.004 + 0.11 * self.starved + 0.07 * scene.backup) * moment.around(64, 0.4)).min(1.0 - self.cpu);
        self.softirq = self.cpu * (0.03 + 0.25 * scene.attack);
        self.steal = 0.001 * (1.0 + moment.noise.smooth(68, moment.at, 20));
        self.system = self.cpu * (0.2 + 0.05 * self.starved);
        self.user = (self.cpu - self.softirq - self.system - self.steal).max(0.0);
        self.idle = (1.0 - self.cpu - self.iowait).max(0.0);
        self.frequency = 2.4e9 + 1.2e9 * self.cpu;
        // Each core its share: those that serve interrupts a little more.
        let weight = |core: usize| (1.0 + 0.4 / (1.0 + core as f64)) * moment.around(80 + core as u32 * 4, 0.55);
        let weights: [f64; CORES] = std::array::from_fn(weight);
        let scale = self.cpu * CORES as f64 / weights.iter().sum::<f64>();
        self.cores = weights.map(|w| (w * scale).clamp(0.0, 1.0));
    }

    fn network(&mut self, moment: &Moment, scene: &Scene) {
        self.receive = (0.3 + 4.2 * scene.visitors + 9.0 * scene.attack) * MIB * moment.around(120, 0.35);
        self.transmit = (0.5 + 10.5 * scene.visitors + 1.5 * scene.attack + 21.0 * scene.backup) * MIB * moment.around(124, 0.35);
        self.loopback = (1.0 + 9.0 * scene.visitors) * MIB * moment.around(128, 0.2);
        self.established = (140.0 + 1150.0 * scene.visitors) * moment.around(132, 0.12) + 3400.0 * scene.attack;
        self.syn_recv = 2.0 + 1900.0 * scene.attack * moment.around(136, 0.2);
        self.time_wait = (60.0 + 420.0 * scene.visitors) * moment.around(140, 0.2);
        self.retransmits = (0.2 + 0.6 * scene.visitors + 38.0 * scene.attack) * moment.around(144, 0.6);
    }

    fn counts(&mut self, moment: &Moment, scene: &Scene, work: &Work) {
        self.processes = work.n as f64;
        self.running = (self.cpu * CORES as f64).ceil();
        self.threads = f64::from(work.threads) + 96.0;
        self.forks = (3.0 + 9.0 * scene.visitors + 60.0 * scene.attack) * moment.around(148, 0.5);
    }
}
