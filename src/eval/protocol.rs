//! How alarms are counted against labeled windows: protocol `farol-eval/1`.
//!
//! Never raises an alarm itself. Invariant: the same alarms and labels give the same counts, whoever raised them.

use super::folder::Label;

const DAY: f64 = 86_400.0;

/// A span in unix seconds, both ends included.
pub type Span = (i64, i64);

/// What scoring needs to know of one labeled file.
#[derive(Debug, Clone)]
pub struct Scored {
    /// Its key in the labels.
    pub name: String,
    /// The first folder of its path; artificial files apart.
    pub track: String,
    /// Nominal seconds between samples.
    pub step: i64,
    /// Times of the scored samples.
    pub times: Vec<i64>,
    /// Labeled incidents that reach into the scored part.
    pub windows: Vec<Span>,
    tolerance: i64,
    gap: i64,
    refresh: i64,
    bin: i64,
    /// Which bins of the scored part are normal: they hold samples, none of them in a window with its tolerance.
    normal: Vec<bool>,
    days: f64,
}

/// Counts of one file or of several.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// Windows in which an alarm opened.
    pub detected: f64,
    /// Windows in which none did.
    pub missed: f64,
    /// Alarms that opened in no window.
    pub false_alarms: f64,
    /// Normal bins that a false alarm touches.
    pub touched: f64,
    /// Normal bins.
    pub normal: f64,
    /// Length of the normal bins in days.
    pub days: f64,
    /// Alarms.
    pub alarms: f64,
    /// From the start of a window to its first alarm, in seconds.
    pub delays: Vec<f64>,
    /// The same in steps of the file.
    pub steps: Vec<f64>,
}

impl Counts {
    /// Adds those of another file.
    pub fn add(&mut self, other: &Self) {
        for (sum, by) in self.numbers().into_iter().zip(other.clone().numbers()) {
            *sum += *by;
        }
        self.delays.extend(&other.delays);
        self.steps.extend(&other.steps);
    }

    /// Divides all counts, not the delays: for means over repetitions.
    pub fn divide(&mut self, by: f64) {
        self.numbers().into_iter().for_each(|n| *n /= by);
    }

    fn numbers(&mut self) -> [&mut f64; 7] {
        let Self { detected, missed, false_alarms, touched, normal, days, alarms, .. } = self;
        [detected, missed, false_alarms, touched, normal, days, alarms]
    }
}

impl Scored {
    /// From a file's labels and the times of its samples; `None` without a part to score.
    pub fn new(name: &str, label: &Label, times: &[i64]) -> Option<Self> {
        let from = label.score_from?;
        let step = label.interval_s.max(1);
        let times: Vec<i64> = times.iter().copied().filter(|t| *t >= from).collect();
        let (start, end) = (*times.first()?, *times.last()?);
        let folder = name.split('/').next().unwrap_or(name);
        let mut scored = Self {
            name: name.to_owned(),
            track: if label.artificial { format!("{folder}-artificial") } else { folder.to_owned() },
            step,
            windows: label.windows.iter().copied().filter(|(_, b)| *b >= from).collect(),
            tolerance: label.tolerance_s.unwrap_or_else(|| (3 * step).max(30)),
            gap: (5 * step).max(10),
            refresh: 60 * step,
            bin: (12 * step).max(60),
            normal: Vec::new(),
            days: 0.0,
            times,
        };
        let mut normal = vec![false; scored.place(end - start) + 1];
        scored.times.iter().for_each(|t| normal[scored.place(t - start)] = true);
        let inside = scored.times.iter().filter(|t| scored.windows.iter().any(|w| scored.reaches(*w, **t)));
        inside.for_each(|t| normal[scored.place(t - start)] = false);
        scored.days = normal.iter().filter(|n| **n).count() as f64 * scored.bin as f64 / DAY;
        scored.normal = normal;
        Some(scored)
    }

    fn place(&self, after_start: i64) -> usize {
        usize::try_from(after_start / self.bin).unwrap_or(0)
    }

    fn reaches(&self, (a, b): Span, at: i64) -> bool {
        a - self.tolerance <= at && at <= b + self.tolerance
    }

    /// First and last scored second.
    pub fn span(&self) -> Span {
        (self.times[0], self.times[self.times.len() - 1])
    }

