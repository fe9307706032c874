//! All predictions: what comes first, how sure, whether to believe it; the chosen one with its chart.
//!
//! Only places the panes; each draws itself. Invariant: what was said before and what came of it stands
//! beside what is said now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::Slot;
use super::{prediction_chart, prediction_facts, prediction_list, prediction_record};
use crate::model::Prediction;
use crate::ui::pane::{Density, DrawContext, Pane};
use crate::ui::state::View;
use crate::ui::widgets::Borders;

/// Rows of the bars of the record, heads and border included.
const CALIBRATION: u16 = 6;
/// Rows of how it was made: its facts, and what was tried before as a chart.
const MADE: u16 = 15;
/// Rows from which on the left half has room for what is expected of every series.
const EXPECTED: u16 = 5;

/// All predictions.
pub struct Predictions;

impl Pane for Predictions {
    fn view(&self) -> View {
        View::Predictions
    }

    fn draw(&self, ctx: &DrawContext, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if super::is_too_small(area) {
            return;
        }
        if ctx.density() == Density::Small { small(ctx, buf, area) } else { wide(ctx, buf, area) }
    }
}

/// The list with its record at the left; chart, reasons and how sure at the right.
fn wide(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let (top, end, right) = (area.y, area.bottom() - 1, area.right() - 1);
    let middle = area.x + area.width * 88 / 200;
    let mut lines = Borders::new(area);
    lines.around(area).down(middle, top, end);
    // The list takes what it needs; what is expected of every series has the rest above the record.
    let has_room = area.height >= 36 && prediction_record::has_cases(ctx.snapshot);
    let calibration = if has_room { end - CALIBRATION } else { end };
    let record = calibration.saturating_sub(prediction_record::height(ctx.snapshot)).max(top + 4);
    let needed = prediction_list::height(ctx);
    let expected = (top + 1 + needed).min(record);
    let has_expected = record - expected >= EXPECTED && prediction_record::has_forecasts(ctx);
    let expected = if has_expected { expected } else { record };
    for y in [expected, record, calibration] {
        if y < end {
            lines.across(y, area.x, middle);
        }
    }
    let left = |y0, y1| Slot { x0: area.x, x1: middle, y0, y1 };
    let chosen = ctx.state.chosen_prediction();
    let plan = chosen.map(|p| Right::plan(area, middle, right, &mut lines, (ctx, p)));
    lines.draw(ctx.ink, buf);
    prediction_list::draw(ctx, buf, left(top, expected));
    if has_expected {
        prediction_record::expected(ctx, buf, left(expected, record));
    }
    prediction_record::how_good(ctx, buf, left(record, calibration));
    if calibration < end {
        prediction_record::calibration(ctx, buf, left(calibration, end));
    }
    match (chosen, plan) {
        (Some(p), Some(plan)) => {
            prediction_chart::draw(ctx, buf, plan.chart, p);
            prediction_facts::why(ctx, buf, plan.why, p);
            prediction_facts::todo(ctx, buf, plan.todo, p);
            prediction_facts::how_sure(ctx, buf, plan.sure, p);
            prediction_facts::made(ctx, buf, plan.made, p);
        }
        _ => prediction_facts::nothing(ctx, buf, Slot { x0: middle, x1: right, y0: top, y1: end }),
    }
}

/// Places of the right half.
struct Right {
    chart: Slot,
    why: Slot,
    todo: Slot,
    sure: Slot,
    made: Slot,
}

impl Right {
    /// Below the chart two rows of two panes where there is width, else four below each other.
    fn plan(area: Rect, middle: u16, right: u16, lines: &mut Borders, (ctx, p): (&DrawContext, &Prediction)) -> Self {
        let (top, end) = (area.y, area.bottom() - 1);
        let chart = top + (area.height * 21 / 47).max(8);
        let slot = |x0, x1, y0, y1| Slot { x0, x1, y0, y1 };
        if ctx.density() == Density::Large {
            let half = middle + (right - middle) / 2;
            // Reasons and advice take what they need, how it was made has its own height, the chart the rest.
            let below = end - MADE.min((end - top) / 2);
            let reasons = prediction_facts::height(ctx, p, half.saturating_sub(middle + 3));
            let chart = below - reasons.saturating_add(1).min((below - top) / 2).max(4).min(below - top);
            lines.across(chart, middle, right).across(below, middle, right).down(half, chart, end);
            return Self {
                chart: slot(middle, right, top, chart),
                why: slot(middle, half, chart, below),
                todo: slot(half, right, chart, below),
                sure: slot(middle, half, below, end),
                made: slot(half, right, below, end),
            };
        }
        let rest = end - chart;
        let (todo, sure, made) = (chart + rest * 6 / 23, chart + rest * 10 / 23, chart + rest * 17 / 23);
        for y in [chart, todo, sure, made] {
            lines.across(y, middle, right);
        }
        Self {
            chart: slot(middle, right, top, chart),
            why: slot(middle, right, chart, todo),
            todo: slot(middle, right, todo, sure),
            sure: slot(middle, right, sure, made),
            made: slot(middle, right, made, end),
        }
    }
}

/// The list, the chosen one's chart and its reasons below each other.
fn small(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let right = area.right() - 1;
    let chosen = ctx.state.chosen_prediction();
    let room = area.height;
    let needed = 1 + prediction_list::open_height(ctx).max(prediction_list::height(ctx).min(room / 4));
    let chart = area.y + if chosen.is_some() { needed.clamp(3, (room / 3).max(3)) } else { room };
    let why = chart + (room - (chart - area.y)).saturating_sub(7).max(4);
    let mut lines = Borders::new(area);
    lines.across(area.y, area.x, right);
    for y in [chart, why] {
        if y < area.bottom() {
            lines.across(y, area.x, right);
        }
    }
    lines.draw(ctx.ink, buf);
    let slot = |y0: u16, y1: u16| Slot { x0: area.x, x1: area.right(), y0, y1: y1.min(area.bottom()) };
    prediction_list::draw(ctx, buf, slot(area.y, chart));
    if let Some(p) = chosen {
        prediction_chart::draw(ctx, buf, slot(chart, why), p);
        if why < area.bottom() {
            prediction_facts::in_short(ctx, buf, slot(why, area.bottom()), p);
        }
    }
}
