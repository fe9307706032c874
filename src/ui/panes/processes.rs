//! All processes: the machine in one row, then the table, with the chosen one opened in place.
//!
//! Invariant: the chosen row is always on the screen, opened or not.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::limits::Limits;
use super::parts::{Slot, filter_or_key, percent};
use super::process_table::Table;
use super::{process_page, process_panel};
use crate::base::{Unit, units::plain};
use crate::model::{ProcessId, SeriesKey};
use crate::ui::pane::{Density, DrawContext, Pane, first_row};
use crate::ui::process_list::{Kernel, Sum};
use crate::ui::state::View;
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::{Borders, Ground, Phrase, Role, text, title};

/// How long what ended is told.
const MINUTE: Duration = Duration::from_secs(60);

/// All processes.
pub struct Processes;

impl Pane for Processes {
    fn view(&self) -> View {
        View::Processes
    }

    fn draw(&self, ctx: &DrawContext, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if super::is_too_small(area) {
            return;
        }
        if let Some(inside) = &ctx.state.inside {
            process_page::draw(ctx, buf, area, inside);
            return;
        }
        machine(ctx, buf, Rect { height: 1, ..area });
        let below = Rect { y: area.y + 1, height: area.height - 1, ..area };
        if ctx.density() == Density::Small { bare(ctx, buf, below) } else { framed(ctx, buf, below) }
    }
}

/// CPU and memory in one row.
fn machine(ctx: &DrawContext, buf: &mut Buffer, line: Rect) {
    let half = line.width / 2;
    let load =
        ctx.snapshot.part("load_average", "1m").map_or_else(Phrase::new, |l| Phrase::new().dim("load ").text(&format!("{l:.1}")));
    let iowait = ctx.snapshot.part("cpu_mode_ratio", "iowait");
    let load = iowait.map_or(load.clone(), |w| load.dim(" · iowait ").join(&percent(Role::Text, w)));
    let free = ctx
        .snapshot
        .total("memory_available_bytes")
        .map_or_else(Phrase::new, |b| Phrase::new().text(&ctx.value(b, Unit::Bytes)).dim(" free"));
    let cells = [("CPU", &ctx.state.keys.cpu, load), ("memory", &ctx.state.keys.memory, free)];
    for (i, (name, key, note)) in (0_u16..).zip(cells) {
        if let Some(key) = key {
            share(ctx, buf, Rect { x: line.x + i * half, width: half, ..line }, (name, key, &note));
        }
    }
}

fn share(ctx: &DrawContext, buf: &mut Buffer, line: Rect, (name, key, note): (&str, &SeriesKey, &Phrase)) {
    let (x, y, end) = (line.x + 1, line.y, line.right().saturating_sub(1));
    Phrase::new().text(name).put(ctx.ink, buf, (x, y), end);
    let Some(value) = ctx.snapshot.value(key) else { return };
    let limits = Limits::of(ctx.snapshot, key);
    let role = limits.role(value);
    percent(if role == Role::Ok { Role::Text } else { role }, value).put_right(ctx.ink, buf, (x, (x + 12).min(end)), y);
    let room = end.saturating_sub(x + 14);
    let bar = room.saturating_sub(note.width() + 2).min(34);
    if bar >= 8 {
        let limit = limits.line.map(|(v, _)| v);
        meter(ctx.ink, buf, (x + 14, y), bar, Meter { share: value, limit, role });
        note.put(ctx.ink, buf, (x + 14 + bar + 2, y), end);
    } else {
        note.put(ctx.ink, buf, (x + 14, y), end);
    }
}

/// `Processes 58 of 231 · 1,104 threads · 2 running`.
fn head(ctx: &DrawContext) -> Phrase {
    let (shown, all) = (ctx.state.lists.processes.len(), ctx.snapshot.processes.len());
    let mut head = Phrase::new().strong("Processes ");
    head = if shown == all { head.dim(&all.to_string()) } else { head.text(&shown.to_string()).dim(&format!(" of {all}")) };
    if let Some(threads) = ctx.snapshot.total("threads") {
        head = head.dim(&format!(" · {} threads", plain(threads)));
    }
    if let Some(running) = ctx.snapshot.part("processes", "running") {
        head = head.dim(&format!(" · {} running", plain(running)));
    }
    head
}

