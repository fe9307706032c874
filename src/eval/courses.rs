//! Forecasts from rolling origins: asked as the running program asks, compared with what came.
//!
//! Invariant: a question nobody answers counts as the last value, so that nobody gains by skipping hard ones.

use std::time::Duration;

use serde::Serialize;

use super::alarms::key_of;
use super::figures::{quantile, ratio};
use super::folder::CourseQuestion;
use super::grid::{cut, filled};
use super::table::{Column, Table};
use crate::analyze::{ForecastTask, asked_past, forecast};
use crate::base::{Timestamp, Unit};
use crate::model::{Bucket, Catalog, MetricDef};

const DAY: i64 = 86_400;
/// In-sample errors are taken over so much of the past, for steps below a day.
const SCALE_PAST: i64 = 60 * DAY;

/// An answer, as the protocol's lines have it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CourseLine {
    /// Which file.
    pub file: String,
    /// Which column.
    pub column: String,
    /// From when on.
    pub origin: i64,
    /// Seconds between points.
    pub step: i64,
    /// Expected means of the steps.
    pub mean: Vec<f64>,
    /// 80 % band.
    pub lo80: Vec<f64>,
    /// Its upper end.
    pub hi80: Vec<f64>,
    /// 95 % band.
    pub lo95: Vec<f64>,
    /// Its upper end.
    pub hi95: Vec<f64>,
    /// Which method answered.
    #[serde(skip)]
    pub method: String,
}

/// How one answer did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CourseScore {
    /// Error in mean in-sample seasonal differences: the answer's.
    pub mase: f64,
    /// That of the last value.
    pub naive: f64,
    /// That of the season before.
    pub seasonal: f64,
    /// Symmetric error in percent.
    pub smape: f64,
    /// Shares of what came inside the 80 % and 95 % bands; `None` without bands.
    pub coverage: Option<[f64; 2]>,
}

/// Answers a question from one origin; `None` where farol has no forecast.
pub fn answer(question: &CourseQuestion, origin: i64, table: &Table, catalog: &Catalog) -> Option<CourseLine> {
    let column = table.column(&question.column)?;
    let step = Duration::from_secs(u64::try_from(question.step_s).ok()?);
    let horizon = step * u32::try_from(question.horizon_steps).ok()?;
    let past = i64::try_from(asked_past(horizon, step).as_secs()).unwrap_or(i64::MAX);
    let key = key_of(&question.column, catalog);
    let def = catalog.get(key.metric()).copied().unwrap_or(MetricDef::gauge("value", Unit::Count, ""));
    let task = ForecastTask {
        key,
        def,
        history: history(table, column, [origin.saturating_sub(past), origin]),
        step,
        horizon,
        limit: None,
        now: Timestamp::from_seconds(origin),
    };
    let made = forecast(&task);
    if made.mean.len() < question.horizon_steps {
        return None;
    }
    let take = |values: &mut dyn Iterator<Item = f64>| values.take(question.horizon_steps).collect::<Vec<f64>>();
    Some(CourseLine {
        file: question.file.clone(),
        column: question.column.clone(),
        origin,
        step: question.step_s,
        mean: take(&mut made.mean.iter().copied()),
        lo80: take(&mut made.band80.iter().map(|b| b.low)),
        hi80: take(&mut made.band80.iter().map(|b| b.high)),
        lo95: take(&mut made.band95.iter().map(|b| b.low)),
        hi95: take(&mut made.band95.iter().map(|b| b.high)),
        method: made.method,
    })
}

/// Samples from `from` on and before `to`.
pub fn history(table: &Table, column: &Column, [from, to]: [i64; 2]) -> Vec<Bucket> {
    let rows = table.times.partition_point(|t| *t < from)..table.times.partition_point(|t| *t < to);
    rows.filter_map(|row| Some(Bucket::raw(Timestamp::from_seconds(table.times[row]), column.values[row]?))).collect()
}

