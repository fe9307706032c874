//! All predictions: what comes first, how sure, whether to believe it; the chosen one with its chart.
//!
//! Invariant: what was said before and what came of it stands beside what is said now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{Slot, paragraphs, quantity, until};
use super::prediction_rows::{ending, none, open, record};
use super::trends::{GUTTER, chart_area, cursor, time_scale};
use crate::base::{TimeRange, format_duration};
use crate::model::{Outcome, Prediction};
use crate::ui::charts::Window;
use crate::ui::format::{moment, time_or_date};
use crate::ui::pane::{Density, DrawContext, Pane, first_row};
use crate::ui::state::{Subject, View};
use crate::ui::widgets::axis::Scale;
use crate::ui::widgets::chart::{Chart, Fill, LimitLine, Moment, Trace};
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::{Borders, Ground, Phrase, Role, text};

/// From this width of the list on the 80 % interval has a column.
const WIDE: u16 = 60;

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
        let (slots, lines) = plan(area, ctx.density());
        lines.draw(ctx.ink, buf);
        let [list_slot, record_slot, chart_slot, why_slot] = slots;
        list(ctx, buf, list_slot);
        if let Some(slot) = record_slot {
            how_good(ctx, buf, slot);
        }
        let lists = &ctx.state.lists;
        let chosen = lists.prediction_row(ctx.snapshot, &ctx.state.selected);
        let Some(p) = lists.predictions.get(chosen).and_then(|i| ctx.snapshot.predictions.get(*i)) else { return };
        if let Some(slot) = chart_slot {
            chart(ctx, buf, slot, p);
        }
        if let Some(slot) = why_slot {
            why(ctx, buf, slot, p);
        }
    }
}

/// List, record, chart, reasons; side by side where there is width, else one below the other.
fn plan(area: Rect, density: Density) -> ([Option<Slot>; 4], Borders) {
    let mut lines = Borders::new(area);
    let (right, end) = (area.right() - 1, area.bottom() - 1);
    let slot = |x0, x1, y0, y1| Some(Slot { x0, x1, y0, y1 });
    if density == Density::Small {
        let middle = area.y + area.height / 2;
        lines.across(area.y, area.x, right).across(middle, area.x, right);
        let wide = area.right();
        return ([slot(area.x, wide, area.y, middle), None, None, slot(area.x, wide, middle, end + 1)], lines);
    }
    let middle = area.x + area.width * 88 / 200;
    let (record, reasons) = (end.saturating_sub(6), area.y + area.height * 17 / 47);
    lines.around(area).down(middle, area.y, end).across(record, area.x, middle).across(reasons, middle, right);
    (
        [
            slot(area.x, middle, area.y, record),
            slot(area.x, middle, record, end),
            slot(middle, right, area.y, reasons),
            slot(middle, right, reasons, end),
        ],
        lines,
    )
}

fn list(ctx: &DrawContext, buf: &mut Buffer, slot: Option<Slot>) {
    let Some(slot) = slot else { return };
    let head = Phrase::new().strong("Predictions ").dim(&format!("{} open", open(ctx.snapshot)));
    slot.title(ctx.ink, buf, &head, &[Phrase::new().dim("by urgency"), record(ctx.snapshot)]);
    let inner = slot.inner();
    let all = &ctx.state.lists.predictions;
    if inner.height == 0 || inner.width < 40 {
        return;
    }
    if all.is_empty() {
        none().put(ctx.ink, buf, (inner.x, inner.y), inner.right());
        return;
    }
    let heads: &[(u16, &str)] =
        if inner.width < WIDE { &[(14, "in"), (0, "p")] } else { &[(28, "in"), (13, "80% interval"), (0, "p")] };
    for (right, name) in heads {
        Phrase::new().dim(name).put_right(ctx.ink, buf, (inner.x, inner.right() - *right), inner.y);
    }
    let height = usize::from(inner.height - 1);
    let chosen = ctx.state.lists.prediction_row(ctx.snapshot, &ctx.state.selected);
    let first = first_row(chosen, height, all.len());
    let shown = all.iter().enumerate().skip(first).take(height);
    for (y, (at, p)) in (inner.y + 1..).zip(shown.filter_map(|(at, i)| ctx.snapshot.predictions.get(*i).map(|p| (at, p)))) {
        let line = Rect { y, height: 1, ..inner };
        if at == chosen {
            text::lay(ctx.ink, buf, Rect { x: line.x - 1, width: line.width + 2, ..line }, Ground::Selected);
        }
        match p.outcome {
            None => open_line(ctx, buf, line, p),
            Some(outcome) => past_line(ctx, buf, line, p, outcome),
        }
    }
}

