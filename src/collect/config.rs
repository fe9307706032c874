//! What a person can set about collecting: section `[collect]`.
//!
//! Values only, nothing is read here. Invariant: the defaults suit a machine nobody has looked at yet.

use serde::{Deserialize, Serialize};

/// Section `[collect]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CollectConfig {
    /// Sources left out, by name (`process`, `sensor`, …).
    pub without: Vec<String>,
    /// Mount points left out; one that ends in `/*` leaves out all below it.
    pub ignore_mounts: Vec<String>,
    /// Block devices left out, by name; one that ends in `*` leaves out all that begin so.
    pub ignore_devices: Vec<String>,
    /// Network interfaces left out, by name; one that ends in `*` leaves out all that begin so.
    pub ignore_interfaces: Vec<String>,
    /// Most labeled instances (cores, mounts, devices, interfaces, sensors) one source gives; those beyond are left out with a fault.
    pub max_instances: usize,
}

impl Default for CollectConfig {
    fn default() -> Self {
        Self {
            without: Vec::new(),
            ignore_mounts: Vec::new(),
            ignore_devices: Vec::new(),
            ignore_interfaces: Vec::new(),
            max_instances: 256,
        }
    }
}

/// Whether a pattern fits: equal, or all before a final `*`.
pub(super) fn any_matches(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    })
}
