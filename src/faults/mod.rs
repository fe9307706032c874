//! Faults made on purpose: what they are, when they come, the processes that make them, and how alarms about them are counted.
//!
//! Never watches the machine; who watches hands in the alarms. Invariant: everything a fault takes is bounded, on loopback or in the
//! bench's own folder, and ends with whoever asked for it, however that one ends.

mod kind;
mod labels;
mod plan;
mod score;
mod service;
mod work;

pub use kind::FaultKind;
pub use labels::{Happened, Told};
pub use plan::{Plan, Planned};
pub use score::{Verdict, judge};
pub use service::{Behavior, GROWTH, Service};
pub use work::{Appetite, Work, make};
