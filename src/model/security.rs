//! What was seen of a machine's security.
//!
//! Invariant: an event has evidence; what is not observed is no value of these types but their absence.

use std::collections::BTreeSet;

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
    /// The line or fact it was seen in; of several that of the last.
    pub evidence: String,
    /// How many of the same it stands for.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub n: u32,
}

fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_one(n: &u32) -> bool {
    *n == 1
}

impl SecurityEvent {
    /// Kind of an event: a person came in.
    pub const LOGIN: &str = "login";
    /// Kind of an event: a person went.
    pub const LOGOUT: &str = "login ended";
    /// Kind of an event: somebody tried to come in and could not.
    pub const LOGIN_FAILED: &str = "login failed";
    /// Kind of an event: somebody came in from where many tries had failed.
    pub const GUESSED: &str = "login after failures";
    /// Kind of an event: a person did something as somebody else (sudo, su).
    pub const PRIVILEGE: &str = "privilege gained";
    /// Kind of an event: a person was not let do something as somebody else.
    pub const REFUSED: &str = "privilege refused";
    /// Kind of an event: the kernel said something that concerns security.
    pub const KERNEL: &str = "kernel message";
    /// Kind of an event: a program waits for connections that did not before.
    pub const LISTENER: &str = "new listener";
    /// Kind of an event: what is installed was changed.
    pub const PACKAGES: &str = "packages changed";
    /// Kind of an event: the kernel ended a process for lack of memory.
    pub const KILLED: &str = "killed for memory";
    /// Kind of an event: an account that may log in is there that was not.
    pub const ACCOUNT: &str = "account added";
    /// Kind of an event: an account that might log in no longer may.
    pub const ACCOUNT_GONE: &str = "account removed";
    /// Kind of an event: a check of the posture holds no longer.
    pub const OPENED: &str = "check no longer holds";

    /// Whether somebody came in or tried to.
    pub fn is_access(&self) -> bool {
        self.kind.starts_with(Self::LOGIN)
    }
}

/// A check of the machine's posture.
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

/// A package for which a security update waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vulnerability {
    /// Its name.
    pub package: String,
    /// The version that is installed.
    pub installed: String,
    /// The version that mends it.
    pub mended: String,
}

/// What stands in a log that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogTopic {
    /// Logins, failed ones too, and use of sudo and su.
    Access,
    /// The kernel's messages.
    Kernel,
}

/// How well a machine was closed when it was looked at.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Posture {
    /// What was checked.
    pub checks: Vec<PostureCheck>,
    /// Packages with a security update that is not installed, by name.
    pub vulnerabilities: Vec<Vulnerability>,
    /// When the list of security updates was made; `None`: there is none that can be read, so nothing is known of them.
    pub listed_at: Option<Timestamp>,
    /// Accounts that may log in, by name.
    pub accounts: Vec<String>,
    /// What could not be looked at, and why.
    pub unseen: Vec<String>,
    /// Of what there is a log that is read.
    pub heard: BTreeSet<LogTopic>,
}

/// What was observed over a span.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SecurityFacts {
    /// Events, in any order.
    pub events: Vec<SecurityEvent>,
    /// The newest look at or before the end, and when it was; `None` where nobody looked in the day before.
    pub posture: Option<(Timestamp, Posture)>,
}

impl SecurityFacts {
    /// How many events of a kind there were, those that stand for several counted as such.
    pub fn count(&self, kind: &str) -> u32 {
        self.events.iter().filter(|e| e.kind == kind).map(|e| e.n).sum()
    }

    /// Whether a log of that is read; where it is not, none of it is seen.
    pub fn hears(&self, topic: LogTopic) -> bool {
        self.posture.as_ref().is_some_and(|(_, posture)| posture.heard.contains(&topic))
    }
}
