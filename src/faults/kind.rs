//! The kinds of faults.
//!
//! Never makes one. Invariant: names are stable, because recordings hold them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A process takes memory and gives none back.
    MemLeak,
    /// A process opens files and closes none.
    FdLeak,
    /// A file grows.
    DiskFill,
    /// A process takes a core, or two.
    CpuHog,
    /// Processes are started and end, one after the other.
    ForkStorm,
    /// Processes are started and do not end.
    ProcPile,
    /// Small writes, each down to the device.
    IoStorm,
    /// Connections are opened and closed.
    ConnFlood,
    /// Datagrams nobody reads.
    LoFlood,
    /// A service answers more and more slowly.
    SvcLatency,
    /// It answers after seconds.
    SvcHang,
    /// It answers that it cannot.
    SvcErr,
    /// A log is written far more often.
    LogBurst,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::MemLeak,
        Self::FdLeak,
        Self::DiskFill,
        Self::CpuHog,
        Self::ForkStorm,
        Self::ProcPile,
        Self::IoStorm,
        Self::ConnFlood,
        Self::LoFlood,
        Self::SvcLatency,
        Self::SvcHang,
        Self::SvcErr,
        Self::LogBurst,
    ];

    /// Its name, as in recordings.
    pub fn name(self) -> &'static str {
        match self {
            Self::MemLeak => "mem_leak",
            Self::FdLeak => "fd_leak",
            Self::DiskFill => "disk_fill",
            Self::CpuHog => "cpu_hog",
            Self::ForkStorm => "fork_storm",
            Self::ProcPile => "proc_pile",
            Self::IoStorm => "io_storm",
            Self::ConnFlood => "conn_flood",
            Self::LoFlood => "lo_flood",
            Self::SvcLatency => "svc_latency",
            Self::SvcHang => "svc_hang",
            Self::SvcErr => "svc_err",
            Self::LogBurst => "log_burst",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is the service that misbehaves; all others are made by a process.
    pub fn is_of_service(self) -> bool {
        matches!(self, Self::SvcLatency | Self::SvcHang | Self::SvcErr)
    }

    /// Whether it builds up, so that it can be foreseen: leaks, fillers, growing latency.
    pub fn builds_up(self) -> bool {
        matches!(self, Self::MemLeak | Self::FdLeak | Self::DiskFill | Self::ProcPile | Self::SvcLatency)
    }

    /// The longest it lasts: nobody leaves a service that does not answer alone for minutes.
    pub fn longest(self) -> Duration {
        Duration::from_secs(if matches!(self, Self::SvcHang | Self::SvcErr) { 75 } else { 180 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_in_recordings() {
        for kind in FaultKind::ALL {
            assert_eq!(FaultKind::named(kind.name()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
