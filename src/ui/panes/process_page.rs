//! One process over the whole page: what it used, what it may, what it has open.
//!
//! Invariant: what is not known says why: not permitted, not asked for, or not of this moment.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::Slot;
use super::process_panel::{by_children, identity};
use super::trends::{GUTTER, chart_area, cursor, time_scale};
use crate::base::{Unit, format_duration};
use crate::model::{ControlGroup, MemoryUse, Process, ProcessDetails, ProcessPoint};
use crate::ui::charts::Bin;
use crate::ui::inside::Inside;
use crate::ui::pane::{Density, DrawContext, Target};
use crate::ui::update::inside_step;
use crate::ui::widgets::axis::Scale;
use crate::ui::widgets::chart::{Chart, Coloring, Trace};
use crate::ui::widgets::units::Units;
use crate::ui::widgets::{Borders, Phrase, Role};

/// Columns of names before their values.
const NAMES: u16 = 14;

/// Draws it.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, area: Rect, inside: &Inside) {
    let (right, end) = (area.right() - 1, area.bottom() - 1);
    let is_small = ctx.density() == Density::Small;
    let cut = area.y + if is_small { 6 } else { (area.height / 3).max(8) };
    let thirds = if is_small { 2 } else { 3 };
    let mut lines = Borders::new(area);
    lines.around(area).across(cut, area.x, right);
    let edge = |i: u16| area.x + (area.width - 1) * i / thirds;
    for i in 1..thirds {
        lines.down(edge(i), area.y, cut);
    }
    let middle = area.x + area.width / 2;
    if !is_small {
        lines.down(middle, cut, end);
    }
    lines.draw(ctx.ink, buf);
    for (i, figure) in (0..thirds).zip(FIGURES) {
        let slot = Slot { x0: edge(i), x1: edge(i + 1), y0: area.y, y1: cut };
        chart(ctx, buf, slot, inside, figure);
    }
    let process = ctx.snapshot.processes.iter().find(|p| p.id == inside.id);
    let head = Phrase::new().strong(&inside.name).dim("  pid ").text(&inside.id.pid.to_string());
    let (mut about, has) = (about(ctx, inside, process.map(|p| &**p)), open(ctx, inside));
    let left = Slot { x0: area.x, x1: if is_small { right } else { middle }, y0: cut, y1: end };
    left.title(ctx.ink, buf, &head, &[Phrase::new().dim("Esc")]);
    if is_small {
        about.extend(has);
        document(ctx, buf, left, &about, inside.scroll);
    } else {
        document(ctx, buf, left, &about, inside.scroll);
        let slot = Slot { x0: middle, x1: right, ..left };
        slot.title(ctx.ink, buf, &Phrase::new().strong("Open"), &[]);
        document(ctx, buf, slot, &has, inside.scroll);
    }
}

/// One figure of its history.
struct Figure {
    name: &'static str,
    unit: Unit,
    figure: fn(&ProcessPoint) -> Option<f64>,
}

const FIGURES: &[Figure] = &[
    Figure { name: "CPU", unit: Unit::Ratio, figure: |p| Some(p.cpu) },
    Figure { name: "Memory", unit: Unit::Bytes, figure: |p| Some(p.memory_bytes as f64) },
    Figure { name: "Read and written", unit: Unit::BytesPerSecond, figure: read_and_written },
];

fn read_and_written(point: &ProcessPoint) -> Option<f64> {
    match (point.read_bytes_per_second, point.write_bytes_per_second) {
        (None, None) => None,
        (read, written) => Some(read.unwrap_or(0.0) + written.unwrap_or(0.0)),
    }
}

fn chart(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, inside: &Inside, figure: &Figure) {
    let area = chart_area(slot, 0);
    let past = area.width.saturating_sub(GUTTER);
    let window = ctx.window(past);
    let bins: Vec<Option<Bin>> = inside.bins(window, inside_step(ctx.state.span), figure.figure);
    let newest = bins.iter().rev().flatten().next();
    let value = newest.map_or_else(|| Phrase::new().dim("-"), |b| ctx.quantity(Role::Strong, b.mean, figure.unit));
    slot.title(ctx.ink, buf, &Phrase::new().strong(figure.name), &[value]);
    let top = bins.iter().flatten().map(|b| b.max).fold(0.0, f64::max);
    if newest.is_none() {
        let text = if area.width > 60 { "not among those that used most in this span" } else { "nothing kept of it" };
        Phrase::new().dim(text).put(ctx.ink, buf, (area.x + 1, area.y), area.right());
        return;
    }
    let floor = if figure.unit == Unit::Ratio { 0.1 } else { 1.0 };
    let cursor = cursor(ctx);
    let scale = Scale::rounded(ctx.units(), figure.unit, top.max(floor));
    let trace = Trace::plain(&bins, Coloring::Fixed(Role::Flow));
    let chart = Chart { cursor: cursor.as_ref(), ..Chart::labeled(trace, scale, time_scale(window, past), ctx.zone()) };
    ctx.note(chart.plot(area), Target::Chart(chart.time));
    chart.draw(ctx.ink, buf, area);
}

