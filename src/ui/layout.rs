//! Layouts as data: which panes a page has, in rows and columns, and where they go on a screen of any size.
//!
//! A layout is a TOML file; a page it does not name is as in the default one. Invariant: panes lie within the area, share
//! their borders, and never overlap.

use std::path::Path;

use ratatui::layout::Rect;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::state::View;
use crate::model::catalog::nearest;

/// Layouts that are built in, in the order of the key that goes through them.
pub const BUILT_IN: [(&str, &str); 4] = [
    ("default", include_str!("../../layouts/default.toml")),
    ("charts", include_str!("../../layouts/charts.toml")),
    ("table", include_str!("../../layouts/table.toml")),
    ("duty", include_str!("../../layouts/duty.toml")),
];

/// What is wrong with a file of the user's: where, what, and what to write instead. The rest of the file is used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct LayoutFault {
    /// Path of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// Panes on top of each other, with their share of the row's width.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    panes: Vec<String>,
    weight: u16,
}

/// Panes beside each other.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    columns: Vec<Column>,
    /// Rows it would like to have; `None`: what is left.
    height: Option<u16>,
    least: u16,
    gives: u16,
    /// Columns of the screen from which on, and below which, it is there.
    from: u16,
    below: u16,
}

/// A named arrangement of the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Its name.
    pub name: String,
    pages: Vec<(View, Vec<Row>)>,
}

/// A pane and its borders: columns `x0` to `x1` and rows `y0` to `y1`, all of them lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Name of the pane.
    pub pane: String,
    /// Column of the left and of the right border.
    pub x: (u16, u16),
    /// Row of the upper and of the lower border.
    pub y: (u16, u16),
}

impl Layout {
    /// All layouts: the built-in ones, then those of the folder by name; and what is wrong with the latter.
    pub fn all(folder: Option<&Path>, is_pane: &dyn Fn(&str) -> Option<String>) -> (Vec<Self>, Vec<LayoutFault>) {
        let mut faults = Vec::new();
        let mut all: Vec<Self> =
            BUILT_IN.iter().map(|(name, text)| Self::parse(name, name, text, is_pane, &mut faults)).collect();
        let files = folder.and_then(|f| std::fs::read_dir(f).ok()).into_iter().flatten().flatten();
        let mut paths: Vec<_> = files.map(|f| f.path()).filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
        paths.sort();
        for path in paths {
            let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            let file = path.display().to_string();
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    let layout = Self::parse(&name, &file, &text, is_pane, &mut faults);
                    all.retain(|l| l.name != name);
                    all.push(layout);
                }
                Err(error) => faults.push(LayoutFault { file, line: 1, message: format!("cannot be read: {error}") }),
            }
        }
        (all, faults)
    }

    /// Reads a layout; what is not understood is left out and told. `is_pane` gives `None` for a pane there is, else what is meant.
    pub fn parse(
        name: &str,
        file: &str,
        text: &str,
        is_pane: &dyn Fn(&str) -> Option<String>,
        faults: &mut Vec<LayoutFault>,
    ) -> Self {
        let mut reader = Reader { file, text, is_pane, faults };
        Self { name: name.to_owned(), pages: reader.pages() }
    }

    /// Whether the layout says how a page looks.
    pub fn has(&self, view: View) -> bool {
        self.pages.iter().any(|(v, rows)| *v == view && !rows.is_empty())
    }

    /// Names of all panes of a page, each once.
    pub fn panes(&self, view: View) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for pane in self.rows(view).iter().flat_map(|r| &r.columns).flat_map(|c| &c.panes) {
            if !names.contains(&pane.as_str()) {
                names.push(pane);
            }
        }
        names
    }

    fn rows(&self, view: View) -> &[Row] {
        self.pages.iter().find(|(v, _)| *v == view).map_or(&[], |(_, rows)| rows)
    }

    /// Places the panes of a page within an area; nothing where there is no room for a single row. `wanted` says of a pane that
    /// wide how many rows it can fill at most, `None` for a pane that is not to be placed.
    pub fn place(&self, view: View, area: Rect, wanted: &dyn Fn(&str, u16) -> Option<u16>) -> Vec<Placed> {
        let kept = |row: &Row| {
            let column = |c: &Column| {
                let panes: Vec<String> = c.panes.iter().filter(|p| wanted(p, area.width).is_some()).cloned().collect();
                (!panes.is_empty()).then_some(Column { panes, weight: c.weight })
            };
            let columns: Vec<Column> = row.columns.iter().filter_map(column).collect();
            let is_here = (row.from..row.below).contains(&area.width) && !columns.is_empty();
            // A row is as high as the pane in it that can fill most.
            let most =
                columns.iter().map(|c| c.panes.iter().map(|p| wanted(p, area.width).unwrap_or(0)).fold(0, u16::saturating_add));
            let most = most.max().unwrap_or(u16::MAX).max(1);
            let height = if most < u16::MAX { Some(row.height.unwrap_or(most).min(most)) } else { row.height };
            is_here.then_some(Row { columns, height, least: row.least.min(most), ..row.clone() })
        };
        let mut rows: Vec<Row> = self.rows(view).iter().filter_map(kept).collect();
        let Some(heights) = heights(&mut rows, area.height) else { return Vec::new() };
        let mut placed = Vec::new();
        let mut y = area.y;
        for (row, height) in rows.iter().zip(heights) {
            let below = y + height + 1;
            columns(row, area, (y, below), &mut placed);
            y = below;
        }
        placed
    }
}

