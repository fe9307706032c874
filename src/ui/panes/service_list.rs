//! Services as a table: state, response, shares, strip of the last day, what is left of the promise.
//!
//! Invariant: only the rows on the screen are looked at.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::limits::Limits;
use super::parts::{cells, service_glyph};
use super::service_rows::{budget, response, uptime};
use crate::base::format_duration;
use crate::model::{SeriesKey, ServiceState, ServiceStatus};
use crate::ui::charts::Window;
use crate::ui::pane::{DrawContext, first_row};
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::spark::{Spark, spark};
use crate::ui::widgets::strip::strip;
use crate::ui::widgets::{Ground, Phrase, Role, text};

/// Where the columns of a table of services stand, from its left edge.
struct Places {
    /// Width of the name, and of what is checked; 0: not shown.
    name: u16,
    check: u16,
    /// Columns of how long ago it was checked, and of the graph of response times.
    checked: u16,
    graph: u16,
    /// Spans whose share of uptime is shown, as places in the status.
    spans: &'static [(usize, &'static str)],
    /// Columns of the bar of the budget.
    bar: u16,
}

const ALL: &[(usize, &str)] = &[(0, "24 h"), (1, "7 d"), (2, "30 d")];
const RESPONSE: u16 = 12;
/// Columns of a share of uptime, and of the figure of a budget.
const SHARE: u16 = 9;
const BUDGET: u16 = 6;

impl Places {
    /// By the columns there are.
    fn of(width: u16) -> Self {
        match width {
            150.. => Self { name: 18, check: 26, checked: 8, graph: 13, spans: ALL, bar: 9 },
            90..150 => Self { name: 18, check: 8, checked: 0, graph: 0, spans: ALL, bar: 0 },
            _ => Self { name: 16, check: 0, checked: 0, graph: 0, spans: &ALL[..1], bar: 0 },
        }
    }

    fn strip(&self, line: Rect) -> (u16, u16) {
        let from = line.x + 2 + self.name + self.check + RESPONSE + self.checked + self.graph + 2;
        let right = self.spans.len() as u16 * SHARE + BUDGET + self.bar + 2;
        (from, line.right().saturating_sub(right))
    }
}

/// Draws as many as fit, around the chosen one.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, inner: Rect) {
    let places = Places::of(inner.width);
    let services = &ctx.state.lists.services;
    let height = usize::from(inner.height.saturating_sub(1));
    if inner.height == 0 || inner.width < 50 {
        return;
    }
    heads(ctx, buf, Rect { height: 1, ..inner }, &places);
    let chosen = ctx.state.lists.service_row(ctx.snapshot, &ctx.state.selected);
    let first = first_row(chosen, height, services.len());
    let shown = services.iter().enumerate().skip(first).take(height);
    for (y, (at, i)) in (inner.y + 1..).zip(shown) {
        let Some(service) = ctx.snapshot.services.get(*i) else { continue };
        let line = Rect { y, height: 1, ..inner };
        if at == chosen {
            text::lay(ctx.ink, buf, Rect { x: line.x.saturating_sub(1), width: line.width + 2, ..line }, Ground::Selected);
        }
        row(ctx, buf, line, &places, service);
    }
}

fn heads(ctx: &DrawContext, buf: &mut Buffer, line: Rect, places: &Places) {
    let dim = |text: &str| Phrase::new().dim(text);
    let put = |buf: &mut Buffer, x: u16, text: &str| dim(text).put(ctx.ink, buf, (x, line.y), line.right());
    put(buf, line.x + 2, "service");
    let mut x = line.x + 2 + places.name;
    if places.check > 0 {
        put(buf, x, "check");
    }
    x += places.check;
    dim("response").put_right(ctx.ink, buf, (x, x + RESPONSE), line.y);
    x += RESPONSE;
    if places.checked > 0 {
        dim("checked").put_right(ctx.ink, buf, (x, x + places.checked), line.y);
        put(buf, x + places.checked + 2, "30 min");
    }
    let (from, to) = places.strip(line);
    put(buf, from, "-24 h");
    if to > from + 12 {
        dim("now").put_right(ctx.ink, buf, (from, to), line.y);
    }
    let mut right: Vec<(u16, Phrase)> = vec![(0, dim(if places.bar > 0 { "budget left" } else { "budget" }))];
    right.extend(shares(places, |(_, name)| dim(name)));
    cells(ctx.ink, buf, Rect { x: to, width: line.right() - to, ..line }, &Phrase::new(), &right);
}

