//! What was seen of a machine's security.
//!
//! Invariant: an event has evidence; what is not observed is no value of these types but their absence.

use serde::{Deserialize, Serialize};

use super::Severity;
use crate::base::Timestamp;

/// Something that concerns security.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecurityEvent {
    /// When.
    pub at: Timestamp,
    /// What kind (`login failed`, `privilege gained`, `new listener`).
    pub kind: String,
    /// How bad.
    pub severity: Severity,
    /// Account, process or thing it is about.
    pub subject: String,
    /// Address or place it came from; empty where there is none.
    pub from: String,
    /// The line or fact it was seen in.
    pub evidence: String,
}

impl SecurityEvent {
    /// Whether somebody came in or tried to.
    pub fn is_access(&self) -> bool {
        self.kind.starts_with("login")
    }
}

/// A check of the machine's posture, or a known vulnerability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostureCheck {
    /// What should hold.
    pub title: String,
    /// Whether it holds.
    pub passed: bool,
    /// How bad it is where it does not.
    pub severity: Severity,
    /// What was found.
    pub evidence: String,
    /// What to do.
    pub advice: String,
}

/// What was observed over a span.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SecurityFacts {
    /// Events, in any order.
    pub events: Vec<SecurityEvent>,
    /// Checks as they stood at the end, in any order.
    pub checks: Vec<PostureCheck>,
}
