//! How good predictions were, and what is expected of every series.
//!
//! Invariant: what was wrong and what was missed stands beside what was right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{Slot, cells, paragraphs, row, series_name, span};
use crate::base::format_duration;
use crate::model::{Calibration, Forecast};
use crate::ui::pane::DrawContext;
use crate::ui::widgets::meter::{Meter, meter};
use crate::ui::widgets::{Phrase, Role};

/// Whether anything is looked ahead.
pub fn has_forecasts(ctx: &DrawContext) -> bool {
    ctx.cursor().is_none() && !ctx.snapshot.forecasts.is_empty()
}

/// What became of what was said.
pub fn how_good(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let record = &ctx.snapshot.record;
    slot.title(ctx.ink, buf, &Phrase::new().strong("How good it was"), &[Phrase::new().dim("all that was said so far")]);
    let inner = slot.inner();
    let scored = record.right + record.wrong;
    if scored + record.missed == 0 {
        let said = [
            Phrase::new().dim("No prediction was due yet: each is scored when its interval has passed,"),
            Phrase::new().dim("and what happens without having been said counts as missed."),
        ];
        return paragraphs(ctx.ink, buf, inner, &said);
    }
    let came = record.right + record.missed;
    let share = |part: u32, all: u32, role: Role| {
        let percent = if all == 0 { "-".to_owned() } else { format!("{:.0}%", f64::from(part) / f64::from(all) * 100.0) };
        Phrase::new().strong(&part.to_string()).dim(&format!(" of {all}  ")).role(role, &format!("{percent:>4}"))
    };
    // P4 of the goals promises that 85 of 100 come, and are foreseen.
    let kept = |part: u32, all: u32| if f64::from(part) >= 0.85 * f64::from(all) { Role::Ok } else { Role::Warn };
    let mut facts = vec![
        ("of what was said came", share(record.right, scored, kept(record.right, scored))),
        ("of what came was said", share(record.right, came, kept(record.right, came))),
    ];
    if let Some(lead) = record.lead_seconds {
        let lead = format_duration(std::time::Duration::from_secs_f64(lead.max(0.0)));
        facts.push(("said before, median", Phrase::new().text(&lead)));
    }
    if let (Some(own), Some(base)) = (record.brier, record.base_rate_brier) {
        let (role, word) = if own < base { (Role::Ok, "better than") } else { (Role::Warn, "no better than") };
        let score = Phrase::new().role(role, &format!("{own:.2}"));
        facts.push(("Brier score", score.dim(&format!(" {word} the base rate's {base:.2}"))));
    }
    for (i, (name, value)) in (0_u16..).zip(&facts) {
        let line = row(inner, i);
        if line.height > 0 {
            Phrase::new().dim(name).put(ctx.ink, buf, (line.x, line.y), line.right());
            value.put(ctx.ink, buf, (line.x + 24, line.y), line.right());
        }
    }
}

/// Share that came by what was said: equal where probabilities are honest.
pub fn calibration(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let all = ctx.snapshot.record.said;
    let cases: u32 = all.iter().map(|c| c.cases).sum();
    let mean = |part: &dyn Fn(&Calibration) -> f64| all.iter().map(|c| part(c) * f64::from(c.cases)).sum::<f64>();
    let came = |c: &Calibration| if c.cases > 0 { f64::from(c.came) / f64::from(c.cases) } else { 0.0 };
    let title = Phrase::new().strong("Is 0.8 really 0.8?").dim(" what came, by what was said");
    let error = mean(&|c| (came(c) - c.said).abs()) / f64::from(cases.max(1));
    let error = if cases > 0 { Phrase::new().dim("off by ").text(&format!("{error:.2}")) } else { Phrase::new() };
    slot.title(ctx.ink, buf, &title, &[error]);
    let inner = slot.inner();
    cells(
        ctx.ink,
        buf,
        row(inner, 0),
        &Phrase::new().dim("said"),
        &[(0, Phrase::new().dim("cases")), (8, Phrase::new().dim("came"))],
    );
    for (i, (c, floor)) in (1_u16..).zip(all.iter().zip([0.7, 0.8, 0.9])) {
        let line = row(inner, i);
        if line.height == 0 {
            break;
        }
        let said = if c.cases > 0 { format!("{:.2}", c.said) } else { format!("{floor:.1}…") };
        let shown = |text: String| if c.cases > 0 { Phrase::new().text(&text) } else { Phrase::new().dim("-") };
        let figures = [(0, shown(c.cases.to_string())), (8, shown(format!("{:.2}", came(c))))];
        cells(ctx.ink, buf, line, &Phrase::new().text(&said), &figures);
        let wide = line.width.saturating_sub(6 + 15);
        if wide > 5 {
            let limit = (c.cases > 0).then_some(c.said);
            meter(ctx.ink, buf, (line.x + 6, line.y), wide, Meter { share: came(c), limit, role: Role::Pred });
        }
    }
}

/// What is expected of every series that is looked ahead.
pub fn expected(ctx: &DrawContext, buf: &mut Buffer, slot: Slot) {
    let count = format!(" {} series are looked ahead", ctx.snapshot.forecasts.len());
    slot.title(
        ctx.ink,
        buf,
        &Phrase::new().strong("Expected").dim(&count),
        &[Phrase::new().dim("error ×1 = repeating the last value")],
    );
    let inner = slot.inner();
    let heads = [(0, "error"), (8, "80%"), (25, "then"), (35, "now"), (45, "ahead")];
    cells(ctx.ink, buf, row(inner, 0), &Phrase::new().dim("series"), &heads.map(|(at, name)| (at, Phrase::new().dim(name))));
    for (i, f) in (1..inner.height).zip(ctx.snapshot.forecasts.iter()) {
        expected_line(ctx, buf, row(inner, i), f);
    }
}

fn expected_line(ctx: &DrawContext, buf: &mut Buffer, line: Rect, f: &Forecast) {
    let unit = ctx.snapshot.catalog.unit(f.key.metric());
    let name = Phrase::new().text(&series_name(&f.key));
    let (Some(then), Some(band)) = (f.mean.last(), f.band80.last()) else {
        let why = f.none_because.as_deref().unwrap_or("no forecast yet");
        return cells(ctx.ink, buf, line, &name, &[(0, Phrase::new().dim(why))]);
    };
    let ahead = f.step.saturating_mul(u32::try_from(f.mean.len()).unwrap_or(u32::MAX));
    let now = ctx.snapshot.value(&f.key).map_or_else(|| Phrase::new().dim("-"), |v| ctx.quantity(Role::Text, v, unit));
    let error = f.backtest.mase.map_or_else(|| Phrase::new().dim("-"), |m| Phrase::new().text(&format!("×{m:.2}")));
    let band = span(ctx, band.low, band.high, unit);
    let then = ctx.quantity(Role::Pred, *then, unit);
    let all =
        [(0, error), (8, Phrase::new().dim(&band)), (25, then), (35, now), (45, Phrase::new().dim(&format_duration(ahead)))];
    cells(ctx.ink, buf, line, &name, &all);
}
