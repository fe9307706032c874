//! What is said of an unusual series: the sentence, the names, and what moved with it.
//!
//! Invariant: text for people is made here only, with units, from values on their own scale.

use std::fmt::Write as _;

use super::detect::{DETECTORS, DetectorDef};
use super::series::Series;
use crate::base::{Timestamp, format_value};
use crate::model::{Catalog, Correlate};

/// A spread is this many mean errors (normal distribution: √(π/2)).
const SPREAD_PER_ERROR: f64 = 1.2533;
/// Weaker correlations are left out: below, half of what moves is something else.
const WEAKEST: f64 = 0.7;
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

/// The series that moved most alike with `of`, by Pearson's correlation of ten-second means, strongest first.
pub fn correlates(of: &Series, all: &[Series], n: usize) -> Vec<Correlate> {
    let own: Vec<f64> = of.recent.values().collect();
    let mut found: Vec<Correlate> = all
        .iter()
        .filter(|other| other.key != of.key)
        .filter_map(|other| {
            let lag = usize::try_from(of.recent.end().abs_diff(other.recent.end())).ok()?;
            let theirs: Vec<f64> = other.recent.values().collect();
            let (ours, theirs) = if of.recent.end() > other.recent.end() {
                (own.get(..own.len().checked_sub(lag)?)?, &theirs[..])
            } else {
                (&own[..], theirs.get(..theirs.len().checked_sub(lag)?)?)
            };
            let shared = ours.len().min(theirs.len());
            let r = correlation(&ours[ours.len() - shared..], &theirs[theirs.len() - shared..])?;
            let usual = other.usual(other.last_at as f64 / 1000.0).unwrap_or(other.last);
            (r.abs() >= WEAKEST).then(|| Correlate { key: other.key.clone(), value: other.last, usual, correlation: r })
        })
        .collect();
    found.sort_by(|a, b| b.correlation.abs().total_cmp(&a.correlation.abs()).then_with(|| a.key.cmp(&b.key)));
    found.truncate(n);
    found
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
