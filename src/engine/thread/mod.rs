//! The threads around the core: each owns one thing and takes its work from one queue.

pub(super) mod core;
pub(super) mod fit;
pub(super) mod inbox;
pub(super) mod look;
pub(super) mod read;
pub(super) mod sample;
mod scholar;
pub(super) mod store;

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::base::Beat;

/// Asks threads to end, and wakes those that wait for a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    pub(super) fn ask(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Waits; true once asked to end.
    pub(super) fn wait(&self, timeout: Duration) -> bool {
        let asked = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked, _) = self.0.1.wait_timeout_while(asked, timeout, |asked| !*asked).unwrap_or_else(PoisonError::into_inner);
        *asked
    }
}

/// What is known of a thread.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    pub(super) name: String,
    pub(super) beat: Beat,
    pub(super) restarts: Arc<AtomicU32>,
}
