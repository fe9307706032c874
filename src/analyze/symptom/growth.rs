//! Processes that take ever more of something and give nothing back.
//!
//! Looks every [`LOOK_SECONDS`] at what each process has. Invariant: a process is compared only with itself, and one whose rise is
//! small beside what is left is not told of.

use std::collections::HashMap;
use std::sync::Arc;

use super::rise::{Pace, Rise};
use crate::model::{Process, ProcessId, SeriesKey};

/// Open files, threads and children that more are a leak: as many files as a process may have by default (1,024), and as many threads
/// or processes as pools of usual size have.
const FILES: f64 = 1024.0;
const TASKS: f64 = 64.0;
const CHILDREN: f64 = 32.0;
/// Memory that lasts longer than this at the pace seen is the forecasts' part, in seconds.
const SOON: f64 = 3600.0;
/// Memory: share of what is left that must be gone. A pace is believed for fifty times as long as it was seen.
const SHARE_OF_REST: f64 = 0.02;
/// Who keeps this much of a core busy is at work (a compiler, a sort), and work takes what it needs: five times as much must be gone.
const AT_WORK: f64 = 0.3;
const WORK: f64 = 5.0;
/// Less memory than this is nothing to tell of, in bytes: caches and arenas of one process.
const LEAST_MEMORY: f64 = 64e6;

/// What a process can have ever more of: metric, how it is read, in how many parts a rise is looked at.
const LEVELS: [(&str, usize); 4] = [
    // Shared memory and many open files are counted every ten seconds only.
    ("process_memory_growth_bytes_per_second", 2),
    ("process_descriptors_growth_per_second", 2),
    ("process_threads_growth_per_second", 3),
    ("process_children_growth_per_second", 3),
];

#[derive(Debug)]
struct Course {
    rises: [Rise; LEVELS.len()],
    cpu_seconds: f64,
    look: u64,
}

/// Watches all processes.
#[derive(Debug, Default)]
pub struct Growth {
    courses: HashMap<ProcessId, Course>,
    look: u64,
    /// Those that grow now, and how fast.
    found: Vec<(SeriesKey, ProcessId, f64)>,
}

impl Growth {
    /// Looks at all processes, `step` seconds after the last time, with so many bytes of memory available.
    pub fn look(&mut self, processes: &[Arc<Process>], step: f64, available: Option<f64>) {
        self.look += 1;
        self.found.clear();
        let mut children: HashMap<u32, u32> = HashMap::new();
        for process in processes {
            *children.entry(process.parent).or_default() += 1;
        }
        // Threads of the kernel have neither memory nor files.
        for process in processes.iter().filter(|p| p.memory_bytes > 0) {
            let fresh = || Course { rises: Default::default(), cpu_seconds: process.cpu_seconds, look: 0 };
            let course = self.courses.entry(process.id).or_insert_with(fresh);
            course.look = self.look;
            let cores = (process.cpu_seconds - std::mem::replace(&mut course.cpu_seconds, process.cpu_seconds)) / step;
            let share = if cores >= AT_WORK { WORK * SHARE_OF_REST } else { SHARE_OF_REST };
            let levels = [
                // Shared pages are files that are read and what others hold as well.
                process.memory_bytes.saturating_sub(process.shared_bytes.unwrap_or(0)) as f64
                    + process.swap_bytes.unwrap_or(0) as f64,
                f64::from(process.descriptors.unwrap_or(0)),
                f64::from(process.threads),
                // The first process inherits whatever its parent leaves.
                if process.id.pid == 1 { 0.0 } else { f64::from(children.get(&process.id.pid).copied().unwrap_or(0)) },
            ];
            let enough = [available.map_or(f64::INFINITY, |left| LEAST_MEMORY.max(share * left)), FILES, TASKS, CHILDREN];
            let rises = course.rises.iter_mut().zip(LEVELS).zip(levels.into_iter().zip(enough));
            for ((rise, (metric, parts)), (level, enough)) in rises {
                let is_memory = metric == LEVELS[0].0;
                let lasts = |pace: &Pace| available.filter(|_| is_memory).map_or(0.0, |left| left / pace.per_second);
                let pace = rise.observe(level, step, parts).filter(|pace| pace.gain >= enough && lasts(pace) <= SOON);
                if let Some(Pace { per_second, .. }) = pace {
                    self.found.push((key(metric, process), process.id, per_second));
                }
            }
        }
        let look = self.look;
        self.courses.retain(|_, course| course.look == look);
    }

    /// Forgets all: after a gap.
    pub fn interrupt(&mut self) {
        self.courses.clear();
        self.found.clear();
    }

    /// Those that grow, and how fast.
    pub fn found(&self) -> &[(SeriesKey, ProcessId, f64)] {
        &self.found
    }
}

fn key(metric: &str, process: &Process) -> SeriesKey {
    SeriesKey::new(metric, [("process", &*process.name), ("pid", &process.id.pid.to_string())])
}
