//! The table of processes: columns by width, marks of the guilty, the last minute of CPU, the command.
//!
//! Only commands are ever cut. Invariant: the order is the list's; drawing sorts nothing.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::alert_glyph;
use crate::model::Process;
use crate::ui::charts::CPU_TICKS;
use crate::ui::lists::Lists;
use crate::ui::pane::{Density, DrawContext, Target};
use crate::ui::state::{Sort, SortColumn};
use crate::ui::widgets::chart::Coloring;
use crate::ui::widgets::spark::{Spark, spark};
use crate::ui::widgets::table::{Column, Columns, Direction, number};
use crate::ui::widgets::{Phrase, Role};

const MIB: f64 = 1_048_576.0;

const LARGE: &[Column] = &[
    Column::number("PID", 7),
    Column::words("user", 9),
    Column::number("CPU%", 7),
    Column::number("mem MiB", 9),
    Column::number("read MiB/s", 12),
    Column::number("write", 7),
    Column::number("thr", 5),
    Column::number("time", 8),
    Column::words("unit", 17),
    Column::words("60 s of CPU, full = 1 core", 32),
    Column::words("command", 0),
];

const MEDIUM: &[Column] = &[
    Column::number("PID", 7),
    Column::words("user", 9),
    Column::number("CPU%", 7),
    Column::number("mem MiB", 9),
    Column::number("read MiB/s", 12),
    Column::number("write", 7),
    Column::words("", 1),
    Column::words("60 s", 14),
    Column::words("command", 0),
];

const SMALL: &[Column] = &[
    Column::number("PID", 7),
    Column::words("user", 9),
    Column::number("CPU%", 7),
    Column::number("mem MiB", 9),
    Column::words("", 1),
    Column::words("command", 0),
];

/// The columns for a size.
fn columns(density: Density) -> &'static [Column] {
    match density {
        Density::Large => LARGE,
        Density::Medium => MEDIUM,
        Density::Small => SMALL,
    }
}

/// A table in an area whose first two columns are for marks.
pub struct Table<'a> {
    ctx: &'a DrawContext<'a>,
    columns: Columns<'a>,
    kinds: &'a [Column],
    area: Rect,
    lists: &'a Lists,
    sort: Sort,
}

/// The head a column of the list is sorted by stands under.
fn head_of(column: SortColumn) -> &'static str {
    match column {
        SortColumn::Cpu => "CPU%",
        SortColumn::Memory => "mem MiB",
        SortColumn::Read => "read MiB/s",
        SortColumn::Write => "write",
        SortColumn::Pid => "PID",
        SortColumn::User => "user",
        SortColumn::Threads => "thr",
        SortColumn::Time => "time",
        SortColumn::Name => "command",
    }
}

impl<'a> Table<'a> {
    /// A table over an area; `None` where it is too narrow for one.
    pub fn new(ctx: &'a DrawContext<'a>, area: Rect) -> Option<Self> {
        let kinds = columns(Density::of(area.width + if ctx.density() == Density::Small { 0 } else { 4 }).min(ctx.density()));
        if area.width < 30 {
            return None;
        }
        let inner = Rect { x: area.x + 2, width: area.width - 2, ..area };
        let (lists, sort) = (&ctx.state.lists, ctx.state.sort);
        Some(Self { ctx, columns: Columns::new(kinds, inner), kinds, area, lists, sort })
    }

    /// The same table of another list.
    #[must_use]
    pub fn of(self, lists: &'a Lists, sort: Sort) -> Self {
        Self { lists, sort, ..self }
    }

    /// Draws the heads in row `y`.
    pub fn heads(&self, buf: &mut Buffer, y: u16) {
        let sort = self.sort;
        let direction = if sort.inverted { Direction::Inverted } else { Direction::Usual };
        let sorted = self.kinds.iter().position(|c| c.head == head_of(sort.column)).map(|i| (i, direction));
        self.columns.heads(self.ctx.ink, buf, y, sorted);
    }

    /// Draws rows of the list from row `y` on.
    pub fn rows(&self, buf: &mut Buffer, y: u16, range: Range<usize>) {
        let lists = self.lists;
        // Only in the page's own list something is chosen.
        let is_own = std::ptr::eq(lists, &raw const self.ctx.state.lists);
        let chosen = is_own.then(|| lists.process_row(self.ctx.snapshot, &self.ctx.state.selected));
        for (line, at) in (y..self.area.bottom()).zip(range) {
            let Some(process) = lists.processes.get(at).and_then(|i| self.ctx.snapshot.processes.get(*i)) else { break };
            self.ctx.note(Rect { y: line, height: 1, ..self.area }, Target::Process(process.id));
            if Some(at) == chosen {
                let style = self.ctx.ink.ground(crate::ui::widgets::Ground::Selected);
                buf.set_style(Rect { y: line, height: 1, ..self.area }.intersection(buf.area), style);
            }
            self.row(buf, line, process, &tree_mark(lists, at));
        }
    }

