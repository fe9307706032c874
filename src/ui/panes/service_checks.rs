//! The last checks of the chosen service, one by one: when, what was found, how long it took.
//!
//! Invariant: only what checks said; of the past nothing is shown, for single checks are not kept.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{Slot, cells, service_glyph};
use super::service_detail::focus;
use crate::base::Unit;
use crate::model::{PastCheck, ServiceState, ServiceStatus};
use crate::ui::format::time_seconds;
use crate::ui::pane::DrawContext;
use crate::ui::widgets::{Phrase, Role};

/// Draws them in a pane of their own.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, service: &ServiceStatus) {
    slot.title(ctx.ink, buf, &Phrase::new().strong("Last checks"), &[count(ctx, service)]);
    let inner = slot.inner();
    if rows(ctx, buf, inner, service) == 0 && inner.height > 0 {
        let word = match (ctx.cursor(), service.discovered) {
            (Some(_), _) => "single checks of the past are not kept",
            (None, true) => "only seen to run: it has no check of its own",
            (None, false) => "none yet",
        };
        Phrase::new().dim(word).put(ctx.ink, buf, (inner.x, inner.y), inner.right());
    }
}

/// The checks that are known, newest first.
fn known<'a>(ctx: &DrawContext<'a>, service: &ServiceStatus) -> &'a [PastCheck] {
    focus(ctx, service).filter(|_| ctx.cursor().is_none()).map_or(&[], |f| &f.checks.1)
}

/// `17 of 20 well`.
fn count(ctx: &DrawContext, service: &ServiceStatus) -> Phrase {
    let checks = known(ctx, service);
    let well = checks.iter().filter(|c| c.state == ServiceState::Online).count();
    if checks.is_empty() {
        return Phrase::new();
    }
    Phrase::new().text(&well.to_string()).dim(&format!(" of {} well", checks.len()))
}

/// Writes as many as fit; gives how many there were.
fn rows(ctx: &DrawContext, buf: &mut Buffer, area: Rect, service: &ServiceStatus) -> usize {
    let checks = known(ctx, service);
    for (y, check) in (area.y..area.bottom()).zip(checks) {
        let (glyph, role) = service_glyph(check.state);
        let line = Phrase::new().bold(role, glyph).dim(&format!(" {}  ", time_seconds(check.at, ctx.zone())));
        let line = if check.state == ServiceState::Online { line.dim(&check.message) } else { line.role(role, &check.message) };
        let took = match check.response_seconds {
            Some(seconds) => ctx.quantity(if role == Role::Ok { Role::Text } else { role }, seconds, Unit::Seconds),
            None => Phrase::new().dim("-"),
        };
        cells(ctx.ink, buf, Rect { y, height: 1, ..area }, &line, &[(0, took)]);
    }
    checks.len()
}