/// What is marked uses together, who is followed, what is left out.
fn notes(ctx: &DrawContext) -> Vec<Phrase> {
    let choice = &ctx.state.processes;
    let mut notes = Vec::new();
    if !choice.marked.is_empty() {
        let mut sum = Sum::default();
        ctx.snapshot.processes.iter().filter(|p| choice.marked.contains(&p.id)).for_each(|p| sum.add(&Sum::of(p)));
        let used = format!(" · CPU {:.1}% · {}", sum.cpu * 100.0, ctx.value(sum.memory_bytes as f64, Unit::Bytes));
        notes.push(Phrase::new().role(Role::Past, &format!("x {} marked{used}", sum.count)));
    }
    if let Some(id) = choice.followed {
        notes.push(Phrase::new().role(Role::Past, &format!("follows {}", id.pid)));
    }
    if choice.kernel == Kernel::Hidden {
        notes.push(Phrase::new().role(Role::Past, "no kernel threads"));
    }
    if choice.held.is_some() {
        notes.push(Phrase::new().role(Role::Past, "held still"));
    }
    notes
}

/// What ended in the last minute: how much CPU time those had used that used most, and what is known of those that nobody met. In the
/// past only how many those were is known.
fn ended(ctx: &DrawContext) -> Phrase {
    if ctx.cursor().is_some() {
        return rate(ctx);
    }
    let (met, unmet) = (met(ctx), unmet(ctx));
    if met.width() > 0 && unmet.width() > 0 { met.dim("  ·  ").join(&unmet) } else { met.join(&unmet) }
}

/// `139/s between two looks, CPU 34.0%`: of a moment in the past.
fn rate(ctx: &DrawContext) -> Phrase {
    let past = |metric| ctx.snapshot.total(metric).filter(|value| *value > 0.0);
    let Some(count) = past("process_short_lived_per_second") else { return Phrase::new() };
    let said = Phrase::new().text(&ctx.value(count, Unit::PerSecond)).dim(" between two looks");
    match past("process_short_lived_cpu_usage_ratio") {
        Some(cores) => said.dim(", CPU ").text(&format!("{:.1}%", cores * 100.0)),
        None => said,
    }
}

/// A name and the CPU time that was used, where it is a millisecond at least.
fn used(ctx: &DrawContext, said: Phrase, name: &str, seconds: f64) -> Phrase {
    let said = said.text(&format!(" {name}"));
    if seconds < 0.001 { said } else { said.dim(&format!(" {}", ctx.value(seconds, Unit::Seconds))) }
}

/// `1,204 between two looks, of  make 3.2 s  sh 400 ms`: how many came and went unseen, and whose children used how much.
fn unmet(ctx: &DrawContext) -> Phrase {
    let lately = || ctx.live.short_lived.iter().filter(|left| ctx.live.at.since(left.at) <= MINUTE);
    let count: u64 = lately().map(|left| u64::from(left.count)).sum();
    let mut sums: Vec<(ProcessId, &str, f64)> = Vec::new();
    for by in lately().flat_map(|left| left.by.iter()) {
        match sums.iter_mut().find(|(id, ..)| *id == by.parent) {
            Some((.., sum)) => *sum += by.cpu_seconds,
            None => sums.push((by.parent, &by.name, by.cpu_seconds)),
        }
    }
    if count == 0 && sums.is_empty() {
        return Phrase::new();
    }
    sums.sort_by(|a, b| b.2.total_cmp(&a.2));
    let head = Phrase::new().text(&plain(count as f64)).dim(" between two looks");
    let head = if sums.is_empty() { head } else { head.dim(", of ") };
    sums.iter().take(3).fold(head, |said, (_, name, seconds)| used(ctx, said, name, *seconds))
}

/// `ended in the last minute:  cc1 12.0 s  ld 400 ms`.
fn met(ctx: &DrawContext) -> Phrase {
    let mut lately: Vec<_> = ctx.live.ended.iter().filter(|e| ctx.live.at.since(e.at) <= MINUTE).collect();
    if lately.is_empty() {
        return Phrase::new();
    }
    lately.sort_by(|a, b| b.process.cpu_seconds.total_cmp(&a.process.cpu_seconds));
    let head = Phrase::new().dim("ended in the last minute: ");
    lately.iter().take(3).fold(head, |said, e| used(ctx, said, &e.process.name, e.process.cpu_seconds))
}

