//! All services as a list or a grid, and the chosen one in full: response time, phases, promise, outages.
//!
//! Only places the panes; each draws itself. Invariant: worst first, and the chosen one is always on the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::Slot;
use super::service_rows::up_title;
use super::{service_detail, service_facts, service_grid, service_list};
use crate::model::{ServiceState, ServiceStatus};
use crate::ui::pane::{Density, DrawContext, Pane};
use crate::ui::state::View;
use crate::ui::widgets::{Borders, Phrase, Role};

/// Rows below which the chosen one is not told in full.
const DETAIL: u16 = 14;

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
        let wide = ctx.density() != Density::Small;
        let middle = area.bottom() - 1 - detail_rows(ctx, area);
        let service = ctx.state.chosen_service().filter(|_| middle < area.bottom() - 1);
        let mut lines = Borders::new(area);
        if wide {
            lines.around(area);
        } else {
            lines.across(area.y, area.x, area.right() - 1);
        }
        let whole = Slot { x0: area.x, x1: area.right() - u16::from(wide), y0: area.y, y1: middle };
        let plan = service.map(|_| Detail::plan(Slot { y0: middle, y1: area.bottom() - 1, ..whole }, &mut lines, ctx));
        lines.draw(ctx.ink, buf);
        top(ctx, buf, whole);
        if let (Some(service), Some(plan)) = (service, plan) {
            plan.draw(ctx, buf, service);
        }
    }
}

/// Rows for the chosen one: the list takes what it needs, at most half.
fn detail_rows(ctx: &DrawContext, area: Rect) -> u16 {
    let room = area.height - 2;
    let len = ctx.state.lists.services.len();
    if room < DETAIL || len == 0 {
        return 0;
    }
    let needed = if ctx.state.grid { service_grid::height(len, area.width - 4) } else { len + 1 };
    let needed = u16::try_from(needed).unwrap_or(u16::MAX);
    room - needed.min(if ctx.density() == Density::Small { room * 3 / 5 } else { room / 2 })
}

fn top(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let filter = match ctx.state.filter() {
        "" => Phrase::new(),
        words => Phrase::new().role(Role::Past, &format!("/ {words}")),
    };
    let legend = Phrase::new().dim("last 24 h: ").role(Role::CalmOk, "▁").dim(" online ").role(Role::Warn, "▄").dim(" degraded ");
    let legend = legend.role(Role::Crit, "█").dim(" down");
    slot.title(ctx.ink, buf, &title(ctx), &[Phrase::new().dim("worst first"), legend, filter]);
    let inner = slot.inner();
    if ctx.state.lists.services.is_empty() {
        return empty(ctx, buf, inner);
    }
    if ctx.state.grid { service_grid::draw(ctx, buf, inner) } else { service_list::draw(ctx, buf, inner) }
}

fn empty(ctx: &DrawContext, buf: &mut Buffer, inner: Rect) {
    let words = if ctx.snapshot.services.is_empty() {
        Phrase::new()
            .dim("No service is checked. Add ")
            .text("[[service]]")
            .dim(" with name, type and url, address or unit to the configuration.")
    } else {
        Phrase::new().dim("no service matches; Esc shows all again")
    };
    super::parts::paragraphs(ctx.ink, buf, inner, &[words]);
}

fn title(ctx: &DrawContext) -> Phrase {
    let count = |state| ctx.snapshot.services.iter().filter(|s| s.state == state).count();
    let states = [(ServiceState::Degraded, "degraded"), (ServiceState::Offline, "down"), (ServiceState::Unknown, "unknown")];
    states
        .into_iter()
        .map(|(state, word)| (count(state), word))
        .filter(|(n, _)| *n > 0)
        .fold(up_title(ctx.snapshot), |title, (n, word)| title.dim(&format!(" · {n} {word}")))
}

/// Places of the lower half.
enum Detail {
    /// Chart, and below it two lines.
    Short(Slot),
    /// Chart, and everything else beside it.
    Beside { chart: Slot, facts: Slot },
    /// Six panes.
    Full { chart: Slot, phases: Slot, links: Slot, promise: Slot, now: Slot, outages: Slot },
}

impl Detail {
    fn plan(slot: Slot, lines: &mut Borders, ctx: &DrawContext) -> Self {
        let Slot { x0, x1, y0, y1 } = slot;
        lines.across(y0, x0, if ctx.density() == Density::Small { x1 - 1 } else { x1 });
        let height = y1 - y0;
        if ctx.density() == Density::Small {
            return Self::Short(slot);
        }
        if ctx.density() == Density::Medium || height < 20 {
            let middle = x0 + (x1 - x0) * 11 / 20;
            lines.down(middle, y0, y1);
            return Self::Beside { chart: Slot { x1: middle, ..slot }, facts: Slot { x0: middle, ..slot } };
        }
        let middle = x0 + (x1 - x0) * 124 / 200;
        let (phases, links) = (y1 - height * 14 / 32, y1 - height * 7 / 32);
        let (now, outages) = (y0 + height * 12 / 32, y0 + height * 22 / 32);
        lines.down(middle, y0, y1).across(phases, x0, middle).across(links, x0, middle);
        lines.across(now, middle, x1).across(outages, middle, x1);
        let left = |y0, y1| Slot { x0, x1: middle, y0, y1 };
        let right = |y0, y1| Slot { x0: middle, x1, y0, y1 };
        Self::Full {
            chart: left(y0, phases),
            phases: left(phases, links),
            links: left(links, y1),
            promise: right(y0, now),
            now: right(now, outages),
            outages: right(outages, y1),
        }
    }

    fn draw(self, ctx: &DrawContext, buf: &mut Buffer, service: &ServiceStatus) {
        match self {
            Self::Short(slot) => {
                let rows = (slot.y1 - slot.y0).saturating_sub(2).min(3);
                service_detail::chart(ctx, buf, Slot { y1: slot.y1 + 1 - rows, ..slot }, service);
                let inner = slot.inner();
                let y = slot.y1 + 1 - rows;
                service_facts::in_short(ctx, buf, Rect { y, height: rows, ..inner }, service);
            }
            Self::Beside { chart, facts } => {
                service_detail::chart(ctx, buf, chart, service);
                service_facts::all(ctx, buf, facts, service);
            }
            Self::Full { chart, phases, links, promise, now, outages } => {
                service_detail::chart(ctx, buf, chart, service);
                service_detail::phases(ctx, buf, phases, service);
                service_facts::links(ctx, buf, links, service);
                service_detail::promise(ctx, buf, promise, service);
                service_facts::now(ctx, buf, now, service);
                service_facts::outages(ctx, buf, outages, service);
            }
        }
    }
}
