//! Processes: what one is doing, and what changed since the round before.
//!
//! Process figures never become series. Invariant: a process is its number *and* its start time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Number and start: tells a process from a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ProcessId {
    /// Process number.
    pub pid: u32,
    /// Start, in clock ticks since boot.
    pub started: u64,
}

/// What the kernel says a process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessState {
    /// On a core or waiting for one.
    Running,
    /// Waiting for an event.
    #[default]
    Sleeping,
    /// Waiting for a device; cannot be interrupted.
    DiskSleep,
    /// Stopped by a signal.
    Stopped,
    /// Stopped by a debugger.
    Traced,
    /// Ended, not yet reaped.
    Zombie,
    /// Idle kernel thread.
    Idle,
    /// Ended.
    Dead,
}

impl ProcessState {
    /// The kernel's letter.
    pub fn letter(self) -> char {
        match self {
            Self::Running => 'R',
            Self::Sleeping => 'S',
            Self::DiskSleep => 'D',
            Self::Stopped => 'T',
            Self::Traced => 't',
            Self::Zombie => 'Z',
            Self::Idle => 'I',
            Self::Dead => 'X',
        }
    }

    /// From the kernel's letter; unknown ones are asleep.
    pub fn from_letter(letter: u8) -> Self {
        match letter {
            b'R' => Self::Running,
            b'D' => Self::DiskSleep,
            b'T' => Self::Stopped,
            b't' => Self::Traced,
            b'Z' => Self::Zombie,
            b'I' => Self::Idle,
            b'X' | b'x' => Self::Dead,
            _ => Self::Sleeping,
        }
    }
}

/// One process in one round.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Process {
    /// Number and start.
    pub id: ProcessId,
    /// Number of its parent; 0 for none.
    pub parent: u32,
    /// Its owner.
    pub user: Arc<str>,
    /// The kernel's short name.
    pub name: Arc<str>,
    /// Command line, parts separated by a blank; the name in brackets for a kernel thread.
    pub command: Arc<str>,
    /// What it is doing.
    pub state: ProcessState,
    /// CPU over its own two readings, in cores: 1.0 is one core.
    pub cpu: f64,
    /// CPU time since its start, in seconds.
    pub cpu_seconds: f64,
    /// Resident memory, in bytes.
    pub memory_bytes: u64,
    /// Bytes read from devices per second; `None` where not permitted.
    pub read_bytes_per_second: Option<f64>,
    /// Bytes written to devices per second; `None` where not permitted.
    pub write_bytes_per_second: Option<f64>,
    /// Threads.
    pub threads: u32,
    /// Nice value, −20 to 19.
    pub nice: i8,
    /// systemd unit, without `.service`; `None` where it has none.
    pub unit: Option<Arc<str>>,
    /// Container's name or short id; `None` where it is in none.
    pub container: Option<Arc<str>>,
}

/// What changed among the processes in one round.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProcessChange {
    /// New ones and those with a new figure.
    pub changed: Vec<Arc<Process>>,
    /// Those that ended.
    pub gone: Vec<ProcessId>,
}

impl ProcessChange {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.gone.is_empty()
    }

    /// The list (sorted by id) after this change; shares what did not change.
    pub fn apply(&self, list: &[Arc<Process>]) -> Arc<[Arc<Process>]> {
        let mut next: Vec<Arc<Process>> = list.to_vec();
        for gone in &self.gone {
            if let Ok(at) = next.binary_search_by_key(gone, |p| p.id) {
                next.remove(at);
            }
        }
        for process in &self.changed {
            match next.binary_search_by_key(&process.id, |p| p.id) {
                Ok(at) => next[at] = Arc::clone(process),
                Err(at) => next.insert(at, Arc::clone(process)),
            }
        }
        next.into()
    }
}
