//! Graphs one row high.
//!
//! Eighth blocks, calm parts softened, warnings and worse at full strength; in ASCII a meter says the
//! newest value instead. Invariant: blank is nothing measured or nothing at all.

use ratatui::buffer::Buffer;

use super::chart::Coloring;
use super::layers::EIGHTHS;
use super::{Graph, Ink};

/// Below this share of the height a value is nothing: less than an eighth of a cell would show.
const NOTHING: f64 = 0.008;

/// A graph one row high.
#[derive(Debug, Clone, Copy)]
pub struct Spark<'a> {
    /// Oldest first; `None` is a gap.
    pub values: &'a [Option<f64>],
    /// Values of an empty and of a full cell.
    pub range: (f64, f64),
    /// Values a cell, of which the largest is shown.
    pub per_cell: usize,
    /// Its colors.
    pub coloring: Coloring,
}

/// Draws a graph right-aligned in `columns` cells.
pub fn spark(ink: &Ink, buf: &mut Buffer, (x, y): (u16, u16), columns: u16, graph: &Spark) {
    let Spark { values, range: (lo, hi), per_cell, coloring } = *graph;
    let columns = columns.min(buf.area.right().saturating_sub(x));
    if y >= buf.area.bottom() || y < buf.area.top() || hi <= lo {
        return;
    }
    let per = per_cell.max(1);
    let cells = values.len().div_ceil(per).min(usize::from(columns));
    let skip = values.len().saturating_sub(cells * per);
    let start = x + columns - cells as u16;
    for (i, chunk) in values.get(skip..).unwrap_or(&[]).chunks(per).enumerate() {
        let Some(value) = chunk.iter().flatten().copied().reduce(f64::max) else { continue };
        let share = (value - lo) / (hi - lo);
        if share > NOTHING {
            let role = coloring.role(value, value).calm();
            let glyph = if ink.graph == Graph::Ascii {
                ['_', '.', '=', '#'].get(((share * 4.0).ceil() as usize).clamp(1, 4) - 1).copied()
            } else {
                EIGHTHS.get(((share * 8.0).ceil() as usize).clamp(1, 8)).copied()
            };
            buf[(start + i as u16, y)].set_char(glyph.unwrap_or(' ')).set_style(ink.style(role));
        }
    }
}
