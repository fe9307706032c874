//! Tables: widths of columns, rows that wrap, heads that come again on each page.
//!
//! Invariant: a row is never torn between two pages, and what is left out is counted.

use super::ink::{self, DIM, LINE, STRONG, Style, TEXT};
use super::sheet::{LEFT, Op, Sheet, Tag, WIDTH, rectangle};
use crate::base::Unit;
use crate::report::document::{Cell, Document, Level, Table};
use crate::report::text;

/// Rows of one table that people read on paper; files have all.
const MOST_ROWS: usize = 25;
/// Lines of one cell; a longer text is cut.
const MOST_LINES: usize = 6;
/// Blank on each side of a cell.
const PAD: f32 = 4.0;
const HEAD: Style = Style::regular(7.0, DIM);
const BODY: Style = Style::regular(7.5, TEXT);

/// A cell ready to be set.
struct Ready {
    text: String,
    level: Option<Level>,
    /// Numbers stand under each other at the right and are never broken.
    number: bool,
}

/// Draws a table; moves on.
pub(super) fn draw(sheet: &mut Sheet, document: &Document<'_>, table: &Table) {
    let (shown, left_out) = table.shown(MOST_ROWS);
    let rows: Vec<Vec<Ready>> = shown.iter().map(|row| row.iter().map(|c| ready(document, c)).collect()).collect();
    let numeric: Vec<bool> = (0..table.columns.len()).map(|i| rows.iter().any(|r| r.get(i).is_some_and(|c| c.number))).collect();
    let widths = widths(sheet, table, &rows);
    let lines = |sheet: &Sheet, row: &[Ready]| -> Vec<Vec<String>> {
        row.iter().zip(&widths).map(|(cell, width)| cell_lines(sheet, cell, *width)).collect()
    };
    sheet.open(Tag::Table);
    head(sheet, table, &widths, &numeric, Again::No);
    for row in &rows {
        let lines = lines(sheet, row);
        let height = lines.iter().map(Vec::len).max().unwrap_or(1) as f32 * BODY.leading() + PAD;
        if sheet.make_room(height) {
            head(sheet, table, &widths, &numeric, Again::Yes);
        }
        self::row(sheet, row, &lines, &widths, height);
    }
    sheet.close();
    sheet.y += 4.0;
    if left_out > 0 {
        sheet.paragraph(Style::regular(7.5, DIM), &text::left_out(left_out));
    }
}

fn ready(document: &Document<'_>, cell: &Cell) -> Ready {
    let plain = |text: String| Ready { text: text::clean(&text), level: None, number: false };
    match cell {
        Cell::Text(text) => plain(text.clone()),
        Cell::Series(key) => plain(text::series(key)),
        Cell::Number(value, unit) => Ready { number: true, ..plain(number(*value, *unit)) },
        Cell::Time(at) => plain(at.map_or_else(|| "–".to_owned(), |t| text::local(t, &document.facts.zone, "%b %-d %H:%M:%S"))),
        Cell::Level(level) => Ready { text: level.glyph().to_owned(), level: Some(*level), number: false },
    }
}

fn number(value: Option<f64>, unit: Unit) -> String {
    value.filter(|v| v.is_finite()).map_or_else(|| "–".to_owned(), |v| text::number(v, unit))
}