/// Cells of the shares of uptime, by how far from the right edge they end.
fn shares(places: &Places, cell: impl Fn((usize, &str)) -> Phrase) -> Vec<(u16, Phrase)> {
    let n = places.spans.len();
    let end = |i: usize| BUDGET + places.bar + (n - 1 - i) as u16 * SHARE + 2;
    places.spans.iter().enumerate().map(|(i, span)| (end(i), cell(*span))).collect()
}

fn row(ctx: &DrawContext, buf: &mut Buffer, line: Rect, places: &Places, service: &ServiceStatus) {
    let (glyph, role) = service_glyph(service.state);
    let y = line.y;
    Phrase::new().bold(role, glyph).put(ctx.ink, buf, (line.x, y), line.x + 1);
    let calm = matches!(service.state, ServiceState::Online | ServiceState::Unknown);
    let name = if calm { Phrase::new().text(&service.name) } else { Phrase::new().bold(role, &service.name) };
    let mut x = line.x + 2;
    name.put(ctx.ink, buf, (x, y), x + places.name - 1);
    x += places.name;
    if places.check > 0 {
        let check = if places.check > 10 { format!("{} {}", service.kind, service.target) } else { service.kind.clone() };
        let end = Phrase::new().dim(&check).put(ctx.ink, buf, (x, y), x + places.check - 1);
        ctx.link(Rect { x, width: end - x, ..line }, &service.target);
    }
    x += places.check;
    let answer = if service.maintenance { Phrase::new().role(Role::Past, "maintained") } else { response(service) };
    answer.put_right(ctx.ink, buf, (x, x + RESPONSE), y);
    x += RESPONSE;
    if places.checked > 0 {
        let age = service.last_check.map_or_else(|| "-".to_owned(), |at| format_duration(ctx.snapshot.at.since(at)));
        Phrase::new().dim(&age).put_right(ctx.ink, buf, (x, x + places.checked), y);
        x += places.checked;
        response_graph(ctx, buf, (x + 2, y), places.graph - 3, service);
    }
    let (from, to) = places.strip(line);
    strip(ctx.ink, buf, (from, y), to.saturating_sub(from), &service.strip);
    let left = service.slo.and_then(|slo| slo.left);
    let mut right = vec![(0, budget(service))];
    right.extend(shares(places, |(span, _)| uptime(service, span)));
    cells(ctx.ink, buf, Rect { x: to, width: line.right() - to, ..line }, &Phrase::new(), &right);
    if let Some(left) = left.filter(|_| places.bar > 0) {
        let x = line.right().saturating_sub(BUDGET + places.bar - 1);
        let role = super::service_rows::budget_role(left);
        meter(ctx.ink, buf, (x, y), places.bar - 2, Meter { share: left, limit: None, role: role.calm() });
    }
}

/// The last half hour of response times, as high as the slowest answer of its own.
pub fn response_graph(ctx: &DrawContext, buf: &mut Buffer, at: (u16, u16), width: u16, service: &ServiceStatus) {
    let Some(charts) = &ctx.state.responses else { return };
    let key = SeriesKey::new("service_check_seconds", [("service", service.name.as_str())]);
    let n = usize::from(width) * 3;
    let bins = charts.bins(&key, Window::ending(ctx.snapshot.at, Duration::from_secs(60), n));
    let values: Vec<_> = bins.iter().map(|b| b.map(|b| b.max)).collect();
    let top = values.iter().flatten().copied().fold(0.0, f64::max);
    let coloring = Limits::of(ctx.snapshot, &key).coloring();
    if top > 0.0 {
        spark(ctx.ink, buf, at, width, &Spark { values: &values, range: (0.0, top), per_cell: 3, coloring });
    }
}
