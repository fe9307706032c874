//! What is said beside the chart of a prediction: why, what to do, how sure, how it was made.
//!
//! Invariant: how sure is said with what became of the same words before.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{Slot, cells, fact, paragraphs, row, span, until};
use super::prediction_chart;
use super::prediction_rows::ending;
use crate::base::{Timestamp, format_duration};
use crate::model::{Calibration, Outcome, Prediction, Snapshot};
use crate::ui::actions::ACTIONS;
use crate::ui::format::{moment, time_or_date};
use crate::ui::pane::DrawContext;
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::{Graph, Phrase, Role};

/// Of predictions about the same thing within the week: right ones, and all that were scored.
pub fn own_record(snapshot: &Snapshot, p: &Prediction) -> (usize, usize) {
    let same = || snapshot.predictions.iter().filter(|o| o.key == p.key && o.outcome.is_some());
    (same().filter(|o| o.outcome == Some(Outcome::Right) && !o.is_missed()).count(), same().count())
}

/// Predictions that said about as much, and what became of them.
fn calibration(snapshot: &Snapshot, p: &Prediction) -> Option<Calibration> {
    let near = snapshot.record.said.iter().filter(|c| c.cases > 0);
    near.copied().min_by(|a, b| (a.said - p.probability).abs().total_cmp(&(b.said - p.probability).abs()))
}

/// What is said at the right where nothing is chosen.
pub fn nothing(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    slot.title(ctx.ink, buf, &Phrase::new().strong("What will be here"), &[]);
    let said = [
        Phrase::new().text("Each full disk, exhausted memory or table without room that is on its way, with its chart past now."),
        Phrase::new(),
        Phrase::new()
            .dim("A series needs about a day of history before it is looked ahead; what is likelier than 0.70 becomes a "),
        Phrase::new().dim("prediction, is told like an alert, and is scored when its time has come."),
    ];
    paragraphs(ctx.ink, buf, slot.inner(), &said);
}

/// Reasons, most important first.
pub fn why(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, p: &Prediction) {
    slot.title(ctx.ink, buf, &Phrase::new().strong("Why"), &[Phrase::new().dim("model ").text(&p.kind)]);
    paragraphs(ctx.ink, buf, slot.inner(), &reasons(p));
}

fn reasons(p: &Prediction) -> Vec<Phrase> {
    if p.is_missed() {
        return vec![Phrase::new().role(Role::Warn, "▲ ").text("it came without having been said: no forecast was sure enough")];
    }
    p.factors.iter().map(|f| Phrase::new().role(Role::Pred, "◆ ").text(f)).collect()
}

/// Advice, what stands at the limit, and the keys.
pub fn todo(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, p: &Prediction) {
    slot.title(ctx.ink, buf, &Phrase::new().strong("What to do"), &[]);
    paragraphs(ctx.ink, buf, slot.inner(), &advice(ctx, p));
}

/// Rows of reasons and advice beside each other, in panes of that width.
pub fn height(ctx: &DrawContext, p: &Prediction, width: u16) -> u16 {
    let rows = |lines: &[Phrase]| lines.iter().map(|l| l.wrap(width).len()).sum::<usize>();
    u16::try_from(rows(&reasons(p)).max(rows(&advice(ctx, p)))).unwrap_or(u16::MAX)
}

fn advice(ctx: &DrawContext, p: &Prediction) -> Vec<Phrase> {
    let mut said = vec![Phrase::new().strong(&p.advice)];
    if p.outcome.is_none() && p.advice.is_empty() {
        said = vec![Phrase::new().dim("nothing is proposed")];
    }
    if let Some(alert) = ctx.snapshot.firing().find(|a| super::parts::is_about(a, &p.key)) {
        let (glyph, role) = super::parts::alert_glyph(alert);
        said.extend([Phrase::new(), Phrase::new().bold(role, glyph).dim(" already an alert: ").text(&alert.title)]);
    }
    said.push(Phrase::new());
    for id in ["silence", "export"] {
        if let Some(action) = ACTIONS.iter().find(|a| a.id == id && a.place.has(ctx.state.view) && (a.enabled)(ctx.state)) {
            said.push(Phrase::new().strong(action.keys.first().copied().unwrap_or("")).text(" ").dim(action.help));
        }
    }
    said
}

