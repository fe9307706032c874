//! Rules, alerts and ticks for the tests of this room.

use std::time::Duration;

use super::*;
use crate::base::{Timestamp, Unit};
use crate::model::{Alert, Catalog, Limit, MetricDef, RuleSpec, SeriesKey};

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
    Alert { fired_at: Some(at(1)), title: "m 2 > 1".to_owned(), ..Alert::example(id, rule, SeriesKey::total("m"), at(0)) }
}
