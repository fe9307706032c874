//! What checks found, and what listens and runs here without being configured.
//!
//! Invariant: what it means comes with the next tick.

use std::sync::Arc;

use super::core::Core;
use crate::check::Found;
use crate::model::{CheckResult, PastCheck, Pulse};

impl Core {
    /// Takes the result of a check; what it means comes with the next tick.
    pub fn check(&mut self, result: &CheckResult) {
        self.board.observe(result);
    }

    /// Takes what listens and runs here, and how well the machine is closed.
    pub fn found(&mut self, found: Found) {
        if let Some(services) = found.services {
            self.changes.listeners(found.at, &services);
            self.board.set_discovered(services, found.at);
        }
        self.watch.listeners(found.at, &found.listeners);
        for seen in self.ears.take(found.at, found.heard) {
            self.watch.note(seen);
        }
        if let Some(posture) = found.posture {
            self.watch.posture(found.at, posture);
        }
        if *self.listeners != *found.listeners {
            self.listeners = found.listeners.into();
            self.listeners_changed = true;
        }
    }

    /// The last checks of a service, newest first.
    pub fn checks(&self, service: &str) -> Vec<PastCheck> {
        self.board.checks(service)
    }

    /// The section on services, where it changed.
    pub(super) fn add_services(&mut self, pulse: &mut Pulse) {
        if let Some(services) = self.board.statuses() {
            self.services = Arc::clone(&services);
            pulse.services = Some(services);
        }
    }
}
