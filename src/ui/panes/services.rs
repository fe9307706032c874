//! All services with their shares of uptime, and the chosen one: its response time, what the checks say.
//!
//! Invariant: worst first, and the chosen one is always on the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::limits::Limits;
use super::parts::{Slot, alert_glyph, paragraphs, service_glyph};
use super::service_rows::{response, up_title, uptime};
use super::trends::{GUTTER, chart_area, cursor, time_scale};
use crate::base::{Unit, format_duration, format_value};
use crate::model::{SeriesKey, ServiceState, ServiceStatus, UptimeShare};
use crate::ui::charts::{ChartStore, Window};
use crate::ui::format::{moment, time_seconds};
use crate::ui::pane::{Density, DrawContext, Pane, first_row};
use crate::ui::state::{Subject, View};
use crate::ui::widgets::axis::Scale;
use crate::ui::widgets::chart::{Chart, Coloring, Fill, Trace};
use crate::ui::widgets::spark::{Spark, spark};
use crate::ui::widgets::strip::strip;
use crate::ui::widgets::table::{Column, Columns};
use crate::ui::widgets::{Borders, Phrase, Role};

const LARGE: &[Column] = &[
    Column::words("service", 18),
    Column::words("check", 34),
    Column::number("response", 12),
    Column::number("checked", 9),
    Column::number("", 2),
    Column::words("30 min", 13),
    Column::words("-24 h", 0),
];
const MEDIUM: &[Column] = &[
    Column::words("service", 18),
    Column::words("check", 9),
    Column::number("response", 12),
    Column::number("", 2),
    Column::words("-24 h", 0),
];
/// Columns of a share of uptime.
const SHARE: u16 = 9;

/// All services.
pub struct Services;

impl Pane for Services {
    fn view(&self) -> View {
        View::Services
    }

    fn draw(&self, ctx: &DrawContext, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if super::is_too_small(area) {
            return;
        }
        let lists = &ctx.state.lists;
        let len = u16::try_from(lists.services.len()).unwrap_or(u16::MAX);
        let room = area.height - 2;
        // The list takes what it needs, at most half where a chosen one is told in full below.
        let detail = if room < 14 || len == 0 { 0 } else { room - (len + 1).min(room / 2) };
        let middle = area.bottom() - 1 - detail;
        let wide = ctx.density() != Density::Small;
        let mut lines = Borders::new(area);
        if wide {
            lines.around(area);
        } else {
            lines.across(area.y, area.x, area.right() - 1);
        }
        if detail > 0 {
            lines.across(middle, area.x, area.right() - 1);
        }
        lines.draw(ctx.ink, buf);
        let slot = Slot { x0: area.x, x1: area.right() - u16::from(wide), y0: area.y, y1: middle };
        list(ctx, buf, slot);
        let chosen = lists.service_row(ctx.snapshot, &ctx.state.selected);
        let service = lists.services.get(chosen).and_then(|i| ctx.snapshot.services.get(*i));
        if let Some(service) = service.filter(|_| detail > 3) {
            chosen_one(ctx, buf, Slot { y0: middle, y1: area.bottom() - 1, ..slot }, service);
        }
    }
}

fn list(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let filter = match ctx.state.filter() {
        "" => Phrase::new(),
        words => Phrase::new().role(Role::Past, &format!("/ {words}")),
    };
    let legend = Phrase::new().dim("last 24 h: ").role(Role::CalmOk, "▁").dim(" online ").role(Role::Warn, "▄").dim(" degraded ");
    let legend = legend.role(Role::Crit, "█").dim(" down");
    slot.title(ctx.ink, buf, &title(ctx), &[Phrase::new().dim("worst first"), legend, filter]);
    let inner = slot.inner();
    let services = &ctx.state.lists.services;
    if services.is_empty() {
        let words = if ctx.snapshot.services.is_empty() {
            Phrase::new()
                .dim("No service is checked. Add ")
                .text("[[service]]")
                .dim(" with name, type and url, address or unit to the configuration.")
        } else {
            Phrase::new().dim("no service matches; Esc shows all again")
        };
        words.put(ctx.ink, buf, (inner.x, inner.y), inner.right());
        return;
    }
    let kinds = if ctx.density() == Density::Large { LARGE } else { MEDIUM };
    let spans: u16 = if inner.width > 90 { 3 } else { 1 };
    let table = Rect { x: inner.x + 1, width: inner.width.saturating_sub(1 + spans * SHARE), ..inner };
    let columns = Columns::new(kinds, table);
    columns.heads(ctx.ink, buf, inner.y, None);
    for (i, name) in (0..spans).zip(["24 h", "7 d", "30 d"]) {
        Phrase::new().dim(name).put_right(ctx.ink, buf, (inner.x, share_end(inner, spans, i)), inner.y);
    }
    let height = usize::from(inner.height.saturating_sub(1));
    let chosen = ctx.state.lists.service_row(ctx.snapshot, &ctx.state.selected);
    let first = first_row(chosen, height, services.len());
    let shown = services.iter().enumerate().skip(first).take(height);
    for (y, (at, service)) in (inner.y + 1..).zip(shown.filter_map(|(at, i)| ctx.snapshot.services.get(*i).map(|s| (at, s)))) {
        if at == chosen {
            Columns::new(kinds, Rect { x: inner.x.saturating_sub(1), width: inner.width + 2, ..inner }).select(ctx.ink, buf, y);
        }
        service_line(ctx, buf, &columns, (y, inner.x), service);
        for i in 0..spans {
            uptime(service, usize::from(i)).put_right(ctx.ink, buf, (inner.x, share_end(inner, spans, i)), y);
        }
    }
}

