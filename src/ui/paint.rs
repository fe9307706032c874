//! Cells to bytes: what changed since the last frame, in one block.
//!
//! Only differences are sent: colors that change, short gaps by writing the cells in between again.
//! Invariant: a frame is either sent whole within a synchronized update or not at all.

use std::io::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use crate::base::fnv;

/// Cells that are a link, and where it leads; plain ASCII.
pub type Link = (Rect, String);

/// Remembers what the terminal shows.
///
/// Of each cell it keeps a number of 64 bits, not its text and style: they are a fifth of a screen's memory otherwise.
#[derive(Debug)]
pub struct Painter {
    area: Rect,
    /// What each cell looks like, row by row.
    shown: Vec<u64>,
    /// Rows that have a wide character.
    wide: Vec<bool>,
    links: Vec<Link>,
    /// Links that were there before and are no longer, or are new: their cells are sent again.
    moved: Vec<Rect>,
    /// Nothing shown is known to be right.
    is_stale: bool,
    /// The terminal's current colors and modifiers, where known.
    pen: Option<Pen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

/// Modifiers and the numbers that switch each on and off.
const MODIFIERS: [(Modifier, &str, &str); 4] =
    [(Modifier::BOLD, "1", "22"), (Modifier::DIM, "2", "22"), (Modifier::UNDERLINED, "4", "24"), (Modifier::REVERSED, "7", "27")];

/// What follows is no link (OSC 8 without an address).
const LINK_ENDS: &[u8] = b"\x1b]8;;\x1b\\";

/// Moving the cursor costs about as many bytes as this many cells.
const GAP: u16 = 4;

impl Painter {
    /// For a screen that shows nothing known yet.
    pub fn new(area: Rect) -> Self {
        let (shown, wide, links, moved) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { area, shown, wide, links, moved, is_stale: true, pen: None }
    }

    /// Everything is sent again with the next frame.
    pub fn forget(&mut self) {
        self.is_stale = true;
        self.pen = None;
    }

    /// Bytes that make the terminal show `next`; empty where it does already.
    pub fn frame(&mut self, next: &Buffer, links: Vec<Link>) -> Vec<u8> {
        let mut out = Vec::new();
        let before = std::mem::replace(&mut self.links, links);
        let gone = before.iter().filter(|l| !self.links.contains(l));
        self.moved = gone.chain(self.links.iter().filter(|l| !before.contains(l))).map(|(area, _)| *area).collect();
        let area = next.area;
        let is_whole = self.is_stale || self.area != area;
        if is_whole {
            out.extend_from_slice(b"\x1b[0m\x1b[2J");
            self.pen = None;
            self.area = area;
            self.shown = vec![0; area.area() as usize];
            self.wide = vec![false; usize::from(area.height)];
        }
        for y in area.top()..area.bottom() {
            self.row(next, y, is_whole, &mut out);
        }
        self.is_stale = false;
        if out.is_empty() {
            return out;
        }
        // Mode 2026: the terminal shows the frame at once; terminals without it ignore it.
        let mut frame = Vec::with_capacity(out.len() + 16);
        frame.extend_from_slice(b"\x1b[?2026h");
        frame.append(&mut out);
        frame.extend_from_slice(b"\x1b[?2026l");
        frame
    }

