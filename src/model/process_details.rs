//! All that can be told of one process when somebody looks at it.
//!
//! Read on demand, never every round. Invariant: what may not be read is absent, and `missing` says why;
//! what may hold secrets stands in [`Private`] alone.

use serde::{Deserialize, Serialize};

use super::{ProcessId, ProcessState, SourceFault};
use crate::base::Timestamp;

/// How deep one looks into a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessDepth {
    /// All but what may hold secrets.
    Public,
    /// Also its environment, open files and sockets.
    Private,
}

/// One process looked at in full.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessDetails {
    /// Which one.
    pub id: ProcessId,
    /// When it was looked at.
    pub at: Timestamp,
    /// Its arguments, whole and apart.
    pub arguments: Vec<String>,
    /// The program's file.
    pub executable: Option<String>,
    /// The folder it works in.
    pub folder: Option<String>,
    /// Its root folder.
    pub root: Option<String>,
    /// Open descriptors.
    pub descriptors: Option<u64>,
    /// Limits of what it may use.
    pub limits: Vec<ResourceLimit>,
    /// Its control group.
    pub cgroup: Option<ControlGroup>,
    /// What it is permitted to do.
    pub capabilities: Option<Capabilities>,
    /// Where its memory is.
    pub memory: Option<MemoryUse>,
    /// Its threads, by number; at most 1,024.
    pub threads: Vec<ThreadDetails>,
    /// How willingly the kernel ends it when memory runs out: 0 never to 1000 first, as the kernel rates it now.
    pub oom_score: Option<u64>,
    /// The user's part of that, −1000 to 1000.
    pub oom_score_adjustment: Option<i64>,
    /// In the kernel, what it waits for.
    pub waits_in: Option<String>,
    /// What may hold secrets; `None` where it was not asked for.
    pub private: Option<Private>,
    /// What could not be read, and why.
    pub missing: Vec<SourceFault>,
}

/// What of a process may hold secrets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Private {
    /// Names and values, as they were at its start.
    pub environment: Vec<(String, String)>,
    /// Open files, pipes and what else is no socket of the network; by descriptor, at most 4,096 with the sockets.
    pub files: Vec<OpenFile>,
    /// Sockets, by descriptor.
    pub sockets: Vec<ProcessSocket>,
}

/// An open file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OpenFile {
    /// Its descriptor.
    pub descriptor: u32,
    /// Path, or what the kernel calls it (`pipe:[123]`, `anon_inode:[eventpoll]`).
    pub target: String,
    /// Position in bytes, where it was read.
    pub position: Option<u64>,
    /// Opened for writing; `None` where it could not be read.
    pub writes: Option<bool>,
}

/// A socket of a process.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProcessSocket {
    /// Its descriptor.
    pub descriptor: u32,
    /// `tcp`, `tcp6`, `udp`, `udp6`, `unix` or `other`.
    pub protocol: String,
    /// This end: address and port, or the path of a Unix socket; empty where it has none.
    pub local: String,
    /// The other end; empty where it has none.
    pub remote: String,
    /// State as ss(8) writes it (`ESTAB`, `LISTEN`); empty where the protocol has none.
    pub state: String,
}

/// A limit of setrlimit(2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ResourceLimit {
    /// The kernel's name (`Max open files`).
    pub name: String,
    /// In force; `None`: unlimited.
    pub soft: Option<u64>,
    /// The most it may be raised to; `None`: unlimited.
    pub hard: Option<u64>,
    /// `bytes`, `files`, `seconds` …; empty for a plain number.
    pub unit: String,
}

/// The control group of a process, version 2.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ControlGroup {
    /// Path below the root of the hierarchy.
    pub path: String,
    /// Memory of all in it, in bytes.
    pub memory_bytes: Option<u64>,
    /// The most they may have; `None`: no limit.
    pub memory_limit_bytes: Option<u64>,
    /// The most CPU they may use, in cores; `None`: no limit.
    pub cpu_limit: Option<f64>,
    /// Their share of CPU against others, 1 to 10,000.
    pub cpu_weight: Option<u64>,
    /// Processes and threads in it.
    pub tasks: Option<u64>,
    /// The most there may be; `None`: no limit.
    pub tasks_limit: Option<u64>,
    /// Processes ended because its memory ran out.
    pub oom_kills: Option<u64>,
}

/// Sets of capabilities by name without `CAP_`, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// In force.
    pub effective: Vec<String>,
    /// May be put in force.
    pub permitted: Vec<String>,
    /// Stay over exec.
    pub inheritable: Vec<String>,
    /// Stay over exec of a program without any.
    pub ambient: Vec<String>,
    /// The most it can ever get; empty with `bounding_all`.
    pub bounding: Vec<String>,
    /// The bounding set holds all that this kernel knows.
    pub bounding_all: bool,
    /// exec gives it no new privileges.
    pub no_new_privileges: Option<bool>,
    /// `off`, `strict` or `filter`.
    pub seccomp: Option<String>,
}

/// Where the memory of a process is, in bytes; sums over its maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryUse {
    /// Resident.
    pub resident: u64,
    /// Resident, what is shared counted by its share: these add up over processes.
    pub proportional: u64,
    /// Resident and of nobody else: what its end would free.
    pub unique: u64,
    /// Of no file.
    pub anonymous: u64,
    /// Of files and shared memory.
    pub shared: u64,
    /// In huge pages.
    pub huge: u64,
    /// Swapped out.
    pub swapped: u64,
    /// Swapped out, by its share.
    pub swapped_proportional: u64,
    /// Locked into memory.
    pub locked: u64,
}

/// A thread.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ThreadDetails {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: ProcessState,
    /// CPU time since its start, in seconds, to a clock tick.
    pub cpu_seconds: f64,
    /// The core it last ran on.
    pub core: u32,
    /// The kernel's priority.
    pub priority: i16,
}
