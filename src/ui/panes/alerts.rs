//! All alerts, and beside them the chosen one explained: value, normal, cause, what changed, who was told, what came before.
//!
//! Opened it has the whole page. Invariant: the list keeps its place behind an opened alert.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::alert_detail::{self, Page};
use super::alert_rows::{self, counts};
use super::parts::{Slot, filter_or_key};
use super::{alert_facts, alert_history};
use crate::model::Alert;
use crate::ui::lists::Standing;
use crate::ui::pane::{Density, DrawContext, Pane, first_row};
use crate::ui::state::View;
use crate::ui::widgets::{Borders, Ground, Phrase, text};

/// Rows below which nothing stands beside the list.
const ROOM: u16 = 12;
/// Rows of what one can do, with its border.
const ACTIONS: u16 = 10;

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
        let alert = ctx.state.chosen_alert();
        match (alert.filter(|_| ctx.state.open), ctx.density()) {
            (Some(alert), _) => alert_detail::draw(ctx, buf, area, alert),
            (None, Density::Large) if area.height >= 30 => beside(ctx, buf, area),
            (None, Density::Small) => small(ctx, buf, area),
            (None, _) => below(ctx, buf, area),
        }
    }
}

/// Beside the list: chart, then why and who used it, then who was told and what came before.
fn beside(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let (top, end, right) = (area.y, area.bottom() - 1, area.right() - 1);
    let middle = area.x + area.width * 78 / 200;
    let half = middle + (right - middle) / 2;
    let (chart, why) = (top + area.height * 17 / 47, end - area.height * 13 / 47);
    let mut lines = Borders::new(area);
    lines.around(area).down(middle, top, end);
    let alert = ctx.state.chosen_alert();
    if alert.is_some() {
        lines.across(chart, middle, right).across(why, middle, right).down(half, chart, end);
    }
    // What the list leaves is for what one can do, and for the silences there are.
    let needed = list_rows(ctx, end - top);
    let todo = (end - ACTIONS).max(top + needed);
    let todo = if alert.is_some() && end - todo >= ACTIONS { todo } else { end };
    let silences = (todo - silence_rows(ctx)).max(top + needed);
    for y in [todo, silences] {
        if y < end {
            lines.across(y, area.x, middle);
        }
    }
    lines.draw(ctx.ink, buf);
    let slot = |x0, x1, y0, y1| Slot { x0, x1, y0, y1 };
    list(ctx, buf, slot(area.x, middle, top, silences));
    if silences < todo {
        alert_history::silences(ctx, buf, slot(area.x, middle, silences, todo));
    }
    if let Some(alert) = alert.filter(|_| todo < end) {
        alert_facts::todo(ctx, buf, slot(area.x, middle, todo, end), alert);
    }
    let Some(alert) = alert else { return promise(ctx, buf, slot(middle, right, top, end)) };
    let page = Page::of(ctx, alert);
    page.chart(buf, slot(middle, right, top, chart));
    alert_facts::why(ctx, buf, slot(middle, half, chart, why), alert);
    alert_facts::culprits(ctx, buf, slot(half, right, chart, why), alert);
    alert_facts::told(ctx, buf, slot(middle, half, why, end), alert, page.focus);
    alert_history::draw(ctx, buf, slot(half, right, why, end), alert);
}

/// Rows of the silences with their border; none where there are none.
fn silence_rows(ctx: &DrawContext) -> u16 {
    let n = u16::try_from(ctx.snapshot.silences.len().min(5)).unwrap_or(0);
    if n == 0 { 0 } else { n + 2 }
}

/// Below the list: chart and why side by side, then who was told and what came before.
fn below(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let (end, right) = (area.bottom() - 1, area.right() - 1);
    let alert = ctx.state.chosen_alert().filter(|_| area.height >= ROOM);
    let middle = if alert.is_some() { area.y + list_rows(ctx, area.height * 2 / 5) } else { end };
    let told = middle + (end - middle) * 13 / 22;
    let half = area.x + area.width * 11 / 20;
    let mut lines = Borders::new(area);
    lines.around(area);
    if alert.is_some() {
        lines.across(middle, area.x, right).across(told, area.x, right).down(half, middle, end);
    }
    lines.draw(ctx.ink, buf);
    list(ctx, buf, Slot { x0: area.x, x1: right, y0: area.y, y1: middle });
    let Some(alert) = alert else { return };
    let slot = |x0, x1, y0, y1| Slot { x0, x1, y0, y1 };
    let page = Page::of(ctx, alert);
    page.chart(buf, slot(area.x, half, middle, told));
    alert_facts::why(ctx, buf, slot(half, right, middle, told), alert);
    alert_facts::told(ctx, buf, slot(area.x, half, told, end), alert, page.focus);
    alert_history::draw(ctx, buf, slot(half, right, told, end), alert);
}

