//! A service ready to be checked.
//!
//! Invariant: it can be checked as it is; every mistake was told when it was made.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::config::ServiceConfig;
use super::probe::{Finding, Probe, ProbeContext, ProbeFuture};
use super::window::Window;

/// A service ready to be checked; clones share the probe.
#[derive(Clone)]
pub struct Service {
    /// Unique name.
    pub name: String,
    /// Name of its probe.
    pub kind: &'static str,
    /// What is checked, for people.
    pub target: String,
    /// Time between two checks.
    pub interval: Duration,
    /// Time between two checks while they fail.
    pub retry: Duration,
    /// Time a check may take.
    pub timeout: Duration,
    /// Slower answers are degraded.
    pub degraded_above: Duration,
    /// Checks in a row that must fail until it is offline.
    pub fail_after: u32,
    /// Checks in a row that must be good until it is well again.
    pub recover_after: u32,
    /// Promised uptime, 0–1.
    pub slo: Option<f64>,
    /// Labels of its alerts.
    pub labels: BTreeMap<String, String>,
    /// Services without which it cannot work.
    pub depends_on: Vec<String>,
    /// Windows of maintenance that come again.
    pub windows: Vec<Window>,
    /// How it is checked.
    pub probe: Arc<dyn Probe>,
}

impl Service {
    /// A service whose results come from elsewhere (a simulation): with every other default, and never to be checked.
    pub fn simulated(name: &str, kind: &'static str, target: &str, interval: Duration, degraded_above: Duration) -> Self {
        let plain = ServiceConfig::new(name, kind);
        Self {
            name: plain.name,
            kind,
            target: target.to_owned(),
            interval,
            retry: plain.retry,
            timeout: plain.timeout,
            degraded_above,
            fail_after: plain.fail_after,
            recover_after: plain.recover_after,
            slo: None,
            labels: BTreeMap::new(),
            depends_on: Vec::new(),
            windows: Vec::new(),
            probe: Arc::new(Elsewhere),
        }
    }
}

/// Stands where nothing is probed.
struct Elsewhere;

impl Probe for Elsewhere {
    fn check<'a>(&'a self, _: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async { Finding::failed("a simulated service cannot be checked") })
    }

    fn target(&self) -> String {
        "simulated".to_owned()
    }
}
