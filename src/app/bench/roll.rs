//! Processes on a recording: what changed of them each second, and what was left by those nobody met.
//!
//! Only what symptoms and causes are found by is kept. Invariant: a process that goes on record once is told of when it ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::model::{Process, ProcessChange, ProcessId, ShortLived, ShortLivedBy, Snapshot};

/// A process: number, start, parent, name, tenths of CPU seconds, KiB of memory, open files, threads, KiB read and written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry(u32, u64, u32, String, u64, u64, Option<u32>, u32, Option<(u64, u64)>);

/// What one second changed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Turn {
    /// New ones and those with new figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    p: Vec<Entry>,
    /// Those that ended: number and start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    x: Vec<(u32, u64)>,
    /// CPU seconds of children nobody met, by their parent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    s: Vec<(u32, u64, f64)>,
}

/// Those on record.
#[derive(Debug, Default)]
pub struct Roll(BTreeMap<ProcessId, Entry>);

impl Roll {
    /// What changed since the second before.
    pub fn turn(&mut self, snapshot: &Snapshot) -> Turn {
        let now: BTreeMap<ProcessId, Entry> = snapshot.processes.iter().map(|p| (p.id, entry(p))).collect();
        let p = now.iter().filter(|(id, entry)| self.0.get(*id) != Some(*entry)).map(|(_, entry)| entry.clone()).collect();
        let x = self.0.keys().filter(|id| !now.contains_key(id)).map(|id| (id.pid, id.started)).collect();
        let left = snapshot.short_lived.iter().filter(|left| left.at == snapshot.at).flat_map(|left| left.by.iter());
        let s = left.map(|by| (by.parent.pid, by.parent.started, by.cpu_seconds)).collect();
        self.0 = now;
        Turn { p, x, s }
    }
}

fn entry(process: &Process) -> Entry {
    let moved = process.read_bytes.zip(process.written_bytes).map(|(read, written)| (read >> 10, written >> 10));
    let ProcessId { pid, started } = process.id;
    let (name, tenths) = (process.name.to_string(), (process.cpu_seconds * 10.0) as u64);
    Entry(pid, started, process.parent, name, tenths, process.memory_bytes >> 10, process.descriptors, process.threads, moved)
}

impl Turn {
    /// As a round tells it.
    pub fn change(&self, at: Timestamp) -> ProcessChange {
        let by = |(pid, started, cpu_seconds): &(u32, u64, f64)| ShortLivedBy {
            parent: ProcessId { pid: *pid, started: *started },
            name: "".into(),
            cpu_seconds: *cpu_seconds,
        };
        let left = || Arc::new(ShortLived { at, count: 0, by: self.s.iter().map(by).collect() });
        ProcessChange {
            changed: self.p.iter().map(|entry| Arc::new(process(entry))).collect(),
            gone: self.x.iter().map(|(pid, started)| ProcessId { pid: *pid, started: *started }).collect(),
            short_lived: (!self.s.is_empty()).then(left),
            ..ProcessChange::default()
        }
    }
}

fn process(Entry(pid, started, parent, name, tenths, memory, descriptors, threads, moved): &Entry) -> Process {
    Process {
        id: ProcessId { pid: *pid, started: *started },
        parent: *parent,
        name: name.as_str().into(),
        cpu_seconds: *tenths as f64 / 10.0,
        memory_bytes: memory << 10,
        descriptors: *descriptors,
        threads: *threads,
        read_bytes: moved.map(|(read, _)| read << 10),
        written_bytes: moved.map(|(_, written)| written << 10),
        ..Process::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_come_back_as_they_were() {
        let mut roll = Roll::default();
        let mut snapshot = Snapshot::empty(Arc::default());
        let one = Process {
            id: ProcessId { pid: 7, started: 9 },
            parent: 1,
            name: "leaker".into(),
            cpu_seconds: 1.5,
            memory_bytes: 4096,
            descriptors: Some(3),
            threads: 2,
            read_bytes: Some(0),
            written_bytes: Some(2048),
            ..Process::default()
        };
        snapshot.processes = [Arc::new(one.clone())].into();
        let turn = roll.turn(&snapshot);
        assert_eq!(turn.change(snapshot.at).changed, [Arc::new(one)]);
        assert_eq!(roll.turn(&snapshot), Turn::default(), "nothing changed");
        snapshot.processes = [].into();
        let left = turn_of(&mut roll, &mut snapshot);
        assert_eq!((left.gone.len(), left.short_lived.map(|left| left.by[0].cpu_seconds)), (1, Some(0.25)));
    }

    fn turn_of(roll: &mut Roll, snapshot: &mut Snapshot) -> ProcessChange {
        let by = ShortLivedBy { parent: ProcessId { pid: 1, started: 2 }, name: "sh".into(), cpu_seconds: 0.25 };
        snapshot.short_lived = [Arc::new(ShortLived { at: snapshot.at, count: 1, by: [by].into() })].into();
        roll.turn(snapshot).change(snapshot.at)
    }
}
