//! An engine elsewhere as a `Monitor`.
//!
//! One thread holds the connection, tries again when it is lost, and folds what comes into a
//! snapshot. Invariant: the last snapshot stays drawable whatever the connection does.

mod client;
mod connect;

pub use client::{Client, Lookup};
pub use connect::{Address, AddressError, ask_once};
