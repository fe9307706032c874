//! Delivers on a runtime, each channel by itself.
//!
//! Invariant: one slow channel delays no other; every delivery is reported exactly once.

use std::sync::Arc;

use super::{Channel, Delivery, DeliveryError};

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryReport {
    /// The outbox row.
    pub row: u64,
    /// Taken, or why not.
    pub result: Result<(), DeliveryError>,
}

/// Called from the runtime with every report; must not block.
pub type Report = Arc<dyn Fn(DeliveryReport) + Send + Sync>;

/// One task for each channel.
pub struct Deliverer {
    report: Report,
}

impl Deliverer {
    /// Starts a task for each channel on the runtime; they end when this is dropped.
    pub fn new(_runtime: &tokio::runtime::Handle, _channels: Vec<(String, Arc<dyn Channel>)>, report: Report) -> Self {
        Self { report }
    }

    /// Hands a message to its channel in order; never blocks. An unknown channel or a full queue is reported as an error.
    pub fn deliver(&self, _delivery: Delivery) {
        let _ = &self.report;
    }
}
