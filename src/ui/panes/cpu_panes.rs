//! Panes of the CPU page: every core with its own graph, and who uses them.
//!
//! Invariant: a core has the same place as long as the machine has it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::limits::Limits;
use super::parts::{Slot, at_moment, percent};
use super::process_table::Table;
use crate::base::Unit;
use crate::model::{Reading, Snapshot};
use crate::ui::lists::Lists;
use crate::ui::pane::DrawContext;
use crate::ui::process_list::ProcessOrder;
use crate::ui::state::{Sort, SortColumn};
use crate::ui::widgets::spark::{Spark, spark};
use crate::ui::widgets::text::write;
use crate::ui::widgets::{Graph, Phrase, Role};

/// Columns of a core: number, graph, share, frequency.
const CORE: u16 = 34;

/// The limits a core is colored by.
const CORE_LIMITS: Limits = Limits { warn: Some(0.8), crit: Some(0.95), line: None };

/// Rows of the grid of all cores.
pub fn core_rows(snapshot: &Snapshot, width: u16) -> u16 {
    let count = snapshot.of("cpu_usage_ratio").filter(|r| !r.key.is_total()).count();
    u16::try_from(count).unwrap_or(u16::MAX).div_ceil((width.saturating_sub(4) / CORE).max(1)).max(1)
}

/// All cores in a grid; where there are more than rows and columns hold, one cell a core.
pub fn cores(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let number = |r: &&Reading| r.key.label("core").and_then(|c| c.parse::<u32>().ok());
    let mut all: Vec<_> = ctx.snapshot.of("cpu_usage_ratio").filter_map(|r| Some((number(&r)?, r))).collect();
    all.sort_by_key(|(n, _)| *n);
    let busy = all.iter().filter(|(_, r)| r.value >= 0.8).count();
    let head = at_moment(ctx).strong("Cores ").dim(&all.len().to_string());
    let said = if busy > 0 { Phrase::new().bold(Role::Warn, &busy.to_string()).dim(" above 80%") } else { Phrase::new() };
    slot.title(ctx.ink, buf, &head, &[said]);
    let inner = slot.inner();
    if inner.height == 0 || all.is_empty() {
        return;
    }
    let columns = (inner.width / CORE).max(1);
    let rows = u16::try_from(all.len()).unwrap_or(u16::MAX).div_ceil(columns);
    if rows > inner.height {
        return dense(ctx, buf, inner, &all);
    }
    let wide = inner.width / columns;
    for (i, (n, reading)) in (0_u16..).zip(&all) {
        let (x, y) = (inner.x + i / rows * wide, inner.y + i % rows);
        core(ctx, buf, Rect { x, y, width: wide.saturating_sub(2), height: 1 }, (*n, reading));
    }
}

fn core(ctx: &DrawContext, buf: &mut Buffer, line: Rect, (n, reading): (u32, &Reading)) {
    let role = CORE_LIMITS.role(reading.value);
    write(buf, (line.x, line.y), line.x + 3, &format!("{n:>3}"), ctx.ink.style(Role::Dim));
    let shown = if matches!(role, Role::Warn | Role::Crit) { role } else { Role::Text };
    let frequency = ctx.snapshot.part("cpu_frequency_hertz", &n.to_string());
    let after = if frequency.is_some() && line.width >= 26 { 13 } else { 5 };
    let from = line.x + 4;
    let cells = line.width.saturating_sub(4 + after + 1);
    if ctx.ink.graph != Graph::Ascii && cells > 2 {
        let window = ctx.window(cells);
        let values: Vec<_> = ctx.charts().bins(&reading.key, window).into_iter().map(|b| b.map(|b| b.mean)).collect();
        let graph = Spark { values: &values, range: (0.0, 1.0), per_cell: 2, coloring: CORE_LIMITS.coloring() };
        spark(ctx.ink, buf, (from, line.y), cells, &graph);
    }
    percent(shown, reading.value).put_right(ctx.ink, buf, (from, line.right() - (after - 5)), line.y);
    if let Some(hertz) = frequency.filter(|_| after > 5) {
        ctx.quantity(Role::Dim, hertz, Unit::Hertz).put_right(ctx.ink, buf, (from, line.right()), line.y);
    }
}

/// One cell a core: height and color say how busy it is.
fn dense(ctx: &DrawContext, buf: &mut Buffer, area: Rect, all: &[(u32, &Reading)]) {
    let per_row = usize::from(area.width.saturating_sub(5).max(1));
    for (y, chunk) in (area.y..area.bottom()).zip(all.chunks(per_row)) {
        let first = chunk.first().map_or(0, |(n, _)| *n);
        write(buf, (area.x, y), area.x + 4, &format!("{first:>4}"), ctx.ink.style(Role::Dim));
        let values: Vec<_> = chunk.iter().map(|(_, r)| Some(r.value)).collect();
        let graph = Spark { values: &values, range: (0.0, 1.0), per_cell: 1, coloring: CORE_LIMITS.coloring() };
        spark(ctx.ink, buf, (area.x + 5, y), u16::try_from(values.len()).unwrap_or(0), &graph);
    }
}

/// Processes by one column, whatever the process page is sorted by.
pub fn top_by(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, (title, column): (&str, SortColumn)) {
    slot.title(ctx.ink, buf, &at_moment(ctx).strong(title), &[Phrase::new().strong("6").dim(" all processes")]);
    let inner = slot.inner();
    if inner.height < 2 {
        return;
    }
    let sort = Sort { column, inverted: false };
    let order = ProcessOrder { sort, tree: false, choice: &ctx.state.processes, held: None };
    let lists = Lists::top(ctx.snapshot, order, usize::from(inner.height - 1));
    let Some(table) = Table::new(ctx, inner) else { return };
    let table = table.of(&lists, sort);
    table.heads(buf, inner.y);
    table.rows(buf, inner.y + 1, 0..lists.processes.len());
}

/// Who uses the cores.
pub fn top(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    top_by(ctx, buf, slot, ("Most CPU", SortColumn::Cpu));
}
