//! Facts beside the four charts: cores, sizes, interfaces, mounts.
//!
//! A fact that is not measured gives its row away. Invariant: never more rows than there are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::limits::Limits;
use super::parts::{fact, percent, prediction_of, row, until};
use crate::base::Unit;
use crate::model::{Alert, SeriesKey, Snapshot};
use crate::ui::format::time;
use crate::ui::pane::DrawContext;
use crate::ui::widgets::axis::Scale;
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::spark::{Spark, spark};
use crate::ui::widgets::table::number;
use crate::ui::widgets::text::write;
use crate::ui::widgets::units::Shown;
use crate::ui::widgets::{Phrase, Role};

/// Writes facts one under the other.
struct Rows<'a, 'b> {
    ctx: &'a DrawContext<'a>,
    buf: &'b mut Buffer,
    area: Rect,
    next: u16,
}

impl Rows<'_, '_> {
    fn left(&self) -> u16 {
        self.area.height.saturating_sub(self.next)
    }

    fn add(&mut self, left: &Phrase, right: &Phrase) {
        fact(self.ctx.ink, self.buf, row(self.area, self.next), left, right);
        self.next += 1;
    }

    /// A name, a value, and a second value in the last six columns.
    fn add_two(&mut self, left: &Phrase, middle: &Phrase, right: &Phrase) {
        let line = row(self.area, self.next);
        if line.height > 0 && line.width > 14 {
            right.put_right(self.ctx.ink, self.buf, (line.x, line.right()), line.y);
            fact(self.ctx.ink, self.buf, Rect { width: line.width - 6, ..line }, left, middle);
        }
        self.next += 1;
    }

    fn blank(&mut self) {
        self.next += 1;
    }
}

/// Cores, modes and pressure.
pub fn cpu(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let cores: Vec<_> = ctx.snapshot.of("cpu_usage_ratio").filter(|r| r.key.label("core").is_some()).collect();
    let mut cores: Vec<_> = cores.into_iter().map(|r| (r.key.label("core").unwrap_or(""), r)).collect();
    cores.sort_by_key(|(name, _)| (name.parse::<u32>().unwrap_or(u32::MAX), *name));
    let mut rows = Rows { ctx, buf, area, next: 0 };
    let room = usize::from(area.height.saturating_sub(2));
    if cores.len() <= room {
        for (name, reading) in &cores {
            core_row(&mut rows, name, &reading.key, reading.value);
        }
    } else {
        // One cell a core: height and color say how busy it is.
        let per_row = usize::from(area.width.max(1));
        for chunk in cores.chunks(per_row).take(room.saturating_sub(1)) {
            let values: Vec<_> = chunk.iter().map(|(_, r)| Some(r.value)).collect();
            let line = row(area, rows.next);
            let coloring = Limits { warn: Some(0.8), crit: Some(0.95), line: None }.coloring();
            let graph = Spark { values: &values, range: (0.0, 1.0), per_cell: 1, coloring };
            if line.height > 0 {
                spark(ctx.ink, rows.buf, (line.x, line.y), values.len() as u16, &graph);
            }
            rows.next += 1;
        }
        if let Some((name, busiest)) = cores.iter().max_by(|a, b| a.1.value.total_cmp(&b.1.value)) {
            let said = Phrase::new().dim("core ").text(name).text(" ").join(&percent(Role::Text, busiest.value));
            rows.add(&Phrase::new().dim(&format!("{} cores, busiest", cores.len())), &said);
        }
    }
    let mut modes = Phrase::new();
    for (mode, said) in [("user", "user "), ("system", " sys "), ("iowait", " iow "), ("steal", " st ")] {
        if let Some(share) = ctx.snapshot.part("cpu_mode_ratio", mode).filter(|s| mode != "steal" || *s >= 0.005) {
            modes = modes.dim(said).join(&percent(Role::Text, share));
        }
    }
    if !modes.is_empty() {
        rows.add(&modes, &Phrase::new());
    }
    if let Some(pressure) = pressure(ctx.snapshot, "cpu") {
        rows.add(&Phrase::new().dim("pressure ").join(&pressure), &Phrase::new());
    }
}

