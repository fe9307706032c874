//! Text on a grid of cells: cut by display width, with `…` where something is missing.
//!
//! Names of processes, mounts and services come from outside: control characters, characters without
//! width and direction marks never reach the terminal. Invariant: text takes exactly the columns its
//! width says, whatever it holds.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthChar;

use super::{Ground, Ink, Role};

/// What stands for a character that must not reach the terminal.
const INERT: char = '·';

/// The character as it may be shown, with its columns (1 or 2); `None` where it has no width.
fn shown(c: char) -> Option<(char, u16)> {
    if c.is_control() {
        return Some((INERT, 1));
    }
    match c.width() {
        Some(0) => None,
        Some(2) => Some((c, 2)),
        Some(_) => Some((c, 1)),
        None => Some((INERT, 1)),
    }
}

/// Columns a text takes.
pub fn width(text: &str) -> u16 {
    let sum: usize = text.chars().filter_map(shown).map(|(_, w)| usize::from(w)).sum();
    u16::try_from(sum).unwrap_or(u16::MAX)
}

/// Writes text from column `x` on, never past `end`, without a mark where it is cut; gives the column after it.
pub fn write(buf: &mut Buffer, (x, y): (u16, u16), end: u16, text: &str, style: Style) -> u16 {
    let area = buf.area;
    if y < area.top() || y >= area.bottom() {
        return x;
    }
    let end = end.min(area.right());
    let mut at = x;
    for (c, w) in text.chars().filter_map(shown) {
        if at.saturating_add(w) > end {
            break;
        }
        if at >= area.left() {
            for (i, shown) in [c, ' '].into_iter().take(usize::from(w)).enumerate() {
                let cell = &mut buf[(at + i as u16, y)];
                cell.modifier.remove(Modifier::BOLD);
                cell.set_char(shown).set_style(style);
            }
        }
        at += w;
    }
    at
}

/// A line of differently styled pieces, put together before its place is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Phrase {
    text: String,
    /// End of each piece in `text`, its role, and whether it is bold.
    pieces: Vec<(usize, Role, Weight)>,
    width: u16,
}

/// How heavy a piece is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    Plain,
    Bold,
}

impl Phrase {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn push(mut self, role: Role, weight: Weight, text: &str) -> Self {
        if !text.is_empty() {
            self.text.push_str(text);
            self.pieces.push((self.text.len(), role, weight));
            self.width = self.width.saturating_add(width(text));
        }
        self
    }

    /// Adds words.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.push(Role::Text, Weight::Plain, text)
    }

    /// Adds a unit, a label or the second thing.
    #[must_use]
    pub fn dim(self, text: &str) -> Self {
        self.push(Role::Dim, Weight::Plain, text)
    }

    /// Adds a value or a name, bold.
    #[must_use]
    pub fn strong(self, text: &str) -> Self {
        self.push(Role::Strong, Weight::Bold, text)
    }

    /// Adds text in a role.
    #[must_use]
    pub fn role(self, role: Role, text: &str) -> Self {
        self.push(role, Weight::Plain, text)
    }

    /// Adds bold text in a role.
    #[must_use]
    pub fn bold(self, role: Role, text: &str) -> Self {
        self.push(role, Weight::Bold, text)
    }

    /// Adds another phrase.
    #[must_use]
    pub fn join(mut self, other: &Self) -> Self {
        let start = self.text.len();
        self.text.push_str(&other.text);
        self.pieces.extend(other.pieces.iter().map(|(end, role, weight)| (start + end, *role, *weight)));
        self.width = self.width.saturating_add(other.width);
        self
    }

    /// The phrase in lines of at most `columns`, broken at blanks; a longer word stays whole.
    pub fn wrap(&self, columns: u16) -> Vec<Self> {
        if self.width <= columns {
            return vec![self.clone()];
        }
        let (mut lines, mut line, mut start) = (Vec::new(), Self::new(), 0);
        for (end, role, weight) in &self.pieces {
            for word in self.text.get(start..*end).unwrap_or("").split_inclusive(' ') {
                if !line.is_empty() && line.width.saturating_add(width(word.trim_end())) > columns {
                    lines.push(std::mem::take(&mut line).trimmed());
                }
                line = line.push(*role, *weight, word);
            }
            start = *end;
        }
        lines.push(line);
        lines
    }

    /// Without blanks at its end.
    fn trimmed(mut self) -> Self {
        let end = self.text.trim_end_matches(' ').len();
        self.width = self.width.saturating_sub(u16::try_from(self.text.len() - end).unwrap_or(u16::MAX));
        self.text.truncate(end);
        self.pieces.iter_mut().for_each(|(until, ..)| *until = (*until).min(end));
        self
    }

    /// Columns it takes.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Its text without styles.
    pub fn plain(&self) -> &str {
        &self.text
    }

    /// Draws it from `x` on; where it does not fit before `end` it ends with `…`. Gives the column after it.
    pub fn put(&self, ink: &Ink, buf: &mut Buffer, (x, y): (u16, u16), end: u16) -> u16 {
        let end = end.min(buf.area.right());
        if end <= x {
            return x;
        }
        let fits = x.saturating_add(self.width) <= end;
        let stop = if fits { end } else { end - 1 };
        let (mut at, mut start) = (x, 0);
        for (until, role, weight) in &self.pieces {
            let style = match weight {
                Weight::Plain => ink.style(*role),
                Weight::Bold => ink.bold(*role),
            };
            let piece = self.text.get(start..*until).unwrap_or("");
            let next = write(buf, (at, y), stop, piece, style);
            let cut = next.saturating_sub(at) < width(piece);
            at = next;
            start = *until;
            if cut {
                break;
            }
        }
        if !fits {
            at = write(buf, (at, y), end, "…", ink.style(Role::Dim));
        }
        at
    }

    /// Draws it so that it ends before column `right`; cut at the right where it would begin before `left`.
    pub fn put_right(&self, ink: &Ink, buf: &mut Buffer, (left, right): (u16, u16), y: u16) -> u16 {
        let x = right.saturating_sub(self.width).max(left);
        self.put(ink, buf, (x, y), right);
        x
    }
}

