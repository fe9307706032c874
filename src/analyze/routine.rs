//! What is routine: the machine was as unusual at that time of the day on earlier days.
//!
//! A job that comes every night warns on its first nights and is a mark from then on. Never judges a series. Invariant: what
//! comes at a time that was mostly calm, or is much more than it was then, is no routine.

use super::archive::Archive;
use crate::base::Timestamp;

/// Quarters of an hour in a day, as of the profile of a series.
const BINS: usize = 96;
const BIN_MS: i64 = 900_000;
/// Days kept: today and a week before it, so that a job of working days is routine on Monday …
const DAYS: usize = 8;
/// … of which so many must have been as unusual.
const TIMES: usize = 2;
/// Steps of a kept height, which is at most 8 then.
const STEPS: f64 = 32.0;
/// What is so many times as unusual as on those days is news: jobs vary less.
const NEWS: f64 = 1.5;
/// Less than half of what warns is not worth keeping.
const LEAST: f64 = 0.5;

/// How unusual the machine was in the quarters of the last days.
#[derive(Debug, Clone, Default)]
pub struct Routine {
    /// Highest score of each quarter, over the bar of warnings, in [`STEPS`]; empty while there was none.
    peaks: Vec<u8>,
    /// Number of the quarter that is going on, since 1970.
    quarter: i64,
    /// The highest in it.
    peak: f64,
}

/// Where a quarter is kept.
fn place(quarter: i64) -> usize {
    quarter.rem_euclid((BINS * DAYS) as i64) as usize
}

impl Routine {
    /// Takes in a score over the bar of warnings, and says whether it is as on earlier days.
    pub fn observe(&mut self, at: Timestamp, height: f64) -> bool {
        let quarter = at.0.div_euclid(BIN_MS);
        if quarter != self.quarter {
            self.turn(quarter);
        }
        self.peak = self.peak.max(height);
        height >= LEAST && !self.peaks.is_empty() && height <= NEWS * self.usual()
    }

    /// What was reached around this time on [`TIMES`] of the last days: from the quarter before to the one after, for a job
    /// that comes a little early or late.
    fn usual(&self) -> f64 {
        let mut days = [0; DAYS - 1];
        for (day, peak) in (1..).zip(&mut days) {
            let then = self.quarter - day * BINS as i64;
            *peak = (then - 1..=then + 1).map(|quarter| self.peaks[place(quarter)]).max().unwrap_or(0);
        }
        days.sort_unstable();
        f64::from(days[DAYS - 1 - TIMES]) / STEPS
    }

    /// Ends a quarter; those that were left out were calm.
    fn turn(&mut self, quarter: i64) {
        if self.peaks.is_empty() && self.peak >= LEAST {
            self.peaks = vec![0; BINS * DAYS];
        }
        if !self.peaks.is_empty() {
            self.peaks[place(self.quarter)] = if self.peak >= LEAST { (self.peak * STEPS) as u8 } else { 0 };
            let missing = quarter.abs_diff(self.quarter).saturating_sub(1).min(self.peaks.len() as u64);
            (1..=missing as i64).for_each(|i| self.peaks[place(quarter - i)] = 0);
        }
        (self.quarter, self.peak) = (quarter, 0.0);
    }

    /// Writes or reads its state.
    pub fn archive(&mut self, archive: &mut Archive<'_>) {
        let n = archive.len(self.peaks.len(), BINS * DAYS);
        self.peaks.resize(n, 0);
        self.peaks.iter_mut().for_each(|peak| archive.u8(peak));
        archive.i64(&mut self.quarter);
        archive.f64(&mut self.peak);
        if !self.peaks.is_empty() && self.peaks.len() != BINS * DAYS {
            archive.refuse();
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a job of that height is routine each night, and whether something as unusual at noon of the last day is.
    fn nights(heights: &[f64]) -> (Vec<bool>, bool) {
        let mut routine = Routine::default();
        let (mut nights, mut noon) = (Vec::new(), false);
        for (day, height) in (0_i64..).zip(heights) {
            let mut was = true;
            for minute in 0..1440_i64 {
                // A minute later every night.
                let is_job = *height > 0.0 && (180 + day..200 + day).contains(&minute);
                let is_news = day + 1 == heights.len() as i64 && (720..730).contains(&minute);
                let now = if is_job || is_news { height.max(1.0) } else { 0.2 };
                let said = routine.observe(Timestamp::from_seconds((day * 1440 + minute) * 60), now);
                was &= said || !is_job;
                noon |= said && is_news;
            }
            nights.push(was && *height > 0.0);
        }
        (nights, noon)
    }

    #[test]
    fn a_nightly_job_becomes_routine_and_news_stays_news() {
        let (nights, noon) = nights(&[1.2, 1.1, 1.3, 1.2, 1.1]);
        assert_eq!(nights, [false, false, true, true, true]);
        assert!(!noon, "noon was always calm");
    }

    #[test]
    fn a_job_of_working_days_is_routine_on_monday_and_one_bad_night_is_not() {
        assert!(nights(&[1.2, 1.2, 1.2, 1.2, 1.2, 0.0, 0.0, 1.2]).0[7]);
        assert_eq!(nights(&[1.2, 0.0, 1.2]).0, [false; 3]);
    }

    #[test]
    fn much_more_than_on_other_nights_is_news() {
        assert_eq!(nights(&[1.2, 1.2, 2.4]).0, [false; 3]);
    }
}
