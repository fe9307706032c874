//! Reads the machine: one file per source of readings, the hosts they read through, and the
//! [`Collector`] that makes a [`crate::model::Sample`] of a round.
//!
//! Sources read only through [`crate::model::Host`]; nothing here stores, judges or draws. Invariant:
//! what cannot be read is absent and noted as a fault, and a round never waits for a slow device.

mod array;
mod auxiliary;
#[cfg(test)]
mod bad_input;
mod collector;
mod config;
mod counter;
mod cpu;
mod details;
mod disk;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod facts;
mod filesystem;
mod frequency;
mod gauges;
mod gpu;
mod group;
mod groups;
mod hardware;
#[cfg(target_os = "linux")]
mod linux;
mod memory;
mod mount;
#[cfg(target_os = "linux")]
mod netlink;
mod network;
mod numa;
mod parse;
mod pressure;
mod process;
#[cfg(target_os = "linux")]
mod program;
mod sensor;
mod session;
mod slow;
mod smart;
mod socket;
mod system;
mod table;
#[cfg(test)]
mod testing;
mod tree;
mod unit;
mod wireless;

pub use collector::Collector;
pub use config::CollectConfig;
pub use details::process_details;
pub use facts::facts;
#[cfg(target_os = "linux")]
pub use linux::LinuxHost;
pub use network::fastest_link;
pub use process::scan;
pub use tree::TreeHost;

use crate::model::MetricDef;

/// The machine this program runs on.
#[cfg(target_os = "linux")]
pub type ThisHost = LinuxHost;
/// The machine this program runs on.
#[cfg(not(target_os = "linux"))]
pub type ThisHost = elsewhere::ElsewhereHost;

/// What nobody may expect here, for people; `None` on Linux.
pub const LIMITS: Option<&str> = if cfg!(target_os = "linux") {
    None
} else {
    Some("the machine is read on Linux only; here services are checked and nothing else, and nobody has tested that")
};

/// The names of all sources, as `collect.without` takes them.
pub fn sources() -> impl Iterator<Item = &'static str> {
    table::SOURCES.iter().map(|row| row.name)
}

/// The metrics of all sources, one table each.
pub fn metrics() -> Vec<&'static [MetricDef]> {
    table::SOURCES.iter().map(|row| row.metrics).chain([collector::METRICS]).collect()
}

#[cfg(test)]
mod tests;