    fn row(&self, buf: &mut Buffer, y: u16, process: &Process, tree: &str) {
        let ink = self.ctx.ink;
        if let Some((glyph, role)) = self.mark(process) {
            Phrase::new().bold(role, glyph).put(ink, buf, (self.area.x, y), self.area.x + 1);
        }
        for (i, column) in self.kinds.iter().enumerate() {
            let cell = match column.head {
                "PID" => Phrase::new().dim(&process.id.pid.to_string()),
                "user" => Phrase::new().text(&process.user),
                "CPU%" => number(process.cpu * 100.0, 1),
                "mem MiB" => number(process.memory_bytes as f64 / MIB, 0),
                "read MiB/s" => rate(process.read_bytes_per_second),
                "write" => rate(process.write_bytes_per_second),
                "thr" => Phrase::new().dim(&process.threads.to_string()),
                "time" => Phrase::new().dim(&cpu_time(process.cpu_seconds)),
                "unit" => Phrase::new().dim(process.unit.as_deref().or(process.container.as_deref()).unwrap_or("")),
                "command" => {
                    let directory = if self.ctx.density() == Density::Large { Directory::Shown } else { Directory::Hidden };
                    Phrase::new().role(Role::Line, tree).join(&command(process, directory))
                }
                "" => continue,
                _ => {
                    let (x, end) = self.columns.span(i);
                    let cells = end.saturating_sub(x + 2);
                    let per_cell = CPU_TICKS.div_ceil(usize::from(cells.max(1)));
                    let values = self.ctx.state.cpu.cells(process.id, per_cell);
                    let graph = Spark { values: &values, range: (0.0, 1.0), per_cell, coloring: Coloring::Fixed(Role::Flow) };
                    spark(ink, buf, (x + 1, y), cells, &graph);
                    continue;
                }
            };
            if column.head == "unit" || column.head == "user" {
                let (x, end) = self.columns.span(i);
                cell.put(ink, buf, (x + 1, y), if column.head == "unit" { end - 1 } else { end });
            } else {
                self.columns.cell(ink, buf, y, i, &cell);
            }
        }
    }

    /// The glyph of the worst active alert that names the process.
    fn mark(&self, process: &Process) -> Option<(&'static str, Role)> {
        let names = |pid: u32, alert: &crate::model::Alert| alert.explanation.processes.iter().take(2).any(|c| c.pid == pid);
        self.ctx.snapshot.firing().filter(|a| !a.is_quiet()).find(|a| names(process.id.pid, a)).map(|a| alert_glyph(a))
    }
}

fn rate(value: Option<f64>) -> Phrase {
    value.map_or_else(|| Phrase::new().dim("-"), |v| number(v / MIB, 1))
}

/// `118:04`: minutes and seconds.
fn cpu_time(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Whether the directory of a program stands before its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directory {
    /// It does.
    Shown,
    /// It does not.
    Hidden,
}

/// Directory dim, name bold, arguments dim.
pub fn command(process: &Process, directory: Directory) -> Phrase {
    let text: &str = if process.command.is_empty() { &process.name } else { &process.command };
    if let Some(kernel) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return Phrase::new().strong(kernel);
    }
    let (program, arguments) = text.split_at(text.find(' ').unwrap_or(text.len()));
    let (before, name) = program.rfind('/').map_or(("", program), |at| program.split_at(at + 1));
    let (name, colon) = name.strip_suffix(':').map_or((name, ""), |n| (n, ":"));
    let before = if directory == Directory::Shown { before } else { "" };
    Phrase::new().dim(before).strong(name).dim(colon).dim(arguments)
}

/// Lines from a parent to its children: `├─ `, `└─ `, with `│` where another branch goes on.
fn tree_mark(lists: &Lists, at: usize) -> String {
    let Some(depth) = lists.depth.get(at).copied() else { return String::new() };
    let goes_on = |level: u16| {
        let later = lists.depth.iter().skip(at + 1);
        later.take_while(|d| **d >= level).any(|d| *d == level)
    };
    let mut mark = String::new();
    for level in 1..=depth.min(12) {
        let own = level == depth;
        mark.push_str(match (own, goes_on(level)) {
            (true, true) => "├─ ",
            (true, false) => "└─ ",
            (false, true) => "│  ",
            (false, false) => "   ",
        });
    }
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Process {
        Process { name: "x".into(), command: text.into(), ..Process::default() }
    }

    #[test]
    fn a_command_is_directory_name_and_arguments() {
        let wanted = Phrase::new().dim("/usr/bin/").strong("farol").dim(" --record");
        assert_eq!(command(&of("/usr/bin/farol --record"), Directory::Shown), wanted);
        assert_eq!(command(&of("[kswapd0]"), Directory::Shown), Phrase::new().strong("kswapd0"));
        let wanted = Phrase::new().strong("postgres").dim(":").dim(" walwriter");
        assert_eq!(command(&of("postgres: walwriter"), Directory::Hidden), wanted);
        assert_eq!(command(&of(""), Directory::Shown), Phrase::new().strong("x"));
    }

    #[test]
    fn a_tree_shows_where_branches_go_on() {
        let lists = Lists { processes: vec![0, 1, 2, 3], depth: vec![0, 1, 2, 1], ..Lists::default() };
        let marks: Vec<_> = (0..4).map(|i| tree_mark(&lists, i)).collect();
        assert_eq!(marks, ["", "├─ ", "│  └─ ", "└─ "]);
    }
}
