//! Panes of the disks page: file systems, devices, and who reads and writes.
//!
//! Invariant: what fills up first stands first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cpu_panes::top_by;
use super::limits::Limits;
use super::parts::{Slot, at_moment, percent, prediction_of, until};
use crate::base::Unit;
use crate::model::Reading;
use crate::ui::pane::DrawContext;
use crate::ui::state::SortColumn;
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::table::{Column, Columns, number};
use crate::ui::widgets::{Phrase, Role};

const FILESYSTEMS: &[Column] = &[
    Column::words("mount", 22),
    Column::number("size", 11),
    Column::number("used", 11),
    Column::number("free", 11),
    Column::number("use", 6),
    Column::number("inodes", 8),
    Column::words("", 0),
];

/// All file systems, the fullest first.
pub fn filesystems(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let s = ctx.snapshot;
    let mut all: Vec<&Reading> = s.of("filesystem_used_ratio").collect();
    all.sort_by(|a, b| b.value.total_cmp(&a.value).then_with(|| a.key.cmp(&b.key)));
    let inner = slot.inner();
    let cut = usize::from(inner.height.saturating_sub(1)).min(all.len());
    let range = if cut < all.len() { Phrase::new().dim(&format!("1–{cut}")) } else { Phrase::new() };
    let head = at_moment(ctx).strong("File systems ").dim(&all.len().to_string());
    slot.title(ctx.ink, buf, &head, &[range]);
    if inner.height == 0 || inner.width < 30 {
        return;
    }
    let columns = Columns::new(FILESYSTEMS, inner);
    columns.heads(ctx.ink, buf, inner.y, None);
    for (y, reading) in (inner.y + 1..inner.bottom()).zip(all) {
        let mount = reading.key.instance();
        let size = |metric: &str| {
            s.part(metric, &mount).map_or_else(|| Phrase::new().dim("-"), |b| ctx.quantity(Role::Text, b, Unit::Bytes))
        };
        let limits = Limits::of(s, &reading.key);
        let role = limits.role(reading.value);
        let worded = if matches!(role, Role::Warn | Role::Crit) { role } else { Role::Text };
        let read_only = s.part("filesystem_read_only", &mount).is_some_and(|v| v > 0.0);
        let name = Phrase::new().text(&mount);
        columns.cell(ctx.ink, buf, y, 0, &if read_only { name.bold(Role::Warn, " read-only") } else { name });
        columns.cell(ctx.ink, buf, y, 1, &size("filesystem_size_bytes"));
        columns.cell(ctx.ink, buf, y, 2, &size("filesystem_used_bytes"));
        columns.cell(ctx.ink, buf, y, 3, &size("filesystem_available_bytes"));
        columns.cell(ctx.ink, buf, y, 4, &percent(worded, reading.value));
        let inodes = s.part("filesystem_inodes_used_ratio", &mount);
        columns.cell(ctx.ink, buf, y, 5, &inodes.map_or_else(|| Phrase::new().dim("-"), |v| percent(Role::Text, v)));
        let (x, end) = columns.span(6);
        after(ctx, buf, Rect { x: x + 2, y, width: end.saturating_sub(x + 2), height: 1 }, reading);
    }
}

/// What is coming for a file system, else how full it is as a bar.
fn after(ctx: &DrawContext, buf: &mut Buffer, line: Rect, reading: &Reading) {
    if line.width < 8 {
        return;
    }
    let coming = prediction_of(ctx.snapshot, |k| *k == reading.key).filter(|_| ctx.cursor().is_none());
    let said = coming.map_or_else(Phrase::new, |p| {
        Phrase::new().bold(Role::Pred, "◆ ").role(Role::Pred, &format!("full in {}", until(ctx, p.at)))
    });
    let limits = Limits::of(ctx.snapshot, &reading.key);
    let wide = line.width.saturating_sub(if said.is_empty() { 0 } else { said.width() + 2 });
    if wide > 4 {
        let bar = Meter { share: reading.value, limit: limits.line.map(|(v, _)| v), role: limits.role(reading.value) };
        meter(ctx.ink, buf, (line.x, line.y), wide, bar);
    }
    said.put_right(ctx.ink, buf, (line.x, line.right()), line.y);
}

const DEVICES: &[Column] = &[
    Column::words("device", 16),
    Column::number("busy", 7),
    Column::number("read", 13),
    Column::number("write", 13),
    Column::number("reads/s", 10),
    Column::number("writes/s", 10),
    Column::number("read ms", 10),
    Column::number("write ms", 10),
    Column::words("", 0),
];

/// All devices, the busiest first.
pub fn devices(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let s = ctx.snapshot;
    let mut all: Vec<&Reading> = s.of("disk_busy_ratio").collect();
    all.sort_by(|a, b| b.value.total_cmp(&a.value).then_with(|| a.key.cmp(&b.key)));
    slot.title(ctx.ink, buf, &at_moment(ctx).strong("Devices ").dim(&all.len().to_string()), &[]);
    let inner = slot.inner();
    if inner.height == 0 || inner.width < 30 {
        return;
    }
    let columns = Columns::new(DEVICES, inner);
    columns.heads(ctx.ink, buf, inner.y, None);
    for (y, reading) in (inner.y + 1..inner.bottom()).zip(all) {
        let name = reading.key.instance();
        let rate = |metric: &str| {
            let value = s.part(metric, &name);
            value.map_or_else(|| Phrase::new().dim("-"), |v| ctx.quantity(Role::Text, v, Unit::BytesPerSecond))
        };
        let count = |metric: &str, factor: f64, decimals| {
            s.part(metric, &name).map_or_else(|| Phrase::new().dim("-"), |v| number(v * factor, decimals))
        };
        columns.cell(ctx.ink, buf, y, 0, &Phrase::new().text(&name));
        columns.cell(ctx.ink, buf, y, 1, &percent(Role::Text, reading.value));
        columns.cell(ctx.ink, buf, y, 2, &rate("disk_read_bytes_per_second"));
        columns.cell(ctx.ink, buf, y, 3, &rate("disk_write_bytes_per_second"));
        columns.cell(ctx.ink, buf, y, 4, &count("disk_reads_per_second", 1.0, 0));
        columns.cell(ctx.ink, buf, y, 5, &count("disk_writes_per_second", 1.0, 0));
        columns.cell(ctx.ink, buf, y, 6, &count("disk_read_latency_seconds", 1000.0, 1));
        columns.cell(ctx.ink, buf, y, 7, &count("disk_write_latency_seconds", 1000.0, 1));
        let (x, end) = columns.span(8);
        if end > x + 8 {
            meter(ctx.ink, buf, (x + 2, y), end - x - 2, Meter { share: reading.value, limit: None, role: Role::Flow });
        }
    }
}

/// Who reads and writes.
pub fn top(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    top_by(ctx, buf, slot, ("Most written", SortColumn::Write));
}