fn open_line(ctx: &DrawContext, buf: &mut Buffer, line: Rect, p: &Prediction) {
    let (y, end) = (line.y, line.right());
    // Above 0.7 a prediction is raised as a warning; below it is only watched.
    let (role, bold) = if p.probability > 0.7 { (Role::Pred, Role::Pred) } else { (Role::Dim, Role::Text) };
    let number = format!("{:.2}", p.probability);
    Phrase::new().strong(&number).put_right(ctx.ink, buf, (line.x, end), y);
    meter(ctx.ink, buf, (end - 12, y), 7, Meter { share: p.probability, limit: None, role });
    let interval = if line.width < WIDE { String::new() } else { format!("{}–{}", until(ctx, p.at_lo), until(ctx, p.at_hi)) };
    let interval = Phrase::new().dim(&interval).put_right(ctx.ink, buf, (line.x, end - 13), y);
    let left = Phrase::new().strong(&until(ctx, p.at)).put_right(
        ctx.ink,
        buf,
        (line.x, interval.saturating_sub(2).min(end - if line.width < WIDE { 14 } else { 28 })),
        y,
    );
    let title = Phrase::new().bold(role, "◆ ");
    let title = if role == Role::Pred { title.bold(bold, &p.title) } else { title.role(bold, &p.title) };
    title.put(ctx.ink, buf, (line.x, y), left.saturating_sub(1));
}

fn past_line(ctx: &DrawContext, buf: &mut Buffer, line: Rect, p: &Prediction, outcome: Outcome) {
    let came = if outcome == Outcome::Right {
        Phrase::new().text(&ending(p, outcome))
    } else {
        Phrase::new().role(Role::Crit, &ending(p, outcome))
    };
    let from = came.dim(&format!("  {:.2}", p.probability)).put_right(ctx.ink, buf, (line.x, line.right()), line.y);
    let head =
        if outcome == Outcome::Right { Phrase::new().role(Role::Ok, "✓ ") } else { Phrase::new().role(Role::Crit, "✘ ") };
    let when = time_or_date(p.made_at, ctx.snapshot.at, ctx.zone());
    head.dim(&format!("{when:>6} ")).text(&p.title).put(ctx.ink, buf, (line.x, line.y), from.saturating_sub(1));
}

/// What became of what was said.
fn how_good(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let record = &ctx.snapshot.record;
    slot.title(ctx.ink, buf, &Phrase::new().strong("How good it was"), &[Phrase::new().dim("only those shown count")]);
    let inner = slot.inner();
    let scored = record.right + record.wrong;
    let mut lines: Vec<Phrase> = Vec::new();
    if scored == 0 {
        lines.push(Phrase::new().dim("No prediction was due yet: each is scored when its interval has passed."));
    } else {
        let share = f64::from(record.right) / f64::from(scored) * 100.0;
        let right = Phrase::new().dim("right   ").strong(&record.right.to_string()).dim(&format!(" of {scored} "));
        lines.push(right.text(&format!("{share:.0}")).dim("%"));
        let missed = Phrase::new().dim("missed  ").text(&record.missed.to_string());
        lines.push(missed.dim(" happened without having been shown"));
        if let (Some(own), Some(base)) = (record.brier, record.base_rate_brier) {
            let role = if own < base { Role::Ok } else { Role::Warn };
            let word = if own < base { "better than" } else { "no better than" };
            let line =
                Phrase::new().dim("Brier   ").role(role, &format!("{own:.2}")).dim(&format!(" {word} the base rate's {base:.2}"));
            lines.push(line);
        }
    }
    paragraphs(ctx.ink, buf, inner, &lines);
}

