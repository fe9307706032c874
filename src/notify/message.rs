//! What is sent: subject, text, facts, JSON.
//!
//! Made of the same parts it is the same message, so that a resend differs in nothing. Invariant: no control character
//! of a label, a log or a name is in subject, text or facts.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Enclosure, text};
use crate::base::{Timestamp, format_duration, format_value};
use crate::model::{Alert, Correlate, Severity};

/// Why a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The rule fired.
    Fired,
    /// Nobody took care: this level was reached.
    Reminder(u8),
    /// It got worse after somebody took care, for the n-th time.
    Worse(u32),
    /// It still fires; the n-th repetition a route asked for.
    Repeat(u32),
    /// Over.
    Resolved,
    /// What was held back.
    Digest,
    /// farol lives.
    Heartbeat,
    /// A report was due.
    Report,
    /// Somebody asked whether the channel works.
    Test,
}

impl Reason {
    /// One word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Reminder(_) => "reminder",
            Self::Worse(_) => "worse",
            Self::Repeat(_) => "repeat",
            Self::Resolved => "resolved",
            Self::Digest => "digest",
            Self::Heartbeat => "heartbeat",
            Self::Report => "report",
            Self::Test => "test",
        }
    }

    /// For people, after "told that" or alone.
    pub fn phrase(self) -> String {
        match self {
            Self::Reminder(level) => format!("level {level}"),
            Self::Repeat(n) => format!("repeat {n}"),
            other => other.word().to_owned(),
        }
    }

    /// Whether it says that something is wrong now.
    pub fn is_alarm(self) -> bool {
        matches!(self, Self::Fired | Self::Reminder(_) | Self::Worse(_) | Self::Repeat(_))
    }
}

/// One alert in a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The alert as it was.
    pub alert: Box<Alert>,
    /// Why the message was made.
    pub reason: Reason,
    /// When it was to be told.
    pub at: Timestamp,
}

/// One message as every channel gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The first alert; empty for a test.
    pub alert: String,
    /// The same for all messages about the same, for threads and keys.
    #[serde(default)]
    pub thread: String,
    /// Why it is sent.
    pub reason: Reason,
    /// How bad, the worst of it.
    pub severity: Severity,
    /// When it was made.
    pub at: Timestamp,
    /// Name of the machine.
    #[serde(default)]
    pub host: String,
    /// One line: `[critical] web-1: memory 91% > 85%`.
    pub subject: String,
    /// What happened, one sentence; then a line for each alert where there are several.
    #[serde(alias = "body")]
    pub lead: String,
    /// Names and values: `value`, `why`, `process`, ….
    #[serde(default)]
    pub facts: Vec<(String, String)>,
    /// What to type; empty where nothing is to be done.
    #[serde(default)]
    pub hint: String,
    /// A report that goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enclosure: Option<Enclosure>,
    /// `farol.message/1`: `generated_at`, `host`, `reason`, `level`, `subject`, `text` and the alerts as in `farol.alerts/1`;
    /// `alert` is the first of them, `null` for a test.
    pub json: Value,
}

/// Processes, metrics and changes named.
const LISTED: usize = 3;

/// Most alerts listed in a text; the JSON has them all.
const MOST_LISTED: usize = 50;