    /// Spans as alarms: cut to the scored part, joined over short gaps.
    pub fn joined(&self, spans: &[Span]) -> Vec<Span> {
        let (start, end) = self.span();
        let clipped = spans.iter().filter(|(a, b)| *b >= start && *a <= end);
        let mut clipped: Vec<Span> = clipped.map(|(a, b)| (start.max(*a), end.min(*b))).collect();
        clipped.sort_unstable();
        let mut joined: Vec<Span> = Vec::new();
        for (a, b) in clipped {
            match joined.last_mut() {
                Some(last) if a - last.1 <= self.gap => last.1 = last.1.max(b),
                _ => joined.push((a, b)),
            }
        }
        joined
    }

    /// Alarms, those that stay open counted anew after every refresh.
    pub fn alarms(&self, spans: &[Span]) -> Vec<Span> {
        let mut alarms = Vec::new();
        for (mut a, b) in self.joined(spans) {
            while b - a >= self.refresh {
                alarms.push((a, a + self.refresh - 1));
                a += self.refresh;
            }
            alarms.push((a, b));
        }
        alarms
    }

    /// Counts of raw spans.
    pub fn score(&self, spans: &[Span]) -> Counts {
        let alarms = self.alarms(spans);
        let mut hit = vec![false; alarms.len()];
        let mut counts = Counts { days: self.days, alarms: alarms.len() as f64, ..Counts::default() };
        for window in &self.windows {
            let mut first = None;
            for ((opened, _), hit) in alarms.iter().zip(&mut hit).filter(|((opened, _), _)| self.reaches(*window, *opened)) {
                *hit = true;
                first.get_or_insert(*opened);
            }
            let Some(opened) = first else {
                counts.missed += 1.0;
                continue;
            };
            counts.detected += 1.0;
            let delay = (opened - window.0).max(0) as f64;
            counts.delays.push(delay);
            counts.steps.push(delay / self.step as f64);
        }
        let start = self.span().0;
        let mut touched = vec![false; self.normal.len()];
        for ((a, b), _) in alarms.iter().zip(&hit).filter(|(_, hit)| !**hit) {
            counts.false_alarms += 1.0;
            touched[self.place(a - start)..=self.place(b - start)].fill(true);
        }
        counts.touched = touched.iter().zip(&self.normal).filter(|(t, n)| **t && **n).count() as f64;
        counts.normal = self.normal.iter().filter(|n| **n).count() as f64;
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day of minutes, scored from the second hour on.
    fn day(windows: &[Span]) -> Scored {
        let label = Label { interval_s: 60, score_from: Some(7200), windows: windows.to_vec(), ..Label::default() };
        let times: Vec<i64> = (0..1440).map(|i| i * 60).collect();
        Scored::new("host/a.csv.gz", &label, &times).expect("a scored part")
    }

    #[test]
    fn an_alarm_belongs_to_the_window_it_opens_in() {
        let day = day(&[(20_000, 21_000), (50_000, 50_600)]);
        let counts = day.score(&[(20_500, 20_700), (40_000, 40_100), (49_000, 50_300)]);
        assert_eq!((counts.detected, counts.missed, counts.false_alarms), (1.0, 1.0, 2.0));
        assert_eq!((counts.delays, counts.steps), (vec![500.0], vec![500.0 / 60.0]));
    }

    #[test]
    fn alarms_close_together_are_one_and_long_ones_are_several() {
        let day = day(&[]);
        assert_eq!(day.alarms(&[(30_000, 30_060), (30_360, 30_400)]).len(), 1);
        assert_eq!(day.alarms(&[(30_000, 30_060), (30_361, 30_400)]).len(), 2);
        assert_eq!(day.alarms(&[(30_000, 30_000 + 3600)]), [(30_000, 33_599), (33_600, 33_600)]);
        assert_eq!(day.alarms(&[(0, 7300), (0, 100)]), [(7200, 7300)], "an alarm open at the start opens there");
    }

    #[test]
    fn normal_time_leaves_windows_out() {
        let day = day(&[(20_000, 21_000)]);
        // 22 hours in bins of 12 minutes, of which the window with three minutes on either side touches three.
        assert_eq!(day.score(&[]).normal, 107.0);
        let touched = day.score(&[(30_000, 31_000)]);
        assert_eq!((touched.touched, touched.false_alarms), (3.0, 1.0));
    }
}
