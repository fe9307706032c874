//! The browser of metrics: every metric of the catalog, and its series in one chart of any kind.
//!
//! Invariant: a metric that has no value now is listed too, and it is said that it has none.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::explorer;
use super::parts::{Slot, filter_or_key, framed};
use crate::model::{MetricDef, Snapshot};
use crate::ui::explore::listed;
use crate::ui::pane::{Density, DrawContext, Pane, first_row};
use crate::ui::state::View;
use crate::ui::widgets::table::{Column, Columns, number};
use crate::ui::widgets::text::lay;
use crate::ui::widgets::{Ground, Phrase, Role};

/// Metrics.
pub struct Metrics;

impl Pane for Metrics {
    fn view(&self) -> View {
        View::Metrics
    }

    fn draw(&self, ctx: &DrawContext, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if super::is_too_small(area) {
            return;
        }
        let (whole, mut lines) = framed(area);
        let (right, end) = (whole.x1, whole.y1);
        if ctx.state.open {
            let cut = area.y + area.height * 3 / 5;
            lines.across(cut, area.x, right).draw(ctx.ink, buf);
            explorer::chart(ctx, buf, Slot { y1: cut, ..whole });
            explorer::series(ctx, buf, Slot { y0: cut, ..whole });
        } else if ctx.density() == Density::Large {
            let cut = area.x + area.width * 9 / 20;
            lines.down(cut, area.y, end).draw(ctx.ink, buf);
            list(ctx, buf, Slot { x1: cut, ..whole });
            explorer::chart(ctx, buf, Slot { x0: cut, ..whole });
        } else {
            let cut = area.y + area.height / 2;
            lines.across(cut, area.x, right).draw(ctx.ink, buf);
            list(ctx, buf, Slot { y1: cut, ..whole });
            explorer::chart(ctx, buf, Slot { y0: cut, ..whole });
        }
    }
}

const COLUMNS: &[Column] =
    &[Column::words("metric", 42), Column::number("series", 7), Column::number("now", 13), Column::words("", 0)];

/// The newest value that says most of a metric: of its total, else the largest of its parts.
fn newest(snapshot: &Snapshot, def: &MetricDef) -> Option<f64> {
    snapshot.total(def.name).or_else(|| snapshot.of(def.name).map(|r| r.value).reduce(f64::max))
}

fn list(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let all = listed(ctx.state);
    let inner = slot.inner();
    let chosen = ctx.state.explore.row(&all);
    let height = usize::from(inner.height.saturating_sub(1));
    let first = first_row(chosen, height, all.len());
    let last = (first + height).min(all.len());
    let range = if last > first { format!("{}–{last}", first + 1) } else { "none".to_owned() };
    let head = Phrase::new().strong("Metrics ").dim(&all.len().to_string());
    slot.title(ctx.ink, buf, &head, &[filter_or_key(ctx), Phrase::new().dim(&range)]);
    if inner.height == 0 || inner.width < 30 {
        return;
    }
    let columns = Columns::new(COLUMNS, inner);
    columns.heads(ctx.ink, buf, inner.y, None);
    for (y, (at, def)) in (inner.y + 1..inner.bottom()).zip(all.iter().enumerate().skip(first)) {
        if at == chosen {
            lay(ctx.ink, buf, Rect { y, height: 1, ..inner }, Ground::Selected);
        }
        let count = ctx.snapshot.of(def.name).count();
        let name = if count > 0 { Phrase::new().text(def.name) } else { Phrase::new().dim(def.name) };
        let value = newest(ctx.snapshot, def);
        let value = value.map_or_else(|| Phrase::new().dim("no value"), |v| ctx.quantity(Role::Text, v, def.unit));
        columns.cell(ctx.ink, buf, y, 0, &name);
        columns.cell(ctx.ink, buf, y, 1, &number(count as f64, 0));
        columns.cell(ctx.ink, buf, y, 2, &value);
        let (x, end) = columns.span(3);
        Phrase::new().dim(def.help).put(ctx.ink, buf, ((x + 2).min(end), y), end);
    }
}

#[cfg(test)]
mod tests {
    use crate::ui::screen_tests::Screen;
    use std::collections::BTreeSet;

    #[test]
    fn every_metric_of_the_catalog_is_reached_by_keys_and_has_its_chart() {
        let catalog = crate::ui::fixture::snapshot().catalog;
        let mut seen = BTreeSet::new();
        let mut screen = Screen::new((200, 50)).keys("M g");
        for _ in 0..catalog.len() {
            seen.extend(screen.session.state.explore.metric.clone());
            let name = screen.session.state.explore.metric.clone().expect("a chosen metric");
            assert!(screen.text().contains(&name));
            screen = screen.keys("j");
        }
        let all: BTreeSet<String> = catalog.iter().map(|d| d.name.to_owned()).collect();
        assert_eq!(seen, all);
    }

    #[test]
    fn a_chart_of_a_metric_has_log_scale_stack_and_another_time_behind_it() {
        let screen = Screen::new((200, 50)).keys("M / \"disk_read enter enter");
        assert!(screen.text().contains("disk_read_bytes_per_second"));
        let screen = screen.keys("l");
        assert!(screen.text().contains("log"), "{}", screen.text());
        let screen = screen.keys("o");
        assert!(screen.text().contains("yesterday"), "{}", screen.text());
        let screen = screen.keys("o");
        assert!(screen.text().contains("last week"));
        let screen = screen.keys("esc");
        assert!(!screen.session.state.open, "exactly one step back");
    }
}
