//! How much past a forecast reads, in which steps, and how far it looks ahead.
//!
//! Invariant: steps are those history is kept in, so that reading them is cheap.

use std::time::Duration;

use super::AnalyzeConfig;

/// What to read from history and what to ask of [`super::forecast`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForecastPlan {
    /// How much of the past to read.
    pub past: Duration,
    /// Time between two points, of the history read and of the forecast.
    pub step: Duration,
    /// How far to look ahead.
    pub horizon: Duration,
    /// How often to make it again.
    pub renew: Duration,
}

/// Lengths of steps, shortest first; each divides a day.
const STEPS: [u64; 9] = [1, 5, 10, 30, 60, 300, 900, 1800, 3600];
/// Steps ahead of a question for a limit: a minute of six hours.
const CROSSING_STEPS: u32 = 360;
/// A forecast has about this many points: a braille cell each at 200 columns.
const POINTS: u64 = 30;
/// Points of the past for each point ahead.
const PAST_PER_POINT: u32 = 8;
/// A day and a week need two of them: read that far where the steps are long enough to afford it.
const SEASONAL_STEP: u64 = 300;
/// Bands of days ahead need errors from many weeks: from 28 days the 95 % band of a week held 86 %, from these 94 %.
const BACKTEST_STEPS: u32 = 400;
/// No forecast on a screen is older than this many of its steps …
const RENEW_STEPS: u32 = 3;
/// … and none is made more often than this.
const RENEW_LEAST: Duration = Duration::from_secs(60);

/// The plan for a chart that shows `shown` of the past at `interval` between samples: the forecast takes a quarter
/// of its width, which is a third of what is shown.
pub fn chart_plan(shown: Duration, interval: Duration) -> ForecastPlan {
    let horizon = shown / 3;
    let wanted = (horizon.as_secs() / POINTS).max(interval.as_secs());
    let seconds = STEPS.into_iter().find(|s| *s >= wanted).unwrap_or(3600);
    let step = Duration::from_secs(seconds);
    let horizon = horizon.max(step);
    let week = Duration::from_secs(7 * 86_400);
    let past = if seconds >= SEASONAL_STEP { week } else { horizon * PAST_PER_POINT };
    ForecastPlan { past: past.max(shown), step, horizon, renew: (step * RENEW_STEPS).max(RENEW_LEAST) }
}

/// The plan for capacity: as far ahead as is known of the past, hour by hour, made anew every hour.
pub fn capacity_plan(config: &AnalyzeConfig) -> ForecastPlan {
    let hour = Duration::from_secs(3600);
    ForecastPlan { past: config.train_on, step: hour, horizon: config.train_on.max(hour), renew: hour }
}

/// How much of the past a forecast reads that somebody asks for: three times as much as it looks ahead, four weeks where
/// steps are long enough to afford them, for the week's season, and enough steps for a backtest from forty origins.
pub fn asked_past(horizon: Duration, step: Duration) -> Duration {
    let most = step * u32::try_from(super::forecast::MOST).unwrap_or(u32::MAX);
    (horizon * 3).max(Duration::from_secs(28 * 86_400)).max(step * BACKTEST_STEPS).min(most)
}

/// The plan for "is the limit reached within": a few hundred steps ahead at most, and as much past as courses are drawn
/// from: eight horizons, 400 days for days ahead.
pub fn crossing_plan(horizon: Duration, interval: Duration) -> ForecastPlan {
    let step = interval.max(horizon / CROSSING_STEPS);
    let long = horizon >= Duration::from_secs(3 * 86_400);
    let past = if long { Duration::from_secs(400 * 86_400) } else { horizon * 8 };
    ForecastPlan { past: past + step, step, horizon, renew: step }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_hour_at_one_second_looks_five_minutes_ahead() {
        let plan = chart_plan(Duration::from_secs(900), Duration::from_secs(1));
        assert_eq!((plan.step.as_secs(), plan.horizon.as_secs(), plan.past.as_secs()), (10, 300, 2400));
        assert_eq!(plan.renew.as_secs(), 60);
    }

    #[test]
    fn a_day_reads_a_week_to_know_its_season() {
        let plan = chart_plan(Duration::from_secs(86_400), Duration::from_secs(1));
        assert_eq!((plan.step.as_secs(), plan.horizon.as_secs(), plan.past.as_secs()), (1800, 28_800, 604_800));
    }

    #[test]
    fn no_step_is_shorter_than_the_interval() {
        assert_eq!(chart_plan(Duration::from_secs(60), Duration::from_secs(10)).step.as_secs(), 10);
        assert_eq!(capacity_plan(&AnalyzeConfig::default()).horizon.as_secs(), 604_800);
    }
}
