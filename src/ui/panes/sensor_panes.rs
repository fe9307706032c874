//! Panes of the sensors page.
//!
//! Invariant: a machine without sensors is told so, and why.

use ratatui::buffer::Buffer;

use super::parts::{Slot, at_moment, fact, percent, row};
use crate::base::Unit;
use crate::model::{SeriesKey, Snapshot};
use crate::ui::pane::DrawContext;
use crate::ui::widgets::chart::Coloring;
use crate::ui::widgets::spark::{Spark, spark};
use crate::ui::widgets::{Phrase, Role};

/// Sensors with a graph: as many as a page has rows.
const GRAPHS: usize = 24;

/// Temperatures, batteries: those whose points are needed.
pub fn series(snapshot: &Snapshot) -> Vec<SeriesKey> {
    snapshot.of("temperature_celsius").take(GRAPHS).map(|r| r.key.clone()).collect()
}

/// All temperatures, the hottest first, then batteries.
pub fn temperatures(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let s = ctx.snapshot;
    let mut all: Vec<_> = s.of("temperature_celsius").collect();
    all.sort_by(|a, b| b.value.total_cmp(&a.value).then_with(|| a.key.cmp(&b.key)));
    let head = at_moment(ctx).strong("Temperatures ").dim(&all.len().to_string());
    slot.title(ctx.ink, buf, &head, &[]);
    let inner = slot.inner();
    let batteries: Vec<_> = s.of("battery_charge_ratio").collect();
    if all.is_empty() && batteries.is_empty() && inner.height > 0 {
        let why = "this machine shows no sensors; virtual machines and containers usually have none";
        Phrase::new().dim(why).put(ctx.ink, buf, (inner.x, inner.y), inner.right());
        return;
    }
    let mut next = 0;
    for battery in batteries {
        let name = Phrase::new().dim("battery ").text(&battery.key.instance());
        let role = if battery.value < 0.15 { Role::Warn } else { Role::Text };
        fact(ctx.ink, buf, row(inner, next), &name, &percent(role, battery.value));
        next += 1;
    }
    for reading in all {
        let line = row(inner, next);
        next += 1;
        if line.height == 0 {
            return;
        }
        // 85 °C is where most processors begin to slow down.
        let role = if reading.value >= 85.0 { Role::Warn } else { Role::Text };
        fact(ctx.ink, buf, line, &Phrase::new().text(&reading.key.instance()), &ctx.quantity(role, reading.value, Unit::Celsius));
        let cells = line.width.saturating_sub(24 + 10);
        if cells > 8 {
            let bins = ctx.charts().bins(&reading.key, ctx.window(cells));
            let values: Vec<_> = bins.into_iter().map(|b| b.map(|b| b.max)).collect();
            let coloring = Coloring::Above { warn: Some(85.0), crit: Some(95.0) };
            let graph = Spark { values: &values, range: (20.0, 100.0), per_cell: 2, coloring };
            spark(ctx.ink, buf, (line.x + 24, line.y), cells, &graph);
        }
    }
}