fn share_end(inner: Rect, spans: u16, index: u16) -> u16 {
    inner.right().saturating_sub((spans - 1 - index) * SHARE)
}

fn title(ctx: &DrawContext) -> Phrase {
    let count = |state| ctx.snapshot.services.iter().filter(|s| s.state == state).count();
    let states = [(ServiceState::Degraded, "degraded"), (ServiceState::Offline, "down"), (ServiceState::Unknown, "unknown")];
    states
        .into_iter()
        .filter(|(state, _)| count(*state) > 0)
        .fold(up_title(ctx.snapshot), |title, (state, word)| title.dim(&format!(" · {} {word}", count(state))))
}

fn service_line(ctx: &DrawContext, buf: &mut Buffer, columns: &Columns, (y, x): (u16, u16), service: &ServiceStatus) {
    let (glyph, role) = service_glyph(service.state);
    let calm = matches!(service.state, ServiceState::Online | ServiceState::Unknown);
    Phrase::new().bold(role, glyph).put(ctx.ink, buf, (x, y), x + 1);
    let name = if calm { Phrase::new().text(&service.name) } else { Phrase::new().bold(role, &service.name) };
    columns.cell(ctx.ink, buf, y, 0, &name);
    let large = ctx.density() == Density::Large;
    let check = if large { format!("{} {}", service.kind, service.target) } else { service.kind.clone() };
    columns.cell(ctx.ink, buf, y, 1, &Phrase::new().dim(&check));
    columns.cell(ctx.ink, buf, y, 2, &response(service));
    if large {
        let age = service.last_check.map_or_else(|| "-".to_owned(), |at| format_duration(ctx.snapshot.at.since(at)));
        columns.cell(ctx.ink, buf, y, 3, &Phrase::new().dim(&age));
    }
    if large {
        spark_of(ctx, buf, columns.span(5), y, service);
    }
    let (from, to) = columns.span(if large { 6 } else { 4 });
    strip(ctx.ink, buf, (from + 1, y), to.saturating_sub(from + 2), &service.strip);
}

/// The last half hour of response times, as high as the slowest answer of its own.
fn spark_of(ctx: &DrawContext, buf: &mut Buffer, (from, to): (u16, u16), y: u16, service: &ServiceStatus) {
    let Some(charts) = &ctx.state.responses else { return };
    let key = SeriesKey::new("service_check_seconds", [("service", service.name.as_str())]);
    let cells = to.saturating_sub(from + 3);
    let n = usize::from(cells) * 3;
    let bins = charts.bins(&key, Window::ending(ctx.snapshot.at, std::time::Duration::from_secs(60), n));
    let values: Vec<_> = bins.iter().map(|b| b.map(|b| b.max)).collect();
    let top = values.iter().flatten().copied().fold(0.0, f64::max);
    let coloring = Limits::of(ctx.snapshot, &key).coloring();
    if top > 0.0 {
        let graph = Spark { values: &values, range: (0.0, top), per_cell: 3, coloring };
        spark(ctx.ink, buf, (from + 1, y), cells, &graph);
    }
}

/// The chosen service: its response time with its limit, and beside it what is known.
fn chosen_one(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, service: &ServiceStatus) {
    let (glyph, role) = service_glyph(service.state);
    let left = Phrase::new()
        .bold(role, glyph)
        .text(" ")
        .bold(if role == Role::Ok { Role::Strong } else { role }, &service.name)
        .text(" ");
    let left = left.join(&response(service)).dim(&format!(" {} {}", service.kind, service.target));
    slot.title(
        ctx.ink,
        buf,
        &left,
        &[Phrase::new().strong("c").dim(" check now"), Phrase::new().strong("m").dim(" maintenance")],
    );
    let beside = if ctx.density() == Density::Small { 0 } else { (slot.x1 - slot.x0) * 2 / 5 };
    let key = SeriesKey::new("service_check_seconds", [("service", service.name.as_str())]);
    let area = chart_area(slot, beside);
    let focus = ctx.state.focus.as_ref().filter(|f| f.subject == Subject::Service(service.name.clone()));
    response_chart(ctx, buf, area, (&key, focus.map(|f| (&f.charts, f.range.length()))));
    if beside > 0 {
        let inner = slot.inner();
        facts(ctx, buf, Rect { x: inner.right() - beside, width: beside, ..inner }, service);
    }
}

