//! Panes side by side that share single-line borders, with titles in the border.
//!
//! Lines are collected first, so that corners and crossings come out right; what is written in a
//! border stays. Invariant: a title's left part is always there, its right parts leave from the left.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::Phrase;
use super::{Ink, Role};

const LEFT: u8 = 1;
const RIGHT: u8 = 2;
const UP: u8 = 4;
const DOWN: u8 = 8;

/// By the sides a line leaves a cell to.
const GLYPHS: [char; 16] = [' ', '─', '─', '─', '│', '╯', '╰', '┴', '│', '╮', '╭', '┬', '│', '┤', '├', '┼'];

/// Lines of one screen. Draw with [`Borders::draw`] before the titles.
#[derive(Debug, Clone)]
pub struct Borders {
    area: Rect,
    cells: Vec<u8>,
}

impl Borders {
    /// No line yet.
    pub fn new(area: Rect) -> Self {
        Self { area, cells: vec![0; usize::from(area.width) * usize::from(area.height)] }
    }

    fn mark(&mut self, x: u16, y: u16, sides: u8) {
        if x >= self.area.left() && x < self.area.right() && y >= self.area.top() && y < self.area.bottom() {
            let at = usize::from(y - self.area.y) * usize::from(self.area.width) + usize::from(x - self.area.x);
            if let Some(cell) = self.cells.get_mut(at) {
                *cell |= sides;
            }
        }
    }

    /// A line from column `x0` to column `x1`, both included.
    pub fn across(&mut self, y: u16, x0: u16, x1: u16) -> &mut Self {
        for x in x0..=x1 {
            self.mark(x, y, if x > x0 { LEFT } else { 0 } | if x < x1 { RIGHT } else { 0 });
        }
        self
    }

    /// A line from row `y0` to row `y1`, both included.
    pub fn down(&mut self, x: u16, y0: u16, y1: u16) -> &mut Self {
        for y in y0..=y1 {
            self.mark(x, y, if y > y0 { UP } else { 0 } | if y < y1 { DOWN } else { 0 });
        }
        self
    }

    /// A box around an area.
    pub fn around(&mut self, area: Rect) -> &mut Self {
        if area.width > 1 && area.height > 1 {
            let (right, bottom) = (area.right() - 1, area.bottom() - 1);
            self.across(area.y, area.x, right).across(bottom, area.x, right);
            self.down(area.x, area.y, bottom).down(right, area.y, bottom);
        }
        self
    }

    /// Draws all lines.
    pub fn draw(&self, ink: &Ink, buf: &mut Buffer) {
        let style = ink.style(Role::Line);
        let width = usize::from(self.area.width.max(1));
        for (at, sides) in self.cells.iter().enumerate().filter(|(_, s)| **s > 0) {
            let (x, y) = (self.area.x + (at % width) as u16, self.area.y + (at / width) as u16);
            if let (Some(cell), Some(glyph)) = (buf.cell_mut((x, y)), GLYPHS.get(usize::from(*sides))) {
                cell.set_char(*glyph).set_style(style);
            }
        }
    }
}

/// Writes a title into the border between the corners `x0` and `x1`: `left` always, of `right` as many of the last as fit.
pub fn title(ink: &Ink, buf: &mut Buffer, y: u16, (x0, x1): (u16, u16), left: &Phrase, right: &[Phrase]) {
    let pad = |buf: &mut Buffer, x: u16| {
        if let Some(cell) = buf.cell_mut((x, y)) {
            cell.set_char(' ');
        }
    };
    let mut end = x0.saturating_add(2);
    if !left.is_empty() && x1 > x0.saturating_add(4) {
        pad(buf, end);
        end = left.put(ink, buf, (end + 1, y), x1.saturating_sub(2));
        pad(buf, end);
        end += 1;
    }
    let mut stop = x1.saturating_sub(1);
    for part in right.iter().rev().filter(|p| !p.is_empty()) {
        let wide = part.width().saturating_add(2);
        let Some(start) = stop.checked_sub(wide).filter(|s| *s > end) else { break };
        pad(buf, start);
        let after = part.put(ink, buf, (start + 1, y), stop);
        pad(buf, after);
        stop = start.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widgets::ink::tests::dark;
    use proptest::prelude::*;

    fn screen(buf: &Buffer) -> Vec<String> {
        let rows = buf.area.top()..buf.area.bottom();
        rows.map(|y| (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect()).collect()
    }

    #[test]
    fn neighbors_share_one_line() {
        let area = Rect::new(0, 0, 7, 5);
        let mut buf = Buffer::empty(area);
        Borders::new(area).around(area).across(2, 0, 6).down(3, 0, 4).draw(&dark(), &mut buf);
        assert_eq!(screen(&buf), ["╭──┬──╮", "│  │  │", "├──┼──┤", "│  │  │", "╰──┴──╯"]);
    }

    #[test]
    fn right_parts_of_a_title_leave_from_the_left_and_none_is_cut() {
        let area = Rect::new(0, 0, 40, 1);
        let parts = [Phrase::new().dim("peak 88%"), Phrase::new().dim("load 4.2")];
        let draw = |width: u16| {
            let mut buf = Buffer::empty(area);
            Borders::new(area).across(0, 0, width - 1).draw(&dark(), &mut buf);
            title(&dark(), &mut buf, 0, (0, width - 1), &Phrase::new().strong("CPU 26%"), &parts);
            screen(&buf).concat().trim_end().to_owned()
        };
        assert!(draw(40).contains("peak 88%") && draw(40).contains("load 4.2"));
        assert!(!draw(26).contains("peak") && draw(26).contains("load 4.2"));
        assert!(draw(16).contains("CPU 26%") && !draw(16).contains("load"));
    }

    proptest! {
        #[test]
        fn no_size_makes_borders_or_titles_panic(w in 0u16..50, h in 0u16..6, x in 0u16..60, y in 0u16..8, x1 in 0u16..60) {
            let area = Rect::new(0, 0, w, h);
            let mut buf = Buffer::empty(area);
            Borders::new(area).around(Rect::new(0, 0, w, h)).across(y, x, x1).down(x, 0, y).draw(&dark(), &mut buf);
            title(&dark(), &mut buf, y, (x, x1), &Phrase::new().strong("Memory 91%"), &[Phrase::new().dim("21.8 of 23.9 GiB")]);
        }
    }
}
