//! Charts of the chosen service: response time, where the time goes, what is left of its promise.
//!
//! Invariant: what was not fetched yet is said to be on its way, never drawn as nothing.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::limits::Limits;
use super::parts::{Slot, cells, paragraphs, row, service_glyph};
use super::service_rows::{budget, budget_role, response};
use super::trends::{GUTTER, chart_area, cursor, past_columns, time_scale};
use crate::base::{Unit, format_duration, units::plain};
use crate::model::{SeriesKey, ServiceStatus};
use crate::ui::charts::{Bin, ChartStore, Window};
use crate::ui::pane::{DrawContext, Target};
use crate::ui::state::{Focus, Subject};
use crate::ui::widgets::axis::Scale;
use crate::ui::widgets::chart::{Chart, Coloring, Trace};
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::units::Shown;
use crate::ui::widgets::{Phrase, Role};

/// The span a promise is about (`contracts`: 30 days).
const PROMISE: Duration = Duration::from_secs(30 * 86_400);

/// Series of its response time.
pub fn response_key(service: &ServiceStatus) -> SeriesKey {
    SeriesKey::new("service_check_seconds", [("service", service.name.as_str())])
}

/// What was fetched about it.
pub fn focus<'a>(ctx: &DrawContext<'a>, service: &ServiceStatus) -> Option<&'a Focus> {
    ctx.state.focus.as_ref().filter(|f| matches!(&f.subject, Subject::Service(name) if *name == service.name))
}

/// Its response time over the last hours, with limit, learned band and what is expected.
pub fn chart(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, service: &ServiceStatus) {
    let area = chart_area(slot, 0);
    let past = past_columns(ctx, area.width.saturating_sub(GUTTER));
    let (store, window) = store(ctx, service, past);
    let key = response_key(service);
    let bins = store.bins(&key, window);
    title(ctx, buf, slot, service, &bins);
    if area.height == 0 {
        return;
    }
    if bins.iter().all(Option::is_none) {
        Phrase::new().dim("no response times in this span").put(ctx.ink, buf, (area.x + 1, area.y), area.right());
        return;
    }
    let limits = Limits::of(ctx.snapshot, &key);
    let top = bins.iter().flatten().map(|b| b.max).fold(0.0, f64::max);
    // A limit far above everything seen would press the line flat.
    let line = limits.line.filter(|(limit, _)| *limit <= top * 3.0);
    let scale = Scale::rounded(ctx.units(), Unit::Seconds, top.max(line.map_or(0.0, |(l, _)| l)));
    let lines = Limits { line, ..limits }.lines(&scale, Unit::Seconds);
    let anomalies = ctx.snapshot.anomalies.iter().chain(store.anomalies(&key));
    let marks: Vec<_> = anomalies.filter(|a| a.key == key).map(|a| a.peak_at).collect();
    let cursor = cursor(ctx);
    let forecast = ctx.snapshot.forecast(&key).filter(|_| ctx.cursor().is_none()).map(|f| &**f);
    let trace = Trace { forecast, marks: &marks, ..Trace::plain(&bins, limits.coloring()) };
    let mut chart = Chart::labeled(trace, scale, time_scale(window, past), ctx.zone());
    (chart.limits, chart.band, chart.cursor) = (&lines, store.band(&key), cursor.as_ref());
    ctx.note(chart.plot(area), Target::Chart(chart.time));
    chart.draw(ctx.ink, buf, area);
}

/// Where the points are, and the window over them.
fn store<'a>(ctx: &DrawContext<'a>, service: &ServiceStatus, past: u16) -> (&'a ChartStore, Window) {
    match focus(ctx, service).filter(|_| ctx.cursor().is_none()) {
        Some(focus) => {
            let n = usize::from(past.max(1)) * 2;
            let bin = Duration::from_secs(focus.range.length().as_secs().div_ceil(n as u64).max(1));
            (&focus.charts, Window::ending(ctx.snapshot.at, bin, n))
        }
        None => (ctx.charts(), ctx.window(past)),
    }
}