/// A named value of the document.
fn named(name: &str, value: Phrase) -> Phrase {
    let blanks = usize::from(NAMES).saturating_sub(name.chars().count());
    Phrase::new().dim(name).text(&" ".repeat(blanks.max(1))).join(&value)
}

fn heading(lines: &mut Vec<Phrase>, text: &str, count: usize) {
    if !lines.is_empty() {
        lines.push(Phrase::new());
    }
    let head = Phrase::new().strong(text);
    lines.push(if count > 0 { head.dim(&format!(" {count}")) } else { head });
}

/// What it is and what it may.
fn about(ctx: &DrawContext, inside: &Inside, process: Option<&Process>) -> Vec<Phrase> {
    let mut lines = Vec::new();
    match process {
        Some(process) => {
            lines.push(identity(ctx, process));
            lines.push(named("command", Phrase::new().text(&process.command)));
            let used = Duration::try_from_secs_f64(process.cpu_seconds.max(0.0)).unwrap_or_default();
            lines.push(named("CPU time", Phrase::new().text(&format_duration(used)).join(&by_children(process))));
            let unit = process.unit.as_ref().map(|u| named("unit", Phrase::new().text(u)));
            let container = process.container.as_ref().map(|c| named("container", Phrase::new().text(c)));
            lines.extend(unit.into_iter().chain(container));
        }
        None => lines.push(Phrase::new().dim("It is not running at the moment shown.")),
    }
    if ctx.cursor().is_some() {
        lines.push(
            Phrase::new().role(Role::Past, "Of the past its use is known; what it had open and was limited to is not kept."),
        );
        return lines;
    }
    let Some(details) = &inside.details else {
        let text = inside.refused.as_deref().unwrap_or("It is being read.");
        lines.push(Phrase::new().dim(text));
        return lines;
    };
    let known = |name: &str, value: &Option<String>| value.as_ref().map(|v| named(name, Phrase::new().text(v)));
    lines.extend(known("program", &details.executable));
    lines.extend(known("works in", &details.folder));
    lines.extend(details.root.as_ref().filter(|r| *r != "/").map(|r| named("root", Phrase::new().text(r))));
    lines.extend(known("waits in", &details.waits_in));
    if let Some(score) = details.oom_score {
        let adjusted = details.oom_score_adjustment.unwrap_or(0);
        let said = Phrase::new().text(&score.to_string()).dim(&format!(" of 1000, adjusted by {adjusted}"));
        lines.push(named("ended first", said));
    }
    if let Some(memory) = &details.memory {
        memory_lines(ctx.units(), &mut lines, memory);
    }
    if let Some(group) = &details.cgroup {
        group_lines(ctx.units(), &mut lines, group);
    }
    if let Some(caps) = &details.capabilities {
        heading(&mut lines, "Permitted", 0);
        let effective = if caps.effective.is_empty() { "nothing beyond its user".to_owned() } else { caps.effective.join(" ") };
        lines.push(named("capabilities", Phrase::new().text(&effective)));
        lines.extend(known("seccomp", &caps.seccomp));
    }
    limit_lines(&mut lines, details);
    for fault in &details.missing {
        lines.push(Phrase::new().dim(&format!("{}: {}", fault.source, fault.message)));
    }
    lines
}

fn memory_lines(units: Units, lines: &mut Vec<Phrase>, memory: &MemoryUse) {
    heading(lines, "Memory", 0);
    let size = |bytes: u64| units.quantity(Role::Text, bytes as f64, Unit::Bytes);
    for (name, bytes, note) in [
        ("resident", memory.resident, ""),
        ("proportional", memory.proportional, "  shared pages by their share"),
        ("its own", memory.unique, "  its end would free this"),
        ("swapped", memory.swapped, ""),
        ("locked", memory.locked, ""),
    ] {
        if bytes > 0 || name == "resident" {
            lines.push(named(name, size(bytes).dim(note)));
        }
    }
}