/// When, how likely, and whether to believe it.
pub fn how_sure(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, p: &Prediction) {
    let head = Phrase::new().strong("How sure");
    slot.title(ctx.ink, buf, &head, &[Phrase::new().dim("confidence ").text(&format!("{:.2}", p.confidence))]);
    let inner = slot.inner();
    let mut y = 0;
    if p.outcome.is_none() && inner.height > 4 {
        interval(ctx, buf, row(inner, 0), p);
        y = if inner.height > 7 { 3 } else { 2 };
    }
    let (right, scored) = own_record(ctx.snapshot, p);
    let mut said = Vec::new();
    if let Some(outcome) = p.outcome {
        let role = if p.is_missed() || outcome == Outcome::Wrong { Role::Crit } else { Role::Ok };
        said.push(Phrase::new().dim("it ").bold(role, &ending(p, outcome)));
    }
    let probability = Phrase::new().dim("likely ").bold(Role::Pred, &format!("{:.2}", p.probability));
    said.push(match calibration(ctx.snapshot, p) {
        Some(c) => {
            let came = f64::from(c.came) / f64::from(c.cases);
            let of = format!(" of {} that said about {:.2}", c.cases, c.said);
            probability.dim(", and ").text(&format!("{came:.2}")).dim(&of).dim(" came")
        }
        None => probability.dim(", not proven yet: no prediction was due so far"),
    });
    said.push(match scored {
        0 => Phrase::new().dim("the first word about this within a week"),
        _ => Phrase::new().dim("about this right ").text(&right.to_string()).dim(&format!(" of {scored} within a week")),
    });
    let rest = Rect { y: inner.y + y, height: inner.height.saturating_sub(y), ..inner };
    paragraphs(ctx.ink, buf, rest, &said);
    earlier(ctx, buf, Rect { y: rest.y + 4, height: rest.height.saturating_sub(4), ..rest }, p);
}

/// What was said before about the same, newest first.
fn earlier(ctx: &DrawContext, buf: &mut Buffer, area: Rect, p: &Prediction) {
    let same = ctx.snapshot.predictions.iter().filter(|o| o.key == p.key && o.id != p.id);
    for (y, o) in (area.y..area.bottom()).zip(same.filter_map(|o| o.outcome.map(|outcome| (o, outcome)))) {
        let (o, outcome) = o;
        let glyph = match outcome {
            _ if o.is_missed() => Phrase::new().role(Role::Warn, "▲ "),
            Outcome::Right => Phrase::new().role(Role::Ok, "✓ "),
            Outcome::Wrong => Phrase::new().role(Role::Crit, "✘ "),
        };
        let when = time_or_date(o.made_at, ctx.snapshot.at, ctx.zone());
        let name = glyph.dim(&format!("{when} said ")).text(&format_duration(o.at.since(o.made_at)));
        cells(ctx.ink, buf, Rect { y, height: 1, ..area }, &name, &[(0, Phrase::new().text(&ending(o, outcome)))]);
    }
}

/// From now to the end of the interval: where 80 % of the courses arrive, and the likeliest moment.
fn interval(ctx: &DrawContext, buf: &mut Buffer, line: Rect, p: &Prediction) {
    let ahead = p.at_hi.since(ctx.snapshot.at).as_secs_f64() * 1.1;
    let cells_ = f64::from(line.width.saturating_sub(1));
    if ahead <= 0.0 || line.width < 24 || line.height == 0 {
        return;
    }
    let column = |at: Timestamp| line.x + (at.since(ctx.snapshot.at).as_secs_f64() / ahead * cells_) as u16;
    let (lo, at, hi) = (column(p.at_lo), column(p.at), column(p.at_hi));
    let ascii = ctx.ink.graph == Graph::Ascii;
    for x in line.x..line.right() {
        let (glyph, role) = match x {
            _ if x == at => ('◆', Role::Pred),
            _ if (lo..=hi).contains(&x) => (if ascii { '=' } else { '━' }, Role::Pred),
            _ => (if ascii { '-' } else { '─' }, Role::Line),
        };
        if let Some(cell) = buf.cell_mut((x, line.y)) {
            cell.set_char(glyph).set_style(ctx.ink.style(role));
        }
    }
    let label = |t: Timestamp| time_or_date(t, ctx.snapshot.at, ctx.zone());
    // The likeliest first, then the ends: no two touch.
    let mut taken: Vec<(u16, u16)> = Vec::new();
    let texts = [
        (at, Phrase::new().bold(Role::Pred, &label(p.at))),
        (line.x, Phrase::new().strong("now")),
        (lo, Phrase::new().dim(&label(p.at_lo))),
        (hi, Phrase::new().dim(&label(p.at_hi))),
    ];
    for (x, text) in texts {
        let wide = text.width();
        let start = x.saturating_sub(wide / 2).clamp(line.x, line.right().saturating_sub(wide).max(line.x));
        if taken.iter().all(|(a, b)| start >= b + 2 || start + wide + 2 <= *a) {
            taken.push((start, start + wide));
            text.put(ctx.ink, buf, (start, line.y + 1), line.right());
        }
    }
}

