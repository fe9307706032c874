//! What is sent: subject, text, JSON.
//!
//! Invariant: rendered once, when it is written down; a resend is the same message.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::base::{Timestamp, format_duration, format_value};
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

impl Reason {
    /// One word for programs.
    fn word(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Reminder(_) => "reminder",
            Self::Resolved => "resolved",
            Self::Test => "test",
        }
    }
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
    /// `farol.message/1`: `generated_at`, `host`, `reason`, `level`, `subject` and the alert as in `farol.alerts/1`, `null` for a test.
    pub json: Value,
}

impl Message {
    /// The message about an alert on the machine `host`.
    pub fn about(alert: &Alert, reason: Reason, host: &str, at: Timestamp) -> Self {
        let mark = match reason {
            Reason::Resolved => "resolved".to_owned(),
            Reason::Reminder(level) => format!("{}, level {level}", severity_word(alert.severity)),
            Reason::Fired | Reason::Test => severity_word(alert.severity).to_owned(),
        };
        let draft = Self {
            alert: alert.id.clone(),
            reason,
            severity: alert.severity,
            at,
            subject: format!("[{mark}] {host}: {}", alert.title),
            body: body(alert, reason, host, at),
            json: Value::Null,
        };
        draft.with_json(host, alert.level, alert.json())
    }

    /// A message that only says that the channel works.
    pub fn test(host: &str, at: Timestamp) -> Self {
        let draft = Self {
            alert: String::new(),
            reason: Reason::Test,
            severity: Severity::Info,
            at,
            subject: format!("[test] {host}: this channel works"),
            body: format!("farol on {host} was asked to test this channel at {}.", at.rfc3339()),
            json: Value::Null,
        };
        draft.with_json(host, 0, Value::Null)
    }

    fn with_json(mut self, host: &str, level: u8, alert: Value) -> Self {
        self.json = json!({
            "schema": "farol.message/1",
            "generated_at": self.at.rfc3339(),
            "host": host,
            "reason": self.reason.word(),
            "level": level,
            "subject": self.subject,
            "alert": alert,
        });
        self
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// The lines of text: what, since when, what is normal, who, what changed, what to do.
fn body(alert: &Alert, reason: Reason, host: &str, at: Timestamp) -> String {
    let fired = alert.fired_at.unwrap_or(alert.since);
    let lasted = |until: Timestamp| format_duration(until.since(fired));
    let mut lines = vec![match reason {
        Reason::Resolved => format!("{} on {host} is over after {}.", alert.rule, lasted(alert.resolved_at.unwrap_or(at))),
        Reason::Reminder(_) => format!("{} on {host}: nobody has taken care of it for {}.", alert.rule, lasted(at)),
        Reason::Fired | Reason::Test => format!("{} on {host} since {}.", alert.rule, alert.since.rfc3339()),
    }];
    let now = if reason == Reason::Resolved { "value at the end" } else { "value" };
    lines.push(format!("{now} {}, limit {}", format_value(alert.value, alert.unit), format_value(alert.limit, alert.unit)));
    let explanation = &alert.explanation;
    if !explanation.summary.is_empty() && reason != Reason::Resolved {
        lines.push(format!("why: {}", explanation.summary));
    }
    lines.extend(explanation.normal.iter().map(|normal| format!("normal: {normal}")));
    for process in explanation.processes.iter().take(3) {
        let unit = process.unit.as_ref().map_or(String::new(), |u| format!(" in {u}"));
        lines.push(format!("process: {} (pid {}){unit}", process.name, process.pid));
    }
    lines.extend(explanation.changes.iter().take(3).map(|change| format!("changed: {change}")));
    if reason != Reason::Resolved {
        lines.push(format!("farol alerts why {0} · farol ack {0} · farol snooze {0} --for 2h", alert.id));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Culprit;
    use crate::notify::tests::{alert, at};

    #[test]
    fn a_message_says_what_where_why_and_what_to_do() {
        let mut alert = alert("7k", "memory 91% > 85%");
        alert.explanation.summary = "memory 91% > 85%; postgres uses 9.4 GiB".to_owned();
        alert.explanation.processes =
            vec![Culprit { name: "postgres".into(), pid: 812, unit: Some("report-nightly".into()), value: 1e10, change: None }];
        let message = Message::about(&alert, Reason::Fired, "web-1", at(60));
        assert_eq!(message.subject, "[critical] web-1: memory 91% > 85%");
        let expected = "memory on web-1 since 2023-11-14T22:13:20Z.\nvalue 91%, limit 85%\nwhy: memory 91% > 85%; postgres uses 9.4 GiB\n\
                        process: postgres (pid 812) in report-nightly\nfarol alerts why 7k · farol ack 7k · farol snooze 7k --for 2h";
        assert_eq!(message.body, expected);
        assert_eq!((&message.json["schema"], &message.json["alert"]["id"]), (&json!("farol.message/1"), &json!("7k")));
        let reminder = Message::about(&alert, Reason::Reminder(2), "web-1", at(600));
        assert_eq!(reminder.subject, "[critical, level 2] web-1: memory 91% > 85%");
        assert!(reminder.body.starts_with("memory on web-1: nobody has taken care of it for 10 min."), "{}", reminder.body);
        alert.resolved_at = Some(at(120));
        let over = Message::about(&alert, Reason::Resolved, "web-1", at(120));
        assert!(over.subject.starts_with("[resolved] ") && over.body.contains("is over after 2 min"), "{}", over.body);
    }

    #[test]
    fn a_message_is_read_back_as_it_was_written() {
        for reason in [Reason::Fired, Reason::Reminder(3), Reason::Resolved] {
            let message = Message::about(&alert("7k", "x"), reason, "web-1", at(60));
            let text = serde_json::to_string(&message).expect("JSON");
            assert_eq!(serde_json::from_str::<Message>(&text).expect("a message"), message);
        }
        assert!(Message::test("web-1", at(0)).json["alert"].is_null());
    }
}
