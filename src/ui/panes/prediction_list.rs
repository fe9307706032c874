//! The list of predictions: raised, watched, and what became of earlier ones.
//!
//! Invariant: of each stands when, how sure, and how often the same was right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{Slot, cells, filter, series_name, until};
use super::prediction_rows::{ending, none, open, record};
use crate::model::{Forecast, Outcome, Prediction};
use crate::ui::format::time_or_date;
use crate::ui::pane::{DrawContext, first_row};
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::{Ground, Phrase, Role, text};

/// From this width of the list on the 80 % interval has a column, and from this one the record of the same.
const INTERVAL: u16 = 58;
const OWN_RECORD: u16 = 74;
/// What is less likely than this is not worth a row.
const WATCHED: f64 = 0.05;

/// One row of the list.
enum Row<'a> {
    Head(&'static str, [&'static str; 4]),
    PastHead,
    Open(usize, &'a Prediction),
    Watched(&'a Forecast),
    Past(usize, &'a Prediction, Outcome),
    Blank,
}

const OPEN: Row<'static> = Row::Head("raised as warning", ["in", "80% interval", "p", "right"]);
const LESS: Row<'static> = Row::Head("watched, less likely than 0.70", ["in", "80% interval", "p", ""]);
const PAST: Row<'static> = Row::PastHead;

impl Row<'_> {
    fn is_thing(&self) -> bool {
        !matches!(self, Self::Head(..) | Self::PastHead | Self::Blank)
    }
}

/// Rows of what is open, with its head.
pub fn open_height(ctx: &DrawContext) -> u16 {
    u16::try_from(open(ctx.snapshot) + 1).unwrap_or(u16::MAX)
}

/// Rows the whole list takes.
pub fn height(ctx: &DrawContext) -> u16 {
    u16::try_from(rows(ctx).len().max(1)).unwrap_or(u16::MAX)
}

fn rows<'a>(ctx: &DrawContext<'a>) -> Vec<Row<'a>> {
    let all = &ctx.state.lists.predictions;
    let at = |row: usize, i: &usize| ctx.snapshot.predictions.get(*i).map(|p| (row, p));
    let known: Vec<(usize, &Prediction)> = all.iter().enumerate().filter_map(|(row, i)| at(row, i)).collect();
    let open = known.iter().filter(|(_, p)| p.outcome.is_none()).map(|(row, p)| Row::Open(*row, p));
    let past = known.iter().filter_map(|(row, p)| p.outcome.map(|outcome| Row::Past(*row, p, outcome)));
    let is_said = |f: &Forecast| ctx.snapshot.predictions.iter().any(|p| p.outcome.is_none() && p.key == f.key);
    let is_likely = |f: &&Forecast| f.crossing.is_some_and(|c| c.probability >= WATCHED && c.at_hi > ctx.snapshot.at);
    let less = ctx.snapshot.forecasts.iter().map(|f| &**f).filter(is_likely).filter(|f| !is_said(f)).map(Row::Watched);
    let mut rows: Vec<Row<'a>> = Vec::new();
    let less: Vec<Row<'a>> = if ctx.state.filter().is_empty() { less.collect() } else { Vec::new() };
    for (head, part) in [(OPEN, open.collect::<Vec<_>>()), (LESS, less), (PAST, past.collect())] {
        if !part.is_empty() {
            if !rows.is_empty() {
                rows.push(Row::Blank);
            }
            rows.push(head);
            rows.extend(part);
        }
    }
    rows
}

/// Draws it around the chosen one.
pub fn draw(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let head = Phrase::new().strong("Predictions ").dim(&format!("{} open", open(ctx.snapshot)));
    slot.title(ctx.ink, buf, &head, &[Phrase::new().dim("by urgency"), record(ctx.snapshot), filter(ctx)]);
    let inner = slot.inner();
    let rows = rows(ctx);
    if rows.is_empty() {
        none().wrap(inner.width).iter().zip(inner.y..inner.bottom()).for_each(|(line, y)| {
            line.put(ctx.ink, buf, (inner.x, y), inner.right());
        });
        return;
    }
    let chosen = ctx.state.lists.prediction_row(ctx.snapshot, &ctx.state.selected);
    let place = rows.iter().position(|r| matches!(r, Row::Open(at, _) | Row::Past(at, ..) if *at == chosen)).unwrap_or(0);
    let first = first_row(place, usize::from(inner.height), rows.len());
    let shown = rows.iter().skip(first).take(usize::from(inner.height));
    // A head without rows below it says nothing.
    let last = shown.clone().rposition(Row::is_thing).map_or(0, |at| at + 1);
    for (y, row) in (inner.y..inner.bottom()).zip(shown.take(last)) {
        let line = Rect { y, height: 1, ..inner };
        if matches!(row, Row::Open(at, _) | Row::Past(at, ..) if *at == chosen) {
            text::lay(ctx.ink, buf, Rect { x: line.x - 1, width: line.width + 2, ..line }, Ground::Selected);
        }
        match row {
            Row::Blank => {}
            Row::Head(name, heads) => head_line(ctx, buf, line, name, heads),
            Row::PastHead => {
                let own = offsets(line.width)[2];
                let heads = [(own, Phrase::new().dim("p")), (own + 7, Phrase::new().dim("what came"))];
                cells(ctx.ink, buf, line, &Phrase::new().strong("past, last 7 d"), &heads);
            }
            Row::Open(_, p) => open_line(ctx, buf, line, p),
            Row::Watched(f) => watched_line(ctx, buf, line, f),
            Row::Past(_, p, outcome) => past_line(ctx, buf, line, p, *outcome),
        }
    }
}