/// Past and future of the series up to the moment of the prediction.
fn chart(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, p: &Prediction) {
    let unit = ctx.snapshot.catalog.unit(p.key.metric());
    let head = Phrase::new().bold(Role::Pred, &format!("◆ {}", p.title));
    let head = if p.outcome.is_none() { head.bold(Role::Pred, &format!(" in {}", until(ctx, p.at))) } else { head };
    let now =
        ctx.snapshot.value(&p.key).map_or_else(Phrase::new, |v| Phrase::new().dim("now ").join(&quantity(Role::Text, v, unit)));
    let probability = Phrase::new().dim("p ").role(Role::Pred, &format!("{:.2}", p.probability));
    slot.title(ctx.ink, buf, &head, &[now, probability]);
    let area = chart_area(slot, 0);
    let plot = area.width.saturating_sub(GUTTER);
    let focus = ctx.state.focus.as_ref().filter(|f| f.subject == Subject::Prediction(p.id.clone()));
    let (store, range) =
        focus.map_or_else(|| (ctx.charts(), TimeRange::last(ctx.state.span, ctx.snapshot.at)), |f| (&f.charts, f.range));
    // The future shown reaches a little past the predicted moment, at most as far as the past.
    let ahead = p.at_hi.since(ctx.snapshot.at).min(range.length());
    let share = range.length().as_secs_f64() / (range.length() + ahead).as_secs_f64().max(1.0);
    let past = if ctx.cursor().is_some() { plot } else { ((f64::from(plot) * share) as u16).clamp(plot / 2, plot - plot / 5) };
    let n = usize::from(past.max(1)) * 2;
    let seconds = range.length().as_secs().div_ceil(n as u64).max(1);
    let window = Window::ending(range.to, std::time::Duration::from_secs(seconds), n);
    let bins = store.bins(&p.key, window);
    if bins.iter().all(Option::is_none) {
        Phrase::new().dim("its history is on its way").put(ctx.ink, buf, (area.x + 1, area.y), area.right());
        return;
    }
    let limits = super::limits::Limits::of(ctx.snapshot, &p.key);
    let top = bins.iter().flatten().map(|b| b.max).fold(p.limit, f64::max);
    let scale = if unit == crate::base::Unit::Ratio { Scale::SHARE } else { Scale::rounded(unit, top) };
    let mut lines = limits.lines(&scale, unit);
    if !lines.iter().any(|l| (l.value - p.limit).abs() < 1e-9) {
        lines.insert(
            0,
            LimitLine { value: p.limit, role: Role::Crit, label: crate::base::format_value(p.limit, unit).replace(' ', "") },
        );
    }
    let at = Moment { at: p.at, text: time_or_date(p.at, ctx.snapshot.at, ctx.zone()), role: Role::Pred };
    let cursor = cursor(ctx);
    let forecast = ctx.snapshot.forecast(&p.key).filter(|_| ctx.cursor().is_none()).map(|f| &**f);
    Chart {
        upper: Trace { bins: &bins, coloring: limits.coloring(), forecast, marks: &[] },
        lower: None,
        scale,
        time: time_scale(window, past),
        fill: Fill::Area,
        limits: &lines,
        labels: &[],
        band: &[],
        moments: std::slice::from_ref(&at),
        cursor: cursor.as_ref(),
        gutter: GUTTER,
        axis: Some(ctx.zone()),
    }
    .draw(ctx.ink, buf, area);
}

/// Reasons, advice, and how the prediction was made.
fn why(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, p: &Prediction) {
    slot.title(ctx.ink, buf, &Phrase::new().strong("Why and what to do"), &[Phrase::new().dim(&format!("model {}", p.kind))]);
    let inner = slot.inner();
    let at = |t| moment(t, ctx.snapshot.at, ctx.zone());
    let mut lines: Vec<Phrase> = p.factors.iter().map(|f| Phrase::new().role(Role::Pred, "◆ ").text(f)).collect();
    if !p.advice.is_empty() {
        lines.extend([Phrase::new(), Phrase::new().dim("to do  ").strong(&p.advice)]);
    }
    lines.push(Phrase::new());
    lines.push(
        Phrase::new()
            .dim("expected ")
            .text(&at(p.at))
            .dim(", with 80% between ")
            .text(&at(p.at_lo))
            .dim(" and ")
            .text(&at(p.at_hi)),
    );
    let made = Phrase::new().dim("said ").text(&at(p.made_at)).dim(" as p ").text(&format!("{:.2}", p.probability));
    lines.push(made.dim(", confidence ").text(&format!("{:.2}", p.confidence)));
    if let Some(outcome) = p.outcome {
        lines.push(Phrase::new().dim("it ").text(&ending(p, outcome)));
    }
    lines.push(Phrase::new());
    match ctx.snapshot.forecast(&p.key) {
        Some(forecast) => {
            let line =
                Phrase::new().dim("method ").text(&forecast.method).dim(", one step ").text(&format_duration(forecast.step));
            lines.push(line.dim(", from data up to ").text(&at(forecast.made_at)));
            let b = &forecast.backtest;
            if let Some(coverage) = b.coverage80 {
                let line = Phrase::new().dim("its 80% band held the truth in ").text(&format!("{:.0}", coverage * 100.0));
                lines.push(line.dim(&format!("% of {} tries on the last days", b.n)));
            }
            if let Some(mase) = b.mase {
                let word = if mase < 1.0 {
                    " of the error of repeating the last value"
                } else {
                    " times the error of repeating the last value"
                };
                lines.push(Phrase::new().dim("error ").text(&format!("{mase:.2}")).dim(word));
            }
            if let Some(reason) = &forecast.none_because {
                lines.push(Phrase::new().dim("no forecast: ").text(reason));
            }
        }
        None => lines.push(Phrase::new().dim("method ").text(&p.method)),
    }
    paragraphs(ctx.ink, buf, inner, &lines);
}
