//! What is said of the chosen service: its state, when it was down.
//!
//! Invariant: only what checks, alerts and the configuration say; nothing is guessed here.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{Slot, alert_glyph, cells, paragraphs, service_glyph};
use super::service_detail::spent;
use super::service_links;
use super::service_rows::budget;
use crate::base::{Unit, format_duration};
use crate::model::{Alert, SeriesKey, ServiceState, ServiceStatus, UptimeShare};
use crate::ui::format::{moment, time_or_date, time_seconds};
use crate::ui::pane::DrawContext;
use crate::ui::widgets::{Phrase, Role};

/// Everything in one pane.
pub fn all(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, service: &ServiceStatus) {
    let left = service.slo.map_or_else(Phrase::new, |_| budget(service).dim(" of budget left"));
    slot.title(ctx.ink, buf, &Phrase::new().strong("State"), &[left]);
    let mut lines = state(ctx, service);
    if let Some(slo) = &service.slo {
        lines.push(Phrase::new());
        lines.extend(spent(slo));
    }
    let links = service_links::lines(ctx.snapshot, service);
    if !links.is_empty() {
        lines.push(Phrase::new());
        lines.extend(links);
    }
    let inner = slot.inner();
    paragraphs(ctx.ink, buf, inner, &lines);
    let used = u16::try_from(wrapped(&lines, inner.width) + 1).unwrap_or(u16::MAX).min(inner.height);
    outage_rows(ctx, buf, Rect { y: inner.y + used, height: inner.height - used, ..inner }, service);
}

/// Rows of lines where what is too long goes on below.
fn wrapped(lines: &[Phrase], width: u16) -> usize {
    lines.iter().map(|l| l.wrap(width).len()).sum()
}

/// Rows of its state in a pane of that width.
pub fn height(ctx: &DrawContext, service: &ServiceStatus, width: u16) -> u16 {
    u16::try_from(wrapped(&state(ctx, service), width)).unwrap_or(u16::MAX)
}

/// Three lines for a small screen.
pub fn in_short(ctx: &DrawContext, buf: &mut Buffer, area: Rect, service: &ServiceStatus) {
    let mut first = word(ctx, service);
    if !service.message.is_empty() {
        first = first.dim(" · says ").text(&service.message);
    }
    let mut second = Phrase::new();
    for (name, share) in ["24 h ", "  7 d ", "  30 d "].iter().zip(service.uptime) {
        second = second.dim(name).join(
            &share.map_or_else(|| Phrase::new().dim("-"), |s| Phrase::new().text(&format!("{:.2}", s.up * 100.0)).dim("%")),
        );
    }
    let third = service.slo.map_or_else(
        || Phrase::new().dim("no promise (slo) is made for it"),
        |slo| spent(&slo).into_iter().fold(budget(service).dim(" of budget left"), |all, part| all.dim(" · ").join(&part)),
    );
    for (y, line) in (area.y..area.bottom()).zip([first, second, third]) {
        line.put(ctx.ink, buf, (area.x, y), area.right());
    }
}

/// `down since 21:52:27, 42 min`.
fn word(ctx: &DrawContext, service: &ServiceStatus) -> Phrase {
    let (_, role) = service_glyph(service.state);
    let word = match service.state {
        ServiceState::Online => "online",
        ServiceState::Degraded => "degraded",
        ServiceState::Offline => "down",
        ServiceState::Unknown => "not known",
    };
    let state = Phrase::new().bold(role, word);
    match service.since {
        Some(since) => {
            let at = moment(since, ctx.snapshot.at, ctx.zone());
            state.dim(" since ").text(&at).dim(&format!(", {}", format_duration(ctx.snapshot.at.since(since))))
        }
        None => state,
    }
}

/// State, last check, shares of uptime, alerts, maintenance.
pub fn now(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, service: &ServiceStatus) {
    slot.title(ctx.ink, buf, &Phrase::new().strong("State"), &[Phrase::new().dim("share of time up")]);
    paragraphs(ctx.ink, buf, slot.inner(), &state(ctx, service));
}

