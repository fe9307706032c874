//! The overview of a small terminal: one row a resource, what else is wrong, and as many processes as fit.
//!
//! No outer border; heads stand in the divider. Invariant: every row says its state in words as well as
//! in color.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::alert_rows;
use super::limits::Limits;
use super::parts::{percent, prediction_of, scaled, service_glyph, until};
use super::process_table::Table;
use super::trends::past_columns;
use crate::base::Unit;
use crate::model::{Prediction, SeriesKey, ServiceState};
use crate::ui::format::{span_title, time};
use crate::ui::pane::{DrawContext, first_row};
use crate::ui::widgets::axis::Scale;
use crate::ui::widgets::chart::Coloring;
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::spark::{Spark, spark};
use crate::ui::widgets::{Borders, Graph, Phrase, Role, title};

/// Column after which the graph of a row begins.
const NAMES: u16 = 26;
/// Columns of what is said after the graph.
const AFTER: u16 = 18;

/// Draws it.
pub fn draw(ctx: &DrawContext, area: Rect, buf: &mut Buffer) {
    if area.height == 0 || area.width < 20 {
        return;
    }
    let mut y = area.y;
    for line in [cpu, memory, disk, network, services] {
        if y < area.bottom() {
            line(ctx, buf, Rect { y, height: 1, ..area });
            y += 1;
        }
    }
    let rest = Rect { y, height: area.bottom() - y, ..area };
    let used = alerts(ctx, buf, rest);
    processes(ctx, buf, Rect { y: rest.y + used, height: rest.height - used, ..rest });
}

/// What stands left of a row's graph, the graph, and what stands right of it.
struct Line {
    name: &'static str,
    value: Phrase,
    after: Phrase,
    /// The newest value as a share of the range, for terminals without graphs.
    share: f64,
    limit: Option<f64>,
}

fn graph_row(
    ctx: &DrawContext,
    buf: &mut Buffer,
    line: Rect,
    what: &Line,
    key: Option<&SeriesKey>,
    top: f64,
    coloring: Coloring,
) {
    let (x, y, end) = (line.x + 1, line.y, line.right().saturating_sub(1));
    Phrase::new().text(what.name).put(ctx.ink, buf, (x, y), end);
    what.value.put(ctx.ink, buf, (x + 8, y), (line.x + NAMES).min(end));
    let from = line.x + NAMES + 1;
    let to = end.saturating_sub(AFTER);
    if to > from + 8 {
        let columns = to - from;
        if ctx.ink.graph == Graph::Ascii {
            let bar = Meter { share: what.share, limit: what.limit, role: coloring.role(what.share * top, what.share * top) };
            meter(ctx.ink, buf, (from, y), columns, bar);
        } else if let Some(key) = key {
            let window = ctx.window(columns);
            let values: Vec<_> = ctx.charts().bins(key, window).into_iter().map(|b| b.map(|b| b.max)).collect();
            spark(ctx.ink, buf, (from, y), columns, &Spark { values: &values, range: (0.0, top), per_cell: 2, coloring });
        }
        what.after.put(ctx.ink, buf, (to + 2, y), end);
    } else {
        what.after.put_right(ctx.ink, buf, (line.x + NAMES, end), y);
    }
}

