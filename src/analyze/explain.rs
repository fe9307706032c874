//! What is said of an unusual series: the sentence, the names, and what moved with it.
//!
//! Invariant: text for people is made here only, with units, from values on their own scale.

use std::fmt::Write as _;

use super::detect::{DETECTORS, DetectorDef};
use super::series::{Recent, Series};
use crate::base::{Timestamp, format_value};
use crate::model::{Catalog, Correlate, SeriesKey};

/// A spread is this many mean errors (normal distribution: √(π/2)).
const SPREAD_PER_ERROR: f64 = 1.2533;
/// Weaker correlations are left out: below, half of what moves is something else.
const WEAKEST: f64 = 0.7;
/// Series of one subject as alike as this are one quantity said twice; rounding and sampling leave a thousandth.
const TWIN: f64 = 0.995;
/// What moved by less than this part of itself would stand there as +0 %.
const LEAST_MOVE: f64 = 0.01;
/// Ten-second points two series must share: two minutes.
const FEWEST_POINTS: usize = 12;

/// The detector that speaks for a series: the first that voted on the newest value, else the baseline's.
pub fn loudest(series: &Series) -> &'static DetectorDef {
    let voted = series.votes.iter().position(|vote| *vote).unwrap_or(0);
    &DETECTORS[voted]
}

/// One line on why the newest value is unusual.
pub fn reason(series: &Series, at: Timestamp, catalog: &Catalog) -> String {
    let unit = catalog.unit(series.key.metric());
    let Some(band) = series.band(at.seconds()) else { return loudest(series).says.to_owned() };
    let usual = format!("{}–{}", format_value(band.low, unit), format_value(band.high, unit));
    let expected = series.baseline.expected(at.seconds()).unwrap_or_default();
    let distance = series.scale.inside(series.last) - expected;
    let spread = (SPREAD_PER_ERROR * series.baseline.mean_error()).max(series.floor);
    let spreads = (distance.abs() / spread).min(999.0);
    if series.last > band.high {
        format!("{spreads:.1} spreads above its usual {usual}")
    } else if series.last < band.low {
        format!("{spreads:.1} spreads below its usual {usual}")
    } else {
        format!("{} (usual {usual})", loudest(series).says)
    }
}

/// Names of series for people, most surprised first.
pub fn names<'a>(series: impl Iterator<Item = &'a Series>) -> String {
    let mut text = String::new();
    for (i, series) in series.enumerate() {
        let name = series.key.metric().replace('_', " ");
        let _ = write!(text, "{}{name}", if i == 0 { "" } else { ", " });
        if !series.key.is_total() {
            let _ = write!(text, " {}", series.key.instance());
        }
    }
    text
}

/// The series that moved most alike with `of`, by Pearson's correlation of ten-second means, strongest first: one of each metric,
/// none that is the same quantity said in another way (what is available beside what is used), and none that hardly moved.
pub fn correlates(of: &Series, all: &[Series], catalog: &Catalog, n: usize) -> Vec<Correlate> {
    let own: Vec<f64> = of.recent.values_now().collect();
    let mut found: Vec<(f64, &Series)> = all
        .iter()
        .filter(|other| other.key != of.key && moved(other))
        .filter_map(|other| {
            let r = together(&own, of.recent.end(), &other.recent)?;
            let is_twin = r.abs() >= TWIN && first_word(&other.key) == first_word(&of.key);
            (r.abs() >= WEAKEST && !is_twin).then_some((r, other))
        })
        .collect();
    found.sort_by(|(a, x), (b, y)| b.abs().total_cmp(&a.abs()).then_with(|| x.key.cmp(&y.key)));
    let mut named: Vec<Correlate> = Vec::with_capacity(n);
    for (correlation, other) in found {
        if named.len() == n {
            break;
        }
        if named.iter().all(|c| c.key.metric() != other.key.metric()) {
            let usual = other.usual(other.last_at as f64 / 1000.0).unwrap_or(other.last);
            let unit = catalog.unit(other.key.metric());
            named.push(Correlate { key: other.key.clone(), value: other.last, usual, unit, correlation });
        }
    }
    named
}

/// Whether its newest minutes differ by more than what means nothing.
fn moved(series: &Series) -> bool {
    let (low, high) = series.recent.values_now().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let inside = |value| series.scale.inside(value);
    high - low >= LEAST_MOVE * high.abs().max(low.abs()) && inside(high) - inside(low) >= series.floor
}

fn first_word(key: &SeriesKey) -> &str {
    key.metric().split('_').next().unwrap_or_default()
}

/// Correlation of the slots both have; `end` is the slot `own` ends with.
fn together(own: &[f64], end: i64, other: &Recent) -> Option<f64> {
    let lag = usize::try_from(end.abs_diff(other.end())).ok()?;
    let theirs: Vec<f64> = other.values_now().collect();
    let (ours, theirs) = if end > other.end() {
        (own.get(..own.len().checked_sub(lag)?)?, &theirs[..])
    } else {
        (own, theirs.get(..theirs.len().checked_sub(lag)?)?)
    };
    let shared = ours.len().min(theirs.len());
    correlation(&ours[ours.len() - shared..], &theirs[theirs.len() - shared..])
}

/// Pearson's correlation; `None` for few points or where one of them did not move.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len();
    if n < FEWEST_POINTS {
        return None;
    }
    let mean = |v: &[f64]| v.iter().sum::<f64>() / n as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    // Rounding of single-precision means: relative 1e-7 per point.
    let moved = |ss: f64, mean: f64| ss > 1e-12 * mean * mean * n as f64 && ss > 0.0;
    (moved(aa, mean_a) && moved(bb, mean_b)).then(|| (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0))
}
