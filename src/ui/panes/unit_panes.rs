//! Panes of the units page: what units of systemd and containers use, summed over their processes.
//!
//! Invariant: a process counts in one unit and in at most one container.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;

use super::parts::{Slot, at_moment, percent};
use crate::model::{Process, Snapshot};
use crate::ui::filter::{Filter, Texts};
use crate::ui::pane::DrawContext;
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::table::{Column, Columns, number};
use crate::ui::widgets::{Phrase, Role};

const MIB: f64 = 1_048_576.0;

const COLUMNS: &[Column] = &[
    Column::words("name", 34),
    Column::number("processes", 10),
    Column::number("CPU%", 8),
    Column::number("mem MiB", 10),
    Column::number("of all", 8),
    Column::number("read MiB/s", 12),
    Column::number("write", 8),
    Column::words("", 0),
];

/// What the processes of one unit or container use together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Use {
    /// How many.
    pub processes: u32,
    /// Cores.
    pub cpu: f64,
    /// Bytes; memory that processes share counts for each of them.
    pub memory: f64,
    /// Bytes read a second.
    pub read: f64,
    /// Bytes written a second.
    pub write: f64,
}

/// Sums by a name of a process; processes without one are left out.
pub fn sums<'a>(snapshot: &'a Snapshot, name: impl Fn(&'a Process) -> Option<&'a str>) -> BTreeMap<&'a str, Use> {
    let mut all: BTreeMap<&str, Use> = BTreeMap::new();
    for process in snapshot.processes.iter() {
        let Some(name) = name(process) else { continue };
        let sum = all.entry(name).or_default();
        sum.processes += 1;
        sum.cpu += process.cpu;
        sum.memory += process.memory_bytes as f64;
        sum.read += process.read_bytes_per_second.unwrap_or(0.0);
        sum.write += process.write_bytes_per_second.unwrap_or(0.0);
    }
    all
}

/// Units of systemd by what they use; failed ones first.
pub fn units(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let all = sums(ctx.snapshot, |p| p.unit.as_deref());
    table(ctx, buf, slot, ("Units", "no process belongs to a unit here: there is no systemd, or its groups are hidden"), all);
}

/// Containers by what they use.
pub fn containers(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let all = sums(ctx.snapshot, |p| p.container.as_deref());
    table(ctx, buf, slot, ("Containers", "no process runs in a container"), all);
}

fn table(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, (title, empty): (&str, &str), all: BTreeMap<&str, Use>) {
    let filter: Filter<Texts> = Filter::new(ctx.state.filter());
    let mut rows: Vec<(&str, Use)> = all.into_iter().filter(|(name, _)| filter.matches(&[name])).collect();
    // By memory in steps: what uses the same stays where it is.
    let order = |u: &Use| ((u.cpu * 20.0).round() as u64, (u.memory / (64.0 * MIB)) as u64);
    rows.sort_by(|a, b| order(&b.1).cmp(&order(&a.1)).then_with(|| a.0.cmp(b.0)));
    let inner = slot.inner();
    slot.title(
        ctx.ink,
        buf,
        &at_moment(ctx).strong(&format!("{title} ")).dim(&rows.len().to_string()),
        &[super::parts::filter(ctx)],
    );
    if inner.height == 0 || inner.width < 40 {
        return;
    }
    if rows.is_empty() {
        Phrase::new().dim(empty).put(ctx.ink, buf, (inner.x, inner.y), inner.right());
        return;
    }
    let total = ctx.snapshot.total("memory_total_bytes").filter(|t| *t > 0.0);
    let shapes = COLUMNS.iter().map(|c| Column { head: ctx.units().head(c.head), ..*c }).collect::<Vec<_>>();
    let columns = Columns::new(&shapes, inner);
    columns.heads(ctx.ink, buf, inner.y, None);
    let first = ctx.state.scroll.min(rows.len().saturating_sub(usize::from(inner.height.saturating_sub(1))));
    for (y, (name, sum)) in (inner.y + 1..inner.bottom()).zip(rows.into_iter().skip(first)) {
        columns.cell(ctx.ink, buf, y, 0, &Phrase::new().text(name));
        columns.cell(ctx.ink, buf, y, 1, &number(f64::from(sum.processes), 0));
        columns.cell(ctx.ink, buf, y, 2, &number(sum.cpu * 100.0, 1));
        columns.cell(ctx.ink, buf, y, 3, &number(sum.memory / ctx.units().mega(), 0));
        let share = total.map(|t| sum.memory / t);
        columns.cell(ctx.ink, buf, y, 4, &share.map_or_else(|| Phrase::new().dim("-"), |s| percent(Role::Text, s)));
        columns.cell(ctx.ink, buf, y, 5, &number(sum.read / ctx.units().mega(), 1));
        columns.cell(ctx.ink, buf, y, 6, &number(sum.write / ctx.units().mega(), 1));
        let (x, end) = columns.span(7);
        if let Some(share) = share.filter(|_| end > x + 8) {
            meter(ctx.ink, buf, (x + 2, y), end - x - 2, Meter { share, limit: None, role: Role::Flow });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_the_sum_of_its_processes() {
        let snapshot = crate::ui::fixture::snapshot();
        let all = sums(&snapshot, |p| p.unit.as_deref());
        let one = all.get("postgresql@15").expect("a unit of the story");
        assert!(one.processes >= 2 && one.cpu > 1.0, "{one:?}");
        let memory: f64 = snapshot.processes.iter().filter(|p| p.unit.is_some()).map(|p| p.memory_bytes as f64).sum();
        assert!((all.values().map(|u| u.memory).sum::<f64>() - memory).abs() < 1.0);
    }
}