    fn row(&mut self, next: &Buffer, y: u16, is_whole: bool, out: &mut Vec<u8>) {
        let area = next.area;
        let width = usize::from(area.width);
        let first = usize::from(y - area.top()) * width;
        let cells = next.content.get(first..first + width).unwrap_or_default();
        let was_wide = std::mem::replace(&mut self.wide[usize::from(y - area.top())], cells.iter().any(|c| columns(c) == 2));
        let is_wide = was_wide || self.wide[usize::from(y - area.top())];
        let shown = &mut self.shown[first..first + width];
        let mut is_new: Vec<bool> = Vec::with_capacity(width);
        is_new.extend(cells.iter().zip(shown).map(|(cell, shown)| {
            let look = look(cell);
            std::mem::replace(shown, look) != look
        }));
        // What is behind and left of wide characters differs between terminals: such a row is sent as one.
        let is_whole = is_whole || (is_wide && is_new.contains(&true));
        // The column the terminal's cursor is at, and the link that is open.
        let mut cursor: Option<u16> = None;
        let mut open: Option<usize> = None;
        let is_at = |area: &Rect, x: u16| area.contains((x, y).into());
        let mut x = area.left();
        while x < area.right() {
            let cell = &next[(x, y)];
            let columns = columns(cell).min(area.right() - x);
            let is_moved = self.moved.iter().any(|area| is_at(area, x));
            if is_whole || is_moved || is_new.get(usize::from(x - area.left())) == Some(&true) {
                let link = self.links.iter().position(|(area, _)| is_at(area, x));
                if open.is_some() && (open != link || cursor != Some(x)) {
                    out.extend_from_slice(LINK_ENDS);
                    open = None;
                }
                self.go_to(cursor, (x, y), next, out);
                let wanted = Pen::for_cell(cell, self.pen);
                if self.pen != Some(wanted) {
                    change(self.pen, wanted, out);
                    self.pen = Some(wanted);
                }
                if let Some((_, address)) = link.filter(|_| open.is_none()).and_then(|i| self.links.get(i)) {
                    write(out, format_args!("\x1b]8;;{address}\x1b\\"));
                    open = link;
                }
                out.extend_from_slice(cell.symbol().as_bytes());
                // At the last column terminals differ in where the cursor is.
                cursor = (x + columns < area.right()).then_some(x + columns);
            }
            x += columns;
        }
        if open.is_some() {
            out.extend_from_slice(LINK_ENDS);
        }
    }

    /// Moves the cursor in the fewest bytes: over a short gap by writing what is there, where the pen is right for it.
    fn go_to(&self, cursor: Option<u16>, (x, y): (u16, u16), next: &Buffer, out: &mut Vec<u8>) {
        let Some(at) = cursor.filter(|at| *at <= x) else {
            write(out, format_args!("\x1b[{};{}H", y + 1, x + 1));
            return;
        };
        let gap = at..x;
        let is_link = |c: u16| self.links.iter().any(|(area, _)| area.contains((c, y).into()));
        let is_plain =
            |c: u16| !is_link(c) && self.pen == Some(Pen::for_cell(&next[(c, y)], self.pen)) && columns(&next[(c, y)]) == 1;
        if x - at <= GAP && gap.clone().all(is_plain) {
            gap.for_each(|c| out.extend_from_slice(next[(c, y)].symbol().as_bytes()));
        } else if x > at {
            write(out, format_args!("\x1b[{}C", x - at));
        }
    }
}

/// Whether a cell has nothing that its color would show on.
fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && !cell.modifier.intersects(Modifier::REVERSED | Modifier::UNDERLINED)
}

/// A number for what a terminal shows of a cell: of a blank only the background is seen. Two looks have the same one with a chance of
/// one to 2^64 or so.
fn look(cell: &Cell) -> u64 {
    let text = cell.symbol().as_bytes();
    let (fg, modifier) = if is_blank(cell) { (Color::Reset, Modifier::empty()) } else { (cell.fg, cell.modifier) };
    let mut short = [0; 8];
    let text = match short.get_mut(..text.len()) {
        Some(place) => {
            place.copy_from_slice(text);
            u64::from_le_bytes(short)
        }
        None => fnv(text),
    };
    // 25 bits of each color, 14 for the modifiers.
    let style = number(fg) | (number(cell.bg) << 25) | (u64::from(modifier.bits()) << 50);
    // Both halves of a product of 128 bits: each bit of either side moves all of them. The factors are digits of pi.
    let product = u128::from(text ^ 0x243f_6a88_85a3_08d3) * u128::from(style ^ 0x1319_8a2e_0370_7344);
    (product as u64) ^ (product >> 64) as u64
}

