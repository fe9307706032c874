//! Turning the values of a line into dots: two dot columns and four dot rows a cell.
//!
//! A dot column shows everything between the smallest and the largest value of its time, and joins the
//! one before, so no spike is lost however many samples share a column. Invariant: a gap stays a gap.

use super::Role;
use super::axis::Scale;
use crate::ui::charts::Bin;

/// What one dot column of a line covers, in dot rows from the bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// Lowest dot.
    pub lo: u16,
    /// Highest dot.
    pub hi: u16,
    /// Dot of the mean; the area ends below it.
    pub mean: u16,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
}

/// The strokes of a line on a plot `rows` dots high; one for each bin, `None` where nothing was measured.
pub fn strokes<'a>(bins: &'a [Option<Bin>], scale: &'a Scale, rows: u16) -> impl Iterator<Item = Option<Stroke>> + 'a {
    let top = f64::from(rows.saturating_sub(1));
    let dot = move |value: f64| (scale.share(value) * top).round() as u16;
    let mut previous: Option<(u16, u16)> = None;
    bins.iter().map(move |bin| {
        let Some(bin) = bin.as_ref().filter(|_| rows > 0) else {
            previous = None;
            return None;
        };
        // A spread of less than half a dot is no spread: the line stays thin.
        let flat = (scale.share(bin.max) - scale.share(bin.min)) * top < 0.5;
        let own = if flat { (dot(bin.mean), dot(bin.mean)) } else { (dot(bin.min), dot(bin.max)) };
        let (mut lo, mut hi) = own;
        if let Some((last_lo, last_hi)) = previous {
            lo = lo.min(last_hi.saturating_add(1).max(own.0.min(last_hi)));
            hi = hi.max(last_lo.saturating_sub(1));
        }
        previous = Some(own);
        Some(Stroke { lo, hi, mean: dot(bin.mean), min: bin.min, max: bin.max })
    })
}

/// Dots of one plot, with the role of each cell: the last layer that draws in a cell has it to itself.
#[derive(Debug, Clone)]
pub struct Canvas {
    width: u16,
    height: u16,
    cells: Vec<(u8, Role)>,
}

/// How dots of a new layer meet those of an earlier one in the same cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meet {
    /// They stay together, in the new color.
    Join,
    /// The earlier ones go.
    Replace,
}

impl Canvas {
    /// No dots, `width` × `height` cells.
    pub fn new(width: u16, height: u16) -> Self {
        Self { width, height, cells: vec![(0, Role::Text); usize::from(width) * usize::from(height)] }
    }

    /// Sets a dot: `x` in half columns from the left, `y` in dot rows from the top.
    pub fn set(&mut self, x: u16, y: u16, role: Role, meet: Meet) {
        let (column, row) = (x / 2, y / 4);
        if column >= self.width || row >= self.height {
            return;
        }
        let bit = match (x % 2, y % 4) {
            (0, 3) => 0x40,
            (_, 3) => 0x80,
            (half, up) => 1 << (up + 3 * half),
        };
        let at = usize::from(row) * usize::from(self.width) + usize::from(column);
        if let Some(cell) = self.cells.get_mut(at) {
            *cell = (if meet == Meet::Join { cell.0 | bit } else { bit }, role);
        }
    }

    /// Takes all dots out of a cell.
    pub fn clear(&mut self, column: u16, row: u16) {
        let at = usize::from(row) * usize::from(self.width) + usize::from(column);
        if let Some(cell) = self.cells.get_mut(at).filter(|_| column < self.width) {
            cell.0 = 0;
        }
    }

    /// All cells with dots: column, row, braille character, role.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u16, char, Role)> + '_ {
        let width = usize::from(self.width.max(1));
        self.cells.iter().enumerate().filter(|(_, (bits, _))| *bits > 0).map(move |(at, (bits, role))| {
            let glyph = char::from_u32(0x2800 + u32::from(*bits)).unwrap_or(' ');
            ((at % width) as u16, (at / width) as u16, glyph, *role)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn bin(min: f64, max: f64) -> Option<Bin> {
        Some(Bin { min, mean: f64::midpoint(min, max), max })
    }

    #[test]
    fn a_gap_is_neither_drawn_nor_bridged() {
        let bins = [bin(0.0, 0.0), None, bin(1.0, 1.0)];
        let drawn: Vec<_> = strokes(&bins, &Scale::SHARE, 8).collect();
        assert!(drawn[1].is_none());
        assert_eq!(drawn[2].map(|s| (s.lo, s.hi)), Some((7, 7)));
    }

    #[test]
    fn a_jump_is_joined_by_a_vertical_line() {
        let bins = [bin(0.0, 0.0), bin(1.0, 1.0), bin(0.0, 0.0)];
        let drawn: Vec<_> = strokes(&bins, &Scale::SHARE, 8).flatten().map(|s| (s.lo, s.hi)).collect();
        assert_eq!(drawn, [(0, 0), (1, 7), (0, 6)]);
    }

    proptest! {
        #[test]
        fn every_stroke_keeps_minimum_and_maximum_and_joins_the_one_before(
            values in prop::collection::vec(prop::option::of((0.0_f64..=1.0, 0.0_f64..=1.0)), 0..80), rows in 1u16..90,
        ) {
            let bins: Vec<_> = values.iter().map(|v| v.and_then(|(a, b)| bin(a.min(b), a.max(b)))).collect();
            let dot = |v: f64| (v * f64::from(rows - 1)).round() as u16;
            let mut last: Option<Stroke> = None;
            for (value, stroke) in bins.iter().zip(strokes(&bins, &Scale::SHARE, rows)) {
                prop_assert_eq!(value.is_some(), stroke.is_some());
                if let (Some(b), Some(s)) = (value, stroke) {
                    let flat = u16::from((b.max - b.min) * f64::from(rows - 1) < 0.5);
                    prop_assert!(s.lo <= dot(b.min) + flat && s.hi + flat >= dot(b.max) && s.hi < rows);
                    if let Some(l) = last {
                        prop_assert!(s.lo <= l.hi + 1 && l.lo <= s.hi + 1, "{:?} {:?}", l, s);
                    }
                }
                last = stroke;
            }
        }
    }
}
