//! Services as tiles: who is down is seen among hundreds.
//!
//! Three rows a tile while all fit, else one. Invariant: only the tiles on the screen are looked at.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::service_glyph;
use super::service_list::response_graph;
use super::service_rows::{budget, response, uptime};
use crate::model::{ServiceState, ServiceStatus};
use crate::ui::pane::{DrawContext, first_row};
use crate::ui::widgets::strip::strip;
use crate::ui::widgets::{Ground, Phrase, text};

/// Least columns of a tile with three rows, and of one with one.
const TILE: u16 = 36;
const SHORT: u16 = 26;
/// Columns of half an hour of response times.
const GRAPH: u16 = 10;
/// Rows of a tile with the blank one below it.
const ROWS: u16 = 4;

/// Rows a grid of so many takes with whole tiles.
pub fn height(len: usize, width: u16) -> usize {
    len.div_ceil(usize::from((width / TILE).max(1))) * usize::from(ROWS)
}

/// Draws as many as fit, around the chosen one.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, inner: Rect) {
    let services = &ctx.state.lists.services;
    let is_whole = height(services.len(), inner.width) <= usize::from(inner.height) + 1;
    let (least, rows) = if is_whole { (TILE, ROWS) } else { (SHORT, 1) };
    let across = (inner.width / least).max(1);
    let width = inner.width / across;
    let down = usize::from((inner.height + u16::from(is_whole)) / rows).max(1);
    let chosen = ctx.state.lists.service_row(ctx.snapshot, &ctx.state.selected);
    let per_row = usize::from(across);
    let first = first_row(chosen / per_row, down, services.len().div_ceil(per_row)) * per_row;
    for (at, i) in services.iter().enumerate().skip(first).take(down * per_row) {
        let Some(service) = ctx.snapshot.services.get(*i) else { continue };
        let (column, line) = ((at - first) % per_row, (at - first) / per_row);
        let tile = Rect {
            x: inner.x + column as u16 * width,
            y: inner.y + line as u16 * rows,
            width: width.saturating_sub(2),
            height: if is_whole { 3 } else { 1 },
        };
        let tile = tile.intersection(inner);
        if at == chosen {
            let around = Rect { x: tile.x.saturating_sub(1), width: tile.width + 2, ..tile };
            text::lay(ctx.ink, buf, around.intersection(buf.area), Ground::Selected);
        }
        if tile.height > 0 {
            draw_tile(ctx, buf, tile, service);
        }
    }
}

fn draw_tile(ctx: &DrawContext, buf: &mut Buffer, tile: Rect, service: &ServiceStatus) {
    let (glyph, role) = service_glyph(service.state);
    let calm = matches!(service.state, ServiceState::Online | ServiceState::Unknown);
    let name = Phrase::new().bold(role, glyph).text(" ");
    let name = if calm { name.text(&service.name) } else { name.bold(role, &service.name) };
    let from = response(service).put_right(ctx.ink, buf, (tile.x + 12, tile.right()), tile.y);
    name.put(ctx.ink, buf, (tile.x, tile.y), from.saturating_sub(1));
    if tile.height > 1 {
        let from = uptime(service, 0).put_right(ctx.ink, buf, (tile.x, tile.right()), tile.y + 1);
        strip(ctx.ink, buf, (tile.x + 2, tile.y + 1), from.saturating_sub(tile.x + 4), &service.strip);
    }
    if tile.height > 2 {
        let left = budget(service);
        let left = if service.slo.is_some() { left.dim(" of budget") } else { Phrase::new().dim(&service.kind) };
        let from = left.put_right(ctx.ink, buf, (tile.x, tile.right()), tile.y + 2);
        response_graph(ctx, buf, (tile.x + 2, tile.y + 2), from.saturating_sub(tile.x + 4).min(GRAPH), service);
    }
}
