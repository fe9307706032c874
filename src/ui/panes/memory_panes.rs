//! Panes of the memory page: what it is used for, and by whom.
//!
//! Invariant: every part is said with its share of the whole.

use ratatui::buffer::Buffer;

use super::cpu_panes::top_by;
use super::limits::Limits;
use super::parts::{Slot, at_moment, percent, row};
use crate::base::Unit;
use crate::model::{Reading, SeriesKey, Snapshot};
use crate::ui::pane::DrawContext;
use crate::ui::state::SortColumn;
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::{Phrase, Role};

/// Parts of the memory, by metric.
const PARTS: [(&str, &str); 6] = [
    ("used", "memory_used_bytes"),
    ("available", "memory_available_bytes"),
    ("cached", "memory_cached_bytes"),
    ("buffers", "memory_buffers_bytes"),
    ("slab", "memory_slab_bytes"),
    ("dirty", "memory_dirty_bytes"),
];

/// The breakdown of memory and swap.
pub fn parts(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let s = ctx.snapshot;
    let total = s.total("memory_total_bytes").filter(|t| *t > 0.0);
    let size = total.map_or_else(Phrase::new, |t| ctx.quantity(Role::Text, t, Unit::Bytes));
    slot.title(ctx.ink, buf, &at_moment(ctx).strong("What it is used for"), &[size]);
    let swap_size = s.total("swap_total_bytes").filter(|t| *t > 0.0);
    let memory = PARTS.iter().filter_map(|(name, metric)| Some(((*name).to_owned(), s.total(metric)?, total?)));
    let swap = s.total("swap_used_bytes").zip(swap_size).map(|(used, size)| ("swap".to_owned(), used, size));
    let inner = slot.inner();
    for (i, (name, bytes, whole)) in (0_u16..).zip(memory.chain(swap).chain(nodes(s))) {
        let line = row(inner, i);
        if line.height == 0 || line.width < 24 {
            break;
        }
        let share = bytes / whole;
        let role = match name.as_str() {
            "used" => Limits::of(s, &SeriesKey::total("memory_used_ratio")).role(share),
            "swap" => Limits::of(s, &SeriesKey::total("swap_used_ratio")).role(share),
            _ => Role::Flow,
        };
        Phrase::new().dim(&name).put(ctx.ink, buf, (line.x, line.y), line.x + 10);
        let worded = if matches!(role, Role::Warn | Role::Crit) { role } else { Role::Text };
        percent(worded, share).put_right(ctx.ink, buf, (line.x, line.right()), line.y);
        ctx.quantity(worded, bytes, Unit::Bytes).put_right(ctx.ink, buf, (line.x, line.right() - 6), line.y);
        let bar = line.width.saturating_sub(10 + 18);
        if bar > 4 {
            meter(ctx.ink, buf, (line.x + 10, line.y), bar, Meter { share, limit: None, role: role.calm() });
        }
    }
}

/// Memory of each NUMA node that is used for something; none where there is one node.
fn nodes(s: &Snapshot) -> Vec<(String, f64, f64)> {
    let node = |total: &Reading| {
        let name = total.key.label("node")?;
        let free = s.part("numa_memory_free_bytes", name)?;
        (total.value > 0.0).then(|| (format!("node {name}"), total.value - free, total.value))
    };
    let nodes: Vec<_> = s.of("numa_memory_total_bytes").filter_map(node).collect();
    if nodes.len() > 1 { nodes } else { Vec::new() }
}

/// Who has the memory.
pub fn top(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    top_by(ctx, buf, slot, ("Most memory", SortColumn::Memory));
}
