//! Service probes and their schedule.
//!
//! [`Checker`] runs probes on a tokio runtime it is given; [`ServiceBoard`] folds their results into
//! statuses and knows no clock and no socket. Nothing here alerts. Invariant: a probe that hangs or
//! panics costs its own service a failed check and nobody else anything.

mod address;
mod board;
#[cfg(test)]
mod board_tests;
mod bus;
mod checker;
mod config;
mod discover;
mod dns;
mod entry;
mod hours;
mod json;
mod listeners;
mod logins;
mod pattern;
mod posture;
mod probe;
mod probes;
mod scout;
mod service;
mod standing;
mod status_set;
mod talk;
mod window;

pub use board::{METRICS, ServiceBoard};
pub use bus::{BusError, SystemBus, Unit};
pub use checker::{Checker, OnResult, ProcessView, check_once};
pub use config::{ServiceConfig, ServiceConfigError, services};
pub use discover::{Discovered, Discovery, discover, propose, survey};
pub use logins::Heard;
pub use posture::posture;
pub use probe::{Finding, PROBES, Probe, ProbeContext, ProbeFuture, ProbeKind};
pub use probes::command::CommandLine;
pub use scout::{Aim, Found, OnFound, Scout};
pub use service::Service;
pub use status_set::{StatusSet, StatusSetError};
pub use window::{Window, WindowConfig};

#[cfg(test)]
mod tests;
