//! All services as a list or a grid, and the chosen one in full: response time, phases, promise, outages.
//!
//! Only places the panes; each draws itself. Invariant: worst first, and the chosen one is always on the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{Slot, filter};
use super::service_rows::up_title;
use super::{service_checks, service_detail, service_facts, service_grid, service_links, service_list};
use crate::model::{ServiceState, ServiceStatus};
use crate::ui::pane::{Density, DrawContext, Pane};
use crate::ui::state::View;
use crate::ui::widgets::{Borders, Phrase, Role};

/// Rows below which the chosen one is not told in full.
const DETAIL: u16 = 14;
/// Rows of the last checks below a chart, with the border.
const CHECKS: u16 = 8;

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
        let plan = service.map(|s| Detail::plan(Slot { y0: middle, y1: area.bottom() - 1, ..whole }, &mut lines, ctx, s));
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
    let legend = Phrase::new().dim("last 24 h: ").role(Role::CalmOk, "▁").dim(" online ").role(Role::Warn, "▄").dim(" degraded ");
    let legend = legend.role(Role::Crit, "█").dim(" down");
    slot.title(ctx.ink, buf, &title(ctx), &[Phrase::new().dim("worst first"), legend, filter(ctx)]);
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
    /// Chart with the last checks below it, and everything else beside them.
    Beside { chart: Slot, checks: Option<Slot>, facts: Slot },
    /// Seven panes; those with nothing to say give their rows away.
    Full { chart: Slot, phases: Option<Slot>, links: Slot, promise: Slot, now: Slot, checks: Slot, outages: Slot },
}

impl Detail {
    fn plan(slot: Slot, lines: &mut Borders, ctx: &DrawContext, service: &ServiceStatus) -> Self {
        let Slot { x0, x1, y0, y1 } = slot;
        lines.across(y0, x0, if ctx.density() == Density::Small { x1 - 1 } else { x1 });
        let height = y1 - y0;
        if ctx.density() == Density::Small {
            return Self::Short(slot);
        }
        if ctx.density() == Density::Medium || height < 20 {
            let middle = x0 + (x1 - x0) * 11 / 20;
            lines.down(middle, y0, y1);
            let left = Slot { x1: middle, ..slot };
            let facts = Slot { x0: middle, ..slot };
            if height < CHECKS * 2 {
                return Self::Beside { chart: left, checks: None, facts };
            }
            let cut = y1 - CHECKS;
            lines.across(cut, x0, middle);
            return Self::Beside { chart: Slot { y1: cut, ..left }, checks: Some(Slot { y0: cut, ..left }), facts };
        }
        Self::full(slot, lines, ctx, service)
    }

    /// Chart, phases and links at the left; promise, state, checks and outages at the right, each as high as what it says.
    fn full(slot: Slot, lines: &mut Borders, ctx: &DrawContext, service: &ServiceStatus) -> Self {
        let Slot { x0, x1, y0, y1 } = slot;
        let (height, middle) = (y1 - y0, x0 + (x1 - x0) * 124 / 200);
        let wide = x1.saturating_sub(middle + 3);
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let links = y1 - (1 + count(service_links::lines(ctx.snapshot, service).len()).max(2)).min(height / 3);
        let phases = match service_detail::phases_height(ctx, service) {
            0 => links,
            rows => links - (1 + rows).min(height / 4),
        };
        let now = y0 + if service.slo.is_some() { height * 10 / 32 } else { 4 };
        let checks = service_facts::height(ctx, service, wide).saturating_add(now + 1).min(y1 - 6);
        let outages = y1 - (1 + count(service_facts::alerts(ctx, service).count()).clamp(1, 6)).min((y1 - checks) / 2);
        lines.down(middle, y0, y1).across(links, x0, middle);
        if phases < links {
            lines.across(phases, x0, middle);
        }
        lines.across(now, middle, x1).across(checks, middle, x1).across(outages, middle, x1);
        let left = |y0, y1| Slot { x0, x1: middle, y0, y1 };
        let right = |y0, y1| Slot { x0: middle, x1, y0, y1 };
        Self::Full {
            chart: left(y0, phases),
            phases: (phases < links).then(|| left(phases, links)),
            links: left(links, y1),
            promise: right(y0, now),
            now: right(now, checks),
            checks: right(checks, outages),
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
            Self::Beside { chart, checks, facts } => {
                service_detail::chart(ctx, buf, chart, service);
                if let Some(checks) = checks {
                    service_checks::draw(ctx, buf, checks, service);
                }
                service_facts::all(ctx, buf, facts, service);
            }
            Self::Full { chart, phases, links, promise, now, checks, outages } => {
                service_detail::chart(ctx, buf, chart, service);
                if let Some(phases) = phases {
                    service_detail::phases(ctx, buf, phases, service);
                }
                service_links::draw(ctx, buf, links, service);
                service_detail::promise(ctx, buf, promise, service);
                service_facts::now(ctx, buf, now, service);
                service_checks::draw(ctx, buf, checks, service);
                service_facts::outages(ctx, buf, outages, service);
            }
        }
    }
}