/// A number for a color, below 2^25.
fn number(color: Color) -> u64 {
    match color {
        Color::Rgb(r, g, b) => (1 << 24) | u64::from(u32::from_be_bytes([0, r, g, b])),
        Color::Indexed(i) => 0x200 | u64::from(i),
        Color::Reset => 0,
        named => 0x100 | named_number(named).map_or(0, u64::from),
    }
}

/// Columns a cell's text takes.
fn columns(cell: &Cell) -> u16 {
    if cell.symbol().len() == 1 { 1 } else { u16::try_from(cell.symbol().width()).unwrap_or(1).clamp(1, 2) }
}

fn write(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into memory cannot fail.
    let _ = out.write_fmt(text);
}

impl Pen {
    /// What a terminal draws with after a reset.
    const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    /// The pen a cell needs; a blank takes whatever the pen has, but for the background.
    fn for_cell(cell: &Cell, now: Option<Self>) -> Self {
        match now {
            Some(pen) if is_blank(cell) && !pen.modifier.intersects(Modifier::REVERSED | Modifier::UNDERLINED) => {
                Self { bg: cell.bg, ..pen }
            }
            _ => Self::of(cell),
        }
    }
}

/// The shortest sequence from one pen to another.
fn change(from: Option<Pen>, to: Pen, out: &mut Vec<u8>) {
    let mut codes: Vec<String> = Vec::new();
    let known = from.filter(|_| to != Pen::PLAIN);
    let from = known.unwrap_or_else(|| {
        codes.push("0".to_owned());
        Pen::PLAIN
    });
    // Bold and dim are switched off by one number, so the other is switched on again.
    let weight = Modifier::BOLD | Modifier::DIM;
    let loses_weight = (from.modifier & weight).intersects(!to.modifier);
    if loses_weight {
        codes.push("22".to_owned());
    }
    for (modifier, on, off) in MODIFIERS {
        let was = from.modifier.contains(modifier) && !(loses_weight && weight.contains(modifier));
        match (was, to.modifier.contains(modifier)) {
            (false, true) => codes.push(on.to_owned()),
            (true, false) => codes.push(off.to_owned()),
            _ => {}
        }
    }
    if to.fg != from.fg {
        codes.push(color(to.fg, 30));
    }
    if to.bg != from.bg {
        codes.push(color(to.bg, 40));
    }
    write(out, format_args!("\x1b[{}m", codes.join(";")));
}

/// SGR of a color; `base` is 30 for the foreground and 40 for the background.
fn color(color: Color, base: u8) -> String {
    match color {
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
        Color::Indexed(i) => format!("{};5;{i}", base + 8),
        named => match named_number(named) {
            None => format!("{}", base + 9),
            Some(n) if n < 8 => format!("{}", base + n),
            Some(n) => format!("{}", base + 60 + n - 8),
        },
    }
}

