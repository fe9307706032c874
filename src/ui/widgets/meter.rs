//! Thin bars with a mark at the limit.
//!
//! `━━━━━──│─` where the terminal can, `[|||||..:.]` in ASCII. Invariant: a bar takes exactly its columns.

use ratatui::buffer::Buffer;

use super::text::write;
use super::{Graph, Ink, Role};

/// What a bar says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meter {
    /// How full, 0–1.
    pub share: f64,
    /// Where its limit is, 0–1.
    pub limit: Option<f64>,
    /// Its color.
    pub role: Role,
}

/// Draws a thin bar `columns` wide.
pub fn meter(ink: &Ink, buf: &mut Buffer, (x, y): (u16, u16), columns: u16, bar: Meter) {
    let Meter { share, limit, role } = bar;
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let (start, cells) = match ink.graph {
        Graph::Ascii if columns > 2 => {
            write(buf, (x, y), x + 1, "[", ink.style(Role::Dim));
            write(buf, (x + columns - 1, y), x + columns, "]", ink.style(Role::Dim));
            (x + 1, columns - 2)
        }
        _ => (x, columns),
    };
    let full = (share * f64::from(cells)).round() as u16;
    let mark = limit
        .filter(|l| l.is_finite())
        .map(|l| ((l.clamp(0.0, 1.0) * f64::from(cells)).round() as u16).min(cells.saturating_sub(1)));
    for i in 0..cells {
        let at_limit = mark == Some(i);
        let (glyph, role) = match (ink.graph, i < full) {
            (Graph::Ascii, true) => ('|', role),
            (Graph::Ascii, false) => (if at_limit { ':' } else { '.' }, Role::Dim),
            (_, true) => (if at_limit { '┿' } else { '━' }, role),
            (_, false) if at_limit => ('│', Role::Dim),
            (_, false) => ('─', Role::Line),
        };
        if let Some(cell) = buf.cell_mut((start + i, y)) {
            cell.set_char(glyph).set_style(ink.style(role));
        }
    }
}
