//! Rates that stay far above what they nearly ever were: storms and floods.
//!
//! One table of rates. Invariant: what comes on two of the last days is no news, and what goes on for a quarter of an hour is the
//! new normal.

use std::collections::BTreeMap;

use crate::base::Timestamp;
use crate::model::{Reading, SeriesKey};

/// The metric it gives.
const SURGE: &str = "surge_ratio";

/// A rate that is watched.
struct Rate {
    metric: &'static str,
    /// What it is, for people.
    what: &'static str,
    /// Less is nothing to tell of.
    floor: f64,
    /// So many times as much as 99 of 100.
    factor: f64,
}

/// Floors are above what desktops, builds of software and small servers come to in their busy minutes. Of CPU the limits of its own
/// rules tell: half a machine at work for ten seconds is what it is for.
const RATES: &[Rate] = &[
    Rate { metric: "disk_flushes_per_second", what: "flushes to", floor: 50.0, factor: 4.0 },
    Rate { metric: "forks_per_second", what: "new processes", floor: 100.0, factor: 4.0 },
    Rate { metric: "tcp_accepts_per_second", what: "incoming connections", floor: 40.0, factor: 4.0 },
    Rate { metric: "tcp_opens_per_second", what: "outgoing connections", floor: 40.0, factor: 4.0 },
];

/// What must hold for so long: eight of ten seconds.
const SECONDS: f64 = 10.0;
const MOST: usize = 10;
const FEWEST: usize = 3;
const SHARE_BELOW: f64 = 0.2;
/// Until then bars sink from double, and before the first nothing is said.
const LEARNING_SECONDS: f64 = 900.0;
/// Until [`TIMES`] days are known it takes so many times as much, and double the floor: a build or a backup may be this machine's
/// daily bread.
const DOUBT: f64 = 5.0;
const SILENT_SECONDS: f64 = 180.0;
/// Of 100 samples 99 are below what is learned, and how fast it moves: up to double within a quarter of an hour, down to half within
/// a day.
const RARE: f64 = 0.99;
const GAIN: f64 = 0.001;
/// A surge that lasts longer is how things are now.
const NORMAL_SECONDS: f64 = 900.0;
/// Days kept, and how many of them must have had as much; more than this times as much is news.
const DAYS: usize = 8;
const TIMES: usize = 2;
const NEWS: f64 = 1.5;
const DAY_MS: i64 = 86_400_000;

/// One series.
#[derive(Debug, Clone, Default)]
struct Course {
    newest: Vec<f32>,
    age: f64,
    mean: f64,
    /// What 99 of 100 samples are below.
    high: f64,
    /// Highest of each of the last days, today's among them, by the day's number.
    days: [(i64, f32); DAYS],
    /// Seconds it goes on, and the bar it is over at; `None` while it is usual.
    on: Option<(f64, f64)>,
}

impl Course {
    /// Takes in a value; gives how many times as much as usual it is, where that is far more.
    fn observe(&mut self, (day, step): (i64, f64), value: f64, rate: &Rate) -> Option<f64> {
        let n = ((SECONDS / step.max(0.1)) as usize).clamp(FEWEST, MOST);
        while self.newest.len() >= n {
            self.newest.remove(0);
        }
        self.newest.push(value as f32);
        if self.newest.len() < n {
            return None;
        }
        let level = level(&self.newest);
        self.age += step;
        let usual = self.high.max(self.habit(day));
        let learning = 2.0 - (self.age / LEARNING_SECONDS).min(1.0);
        let doubt = if self.days_before(day).count() < TIMES { DOUBT } else { learning };
        let bar = (rate.factor * self.high * doubt).max(NEWS * self.habit(day)).max(rate.floor * doubt.min(2.0));
        self.on = match self.on {
            Some((lasted, end)) if level >= end && lasted < NORMAL_SECONDS => Some((lasted + step, end)),
            None if level >= bar && self.age >= SILENT_SECONDS => Some((0.0, bar / 2.0)),
            Some((lasted, _)) if lasted >= NORMAL_SECONDS => {
                self.high = self.high.max(level);
                None
            }
            _ => None,
        };
        self.remember(day, level);
        if self.on.is_none() {
            self.learn(level, step);
        }
        self.on.map(|_| level / usual.max(rate.floor / 20.0))
    }

