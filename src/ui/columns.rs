//! The columns a process list can have, and its order.
//!
//! One row each in [`COLUMNS`]: the table, the menu of columns, the menu of orders and the file of
//! settings know them from here. Invariant: every column can be sorted by.

use super::pane::Density;
use super::widgets::table::Column;

/// A column of the process list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum SortColumn {
    /// CPU over the last interval.
    #[default]
    Cpu,
    /// Resident memory.
    Memory,
    /// Share of the machine's memory.
    MemoryShare,
    /// Bytes read.
    Read,
    /// Bytes written.
    Write,
    /// Process number.
    Pid,
    /// Number of the parent.
    Parent,
    /// Owner.
    User,
    /// Threads.
    Threads,
    /// CPU time.
    Time,
    /// Nice value.
    Nice,
    /// What it is doing.
    State,
    /// systemd unit.
    Unit,
    /// Container.
    Container,
    /// The last minute of CPU.
    Graph,
    /// Short name; drawn as the command line.
    Name,
}

/// Order of the process list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sort {
    /// By what.
    pub column: SortColumn,
    /// Turned around: smallest first for figures, Z first for words.
    pub inverted: bool,
}

/// One column as it is offered and drawn.
#[derive(Debug, Clone, Copy)]
pub struct ColumnRow {
    /// Which.
    pub column: SortColumn,
    /// Its name in settings.
    pub id: &'static str,
    /// Head and width.
    pub shape: Column,
    /// One line for the menu.
    pub help: &'static str,
}

const fn row(column: SortColumn, id: &'static str, shape: Column, help: &'static str) -> ColumnRow {
    ColumnRow { column, id, shape, help }
}

/// All columns in their usual order; the command is always there and last.
pub const COLUMNS: &[ColumnRow] = &[
    row(SortColumn::Pid, "pid", Column::number("PID", 7), "process number"),
    row(SortColumn::Parent, "parent", Column::number("parent", 8), "number of the parent"),
    row(SortColumn::User, "user", Column::words("user", 9), "owner"),
    row(SortColumn::State, "state", Column::words("S", 3), "what it is doing: R runs, S sleeps, D waits for a device"),
    row(SortColumn::Nice, "nice", Column::number("nice", 6), "nice value, -20 first to 19 last"),
    row(SortColumn::Cpu, "cpu", Column::number("CPU%", 7), "CPU, 100% = one core"),
    row(SortColumn::Memory, "memory", Column::number("mem MiB", 9), "resident memory"),
    row(SortColumn::MemoryShare, "memory-share", Column::number("mem%", 7), "share of the machine's memory"),
    row(SortColumn::Read, "read", Column::number("read MiB/s", 12), "read from devices"),
    row(SortColumn::Write, "write", Column::number("write", 7), "written to devices, MiB/s"),
    row(SortColumn::Threads, "threads", Column::number("thr", 5), "threads"),
    row(SortColumn::Time, "time", Column::number("time", 8), "CPU time since its start"),
    row(SortColumn::Unit, "unit", Column::words("unit", 17), "systemd unit, else the container"),
    row(SortColumn::Container, "container", Column::words("container", 14), "container"),
    row(SortColumn::Graph, "graph", Column::words("60 s of CPU, full = 1 core", 32), "the last minute of CPU"),
    row(SortColumn::Name, "command", Column::words("command", 0), "directory, name and arguments"),
];

const LARGE: &[SortColumn] = &[
    SortColumn::Pid,
    SortColumn::User,
    SortColumn::Cpu,
    SortColumn::Memory,
    SortColumn::Read,
    SortColumn::Write,
    SortColumn::Threads,
    SortColumn::Time,
    SortColumn::Unit,
    SortColumn::Graph,
    SortColumn::Name,
];
const MEDIUM: &[SortColumn] = &[
    SortColumn::Pid,
    SortColumn::User,
    SortColumn::Cpu,
    SortColumn::Memory,
    SortColumn::Read,
    SortColumn::Write,
    SortColumn::Graph,
    SortColumn::Name,
];
const SMALL: &[SortColumn] = &[SortColumn::Pid, SortColumn::User, SortColumn::Cpu, SortColumn::Memory, SortColumn::Name];

/// The columns a screen of that size has where none were chosen.
pub fn usual(density: Density) -> &'static [SortColumn] {
    match density {
        Density::Large => LARGE,
        Density::Medium => MEDIUM,
        Density::Small => SMALL,
    }
}

impl SortColumn {
    /// Its row of the table.
    pub fn row(self) -> &'static ColumnRow {
        COLUMNS.iter().find(|r| r.column == self).expect("a test finds every column in the table")
    }

    /// By its name in settings.
    pub fn named(id: &str) -> Option<Self> {
        COLUMNS.iter().find(|r| r.id == id).map(|r| r.column)
    }

    /// Head and width on a screen of that size.
    pub fn shape(self, density: Density) -> Column {
        match (self, density) {
            (Self::Graph, Density::Medium | Density::Small) => Column::words("60 s", 14),
            _ => self.row().shape,
        }
    }
}

/// Least columns a command is worth drawing in.
const LEAST_COMMAND: u16 = 16;

/// The chosen columns that fit into a width, the command last; the last of the others leave first.
pub fn fitting(chosen: &[SortColumn], density: Density, width: u16) -> Vec<SortColumn> {
    let mut columns: Vec<SortColumn> = chosen.iter().copied().filter(|c| *c != SortColumn::Name).collect();
    let wide = |columns: &[SortColumn]| columns.iter().map(|c| c.shape(density).width).sum::<u16>();
    while !columns.is_empty() && wide(&columns) + LEAST_COMMAND > width {
        columns.pop();
    }
    columns.push(SortColumn::Name);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_and_leave_where_there_is_no_room() {
        for row in COLUMNS {
            assert_eq!(SortColumn::named(row.id), Some(row.column));
            assert_eq!(row.column.row().id, row.id);
        }
        assert_eq!(SortColumn::default().row().id, "cpu");
        assert_eq!(fitting(LARGE, Density::Large, 190), LARGE);
        let narrow = fitting(LARGE, Density::Small, 40);
        assert_eq!(narrow, [SortColumn::Pid, SortColumn::User, SortColumn::Cpu, SortColumn::Name]);
        assert_eq!(fitting(&[], Density::Small, 5), [SortColumn::Name]);
    }
}
