//! How steady services are: what it is measured by, and what to do where one is not.
//!
//! The measure itself is the analysis' part. Invariant: advice names only resources that were read in that round.

use std::collections::BTreeMap;

use super::core::Core;
use super::exchange::CoreSettings;
use crate::analyze::Stability;
use crate::base::{Unit, format_value};
use crate::model::Reading;

/// Name of what was observed in the `model` table.
pub const STABILITY: &str = "stability";

/// A resource used more than this is short: the limit of most rules.
const SHORT: f64 = 0.8;

/// Resources a service can lack: metric, name for people, what to do about it.
const RESOURCES: [(&str, &str, &str); 5] = [
    ("cpu_usage_ratio", "CPU", "move it, or what else works here, to a machine with idle cores"),
    ("memory_used_ratio", "memory", "give it more memory, or move it to a machine that has some free"),
    ("swap_used_ratio", "swap", "give it more memory, or move it to a machine that has some free"),
    ("disk_busy_ratio", "the disk", "move its data to a disk of its own, or what else works on this one elsewhere"),
    ("pressure_some_ratio", "waiting", "move work away from this machine"),
];

/// What stability is measured by, under these settings.
pub fn measure(settings: &CoreSettings) -> Stability {
    Stability::new(settings.analyze.stability_error, allowed(settings))
}

/// Seconds an answer of each service may take.
pub fn allowed(settings: &CoreSettings) -> BTreeMap<String, f64> {
    settings.services.iter().map(|s| (s.name.clone(), s.degraded_above.as_secs_f64())).collect()
}

impl Core {
    /// Where to move resources for a service that does not behave as expected.
    pub(super) fn stability_advice(&self) -> String {
        advice(&self.kept)
    }
}

/// Names the resource that is used most, if one is short.
fn advice(readings: &[Reading]) -> String {
    let of = |(metric, name, what): &(&'static str, &'static str, &'static str)| {
        let values = readings.iter().filter(|r| r.key.metric() == *metric && r.key.labels().count() <= 1);
        values.map(|r| r.value).max_by(f64::total_cmp).map(|value| (value, *name, *what))
    };
    match RESOURCES.iter().filter_map(of).max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((value, name, what)) if value > SHORT => format!("{name} is at {}: {what}", format_value(value, Unit::Ratio)),
        _ => "no resource of this machine is short: look at the service itself and at what it needs".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_the_resource_that_is_short() {
        let reading = |key: &str, value| Reading { key: key.parse().expect(key), value, cumulative: None };
        let readings = [
            reading("cpu_usage_ratio", 0.3),
            reading("disk_busy_ratio{device=\"vda\"}", 0.97),
            reading("disk_busy_ratio{device=\"vdb\"}", 0.1),
            reading("memory_used_ratio", 0.85),
        ];
        assert!(advice(&readings).starts_with("the disk is at 97%: move its data"), "{}", advice(&readings));
        assert!(advice(&readings[..1]).starts_with("no resource"));
    }
}
