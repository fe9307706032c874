//! How good predictions were, and what is expected of every series.
//!
//! Invariant: what was wrong and what was missed stands beside what was right.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::parts::{Slot, cells, paragraphs, row, series_name, span};
use crate::base::format_duration;
use crate::model::{Calibration, Forecast, Outcome, SeriesKey, Snapshot};
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
        let score = Phrase::new().role(if own < base { Role::Ok } else { Role::Warn }, &format!("{own:.2}"));
        facts.push(("Brier score", score.dim(&format!(", of the base rate {base:.2}"))));
    }
    for (i, (name, value)) in (0_u16..).zip(&facts) {
        let line = row(inner, i);
        if line.height > 0 {
            Phrase::new().dim(name).put(ctx.ink, buf, (line.x, line.y), line.right());
            value.put(ctx.ink, buf, (line.x + 24, line.y), line.right());
        }
    }
    let used = u16::try_from(facts.len()).unwrap_or(u16::MAX).min(inner.height);
    kind_rows(ctx, buf, Rect { y: inner.y + used, height: inner.height - used, ..inner });
}

/// Rows of the record with its border: what there is to say and no more.
pub fn height(snapshot: &Snapshot) -> u16 {
    let record = &snapshot.record;
    if record.right + record.wrong + record.missed == 0 {
        return 3;
    }
    let kinds = u16::try_from(kinds(snapshot).len()).unwrap_or(KINDS);
    1 + 2 + u16::from(record.lead_seconds.is_some()) + u16::from(record.brier.is_some()) + if kinds > 0 { 1 + kinds } else { 0 }
}

/// Kinds that are listed: most of what was said is about a few things.
const KINDS: u16 = 4;

/// What became of the predictions of the week by what they are about: name, right, wrong, missed; most first.
fn kinds(snapshot: &Snapshot) -> Vec<(String, [u32; 3])> {
    let mut all: BTreeMap<String, [u32; 3]> = BTreeMap::new();
    for (p, outcome) in snapshot.predictions.iter().filter_map(|p| Some((p, p.outcome?))) {
        let at = match outcome {
            _ if p.is_missed() => 2,
            Outcome::Right => 0,
            Outcome::Wrong => 1,
        };
        let about = series_name(&SeriesKey::total(p.key.metric()));
        let [right, wrong, missed] = all.entry(format!("{about}, {}", p.kind)).or_default();
        *[right, wrong, missed][at] += 1;
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u32>()));
    all.truncate(usize::from(KINDS));
    all
}

fn kind_rows(ctx: &DrawContext, buf: &mut Buffer, area: Rect) {
    let kinds = kinds(ctx.snapshot);
    if kinds.is_empty() {
        return;
    }
    let heads = [(18, "right"), (9, "wrong"), (0, "missed")].map(|(at, name)| (at, Phrase::new().dim(name)));
    cells(ctx.ink, buf, row(area, 0), &Phrase::new().dim("about, by model, 7 d"), &heads);
    for (y, (name, counts)) in (area.y + 1..area.bottom()).zip(&kinds) {
        let shown = |at: usize, role: Role| match counts[at] {
            0 => Phrase::new().dim("0"),
            n => Phrase::new().bold(role, &n.to_string()),
        };
        let figures = [(18, shown(0, Role::Ok)), (9, shown(1, Role::Crit)), (0, shown(2, Role::Warn))];
        cells(ctx.ink, buf, Rect { y, height: 1, ..area }, &Phrase::new().text(name), &figures);
    }
}

/// Whether anything became due, so that there is something to compare.
pub fn has_cases(snapshot: &Snapshot) -> bool {
    snapshot.record.said.iter().any(|c| c.cases > 0)
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
    let heads = ["error", "80%", "then", "now", "ahead"].map(|name| Phrase::new().dim(name));
    expected_cells(ctx, buf, row(inner, 0), (&Phrase::new().dim("series"), heads));
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
    let all = [error, Phrase::new().dim(&band), then, now, Phrase::new().dim(&format_duration(ahead))];
    expected_cells(ctx, buf, line, (&name, all));
}

/// Error, band, value then and now, how far ahead; a narrow pane goes without band and reach, so that names are whole.
fn expected_cells(
    ctx: &DrawContext,
    buf: &mut Buffer,
    line: Rect,
    (name, [error, band, then, now, ahead]): (&Phrase, [Phrase; 5]),
) {
    let all = if line.width >= NARROW {
        vec![(0, error), (8, band), (25, then), (35, now), (45, ahead)]
    } else {
        vec![(0, error), (8, then), (20, now)]
    };
    cells(ctx.ink, buf, line, name, &all);
}

/// Columns below which what is expected is said without its band.
const NARROW: u16 = 64;
