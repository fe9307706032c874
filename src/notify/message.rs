//! What is sent: subject, text, JSON.
//!
//! Invariant: rendered once, when it is written down; a resend is the same message.

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::model::{Alert, Severity};

/// Why a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The rule fired.
    Fired,
    /// Nobody took care: this level was reached.
    Reminder(u8),
    /// Over.
    Resolved,
    /// Somebody asked whether the channel works.
    Test,
}

/// One message as every channel gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The alert; empty for a test.
    pub alert: String,
    /// Why it is sent.
    pub reason: Reason,
    /// How bad.
    pub severity: Severity,
    /// When it was made.
    pub at: Timestamp,
    /// One line: `[critical] web-1: memory 91% > 85%`.
    pub subject: String,
    /// Some lines of plain text.
    pub body: String,
    /// The alert as in `farol.alerts/1`, with `reason`, `host` and `at`; `farol.message/1`.
    pub json: serde_json::Value,
}

impl Message {
    /// The message about an alert on the machine `host`.
    pub fn about(alert: &Alert, reason: Reason, host: &str, at: Timestamp) -> Self {
        Self {
            alert: alert.id.clone(),
            reason,
            severity: alert.severity,
            at,
            subject: format!("{host}: {}", alert.title),
            body: String::new(),
            json: serde_json::Value::Null,
        }
    }

    /// A message that only says that the channel works.
    pub fn test(host: &str, at: Timestamp) -> Self {
        Self {
            alert: String::new(),
            reason: Reason::Test,
            severity: Severity::Info,
            at,
            subject: format!("{host}: test"),
            body: String::new(),
            json: serde_json::Value::Null,
        }
    }
}
