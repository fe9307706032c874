//! What a page is given to draw itself.
//!
//! Invariant: a pane draws only within its area and changes nothing else.

use std::cell::RefCell;
use std::time::Duration;

use crate::ui::format::Clock;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::charts::{ChartStore, Window};
use super::columns::SortColumn;
use super::state::{UiState, View};
use super::widgets::axis::TimeScale;
use super::widgets::units::Units;
use super::widgets::{Ink, Phrase, Role};
use crate::base::{Timestamp, Unit};
use crate::model::{ProcessId, Snapshot};

/// The three designed sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Density {
    /// Below 100 columns: one-row meters, no outer border.
    Small,
    /// From 100 columns: charts without facts.
    Medium,
    /// From 160 columns: facts beside charts, three lists.
    Large,
}

impl Density {
    /// By columns (`reference` widths 80, 120 and 200).
    pub fn of(columns: u16) -> Self {
        match columns {
            0..100 => Self::Small,
            100..160 => Self::Medium,
            _ => Self::Large,
        }
    }
}

/// Everything a page may look at.
#[derive(Debug, Clone, Copy)]
pub struct DrawContext<'a> {
    /// The machine at the moment shown.
    pub snapshot: &'a Snapshot,
    /// The machine now.
    pub live: &'a Snapshot,
    /// Where one looks and what is chosen.
    pub state: &'a UiState,
    /// Colors and glyphs.
    pub ink: &'a Ink,
    /// Where what the mouse can point at is noted, when somebody asks.
    pub seen: Option<&'a Seen>,
}

/// What was drawn that the mouse can point at, the last on top.
pub type Seen = RefCell<Vec<(Rect, Target)>>;

/// Something the mouse can point at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A chart with these columns.
    Chart(TimeScale),
    /// A process.
    Process(ProcessId),
    /// The head of a column of processes.
    Head(SortColumn),
    /// A pane, by name.
    Pane(&'static str),
    /// An address the terminal itself can open.
    Link(String),
}

impl<'a> DrawContext<'a> {
    /// The zone of all times shown.
    pub fn zone(&self) -> &'a Clock {
        &self.state.zone
    }

    /// How sizes and temperatures are written.
    pub fn units(&self) -> Units {
        self.state.units
    }

    /// A value for people: `21.8 GiB`.
    pub fn value(&self, value: f64, unit: Unit) -> String {
        self.units().text(value, unit)
    }

    /// A value with its unit dim: `21.8 GiB`, `184 ms`.
    pub fn quantity(&self, role: Role, value: f64, unit: Unit) -> Phrase {
        self.units().quantity(role, value, unit)
    }

    /// Points of the charts of the moment shown.
    pub fn charts(&self) -> &'a ChartStore {
        self.state.charts_shown()
    }

    /// The moment of the time cursor; `None` for the present.
    pub fn cursor(&self) -> Option<Timestamp> {
        self.state.past.as_ref().map(|p| p.at)
    }

    /// Notes that the text there is an address of the web; anything else is no link.
    pub fn link(&self, area: Rect, address: &str) {
        let is_web = address.starts_with("http://") || address.starts_with("https://");
        if self.seen.is_some() && is_web && address.bytes().all(|b| b.is_ascii_graphic()) {
            self.note(area, Target::Link(address.to_owned()));
        }
    }

    /// Notes that something stands there.
    pub fn note(&self, area: Rect, target: Target) {
        if let Some(seen) = self.seen {
            seen.borrow_mut().push((area, target));
        }
    }

    /// The designed size that applies.
    pub fn density(&self) -> Density {
        Density::of(self.state.size.0)
    }

    /// The bins of a chart whose past is `columns` wide: two a column, aligned so that it moves by whole bins.
    pub fn window(&self, columns: u16) -> Window {
        let end = self.state.past.as_ref().map_or(self.live.at, |p| p.chart_end);
        window(self.state.span, end, columns)
    }
}

/// Two bins a column over `span`, the last column of which holds `end`; bins are whole seconds, columns stand at multiples of
/// their length, so that a chart moves only when its newest column is full.
pub fn window(span: Duration, end: Timestamp, columns: u16) -> Window {
    let columns = usize::from(columns.max(1));
    let bin = Duration::from_secs(span.as_secs().div_ceil(2 * columns as u64).max(1));
    let whole = Window::ending(end, bin * 2, columns);
    Window { from: whole.from, bin, n: 2 * columns }
}

/// One page.
pub trait Pane: Sync {
    /// Which one it draws.
    fn view(&self) -> View;
    /// Draws the body: everything between the second line and the hints.
    fn draw(&self, ctx: &DrawContext, area: Rect, buf: &mut Buffer);
}

/// First row of a list of `len` to show in `height` rows so that row `selected` is seen; moves by as little as it can from the top.
pub fn first_row(selected: usize, height: usize, len: usize) -> usize {
    let last = len.saturating_sub(height);
    (selected + 1).saturating_sub(height).min(last)
}
