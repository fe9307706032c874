//! An alert as people's programs read it: the list of alerts and every message carry this.
//!
//! Invariant: the shape of the contracts; unknown is `null`, never 0.

use serde_json::{Value, json};

use super::Alert;
use crate::base::Timestamp;

impl Alert {
    /// The alert as `farol.alerts/1` lists it (contracts §2); times are RFC 3339.
    pub fn json(&self) -> Value {
        alert_json(self)
    }
}

fn alert_json(alert: &Alert) -> Value {
    let time = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
    let e = &alert.explanation;
    let correlated = e.correlated.iter().map(|c| {
        let key = c.key.to_string();
        json!({"key": key, "value": c.value, "usual": c.usual, "unit": c.unit, "correlation": c.correlation})
    });
    let processes =
        e.processes.iter().map(|p| json!({"name": p.name, "pid": p.pid, "unit": p.unit, "value": p.value, "change": p.change}));
    json!({
        "id": alert.id,
        "fingerprint": format!("{:016x}", alert.fingerprint),
        "rule": alert.rule,
        "kind": alert.kind,
        "severity": alert.severity,
        "state": alert.state,
        "title": alert.title,
        "labels": alert.labels,
        "metric": alert.key.metric(),
        "value": alert.value,
        "limit": alert.limit,
        "unit": alert.unit,
        "since": alert.since.rfc3339(),
        "fired_at": time(alert.fired_at),
        "resolved_at": time(alert.resolved_at),
        "level": alert.level,
        "acknowledged": alert.acknowledged.as_ref().map(|a| json!({"by": a.by, "at": a.at.rfc3339(), "comment": a.comment})),
        "snoozed": alert.snoozed.as_ref().map(|s| json!({"until": time(s.until), "condition": s.condition})),
        "silenced_by": alert.silenced_by,
        "flapping": alert.flaps.since.map(|since| {
            json!({"since": since.rfc3339(), "changes": alert.flaps.n_changes, "calm": alert.flaps.calm})
        }),
        "feedback": alert.feedback,
        "explanation": {
            "summary": e.summary,
            "normal": e.normal,
            "correlated": correlated.collect::<Vec<_>>(),
            "resource": e.resource,
            "processes": processes.collect::<Vec<_>>(),
            "changes": e.changes,
            "query": e.query,
        },
    })
}
