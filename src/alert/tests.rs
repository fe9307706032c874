//! Rules, alerts and ticks for the tests of this room.

use std::time::Duration;

use super::*;
use crate::base::{Timestamp, Unit};
use crate::model::{Alert, AlertKind, AlertState, Catalog, Explanation, Limit, MetricDef, RuleSpec, SeriesKey, Severity};

pub(super) fn catalog() -> Catalog {
    Catalog::new([&[
        MetricDef::gauge("cpu_usage_ratio", Unit::Ratio, "x").by(&["core"]),
        MetricDef::gauge("memory_used_ratio", Unit::Ratio, "x"),
        MetricDef::gauge("anomaly_machine_score", Unit::Ratio, "x"),
        MetricDef::gauge("memory_available_bytes", Unit::Bytes, "x"),
        MetricDef::gauge("filesystem_used_ratio", Unit::Ratio, "x").by(&["mount"]),
        MetricDef::gauge("service_check_seconds", Unit::Seconds, "x").by(&["service"]),
    ][..]])
}

pub(super) fn config(text: &str) -> RuleConfig {
    toml::from_str(text).expect(text)
}

pub(super) fn spec(text: &str) -> RuleSpec {
    config(text).ready(&catalog()).expect(text)
}

pub(super) fn rule(name: &str, limit: Limit) -> RuleSpec {
    RuleSpec { limit, ..spec(&format!("name='{name}'\nexpr='x'\nabove=1")) }
}

pub(super) fn at(second: u64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000) + Duration::from_secs(second)
}

pub(super) fn tick(second: u64) -> Tick {
    let elapsed = (second > 0).then(|| Duration::from_secs(1));
    Tick { at: at(second), elapsed, interval: Duration::from_secs(1) }
}

pub(super) fn alert(id: &str, rule: &str) -> Alert {
    Alert {
        id: id.to_owned(),
        fingerprint: 7,
        rule: rule.to_owned(),
        key: SeriesKey::total("m"),
        labels: [("rule".to_owned(), rule.to_owned())].into(),
        kind: AlertKind::Performance,
        severity: Severity::Warning,
        state: AlertState::Firing,
        title: "m 2 > 1".to_owned(),
        since: at(0),
        fired_at: Some(at(1)),
        resolved_at: None,
        value: 2.0,
        limit: 1.0,
        unit: Unit::Count,
        level: 0,
        acknowledged: None,
        snoozed: None,
        silenced_by: Vec::new(),
        worsened_at: None,
        flaps: crate::model::Flaps::default(),
        feedback: None,
        explanation: Explanation::default(),
    }
}