fn title(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, service: &ServiceStatus, bins: &[Option<Bin>]) {
    let (glyph, role) = service_glyph(service.state);
    let name = if role == Role::Ok { Role::Strong } else { role };
    let left = Phrase::new().bold(role, glyph).text(" ").bold(name, &service.name).text(" ").join(&response(service));
    let left = left.dim(&format!(" {} {}", service.kind, service.target));
    let mut means: Vec<f64> = bins.iter().flatten().map(|b| b.mean).collect();
    means.sort_by(f64::total_cmp);
    let median = means.get(means.len() / 2).copied();
    let max = bins.iter().flatten().map(|b| b.max).max_by(f64::total_cmp);
    let mut percentiles = Phrase::new();
    if let (Some(median), Some(max)) = (median, max) {
        let Shown { factor, name: unit, .. } = ctx.units().shown_in(Unit::Seconds, max);
        for (word, value) in [("usually ", median), ("max ", max)] {
            let gap = if percentiles.is_empty() { "" } else { "  " };
            percentiles = percentiles.dim(gap).dim(word).text(&plain(value / factor));
        }
        percentiles = percentiles.dim(&format!(" {unit}"));
    }
    let keys = Phrase::new().strong("c").dim(" check now  ").strong("m").dim(" maintenance");
    slot.title(ctx.ink, buf, &left, &[percentiles, keys]);
}

/// The parts of the answer's time beside what they usually take.
pub fn phases(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, service: &ServiceStatus) {
    /// Parts in the order in which they happen, with their names for people.
    const ORDER: [(&str, &str); 5] =
        [("dns", "name lookup"), ("connect", "connect"), ("tls", "TLS"), ("first_byte", "first byte"), ("whole", "whole answer")];
    slot.title(
        ctx.ink,
        buf,
        &Phrase::new().strong("Where the time goes").dim(" ms"),
        &[Phrase::new().dim("now against usual of 2 h")],
    );
    let inner = slot.inner();
    let key = |phase: &str| SeriesKey::new("service_phase_seconds", [("service", service.name.as_str()), ("phase", phase)]);
    let now = |phase: &str| ctx.snapshot.value(&key(phase));
    let known: Vec<(&str, &str, f64)> =
        ORDER.into_iter().filter_map(|(phase, name)| now(phase).map(|seconds| (phase, name, seconds))).collect();
    let usual = |phase: &str| {
        let charts = &focus(ctx, service)?.charts;
        let window = Window::ending(ctx.snapshot.at, Duration::from_secs(60), 120);
        let mut all: Vec<f64> = charts.bins(&key(phase), window).iter().flatten().map(|b| b.mean).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    };
    let most = known.iter().map(|(_, _, s)| *s).fold(0.0, f64::max).max(1e-9);
    cells(
        ctx.ink,
        buf,
        Rect { width: inner.width.min(36), ..row(inner, 0) },
        &Phrase::new().dim("phase"),
        &[(0, Phrase::new().strong("now")), (11, Phrase::new().dim("usual"))],
    );
    for (i, (phase, name, seconds)) in (1_u16..).zip(&known) {
        let line = row(inner, i);
        if line.height == 0 {
            break;
        }
        let usual = usual(phase);
        // Twice as long and by more than a blink: that is where it waits.
        let is_slow = usual.is_some_and(|u| *seconds > 2.0 * u && *seconds - u > 0.02);
        let role = if is_slow { Role::Warn } else { Role::Strong };
        let label = if is_slow { Phrase::new().bold(role, name) } else { Phrase::new().text(name) };
        let shown = |s: f64| plain((s * 1000.0).round());
        let before = usual.map_or_else(|| Phrase::new().dim("-"), |u| Phrase::new().dim(&shown(u)));
        let figures = [(0, Phrase::new().bold(role, &shown(*seconds))), (11, before)];
        cells(ctx.ink, buf, Rect { width: inner.width.min(36), ..line }, &label, &figures);
        let wide = inner.width.saturating_sub(38);
        if wide > 8 {
            let bar = Meter {
                share: seconds / most,
                limit: usual.map(|u| u / most),
                role: if is_slow { role } else { Role::CalmFlow },
            };
            meter(ctx.ink, buf, (line.x + 38, line.y), wide, bar);
        }
    }
}

