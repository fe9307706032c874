//! Processes: what one is doing, and what changed since the round before.
//!
//! Process figures never become series. Invariant: a process is its number *and* its start time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

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

/// By which rule the kernel gives a process its turn; see sched(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheduler {
    /// Shared by weight; what nearly all have.
    #[default]
    Normal,
    /// Real time, until it waits.
    Fifo,
    /// Real time, in turns.
    RoundRobin,
    /// Shared, for work nobody waits for.
    Batch,
    /// Only what nobody else wants.
    Idle,
    /// Real time, by deadline.
    Deadline,
    /// A scheduler loaded at run time.
    Extension,
}

impl Scheduler {
    /// From the kernel's number (`SCHED_*` of linux/sched.h); unknown ones are normal.
    pub fn from_number(number: u64) -> Self {
        match number {
            1 => Self::Fifo,
            2 => Self::RoundRobin,
            3 => Self::Batch,
            5 => Self::Idle,
            6 => Self::Deadline,
            7 => Self::Extension,
            _ => Self::Normal,
        }
    }

    /// The name people use, as chrt(1) prints it in short.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Fifo => "fifo",
            Self::RoundRobin => "rr",
            Self::Batch => "batch",
            Self::Idle => "idle",
            Self::Deadline => "deadline",
            Self::Extension => "ext",
        }
    }
}

/// One process in one round.
///
/// What stands in `/proc/PID/stat` and `io` is of this round or of the last one in which it did anything. What only
/// `status` tells (shared, swapped and most memory, switches) is at most ten seconds older.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
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
    /// The part of it spent in the kernel, in seconds, to a clock tick.
    pub system_seconds: f64,
    /// CPU time of its children that ended and that it waited for, and of theirs, in seconds, to a clock tick.
    pub children_seconds: f64,
    /// When it was started; `None` where the machine's start is not known.
    pub started_at: Option<Timestamp>,
    /// Resident memory, in bytes.
    pub memory_bytes: u64,
    /// Address space, in bytes, whether used or not.
    pub virtual_bytes: u64,
    /// The part of the resident memory that others may share (files and shared memory), in bytes.
    pub shared_bytes: Option<u64>,
    /// Memory swapped out, in bytes.
    pub swap_bytes: Option<u64>,
    /// The most it was ever resident with, in bytes.
    pub peak_bytes: Option<u64>,
    /// Bytes read from devices per second; `None` where not permitted.
    pub read_bytes_per_second: Option<f64>,
    /// Bytes written to devices per second; `None` where not permitted.
    pub write_bytes_per_second: Option<f64>,
    /// Bytes read from devices since its start; `None` where not permitted.
    pub read_bytes: Option<u64>,
    /// Bytes written to devices since its start; `None` where not permitted.
    pub written_bytes: Option<u64>,
    /// Open files, sockets among them; `None` for a kernel thread and where not permitted.
    pub descriptors: Option<u32>,
    /// Threads.
    pub threads: u32,
    /// Nice value, −20 to 19.
    pub nice: i8,
    /// The kernel's priority: 0 to 39 shared, below 0 real time.
    pub priority: i16,
    /// By which rule it gets its turn.
    pub scheduler: Scheduler,
    /// The core it last ran on.
    pub core: u32,
    /// Page faults answered without a device, since its start.
    pub minor_faults: u64,
    /// Page faults for which a device had to be read, since its start.
    pub major_faults: u64,
    /// Times it gave its core away to wait, since its start; of its first thread.
    pub voluntary_switches: Option<u64>,
    /// Times its core was taken from it, since its start; of its first thread.
    pub involuntary_switches: Option<u64>,
    /// Its terminal (`pts/3`); `None` where it has none.
    pub terminal: Option<Arc<str>>,
    /// Number of its session.
    pub session: u32,
    /// systemd unit, without `.service`; `None` where it has none.
    pub unit: Option<Arc<str>>,
    /// Container's name or short id; `None` where it is in none.
    pub container: Option<Arc<str>>,
    /// Control group, as a path below the root of the hierarchy; `None` for that root and where it cannot be read.
    pub cgroup: Option<Arc<str>>,
}

/// A process that ended, and what it had used by then.
///
/// Its figures are those of its last reading: at most one round before its end. One that began and ended between two rounds
/// is not seen; what such ones left is in [`ShortLived`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndedProcess {
    /// As it was last read.
    pub process: Arc<Process>,
    /// The round in which it was found gone.
    pub at: Timestamp,
}

/// What those left in one round that began and ended since the round before, so that nobody met them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShortLived {
    /// The round.
    pub at: Timestamp,
    /// How many processes and threads were given a number that belongs to nobody any more; 0 where that is not known.
    pub count: u32,
    /// Whose children they were, those that used most first.
    pub by: Arc<[ShortLivedBy]>,
}

/// What the children of one process used unseen: those never met, and the others since they were last looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShortLivedBy {
    /// The process that waited for them; where their own parent ended too, the nearest that is left.
    pub parent: ProcessId,
    /// Its name.
    pub name: Arc<str>,
    /// CPU time of all of them, in seconds.
    pub cpu_seconds: f64,
}

/// Rounds of [`ShortLived`] kept in a snapshot: a minute where a round is a second.
pub const MOST_SHORT_LIVED: usize = 60;

/// Ended processes kept in a snapshot: the newest of them.
pub const MOST_ENDED: usize = 256;

/// What one process used at a moment; of its history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProcessPoint {
    /// Start of the span.
    pub at: Timestamp,
    /// Mean CPU, in cores.
    pub cpu: f64,
    /// Largest resident memory, in bytes.
    pub memory_bytes: u64,
    /// Mean bytes read per second; `None` where not permitted.
    pub read_bytes_per_second: Option<f64>,
    /// Mean bytes written per second; `None` where not permitted.
    pub write_bytes_per_second: Option<f64>,
}

/// What changed among the processes in one round.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProcessChange {
    /// New ones and those with a new figure.
    pub changed: Vec<Arc<Process>>,
    /// Those that ended.
    pub gone: Vec<ProcessId>,
    /// What those had used that are worth telling: the ones that used most.
    #[serde(default)]
    pub ended: Vec<Arc<EndedProcess>>,
    /// What those left that were not met; `None` where there were none.
    #[serde(default)]
    pub short_lived: Option<Arc<ShortLived>>,
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