fn share_row(
    ctx: &DrawContext,
    buf: &mut Buffer,
    line: Rect,
    key: Option<&SeriesKey>,
    (name, note, after): (&'static str, String, Phrase),
) {
    let Some((key, value)) = key.and_then(|k| ctx.snapshot.value(k).map(|v| (k, v))) else {
        let empty = Line { name, value: Phrase::new().dim("no reading"), after, share: 0.0, limit: None };
        return graph_row(ctx, buf, line, &empty, None, 1.0, Coloring::Fixed(Role::Dim));
    };
    let limits = Limits::of(ctx.snapshot, key);
    let role = if matches!(limits.role(value), Role::Warn | Role::Crit) { limits.role(value) } else { Role::Text };
    let number = percent(role, value);
    let pad = " ".repeat(usize::from(4_u16.saturating_sub(number.width())));
    let said = Phrase::new().text(&pad).join(&number).dim(&format!(" {note}"));
    let what = Line { name, value: said, after, share: value, limit: limits.line.map(|(v, _)| v) };
    graph_row(ctx, buf, line, &what, Some(key), 1.0, limits.coloring());
}

fn soon(ctx: &DrawContext, prediction: Option<&Prediction>, strip: &str) -> Phrase {
    let Some(p) = prediction.filter(|_| ctx.cursor().is_none()) else { return Phrase::new() };
    let what = p.title.strip_prefix(strip).unwrap_or(&p.title);
    let left = p.at.since(ctx.snapshot.at);
    let when = if left.as_secs() < 12 * 3600 { time(p.at, ctx.zone()) } else { format!("in {} d", left.as_secs() / 86_400) };
    Phrase::new().bold(Role::Pred, "◆ ").role(Role::Pred, &format!("{what} {when}"))
}

fn cpu(ctx: &DrawContext, buf: &mut Buffer, line: Rect) {
    let load = ctx.snapshot.part("load_average", "1m").map_or_else(String::new, |l| format!("load {l:.1}"));
    let key = ctx.state.keys.cpu.as_ref();
    let after = soon(ctx, key.and_then(|k| prediction_of(ctx.snapshot, |p| p == k)), "CPU ");
    share_row(ctx, buf, line, key, ("CPU", load, after));
}

fn memory(ctx: &DrawContext, buf: &mut Buffer, line: Rect) {
    let free =
        ctx.snapshot.total("memory_available_bytes").map_or_else(String::new, |b| format!("{} free", ctx.value(b, Unit::Bytes)));
    let key = ctx.state.keys.memory.as_ref();
    let after = soon(ctx, key.and_then(|k| prediction_of(ctx.snapshot, |p| p == k)), "memory ");
    share_row(ctx, buf, line, key, ("memory", free, after));
}

/// The file system that fills first, else the fullest that is not silenced.
fn disk(ctx: &DrawContext, buf: &mut Buffer, line: Rect) {
    let s = ctx.snapshot;
    let coming = prediction_of(s, |k| k.metric() == "filesystem_used_ratio");
    let quiet = |key: &SeriesKey| s.firing().any(|a| a.key == *key && a.is_quiet());
    let fullest = s.of("filesystem_used_ratio").filter(|r| !quiet(&r.key)).max_by(|a, b| a.value.total_cmp(&b.value));
    let key = coming.map(|p| &p.key).or(fullest.map(|r| &r.key));
    let mount = key.map_or_else(String::new, SeriesKey::instance);
    let after = coming.map_or_else(Phrase::new, |p| {
        let days = until(ctx, p.at);
        let short = days.split(" d").next().filter(|_| days.contains(" d")).map_or(days.clone(), |d| format!("{d} d"));
        Phrase::new().bold(Role::Pred, "◆ ").role(Role::Pred, &format!("full in {short}"))
    });
    // Without history of that file system the row shows how full it is.
    if let Some((key, value)) = key.and_then(|k| s.value(k).map(|v| (k, v))).filter(|(k, _)| ctx.charts().oldest(k).is_none()) {
        let limits = Limits::of(s, key);
        share_row(ctx, buf, line, Some(key), ("disk", mount, after));
        let (from, to) = (line.x + NAMES + 1, line.right().saturating_sub(1 + AFTER));
        if to > from + 8 && ctx.ink.graph != Graph::Ascii {
            let bar = Meter { share: value, limit: limits.line.map(|(v, _)| v), role: limits.role(value).calm() };
            meter(ctx.ink, buf, (from, line.y), to - from, bar);
        }
        return;
    }
    share_row(ctx, buf, line, key, ("disk", mount, after));
}

fn network(ctx: &DrawContext, buf: &mut Buffer, line: Rect) {
    let values = ctx
        .state
        .keys
        .network
        .as_ref()
        .map(|(a, b)| (a, ctx.snapshot.value(a).unwrap_or(0.0), ctx.snapshot.value(b).unwrap_or(0.0)));
    let Some((key, down, up)) = values else {
        let empty =
            Line { name: "net", value: Phrase::new().dim("no interface up"), after: Phrase::new(), share: 0.0, limit: None };
        return graph_row(ctx, buf, line, &empty, None, 1.0, Coloring::Fixed(Role::Dim));
    };
    let window = ctx.window(past_columns(ctx, line.width.saturating_sub(NAMES + AFTER)));
    let top = ctx.charts().bins(key, window).iter().flatten().map(|b| b.max).fold(down.max(up), f64::max);
    let scale = Scale::rounded(ctx.units(), Unit::BytesPerSecond, top);
    let both = Phrase::new().text(&format!("{:>5}", scaled(down + up, &scale))).dim(&format!(" {}", scale.unit));
    let after = Phrase::new().dim(&format!("↓ {} ↑ {}", scaled(down, &scale), scaled(up, &scale)));
    let what = Line { name: "net", value: both, after, share: down / scale.hi, limit: None };
    graph_row(ctx, buf, line, &what, Some(key), scale.hi, Coloring::Fixed(Role::Flow));
}

fn services(ctx: &DrawContext, buf: &mut Buffer, line: Rect) {
    let all = &ctx.snapshot.services;
    let (y, end) = (line.y, line.right().saturating_sub(1));
    Phrase::new().text("services").put(ctx.ink, buf, (line.x + 1, y), end);
    if all.is_empty() {
        Phrase::new().dim("none is checked: add [[service]] to the configuration").put(ctx.ink, buf, (line.x + 10, y), end);
        return;
    }
    let up = all.iter().filter(|s| s.state == ServiceState::Online).count();
    Phrase::new().text(&up.to_string()).dim(&format!("/{}", all.len())).put(ctx.ink, buf, (line.x + 10, y), end);
    let mut strip = Phrase::new();
    let room = usize::from(end.saturating_sub(line.x + NAMES + AFTER)).max(1);
    for service in all.iter().take(room) {
        let (glyph, role) = service_glyph(service.state);
        strip = strip.bold(role, glyph);
    }
    let after = strip.put(ctx.ink, buf, (line.x + NAMES + 1, y), end);
    let answers = all.iter().filter(|s| s.state != ServiceState::Offline);
    let slowest = answers.max_by(|a, b| a.response_seconds.unwrap_or(0.0).total_cmp(&b.response_seconds.unwrap_or(0.0)));
    if let Some((name, seconds)) = slowest.and_then(|s| s.response_seconds.map(|r| (&s.name, r))) {
        let said = Phrase::new().dim("slowest ").text(name).text(" ").text(&ctx.value(seconds, Unit::Seconds));
        if after + 2 + said.width() <= end {
            said.put_right(ctx.ink, buf, (after + 2, end), y);
        }
    }
}

/// What is wrong beside the alert of the second line; gives the rows used.
fn alerts(ctx: &DrawContext, buf: &mut Buffer, area: Rect) -> u16 {
    let further: Vec<_> = ctx.snapshot.firing().filter(|a| !a.is_quiet()).skip(1).collect();
    let rows = u16::try_from(further.len()).unwrap_or(u16::MAX).min(2);
    // Heads and eight processes go first.
    if area.height < rows + 10 {
        return 0;
    }
    divider(ctx, buf, area.y, area);
    let quiet = ctx.snapshot.firing().filter(|a| a.is_quiet()).count();
    let mut head = Phrase::new().strong("Alerts ");
    head = match further.len() {
        0 => head.dim("no other"),
        n => head.dim(&format!("{n} more")),
    };
    if quiet > 0 {
        head = head.dim(&format!(" · {quiet} silenced"));
    }
    let span = Phrase::new().dim(&format!("charts {}", span_title(ctx.state.span)));
    title(ctx.ink, buf, area.y, (area.x.saturating_sub(1), area.right().saturating_sub(1)), &head, &[span]);
    for (i, alert) in (1..=rows).zip(further) {
        let line = Rect { x: area.x + 1, y: area.y + i, width: area.width.saturating_sub(2), height: 1 };
        alert_rows::alert_line(ctx, buf, line, alert);
    }
    rows + 1
}

fn divider(ctx: &DrawContext, buf: &mut Buffer, y: u16, area: Rect) {
    let line = Rect { y, height: 1, ..area };
    Borders::new(line).across(y, area.x, area.right().saturating_sub(1)).draw(ctx.ink, buf);
}

/// The processes, their heads in the divider.
fn processes(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    if area.height == 0 {
        return;
    }
    divider(ctx, buf, area.y, area);
    let Some(table) = Table::new(ctx, area) else { return };
    table.heads(buf, area.y);
    let name = Phrase::new().strong(" Processes ").dim(&format!("{} ", ctx.snapshot.processes.len()));
    name.put_right(ctx.ink, buf, (area.x, area.right().saturating_sub(2)), area.y);
    let height = usize::from(area.height - 1);
    let lists = &ctx.state.lists;
    let first = first_row(lists.process_row(ctx.snapshot, &ctx.state.selected), height, lists.processes.len());
    table.rows(buf, area.y + 1, first..(first + height).min(lists.processes.len()));
}
