//! Alerts, messages and a runtime for the tests of this room.

use std::future::Future;
use std::time::Duration;

use super::*;
use crate::base::{Timestamp, Unit};
use crate::model::{Alert, AlertKind, AlertState, Explanation, SeriesKey, Severity};

pub(super) fn at(second: u64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000) + Duration::from_secs(second)
}

pub(super) fn alert(id: &str, title: &str) -> Alert {
    Alert {
        id: id.to_owned(),
        fingerprint: 7,
        rule: "memory".to_owned(),
        key: SeriesKey::total("memory_used_ratio"),
        labels: [("rule".to_owned(), "memory".to_owned()), ("severity".to_owned(), "critical".to_owned())].into(),
        kind: AlertKind::Performance,
        severity: Severity::Critical,
        state: AlertState::Firing,
        title: title.to_owned(),
        since: at(0),
        fired_at: Some(at(0)),
        resolved_at: None,
        value: 0.91,
        limit: 0.85,
        unit: Unit::Ratio,
        level: 0,
        acknowledged: None,
        snoozed: None,
        silenced_by: Vec::new(),
        feedback: None,
        explanation: Explanation::default(),
    }
}

pub(super) fn message(title: &str) -> Message {
    Message::about(&alert("7k", title), Reason::Fired, "web-1", at(60))
}

pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(future)
}