    fn learn(&mut self, level: f64, step: f64) {
        self.mean += (level - self.mean) * (step / self.age.min(LEARNING_SECONDS)).min(1.0);
        if self.age < LEARNING_SECONDS {
            self.high = self.high.max(level);
        } else {
            // Robbins-Monro: up on each sample beyond, down otherwise, in balance where RARE are below.
            let move_by = GAIN * step * self.mean * if level > self.high { RARE } else { RARE - 1.0 };
            self.high = (self.high + move_by).max(0.0);
        }
    }

    fn remember(&mut self, day: i64, level: f64) {
        let place = day.rem_euclid(DAYS as i64) as usize;
        let (number, highest) = &mut self.days[place];
        if *number != day {
            (*number, *highest) = (day, 0.0);
        }
        *highest = highest.max(level as f32);
    }

    /// What was reached on two of the days before.
    fn habit(&self, day: i64) -> f64 {
        let (mut highest, mut next) = (0.0_f32, 0.0_f32);
        for level in self.days_before(day) {
            (highest, next) = if level > highest { (level, highest) } else { (highest, next.max(level)) };
        }
        f64::from(next)
    }

    /// The highest of each of the last days before this one that were seen.
    fn days_before(&self, day: i64) -> impl Iterator<Item = f32> {
        self.days.iter().filter(move |(number, _)| (1..DAYS as i64).contains(&(day - number))).map(|d| d.1)
    }
}

/// What all but [`SHARE_BELOW`] of them reach.
fn level(newest: &[f32]) -> f64 {
    let mut sorted = [0.0_f32; MOST];
    let sorted = &mut sorted[..newest.len()];
    sorted.copy_from_slice(newest);
    sorted.sort_by(f32::total_cmp);
    f64::from(sorted[(SHARE_BELOW * newest.len() as f64) as usize])
}

/// Watches all rates of the table.
#[derive(Debug, Default)]
pub struct Surges {
    courses: BTreeMap<SeriesKey, Course>,
    found: Vec<(SeriesKey, f64)>,
}

impl Surges {
    /// Takes in a round, `step` seconds after the one before; `readings` are sorted by key.
    pub fn observe(&mut self, at: Timestamp, readings: &[Reading], step: f64) {
        self.found.clear();
        let day = at.0.div_euclid(DAY_MS);
        for rate in RATES {
            let from = readings.partition_point(|r| r.key.metric() < rate.metric);
            let own = readings.iter().skip(from).take_while(|r| r.key.metric() == rate.metric);
            for reading in own.filter(|r| r.key.label("core").is_none()) {
                if !self.courses.contains_key(&reading.key) {
                    self.courses.insert(reading.key.clone(), Course::default());
                }
                let Some(course) = self.courses.get_mut(&reading.key) else { continue };
                if let Some(ratio) = course.observe((day, step), reading.value, rate) {
                    self.found.push((key(rate, &reading.key), ratio));
                }
            }
        }
    }

    /// What is fresh has a gap behind it.
    pub fn interrupt(&mut self) {
        self.courses.values_mut().for_each(|course| (course.newest.clear(), course.on = None).0);
        self.found.clear();
    }

    /// What surges, and how many times as much it is as usual.
    pub fn found(&self) -> &[(SeriesKey, f64)] {
        &self.found
    }

    /// The days' highest, to be kept.
    pub fn save(&self) -> Vec<(String, [(i64, f32); DAYS])> {
        let newest = |course: &Course| course.days.iter().map(|d| d.0).max().unwrap_or(0);
        let today = self.courses.values().map(newest).max().unwrap_or(0);
        // What was not there for so long is gone.
        let there = self.courses.iter().filter(|(_, course)| today - newest(course) < DAYS as i64);
        there.map(|(key, course)| (key.to_string(), course.days)).collect()
    }

    /// Takes back what was kept.
    pub fn restore(&mut self, kept: Vec<(String, [(i64, f32); DAYS])>) {
        let known = kept.into_iter().filter_map(|(key, days)| Some((key.parse().ok()?, Course { days, ..Course::default() })));
        self.courses.extend(known);
    }
}

fn key(rate: &Rate, key: &SeriesKey) -> SeriesKey {
    SeriesKey::new(SURGE, [("what", rate.what), ("metric", rate.metric)].into_iter().chain(key.labels()))
}