impl Message {
    /// The message about alerts on the machine `host`; at least one part. `note` is said first.
    pub fn about(parts: &[Part], reason: Reason, (host, thread): (&str, &str), at: Timestamp, note: &str) -> Self {
        let first = parts.first().expect("a message about alerts has one");
        let alert = &first.alert;
        let host = text::line(host);
        let severity = parts.iter().map(|p| p.alert.severity).max().unwrap_or_default();
        let single = parts.len() == 1 && reason != Reason::Digest;
        let flaps = single && reason.is_alarm() && alert.is_flapping();
        let what = if single { text::line(&alert.title) } else { summary(parts, reason) };
        let mut lead = if single { sentence(first, reason, &host, at) } else { format!("{what} on {host}.") };
        if !note.is_empty() {
            lead = format!("{note}\n{lead}");
        }
        if !single {
            lead.push_str(&listed(parts, reason));
        }
        let mut message = Self {
            alert: alert.id.clone(),
            thread: thread.to_owned(),
            reason,
            severity,
            at,
            subject: format!("[{}{}] {host}: {what}", mark(reason, severity), if flaps { ", flapping" } else { "" }),
            host,
            lead,
            facts: if single { facts(alert, reason) } else { Vec::new() },
            hint: hint(parts, reason, single),
            enclosure: None,
            json: Value::Null,
        };
        message.json = message.as_json(alert.level, parts);
        message
    }

    /// A message that only says that the channel works.
    pub fn test(host: &str, at: Timestamp) -> Self {
        let host = text::line(host);
        Self::bare(Reason::Test, &host, at, "this channel works", format!("farol on {host} was asked to test this channel."))
    }

    /// A message that says that farol lives, and how it is.
    pub fn heartbeat(host: &str, at: Timestamp, how: &str) -> Self {
        let host = text::line(host);
        Self::bare(Reason::Heartbeat, &host, at, "farol watches", format!("farol on {host} watches: {}.", text::line(how)))
    }

    fn bare(reason: Reason, host: &str, at: Timestamp, what: &str, lead: String) -> Self {
        let mut message = Self {
            alert: String::new(),
            thread: reason.word().to_owned(),
            reason,
            severity: Severity::Info,
            at,
            host: host.to_owned(),
            subject: format!("[{}] {host}: {what}", reason.word()),
            lead,
            facts: vec![("at".to_owned(), at.rfc3339())],
            hint: String::new(),
            enclosure: None,
            json: Value::Null,
        };
        message.json = message.as_json(0, &[]);
        message
    }

    /// A message that brings a report, with what it says in short.
    pub fn report(host: &str, at: Timestamp, enclosure: Enclosure) -> Self {
        let host = text::line(host);
        let lead = enclosure.summary.iter().map(|line| format!("\n- {}", text::line(line))).collect::<String>();
        let title = text::line(&enclosure.title);
        let mut message = Self::bare(Reason::Report, &host, at, &title, format!("The {title} on {host}.{lead}"));
        message.thread = format!("report-{}", enclosure.id);
        message.facts = vec![("file".to_owned(), enclosure.name.clone())];
        message.hint = format!("farol reports export {}", enclosure.id);
        message.json = message.as_json(0, &[]);
        message.json["report"] = json!({
            "id": enclosure.id,
            "schedule": enclosure.schedule,
            "name": enclosure.name,
            "media_type": enclosure.media_type,
            "summary": enclosure.summary,
        });
        message.enclosure = Some(enclosure);
        message
    }

