//! All alerts, and the chosen one opened: why, what moved with it, who was told, what to do.
//!
//! Invariant: the list keeps its place behind an opened alert.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::alert_detail;
use super::alert_rows::{self, counts};
use super::parts::{Slot, paragraphs};
use crate::base::format_value;
use crate::model::{Alert, AlertState};
use crate::ui::format::moment;
use crate::ui::pane::{Density, DrawContext, Pane, first_row};
use crate::ui::state::View;
use crate::ui::widgets::{Borders, Ground, Phrase, Role, text};

/// All alerts.
pub struct Alerts;

impl Pane for Alerts {
    fn view(&self) -> View {
        View::Alerts
    }

    fn draw(&self, ctx: &DrawContext, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if super::is_too_small(area) {
            return;
        }
        let lists = &ctx.state.lists;
        let chosen = lists.alert_row(ctx.snapshot, &ctx.state.selected);
        let alert = lists.alerts.get(chosen).and_then(|i| ctx.snapshot.alerts.get(*i));
        match alert.filter(|_| ctx.state.open) {
            Some(alert) => alert_detail::draw(ctx, buf, area, alert),
            None => list(ctx, buf, area, chosen),
        }
    }
}

fn list(ctx: &DrawContext, buf: &mut Buffer, area: Rect, chosen: usize) {
    let wide = ctx.density() != Density::Small;
    let len = ctx.state.lists.alerts.len();
    let room = area.height.saturating_sub(2);
    // What is chosen is told in full below the list.
    let below = if len == 0 || room < 12 { 0 } else { (room / 2).min(14) };
    let middle = area.bottom() - 1 - below;
    let mut lines = Borders::new(area);
    if wide {
        lines.around(area);
    } else {
        lines.across(area.y, area.x, area.right() - 1);
    }
    if below > 0 {
        lines.across(middle, area.x, area.right() - 1);
    }
    lines.draw(ctx.ink, buf);
    let slot = if wide {
        Slot { x0: area.x, x1: area.right() - 1, y0: area.y, y1: middle }
    } else {
        Slot { x0: area.x, x1: area.right(), y0: area.y, y1: middle }
    };
    let filter = match ctx.state.filter() {
        "" => Phrase::new().dim("/ filter"),
        words => Phrase::new().role(Role::Past, &format!("/ {words}")),
    };
    slot.title(
        ctx.ink,
        buf,
        &Phrase::new().strong("Alerts ").join(&counts(ctx.snapshot)),
        &[filter, Phrase::new().dim("worst first")],
    );
    let mut inner = slot.inner();
    if !wide {
        inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..inner };
    }
    if len == 0 {
        alert_rows::draw(ctx, buf, inner, alert_rows::Depth::Line);
        return;
    }
    let height = usize::from(inner.height);
    let first = first_row(chosen, height, len);
    let shown = ctx.state.lists.alerts.iter().enumerate().skip(first).take(height);
    for (y, (at, alert)) in (inner.y..).zip(shown.filter_map(|(at, i)| ctx.snapshot.alerts.get(*i).map(|a| (at, a)))) {
        let line = Rect { y, height: 1, ..inner };
        if at == chosen {
            let around = Rect { x: line.x - 1, width: line.width + 2, ..line };
            text::lay(ctx.ink, buf, around, Ground::Selected);
        }
        alert_rows::alert_line(ctx, buf, line, alert);
    }
    let alert = ctx.state.lists.alerts.get(chosen).and_then(|i| ctx.snapshot.alerts.get(*i));
    if let Some(alert) = alert.filter(|_| below > 0) {
        let slot = Slot { y0: middle, y1: area.bottom() - 1, ..slot };
        let open = Phrase::new().strong("Enter").dim(" opens");
        slot.title(ctx.ink, buf, &Phrase::new().strong(&alert.title), &[Phrase::new().dim("rule ").text(&alert.rule), open]);
        preview(ctx, buf, slot.inner(), alert);
    }
}

/// The chosen alert in short.
fn preview(ctx: &DrawContext, buf: &mut Buffer, area: Rect, alert: &Alert) {
    let at = |t| moment(t, ctx.snapshot.at, ctx.zone());
    let mut lines: Vec<Phrase> = Vec::new();
    if !alert.explanation.summary.is_empty() {
        lines.push(Phrase::new().strong(&alert.explanation.summary));
    }
    let value = Phrase::new()
        .dim("value ")
        .strong(&format_value(alert.value, alert.unit))
        .dim(", limit ")
        .text(&format_value(alert.limit, alert.unit));
    lines.push(alert.explanation.normal.iter().fold(value, |v, normal| v.dim(", ").text(normal)));
    let state = match alert.state {
        AlertState::Pending => "holds since ",
        AlertState::Firing => "fired ",
        AlertState::Resolved => "was over ",
    };
    let when = alert.resolved_at.or(alert.fired_at).unwrap_or(alert.since);
    lines.push(Phrase::new().dim(state).text(&at(when)).dim(" · ").join(&alert_rows::standing(ctx, alert)));
    lines.extend(alert.explanation.changes.iter().map(|change| Phrase::new().dim("before: ").text(change)));
    for culprit in &alert.explanation.processes {
        lines.push(Phrase::new().dim("process ").text(&culprit.name).dim(&format!(" pid {}", culprit.pid)));
    }
    paragraphs(ctx.ink, buf, area, &lines);
}
