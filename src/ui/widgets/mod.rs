//! What panes are put together from: charts, meters, one-row graphs, strips, tables, borders, text.
//!
//! Widgets know `ratatui`, an [`Ink`] and plain values; never the state of the screen or a snapshot.
//! Invariant: nothing is drawn outside the area given, and no area makes one panic.

pub mod ink;

pub use ink::{Graph, Ground, Ink, Role};