/// Rows between the lines for each row; rows that find no room are taken out, those that give most first.
fn heights(rows: &mut Vec<Row>, height: u16) -> Option<Vec<u16>> {
    loop {
        if rows.is_empty() {
            return None;
        }
        let lines = u16::try_from(rows.len()).ok()?.checked_add(1)?;
        let least: u16 = rows.iter().map(|r| r.least).sum();
        if let Some(room) = height.checked_sub(lines).filter(|room| *room >= least) {
            return Some(shared(rows, room));
        }
        // The one that gives most, of equals the last.
        let out = (0..rows.len()).max_by_key(|i| (rows[*i].gives, *i))?;
        rows.remove(out);
    }
}

/// `room` rows over rows that fit with their least heights.
fn shared(rows: &[Row], room: u16) -> Vec<u16> {
    let mut heights: Vec<u16> = rows.iter().map(|r| r.height.unwrap_or(r.least).max(r.least)).collect();
    while heights.iter().sum::<u16>() > room {
        let over = |i: &usize| heights[*i] > rows[*i].least;
        let Some(i) = (0..rows.len()).filter(over).max_by_key(|i| (rows[*i].gives, heights[*i] - rows[*i].least)) else { break };
        heights[i] -= 1;
    }
    let growing: Vec<usize> = (0..rows.len()).filter(|i| rows[*i].height.is_none()).collect();
    let takers = if growing.is_empty() { (0..rows.len()).collect() } else { growing };
    let mut left = room - heights.iter().sum::<u16>();
    let count = u16::try_from(takers.len()).unwrap_or(1).max(1);
    for (n, i) in (0..count).zip(takers) {
        let share = left / (count - n);
        heights[i] += share;
        left -= share;
    }
    heights
}

fn columns(row: &Row, area: Rect, (top, bottom): (u16, u16), placed: &mut Vec<Placed>) {
    let total: u32 = row.columns.iter().map(|c| u32::from(c.weight)).sum::<u32>().max(1);
    let right = area.right().saturating_sub(1);
    let mut sum = 0;
    let mut x0 = area.x;
    for (i, column) in row.columns.iter().enumerate() {
        sum += u32::from(column.weight);
        let cut = area.x + u16::try_from(u32::from(area.width) * sum / total).unwrap_or(area.width);
        let x1 = if i + 1 == row.columns.len() { right } else { cut };
        let n = u16::try_from(column.panes.len()).unwrap_or(1).max(1);
        // On top of each other panes share lines too; what has no room for a row of its own is left out.
        let n = n.min(((bottom - top) / 2).max(1));
        for (j, pane) in (0..n).zip(&column.panes) {
            let y = |j: u16| top + u16::try_from(u32::from(bottom - top) * u32::from(j) / u32::from(n)).unwrap_or(0);
            placed.push(Placed { pane: pane.clone(), x: (x0, x1), y: (y(j), y(j + 1)) });
        }
        x0 = x1;
    }
}

