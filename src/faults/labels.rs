//! What really happened, and what was said of it.
//!
//! Invariant: times are whole seconds UTC, as labels of series are.

use serde::{Deserialize, Serialize};

use super::FaultKind;

/// A fault that was made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Happened {
    /// What.
    pub kind: FaultKind,
    /// How hard.
    pub severity: f64,
    /// Its first second.
    pub start: i64,
    /// Its last second.
    pub end: i64,
    /// From when on it hurts, where it builds up: the service's answers are slower than its limit; a leak ends in what it takes
    /// all of, which is its end. `None` where it does not build up, or not that far.
    pub hurts: Option<i64>,
    /// Number of the process that made it; `None` where a service did.
    #[serde(default)]
    pub pid: Option<u32>,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The second it was raised in.
    pub opened: i64,
    /// The last second it was open; `None`: open at the end.
    pub closed: Option<i64>,
    /// Must be looked at now.
    pub critical: bool,
    /// Only shown on the screen; nobody is told.
    pub mark: bool,
    /// What it said, for people.
    pub text: String,
    /// Whether the cause it names first is the one that was made; `None` where it names nobody, or nothing was made.
    pub cause: Option<bool>,
}
