//! Pages made from a layout: which panes there are, where they stand, and one of them over the whole page.
//!
//! Invariant: what is drawn, what the mouse finds and what is fetched for a page come from the same placement.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::blocks::{BLOCKS, Block};
use super::parts::Slot;
use crate::model::{SeriesKey, Snapshot};
use crate::ui::pane::{DrawContext, Pane, Target};
use crate::ui::state::{UiState, View};
use crate::ui::widgets::text::write;
use crate::ui::widgets::{Borders, Phrase, Role};

/// A page that is nothing but its layout.
pub struct LaidOut(pub View);

impl Pane for LaidOut {
    fn view(&self) -> View {
        self.0
    }

    fn draw(&self, ctx: &DrawContext, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if !super::is_too_small(area) {
            draw(ctx, area, buf);
        }
    }
}

/// A pane where it stands.
#[derive(Clone, Copy)]
pub struct Shown {
    /// What it shows.
    pub block: &'static Block,
    /// Where.
    pub slot: Slot,
}

/// Names of all panes there are.
pub fn pane_names() -> Vec<&'static str> {
    BLOCKS.iter().map(|b| b.name).collect()
}

/// Why a name is no pane, with the nearest one that is; `None` where it is one.
pub fn unknown_pane(name: &str) -> Option<String> {
    if BLOCKS.iter().any(|b| b.name == name) {
        return None;
    }
    let near = crate::model::catalog::nearest(name, BLOCKS.iter().map(|b| b.name));
    let near = near.map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default();
    Some(format!("there is no pane \"{name}\"{near}"))
}

/// The body of a screen of that size: everything between the second line and the hints.
pub fn body((columns, rows): (u16, u16)) -> Rect {
    Rect { x: 0, y: 2, width: columns, height: rows.saturating_sub(3) }
}

/// The panes of the page, in the order of reading; the enlarged one alone.
pub fn shown(state: &UiState, snapshot: &Snapshot, area: Rect) -> Vec<Shown> {
    let block = |name: &str| BLOCKS.iter().find(|b| b.name == name);
    if let Some(large) = state.enlarged.as_deref().and_then(block) {
        let slot = Slot { x0: area.x, x1: area.right().saturating_sub(1), y0: area.y, y1: area.bottom().saturating_sub(1) };
        return vec![Shown { block: large, slot }];
    }
    let wanted = |name: &str, width: u16| {
        let block = block(name).filter(|b| !state.hidden.contains(name) && (b.has)(snapshot))?;
        Some((block.rows)(snapshot, width))
    };
    let placed = state.layout().place(state.view, area, &wanted);
    let slot = |p: &crate::ui::layout::Placed| Slot { x0: p.x.0, x1: p.x.1, y0: p.y.0, y1: p.y.1 };
    placed.iter().filter_map(|p| Some(Shown { block: block(&p.pane)?, slot: slot(p) })).collect()
}

/// Whether all panes that belong there have room.
pub fn is_whole(state: &UiState, snapshot: &Snapshot, area: Rect) -> bool {
    let tall = Rect { height: 1000, ..area };
    shown(state, snapshot, area).len() == shown(state, snapshot, tall).len()
}

/// Series the page needs points of beside those of the four charts.
pub fn series(state: &UiState) -> Vec<SeriesKey> {
    let snapshot = state.shown();
    let mut keys: Vec<SeriesKey> =
        shown(state, snapshot, body(state.size)).iter().flat_map(|s| (s.block.series)(snapshot)).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Draws the page.
pub fn draw(ctx: &DrawContext, area: Rect, buf: &mut Buffer) {
    let all = shown(ctx.state, ctx.snapshot, area);
    if all.is_empty() {
        Phrase::new().dim("no pane of this page fits here, or all are hidden: H shows them").put(
            ctx.ink,
            buf,
            (area.x + 1, area.y),
            area.right(),
        );
        return;
    }
    let mut lines = Borders::new(area);
    lines.around(area);
    for Slot { x0, x1, y0, y1 } in all.iter().map(|s| s.slot) {
        lines.across(y0, x0, x1).across(y1, x0, x1).down(x0, y0, y1).down(x1, y0, y1);
    }
    lines.draw(ctx.ink, buf);
    for Shown { block, slot } in &all {
        let height = slot.y1.saturating_sub(slot.y0) + 1;
        let width = slot.x1.saturating_sub(slot.x0) + 1;
        ctx.note(Rect { x: slot.x0, y: slot.y0, width, height }, Target::Pane(block.name));
        (block.draw)(ctx, buf, *slot);
        let is_chosen = ctx.state.pane.as_deref() == Some(block.name) && all.len() > 1;
        if is_chosen {
            write(buf, (slot.x0 + 1, slot.y0), slot.x0 + 2, "►", ctx.ink.bold(Role::Strong));
        }
    }
    if ctx.state.enlarged.is_some() {
        let y = area.bottom().saturating_sub(1);
        let keys = Phrase::new().text(" ").strong("z").dim(" whole page  ").strong(", .").dim(" other panes ");
        keys.put_right(ctx.ink, buf, (area.x + 2, area.right().saturating_sub(2)), y);
    }
}