fn core_row(rows: &mut Rows, name: &str, key: &SeriesKey, value: f64) {
    let (ctx, line) = (rows.ctx, row(rows.area, rows.next));
    rows.next += 1;
    if line.height == 0 || line.width < 16 {
        return;
    }
    write(rows.buf, (line.x, line.y), line.x + 3, name, ctx.ink.style(Role::Dim));
    let columns = line.width - 13;
    let window = ctx.window(columns);
    let values: Vec<_> = ctx.charts().bins(key, window).into_iter().map(|b| b.map(|b| b.mean)).collect();
    let coloring = Limits { warn: Some(0.8), crit: Some(0.95), line: None };
    let graph = Spark { values: &values, range: (0.0, 1.0), per_cell: 2, coloring: coloring.coloring() };
    spark(ctx.ink, rows.buf, (line.x + 2 + u16::from(name.len() > 1), line.y), columns - u16::from(name.len() > 1), &graph);
    percent(worded(coloring.role(value)), value).put_right(ctx.ink, rows.buf, (line.x, line.right() - 6), line.y);
    let sensor = ctx.snapshot.of("temperature_celsius").find(|r| {
        let sensor = r.key.label("sensor").unwrap_or("");
        sensor.strip_prefix("Core ").or_else(|| sensor.strip_prefix("core ")) == Some(name)
    });
    if let Some(reading) = sensor {
        ctx.quantity(Role::Dim, reading.value, Unit::Celsius).put_right(ctx.ink, rows.buf, (line.x, line.right()), line.y);
    }
}

/// A state as the color of a number: what is well is a plain word.
fn worded(role: Role) -> Role {
    if matches!(role, Role::Ok | Role::Flow) { Role::Text } else { role }
}

fn pressure(snapshot: &Snapshot, resource: &str) -> Option<Phrase> {
    let part = |metric: &str| snapshot.part(metric, resource).map(|v| percent(Role::Text, v));
    let some = part("pressure_some_ratio");
    let full = part("pressure_full_ratio");
    let said = some.map(|s| Phrase::new().dim("some ").join(&s));
    match (said, full) {
        (Some(some), Some(full)) => Some(some.dim(" full ").join(&full)),
        (some, full) => some.or_else(|| full.map(|f| Phrase::new().dim("full ").join(&f))),
    }
}

/// Sizes, swap, pressure, and who took the memory.
pub fn memory(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let s = ctx.snapshot;
    let mut rows = Rows { ctx, buf, area, next: 0 };
    let total = s.total("memory_total_bytes").filter(|t| *t > 0.0);
    let used = total.and_then(|t| s.total("memory_available_bytes").map(|a| t - a)).or_else(|| s.total("memory_used_bytes"));
    let state =
        ctx.state.keys.memory.as_ref().map_or(Role::Text, |key| worded(Limits::of(s, key).role(s.value(key).unwrap_or(0.0))));
    let share = |bytes: f64, of: Option<f64>, role: Role| of.map_or_else(Phrase::new, |t| percent(role, bytes / t));
    if let Some(used) = used {
        let size = if state == Role::Text { ctx.quantity(Role::Text, used, Unit::Bytes) } else { strong_in(ctx, state, used) };
        rows.add_two(&Phrase::new().dim("used"), &size, &share(used, total, state));
    }
    for (name, metric) in [("available", "memory_available_bytes"), ("cached", "memory_cached_bytes")] {
        if let Some(bytes) = s.total(metric) {
            rows.add_two(
                &Phrase::new().dim(name),
                &ctx.quantity(Role::Text, bytes, Unit::Bytes),
                &share(bytes, total, Role::Text),
            );
        }
    }
    if let (Some(swap), Some(size)) = (s.total("swap_used_bytes"), s.total("swap_total_bytes").filter(|t| *t > 0.0)) {
        let role = worded(Limits::of(s, &SeriesKey::total("swap_used_ratio")).role(swap / size));
        rows.add_two(&Phrase::new().dim("swap"), &ctx.quantity(Role::Text, swap, Unit::Bytes), &share(swap, Some(size), role));
    }
    if let Some(rate) = s.total("swap_in_bytes_per_second").filter(|r| *r >= 1.0) {
        rows.add(&Phrase::new().dim("swapped in"), &ctx.quantity(Role::Text, rate, Unit::BytesPerSecond));
    }
    if let Some(said) = pressure(s, "memory") {
        rows.add(&Phrase::new().dim("pressure"), &said);
    }
    if rows.left() >= 3 {
        if rows.left() > 4 {
            rows.blank();
        }
        who_took_memory(&mut rows);
    }
}

