//! What a series is expected to do: the table of forecasters, the choice among them, and the result.
//!
//! Runs on a background thread; takes milliseconds to tens of them. Invariant: a method is shown only
//! where it was better than repeating the last value on the series' own past; bands come from its errors
//! there, never from its own claims.

mod backtest;
mod crossing;
mod ets;
mod grid;
mod mstl;
mod naive;
mod profile;
mod seasonal;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use self::backtest::{Trial, backtest};
pub use self::grid::MOST;

use self::grid::Grid;
use crate::base::{Timestamp, format_duration};
use crate::model::{Backtest, Band, Bucket, Crossing, Forecast, Limit, MetricDef, SeriesKey};

/// A method must beat repeating the last value by 5 % (measured design), else that is shown.
const MUST_GAIN: f64 = 0.95;
/// A limit is expected to be reached from this probability on: such events are rare, and a full disk costs more than a look
/// at it. From 0.03 to 0.1 balanced accuracy is about the same. Predictions are raised much later (`PREDICTION_SHOWN`).
pub const CROSSING_TOLD: f64 = 0.07;
/// Points below which nothing is said.
const FEWEST: usize = 12;
/// A forecast reaches at most about this many times as far as the past is known.
const LONGEST_REACH: usize = 8;

/// What a forecast is made from.
#[derive(Debug, Clone)]
pub struct ForecastTask {
    /// Which series.
    pub key: SeriesKey,
    /// Its metric: unit and possible range.
    pub def: MetricDef,
    /// Buckets of the past by time, at most `step` long; gaps are absent.
    pub history: Vec<Bucket>,
    /// Time between two points.
    pub step: Duration,
    /// How far to look ahead.
    pub horizon: Duration,
    /// The limit whose crossing is of interest.
    pub limit: Option<Limit>,
    /// Now; history after it is not looked at.
    pub now: Timestamp,
}

/// The past of a series as forecasters see it.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// Values at equal distances without gaps, oldest first; not all equal.
    pub values: &'a [f64],
    /// Lengths of the day and the week in points where two of them are known; shortest first.
    pub periods: &'a [usize],
}

/// Expects the course of a series from its past.
pub trait Forecaster: Debug + Sync {
    /// Its name in forecasts.
    fn name(&self) -> &'static str;
    /// The next `horizon` values; `None` where this method cannot say anything of such a past.
    fn forecast(&self, past: Past<'_>, horizon: usize) -> Option<Vec<f64>>;
    /// From how many origins a backtest may ask it: few where one answer takes milliseconds.
    fn origins(&self) -> usize;
}

/// All forecasters; the first is what the others must beat.
pub const FORECASTERS: &[&dyn Forecaster] = &[&naive::Naive, &seasonal::SeasonalNaive, &profile::Profile, &ets::Ets, &mstl::Mstl];

/// The expected course of a series, or why there is none.
pub fn forecast(task: &ForecastTask) -> Forecast {
    let Some(grid) = Grid::of(task) else { return none(task, task.now, "no history".to_owned()) };
    let step = task.step.max(Duration::from_millis(1));
    let horizon = usize::try_from(task.horizon.as_millis().div_ceil(step.as_millis())).unwrap_or(0).clamp(1, grid::MOST);
    let need = FEWEST + horizon / LONGEST_REACH;
    if grid.values.len() < need {
        let span = |n: usize| format_duration(step * u32::try_from(n).unwrap_or(u32::MAX));
        return none(task, grid.end, format!("too little history ({} of {})", span(grid.values.len()), span(need)));
    }
    let mut forecast = none(task, grid.end, String::new());
    forecast.none_because = None;
    if grid.is_constant() {
        return constant(forecast, grid.newest, horizon);
    }
    let past = Past { values: grid.newest_values(), periods: &grid.periods };
    let (champion, trial, mase) = choose(past, horizon);
    let range = task.def.range;
    let Some(mean) = champion.forecast(past, horizon).or_else(|| naive::Naive.forecast(past, horizon)) else {
        return none(task, grid.end, "no method fits".to_owned());
    };
    let band = |level: f64| -> Arc<[Band]> {
        let half = (0..horizon).map(|k| trial.reach(k, level));
        mean.iter().zip(half).map(|(m, half)| Band { low: clamp(m - half, range), high: clamp(m + half, range) }).collect()
    };
    (forecast.band80, forecast.band95) = (band(0.8), band(0.95));
    forecast.mean = mean.iter().map(|m| clamp(*m, range)).collect();
    forecast.method = champion.name().to_owned();
    forecast.backtest = Backtest { mase, coverage80: trial.coverage(0.8), n: trial.origins(), tried: trial.tried(step) };
    forecast.crossing = task.limit.and_then(|limit| crossing::crossing(&grid, limit, horizon, step));
    forecast
}

/// How likely the series reaches its limit within the horizon, and when; `None` where that is next to impossible, where
/// it is reached already, or where nothing is known.
pub fn reaches(task: &ForecastTask) -> Option<Crossing> {
    let grid = Grid::of(task)?;
    let step = task.step.max(Duration::from_millis(1));
    let horizon = usize::try_from(task.horizon.as_millis().div_ceil(step.as_millis())).unwrap_or(0).clamp(1, grid::MOST);
    crossing::crossing(&grid, task.limit?, horizon, step)
}

/// The forecaster with the smallest error on the past, how it did, and its error relative to the first one's.
fn choose(past: Past<'_>, horizon: usize) -> (&'static dyn Forecaster, Trial, Option<f64>) {
    let mut trials = FORECASTERS.iter().filter_map(|f| Some((*f, backtest(*f, past, horizon)?)));
    let Some((first, base)) = trials.next() else { return (FORECASTERS[0], Trial::default(), None) };
    let mut best = (first, base.clone(), 1.0);
    for (forecaster, trial) in trials {
        let Some(gain) = trial.relative_to(&base) else { continue };
        if gain < MUST_GAIN && gain < best.2 {
            best = (forecaster, trial, gain);
        }
    }
    let mase = base.has_errors().then_some(best.2);
    (best.0, best.1, mase)
}

fn none(task: &ForecastTask, made_at: Timestamp, because: String) -> Forecast {
    Forecast {
        key: task.key.clone(),
        made_at,
        step: task.step,
        mean: Arc::new([]),
        band80: Arc::new([]),
        band95: Arc::new([]),
        method: String::new(),
        backtest: Backtest::default(),
        crossing: None,
        none_because: Some(because),
    }
}

/// A series that never moved is expected to stay; models of constants give nonsense.
fn constant(forecast: Forecast, value: f64, horizon: usize) -> Forecast {
    let band: Arc<[Band]> = vec![Band { low: value, high: value }; horizon].into();
    let mean = vec![value; horizon].into();
    Forecast { mean, band80: Arc::clone(&band), band95: band, method: naive::Naive.name().to_owned(), ..forecast }
}

fn clamp(value: f64, range: (Option<f64>, Option<f64>)) -> f64 {
    let value = range.0.map_or(value, |low| value.max(low));
    range.1.map_or(value, |high| value.min(high))
}

#[cfg(test)]
mod tests;
