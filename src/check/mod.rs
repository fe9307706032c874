//! Service probes and their schedule.
//!
//! [`Checker`] runs probes on a tokio runtime it is given; [`ServiceBoard`] folds their results into
//! statuses and knows no clock and no socket. Nothing here alerts. Invariant: a probe that hangs or
//! panics costs its own service a failed check and nobody else anything.

pub mod board;
pub mod checker;
pub mod config;
pub mod discover;
pub mod probe;

pub use board::{METRICS, ServiceBoard};
pub use checker::{Checker, OnResult, ProcessView};
pub use config::{Service, ServiceConfig, ServiceConfigError, services};
pub use discover::{Discovered, Discovery, Scout, discover, propose};
pub use probe::{Finding, PROBES, Probe, ProbeContext, ProbeFuture};
