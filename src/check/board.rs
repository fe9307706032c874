//! The state of every service: results in, statuses out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::config::Service;
use super::discover::Discovered;
use crate::base::{Timestamp, Unit};
use crate::model::{CheckResult, GoodDirection, MetricDef, Reading, ServiceStatus};

/// Metrics of services.
pub const METRICS: &[MetricDef] = &[
    MetricDef::gauge("service_up", Unit::Count, "Whether the service is up (1 online or degraded, 0 offline)")
        .by(&["service"])
        .good(GoodDirection::Up)
        .within(Some(0.0), Some(1.0)),
    MetricDef::gauge("service_state", Unit::Count, "State of the service (0 online, 1 degraded, 2 offline, 3 unknown)")
        .by(&["service"])
        .within(Some(0.0), Some(3.0)),
    MetricDef::gauge("service_check_seconds", Unit::Seconds, "Time the service took to answer its last check").by(&["service"]),
    MetricDef::gauge("service_certificate_expiry_seconds", Unit::Seconds, "Time until the service's certificate ends")
        .by(&["service"])
        .good(GoodDirection::Up)
        .within(None, None),
];

/// All services and their states.
#[derive(Default)]
pub struct ServiceBoard {}

impl ServiceBoard {
    /// All services unknown.
    pub fn new(services: &[Service]) -> Self {
        let _ = services;
        Self {}
    }

    /// Takes a result.
    pub fn observe(&mut self, result: &CheckResult) {
        let _ = result;
    }

    /// Takes what was found without configuration; what was found before and is missing goes offline.
    pub fn set_discovered(&mut self, list: Vec<Discovered>, at: Timestamp) {
        let _ = (list, at);
    }

    /// Names the services in maintenance; all others are not.
    pub fn set_maintenance(&mut self, services: &BTreeSet<String>, at: Timestamp) {
        let _ = (services, at);
    }

    /// Lets time pass: closes hours; no result for three intervals makes a service unknown.
    pub fn tick(&mut self, at: Timestamp) {
        let _ = at;
    }

    /// All statuses, worst first; `None` where nothing changed since the last call.
    pub fn statuses(&mut self) -> Option<Arc<[ServiceStatus]>> {
        None
    }

    /// Adds the readings of [`METRICS`].
    pub fn readings(&self, round: &mut Vec<Reading>) {
        let _ = round;
    }

    /// One row a service: its name and its hours, versioned.
    pub fn save(&self) -> Vec<(String, Vec<u8>)> {
        Vec::new()
    }

    /// Takes rows written by [`ServiceBoard::save`]; unknown names and versions are left out.
    pub fn restore(&mut self, rows: &[(String, Vec<u8>)]) {
        let _ = rows;
    }
}
