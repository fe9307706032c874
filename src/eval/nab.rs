//! The Numenta Anomaly Benchmark's own score of alarms as they are (standard profile).
//!
//! Source: Lavin and Ahmad, "Evaluating real-time anomaly detection algorithms", ICMLA 2015. Invariant: no alarm
//! scores 0, all windows found at their first sample and nothing else scores 100.

use super::protocol::Span;

/// What a false alarm far from any window costs.
const FALSE_WEIGHT: f64 = 0.11;

/// One file of the benchmark.
pub struct NabFile<'a> {
    /// Its first scored second.
    pub from: i64,
    /// All its labeled windows.
    pub windows: &'a [Span],
    /// Times of all its samples.
    pub times: &'a [i64],
    /// When alarms opened.
    pub opened: Vec<i64>,
}

fn sigmoid(x: f64) -> f64 {
    if x > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * x).exp()) - 1.0 }
}

/// The score of all files; `None` without a window.
pub fn nab_score(files: &[NabFile<'_>]) -> Option<f64> {
    let (mut raw, mut total) = (0.0, 0.0);
    for file in files {
        raw += one(file);
        total += file.windows.len() as f64;
    }
    (total > 0.0).then(|| 100.0 * (raw + total) / (2.0 * total))
}

fn one(file: &NabFile<'_>) -> f64 {
    let times = file.times;
    let place = |at: i64| times.partition_point(|t| *t < at);
    let first = place(file.from);
    let last = |at: i64| times.partition_point(|t| *t <= at);
    let windows: Vec<(usize, usize)> = file.windows.iter().map(|(a, b)| (place(*a), last(*b).saturating_sub(1))).collect();
    let mut best: Vec<Option<f64>> = vec![None; windows.len()];
    let mut raw = 0.0;
    for opened in &file.opened {
        let i = place(*opened);
        if i < first || i >= times.len() {
            continue;
        }
        if let Some(k) = windows.iter().rposition(|(a, b)| (*a..=*b).contains(&i)) {
            let (a, b) = windows[k];
            let value = sigmoid(-((b - i + 1) as f64) / (b - a + 1) as f64) / sigmoid(-1.0);
            best[k] = Some(best[k].map_or(value, |v: f64| v.max(value)));
        } else if let Some((a, b)) = windows.iter().rev().find(|(_, b)| *b < i) {
            raw += sigmoid((i - b) as f64 / (b - a).max(1) as f64) * FALSE_WEIGHT;
        } else {
            raw -= FALSE_WEIGHT;
        }
    }
    raw + best.into_iter().map(|v| v.unwrap_or(-1.0)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_zero_the_first_sample_is_a_hundred_and_noise_costs() {
        let times: Vec<i64> = (0..400).map(|i| i * 300).collect();
        let windows = [(30_000, 60_000)];
        let score =
            |opened: &[i64]| nab_score(&[NabFile { from: 3000, windows: &windows, times: &times, opened: opened.to_vec() }]);
        assert_eq!(score(&[]), Some(0.0));
        assert_eq!(score(&[30_000]), Some(100.0));
        let late = score(&[58_000]).expect("a score");
        assert!(late > 0.0 && late < 60.0, "{late}");
        assert_eq!(score(&[30_000, 10_000]), Some(100.0 * (2.0 - FALSE_WEIGHT) / 2.0));
    }
}
