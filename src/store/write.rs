//! What can be written besides samples.
//!
//! A closed list. Rows given as bytes belong to the room that made them; the store adds its checksum
//! and gives back exactly the same bytes.

use std::sync::Arc;

use crate::base::Timestamp;
use crate::model::{Alert, AnomalyInterval, JournalEntry, Listener, Prediction, Process, ServiceStatus, Silence};

/// One write.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Appended to the journal.
    Journal(JournalEntry),
    /// The state at a moment; one every 10 minutes makes every moment one keyframe and some journal.
    Keyframe {
        /// When.
        at: Timestamp,
        /// Alerts that are not over, and those over lately.
        alerts: Vec<Arc<Alert>>,
        /// Silences that have not ended.
        silences: Vec<Silence>,
        /// Services as they stand.
        services: Vec<ServiceStatus>,
        /// Sockets that wait for others.
        listeners: Vec<Listener>,
    },
    /// An anomaly as it is now; replaces the one with the same key and start.
    Anomaly(AnomalyInterval),
    /// A prediction as made or scored; replaces the one with the same id.
    Prediction(Prediction),
    /// The processes that used most at a moment.
    Processes {
        /// When.
        at: Timestamp,
        /// In any order.
        processes: Vec<Arc<Process>>,
    },
    /// A silence; replaces the one with the same id.
    Silence(Silence),
    /// A message to be delivered; `None` once it is done with.
    Outbox {
        /// Its number.
        id: u64,
        /// The row.
        row: Option<Vec<u8>>,
    },
    /// What was told to whom; `None` forgets it.
    Ledger {
        /// Its name.
        name: String,
        /// The row.
        row: Option<Vec<u8>>,
    },
    /// An incident; `None` forgets it.
    Incident {
        /// Its id.
        name: String,
        /// The row.
        row: Option<Vec<u8>>,
    },
    /// When something is next due; `None` forgets it.
    Schedule {
        /// Its name.
        name: String,
        /// The row.
        row: Option<Vec<u8>>,
    },
    /// What is known of a service across restarts; `None` forgets it.
    Service {
        /// Its name.
        name: String,
        /// The row.
        row: Option<Vec<u8>>,
    },
    /// Something learned; `None` forgets it.
    Model {
        /// Its name.
        name: String,
        /// The row.
        row: Option<Vec<u8>>,
    },
    /// A small fact about this history (next alert number, overrides); `None` forgets it.
    Meta {
        /// Its name.
        name: String,
        /// The row.
        row: Option<Vec<u8>>,
    },
}
