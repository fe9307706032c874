//! Composes all rooms; owns live state, threads and commits.
//!
//! `Core` is the fold of events into pulses and knows no thread; the threads around it carry events in
//! and writes, deliveries and answers out. Invariant: sampling never waits for anything downstream.

mod anomalies;
mod answer;
mod blame;
mod changes;
mod configure;
mod core;
mod courses;
mod decide;
mod event;
mod exchange;
mod explain;
mod facts;
mod feed;
mod fonts;
mod future;
mod guard;
mod heard;
mod hub;
mod import;
mod judge;
mod kept;
#[cfg(test)]
mod latency;
mod learn;
mod live;
mod lock;
mod moment;
#[cfg(test)]
mod moments;
mod observed;
mod offline;
mod outward;
mod own;
mod past;
mod patterns;
mod periodic;
mod plan;
#[cfg(test)]
mod quiet_day;
mod reload;
mod replay;
#[cfg(test)]
mod report_figures;
#[cfg(test)]
mod report_scenarios;
mod rule_test;
#[cfg(test)]
mod scenarios;
mod schedule;
mod security;
mod setup;
mod start;
mod steady;
#[cfg(test)]
mod storms;
mod symptoms;
mod tape;
mod telling;
mod thread;
mod values;
mod warm;

pub use configure::Configuring;
pub use core::Core;
pub use decide::answer as decision_answer;
pub use exchange::{CoreSettings, Occasion, Output, Past, Reread, Rounds, Timing};
pub use feed::{Feed, Simulation};
pub use hub::{EngineMonitor, Hub, Reply, Wish};
pub use import::{ImportError, Imported, compact, import};
pub use live::{Head, Merged};
pub use lock::{DataLock, LockError, Owner, Role, listening, owner, shared, socket_path};
pub use offline::{Offline, OfflineError};
pub use own::METRICS;
pub use rule_test::{TestFailure, test_rule};
pub use setup::{Surroundings, catalog, channel_error, settings};
pub use start::{Ended, Engine, Setup, StartError, history_path};
pub use tape::Tape;
pub use thread::core::Exit;
