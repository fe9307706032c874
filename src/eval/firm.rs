//! How firm the figures of a detection are: by chance of the files, by other numbers, on tracks a bar was not chosen on.
//!
//! Never changes what is measured. Invariant: the same folder gives the same tables.

use serde::Serialize;

use super::alarms::Watching;
use super::figures::{Groups, quantile};
use super::folder::{EvalError, Folder};
use super::summary::Detected;
use super::variant::VARIANTS;
use super::work::{FileResult, Parts, work};
use crate::analyze::Noise;

/// Draws of files.
const DRAWS: usize = 1000;
/// Ends of the interval: 90 % of the draws lie between.
const ENDS: [f64; 2] = [0.05, 0.95];
const SEED: u64 = 2;

/// Event F1 of a track, or of the mean over host tracks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Firm {
    /// Track, `hosts` for their mean.
    pub track: String,
    /// As measured.
    pub f1: f64,
    /// Where 90 % of draws of files (with repetition, within each track) lie.
    pub interval: [f64; 2],
    /// With the score to count from chosen on all other tracks; `None` for the mean and for one track alone.
    pub left_out: Option<f64>,
    /// By variant, in their order.
    pub variants: Vec<f64>,
}

/// By track, the mean over hosts last where there are any.
fn f1s(groups: &Groups) -> Vec<(String, f64)> {
    let hosts = groups.macro_hosts.as_ref().map(|f| ("hosts".to_owned(), f.f1));
    groups.tracks.iter().map(|(t, f)| (t.clone(), f.f1)).chain(hosts).collect()
}

/// Measures it: runs the detection once more for every variant.
///
/// # Errors
/// A file that cannot be read.
pub fn firmness(
    folder: &Folder,
    watching: &Watching,
    results: &[FileResult],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Firm>, EvalError> {
    let Some(detected) = Detected::of(results) else { return Ok(Vec::new()) };
    let mut variants = Vec::new();
    for variant in VARIANTS {
        let varied = work(&folder.varied(variant), watching, Parts::Detection, progress)?;
        variants.push(Detected::of(&varied).map(|d| f1s(&d.groups_from(0.0))).unwrap_or_default());
    }
    let draws = drawn(&detected);
    let measured = detected.groups_from(0.0);
    let row = |(place, (track, f1)): (usize, (String, f64))| {
        let drawn: Vec<f64> = draws.iter().filter_map(|d| Some(d.get(place)?.1)).collect();
        let interval = ENDS.map(|share| quantile(&drawn, share).unwrap_or(f1));
        let variants = variants.iter().map(|v| v.get(place).map_or(0.0, |(_, f1)| *f1)).collect();
        Firm { left_out: left_out(&detected, &track), track, f1, interval, variants }
    };
    Ok(f1s(&measured).into_iter().enumerate().map(row).collect())
}

/// F1 of every draw.
fn drawn(detected: &Detected<'_>) -> Vec<Vec<(String, f64)>> {
    let (files, counts) = detected.counts();
    let mut noise = Noise::new(SEED);
    let draw = |_| {
        let pick = |i: usize, noise: &mut Noise| {
            let siblings: Vec<usize> = (0..files.len()).filter(|j| files[*j].track == files[i].track).collect();
            counts[siblings[noise.below(siblings.len())]].clone()
        };
        let picked: Vec<_> = (0..files.len()).map(|i| pick(i, &mut noise)).collect();
        f1s(&Groups::of(files, &picked))
    };
    (0..DRAWS).map(draw).collect()
}

/// F1 of a track from the score on that is best on all others.
fn left_out(detected: &Detected<'_>, track: &str) -> Option<f64> {
    let of = |groups: &Groups, own: bool| -> Vec<f64> {
        groups.tracks.iter().filter(|(t, _)| (t == track) == own).map(|(_, f)| f.f1).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let tried: Vec<Groups> = detected.thresholds().into_iter().map(|t| detected.groups_from(t)).collect();
    let best =
        tried.iter().filter(|g| !of(g, false).is_empty()).max_by(|a, b| mean(&of(a, false)).total_cmp(&mean(&of(b, false))))?;
    of(best, true).first().copied()
}
