//! The history in one redb file: series, journal, decisions, learned state.
//!
//! Owns the file, its format and its retention; never decides what is worth keeping, never reads a
//! clock. Invariant: what [`Writer::commit`] accepted with `Ok` is on disk, and what it could not write
//! is kept in memory and written later.

mod check;
mod columns;
mod config;
mod epochs;
mod error;
mod frame;
mod history;
mod job;
mod medium;
mod numbers;
mod open;
mod packing;
mod processes;
mod retention;
mod rows;
mod schema;
mod series;
mod shared;
mod sketch;
mod sparing;
mod state;
mod track;
mod view;
mod write;
mod writer;

#[cfg(test)]
mod tests;

pub use check::Damage;
pub use config::StoreConfig;
pub use error::{OpenError, ReadError, WriteError};
pub use numbers::kept;
pub use open::Store;
pub use view::{Keyframe, NamedRow, ProcessesAt, Reader, TableStats, View};
pub use write::Write;
pub use writer::Writer;
