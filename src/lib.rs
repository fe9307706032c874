//! farol watches a machine from inside a terminal: what it does now, what it did, what it will do
//! next, and what to do about it.
//!
//! `collect` and `check` make a `Sample`; `engine::Core` folds it through `analyze` and `alert` into a
//! `Pulse`; `Snapshot` is the fold of pulses; `store` keeps it and `notify` sends it; every reader sees
//! only the `Monitor` trait. `ARCHITECTURE.md` has the map of the rooms and who may know whom.

pub mod alert;
pub mod analyze;
pub mod api;
pub mod app;
pub mod base;
pub mod check;
pub mod collect;
pub mod config;
pub mod engine;
pub mod eval;
pub mod faults;
pub mod model;
pub mod monitor;
pub mod net;
pub mod notify;
pub mod query;
pub mod remote;
pub mod report;
pub mod sim;
pub mod store;
pub mod ui;