/// The method, how it did on the series' own past, and what it said from where.
pub fn made(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, p: &Prediction) {
    let at = |t| moment(t, ctx.snapshot.at, ctx.zone());
    slot.title(ctx.ink, buf, &Phrase::new().strong("How it was made"), &[Phrase::new().dim("said ").text(&at(p.made_at))]);
    let inner = slot.inner();
    let Some(forecast) = ctx.snapshot.forecast(&p.key) else {
        return paragraphs(ctx.ink, buf, inner, &[Phrase::new().dim("method ").text(&p.method)]);
    };
    let mut facts: Vec<(&str, Phrase)> = vec![
        ("method", Phrase::new().text(&forecast.method)),
        ("from data up to", Phrase::new().text(&at(forecast.made_at))),
        ("one step, looks ahead", {
            let steps = u32::try_from(forecast.mean.len()).unwrap_or(u32::MAX);
            let horizon = forecast.step.saturating_mul(steps);
            Phrase::new().text(&format_duration(forecast.step)).dim(", ").text(&format_duration(horizon))
        }),
    ];
    let b = &forecast.backtest;
    if b.n > 0 {
        facts.push(("tried on its own past", Phrase::new().text(&b.n.to_string()).dim(" times")));
    }
    if let Some(mase) = b.mase {
        let role = if mase < 1.0 { Role::Ok } else { Role::Warn };
        facts.push(("error beside repeating the last value", Phrase::new().role(role, &format!("×{mase:.2}"))));
    }
    if let Some(coverage) = b.coverage80 {
        facts.push(("its 80% band held the truth in", Phrase::new().text(&format!("{:.0}", coverage * 100.0)).dim("%")));
    }
    if let Some(reason) = &forecast.none_because {
        facts.push(("no forecast", Phrase::new().text(reason)));
    }
    for (i, (name, value)) in (0_u16..).zip(&facts) {
        fact(ctx.ink, buf, row(inner, i), &Phrase::new().dim(name), value);
    }
    let used = u16::try_from(facts.len()).unwrap_or(u16::MAX);
    let rest = Rect { y: inner.y + used.min(inner.height), height: inner.height.saturating_sub(used), ..inner };
    if let Some(tried) = b.tried.as_ref().filter(|_| rest.height >= TRIED) {
        return prediction_chart::tried(ctx, buf, rest, (forecast, tried));
    }
    let rest = Rect { y: rest.y + 1, height: rest.height.saturating_sub(1), ..rest };
    let unit = ctx.snapshot.catalog.unit(p.key.metric());
    // Some points of the course in figures, from the next to the last.
    let n = forecast.mean.len();
    let rows = usize::from(rest.height).min(n);
    for (y, i) in (0_u16..).zip((0..rows).map(|k| (k + 1) * n / rows.max(1)).map(|i| i.saturating_sub(1))) {
        let (Some(mean), Some(band)) = (forecast.mean.get(i), forecast.band80.get(i)) else { continue };
        let then = forecast.made_at + forecast.step.saturating_mul(u32::try_from(i + 1).unwrap_or(u32::MAX));
        let name = Phrase::new().dim("expected ").dim(&time_or_date(then, ctx.snapshot.at, ctx.zone()));
        let band = Phrase::new().dim(&span(ctx, band.low, band.high, unit));
        cells(ctx.ink, buf, row(rest, y), &name, &[(0, band), (16, ctx.quantity(Role::Text, *mean, unit))]);
    }
}

/// Rows from which on what was tried is drawn: a head, three of the plot and the axis.
const TRIED: u16 = 5;

/// All of it in a few lines.
pub fn in_short(ctx: &DrawContext, buf: &mut Buffer, slot: Slot, p: &Prediction) {
    let (right, scored) = own_record(ctx.snapshot, p);
    let record = if scored > 0 {
        Phrase::new().dim("about this right ").text(&right.to_string()).dim(&format!(" of {scored}"))
    } else {
        Phrase::new().dim("new")
    };
    slot.title(ctx.ink, buf, &Phrase::new().strong("Why and what to do"), &[record]);
    let inner = slot.inner();
    let mut said = reasons(p);
    if p.outcome.is_none() {
        let between = Phrase::new().dim("80% between ").text(&until(ctx, p.at_lo)).dim(" and ").text(&until(ctx, p.at_hi));
        said.insert(0, between.dim(", confidence ").text(&format!("{:.2}", p.confidence)));
        meter(
            ctx.ink,
            buf,
            (inner.right().saturating_sub(8), inner.y),
            8,
            Meter { share: p.confidence, limit: None, role: Role::Pred },
        );
    }
    if !p.advice.is_empty() {
        said.push(Phrase::new().dim("to do ").strong(&p.advice));
    }
    paragraphs(ctx.ink, buf, inner, &said);
}