/// Below the list: why, in as many lines as there are.
fn small(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let right = area.right() - 1;
    let alert = ctx.state.chosen_alert().filter(|_| area.height >= ROOM);
    let middle = if alert.is_some() { area.y + list_rows(ctx, area.height / 2) } else { area.bottom() };
    let mut lines = Borders::new(area);
    lines.across(area.y, area.x, right);
    if alert.is_some() {
        lines.across(middle, area.x, right);
    }
    lines.draw(ctx.ink, buf);
    let slot = |y0, y1| Slot { x0: area.x, x1: area.right(), y0, y1 };
    list(ctx, buf, slot(area.y, middle));
    if let Some(alert) = alert {
        alert_facts::in_short(ctx, buf, slot(middle, area.bottom()), alert);
    }
}

/// Rows of the list with its border: what it needs, at most `most`.
fn list_rows(ctx: &DrawContext, most: u16) -> u16 {
    let rows = ctx.state.lists.alerts.len() + ctx.state.lists.standings.len();
    u16::try_from(rows + 1).unwrap_or(u16::MAX).clamp(3, most.max(3))
}

fn list(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let head = Phrase::new().strong("Alerts ").join(&counts(ctx.snapshot));
    slot.title(ctx.ink, buf, &head, &[filter_or_key(ctx), Phrase::new().dim("worst first")]);
    let inner = slot.inner();
    if ctx.state.lists.alerts.is_empty() {
        alert_rows::draw(ctx, buf, inner, alert_rows::Depth::Line);
        return;
    }
    rows(ctx, buf, inner);
}

/// One row of the list.
enum Row {
    /// Where those below it stand, and how many they are.
    Head(Standing, usize),
    /// An alert, by its row of the list.
    Alert(usize),
}

/// What stands in a row of the list with its heads.
fn at(standings: &[(Standing, usize)], row: usize) -> Option<Row> {
    let mut left = row;
    let mut alerts = 0;
    for (standing, count) in standings {
        if left == 0 {
            return Some(Row::Head(*standing, *count));
        }
        if left <= *count {
            return Some(Row::Alert(alerts + left - 1));
        }
        left -= count + 1;
        alerts += count;
    }
    None
}

/// The row of the list with heads in which an alert stands.
fn place(standings: &[(Standing, usize)], alert: usize) -> usize {
    let mut before = 0;
    let heads = standings.iter().take_while(|(_, count)| {
        let is_past = alert >= before;
        before += count;
        is_past
    });
    alert + heads.count()
}

/// Alerts below heads that say where they stand, around the chosen one; only the rows on the screen are looked at.
fn rows(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let lists = &ctx.state.lists;
    let chosen = lists.alert_row(ctx.snapshot, &ctx.state.selected);
    let all = lists.alerts.len() + lists.standings.len();
    let first = first_row(place(&lists.standings, chosen), usize::from(area.height), all);
    for (y, row) in (area.y..area.bottom()).zip(first..all) {
        let line = Rect { y, height: 1, ..area };
        match at(&lists.standings, row) {
            Some(Row::Head(standing, count)) => {
                Phrase::new().dim(&format!("{} {count}", standing.name())).put(ctx.ink, buf, (line.x, y), line.right());
            }
            Some(Row::Alert(at)) => {
                if at == chosen {
                    let around = Rect { x: line.x - 1, width: line.width + 2, ..line };
                    text::lay(ctx.ink, buf, around, Ground::Selected);
                }
                if let Some(alert) = lists.alerts.get(at).and_then(|i| lists.alert(ctx.snapshot, *i)) {
                    alert_rows::alert_line(ctx, buf, line, alert);
                }
            }
            None => {}
        }
    }
}

/// What would stand here.
fn promise(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    slot.title(ctx.ink, buf, &Phrase::new().strong("What will be here"), &[]);
    let said = [
        Phrase::new().text(
            "Each alert with its chart, what is normal, who or what caused it, what changed before, who was told and when.",
        ),
        Phrase::new(),
        Phrase::new().dim("Built-in rules watch without being asked. ").strong("O").dim(" changes them and adds your own."),
    ];
    super::parts::paragraphs(ctx.ink, buf, slot.inner(), &said);
}

/// Alerts of the same rule and instance that came before, newest first.
pub fn before<'a>(ctx: &'a DrawContext, alert: &'a Alert) -> impl Iterator<Item = &'a Alert> {
    let all = ctx.snapshot.alerts.iter().chain(ctx.state.older.iter()).map(|a| &**a);
    all.filter(|a| a.fingerprint == alert.fingerprint && a.id != alert.id && a.fired_at.is_some() && a.rule == alert.rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_places_are_each_others_inverse() {
        let standings = [(Standing::Active, 2), (Standing::Silenced, 1), (Standing::Past, 3)];
        let shown: Vec<Option<usize>> = (0..10)
            .map(|row| match at(&standings, row) {
                Some(Row::Alert(i)) => Some(i),
                _ => None,
            })
            .collect();
        assert_eq!(shown, [None, Some(0), Some(1), None, Some(2), None, Some(3), Some(4), Some(5), None]);
        for (row, alert) in shown.iter().enumerate().filter_map(|(row, a)| a.map(|a| (row, a))) {
            assert_eq!(place(&standings, alert), row);
        }
    }
}
