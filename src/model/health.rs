//! How the machine is, and how farol itself is.

use serde::{Deserialize, Serialize};

use super::AlertKind;
use crate::base::{QueueStats, Timestamp};

/// Points lost to one kind of alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LostPoints {
    /// The kind.
    pub kind: AlertKind,
    /// Points of 100.
    pub points: f64,
    /// Id of the alert that cost them.
    pub alert: String,
}

/// The machine's health, 0–100, and what it lost its points to (formula in the contracts).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthScore {
    /// 100 is well.
    pub score: f64,
    /// Most costly first.
    pub lost: Vec<LostPoints>,
    /// Some of the points are lost to silenced alerts.
    pub silenced: bool,
}

impl Default for HealthScore {
    fn default() -> Self {
        Self { score: 100.0, lost: Vec::new(), silenced: false }
    }
}

/// One thread of farol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThreadHealth {
    /// Its name.
    pub name: String,
    /// Seconds since it last showed that it lives.
    pub beat_age_seconds: f64,
    /// How often it was rebuilt after a panic.
    pub restarts: u32,
}

/// One queue of farol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueHealth {
    /// Its name.
    pub name: String,
    /// How full.
    #[serde(flatten)]
    pub stats: QueueStats,
}

/// The history file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StoreHealth {
    /// Whether everything up to the last flush is on disk.
    pub ok: bool,
    /// What is wrong, where something is (`disk full: kept in memory`).
    pub problem: Option<String>,
    /// Size of the file in bytes.
    pub file_bytes: u64,
    /// When it was last flushed.
    pub last_flush_at: Option<Timestamp>,
    /// Samples kept in memory because they could not be written.
    pub pending_rounds: u64,
    /// Blocks found damaged and skipped since the start.
    pub damaged_blocks: u64,
}

/// How farol itself is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RecorderHealth {
    /// Process number of the engine.
    pub pid: u32,
    /// Running since.
    pub since: Timestamp,
    /// Seconds between two rounds.
    pub interval_seconds: f64,
    /// Time the last round of reading took, in seconds.
    pub round_seconds: f64,
    /// How late the last round began, in seconds.
    pub lateness_seconds: f64,
    /// Rounds left out because the one before took too long.
    pub skipped_rounds: u64,
    /// The history file.
    pub store: StoreHealth,
    /// Threads, by name.
    pub threads: Vec<ThreadHealth>,
    /// Queues, by name.
    pub queues: Vec<QueueHealth>,
    /// Recording without a screen (`--record`).
    pub headless: bool,
    /// Nothing is sent (`--dry-run`).
    pub dry_run: bool,
}
