//! The overview: four charts, services, alerts, predictions, processes, as the layout says.
//!
//! Where not all of them have room there is a row for each instead. Invariant: something is wrong means it is seen here
//! without a key.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::alert_rows::{self, Depth};
use super::parts::Slot;
use super::process_table::Table;
use super::{overview_small, page, prediction_rows};
use crate::ui::pane::{Density, DrawContext, Pane, first_row};
use crate::ui::state::View;
use crate::ui::widgets::Phrase;

/// Everything at a glance.
pub struct Overview;

impl Pane for Overview {
    fn view(&self) -> View {
        View::Overview
    }

    fn draw(&self, ctx: &DrawContext, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let is_own = ctx.state.layout_at == 0 && ctx.state.enlarged.is_none();
        if is_own && (ctx.density() == Density::Small || !page::is_whole(ctx.state, ctx.snapshot, area)) {
            return overview_small::draw(ctx, area, buf);
        }
        page::draw(ctx, area, buf);
    }
}

/// Alerts and predictions in one pane.
pub fn concerns(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let s = ctx.snapshot;
    let alerts = Phrase::new().strong("Alerts ").join(&alert_rows::counts(s));
    let predictions = Phrase::new().strong("Predictions ").dim(&prediction_rows::open(s).to_string());
    slot.title(ctx.ink, buf, &alerts.text("   ").join(&predictions), &[]);
    both_lists(ctx, buf, slot.inner());
}

/// Alerts, then predictions, one row each; both keep at least half where they need it.
fn both_lists(ctx: &DrawContext, buf: &mut Buffer, inner: Rect) {
    let open = u16::try_from(prediction_rows::open(ctx.snapshot)).unwrap_or(u16::MAX);
    let alerts = u16::try_from(ctx.state.lists.alerts.len()).unwrap_or(u16::MAX).max(1);
    let height = alerts.min(inner.height.saturating_sub(open.min(inner.height / 2)));
    let used = alert_rows::draw(ctx, buf, Rect { height, ..inner }, Depth::Line);
    let rest = Rect { y: inner.y + used, height: inner.height - used, ..inner };
    if open > 0 {
        prediction_rows::draw(ctx, buf, rest, Depth::Line);
    }
}

/// The processes, around the chosen one.
pub fn processes(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let inner = slot.inner();
    let lists = &ctx.state.lists;
    let height = usize::from(inner.height.saturating_sub(1));
    let first = first_row(lists.process_row(ctx.snapshot, &ctx.state.selected), height, lists.processes.len());
    let last = (first + height).min(lists.processes.len());
    let title = Phrase::new().strong("Processes ").dim(&ctx.snapshot.processes.len().to_string());
    let filter = ctx.state.filter();
    let filter = if filter.is_empty() {
        Phrase::new().dim("/ filter")
    } else {
        Phrase::new().role(crate::ui::widgets::Role::Past, &format!("/ {filter}"))
    };
    let range = if last > first { format!("{}–{last}", first + 1) } else { "none".to_owned() };
    slot.title(ctx.ink, buf, &title, &[Phrase::new().dim("100% = one core"), filter, Phrase::new().dim(&range)]);
    if let Some(table) = Table::new(ctx, inner) {
        table.heads(buf, inner.y);
        table.rows(buf, inner.y + 1, first..last);
    }
}