fn strong_in(ctx: &DrawContext, role: Role, bytes: f64) -> Phrase {
    let text = ctx.value(bytes, Unit::Bytes);
    let (number, unit) = text.split_at(text.find(' ').unwrap_or(text.len()));
    Phrase::new().bold(role, number).dim(unit)
}

/// Who grew most, where an alert about memory says it, else who has most.
fn who_took_memory(rows: &mut Rows) {
    let ctx = rows.ctx;
    let about = |a: &&std::sync::Arc<Alert>| a.key.metric().starts_with("memory_") && !a.explanation.processes.is_empty();
    if let Some(alert) = ctx.snapshot.firing().find(about) {
        rows.add(&Phrase::new().dim(&format!("grew most since {}", time(alert.since, ctx.zone()))), &Phrase::new());
        for (i, culprit) in alert.explanation.processes.iter().enumerate().take(usize::from(rows.left())) {
            let grown = culprit.change.map_or_else(Phrase::new, |c| {
                let text = format!("{:+.1}", c / ctx.units().shown_in(Unit::Bytes, culprit.value.max(1_073_741_824.0)).factor);
                if text == "-0.0" || text == "+0.0" {
                    Phrase::new().dim("0")
                } else if i == 0 {
                    Phrase::new().bold(Role::Crit, &text)
                } else {
                    Phrase::new().text(&text)
                }
            });
            let name = Phrase::new().role(if i == 0 { Role::Crit } else { Role::Text }, &culprit.name);
            rows.add_two(&name, &ctx.quantity(Role::Text, culprit.value, Unit::Bytes), &grown);
        }
        return;
    }
    let mut all: Vec<_> = ctx.snapshot.processes.iter().filter(|p| p.memory_bytes > 0).collect();
    let n = usize::from(rows.left().saturating_sub(1)).min(all.len());
    if n == 0 {
        return;
    }
    all.select_nth_unstable_by_key(n - 1, |p| std::cmp::Reverse(p.memory_bytes));
    all.truncate(n);
    all.sort_by_key(|p| std::cmp::Reverse(p.memory_bytes));
    rows.add(&Phrase::new().dim("most memory"), &Phrase::new());
    for process in all {
        let size = ctx.quantity(Role::Text, process.memory_bytes as f64, Unit::Bytes);
        rows.add(&Phrase::new().text(&process.name), &size);
    }
}

/// Packets that did not arrive.
const BROKEN: [&str; 4] = [
    "network_receive_errors_per_second",
    "network_transmit_errors_per_second",
    "network_receive_drops_per_second",
    "network_transmit_drops_per_second",
];

/// Interfaces and connections.
pub fn network(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let s = ctx.snapshot;
    let sent = |name: &str| s.part("network_transmit_bytes_per_second", name).unwrap_or(0.0);
    let received = s.of("network_receive_bytes_per_second").filter(|r| r.key.label("interface").is_some_and(|i| i != "lo"));
    let mut all: Vec<(String, f64, f64)> = received.map(|r| (r.key.instance(), r.value, sent(&r.key.instance()))).collect();
    all.sort_by(|a, b| (b.1 + b.2).total_cmp(&(a.1 + a.2)));
    let scale = Scale::rounded(ctx.units(), Unit::BytesPerSecond, all.iter().map(|i| i.1.max(i.2)).fold(0.0, f64::max));
    let mut rows = Rows { ctx, buf, area, next: 0 };
    if !all.is_empty() {
        rows.add_two(&Phrase::new(), &Phrase::new().dim(&format!("↓ {}", scale.unit)), &Phrase::new().dim("↑"));
    }
    let room = usize::from(area.height.saturating_sub(6)).max(1);
    for (name, down, up) in all.iter().take(room) {
        rows.add_two(&Phrase::new().text(name), &number(down / scale.factor, 1), &number(up / scale.factor, 1));
    }
    if all.len() < room {
        rows.blank();
    }
    for (name, state) in [("established", "established"), ("time-wait", "time_wait")] {
        if let Some(count) = s.part("tcp_connections", state) {
            rows.add(&Phrase::new().dim(name), &number(count, 0));
        }
    }
    if let Some(rate) = s.total("tcp_retransmits_per_second") {
        rows.add(&Phrase::new().dim("retransmits"), &number(rate, 1).dim(" /s"));
    }
    let broken: Vec<f64> = BROKEN.iter().flat_map(|metric| s.of(metric)).map(|r| r.value).collect();
    if !broken.is_empty() {
        rows.add(&Phrase::new().dim("errors, drops"), &number(broken.iter().sum(), 1));
    }
}

