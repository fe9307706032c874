//! How an alert came and went lately, and from when that is too often.
//!
//! Invariant: kept with the alert, so that a restart changes nothing.

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// Shares of changes between which an alert goes on as it is: it flaps from the upper one on, until it is below the lower one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FlapLimits {
    /// It flaps above this share, 0–1; with 1 it never does.
    pub start: f64,
    /// It has settled below this share, 0–1.
    pub stop: f64,
}

/// Nagios' limits for services (`low_service_flap_threshold` 5 %, `high_service_flap_threshold` 20 %).
impl Default for FlapLimits {
    fn default() -> Self {
        Self { start: 0.2, stop: 0.05 }
    }
}

/// What is remembered of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flaps {
    /// The last changes and minutes without one, the newest in the lowest bit; 1: a change.
    pub recent: u32,
    /// When it last changed.
    pub changed_at: Option<Timestamp>,
    /// Since when it flaps; `None`: it does not.
    pub since: Option<Timestamp>,
    /// Changes since it began to flap; stays once it has settled.
    pub n_changes: u32,
    /// While it flaps: its condition is right at the moment.
    pub calm: bool,
}

impl Flaps {
    /// Whether nothing is remembered.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