    /// The whole text: lead, facts, hint.
    pub fn body(&self) -> String {
        let facts = self.facts.iter().map(|(name, value)| format!("{name}: {value}"));
        let lines = std::iter::once(self.lead.clone()).chain(facts).chain(Some(self.hint.clone()).filter(|h| !h.is_empty()));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The same, marked as one that may have arrived before: the answer to an earlier attempt was lost.
    #[must_use]
    pub fn marked_doubtful(mut self) -> Self {
        self.facts.push(("note".to_owned(), "may have arrived before; the answer was lost".to_owned()));
        self.json["possible_duplicate"] = Value::Bool(true);
        self.json["text"] = Value::String(self.body());
        self
    }

    fn as_json(&self, level: u8, parts: &[Part]) -> Value {
        let alerts: Vec<Value> = parts.iter().map(|p| p.alert.json()).collect();
        json!({
            "schema": "farol.message/1",
            "generated_at": self.at.rfc3339(),
            "host": self.host,
            "reason": self.reason.word(),
            "level": level,
            "severity": self.severity,
            "subject": self.subject,
            "text": self.body(),
            "alert": alerts.first().cloned().unwrap_or(Value::Null),
            "alerts": alerts,
        })
    }
}

/// The word in brackets.
fn mark(reason: Reason, severity: Severity) -> String {
    let severity = severity.name();
    match reason {
        Reason::Resolved => "resolved".to_owned(),
        Reason::Digest => "digest".to_owned(),
        Reason::Reminder(level) => format!("{severity}, level {level}"),
        Reason::Worse(_) => format!("{severity}, worse"),
        Reason::Repeat(_) => format!("{severity}, still"),
        Reason::Fired | Reason::Heartbeat | Reason::Test | Reason::Report => severity.to_owned(),
    }
}

/// `100 alerts of service down`, `12 messages held back`.
fn summary(parts: &[Part], reason: Reason) -> String {
    if reason == Reason::Digest {
        let plural = if parts.len() == 1 { "message" } else { "messages" };
        return format!("{} {plural} held back", parts.len());
    }
    let mut rules: Vec<&str> = parts.iter().map(|p| p.alert.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let over = if reason == Reason::Resolved { " over" } else { "" };
    let shown: Vec<String> = rules.iter().take(3).map(|r| text::line(r)).collect();
    let more = if rules.len() > 3 { format!(" and {} more rules", rules.len() - 3) } else { String::new() };
    format!("{} alerts of {}{more}{over}", parts.len(), shown.join(", "))
}

/// A line for each alert, the worst first.
fn listed(parts: &[Part], reason: Reason) -> String {
    let mut sorted: Vec<&Part> = parts.iter().collect();
    sorted
        .sort_by(|a, b| b.alert.severity.cmp(&a.alert.severity).then(a.at.cmp(&b.at)).then_with(|| a.alert.id.cmp(&b.alert.id)));
    let mut out = String::new();
    for part in sorted.iter().take(MOST_LISTED) {
        let alert = &part.alert;
        let when =
            if reason == Reason::Digest { format!("{} [{}] ", part.at.rfc3339(), part.reason.phrase()) } else { String::new() };
        let over = match (part.reason, alert.resolved_at) {
            (Reason::Resolved, _) | (_, None) => String::new(),
            (_, Some(at)) => format!(", over since {}", at.rfc3339()),
        };
        let severity = alert.severity.name();
        out.push_str(&format!("\n- {when}{severity}: {} ({}){over}", text::line(&alert.title), alert.id));
    }
    if sorted.len() > MOST_LISTED {
        out.push_str(&format!("\n- and {} more", sorted.len() - MOST_LISTED));
    }
    out
}

/// What happened to one alert.
fn sentence(part: &Part, reason: Reason, host: &str, at: Timestamp) -> String {
    let alert = &part.alert;
    let rule = text::line(&alert.rule);
    let fired = alert.fired_at.unwrap_or(alert.since);
    let lasted = |until: Timestamp| format_duration(until.since(fired));
    match reason {
        Reason::Resolved if alert.flaps.n_changes > 0 => {
            let lasted = lasted(alert.resolved_at.unwrap_or(at));
            format!("{rule} on {host} has settled and is over after {lasted}; it changed {} times.", alert.flaps.n_changes)
        }
        Reason::Resolved => format!("{rule} on {host} is over after {}.", lasted(alert.resolved_at.unwrap_or(at))),
        Reason::Reminder(_) => format!("{rule} on {host}: nobody has taken care of it for {}.", lasted(at)),
        Reason::Worse(_) => format!("{rule} on {host} got worse."),
        Reason::Repeat(_) if alert.flaps.changed_at == Some(part.at) => {
            format!("{rule} on {host} no longer flaps after {} changes, and still fires.", alert.flaps.n_changes)
        }
        Reason::Repeat(_) => format!("{rule} on {host} still fires after {}.", lasted(at)),
        _ if alert.is_flapping() => {
            let n = alert.flaps.n_changes;
            format!("{rule} on {host} flaps: it changed {n} times in a short while. You are told again when it has settled.")
        }
        _ => format!("{rule} on {host} since {}.", alert.since.rfc3339()),
    }
}

/// What, what is normal, why, who, what moved with it, what changed, and how to see it again.
fn facts(alert: &Alert, reason: Reason) -> Vec<(String, String)> {
    let over = reason == Reason::Resolved;
    let (value, limit) = (format_value(alert.value, alert.unit), format_value(alert.limit, alert.unit));
    let mut facts = vec![(if over { "value at the end" } else { "value" }, value), ("limit", limit)];
    let explanation = &alert.explanation;
    if !explanation.summary.is_empty() && !over {
        facts.push(("why", explanation.summary.clone()));
    }
    facts.extend(explanation.normal.iter().map(|normal| ("normal", normal.clone())));
    // One fact of a kind: providers take few, and some keep one of a name.
    let processes = explanation.processes.iter().take(LISTED).map(|p| p.text(explanation.resource));
    let moved = explanation.correlated.iter().take(LISTED).map(Correlate::text);
    let changes = explanation.changes.iter().take(LISTED).cloned();
    for (name, lines) in
        [("process", processes.collect::<Vec<_>>()), ("moved with it", moved.collect()), ("changed", changes.collect())]
    {
        if !lines.is_empty() {
            facts.push((name, lines.join("; ")));
        }
    }
    if !explanation.query.is_empty() && !over {
        facts.push(("query", explanation.query.clone()));
    }
    facts.into_iter().map(|(name, value)| (name.to_owned(), text::line(&value))).collect()
}

fn hint(parts: &[Part], reason: Reason, single: bool) -> String {
    let id = parts.first().map_or("", |p| p.alert.id.as_str());
    match reason {
        Reason::Resolved | Reason::Heartbeat | Reason::Test | Reason::Report => String::new(),
        _ if single => format!("farol alerts why {id} · farol ack {id} · farol snooze {id} --for 2h"),
        _ => "farol alerts · farol alerts why ID · farol ack ID".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Unit;
    use crate::model::{Culprit, Resource, SeriesKey};
    use crate::notify::tests::{alert, at};

    fn about(alert: Alert, reason: Reason, second: u64) -> Message {
        let part = Part { alert: Box::new(alert), reason, at: at(second) };
        Message::about(&[part], reason, ("web-1", "7k"), at(second), "")
    }

    #[test]
    fn a_message_says_what_where_why_and_what_to_do() {
        let mut alert = alert("7k", "memory 91% > 85%");
        alert.explanation.summary = "memory 91% > 85%; postgres uses 9.4 GiB".to_owned();
        alert.explanation.query = "memory_used_ratio".to_owned();
        alert.explanation.resource = Some(Resource::Memory);
        let culprit = |pid, value| Culprit { name: "postgres".into(), pid, unit: None, value, change: Some(value / 2.0) };
        alert.explanation.processes = vec![culprit(812, 9e9), culprit(7, 2e9)];
        let (key, unit) = (SeriesKey::total("major_faults_per_second"), Unit::PerSecond);
        alert.explanation.correlated = vec![Correlate { key, unit, value: 900.0, usual: 2.0, correlation: 0.9 }];
        alert.explanation.changes =
            vec!["report-nightly started 2 min before".to_owned(), "ana logged in 3 min before".to_owned()];
        let message = about(alert.clone(), Reason::Fired, 60);
        assert_eq!(message.subject, "[critical] web-1: memory 91% > 85%");
        let expected = "memory on web-1 since 2023-11-14T22:13:20Z.\nvalue: 91%\nlimit: 85%\nwhy: memory 91% > 85%; postgres uses 9.4 \
                        GiB\nprocess: postgres (pid 812) uses 8.4 GiB, +4.2 GiB; postgres (pid 7) uses 1.9 GiB, +954 MiB\n\
                        moved with it: major_faults_per_second 900/s, usually 2/s\nchanged: report-nightly started 2 min before; \
                        ana logged in 3 min before\nquery: memory_used_ratio\nfarol alerts why 7k · farol ack 7k · \
                        farol snooze 7k --for 2h";
        assert_eq!(message.body(), expected);
        assert_eq!((&message.json["schema"], &message.json["alert"]["id"]), (&json!("farol.message/1"), &json!("7k")));
        let reminder = about(alert.clone(), Reason::Reminder(2), 600);
        assert_eq!(reminder.subject, "[critical, level 2] web-1: memory 91% > 85%");
        assert!(reminder.lead.starts_with("memory on web-1: nobody has taken care of it for 10 min."), "{}", reminder.lead);
        alert.resolved_at = Some(at(120));
        let over = about(alert, Reason::Resolved, 120);
        assert!(over.subject.starts_with("[resolved] ") && over.lead.contains("is over after 2 min"), "{}", over.lead);
        let doubtful = over.marked_doubtful();
        assert!(doubtful.body().contains("may have arrived before") && doubtful.json["possible_duplicate"] == true);
    }

    #[test]
    fn a_flapping_alert_says_so_once_and_how_it_ended() {
        let mut alert = alert("7k", "memory 91% > 85%");
        alert.flaps = crate::model::Flaps { since: Some(at(0)), n_changes: 5, ..Default::default() };
        let begins = about(alert.clone(), Reason::Fired, 0);
        assert_eq!(begins.subject, "[critical, flapping] web-1: memory 91% > 85%");
        assert!(begins.lead.contains("flaps: it changed 5 times") && begins.json["alert"]["flapping"]["changes"] == 5);
        alert.flaps = crate::model::Flaps { changed_at: Some(at(900)), n_changes: 1000, ..Default::default() };
        let goes_on = about(alert.clone(), Reason::Repeat(1), 900);
        assert!(goes_on.lead.contains("no longer flaps after 1000 changes, and still fires"), "{}", goes_on.lead);
        alert.resolved_at = Some(at(900));
        let over = about(alert, Reason::Resolved, 900);
        assert!(over.lead.contains("has settled and is over after 15 min; it changed 1000 times"), "{}", over.lead);
    }

    #[test]
    fn a_hundred_alerts_are_one_message_with_a_list() {
        let part = |n: usize| Part {
            alert: Box::new(alert(&n.to_string(), &format!("disk {n} full"))),
            reason: Reason::Fired,
            at: at(0),
        };
        let parts: Vec<Part> = (0..100).map(part).collect();
        let message = Message::about(&parts, Reason::Fired, ("web-1", "g"), at(1), "");
        assert_eq!(message.subject, "[critical] web-1: 100 alerts of memory");
        assert!(
            message.lead.contains("\n- critical: disk 0 full (0)") && message.lead.ends_with("- and 50 more"),
            "{}",
            message.lead
        );
        assert_eq!(message.json["alerts"].as_array().map(Vec::len), Some(100));
        let digest = Message::about(&parts[..1], Reason::Digest, ("web-1", "g"), at(1), "10 messages an hour are the limit.");
        assert_eq!(digest.subject, "[digest] web-1: 1 message held back");
        assert!(digest.lead.contains("2023-11-14T22:13:20Z [fired] critical: disk 0 full"), "{}", digest.lead);
    }

    #[test]
    fn nothing_active_gets_into_a_message() {
        let mut hostile = alert("7k", "a\r\nBcc: x\x1b]0;own\x07");
        hostile.explanation.summary = "log: \x1b[2Jgone\n".to_owned();
        let message = about(hostile, Reason::Fired, 0);
        for text in [&message.subject, &message.lead, &message.body()] {
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        }
        assert!(!message.subject.contains('\n') && Message::test("web\n1", at(0)).json["alert"].is_null());
    }
}
