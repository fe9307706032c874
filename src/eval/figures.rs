//! From counts to figures: precision, recall, F1, false alarms, delay; per track and over tracks.
//!
//! Invariant: a figure that cannot be told (no alarm has no precision) is absent, never 0.

use serde::Serialize;

use super::protocol::{Counts, Scored};

/// The tracks that are whole machines.
pub const HOSTS: [&str; 3] = ["smd", "asd", "js2"];

/// What is reported of a track or of several.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Detected windows among detected windows and false alarms.
    pub precision: Option<f64>,
    /// Detected windows among all.
    pub recall: Option<f64>,
    /// Harmonic mean of both; 0 where nothing was detected.
    pub f1: f64,
    /// Share of normal bins that a false alarm touches.
    pub fpr: f64,
    /// False alarms per day of normal time.
    pub false_per_day: f64,
    /// Median and 90th percentile of the delay, in seconds.
    pub delay_median_s: Option<f64>,
    /// The 90th percentile.
    pub delay_p90_s: Option<f64>,
    /// The same in steps of the file.
    pub delay_median_steps: Option<f64>,
    /// The 90th percentile.
    pub delay_p90_steps: Option<f64>,
    /// Windows found, missed, and false alarms; absent for means over tracks.
    pub found: Option<[f64; 3]>,
}

/// Linear interpolation between order statistics (numpy's default).
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    let low = place.floor();
    let (a, b) = (sorted[low as usize], sorted[(low as usize + 1).min(last)]);
    Some(a + (b - a) * (place - low))
}

/// A quotient; `None` by 0.
pub fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

impl Figures {
    /// Of summed counts.
    pub fn of(counts: &Counts) -> Self {
        let precision = ratio(counts.detected, counts.detected + counts.false_alarms);
        let recall = ratio(counts.detected, counts.detected + counts.missed);
        let f1 = match (precision, recall) {
            (Some(p), Some(r)) if counts.detected > 0.0 => 2.0 * p * r / (p + r),
            _ => 0.0,
        };
        Self {
            precision,
            recall,
            f1,
            fpr: counts.touched / counts.normal.max(1.0),
            false_per_day: counts.false_alarms / counts.days.max(1e-9),
            delay_median_s: quantile(&counts.delays, 0.5),
            delay_p90_s: quantile(&counts.delays, 0.9),
            delay_median_steps: quantile(&counts.steps, 0.5),
            delay_p90_steps: quantile(&counts.steps, 0.9),
            found: Some([counts.detected, counts.missed, counts.false_alarms]),
        }
    }

    /// The plain mean over tracks; a track without a figure is left out of that one. Delays only in steps: seconds
    /// mean different things at 1 s and at 5 min.
    fn mean(tracks: &[&Self]) -> Self {
        let mean = |of: &dyn Fn(&Self) -> Option<f64>| {
            let known: Vec<f64> = tracks.iter().filter_map(|f| of(f)).collect();
            ratio(known.iter().sum(), known.len() as f64)
        };
        Self {
            precision: mean(&|f| f.precision),
            recall: mean(&|f| f.recall),
            f1: mean(&|f| Some(f.f1)).unwrap_or(0.0),
            fpr: mean(&|f| Some(f.fpr)).unwrap_or(0.0),
            false_per_day: mean(&|f| Some(f.false_per_day)).unwrap_or(0.0),
            delay_median_steps: mean(&|f| f.delay_median_steps),
            delay_p90_steps: mean(&|f| f.delay_p90_steps),
            ..Self::default()
        }
    }
}

/// Figures of one set of alarms.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Groups {
    /// By track, in the order of the labels.
    pub tracks: Vec<(String, Figures)>,
    /// Mean over the tracks that are whole machines.
    pub macro_hosts: Option<Figures>,
    /// Their counts added first: fairer for few alarms.
    pub pooled_hosts: Option<Figures>,
    /// Mean over all tracks but the artificial ones.
    pub macro_all: Option<Figures>,
}

impl Groups {
    /// Of the counts of every file.
    pub fn of(files: &[Scored], counts: &[Counts]) -> Self {
        let mut sums: Vec<(String, Counts)> = Vec::new();
        let mut pooled = Counts::default();
        for (file, count) in files.iter().zip(counts) {
            match sums.iter_mut().find(|(track, _)| *track == file.track) {
                Some((_, sum)) => sum.add(count),
                None => sums.push((file.track.clone(), count.clone())),
            }
            if HOSTS.contains(&file.track.as_str()) {
                pooled.add(count);
            }
        }
        let tracks: Vec<(String, Figures)> = sums.into_iter().map(|(t, c)| (t, Figures::of(&c))).collect();
        let some = |keep: &dyn Fn(&str) -> bool| {
            let kept: Vec<&Figures> = tracks.iter().filter(|(t, _)| keep(t)).map(|(_, f)| f).collect();
            (!kept.is_empty()).then(|| Figures::mean(&kept))
        };
        let macro_hosts = some(&|t| HOSTS.contains(&t));
        let macro_all = some(&|t| !t.ends_with("-artificial"));
        Self { pooled_hosts: macro_hosts.is_some().then(|| Figures::of(&pooled)), macro_hosts, macro_all, tracks }
    }

    /// Those of a track.
    pub fn track(&self, name: &str) -> Option<&Figures> {
        self.tracks.iter().find(|(t, _)| t == name).map(|(_, f)| f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_values() {
        assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.5), Some(2.5));
        assert_eq!(quantile(&[0.0, 10.0], 0.9), Some(9.0));
        assert_eq!((quantile(&[7.0], 0.9), quantile(&[], 0.5)), (Some(7.0), None));
    }

    #[test]
    fn without_alarms_there_is_no_precision_and_no_f1() {
        let figures = Figures::of(&Counts { missed: 3.0, normal: 10.0, days: 2.0, ..Counts::default() });
        assert_eq!((figures.precision, figures.recall, figures.f1), (None, Some(0.0), 0.0));
        let mixed =
            Counts { detected: 2.0, missed: 2.0, false_alarms: 2.0, normal: 10.0, touched: 1.0, days: 2.0, ..Counts::default() };
        let figures = Figures::of(&mixed);
        assert_eq!((figures.precision, figures.recall, figures.f1), (Some(0.5), Some(0.5), 0.5));
        assert_eq!((figures.fpr, figures.false_per_day), (0.1, 1.0));
    }
}