/// Lays a background under an area; characters and their colors stay.
pub fn lay(ink: &Ink, buf: &mut Buffer, area: Rect, ground: Ground) {
    buf.set_style(area.intersection(buf.area), ink.ground(ground));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widgets::ink::tests::dark;
    use proptest::prelude::*;

    fn row(buf: &Buffer, y: u16) -> String {
        (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect()
    }

    #[test]
    fn control_and_direction_marks_never_reach_the_terminal() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 1));
        let end = write(&mut buf, (0, 0), 12, "a\x1b[2J\u{202e}b\u{200d}\n", Style::new());
        assert_eq!(row(&buf, 0).trim_end(), "a·[2Jb·");
        assert_eq!(end, 7);
    }

    #[test]
    fn a_phrase_that_does_not_fit_ends_with_a_cut_mark() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 1));
        Phrase::new().dim("/usr/bin/").strong("farol").put(&dark(), &mut buf, (0, 0), 8);
        assert_eq!(row(&buf, 0), "/usr/bi…");
        let mut buf = Buffer::empty(Rect::new(0, 0, 5, 1));
        Phrase::new().strong("farol").put(&dark(), &mut buf, (0, 0), 5);
        assert_eq!(row(&buf, 0), "farol");
    }

    #[test]
    fn a_long_phrase_is_broken_at_blanks() {
        let lines = Phrase::new().dim("why ").text("waits for postgres, slow").wrap(11);
        let lines: Vec<_> = lines.iter().map(|l| l.plain().trim_end()).collect();
        assert_eq!(lines, ["why waits", "for", "postgres,", "slow"]);
    }

    #[test]
    fn wide_characters_are_never_cut_in_half() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
        let at = Phrase::new().text("灯台灯台").put(&dark(), &mut buf, (0, 0), 4);
        assert_eq!(at, 3);
        assert_eq!(row(&buf, 0), "灯 … ");
    }

    proptest! {
        #[test]
        fn hostile_text_never_shifts_columns(text in "\\PC*|[\\x00-\\x1f\\u{200b}-\\u{202e}a-z]*", x in 0u16..30, end in 0u16..40) {
            let mut buf = Buffer::empty(Rect::new(0, 0, 30, 2));
            let at = Phrase::new().text(&text).put(&dark(), &mut buf, (x, 0), end);
            prop_assert!(at <= x.max(end.min(30)));
            for cell in (at..30).map(|c| &buf[(c, 0)]) {
                prop_assert_eq!(cell.symbol(), " ");
            }
            for cell in buf.content() {
                prop_assert!(cell.symbol().chars().all(|c| !c.is_control()));
            }
        }
    }
}