/// Reads one file.
struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    is_pane: &'a dyn Fn(&str) -> Option<String>,
    faults: &'a mut Vec<LayoutFault>,
}

/// Keys of a row.
const KEYS: [&str; 6] = ["panes", "height", "least", "gives", "from", "below"];

impl Reader<'_> {
    fn fault(&mut self, offset: usize, message: String) {
        let line = 1 + self.text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count();
        self.faults.push(LayoutFault { file: self.file.to_owned(), line, message });
    }

    fn pages(&mut self) -> Vec<(View, Vec<Row>)> {
        let table = match DeTable::parse(self.text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                self.fault(error.span().map_or(0, |s| s.start), error.message().to_owned());
                return Vec::new();
            }
        };
        let mut pages = Vec::new();
        for (key, value) in &table {
            let name = key.get_ref().as_ref();
            let Some(view) = View::ALL.into_iter().find(|v| v.id() == name) else {
                let near = nearest(name, View::ALL.map(View::id)).map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default();
                self.fault(key.span().start, format!("\"{name}\" is no page{near}"));
                continue;
            };
            match value.get_ref() {
                DeValue::Array(rows) => pages.push((view, rows.iter().filter_map(|r| self.row(r)).collect())),
                _ => self.fault(key.span().start, format!("rows of a page are written as [[{name}]]")),
            }
        }
        pages
    }

    fn row(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Row> {
        let DeValue::Table(table) = value.get_ref() else {
            self.fault(value.span().start, "a row is a table with panes = [\"…\"]".to_owned());
            return None;
        };
        let mut row = Row { columns: Vec::new(), height: None, least: 3, gives: 1, from: 0, below: u16::MAX };
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            match (name, value.get_ref()) {
                ("panes", DeValue::Array(columns)) => {
                    row.columns = columns.iter().filter_map(|c| self.column(c)).collect();
                }
                ("height" | "least" | "gives" | "from" | "below", DeValue::Integer(number)) => {
                    let Some(number) = number.as_str().parse::<u16>().ok().filter(|n| *n <= 1000) else {
                        self.fault(key.span().start, format!("{name} is a number from 0 to 1000"));
                        continue;
                    };
                    match name {
                        "height" => row.height = Some(number),
                        "least" => row.least = number.max(1),
                        "gives" => row.gives = number,
                        "from" => row.from = number,
                        _ => row.below = number,
                    }
                }
                _ => {
                    let near = nearest(name, KEYS).map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default();
                    self.fault(key.span().start, format!("\"{name}\" is not understood{near}"));
                }
            }
        }
        (!row.columns.is_empty()).then_some(row)
    }

    fn column(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Column> {
        let mut column = Column { panes: Vec::new(), weight: 1 };
        let one = std::slice::from_ref(value);
        let parts = match value.get_ref() {
            DeValue::Array(stack) => stack.iter().as_slice(),
            _ => one,
        };
        for part in parts {
            let DeValue::String(text) = part.get_ref() else {
                self.fault(part.span().start, "a pane is a name, as \"cpu\" or \"cpu:2\"".to_owned());
                continue;
            };
            let (name, weight) = text.split_once(':').map_or((text.as_ref(), None), |(n, w)| (n, Some(w)));
            if let Some(message) = (self.is_pane)(name) {
                self.fault(part.span().start, message);
                continue;
            }
            match weight.map(|w| w.parse::<u16>().ok().filter(|w| (1..=1000).contains(w))) {
                Some(Some(weight)) => column.weight = weight,
                Some(None) => self.fault(part.span().start, format!("\"{text}\": a weight is a number from 1 to 1000")),
                None => {}
            }
            column.panes.push(name.to_owned());
        }
        (!column.panes.is_empty()).then_some(column)
    }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
