//! What does not change while the machine is up.

use std::collections::BTreeMap;

use crate::model::{Host, HostFacts};

/// Facts about the machine behind `host`; `name` replaces the system's own name.
///
/// Read once at the start. What cannot be read is empty, zero or absent.
pub fn facts(_host: &dyn Host, name: Option<String>, labels: BTreeMap<String, String>) -> HostFacts {
    HostFacts { name: name.unwrap_or_default(), labels, ..HostFacts::default() }
}