/// Place of a color among the sixteen a terminal has names for; `None` for its own and for those without a name.
fn named_number(color: Color) -> Option<u8> {
    Some(match color {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Reset | Color::Rgb(..) | Color::Indexed(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::Style;

    /// Text and style of every cell as a terminal shows them.
    fn seen(parser: &vt100::Parser, area: Rect) -> Vec<(String, bool, bool, vt100::Color, vt100::Color)> {
        let cells = (0..area.height).flat_map(|y| (0..area.width).map(move |x| (y, x)));
        cells
            .filter_map(|(y, x)| parser.screen().cell(y, x))
            .map(|c| {
                let text = if c.contents().is_empty() { " ".to_owned() } else { c.contents().to_owned() };
                // Of a blank only the background is seen.
                let is_seen = text != " " || c.inverse();
                let fg = if is_seen { c.fgcolor() } else { vt100::Color::Default };
                (text, c.bold() && is_seen, c.inverse(), fg, c.bgcolor())
            })
            .collect()
    }

    fn cell(x: u16, y: u16, kind: u8, buf: &mut Buffer) {
        let text = ["a", "日", "─", " ", "⠋"][usize::from(kind % 5)];
        let colors = [Color::Reset, Color::Red, Color::Rgb(1, 2, 3), Color::Indexed(200), Color::DarkGray];
        let style = Style::new().fg(colors[usize::from(kind / 5 % 5)]).bg(colors[usize::from(kind / 25 % 5)]);
        let style = if kind.is_multiple_of(3) { style.add_modifier(Modifier::BOLD) } else { style };
        let style = if kind.is_multiple_of(7) { style.add_modifier(Modifier::REVERSED) } else { style };
        let is_wide = text == "日" && x + 1 < buf.area.right();
        let text = if text == "日" && !is_wide { "b" } else { text };
        buf[(x, y)].set_symbol(text).set_style(style);
        if is_wide {
            buf[(x + 1, y)].set_symbol(" ").set_style(style);
        }
    }

    proptest! {
        #[test]
        fn a_terminal_that_gets_the_differences_shows_the_same_as_one_that_gets_all(frames in prop::collection::vec(prop::collection::vec((0u16..19, 0u16..6, any::<u8>()), 0..40), 1..5)) {
            let area = Rect::new(0, 0, 20, 6);
            let mut terminal = vt100::Parser::new(6, 20, 0);
            let mut painter = Painter::new(area);
            let mut last = Buffer::empty(area);
            for changes in frames {
                for (x, y, kind) in changes {
                    // Nothing is put onto half of a wide character: drawing clears the row first, as the screen does.
                    for x in 0..area.width {
                        if last[(x, y)].symbol() == "日" {
                            last[(x, y)].reset();
                        }
                    }
                    cell(x, y, kind, &mut last);
                }
                let bytes = painter.frame(&last, Vec::new());
                terminal.process(&bytes);
                let mut fresh = vt100::Parser::new(6, 20, 0);
                let whole = Painter::new(area).frame(&last, Vec::new());
                fresh.process(&whole);
                prop_assert_eq!(seen(&terminal, area), seen(&fresh, area));
            }
        }
    }

    #[test]
    fn nothing_is_sent_where_nothing_changed_and_little_for_a_clock() {
        let area = Rect::new(0, 0, 80, 24);
        let mut painter = Painter::new(area);
        let mut buf = Buffer::empty(area);
        buf.set_string(70, 0, "03:14:31", Style::new().fg(Color::Rgb(255, 255, 255)).add_modifier(Modifier::BOLD));
        let first = painter.frame(&buf, Vec::new());
        assert!(first.starts_with(b"\x1b[?2026h") && first.ends_with(b"\x1b[?2026l"));
        assert!(painter.frame(&buf, Vec::new()).is_empty());
        buf.set_string(70, 0, "03:14:32", Style::new().fg(Color::Rgb(255, 255, 255)).add_modifier(Modifier::BOLD));
        let second = painter.frame(&buf, Vec::new());
        assert!(second.len() <= 60, "{} bytes", second.len());
    }

    #[test]
    fn a_link_is_sent_around_its_cells_and_again_where_it_leads_elsewhere() {
        let area = Rect::new(0, 0, 20, 2);
        let mut painter = Painter::new(area);
        let mut buf = Buffer::empty(area);
        buf.set_string(0, 0, "see shop here", Style::new());
        let at = Rect::new(4, 0, 4, 1);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let first = text(painter.frame(&buf, vec![(at, "https://shop/".to_owned())]));
        assert!(first.contains("see \x1b]8;;https://shop/\x1b\\shop\x1b]8;;\x1b\\ here"), "{first:?}");
        let same = painter.frame(&buf, vec![(at, "https://shop/".to_owned())]);
        assert!(same.is_empty());
        let other = text(painter.frame(&buf, vec![(at, "https://shop/b".to_owned())]));
        assert!(other.contains("\x1b]8;;https://shop/b\x1b\\shop\x1b]8;;\x1b\\") && !other.contains("see"), "{other:?}");
        let none = text(painter.frame(&buf, Vec::new()));
        assert!(none.contains("shop") && !none.contains("https"), "{none:?}");
    }
}
