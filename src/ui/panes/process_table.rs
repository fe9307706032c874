//! The table of processes: columns by width, marks of the guilty, the last minute of CPU, the command.
//!
//! Only commands are ever cut. Invariant: the order is the list's; drawing sorts nothing.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::alert_glyph;
use crate::model::{Process, ProcessState};
use crate::ui::charts::CPU_TICKS;
use crate::ui::columns::{SortColumn, fitting, usual};
use crate::ui::lists::Lists;
use crate::ui::pane::{Density, DrawContext, Target};
use crate::ui::process_list::{Branch, Sum, TreeRow};
use crate::ui::state::{Sort, View};
use crate::ui::widgets::chart::Coloring;
use crate::ui::widgets::spark::{Spark, spark};
use crate::ui::widgets::table::{Align, Column, Columns, Direction, number};
use crate::ui::widgets::{Phrase, Role};

/// A table in an area whose first two columns are for marks.
pub struct Table<'a> {
    ctx: &'a DrawContext<'a>,
    /// What stands in each column; `None`: a blank.
    kinds: Vec<Option<SortColumn>>,
    shapes: Vec<Column>,
    area: Rect,
    lists: &'a Lists,
    sort: Sort,
}

impl<'a> Table<'a> {
    /// A table over an area; `None` where it is too narrow for one.
    pub fn new(ctx: &'a DrawContext<'a>, area: Rect) -> Option<Self> {
        if area.width < 30 {
            return None;
        }
        let density = Density::of(area.width + if ctx.density() == Density::Small { 0 } else { 4 }).min(ctx.density());
        let own = ctx.state.processes.columns.as_deref().filter(|_| ctx.state.view == View::Processes);
        let chosen = fitting(own.unwrap_or(usual(density)), density, area.width - 2);
        let (mut kinds, mut shapes) = (Vec::new(), Vec::<Column>::new());
        for column in chosen {
            let shape = column.shape(density);
            let shape = Column { head: ctx.units().head(shape.head), ..shape };
            // What ends a row stands two blanks from a number.
            let is_close = density != Density::Large
                && matches!(column, SortColumn::Graph | SortColumn::Name)
                && shapes.last().is_some_and(|before| before.align == Align::Right);
            if is_close {
                kinds.push(None);
                shapes.push(Column::words("", 1));
            }
            kinds.push(Some(column));
            shapes.push(shape);
        }
        let (lists, sort) = (&ctx.state.lists, ctx.state.sort);
        Some(Self { ctx, kinds, shapes, area, lists, sort })
    }