fn framed(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let mut lines = Borders::new(area);
    lines.around(area);
    lines.draw(ctx.ink, buf);
    let slot = Slot { x0: area.x, x1: area.right() - 1, y0: area.y, y1: area.bottom() - 1 };
    let order = if ctx.state.tree { "tree" } else { "list" };
    let by = Phrase::new().dim(&format!("{order} by ")).text(ctx.state.sort.column.row().id);
    let mut right = vec![Phrase::new().dim("100% = one core"), by];
    right.extend(notes(ctx));
    right.push(filter_or_key(ctx));
    slot.title(ctx.ink, buf, &head(ctx), &right);
    let inner = slot.inner();
    let Some(table) = Table::new(ctx, inner) else { return };
    table.heads(buf, inner.y);
    let body = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let shown = rows(ctx, buf, &table, body);
    let len = ctx.state.lists.processes.len();
    let range = Phrase::new().dim(&if shown.is_empty() {
        "none".to_owned()
    } else {
        format!("{}–{} of {len}", shown.start + 1, shown.end)
    });
    title(ctx.ink, buf, slot.y1, (slot.x0, slot.x1), &ended(ctx), &[range]);
    if len == 0 {
        let empty =
            if ctx.snapshot.processes.is_empty() { "no process was read yet" } else { "no process matches; Esc shows all again" };
        Phrase::new().dim(empty).put(ctx.ink, buf, (body.x + 2, body.y), body.right());
    }
}

fn bare(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let line = Rect { height: 1, ..area };
    Borders::new(line).across(area.y, area.x, area.right() - 1).draw(ctx.ink, buf);
    let Some(table) = Table::new(ctx, area) else { return };
    table.heads(buf, area.y);
    let name = Phrase::new().strong(" Processes ").dim(&format!("{} ", ctx.state.lists.processes.len()));
    let name = notes(ctx).iter().fold(name, |name, note| name.join(note).text(" "));
    let name = if ctx.state.filter().is_empty() { name } else { name.role(Role::Past, &format!("/ {} ", ctx.state.filter())) };
    name.put_right(ctx.ink, buf, (area.x, area.right().saturating_sub(2)), area.y);
    rows(ctx, buf, &table, Rect { y: area.y + 1, height: area.height - 1, ..area });
}

/// Rows of the opened process; 0 where none is open or there is no room.
fn panel_height(ctx: &DrawContext, body: Rect) -> u16 {
    let panel = process_panel::HEIGHT.min(body.height.saturating_sub(3));
    if ctx.state.open && panel >= 4 && !ctx.state.lists.processes.is_empty() { panel } else { 0 }
}

/// Rows around the chosen one, which may be open; gives those shown.
fn rows(ctx: &DrawContext, buf: &mut Buffer, table: &Table, body: Rect) -> std::ops::Range<usize> {
    let lists = &ctx.state.lists;
    let (len, chosen) = (lists.processes.len(), lists.process_row(ctx.snapshot, &ctx.state.selected));
    let process = lists.processes.get(chosen).and_then(|i| ctx.snapshot.processes.get(*i));
    let panel = panel_height(ctx, body);
    let Some(process) = process.filter(|_| panel > 0) else {
        let height = usize::from(body.height);
        let first = first_row(chosen, height, len);
        let shown = first..(first + height).min(len);
        table.rows(buf, body.y, shown.clone());
        return shown;
    };
    let height = usize::from(body.height - panel);
    let first = first_row(chosen, height, len);
    let shown = first..(first + height).min(len);
    table.rows(buf, body.y, first..chosen + 1);
    let y = body.y + u16::try_from(chosen + 1 - first).unwrap_or(0);
    let place = Rect { y, height: panel, ..body };
    table.rows(buf, y + panel, chosen + 1..shown.end);
    text::lay(ctx.ink, buf, place, Ground::Panel);
    process_panel::draw(ctx, buf, place, process);
    shown
}
