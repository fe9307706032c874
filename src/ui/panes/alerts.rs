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
use crate::ui::lists::Standing;
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
        let alert = lists.alerts.get(chosen).and_then(|i| lists.alert(ctx.snapshot, *i));
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
    rows(ctx, buf, inner, chosen);
    let alert = ctx.state.lists.alerts.get(chosen).and_then(|i| ctx.state.lists.alert(ctx.snapshot, *i));
    if let Some(alert) = alert.filter(|_| below > 0) {
        let slot = Slot { y0: middle, y1: area.bottom() - 1, ..slot };
        let open = Phrase::new().strong("Enter").dim(" opens");
        slot.title(ctx.ink, buf, &Phrase::new().strong(&alert.title), &[Phrase::new().dim("rule ").text(&alert.rule), open]);
        preview(ctx, buf, slot.inner(), alert);
    }
}

/// One row of the list.
enum Row {
    /// Where those below it stand, and how many they are.
    Head(Standing, usize),
    /// An alert, by its row of the list.
    Alert(usize),
}

/// Alerts below heads that say where they stand, around the chosen one.
fn rows(ctx: &DrawContext, buf: &mut Buffer, area: Rect, chosen: usize) {
    let lists = &ctx.state.lists;
    let alert = |at: usize| lists.alerts.get(at).and_then(|i| lists.alert(ctx.snapshot, *i));
    let standings: Vec<Standing> = (0..lists.alerts.len()).filter_map(alert).map(|a| Standing::of(a)).collect();
    let mut all = Vec::with_capacity(standings.len() + 4);
    for (at, standing) in standings.iter().enumerate() {
        if at == 0 || standings[at - 1] != *standing {
            all.push(Row::Head(*standing, standings.iter().filter(|s| *s == standing).count()));
        }
        all.push(Row::Alert(at));
    }
    let place = all.iter().position(|row| matches!(row, Row::Alert(at) if *at == chosen)).unwrap_or(0);
    let first = first_row(place, usize::from(area.height), all.len());
    for (y, row) in (area.y..area.bottom()).zip(all.iter().skip(first)) {
        let line = Rect { y, height: 1, ..area };
        match row {
            Row::Head(standing, count) => {
                Phrase::new().dim(&format!("{} {count}", standing.name())).put(ctx.ink, buf, (line.x, y), line.right());
            }
            Row::Alert(at) => {
                if *at == chosen {
                    let around = Rect { x: line.x - 1, width: line.width + 2, ..line };
                    text::lay(ctx.ink, buf, around, Ground::Selected);
                }
                if let Some(alert) = alert(*at) {
                    alert_rows::alert_line(ctx, buf, line, alert);
                }
            }
        }
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
    let e = &alert.explanation;
    lines.extend(e.processes.iter().map(|culprit| Phrase::new().dim("process ").text(&culprit.text(e.resource))));
    lines.extend(e.correlated.iter().map(|one| Phrase::new().dim("moved with it ").text(&one.text())));
    paragraphs(ctx.ink, buf, area, &lines);
}