    fn columns(&self) -> Columns<'_> {
        Columns::new(&self.shapes, Rect { x: self.area.x + 2, width: self.area.width - 2, ..self.area })
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
        let sorted = self.kinds.iter().position(|c| *c == Some(sort.column)).map(|i| (i, direction));
        let columns = self.columns();
        columns.heads(self.ctx.ink, buf, y, sorted);
        for (i, column) in self.kinds.iter().enumerate() {
            let (x, end) = columns.span(i);
            if let Some(column) = column.filter(|_| self.is_own()) {
                self.ctx.note(Rect { x, y, width: end.saturating_sub(x), height: 1 }, Target::Head(column));
            }
        }
    }

    /// Whether it is the page's own list, in which something is chosen.
    fn is_own(&self) -> bool {
        std::ptr::eq(self.lists, &raw const self.ctx.state.lists)
    }

    /// Draws rows of the list from row `y` on.
    pub fn rows(&self, buf: &mut Buffer, y: u16, range: Range<usize>) {
        let lists = self.lists;
        let chosen = self.is_own().then(|| lists.process_row(self.ctx.snapshot, &self.ctx.state.selected));
        for (line, at) in (y..self.area.bottom()).zip(range) {
            let Some(process) = lists.processes.get(at).and_then(|i| self.ctx.snapshot.processes.get(*i)) else { break };
            self.ctx.note(Rect { y: line, height: 1, ..self.area }, Target::Process(process.id));
            if Some(at) == chosen {
                let style = self.ctx.ink.ground(crate::ui::widgets::Ground::Selected);
                buf.set_style(Rect { y: line, height: 1, ..self.area }.intersection(buf.area), style);
            }
            self.row(buf, line, process, at);
        }
    }

    fn row(&self, buf: &mut Buffer, y: u16, process: &Process, at: usize) {
        let ink = self.ctx.ink;
        if let Some((glyph, role)) = self.mark(process) {
            Phrase::new().bold(role, glyph).put(ink, buf, (self.area.x, y), self.area.x + 1);
        }
        if self.ctx.state.processes.marked.contains(&process.id) {
            Phrase::new().bold(Role::Past, "x").put(ink, buf, (self.area.x + 1, y), self.area.x + 2);
        }
        let place = self.lists.tree.get(at);
        let used = match place.map(|p| p.branch) {
            Some(Branch::Folded(sum)) => sum,
            _ => Sum::of(process),
        };
        let columns = self.columns();
        for (i, column) in self.kinds.iter().enumerate() {
            let Some(column) = *column else { continue };
            let (x, end) = columns.span(i);
            match column {
                SortColumn::Graph => self.graph(buf, process, (x, y), end),
                SortColumn::Name => {
                    columns.cell(ink, buf, y, i, &self.name(process, at));
                }
                SortColumn::Unit | SortColumn::Container => {
                    self.cell(column, process, &used).put(ink, buf, (x + 1, y), end.saturating_sub(1));
                }
                _ => columns.cell(ink, buf, y, i, &self.cell(column, process, &used)),
            }
        }
    }

    fn cell(&self, column: SortColumn, process: &Process, used: &Sum) -> Phrase {
        match column {
            SortColumn::Pid => Phrase::new().dim(&process.id.pid.to_string()),
            SortColumn::Parent => Phrase::new().dim(&process.parent.to_string()),
            SortColumn::User => Phrase::new().text(&process.user),
            SortColumn::State => state_letter(process.state),
            SortColumn::Nice => match process.nice {
                0 => Phrase::new().dim("0"),
                nice => Phrase::new().text(&nice.to_string()),
            },
            SortColumn::Cpu => number(used.cpu * 100.0, 1),
            SortColumn::Memory => number(used.memory_bytes as f64 / self.ctx.units().mega(), 0),
            SortColumn::MemoryShare => {
                let all = self.ctx.snapshot.total("memory_total_bytes").filter(|t| *t > 0.0);
                all.map_or_else(|| Phrase::new().dim("-"), |all| number(used.memory_bytes as f64 / all * 100.0, 1))
            }
            SortColumn::Read => rate(used.read, self.ctx.units().mega()),
            SortColumn::Write => rate(used.write, self.ctx.units().mega()),
            SortColumn::Threads => Phrase::new().dim(&used.threads.to_string()),
            SortColumn::Time => Phrase::new().dim(&cpu_time(used.cpu_seconds)),
            SortColumn::Unit => Phrase::new().dim(process.unit.as_deref().or(process.container.as_deref()).unwrap_or("")),
            SortColumn::Container => Phrase::new().dim(process.container.as_deref().unwrap_or("")),
            SortColumn::Graph | SortColumn::Name => Phrase::new(),
        }
    }

    fn graph(&self, buf: &mut Buffer, process: &Process, (x, y): (u16, u16), end: u16) {
        let cells = end.saturating_sub(x + 2);
        let per_cell = CPU_TICKS.div_ceil(usize::from(cells.max(1)));
        let values = self.ctx.state.cpu.cells(process.id, per_cell);
        let graph = Spark { values: &values, range: (0.0, 1.0), per_cell, coloring: Coloring::Fixed(Role::Flow) };
        spark(self.ctx.ink, buf, (x + 1, y), cells, &graph);
    }

    /// The command behind its place in the tree; a parent that is only there for its children is dim.
    fn name(&self, process: &Process, at: usize) -> Phrase {
        let lists = self.lists;
        // In the tree the name needs the room.
        let has_room = self.ctx.density() == Density::Large && lists.tree.is_empty();
        let directory = if has_room { Directory::Shown } else { Directory::Hidden };
        let mark = Phrase::new().role(Role::Line, &tree_mark(lists, at));
        let said = command(process, directory);
        match lists.tree.get(at) {
            Some(TreeRow { is_kept: false, .. }) => mark.dim(said.plain()),
            Some(TreeRow { branch: Branch::Folded(sum), .. }) => {
                mark.strong(&process.name).dim(&format!(" and {} more", sum.count.saturating_sub(1)))
            }
            _ => mark.join(&said),
        }
    }

    /// The glyph of the worst active alert that names the process.
    fn mark(&self, process: &Process) -> Option<(&'static str, Role)> {
        let names = |pid: u32, alert: &crate::model::Alert| alert.explanation.processes.iter().take(2).any(|c| c.pid == pid);
        self.ctx.snapshot.firing().filter(|a| !a.is_quiet()).find(|a| names(process.id.pid, a)).map(|a| alert_glyph(a))
    }
}

/// The kernel's letter; only what is unusual stands out.
fn state_letter(state: ProcessState) -> Phrase {
    let letter = state.letter().to_string();
    match state {
        ProcessState::Running => Phrase::new().strong(&letter),
        ProcessState::DiskSleep | ProcessState::Zombie => Phrase::new().bold(Role::Warn, &letter),
        ProcessState::Stopped | ProcessState::Traced => Phrase::new().text(&letter),
        _ => Phrase::new().dim(&letter),
    }
}

fn rate(value: Option<f64>, mega: f64) -> Phrase {
    value.map_or_else(|| Phrase::new().dim("-"), |v| number(v / mega, 1))
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

/// Lines from a parent to its children, `├─┬ `, `└─► `, with `│` where another branch goes on.
fn tree_mark(lists: &Lists, at: usize) -> String {
    let Some(place) = lists.tree.get(at) else { return String::new() };
    let glyph = match place.branch {
        Branch::Leaf => "─",
        Branch::Open => "┬",
        Branch::Folded(_) => "►",
    };
    if place.depth == 0 {
        return if glyph == "►" { "► ".to_owned() } else { String::new() };
    }
    let goes_on = |level: u16| {
        let later = lists.tree.iter().skip(at + 1).map(|r| r.depth);
        later.take_while(|d| *d >= level).any(|d| d == level)
    };
    let mut mark = String::new();
    for level in 1..=place.depth.min(12) {
        mark.push_str(match (level == place.depth, goes_on(level)) {
            (true, true) => "├─",
            (true, false) => "└─",
            (false, true) => "│ ",
            (false, false) => "  ",
        });
    }
    mark + glyph + " "
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
        let row = |depth, branch| TreeRow { depth, branch, is_kept: true };
        let folded = Branch::Folded(Sum::default());
        let tree = vec![row(0, Branch::Open), row(1, Branch::Open), row(2, Branch::Leaf), row(1, folded)];
        let lists = Lists { processes: vec![0, 1, 2, 3], tree, ..Lists::default() };
        let marks: Vec<_> = (0..4).map(|i| tree_mark(&lists, i)).collect();
        assert_eq!(marks, ["", "├─┬ ", "│ └── ", "└─► "]);
    }
}