/// Compares an answer (or the last value) with what came; `None` without enough history or truth.
pub fn score(question: &CourseQuestion, origin: i64, table: &Table, line: Option<&CourseLine>) -> Option<CourseScore> {
    let column = table.column(&question.column)?;
    let (step, horizon) = (question.step_s, question.horizon_steps);
    let season = usize::try_from((question.season_s as f64 / step as f64).round_ties_even() as i64).unwrap_or(1).max(1);
    let most = if step < DAY { SCALE_PAST / step } else { 1_000_000 };
    let back = (origin - table.times.first()?).div_euclid(step).min(most).max(1);
    let cut = cut(table, column, origin, step, [usize::try_from(back).ok()?, horizon]);
    let past = filled(&cut.past);
    if past.len() <= season + 1 || cut.truth.iter().all(Option::is_none) {
        return None;
    }
    let mean = |values: &mut dyn ExactSizeIterator<Item = f64>| {
        let n = values.len() as f64;
        values.sum::<f64>() / n
    };
    let size = mean(&mut past.iter().map(|v| v.abs()));
    let mut scale = mean(&mut past.windows(season + 1).map(|w| (w[season] - w[0]).abs())) + 1e-9 * (size + 1e-9);
    if step >= DAY {
        // An idle disk would make every error infinite.
        scale = scale.max(0.01 * size);
    }
    let last = past[past.len() - 1];
    let came = || cut.truth.iter().enumerate().filter_map(|(k, v)| Some((k, (*v)?)));
    let n = came().count() as f64;
    let error = |of: &dyn Fn(usize) -> f64| came().map(|(k, v)| (v - of(k)).abs()).sum::<f64>() / n / scale;
    let expected = |k: usize| line.map_or(last, |l| l.mean[k]);
    let inside = |lo: &[f64], hi: &[f64]| came().filter(|(k, v)| (lo[*k]..=hi[*k]).contains(v)).count() as f64 / n;
    let smape = |k: usize, v: f64| 200.0 * (v - expected(k)).abs() / (v.abs() + expected(k).abs() + 1e-9);
    Some(CourseScore {
        mase: error(&expected),
        naive: error(&|_| last),
        seasonal: error(&|k| past[past.len() - season + k % season]),
        smape: came().map(|(k, v)| smape(k, v)).sum::<f64>() / n,
        coverage: line.map(|l| [inside(&l.lo80, &l.hi80), inside(&l.lo95, &l.hi95)]),
    })
}

/// Figures of one kind of question on one track or on all.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CourseFigures {
    /// Kind of question.
    pub task: String,
    /// Track, `ALL` for several together.
    pub track: String,
    /// Series.
    pub series: usize,
    /// Origins.
    pub origins: usize,
    /// Mean over series of the mean error over origins.
    pub mase_mean: f64,
    /// Median over series.
    pub mase_median: f64,
    /// Geometric mean of errors relative to the last value's.
    pub rel_mae_vs_naive: f64,
    /// Share of series better than the last value.
    pub beats_naive: f64,
    /// Symmetric error in percent.
    pub smape: f64,
    /// Share inside the 80 % band.
    pub coverage80: Option<f64>,
    /// Share inside the 95 % band.
    pub coverage95: Option<f64>,
    /// Error of the last value.
    pub naive_mase: f64,
    /// Error of the season before.
    pub seasonal_naive_mase: f64,
    /// Whether it is all of its kind.
    pub whole: bool,
}

/// Scores of one series: its track and those of its origins.
pub type SeriesScores = (String, Vec<CourseScore>);

impl CourseFigures {
    /// Of all series of a kind; with several tracks one row each and one for all.
    pub fn of(task: &str, series: &[SeriesScores]) -> Vec<Self> {
        let mut tracks: Vec<&str> = series.iter().map(|(track, _)| track.as_str()).collect();
        tracks.sort_unstable();
        tracks.dedup();
        let all = if tracks.len() > 1 { Some("ALL") } else { None };
        let one = |track: &str| {
            let runs: Vec<&[CourseScore]> =
                series.iter().filter(|(t, _)| track == "ALL" || t == track).map(|(_, r)| r.as_slice()).collect();
            Self { task: task.to_owned(), track: track.to_owned(), whole: all.is_none() || track == "ALL", ..Self::sum(&runs) }
        };
        tracks.iter().copied().chain(all).map(one).collect()
    }

    fn sum(runs: &[&[CourseScore]]) -> Self {
        let each = |of: &dyn Fn(&CourseScore) -> Option<f64>| -> Vec<f64> {
            let mean = |run: &&[CourseScore]| {
                let known: Vec<f64> = run.iter().filter_map(of).collect();
                ratio(known.iter().sum(), known.len() as f64)
            };
            runs.iter().filter_map(mean).collect()
        };
        let mean = |values: &[f64]| ratio(values.iter().sum(), values.len() as f64);
        let (mase, naive) = (each(&|s| Some(s.mase)), each(&|s| Some(s.naive)));
        let ratios: Vec<f64> = mase.iter().zip(&naive).map(|(m, n)| m.max(1e-6) / n.max(1e-6)).collect();
        let n = runs.len() as f64;
        Self {
            series: runs.len(),
            origins: runs.iter().map(|r| r.len()).sum(),
            mase_mean: mean(&mase).unwrap_or(0.0),
            mase_median: quantile(&mase, 0.5).unwrap_or(0.0),
            rel_mae_vs_naive: (ratios.iter().map(|r| r.ln()).sum::<f64>() / n).exp(),
            beats_naive: ratios.iter().filter(|r| **r < 1.0).count() as f64 / n,
            smape: mean(&each(&|s| Some(s.smape))).unwrap_or(0.0),
            coverage80: mean(&each(&|s| s.coverage.map(|c| c[0]))),
            coverage95: mean(&each(&|s| s.coverage.map(|c| c[1]))),
            naive_mase: mean(&naive).unwrap_or(0.0),
            seasonal_naive_mase: mean(&each(&|s| Some(s.seasonal))).unwrap_or(0.0),
            ..Self::default()
        }
    }
}
