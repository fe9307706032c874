//! All panes a layout can place: name, what it draws, which series it needs, and when it has something to say.
//!
//! Invariant: names are unique, and every pane of the built-in layouts is one of them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::lines::{self, Lines};
use super::parts::{Slot, split_right};
use super::{
    alert_rows, cpu_panes, disk_panes, facts, history, memory_panes, network_panes, overview, own_panes, prediction_rows,
    sensor_panes, service_rows, timeline, trends, unit_panes,
};
use crate::model::{SeriesKey, Snapshot};
use crate::ui::pane::DrawContext;
use crate::ui::widgets::Phrase;
use crate::ui::widgets::lines::Together;

/// One pane.
pub struct Block {
    /// Its name in a layout.
    pub name: &'static str,
    /// Draws it between its borders, with its title.
    pub draw: fn(&DrawContext, &mut Buffer, Slot),
    /// Series it needs points of, beside those of the four charts.
    pub series: fn(&Snapshot) -> Vec<SeriesKey>,
    /// Whether it has something to say on this machine; if not, its room goes to others.
    pub has: fn(&Snapshot) -> bool,
    /// Rows it can fill at most where it is that wide.
    pub rows: fn(&Snapshot, u16) -> u16,
}

const fn block(name: &'static str, draw: fn(&DrawContext, &mut Buffer, Slot)) -> Block {
    Block { name, draw, series: |_| Vec::new(), has: |_| true, rows: |_, _| u16::MAX }
}

impl Block {
    const fn when(self, has: fn(&Snapshot) -> bool) -> Self {
        Self { has, ..self }
    }

    const fn rows(self, rows: fn(&Snapshot, u16) -> u16) -> Self {
        Self { rows, ..self }
    }

    const fn of(self, series: fn(&Snapshot) -> Vec<SeriesKey>) -> Self {
        Self { series, ..self }
    }
}

/// A pane of lines: three functions of one constant.
macro_rules! lines {
    ($name:literal, $title:literal, $together:ident, $($metric:literal),+) => {{
        const WHAT: Lines = Lines { title: $title, metrics: &[$($metric),+], together: Together::$together };
        block($name, |ctx, buf, slot| lines::draw(ctx, buf, slot, &WHAT))
            .of(|s| lines::keys(s, &WHAT))
            .when(|s| WHAT.metrics.iter().any(|m| s.of(m).next().is_some()))
    }};
}

/// Rows of a table with its heads.
fn table_rows(rows: usize) -> u16 {
    u16::try_from(rows + 1).unwrap_or(u16::MAX)
}

/// Columns a chart has beside which its facts have room.
const ROOMY: u16 = 78;

/// Draws a chart that leaves so many columns at its right free.
type Chart = fn(&DrawContext, &mut Buffer, Slot, u16);
/// Draws facts into an area.
type Facts = fn(&DrawContext, &mut Buffer, Rect);

/// A chart with its facts where there is room for them.
fn with_facts((chart, beside): (Chart, Facts), (ctx, buf, slot): (&DrawContext, &mut Buffer, Slot)) {
    let width = if slot.x1.saturating_sub(slot.x0) >= ROOMY { trends::FACTS } else { 0 };
    chart(ctx, buf, slot, width);
    if width > 0 {
        beside(ctx, buf, split_right(slot.inner(), width).1);
    }
}

