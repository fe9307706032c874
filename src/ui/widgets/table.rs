//! Tables: columns of a fixed width, numbers right-aligned, the last column takes the rest.
//!
//! Zeros and units are dim, the selected row has another ground and nothing else, the sorted column is
//! bold with a mark. Invariant: a cell never leaves its column.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::{Phrase, lay};
use super::{Ground, Ink, Role};

/// Which end of its column a cell stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words: one blank, then the text.
    Left,
    /// Numbers: up to the right edge.
    Right,
}

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// What its head says.
    pub head: &'static str,
    /// Columns it takes; 0: the rest of the row.
    pub width: u16,
    /// Which end its cells stand at.
    pub align: Align,
}

impl Column {
    /// A column of numbers.
    pub const fn number(head: &'static str, width: u16) -> Self {
        Self { head, width, align: Align::Right }
    }

    /// A column of words.
    pub const fn words(head: &'static str, width: u16) -> Self {
        Self { head, width, align: Align::Left }
    }
}

/// A number of a table with that many decimals; thousands have a comma, nothing is a dim `0`.
pub fn number(value: f64, decimals: usize) -> Phrase {
    if !value.is_finite() {
        return Phrase::new().dim("-");
    }
    let text = format!("{:.decimals$}", value.abs());
    if text.bytes().all(|b| matches!(b, b'0' | b'.')) {
        return Phrase::new().dim("0");
    }
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut shown = String::with_capacity(text.len() + 4);
    if value < 0.0 {
        shown.push('-');
    }
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            shown.push(',');
        }
        shown.push(c);
    }
    shown.push_str(rest);
    Phrase::new().text(&shown)
}

/// Places of columns in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns<'a> {
    columns: &'a [Column],
    area: Rect,
}

impl<'a> Columns<'a> {
    /// Columns over the width of an area.
    pub fn new(columns: &'a [Column], area: Rect) -> Self {
        Self { columns, area }
    }

    /// First column and the one after the last of column `index`.
    pub fn span(&self, index: usize) -> (u16, u16) {
        let mut x = self.area.x;
        for (i, column) in self.columns.iter().enumerate() {
            let end = if column.width == 0 { self.area.right() } else { x.saturating_add(column.width).min(self.area.right()) };
            if i == index {
                return (x, end);
            }
            x = end;
        }
        (x, x)
    }

    /// Draws a cell.
    pub fn cell(&self, ink: &Ink, buf: &mut Buffer, y: u16, index: usize, text: &Phrase) {
        let (x, end) = self.span(index);
        match self.columns.get(index).map(|c| c.align) {
            // A column of numbers that is cut by the edge says nothing: heads and figures would touch or lie.
            Some(Align::Right) if end - x < self.columns[index].width => {}
            Some(Align::Right) => {
                text.put_right(ink, buf, (x, end), y);
            }
            Some(Align::Left) => {
                text.put(ink, buf, (x.saturating_add(1), y), end);
            }
            None => {}
        }
    }

    /// Draws the heads; the one of column `sorted` is bold with a mark.
    pub fn heads(&self, ink: &Ink, buf: &mut Buffer, y: u16, sorted: Option<(usize, Direction)>) {
        for (i, column) in self.columns.iter().enumerate() {
            let head = match sorted {
                Some((at, direction)) if at == i => Phrase::new().strong(column.head).strong(direction.glyph()),
                _ => Phrase::new().role(Role::Dim, column.head),
            };
            self.cell(ink, buf, y, i, &head);
        }
    }

    /// Gives a row the ground of the selected one.
    pub fn select(&self, ink: &Ink, buf: &mut Buffer, y: u16) {
        lay(ink, buf, Rect { y, height: 1, ..self.area }, Ground::Selected);
    }
}

/// Which way a column is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// As is usual for it: largest or first on top.
    Usual,
    /// The other way around.
    Inverted,
}

impl Direction {
    fn glyph(self) -> &'static str {
        match self {
            Self::Usual => "▼",
            Self::Inverted => "▲",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas_and_nothing_is_a_dim_zero() {
        let shown: Vec<_> = [(10_066.2, 0), (61.44, 1), (0.04, 1), (-1_234.5, 1), (999.96, 1)]
            .map(|(v, d)| number(v, d).plain().to_owned())
            .into();
        assert_eq!(shown, ["10,066", "61.4", "0", "-1,234.5", "1,000.0"]);
        assert_eq!(number(0.0, 1), Phrase::new().dim("0"));
        assert_eq!(number(f64::NAN, 1).plain(), "-");
    }
}
