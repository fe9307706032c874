//! The screen: state, update, view, actions, keys, themes, panes, overlays, widgets.
//!
//! `update` changes [`UiState`], `view` draws it; between them there is one event loop ([`run`]).
//! Everything shown comes from the trait `Monitor`. Invariant: drawing changes nothing, reads no file
//! and takes no lock.

pub mod charts;
pub mod color;
pub mod format;
pub mod lists;
pub mod pane;
pub mod panes;
pub mod state;
pub mod theme;
pub mod widgets;

#[cfg(test)]
pub(crate) mod fixture;

pub use color::{Depth, Terminal};
pub use charts::{Bin, ChartStore, CpuTracks, Window};
pub use lists::Lists;
pub use pane::{Density, DrawContext, Pane, first_row};
pub use state::{Selected, Sort, SortColumn, UiState, View};
pub use theme::{Theme, ThemeError};
