//! Panes of the memory page: what it is used for, and by whom.
//!
//! Invariant: every part is said with its share of the whole.

use ratatui::buffer::Buffer;

use super::cpu_panes::top_by;
use super::limits::Limits;
use super::parts::{Slot, at_moment, percent, quantity, row};
use crate::base::Unit;
use crate::model::SeriesKey;
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
    let size = total.map_or_else(Phrase::new, |t| quantity(Role::Text, t, Unit::Bytes));
    slot.title(ctx.ink, buf, &at_moment(ctx).strong("What it is used for"), &[size]);
    let swap_size = s.total("swap_total_bytes").filter(|t| *t > 0.0);
    let memory = PARTS.iter().filter_map(|(name, metric)| Some((*name, s.total(metric)?, total?)));
    let swap = s.total("swap_used_bytes").zip(swap_size).map(|(used, size)| ("swap", used, size));
    let inner = slot.inner();
    for (i, (name, bytes, whole)) in (0_u16..).zip(memory.chain(swap)) {
        let line = row(inner, i);
        if line.height == 0 || line.width < 24 {
            break;
        }
        let share = bytes / whole;
        let role = match name {
            "used" => Limits::of(s, &SeriesKey::total("memory_used_ratio")).role(share),
            "swap" => Limits::of(s, &SeriesKey::total("swap_used_ratio")).role(share),
            _ => Role::Flow,
        };
        Phrase::new().dim(name).put(ctx.ink, buf, (line.x, line.y), line.x + 10);
        let worded = if matches!(role, Role::Warn | Role::Crit) { role } else { Role::Text };
        percent(worded, share).put_right(ctx.ink, buf, (line.x, line.right()), line.y);
        quantity(worded, bytes, Unit::Bytes).put_right(ctx.ink, buf, (line.x, line.right() - 6), line.y);
        let bar = line.width.saturating_sub(10 + 18);
        if bar > 4 {
            meter(ctx.ink, buf, (line.x + 10, line.y), bar, Meter { share, limit: None, role: role.calm() });
        }
    }
}

/// Who has the memory.
pub fn top(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    top_by(ctx, buf, slot, ("Most memory", SortColumn::Memory));
}
