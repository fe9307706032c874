//! What of a process, a service, an alert and a prediction a filter can ask for.
//!
//! Invariant: figures are in the unit people write them in (percent of a core, bytes, seconds).

use super::filter::{Field, Filtered, Kind, Value};
use crate::model::{Alert, AlertState, Outcome, Prediction, Process, ProcessState, ServiceState, ServiceStatus};

const fn field<T>(names: &'static [&'static str], kind: Kind, of: fn(&T) -> Value<'_>) -> Field<T> {
    Field { names, kind, of }
}

fn words(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Unknown, Value::Text)
}

fn number(value: Option<f64>) -> Value<'static> {
    value.map_or(Value::Unknown, Value::Number)
}

/// A process's state in a word.
pub fn process_state(state: ProcessState) -> &'static str {
    match state {
        ProcessState::Running => "running",
        ProcessState::Sleeping => "sleeping",
        ProcessState::DiskSleep => "waiting",
        ProcessState::Stopped => "stopped",
        ProcessState::Traced => "traced",
        ProcessState::Zombie => "zombie",
        ProcessState::Idle => "idle",
        ProcessState::Dead => "dead",
    }
}

impl Filtered for Process {
    const FIELDS: &'static [Field<Self>] = &[
        field(&["cpu"], Kind::Number, |p| Value::Number(p.cpu * 100.0)),
        field(&["mem", "memory"], Kind::Size, |p| Value::Number(p.memory_bytes as f64)),
        field(&["read"], Kind::Size, |p| number(p.read_bytes_per_second)),
        field(&["write"], Kind::Size, |p| number(p.write_bytes_per_second)),
        field(&["user"], Kind::Words, |p| Value::Text(&p.user)),
        field(&["name"], Kind::Words, |p| Value::Text(&p.name)),
        field(&["command", "cmd"], Kind::Words, |p| Value::Text(&p.command)),
        field(&["unit"], Kind::Words, |p| words(p.unit.as_deref())),
        field(&["container"], Kind::Words, |p| words(p.container.as_deref())),
        field(&["state"], Kind::Words, |p| Value::Text(process_state(p.state))),
        field(&["pid"], Kind::Number, |p| Value::Number(f64::from(p.id.pid))),
        field(&["parent", "ppid"], Kind::Number, |p| Value::Number(f64::from(p.parent))),
        field(&["threads", "thr"], Kind::Number, |p| Value::Number(f64::from(p.threads))),
        field(&["nice"], Kind::Number, |p| Value::Number(f64::from(p.nice))),
        field(&["time"], Kind::Span, |p| Value::Number(p.cpu_seconds)),
    ];

    fn any_text(&self, accept: &mut dyn FnMut(&str) -> bool) -> bool {
        accept(&self.name)
            || accept(&self.command)
            || accept(&self.user)
            || self.unit.as_deref().is_some_and(&mut *accept)
            || self.container.as_deref().is_some_and(&mut *accept)
            || accept(&self.id.pid.to_string())
    }
}

/// A service's state in a word.
pub fn service_state(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Online => "online",
        ServiceState::Degraded => "degraded",
        ServiceState::Offline => "offline",
        ServiceState::Unknown => "unknown",
    }
}

impl Filtered for ServiceStatus {
    const FIELDS: &'static [Field<Self>] = &[
        field(&["state"], Kind::Words, |s| Value::Text(service_state(s.state))),
        field(&["name", "service"], Kind::Words, |s| Value::Text(&s.name)),
        field(&["type", "kind"], Kind::Words, |s| Value::Text(&s.kind)),
        field(&["target"], Kind::Words, |s| Value::Text(&s.target)),
        field(&["response"], Kind::Span, |s| number(s.response_seconds)),
        field(&["uptime", "up"], Kind::Number, |s| number(s.uptime[0].map(|u| u.up * 100.0))),
        field(&["maintenance"], Kind::Words, |s| Value::Text(if s.maintenance { "yes" } else { "no" })),
    ];

    fn any_text(&self, accept: &mut dyn FnMut(&str) -> bool) -> bool {
        accept(&self.name) || accept(&self.kind) || accept(&self.target) || accept(&self.message)
    }
}

/// Where an alert stands, in a word.
pub fn alert_state(alert: &Alert) -> &'static str {
    match alert.state {
        AlertState::Resolved => "resolved",
        _ if !alert.silenced_by.is_empty() => "silenced",
        _ if alert.snoozed.is_some() => "snoozed",
        AlertState::Pending => "pending",
        AlertState::Firing if alert.is_flapping() => "flapping",
        AlertState::Firing => "firing",
    }
}

impl Filtered for Alert {
    const FIELDS: &'static [Field<Self>] = &[
        field(&["state"], Kind::Words, |a| Value::Text(alert_state(a))),
        field(&["severity"], Kind::Words, |a| Value::Text(a.severity.name())),
        field(&["rule"], Kind::Words, |a| Value::Text(&a.rule)),
        field(&["metric"], Kind::Words, |a| Value::Text(a.key.metric())),
        field(&["id"], Kind::Words, |a| Value::Text(&a.id)),
        field(&["level"], Kind::Number, |a| Value::Number(f64::from(a.level))),
        field(&["acknowledged", "ack"], Kind::Words, |a| Value::Text(if a.acknowledged.is_some() { "yes" } else { "no" })),
    ];

    fn any_text(&self, accept: &mut dyn FnMut(&str) -> bool) -> bool {
        accept(&self.title) || accept(&self.rule) || accept(&self.id) || accept(&self.explanation.summary)
    }
}

impl Filtered for Prediction {
    const FIELDS: &'static [Field<Self>] = &[
        field(&["probability"], Kind::Number, |p| Value::Number(p.probability)),
        field(&["confidence"], Kind::Number, |p| Value::Number(p.confidence)),
        field(&["kind"], Kind::Words, |p| Value::Text(&p.kind)),
        field(&["metric"], Kind::Words, |p| Value::Text(p.key.metric())),
        field(&["outcome"], Kind::Words, |p| {
            Value::Text(match p.outcome {
                None => "open",
                Some(Outcome::Right) => "right",
                Some(Outcome::Wrong) => "wrong",
            })
        }),
    ];

    fn any_text(&self, accept: &mut dyn FnMut(&str) -> bool) -> bool {
        accept(&self.title) || accept(&self.kind) || accept(&self.id)
    }
}