/// Each column as wide as its content where all fit; else numbers keep theirs and texts share what is left.
fn widths(sheet: &Sheet, table: &Table, rows: &[Vec<Ready>]) -> Vec<f32> {
    let content = |i: usize| {
        let cells = rows.iter().filter_map(|r| r.get(i)).map(|c| sheet.faces.width(&c.text, BODY));
        let title = table.columns.get(i).map_or(0.0, |c| sheet.faces.width(c.title, HEAD));
        cells.fold(title, f32::max) + 2.0 * PAD
    };
    let wanted: Vec<f32> = (0..table.columns.len()).map(content).collect();
    let all: f32 = wanted.iter().sum();
    if all <= WIDTH {
        // The widest takes the rest, so that the rules reach the margin.
        let widest = wanted.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(i, _)| i);
        return wanted.iter().enumerate().map(|(i, w)| if Some(i) == widest { w + (WIDTH - all) } else { *w }).collect();
    }
    // Columns that need less than an even share keep their width; the others share the rest in proportion.
    let mut fixed = vec![false; wanted.len()];
    loop {
        let taken: f32 = wanted.iter().zip(&fixed).filter(|(_, f)| **f).map(|(w, _)| w).sum();
        let open = fixed.iter().filter(|f| !**f).count().max(1);
        let share = (WIDTH - taken) / open as f32;
        let fits = |(w, f): (&f32, &bool)| !*f && *w <= share;
        if !wanted.iter().zip(&fixed).any(fits) {
            return wanted.iter().zip(&fixed).map(|(w, f)| if *f { *w } else { share.max(4.0 * PAD) }).collect();
        }
        fixed = wanted.iter().zip(&fixed).map(|(w, f)| *f || *w <= share).collect();
    }
}

fn cell_lines(sheet: &Sheet, cell: &Ready, width: f32) -> Vec<String> {
    let mut lines = sheet.faces.wrap(&cell.text, BODY, width - 2.0 * PAD);
    if lines.len() > MOST_LINES {
        lines.truncate(MOST_LINES);
        if let Some(last) = lines.last_mut() {
            last.pop();
            last.push('…');
        }
    }
    lines
}

/// Whether a head has been read before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    No,
    Yes,
}

fn head(sheet: &mut Sheet, table: &Table, widths: &[f32], numeric: &[bool], again: Again) {
    // A head alone at the foot of a page is of no use.
    if again == Again::No {
        sheet.make_room(3.0 * BODY.leading() + 2.0 * PAD);
        sheet.open(Tag::Row);
    }
    let (mut x, y) = (LEFT, sheet.y + HEAD.size);
    for ((column, width), numeric) in table.columns.iter().zip(widths).zip(numeric) {
        let shift = if *numeric { width - 2.0 * PAD - sheet.faces.width(column.title, HEAD) } else { 0.0 };
        let op = Op::Text { x: x + PAD + shift, y, style: HEAD, text: column.title.to_owned() };
        if again == Again::Yes {
            sheet.decorate(vec![op]);
        } else {
            // A column of signs has no title to see, but has one to hear.
            sheet.within(Tag::Head, |s| s.paint(if column.title.is_empty() { Vec::new() } else { vec![op] }));
        }
        x += width;
    }
    if again == Again::No {
        sheet.close();
    }
    sheet.y += HEAD.leading() + 2.0;
    rule(sheet);
}

fn row(sheet: &mut Sheet, row: &[Ready], lines: &[Vec<String>], widths: &[f32], height: f32) {
    let top = sheet.y + PAD / 2.0;
    sheet.open(Tag::Row);
    let mut x = LEFT;
    for ((cell, lines), width) in row.iter().zip(lines).zip(widths) {
        let style = match cell.level {
            Some(level) => Style::bold(BODY.size, ink::of(level)),
            None if cell.number => Style { color: STRONG, ..BODY },
            None => BODY,
        };
        let mut ops = Vec::with_capacity(lines.len());
        for (i, line) in lines.iter().enumerate().filter(|(_, l)| !l.is_empty()) {
            let shift = if cell.number { width - 2.0 * PAD - sheet.faces.width(line, style) } else { 0.0 };
            let y = top + style.size + i as f32 * BODY.leading();
            ops.push(Op::Text { x: x + PAD + shift, y, style, text: line.clone() });
        }
        sheet.within(Tag::Cell, |s| s.paint(ops));
        x += width;
    }
    sheet.close();
    sheet.y += height;
    rule(sheet);
}

fn rule(sheet: &mut Sheet) {
    let points = rectangle(LEFT, sheet.y - 0.25, WIDTH, 0.5);
    sheet.decorate(vec![Op::Area { points, color: LINE, opacity: 1.0 }]);
}