/// Columns left free at the right of each column: when, interval, probability, record.
fn offsets(width: u16) -> [u16; 4] {
    let own = if width >= OWN_RECORD { 9 } else { 0 };
    let bar = own + 5;
    let interval = bar + 8;
    [if width >= INTERVAL { interval + 23 } else { interval }, interval, own, 0]
}

fn head_line(ctx: &DrawContext, buf: &mut Buffer, line: Rect, name: &str, heads: &[&str; 4]) {
    let at = offsets(line.width);
    let shown = |i: usize| match i {
        1 => line.width >= INTERVAL,
        3 => line.width >= OWN_RECORD,
        _ => true,
    };
    let all: Vec<(u16, Phrase)> = (0..4).filter(|i| shown(*i)).map(|i| (at[i], Phrase::new().dim(heads[i]))).collect();
    cells(ctx.ink, buf, line, &Phrase::new().strong(name), &all);
}

fn figures(ctx: &DrawContext, buf: &mut Buffer, line: Rect, probability: f64, role: Role) -> Phrase {
    let own = offsets(line.width)[2];
    let x = line.right().saturating_sub(own + 12);
    if x > line.x + 20 {
        meter(ctx.ink, buf, (x, line.y), 7, Meter { share: probability, limit: None, role });
    }
    Phrase::new().strong(&format!("{probability:.2}"))
}

fn open_line(ctx: &DrawContext, buf: &mut Buffer, line: Rect, p: &Prediction) {
    let at = offsets(line.width);
    let number = figures(ctx, buf, line, p.probability, Role::Pred);
    let mut all = vec![(at[2], number), (at[0], Phrase::new().strong(&until(ctx, p.at)))];
    if line.width >= INTERVAL {
        all.push((at[1], Phrase::new().dim(&span(ctx, p.at_lo, p.at_hi))));
    }
    if line.width >= OWN_RECORD {
        all.push((0, own_record(ctx, p)));
    }
    cells(ctx.ink, buf, line, &Phrase::new().bold(Role::Pred, "◆ ").bold(Role::Pred, &p.title), &all);
}

/// `11–24 min`: the unit once where it is the same.
fn span(ctx: &DrawContext, lo: crate::base::Timestamp, hi: crate::base::Timestamp) -> String {
    let (lo, hi) = (until(ctx, lo), until(ctx, hi));
    match (lo.rsplit_once(' '), hi.rsplit_once(' ')) {
        (Some((number, a)), Some((other, b))) if a == b && !number.contains(' ') && !other.contains(' ') => {
            format!("{number}–{hi}")
        }
        _ => format!("{lo}–{hi}"),
    }
}

/// How often the same was right within the week: `2 of 3`.
fn own_record(ctx: &DrawContext, p: &Prediction) -> Phrase {
    let (right, scored) = super::prediction_facts::own_record(ctx.snapshot, p);
    if scored == 0 {
        return Phrase::new().dim("new");
    }
    Phrase::new().text(&right.to_string()).dim(&format!(" of {scored}"))
}

fn watched_line(ctx: &DrawContext, buf: &mut Buffer, line: Rect, f: &Forecast) {
    let Some(crossing) = f.crossing else { return };
    let at = offsets(line.width);
    let number = figures(ctx, buf, line, crossing.probability, Role::Dim);
    let mut all = vec![(at[2], number), (at[0], Phrase::new().text(&until(ctx, crossing.at)))];
    if line.width >= INTERVAL {
        all.push((at[1], Phrase::new().dim(&span(ctx, crossing.at_lo, crossing.at_hi))));
    }
    let unit = ctx.snapshot.catalog.unit(f.key.metric());
    let name = format!("{} {}", series_name(&f.key), ctx.value(crossing.limit, unit));
    cells(ctx.ink, buf, line, &Phrase::new().dim("◆ ").text(&name), &all);
}

fn past_line(ctx: &DrawContext, buf: &mut Buffer, line: Rect, p: &Prediction, outcome: Outcome) {
    let when = format!("{:>6} ", time_or_date(p.made_at, ctx.snapshot.at, ctx.zone()));
    let (glyph, role) = match outcome {
        _ if p.is_missed() => ("▲ ", Role::Warn),
        Outcome::Right => ("✓ ", Role::Ok),
        Outcome::Wrong => ("✘ ", Role::Crit),
    };
    let end = ending(p, outcome);
    let came = if role == Role::Ok { Phrase::new().text(&end) } else { Phrase::new().role(role, &end) };
    let at = offsets(line.width);
    let said = if p.is_missed() { Phrase::new().dim("-") } else { Phrase::new().dim(&format!("{:.2}", p.probability)) };
    let name = Phrase::new().role(role, glyph).dim(&when).text(&p.title);
    cells(ctx.ink, buf, line, &name, &[(at[2], said), (at[2] + 7, came)]);
}