fn state(ctx: &DrawContext, service: &ServiceStatus) -> Vec<Phrase> {
    let mut lines = vec![word(ctx, service)];
    if !service.message.is_empty() {
        lines.push(Phrase::new().dim("says ").text(&service.message));
    }
    if let Some(last) = service.last_check {
        let mut line = Phrase::new().dim("checked ").text(&time_seconds(last, ctx.zone()));
        if service.failures > 0 && service.fail_after > 0 {
            let failed = format!("{} failed in a row", service.failures);
            line = line.dim(" · ").role(Role::Warn, &failed).dim(&format!(", down from {}", service.fail_after));
        }
        lines.push(line);
    }
    let key = SeriesKey::new("service_certificate_expiry_seconds", [("service", service.name.as_str())]);
    if let Some(left) = ctx.snapshot.value(&key) {
        // Two weeks are what an automatic renewal leaves at worst.
        let role = if left < 14.0 * 86_400.0 { Role::Warn } else { Role::Text };
        lines.push(Phrase::new().dim("certificate ends in ").role(role, &ctx.value(left, Unit::Seconds)));
    }
    for (span, share) in ["24 h", " 7 d", "30 d"].iter().zip(service.uptime) {
        lines.push(Phrase::new().dim(&format!("{span}  ")).join(&share_line(share)));
    }
    for alert in ctx.snapshot.firing().filter(|a| a.key.label("service") == Some(service.name.as_str())) {
        let (glyph, role) = alert_glyph(alert);
        let line = Phrase::new().bold(role, glyph).text(" ").bold(role, &alert.title);
        lines.push(alert.explanation.beyond(&alert.title).iter().fold(line, |l, why| l.dim(" why ").text(why)));
    }
    if service.maintenance {
        let mut line = Phrase::new().role(Role::Past, "in maintenance: nothing is alerted or counted");
        if let Some(window) = &service.window {
            let until = moment(window.until, ctx.snapshot.at, ctx.zone());
            line = line.dim(" until ").text(&until).dim(&format!(" by {}", window.author));
            line = if window.comment.is_empty() { line } else { line.dim(": ").text(&window.comment) };
        }
        lines.push(line);
    }
    if service.discovered {
        lines.push(Phrase::new().dim("found by farol, not in the configuration"));
    }
    lines
}

fn share_line(share: Option<UptimeShare>) -> Phrase {
    match share {
        Some(s) => Phrase::new().text(&format!("{:>6.2}", s.up * 100.0)).dim(&format!("%  observed {:.0}%", s.observed * 100.0)),
        None => Phrase::new().dim("not observed"),
    }
}

/// Its alerts of the last 30 days, newest first.
pub fn outages(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, service: &ServiceStatus) {
    slot.title(ctx.ink, buf, &Phrase::new().strong("Outages and slow times").dim(" 30 d"), &[Phrase::new().dim("lasted")]);
    let inner = slot.inner();
    if outage_rows(ctx, buf, inner, service) == 0 && inner.height > 0 {
        Phrase::new().role(Role::Ok, "● ").dim("none").put(ctx.ink, buf, (inner.x, inner.y), inner.right());
    }
}

/// Its alerts that are known, newest first.
pub fn alerts<'a>(ctx: &DrawContext<'a>, service: &'a ServiceStatus) -> impl Iterator<Item = &'a Arc<Alert>> {
    let is_own = |a: &&Arc<Alert>| a.key.label("service") == Some(service.name.as_str()) && a.fired_at.is_some();
    ctx.snapshot.alerts.iter().chain(ctx.state.older.iter()).filter(is_own)
}

fn outage_rows(ctx: &DrawContext, buf: &mut Buffer, area: Rect, service: &ServiceStatus) -> usize {
    let mut n = 0;
    for (y, alert) in (area.y..area.bottom()).zip(alerts(ctx, service)) {
        n += 1;
        let (glyph, role) = alert_glyph(alert);
        let began = alert.fired_at.unwrap_or(alert.since);
        let ended = alert.resolved_at.unwrap_or(ctx.snapshot.at);
        let name = Phrase::new().bold(role, glyph).dim(&format!(" {:>6} ", time_or_date(began, ctx.snapshot.at, ctx.zone())));
        let name = if alert.resolved_at.is_some() { name.text(&alert.title) } else { name.bold(role, &alert.title).dim(" now") };
        let lasted = Phrase::new().text(&format_duration(ended.since(began)));
        cells(ctx.ink, buf, Rect { y, height: 1, ..area }, &name, &[(0, lasted)]);
    }
    n
}