fn response_chart(
    ctx: &DrawContext,
    buf: &mut Buffer,
    area: Rect,
    (key, fetched): (&SeriesKey, Option<(&ChartStore, std::time::Duration)>),
) {
    let past = super::trends::past_columns(ctx, area.width.saturating_sub(GUTTER));
    let (store, window) = match fetched.filter(|_| ctx.cursor().is_none()) {
        Some((store, length)) => {
            let n = usize::from(past.max(1)) * 2;
            (
                store,
                Window::ending(ctx.snapshot.at, std::time::Duration::from_secs(length.as_secs().div_ceil(n as u64).max(1)), n),
            )
        }
        None => (ctx.charts(), ctx.window(past)),
    };
    let bins = store.bins(key, window);
    if bins.iter().all(Option::is_none) {
        Phrase::new().dim("no response times in this span").put(ctx.ink, buf, (area.x + 1, area.y), area.right());
        return;
    }
    let limits = Limits::of(ctx.snapshot, key);
    let top = bins.iter().flatten().map(|b| b.max).fold(0.0, f64::max);
    // A limit far above everything seen would press the line flat.
    let line = limits.line.filter(|(limit, _)| *limit <= top * 3.0);
    let scale = Scale::rounded(Unit::Seconds, top.max(line.map_or(0.0, |(l, _)| l)));
    let lines = Limits { line, ..limits }.lines(&scale, Unit::Seconds);
    let anomalies = ctx.snapshot.anomalies.iter().chain(store.anomalies(key));
    let marks: Vec<_> = anomalies.filter(|a| a.key == *key).map(|a| a.peak_at).collect();
    let cursor = cursor(ctx);
    let coloring = if limits == Limits::default() { Coloring::Fixed(Role::Flow) } else { limits.coloring() };
    let forecast = ctx.snapshot.forecast(key).filter(|_| ctx.cursor().is_none()).map(|f| &**f);
    Chart {
        upper: Trace { bins: &bins, coloring, forecast, marks: &marks },
        lower: None,
        scale,
        time: time_scale(window, past),
        fill: Fill::Area,
        limits: &lines,
        labels: &[],
        band: &[],
        moments: &[],
        cursor: cursor.as_ref(),
        gutter: GUTTER,
        axis: Some(ctx.zone()),
    }
    .draw(ctx.ink, buf, area);
}

fn facts(ctx: &DrawContext, buf: &mut Buffer, area: Rect, service: &ServiceStatus) {
    let at = |t| moment(t, ctx.snapshot.at, ctx.zone());
    let mut lines: Vec<Phrase> = Vec::new();
    let (_, role) = service_glyph(service.state);
    let word = match service.state {
        ServiceState::Online => "online",
        ServiceState::Degraded => "degraded",
        ServiceState::Offline => "down",
        ServiceState::Unknown => "not known yet",
    };
    let mut state = Phrase::new().bold(role, word);
    if let Some(since) = service.since {
        state = state.dim(" since ").text(&at(since)).dim(&format!(", {}", format_duration(ctx.snapshot.at.since(since))));
    }
    lines.push(state);
    if !service.message.is_empty() {
        lines.push(Phrase::new().dim("says ").text(&service.message));
    }
    if let Some(last) = service.last_check {
        lines.push(Phrase::new().dim("checked ").text(&time_seconds(last, ctx.zone())));
    }
    let key = SeriesKey::new("service_certificate_expiry_seconds", [("service", service.name.as_str())]);
    if let Some(left) = ctx.snapshot.value(&key) {
        lines.push(Phrase::new().dim("certificate ends in ").text(&format_value(left, Unit::Seconds)));
    }
    lines.push(Phrase::new());
    lines.push(Phrase::new().dim("share of time up, and how much of the span was observed"));
    for (span, share) in ["24 h", " 7 d", "30 d"].iter().zip(service.uptime) {
        lines.push(Phrase::new().dim(&format!("{span}  ")).join(&share_line(share)));
    }
    let named = ctx.snapshot.firing().filter(|a| a.key.label("service") == Some(service.name.as_str()));
    for alert in named {
        let (glyph, role) = alert_glyph(alert);
        lines.push(Phrase::new());
        lines.push(Phrase::new().bold(role, glyph).text(" ").bold(role, &alert.title));
        lines.push(Phrase::new().dim("why ").text(&alert.explanation.summary));
    }
    if service.maintenance {
        let mut line = Phrase::new().role(Role::Past, "in maintenance: nothing is alerted or counted");
        if let Some(window) = &service.window {
            line = line.dim(" until ").text(&at(window.until)).dim(&format!(" by {}", window.author));
            line = if window.comment.is_empty() { line } else { line.dim(": ").text(&window.comment) };
        }
        lines.push(line);
    }
    if service.discovered {
        lines.push(Phrase::new().dim("found by farol, not in the configuration"));
    }
    paragraphs(ctx.ink, buf, area, &lines);
}

fn share_line(share: Option<UptimeShare>) -> Phrase {
    match share {
        Some(s) => Phrase::new().text(&format!("{:>6.2}", s.up * 100.0)).dim(&format!("%  observed {:.0}%", s.observed * 100.0)),
        None => Phrase::new().dim("not observed"),
    }
}
