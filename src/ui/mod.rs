//! The screen: state, update, view, actions, keys, themes, panes, overlays, widgets.
//!
//! `update` changes [`UiState`], `view` draws it; between them there is one event loop ([`run()`]).
//! Everything shown comes from the trait `Monitor`. Invariant: drawing changes nothing, reads no file
//! and takes no lock.

mod act;
pub mod actions;
pub mod banner;
mod chart_keys;
pub mod charts;
pub mod color;
pub mod columns;
pub mod config;
mod draw;
pub mod event;
pub mod explore;
pub mod fields;
pub mod filter;
pub mod format;
pub mod hints;
mod input;
pub mod inside;
pub mod keymap;
pub mod layout;
pub mod lists;
mod memory;
pub mod overlay;
mod paint;
pub mod palette;
pub mod pane;
pub mod panes;
pub mod pick;
mod picture;
mod plain;
pub mod presets;
pub mod process_list;
mod run;
pub mod settings;
pub mod state;
mod terminal;
pub mod theme;
mod tour;
mod update;
pub mod widgets;
pub mod wish;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod large_tests;
#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod process_page_tests;
#[cfg(test)]
mod screen_tests;
#[cfg(test)]
mod settings_tests;
#[cfg(test)]
#[cfg(unix)]
mod terminal_tests;

pub use actions::{ACTIONS, Action, key_table};
pub use charts::{Bin, ChartStore, CpuTracks, Window};
pub use color::{Depth, Terminal};
pub use config::UiConfig;
pub use draw::view;
pub use event::{Changed, Effect, Purpose, UiEvent};
pub use format::{Clock, Hours};
pub use input::EventSource;
pub use keymap::{Chord, Found, Keymap};
pub use layout::{Layout, LayoutFault};
pub use lists::Lists;
pub use memory::Asked;
pub use pane::{Density, DrawContext, Pane, first_row};
pub use picture::PictureKind;
pub use run::{Exit, Export, Keymaps, Manner, UiError, UiOptions, run};
pub use state::{Selected, Sort, SortColumn, UiState, View};
pub use theme::{Theme, ThemeError};
pub use update::{start, update};
pub use widgets::units::Units;
pub use wish::{Deed, ProcessWish, Target};
