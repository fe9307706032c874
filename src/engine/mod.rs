//! Composes all rooms; owns live state, threads and commits.
//!
//! `Core` is the fold of events into pulses and knows no thread; the threads around it carry events in
//! and writes, deliveries and answers out. Invariant: sampling never waits for anything downstream.

mod hub;
mod live;
mod lock;

pub use hub::{EngineMonitor, Hub, Reply, Wish};
pub use live::{Head, Merged};
pub use lock::{DataLock, LockError, Owner, Role, owner, socket_path};
