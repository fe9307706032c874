//! Panes of the page about farol itself: what it costs, its history file, its threads and queues.
//!
//! Invariant: whatever is dropped, late or not saved is said here.

use ratatui::buffer::Buffer;

use super::parts::{Slot, at_moment, fact, row};
use crate::base::{Unit, format_duration};
use crate::ui::format::time_seconds;
use crate::ui::pane::DrawContext;
use crate::ui::widgets::table::{Column, Columns, number};
use crate::ui::widgets::{Phrase, Role};

/// Writes facts under each other.
fn facts(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, all: &[(&str, Phrase)]) {
    for (i, (name, said)) in (0_u16..).zip(all) {
        fact(ctx.ink, buf, row(slot.inner(), i), &Phrase::new().dim(name), said);
    }
}

/// What it costs.
pub fn own(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let own = &ctx.snapshot.recorder;
    let process = ctx.snapshot.processes.iter().find(|p| p.id.pid == own.pid);
    slot.title(ctx.ink, buf, &at_moment(ctx).strong("farol ").dim(&format!("process {}", own.pid)), &[]);
    let seconds = |s: f64| ctx.quantity(Role::Text, s, Unit::Seconds);
    let unknown = || Phrase::new().dim("-");
    let late = if own.skipped_rounds > 0 { Role::Warn } else { Role::Text };
    facts(
        ctx,
        buf,
        slot,
        &[
            ("CPU, of one core", process.map_or_else(unknown, |p| number(p.cpu * 100.0, 2).dim("%"))),
            ("memory", process.map_or_else(unknown, |p| ctx.quantity(Role::Text, p.memory_bytes as f64, Unit::Bytes))),
            (
                "written",
                process
                    .and_then(|p| p.write_bytes_per_second)
                    .map_or_else(unknown, |w| ctx.quantity(Role::Text, w, Unit::BytesPerSecond)),
            ),
            ("a round takes", seconds(own.round_seconds).dim(&format!(" of {} s", own.interval_seconds))),
            ("the last one began late by", seconds(own.lateness_seconds)),
            ("rounds left out", Phrase::new().role(late, &own.skipped_rounds.to_string())),
            ("running for", Phrase::new().text(&format_duration(ctx.snapshot.at.since(own.since)))),
            ("series", number(ctx.snapshot.readings.len() as f64, 0)),
        ],
    );
}

/// The history file.
pub fn store(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let store = &ctx.snapshot.recorder.store;
    let state = match &store.problem {
        Some(problem) => Phrase::new().bold(Role::Crit, "✘ ").role(Role::Crit, problem),
        None if store.ok => Phrase::new().bold(Role::Ok, "● saved"),
        None => Phrase::new().bold(Role::Warn, "▲ not all is on disk"),
    };
    slot.title(ctx.ink, buf, &at_moment(ctx).strong("History file"), &[state]);
    let bad = |n: u64| Phrase::new().role(if n > 0 { Role::Warn } else { Role::Text }, &n.to_string());
    let flushed =
        store.last_flush_at.map_or_else(|| Phrase::new().dim("never"), |at| Phrase::new().text(&time_seconds(at, ctx.zone())));
    let faults = u64::try_from(ctx.snapshot.faults.len()).unwrap_or(u64::MAX);
    let mut all = vec![
        ("size", ctx.quantity(Role::Text, store.file_bytes as f64, Unit::Bytes)),
        ("last saved", flushed),
        ("rounds only in memory", bad(store.pending_rounds)),
        ("damaged blocks skipped", bad(store.damaged_blocks)),
        ("sources that could not be read", bad(faults)),
    ];
    if let Some(fault) = ctx.snapshot.faults.first() {
        all.push(("first of them", Phrase::new().role(Role::Warn, &fault.source).text(" ").dim(&fault.message)));
    }
    facts(ctx, buf, slot, &all);
}

const THREADS: &[Column] = &[Column::words("thread", 24), Column::number("last seen", 14), Column::number("restarts", 10)];

/// Threads with their last sign of life.
pub fn threads(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let all = &ctx.snapshot.recorder.threads;
    slot.title(ctx.ink, buf, &at_moment(ctx).strong("Threads ").dim(&all.len().to_string()), &[]);
    let inner = slot.inner();
    if inner.height == 0 {
        return;
    }
    let columns = Columns::new(THREADS, inner);
    columns.heads(ctx.ink, buf, inner.y, None);
    for (y, thread) in (inner.y + 1..inner.bottom()).zip(all) {
        let age = std::time::Duration::try_from_secs_f64(thread.beat_age_seconds.max(0.0)).unwrap_or_default();
        let seen =
            if age.as_secs() < 2 { Phrase::new().dim("now") } else { Phrase::new().text(&format_duration(age)).dim(" ago") };
        columns.cell(ctx.ink, buf, y, 0, &Phrase::new().text(&thread.name));
        columns.cell(ctx.ink, buf, y, 1, &seen);
        let role = if thread.restarts > 0 { Role::Warn } else { Role::Dim };
        columns.cell(ctx.ink, buf, y, 2, &Phrase::new().role(role, &thread.restarts.to_string()));
    }
}

const QUEUES: &[Column] =
    &[Column::words("queue", 24), Column::number("waiting", 10), Column::number("at most", 10), Column::number("dropped", 10)];

/// Queues with what waits in them and what was dropped.
pub fn queues(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let all = &ctx.snapshot.recorder.queues;
    slot.title(ctx.ink, buf, &at_moment(ctx).strong("Queues ").dim(&all.len().to_string()), &[]);
    let inner = slot.inner();
    if inner.height == 0 {
        return;
    }
    let columns = Columns::new(QUEUES, inner);
    columns.heads(ctx.ink, buf, inner.y, None);
    for (y, queue) in (inner.y + 1..inner.bottom()).zip(all) {
        columns.cell(ctx.ink, buf, y, 0, &Phrase::new().text(&queue.name));
        columns.cell(ctx.ink, buf, y, 1, &number(queue.stats.depth as f64, 0));
        columns.cell(ctx.ink, buf, y, 2, &number(queue.stats.peak as f64, 0));
        let role = if queue.stats.dropped > 0 { Role::Warn } else { Role::Dim };
        columns.cell(ctx.ink, buf, y, 3, &Phrase::new().role(role, &queue.stats.dropped.to_string()));
    }
}
