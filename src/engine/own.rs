//! What farol measures about itself.

use std::time::Duration;

use crate::analyze::SERVICE_STABILITY;
use crate::base::Unit;
use crate::model::{AlertKind, GoodDirection, Limit, MetricDef, Reading, RuleSpec, SeriesKey, Severity};

/// How much above its limit a service's stability must come back: a fifth of an hour of the day would flap.
const STEADIER: f64 = 0.02;

/// farol's own metrics.
pub const METRICS: &[MetricDef] = &[
    MetricDef::gauge("health_score", Unit::Count, "The machine's health, 0 to 100, from its firing alerts")
        .good(GoodDirection::Up)
        .within(Some(0.0), Some(100.0)),
    MetricDef::gauge("farol_round_seconds", Unit::Seconds, "Time one round of reading the machine took"),
    MetricDef::gauge("farol_lateness_seconds", Unit::Seconds, "How late the round began"),
    MetricDef::gauge("farol_skipped_rounds", Unit::Count, "Rounds left out because the one before took too long"),
    MetricDef::gauge("farol_dropped_events", Unit::Count, "Events dropped because a queue was full"),
    MetricDef::gauge("farol_series", Unit::Count, "Series with a value in the round").good(GoodDirection::Neither),
    MetricDef::gauge("farol_store_bytes", Unit::Bytes, "Size of the history file").good(GoodDirection::Neither),
    MetricDef::gauge("farol_outbox_depth", Unit::Count, "Messages not delivered yet"),
    MetricDef::gauge("farol_store_ok", Unit::Count, "Whether the history can be written (1) or is kept in memory (0)")
        .good(GoodDirection::Up)
        .within(Some(0.0), Some(1.0)),
];

/// The rule every engine has on itself: history that is only in memory is lost with the process.
pub fn store_rule() -> RuleSpec {
    RuleSpec {
        metric: "farol_store_ok".to_owned(),
        severity: Severity::Critical,
        kind: AlertKind::Error,
        title: "history cannot be written{}".to_owned(),
        built_in: true,
        ..RuleSpec::of("history", "farol_store_ok", Limit::Below(0.5))
    }
}

/// The rule on services that do not behave as forecast; `below` is the share of the last day.
pub fn stability_rule(below: f64) -> RuleSpec {
    RuleSpec {
        metric: SERVICE_STABILITY.to_owned(),
        unit: Unit::Ratio,
        title: "{service} behaved as expected only {value} of the last day".to_owned(),
        hold: Duration::from_secs(60),
        clear: Some(Limit::Below((below + STEADIER).min(1.0))),
        clear_hold: Duration::from_secs(600),
        built_in: true,
        ..RuleSpec::of("stability", SERVICE_STABILITY, Limit::Below(below))
    }
}

/// Keys of [`METRICS`], made once.
pub struct OwnKeys(Vec<SeriesKey>);

impl Default for OwnKeys {
    fn default() -> Self {
        Self(METRICS.iter().map(|def| SeriesKey::total(def.name)).collect())
    }
}

impl OwnKeys {
    /// Adds one reading a value, in the order of [`METRICS`].
    pub fn add(&self, values: [f64; METRICS.len()], readings: &mut Vec<Reading>) {
        readings.extend(self.0.iter().zip(values).map(|(key, value)| Reading { key: key.clone(), value, cumulative: None }));
    }
}
