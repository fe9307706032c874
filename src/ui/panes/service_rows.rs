//! Services in short: state, name, response, share of the last day, strip.
//!
//! Worst first. Invariant: a service that is not well is never among the ones left out.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{row, service_glyph};
use crate::base::Unit;
use crate::model::{ServiceState, ServiceStatus, Snapshot};
use crate::ui::pane::DrawContext;
use crate::ui::widgets::strip::strip;
use crate::ui::widgets::units::{Shown, Units};
use crate::ui::widgets::{Phrase, Role};

/// How long it took to answer, or why there is no answer: `184 ms`, `refused`.
pub fn response(service: &ServiceStatus) -> Phrase {
    let (_, role) = service_glyph(service.state);
    let calm = matches!(service.state, ServiceState::Online | ServiceState::Unknown);
    match service.response_seconds {
        Some(seconds) if service.state != ServiceState::Offline => {
            let Shown { factor, name: unit, .. } = Units::default().shown_in(Unit::Seconds, seconds);
            let text = crate::base::units::plain((seconds / factor).round());
            let number = if calm { Phrase::new().text(&text) } else { Phrase::new().bold(role, &text) };
            number.dim(&format!(" {unit}"))
        }
        _ if calm => Phrase::new().dim(if service.state == ServiceState::Unknown { "-" } else { "ok" }),
        _ => Phrase::new().bold(role, &short_reason(&service.message)),
    }
}

/// The reason in one or two words, for a column of eleven.
fn short_reason(message: &str) -> String {
    const KNOWN: [&str; 7] = ["refused", "timed out", "timeout", "unreachable", "certificate", "not found", "failed"];
    let lower = message.to_lowercase();
    let known = KNOWN.iter().find(|k| lower.contains(**k)).map(|k| (*k).to_owned());
    known.unwrap_or_else(|| if message.is_empty() { "down".to_owned() } else { message.chars().take(11).collect() })
}

/// `10 of 12 up`, with what is not.
pub fn up_title(snapshot: &Snapshot) -> Phrase {
    let up = snapshot.services.iter().filter(|s| s.state == ServiceState::Online).count();
    Phrase::new().strong("Services ").role(Role::Ok, &up.to_string()).dim(&format!(" of {} up", snapshot.services.len()))
}

/// A share of time: `97.15%`, whole ones dim.
pub fn uptime(service: &ServiceStatus, span: usize) -> Phrase {
    match service.uptime.get(span).copied().flatten() {
        Some(share) if share.up >= 0.999_95 => Phrase::new().dim("100.00%"),
        Some(share) => Phrase::new().text(&format!("{:.2}", (share.up * 100.0).min(99.99))).dim("%"),
        None => Phrase::new().dim("-"),
    }
}

/// What is left of the downtime its promise allows: `31%`, a dim dash without a promise.
pub fn budget(service: &ServiceStatus) -> Phrase {
    match service.slo.map(|slo| slo.left) {
        Some(Some(left)) => {
            let text = format!("{:.0}", left * 100.0);
            let role = budget_role(left);
            if role == Role::Ok { Phrase::new().text(&text) } else { Phrase::new().bold(role, &text) }.dim("%")
        }
        _ => Phrase::new().dim("-"),
    }
}

/// Half of a budget left is well; nothing left is not.
pub fn budget_role(left: f64) -> Role {
    match left {
        l if l <= 0.0 => Role::Crit,
        l if l < 0.5 => Role::Warn,
        _ => Role::Ok,
    }
}

/// Draws the list; the last row says how many are left out.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let services = &ctx.snapshot.services;
    if area.height == 0 || area.width < 12 {
        return;
    }
    if services.is_empty() {
        let empty = Phrase::new().dim("No service is checked. Add ").text("[[service]]").dim(" to the configuration.");
        empty.put(ctx.ink, buf, (area.x, area.y), area.right());
        return;
    }
    let height = usize::from(area.height);
    let shown = if services.len() > height { height.saturating_sub(1).max(1) } else { services.len() };
    for (i, service) in (0_u16..).zip(services.iter().take(shown)) {
        service_row(ctx, buf, row(area, i), service);
    }
    let rest = services.get(shown..).unwrap_or(&[]);
    if !rest.is_empty() && height > 1 {
        let bad = rest.iter().filter(|s| s.state != ServiceState::Online).count();
        let state = if bad == 0 { "all online".to_owned() } else { format!("{bad} not online") };
        let line = Phrase::new().dim(&format!("and {} more, {state}", rest.len()));
        line.put(ctx.ink, buf, (area.x + 2, area.y + shown as u16), area.right());
    }
}

fn service_row(ctx: &DrawContext, buf: &mut Buffer, line: Rect, service: &ServiceStatus) {
    let (glyph, role) = service_glyph(service.state);
    let (x, y, end) = (line.x, line.y, line.right());
    let calm = matches!(service.state, ServiceState::Online | ServiceState::Unknown);
    let name = Phrase::new().bold(role, glyph).text(" ");
    let name = if calm { name.text(&service.name) } else { name.bold(role, &service.name) };
    let answer = response(service);
    let right = (x + 25).min(end);
    let from = answer.put_right(ctx.ink, buf, (x, right), y);
    name.put(ctx.ink, buf, (x, y), from.saturating_sub(1).min(x + 17));
    if x + 33 <= end {
        uptime(service, 0).put_right(ctx.ink, buf, (right, x + 33), y);
    }
    let columns = end.saturating_sub(x + 35).min(24);
    if columns > 5 {
        strip(ctx.ink, buf, (x + 35, y), columns, &service.strip);
    }
}
