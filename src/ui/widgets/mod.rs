//! What panes are put together from: charts, meters, one-row graphs, strips, tables, borders, text.
//!
//! Widgets know `ratatui`, an [`Ink`] and plain values; never the state of the screen or a snapshot.
//! Invariant: nothing is drawn outside the area given, and no area makes one panic.

#[cfg(test)]
pub(crate) mod ansi;
pub mod ascii;
pub mod axis;
pub mod chart;
pub mod frame;
pub mod ink;
pub mod layers;
pub mod lines;
pub mod meter;
pub mod raster;
pub mod spark;
pub mod strip;
pub mod table;
pub mod text;
pub mod units;

pub use ascii::fold_ascii;
pub use frame::{Borders, title};
pub use ink::{Graph, Ground, Ink, Role};
pub use text::Phrase;