/// Mounts, what fills up, and devices.
pub fn disk(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let s = ctx.snapshot;
    let mut mounts: Vec<_> = s.of("filesystem_used_ratio").collect();
    mounts.sort_by(|a, b| b.value.total_cmp(&a.value));
    let mut rows = Rows { ctx, buf, area, next: 0 };
    if mounts.is_empty() {
        rows.add(&Phrase::new().dim("no file system is read"), &Phrase::new());
    } else if area.width >= 26 {
        Phrase::new().dim("free").put_right(ctx.ink, rows.buf, (area.x, area.right()), area.y);
        fact(
            ctx.ink,
            rows.buf,
            Rect { width: area.width - 8, ..row(area, 0) },
            &Phrase::new().dim("mount"),
            &Phrase::new().dim("use"),
        );
        rows.next = 1;
    }
    let room = usize::from(area.height.saturating_sub(5)).clamp(1, 6);
    for reading in mounts.iter().take(room) {
        mount_row(&mut rows, &reading.key, reading.value);
    }
    if let Some(prediction) = prediction_of(s, |k| k.metric().starts_with("filesystem_")) {
        let said = format!("{} in {}", prediction.title, until(ctx, prediction.at));
        let p = Phrase::new().dim("p ").role(Role::Pred, &format!("{:.2}", prediction.probability));
        rows.add(&Phrase::new().bold(Role::Pred, "◆ ").role(Role::Pred, &said), &p);
    }
    if rows.left() > 2 {
        rows.blank();
    }
    let mut devices: Vec<_> = s.of("disk_busy_ratio").collect();
    devices.sort_by(|a, b| b.value.total_cmp(&a.value));
    for device in devices.iter().take(usize::from(rows.left())) {
        let name = device.key.instance();
        let latency = s
            .part("disk_read_latency_seconds", &name)
            .into_iter()
            .chain(s.part("disk_write_latency_seconds", &name))
            .reduce(f64::max);
        let line = row(area, rows.next);
        rows.next += 1;
        if line.height > 0 && line.width > 20 {
            let latency = latency.map_or_else(Phrase::new, |l| number(l * 1000.0, 1).dim(" ms"));
            latency.put_right(ctx.ink, rows.buf, (line.x, line.right()), line.y);
            let busy = percent(Role::Text, device.value).dim(" busy");
            fact(ctx.ink, rows.buf, Rect { width: line.width - 8, ..line }, &Phrase::new().dim(&name), &busy);
        }
    }
}

fn mount_row(rows: &mut Rows, key: &SeriesKey, used: f64) {
    let (ctx, line) = (rows.ctx, row(rows.area, rows.next));
    rows.next += 1;
    if line.height == 0 || line.width < 26 {
        return;
    }
    let mount = key.instance();
    let limits = Limits::of(ctx.snapshot, key);
    let is_silenced = ctx.snapshot.firing().any(|a| a.key == *key && a.is_quiet());
    let role = if is_silenced { Role::Dim } else { limits.role(used) };
    let bar = Meter { share: used, limit: limits.line.map(|(value, _)| value), role };
    meter(ctx.ink, rows.buf, (line.x + 8, line.y), line.width - 22, bar);
    percent(if is_silenced { Role::Text } else { worded(role) }, used).put_right(
        ctx.ink,
        rows.buf,
        (line.x, line.right() - 8),
        line.y,
    );
    Phrase::new().text(&mount).put(ctx.ink, rows.buf, (line.x, line.y), line.x + 7);
    if let Some(free) = ctx.snapshot.part("filesystem_available_bytes", &mount) {
        let Shown { factor, name: unit, .. } = ctx.units().shown_in(Unit::Bytes, free);
        let digits = usize::from(free / factor < 9.95);
        let text = format!("{:.digits$}", free / factor);
        Phrase::new().text(&text).dim(&format!(" {unit}")).put_right(ctx.ink, rows.buf, (line.x, line.right()), line.y);
    }
}
