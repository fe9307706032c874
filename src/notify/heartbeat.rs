//! `[heartbeat]`: a sign of life at an interval, so that somebody notices when farol itself is gone.
//!
//! When one is due is the engine's; it is sent as any message. Invariant: a new one takes the place of one that waits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::time::duration_text;

/// `[heartbeat]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeartbeatConfig {
    /// Channel by name; none: no heartbeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Time between two.
    #[serde(with = "duration_text")]
    pub every: Duration,
}

impl Default for HeartbeatConfig {
    // Services that wait for one usually allow minutes of grace.
    fn default() -> Self {
        Self { channel: None, every: Duration::from_secs(300) }
    }
}
