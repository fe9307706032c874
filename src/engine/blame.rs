//! Who used what: the processes at the second an alert fires, and how they changed.
//!
//! Keeps the top processes of the last quarter of an hour in a few numbers each. Invariant: a process
//! is compared only with itself (number and start).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Ring, Timestamp};
use crate::model::{Culprit, Process, ProcessId};

/// Processes kept by each resource.
pub const TOP: usize = 10;

/// Time between two looks; the store keeps the same rows.
pub const EVERY: Duration = Duration::from_secs(10);

/// Looks remembered: a quarter of an hour.
const LOOKS: usize = 90;

/// How long before an alert its cause may have begun.
const LEAD: Duration = Duration::from_secs(600);

/// Share of the largest use from which growth is a cause, not noise.
const GROWTH: f64 = 0.02;

/// Culprits named in an alert.
const NAMED: usize = 5;

/// What a process can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Cores.
    Cpu,
    /// Bytes of memory.
    Memory,
    /// Bytes per second read and written.
    Disk,
}

impl Resource {
    /// The resource a metric is about; `None` where no process is to blame for it (a service that is down).
    pub fn of(metric: &str) -> Option<Self> {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|p| metric.starts_with(p));
        if starts(&["memory", "swap", "oom", "major_faults"]) {
            Some(Self::Memory)
        } else if starts(&["disk", "filesystem"]) {
            Some(Self::Disk)
        } else if starts(&["service", "prediction", "farol", "battery", "network_link"]) {
            None
        } else {
            Some(Self::Cpu)
        }
    }

    /// How much of it a process uses.
    pub fn used_by(self, process: &Process) -> f64 {
        match self {
            Self::Cpu => process.cpu,
            Self::Memory => process.memory_bytes as f64,
            Self::Disk => process.read_bytes_per_second.unwrap_or(0.0) + process.write_bytes_per_second.unwrap_or(0.0),
        }
    }
}

/// The top processes by each resource, each once, by id.
pub fn top(processes: &[Arc<Process>]) -> Vec<Arc<Process>> {
    let mut chosen: Vec<Arc<Process>> = Vec::with_capacity(3 * TOP);
    for resource in [Resource::Cpu, Resource::Memory, Resource::Disk] {
        chosen.extend(top_by(processes, resource, TOP).into_iter().cloned());
    }
    chosen.sort_by_key(|p| p.id);
    chosen.dedup_by_key(|p| p.id);
    chosen
}

fn top_by(processes: &[Arc<Process>], resource: Resource, n: usize) -> Vec<&Arc<Process>> {
    let mut using: Vec<(f64, &Arc<Process>)> =
        processes.iter().map(|p| (resource.used_by(p), p)).filter(|(used, _)| *used > 0.0).collect();
    let order = |a: &(f64, _), b: &(f64, _)| b.0.total_cmp(&a.0);
    if using.len() > n {
        using.select_nth_unstable_by(n, order);
        using.truncate(n);
    }
    using.sort_by(order);
    using.into_iter().map(|(_, p)| p).collect()
}

/// What the top processes used lately.
pub struct Blame {
    looks: Ring<(Timestamp, HashMap<ProcessId, [f32; 3]>)>,
}

impl Default for Blame {
    fn default() -> Self {
        Self { looks: Ring::new(LOOKS) }
    }
}

impl Blame {
    /// Remembers the top processes; called every [`EVERY`].
    pub fn look(&mut self, at: Timestamp, top: &[Arc<Process>]) {
        let used = |p: &Process| [Resource::Cpu, Resource::Memory, Resource::Disk].map(|r| r.used_by(p) as f32);
        self.looks.push((at, top.iter().map(|p| (p.id, used(p))).collect()));
    }

    /// Those who use most of it now, with how that changed since shortly before `since`.
    pub fn culprits(&self, processes: &[Arc<Process>], resource: Resource, since: Timestamp) -> Vec<Culprit> {
        // What led to it began before it.
        let before = self.looks.iter().rev().find(|(at, _)| *at <= since - LEAD).or_else(|| self.looks.first());
        let culprit = |p: &Arc<Process>| {
            let value = resource.used_by(p);
            // Not among the top then: it used less than all of those, which is as good as nothing.
            let change = before.map(|(_, used)| value - used.get(&p.id).map_or(0.0, |u| f64::from(u[resource as usize])));
            let unit = p.container.as_ref().or(p.unit.as_ref()).map(|u| u.to_string());
            Culprit { name: p.name.to_string(), pid: p.id.pid, unit, value, change }
        };
        let mut culprits: Vec<Culprit> = top_by(processes, resource, TOP).into_iter().map(culprit).collect();
        // Whoever grew is to blame before whoever was always large.
        let blame = |c: &Culprit| c.change.filter(|_| resource != Resource::Cpu).map_or(c.value, |d| d.max(0.0));
        let grew = culprits.iter().map(blame).fold(0.0, f64::max);
        if grew > GROWTH * culprits.first().map_or(0.0, |c| c.value) {
            culprits.sort_by(|a, b| blame(b).total_cmp(&blame(a)));
        }
        culprits.truncate(NAMED);
        culprits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, memory: u64, cpu: f64) -> Arc<Process> {
        Arc::new(Process {
            id: ProcessId { pid, started: 1 },
            name: format!("p{pid}").into(),
            memory_bytes: memory,
            cpu,
            ..Process::default()
        })
    }

    #[test]
    fn the_one_that_grew_is_named_before_the_large_one() {
        let mut blame = Blame::default();
        let at = Timestamp::from_seconds(1000);
        blame.look(at, &[process(1, 8_000, 0.1), process(2, 1_000, 0.1)]);
        let now = [process(1, 8_000, 0.1), process(2, 5_000, 0.1)];
        let culprits = blame.culprits(&now, Resource::Memory, at);
        let named: Vec<(u32, Option<f64>)> = culprits.iter().map(|c| (c.pid, c.change)).collect();
        assert_eq!(named, [(2, Some(4_000.0)), (1, Some(0.0))]);
    }

    #[test]
    fn the_busiest_is_named_for_cpu() {
        let now = [process(1, 8_000, 0.1), process(2, 1_000, 0.9), process(3, 1_000, 0.0)];
        let culprits = Blame::default().culprits(&now, Resource::Cpu, Timestamp(0));
        assert_eq!(culprits.iter().map(|c| c.pid).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn nobody_is_to_blame_for_a_service() {
        assert_eq!(Resource::of("service_state"), None);
        assert_eq!(Resource::of("cpu_usage_ratio"), Some(Resource::Cpu));
    }

    #[test]
    fn top_names_each_process_once() {
        let all: Vec<Arc<Process>> = (0..100).map(|i| process(i, u64::from(i), f64::from(i))).collect();
        assert_eq!(top(&all).len(), 10);
    }
}
