//! The overview: four charts, services, alerts, predictions, processes.
//!
//! Rows that are missing are taken from the processes first, then from the lists, then from the charts.
//! Invariant: something is wrong means it is seen here without a key.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::alert_rows::{self, Depth};
use super::parts::{Slot, split_right};
use super::process_table::Table;
use super::{facts, overview_small, prediction_rows, service_rows, trends};
use crate::ui::pane::{Density, DrawContext, Pane, first_row};
use crate::ui::state::View;
use crate::ui::widgets::{Borders, Phrase};

/// Everything at a glance.
pub struct Overview;

impl Pane for Overview {
    fn view(&self) -> View {
        View::Overview
    }

    fn draw(&self, ctx: &DrawContext, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let Some(rows) = Rows::of(area, ctx.density()) else { return overview_small::draw(ctx, area, buf) };
        let plan = Plan::new(area, rows, ctx.density());
        plan.borders(ctx, buf);
        let facts = if ctx.density() == Density::Large { trends::FACTS } else { 0 };
        trends::cpu(ctx, buf, plan.cpu, facts);
        trends::memory(ctx, buf, plan.memory, facts);
        trends::network(ctx, buf, plan.network, facts);
        trends::disk(ctx, buf, plan.disk, facts);
        if facts > 0 {
            let beside = |slot: Slot| split_right(slot.inner(), facts).1;
            facts::cpu(ctx, buf, beside(plan.cpu));
            facts::memory(ctx, buf, beside(plan.memory));
            facts::network(ctx, buf, beside(plan.network));
            facts::disk(ctx, buf, beside(plan.disk));
        }
        plan.lists(ctx, buf);
        processes(ctx, buf, plan.processes);
    }
}

/// Rows between the border lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rows {
    upper: u16,
    lower: u16,
    lists: u16,
}

impl Rows {
    /// Rows for a body that high; `None` where charts do not fit: one-row meters then.
    fn of(area: Rect, density: Density) -> Option<Self> {
        if density == Density::Small || area.width < 100 {
            return None;
        }
        // Five lines of border; at least eight processes and their heads.
        let room = area.height.checked_sub(5 + 9)?;
        let full = if density == Density::Large {
            Self { upper: 11, lower: 9, lists: 9 }
        } else {
            Self { upper: 8, lower: 7, lists: 8 }
        };
        let mut rows = full;
        while rows.upper + rows.lower + rows.lists > room {
            if rows.lists > 4 {
                rows.lists -= 1;
            } else if rows.upper > rows.lower {
                rows.upper -= 1;
            } else if rows.lower > 6 {
                rows.lower -= 1;
            } else if rows.upper > 6 {
                rows.upper -= 1;
            } else {
                return None;
            }
        }
        Some(rows)
    }
}

/// Places of all panes.
struct Plan {
    area: Rect,
    cpu: Slot,
    memory: Slot,
    network: Slot,
    disk: Slot,
    lists: Vec<Slot>,
    processes: Slot,
}

impl Plan {
    fn new(area: Rect, rows: Rows, density: Density) -> Self {
        let (x0, x1) = (area.x, area.right() - 1);
        let mid = area.x + area.width / 2;
        let a = area.y + rows.upper + 1;
        let b = a + rows.lower + 1;
        let c = b + rows.lists + 1;
        let end = area.bottom() - 1;
        let slot = |x0, x1, y0, y1| Slot { x0, x1, y0, y1 };
        let cuts: Vec<u16> = match density {
            Density::Large => vec![x0, x0 + area.width * 63 / 200, x0 + area.width * 134 / 200, x1],
            _ => vec![x0, x0 + area.width * 66 / 120, x1],
        };
        Self {
            area,
            cpu: slot(x0, mid, area.y, a),
            memory: slot(mid, x1, area.y, a),
            network: slot(x0, mid, a, b),
            disk: slot(mid, x1, a, b),
            lists: cuts.iter().zip(cuts.iter().skip(1)).map(|(l, r)| slot(*l, *r, b, c)).collect(),
            processes: slot(x0, x1, c, end),
        }
    }

    fn borders(&self, ctx: &DrawContext, buf: &mut Buffer) {
        let mut lines = Borders::new(self.area);
        lines.around(self.area);
        for y in [self.network.y0, self.network.y1, self.processes.y0] {
            lines.across(y, self.area.x, self.area.right() - 1);
        }
        lines.down(self.cpu.x1, self.area.y, self.network.y1);
        for list in self.lists.iter().skip(1) {
            lines.down(list.x0, list.y0, list.y1);
        }
        lines.draw(ctx.ink, buf);
    }

    fn lists(&self, ctx: &DrawContext, buf: &mut Buffer) {
        let s = ctx.snapshot;
        let alerts = Phrase::new().strong("Alerts ").join(&alert_rows::counts(s));
        let predictions = Phrase::new().strong("Predictions ").dim(&prediction_rows::open(s).to_string());
        match self.lists.as_slice() {
            [services, middle, last] => {
                services.title(ctx.ink, buf, &service_rows::up_title(s), &[Phrase::new().dim("last 24 h")]);
                service_rows::draw(ctx, buf, services.inner());
                middle.title(ctx.ink, buf, &alerts, &[]);
                alert_rows::draw(ctx, buf, middle.inner(), Depth::Why);
                last.title(ctx.ink, buf, &predictions, &[prediction_rows::record(s)]);
                prediction_rows::draw(ctx, buf, last.inner(), Depth::Why);
            }
            [both, services] => {
                both.title(ctx.ink, buf, &alerts.text("   ").join(&predictions), &[]);
                both_lists(ctx, buf, both.inner());
                services.title(ctx.ink, buf, &service_rows::up_title(s), &[Phrase::new().dim("24 h")]);
                service_rows::draw(ctx, buf, services.inner());
            }
            _ => {}
        }
    }
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
fn processes(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
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
