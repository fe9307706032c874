//! The one way to look at a machine and to wish something: the trait `Monitor`.
//!
//! In-process engine, attached client and replay tape implement it; the screen, the API and the
//! commands use nothing else. The wire's envelope lives here too. Invariant: no method blocks.

pub mod answer;
mod bytes;
pub mod request;
pub mod wire;

pub use answer::{Answer, HistorySeries, Learned, QuerySeries, Refusal, RefusalKind, Replayed, Saved, StoreCheck, StoreTable};
pub use request::{Author, HistoryRequest, QueryRequest, ReplayRequest, Request, Scope, SnoozeUntil};
pub use wire::{ClientMessage, ServerMessage, WIRE_VERSION};

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::model::{Pulse, Snapshot};

/// Number of a question whose answer is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Where the snapshots come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// An engine in this process.
    Own,
    /// An engine elsewhere, at this address.
    Attached(String),
    /// The engine at this address is gone; tried again.
    Lost {
        /// Its address.
        address: String,
        /// Since when.
        since: Timestamp,
        /// Why.
        reason: String,
    },
    /// A stored history played back.
    Replay(String),
}

/// What came since one last asked.
#[derive(Debug, Default)]
pub struct Changes {
    /// New pulses, oldest first.
    pub pulses: Vec<Arc<Pulse>>,
    /// Pulses that were dropped because the reader was too slow; the snapshot is right all the same, charts fill up from history.
    pub lagged: u64,
}

/// Called from any thread when a [`Monitor`] has something new.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// The newest sample older than this says nothing about the present: 30 s, or three rounds where those are longer.
pub fn stale_after(snapshot: &Snapshot) -> Duration {
    Duration::from_secs_f64((3.0 * snapshot.recorder.interval_seconds).clamp(30.0, 1e6))
}

/// A machine being watched.
pub trait Monitor: Send {
    /// The present; cheap.
    fn snapshot(&self) -> Arc<Snapshot>;
    /// Takes what came since the last call.
    fn changed(&mut self) -> Changes;
    /// Asks; the answer is fetched by [`Monitor::poll`].
    fn ask(&mut self, request: Request) -> Ticket;
    /// Takes the answer once it is there; each answer is given once.
    fn poll(&mut self, ticket: Ticket) -> Option<Result<Answer, Refusal>>;
    /// Where the snapshots come from.
    fn link(&self) -> Link;
    /// The most that may be asked for here.
    fn scope(&self) -> Scope;
}
