//! Alerts, messages and a runtime for the tests of this room.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::base::{Timestamp, Unit};
use crate::model::{Alert, SeriesKey, Severity};

pub(super) fn at(second: u64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000) + Duration::from_secs(second)
}

pub(super) fn alert(id: &str, title: &str) -> Alert {
    let mut alert = Alert::example(id, "memory", SeriesKey::total("memory_used_ratio"), at(0));
    alert.labels.insert("severity".to_owned(), "critical".to_owned());
    Alert { severity: Severity::Critical, title: title.to_owned(), value: 0.91, limit: 0.85, unit: Unit::Ratio, ..alert }
}

pub(super) fn message(title: &str) -> Message {
    about(alert("7k", title), Reason::Fired)
}

pub(super) fn about(alert: Alert, reason: Reason) -> Message {
    let id = alert.id.clone();
    let part = Part { alert: Box::new(alert), reason, at: at(60) };
    Message::about(&[part], reason, ("web-1", &id), at(60), "")
}

/// A message with a report whose file holds `bytes`.
pub(super) fn report(folder: &Path, bytes: &[u8]) -> Message {
    let path = folder.join("daily-1.pdf");
    std::fs::write(&path, bytes).expect("room");
    let enclosure = Enclosure {
        id: "daily-1".to_owned(),
        name: "farol-web-1.pdf".to_owned(),
        path,
        media_type: "application/pdf".to_owned(),
        schedule: "daily".to_owned(),
        title: "daily performance report".to_owned(),
        summary: vec!["▲ 2 alerts fired, <b>1</b> critical.".to_owned(), "● No service was down.".to_owned()],
        target: String::new(),
    };
    Message::report("web-1", at(60), enclosure)
}

pub(super) fn delivery(message: Message) -> Delivery {
    Delivery {
        row: 1,
        channel: "x".to_owned(),
        message: Arc::new(message),
        key: "farol-web-1-1".to_owned(),
        earlier: None,
        told: Vec::new(),
    }
}

/// A channel of that type with these settings.
pub(super) fn opened(kind: &str, settings: &serde_json::Value, folder: &Path) -> Arc<dyn Channel> {
    let mut map = settings.as_object().expect("a table").clone();
    map.insert("type".to_owned(), kind.into());
    let config: NotifyConfig = serde_json::from_value(serde_json::json!({"x": map})).expect("a configuration");
    let context = ChannelContext { folder: folder.to_owned(), ..ChannelContext::default() };
    config.open(&context).expect("a channel").remove(0).2
}

pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(future)
}