/// All panes.
pub const BLOCKS: &[Block] = &[
    block("cpu", |c, b, s| with_facts((trends::cpu, facts::cpu), (c, b, s))),
    block("memory", |c, b, s| with_facts((trends::memory, facts::memory), (c, b, s))),
    block("network", |c, b, s| with_facts((trends::network, facts::network), (c, b, s))),
    block("disk", |c, b, s| with_facts((trends::disk, facts::disk), (c, b, s))),
    block("cpu-plain", |c, b, s| trends::cpu(c, b, s, 0)),
    block("memory-plain", |c, b, s| trends::memory(c, b, s, 0)),
    block("network-plain", |c, b, s| trends::network(c, b, s, 0)),
    block("disk-plain", |c, b, s| trends::disk(c, b, s, 0)),
    block("services", |c, b, s| {
        s.title(c.ink, b, &service_rows::up_title(c.snapshot), &[Phrase::new().dim("last 24 h")]);
        service_rows::draw(c, b, s.inner());
    }),
    block("alerts", |c, b, s| {
        s.title(c.ink, b, &Phrase::new().strong("Alerts ").join(&alert_rows::counts(c.snapshot)), &[]);
        alert_rows::draw(c, b, s.inner(), alert_rows::Depth::Why);
    }),
    block("predictions", |c, b, s| {
        let head = Phrase::new().strong("Predictions ").dim(&prediction_rows::open(c.snapshot).to_string());
        s.title(c.ink, b, &head, &[prediction_rows::record(c.snapshot)]);
        prediction_rows::draw(c, b, s.inner(), alert_rows::Depth::Why);
    }),
    block("concerns", overview::concerns),
    block("processes", overview::processes),
    block("cores", cpu_panes::cores).rows(cpu_panes::core_rows),
    lines!("modes", "Where the time goes", Stacked, "cpu_mode_ratio"),
    lines!("load", "Load", Lines, "load_average"),
    lines!("pressure", "Pressure: waiting for", Lines, "pressure_some_ratio"),
    lines!("frequency", "Frequency", Lines, "cpu_frequency_hertz"),
    lines!("switches", "Switches and interrupts", Lines, "context_switches_per_second", "interrupts_per_second"),
    lines!("tasks", "Tasks", Lines, "processes", "threads"),
    block("top-cpu", cpu_panes::top),
    block("memory-parts", memory_panes::parts),
    lines!(
        "memory-trend",
        "Memory by kind",
        Lines,
        "memory_used_bytes",
        "memory_cached_bytes",
        "memory_buffers_bytes",
        "memory_slab_bytes",
        "memory_dirty_bytes"
    ),
    lines!("swap", "Swap", Lines, "swap_in_bytes_per_second", "swap_out_bytes_per_second"),
    lines!("faults", "Major faults and kills", Lines, "major_faults_per_second", "oom_kills_per_second"),
    lines!("memory-pressure", "Everything waits for", Lines, "pressure_full_ratio"),
    block("top-memory", memory_panes::top),
    block("filesystems", disk_panes::filesystems)
        .when(|s| s.of("filesystem_used_ratio").next().is_some())
        .rows(|s, _| table_rows(s.of("filesystem_used_ratio").count())),
    lines!("filesystem-trend", "File systems", Lines, "filesystem_used_ratio"),
    block("devices", disk_panes::devices)
        .when(|s| s.of("disk_busy_ratio").next().is_some())
        .rows(|s, _| table_rows(s.of("disk_busy_ratio").count())),
    lines!("disk-latency", "Latency", Lines, "disk_read_latency_seconds", "disk_write_latency_seconds"),
    lines!("disk-busy", "Busy", Lines, "disk_busy_ratio"),
    lines!("disk-operations", "Operations", Lines, "disk_reads_per_second", "disk_writes_per_second"),
    lines!("disk-pressure", "Waiting for", Lines, "pressure_some_ratio"),
    block("top-disk", disk_panes::top),
    block("interfaces", network_panes::interfaces)
        .rows(|s, _| table_rows(s.of("network_receive_bytes_per_second").filter(|r| !r.key.is_total()).count())),
    block("connections", network_panes::connections),
    block("listening", network_panes::listening).when(|s| !s.listeners.is_empty()).rows(|s, _| table_rows(s.listeners.len())),
    lines!("received", "Received", Lines, "network_receive_bytes_per_second"),
    lines!("sent", "Sent", Lines, "network_transmit_bytes_per_second"),
    lines!("packets", "Packets", Lines, "network_receive_packets_per_second", "network_transmit_packets_per_second"),
    lines!(
        "losses",
        "What was lost",
        Lines,
        "tcp_retransmits_per_second",
        "network_receive_errors_per_second",
        "network_receive_drops_per_second"
    ),
    block("temperatures", sensor_panes::temperatures).of(sensor_panes::series),
    lines!("temperature-trend", "Temperatures", Lines, "temperature_celsius"),
    lines!("power", "Power and battery", Lines, "power_watts"),
    lines!("fans", "Fans", Lines, "fan_rpm"),
    block("units", unit_panes::units),
    block("containers", unit_panes::containers).when(|s| s.processes.iter().any(|p| p.container.is_some())),
    block("own", own_panes::own),
    block("store", own_panes::store),
    block("threads", own_panes::threads),
    block("queues", own_panes::queues),
    lines!("rounds", "A round of reading", Lines, "farol_round_seconds", "farol_lateness_seconds"),
    lines!("own-cost", "History file", Lines, "farol_store_bytes"),
    block("timeline", timeline::draw),
    block("different", history::different),
    block("happened", history::happened),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_sorted_out_for_layouts() {
        let mut names: Vec<_> = BLOCKS.iter().map(|b| b.name).collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(before, names.len());
    }
}
