//! One process opened below its row: what it is, what it does, who it belongs to.
//!
//! Invariant: takes exactly the rows it was given.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{fact, row};
use super::process_table::{Directory, command};
use super::trends::GUTTER;
use crate::base::{Unit, format_duration};
use crate::model::{Process, ProcessState};
use crate::ui::charts::Bin;
use crate::ui::pane::DrawContext;
use crate::ui::widgets::axis::{Scale, TimeScale};
use crate::ui::widgets::chart::{Chart, Coloring, Trace};
use crate::ui::widgets::{Phrase, Role};

/// Rows where there is room.
pub const HEIGHT: u16 = 9;

/// Draws it.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, area: Rect, process: &Process) {
    let inner = Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area };
    if inner.width < 20 {
        return;
    }
    fact(ctx.ink, buf, row(inner, 0), &identity(ctx, process), &Phrase::new().dim("Esc"));
    let chart = inner.width / 2 - 2;
    let plot = Rect { y: inner.y + 1, height: area.height.saturating_sub(2), width: chart, ..inner };
    if plot.height >= 4 && chart >= 30 {
        last_minute(ctx, buf, plot, process);
    }
    let beside = if chart >= 30 { Rect { x: inner.x + chart + 3, width: inner.width - chart - 3, ..inner } } else { inner };
    for (i, (left, right)) in (1_u16..).zip(facts(ctx, process)) {
        // The last row is the command's.
        let line = row(beside, i);
        if line.height > 0 && i + 1 < area.height {
            Phrase::new().dim(left).put(ctx.ink, buf, (line.x, line.y), line.x + 9);
            right.put(ctx.ink, buf, (line.x + 10, line.y), line.right());
        }
    }
    let last = row(inner, area.height - 1);
    Phrase::new().dim("cmd ").join(&command(process, Directory::Shown)).put(ctx.ink, buf, (last.x, last.y), last.right());
}

/// Name, number, parent, state, nice value and user.
pub fn identity(ctx: &DrawContext, process: &Process) -> Phrase {
    let parent = ctx.snapshot.processes.iter().find(|p| p.id.pid == process.parent);
    let mut said = Phrase::new().strong(&process.name).dim("  pid ").text(&process.id.pid.to_string());
    if let Some(parent) = parent {
        said = said.dim(" · parent ").text(&parent.id.pid.to_string()).text(" ").text(&parent.name);
    }
    let state = match process.state {
        ProcessState::Running => "running",
        ProcessState::Sleeping => "sleeping",
        ProcessState::DiskSleep => "waits for a device",
        ProcessState::Stopped => "stopped",
        ProcessState::Traced => "traced",
        ProcessState::Zombie => "ended, not yet reaped",
        ProcessState::Idle => "idle",
        ProcessState::Dead => "ended",
    };
    said.dim(" · ").text(state).dim(" · nice ").text(&process.nice.to_string()).dim(" · user ").text(&process.user)
}

fn facts(ctx: &DrawContext, process: &Process) -> Vec<(&'static str, Phrase)> {
    let rate = |r: Option<f64>| r.map_or_else(|| "not permitted".to_owned(), |v| ctx.value(v, Unit::BytesPerSecond));
    let used = Duration::try_from_secs_f64(process.cpu_seconds.max(0.0)).unwrap_or_default();
    let all = ctx.snapshot.total("memory_total_bytes").filter(|t| *t > 0.0);
    let share = all.map_or_else(String::new, |t| format!(" · {:.1}% of memory", process.memory_bytes as f64 / t * 100.0));
    let mut facts: Vec<(&'static str, Phrase)> = Vec::new();
    let named = |a: &&std::sync::Arc<crate::model::Alert>| a.explanation.processes.iter().any(|c| c.pid == process.id.pid);
    for alert in ctx.snapshot.firing().filter(named) {
        let (glyph, role) = super::parts::alert_glyph(alert);
        facts.push(("alert", Phrase::new().bold(role, glyph).text(" ").role(role, &alert.title).dim(" names it")));
    }
    facts.extend([
        ("memory", Phrase::new().strong(&ctx.value(process.memory_bytes as f64, Unit::Bytes)).dim(&share)),
        (
            "CPU time",
            Phrase::new()
                .text(&format_duration(used))
                .dim(&format!(" in {} threads", process.threads))
                .join(&by_children(process)),
        ),
        (
            "read",
            Phrase::new()
                .text(&rate(process.read_bytes_per_second))
                .dim(" · written ")
                .text(&rate(process.write_bytes_per_second)),
        ),
    ]);
    if let Some(unit) = &process.unit {
        facts.push(("unit", Phrase::new().text(unit)));
    }
    if let Some(container) = &process.container {
        facts.push(("container", Phrase::new().text(container)));
    }
    facts
}

/// ` · 40 s by children that ended`; nothing where they used less than a second.
pub fn by_children(process: &Process) -> Phrase {
    let used = Duration::try_from_secs_f64(process.children_seconds.max(0.0)).unwrap_or_default();
    if used < Duration::from_secs(1) {
        return Phrase::new();
    }
    Phrase::new().dim(" · ").text(&format_duration(used)).dim(" by children that ended")
}

/// CPU of the last minute, full height one core or what it used at most.
fn last_minute(ctx: &DrawContext, buf: &mut Buffer, area: Rect, process: &Process) {
    let cores = ctx.state.cpu.last(process.id);
    let top = cores.iter().copied().fold(0.0, f64::max);
    let title = Phrase::new()
        .strong(&format!("CPU {:.1}", process.cpu * 100.0))
        .dim("%  peak ")
        .text(&format!("{:.0}", top * 100.0))
        .dim("%");
    title.put(ctx.ink, buf, (area.x + GUTTER, area.y), area.right());
    let area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let halves = usize::from(area.width.saturating_sub(GUTTER)) * 2;
    let n = cores.len();
    let bin = |i: usize| cores.get(i * n / halves.max(1)).map(|v| Bin { min: *v, mean: *v, max: *v });
    let bins: Vec<_> = (0..halves).map(bin).collect();
    let step = Duration::from_millis(60_000 / halves.max(1) as u64);
    let scale = Scale { hi: Scale::rounded(ctx.units(), Unit::Ratio, top.max(0.1)).hi, ..Scale::SHARE };
    let time = TimeScale { from: ctx.snapshot.at - Duration::from_secs(60), bin: step, past: area.width };
    let trace = Trace::plain(&bins, Coloring::Fixed(Role::Flow));
    Chart { gutter: GUTTER, ..Chart::plain(trace, scale, time) }.draw(ctx.ink, buf, area);
}
