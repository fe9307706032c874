//! The fault bench: faults made on this machine while the real engine watches it, and recordings of that played back.
//!
//! What is made and how it counts is the part of `faults`. Invariant: whatever ends the bench ends the faults.

mod ear;
mod injector;
mod roll;
mod run;
mod tape;

pub use injector::inject;
pub use run::{Run, run};
pub use tape::replay;