fn group_lines(units: Units, lines: &mut Vec<Phrase>, group: &ControlGroup) {
    heading(lines, "Control group", 0);
    lines.push(named("path", Phrase::new().text(&group.path)));
    if let Some(bytes) = group.memory_bytes {
        let used = units.quantity(Role::Text, bytes as f64, Unit::Bytes);
        let limit = group.memory_limit_bytes.map_or_else(
            || Phrase::new().dim(", no limit"),
            |limit| Phrase::new().dim(" of ").join(&units.quantity(Role::Text, limit as f64, Unit::Bytes)),
        );
        lines.push(named("memory", used.join(&limit)));
    }
    if let Some(cores) = group.cpu_limit {
        lines.push(named("CPU", Phrase::new().dim("at most ").text(&format!("{cores:.1}")).dim(" cores")));
    }
    if let Some(tasks) = group.tasks {
        let limit = group.tasks_limit.map_or_else(String::new, |l| format!(" of {l}"));
        lines.push(named("tasks", Phrase::new().text(&tasks.to_string()).dim(&limit)));
    }
    if let Some(kills) = group.oom_kills.filter(|k| *k > 0) {
        lines.push(named("ended", Phrase::new().bold(Role::Warn, &kills.to_string()).dim(" for want of memory")));
    }
}

fn limit_lines(lines: &mut Vec<Phrase>, details: &ProcessDetails) {
    if details.limits.is_empty() {
        return;
    }
    heading(lines, "Limits", 0);
    let shown = |value: Option<u64>| value.map_or_else(|| "unlimited".to_owned(), |v| v.to_string());
    for limit in &details.limits {
        let name = limit.name.strip_prefix("Max ").unwrap_or(&limit.name);
        let used = details.descriptors.filter(|_| name == "open files").map(|n| format!("{n} used of "));
        let said = Phrase::new().dim(&used.unwrap_or_default()).text(&shown(limit.soft));
        let hard = if limit.hard == limit.soft { String::new() } else { format!("  hard {}", shown(limit.hard)) };
        let blanks = 20_usize.saturating_sub(name.chars().count()).max(1);
        let unit = if limit.soft.is_some() && !limit.unit.is_empty() { format!(" {}", limit.unit) } else { String::new() };
        lines.push(Phrase::new().dim(name).text(&" ".repeat(blanks)).join(&said).dim(&unit).dim(&hard));
    }
}

/// Sockets, files, threads and environment.
fn open(ctx: &DrawContext, inside: &Inside) -> Vec<Phrase> {
    let mut lines = Vec::new();
    let Some(details) = inside.details.as_ref().filter(|_| ctx.cursor().is_none()) else { return lines };
    match &details.private {
        None => lines.push(
            Phrase::new().dim("Sockets, files and environment may hold secrets: only the recorder's own user and root see them."),
        ),
        Some(private) => {
            heading(&mut lines, "Sockets", private.sockets.len());
            for socket in &private.sockets {
                let to = if socket.remote.is_empty() { String::new() } else { format!(" → {}", socket.remote) };
                let line = Phrase::new().dim(&format!("{:>4} {:<5} ", socket.descriptor, socket.protocol)).text(&socket.local);
                lines.push(line.text(&to).dim(&format!(" {}", socket.state)));
            }
            heading(&mut lines, "Files", private.files.len());
            for file in &private.files {
                let way = match file.writes {
                    Some(true) => "w",
                    Some(false) => "r",
                    None => " ",
                };
                lines.push(Phrase::new().dim(&format!("{:>4} {way} ", file.descriptor)).text(&file.target));
            }
        }
    }
    if !details.threads.is_empty() {
        heading(&mut lines, "Threads", details.threads.len());
        for thread in &details.threads {
            let used = std::time::Duration::try_from_secs_f64(thread.cpu_seconds.max(0.0)).unwrap_or_default();
            let line = Phrase::new().dim(&format!("{:>7} ", thread.id)).text(&format!("{:<16}", thread.name));
            lines.push(line.dim(" CPU ").text(&format_duration(used)).dim(&format!("  core {}", thread.core)));
        }
    }
    if let Some(private) = details.private.as_ref().filter(|p| !p.environment.is_empty()) {
        heading(&mut lines, "Environment", private.environment.len());
        lines.extend(private.environment.iter().map(|(name, value)| Phrase::new().dim(&format!("{name}=")).text(value)));
    }
    lines
}

/// Lines from `scroll` on, at most so far that the last one is seen.
fn document(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, lines: &[Phrase], scroll: usize) {
    let inner = slot.inner();
    let wrapped: Vec<Phrase> = lines.iter().flat_map(|line| line.wrap(inner.width)).collect();
    let height = usize::from(inner.height);
    let first = scroll.min(wrapped.len().saturating_sub(height));
    for (y, line) in (inner.y..inner.bottom()).zip(wrapped.iter().skip(first)) {
        line.put(ctx.ink, buf, (inner.x, y), inner.right());
    }
    if wrapped.len() > height {
        let range = Phrase::new().dim(&format!("{}–{} of {}", first + 1, (first + height).min(wrapped.len()), wrapped.len()));
        crate::ui::widgets::title(ctx.ink, buf, slot.y1, (slot.x0, slot.x1), &Phrase::new(), &[range]);
    }
}
