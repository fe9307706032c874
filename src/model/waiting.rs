//! A message that is not delivered yet.

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// A message about an alert that waits for a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingMessage {
    /// Name of the channel.
    pub channel: String,
    /// Which message (`level 2`, `in a digest`).
    pub message: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; `None` while it is on its way or waits for the rest of its group.
    pub due_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}