/// Rows of its phases with their head; 0 where a check takes its time as one.
pub fn phases_height(ctx: &DrawContext, service: &ServiceStatus) -> u16 {
    let own = ctx.snapshot.of("service_phase_seconds").filter(|r| r.key.label("service") == Some(service.name.as_str()));
    match own.count() {
        0 => 0,
        n => 1 + u16::try_from(n).unwrap_or(u16::MAX).min(5),
    }
}

/// What is left of the downtime its promise allows, over the last 30 days.
pub fn promise(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, service: &ServiceStatus) {
    let Some(slo) = service.slo else {
        slot.title(ctx.ink, buf, &Phrase::new().strong("SLO"), &[]);
        let said = [
            Phrase::new()
                .dim("No promise is made for this service. With ")
                .text("slo = \"99.9%\"")
                .dim(" in its ")
                .text("[[service]]"),
            Phrase::new().dim("farol counts the downtime that is left and warns when it is spent too fast."),
        ];
        return paragraphs(ctx.ink, buf, slot.inner(), &said);
    };
    let target = format!("SLO {}%", trimmed(slo.target * 100.0));
    let left = budget(service).dim(" of budget left");
    slot.title(ctx.ink, buf, &Phrase::new().strong(&target).dim(" in 30 d"), &[left]);
    let inner = slot.inner();
    let rows = inner.height.saturating_sub(3).max(inner.height / 2);
    let area = Rect { height: rows, ..chart_area(slot, 0) };
    let key = SeriesKey::new("service_error_budget_ratio", [("service", service.name.as_str())]);
    let plot = area.width.saturating_sub(GUTTER);
    let n = usize::from(plot.max(1)) * 2;
    let window = Window::ending(ctx.snapshot.at, PROMISE / u32::try_from(n).unwrap_or(1), n);
    let long = focus(ctx, service).map(|f| &f.long);
    let bins = long.map_or_else(Vec::new, |charts| charts.bins(&key, window));
    if bins.iter().any(Option::is_some) {
        let coloring = Coloring::Below { warn: Some(0.5), crit: Some(0.0) };
        let trace = Trace::plain(&bins, coloring);
        Chart::labeled(trace, Scale::SHARE, time_scale(window, plot), ctx.zone()).draw(ctx.ink, buf, area);
    } else {
        let words = if long.is_some() { "no record of it yet" } else { "its record is on its way" };
        Phrase::new().dim(words).put(ctx.ink, buf, (area.x + 1, area.y), area.right());
    }
    let rest = Rect { y: inner.y + rows, height: inner.height.saturating_sub(rows), ..inner };
    paragraphs(ctx.ink, buf, rest, &spent(&slo));
}

/// How much downtime was spent, how fast, and for how long it lasts at that rate.
pub fn spent(slo: &crate::model::SloStanding) -> Vec<Phrase> {
    let allowed = PROMISE.mul_f64((1.0 - slo.target).clamp(0.0, 1.0));
    let Some(left) = slo.left else { return vec![Phrase::new().dim("not observed yet")] };
    let spent = allowed.mul_f64((1.0 - left).max(0.0));
    let line = Phrase::new().dim("spent ").text(&format_duration(spent)).dim(" of ").text(&format_duration(allowed));
    let mut said = vec![line];
    if let Some(burn) = slo.burn {
        let role = if burn > 1.0 { Role::Warn } else { Role::Ok };
        let speed = Phrase::new().dim("in the last two hours ").bold(role, &format!("×{}", trimmed(burn)));
        said.push(speed.dim(if burn > 1.0 { " of what the promise allows" } else { " of what is allowed: the promise is kept" }));
        if burn > 1.0 && left > 0.0 {
            let until = PROMISE.mul_f64((left / burn).min(1.0));
            said.push(Phrase::new().dim("at this rate spent in ").bold(budget_role(left), &format_duration(until)));
        }
    }
    said
}

/// A number without decimals it does not need: `99.9`, `99.95`, `100`.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
