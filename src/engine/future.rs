//! Which series are forecast, from how much past, and the forecasts themselves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::answer::{Context, source_failed, unread};
use super::live::Merged;
use crate::analyze::{ForecastPlan, ForecastTask, PREDICTION_SHOWN, asked_past, chart_plan, forecast, limit_for};
use crate::base::{TimeRange, Timestamp, format_duration};
use crate::model::{Backtest, Catalog, Condition, Forecast, Resolution, SeriesKey, SeriesSource, WatchedRule};
use crate::monitor::{Answer, Refusal, RefusalKind};
use crate::query;
use crate::store::View;

/// What the four charts of the overview show; the totals.
const CHARTED: &[&str] = &[
    "cpu_usage_ratio",
    "memory_used_ratio",
    "network_receive_bytes_per_second",
    "network_transmit_bytes_per_second",
    "disk_read_bytes_per_second",
    "disk_write_bytes_per_second",
];

/// The past a live chart shows by default.
const SHOWN: Duration = Duration::from_secs(3600);

/// Series and plan of one round of forecasts.
pub struct Plan {
    totals: Vec<SeriesKey>,
    limited: bool,
    plan: ForecastPlan,
}

/// The next minutes of what the charts show.
pub fn charts(interval: Duration) -> Plan {
    let totals = CHARTED.iter().map(|metric| SeriesKey::total(metric)).collect();
    Plan { totals, limited: false, plan: chart_plan(SHOWN, interval) }
}

/// The next days of what can become full.
pub fn capacity(plan: ForecastPlan) -> Plan {
    Plan { totals: Vec::new(), limited: true, plan }
}

/// How often chart forecasts are renewed.
pub fn charts_renew(interval: Duration) -> Duration {
    charts(interval).plan.renew
}

impl Plan {
    /// The series it is about.
    pub fn keys(&self, source: &Merged<'_, View>, catalog: &Catalog) -> Vec<SeriesKey> {
        let mut keys = self.totals.clone();
        if self.limited {
            let limited = catalog.iter().filter(|def| limit_for(&SeriesKey::total(def.name), catalog).is_some());
            for def in limited {
                keys.extend(source.select(Some(def.name), &[]).unwrap_or_default());
            }
        }
        keys
    }

    /// Series whose future a rule asks for and that are not among `keys`.
    pub fn asked(rules: &[WatchedRule], source: &Merged<'_, View>, keys: &[SeriesKey]) -> Vec<SeriesKey> {
        let mut asked: Vec<SeriesKey> = Vec::new();
        for expr in rules.iter().flat_map(|rule| forecast_parts(&rule.spec.expr, &rule.spec.condition)) {
            let Ok(expr) = query::parse(expr) else { continue };
            let Some((metric, matchers)) = expr.selector() else { continue };
            asked.extend(source.select(Some(metric), matchers).unwrap_or_default());
        }
        asked.sort();
        asked.dedup();
        asked.retain(|key| !keys.contains(key));
        asked
    }

    /// The forecast of one; `None` where it cannot be read or is gone.
    pub fn forecast(&self, key: &SeriesKey, source: &Merged<'_, View>, catalog: &Catalog, now: Timestamp) -> Option<Forecast> {
        one(key, &self.plan, source, catalog, now)
    }
}

fn one(key: &SeriesKey, plan: &ForecastPlan, source: &Merged<'_, View>, catalog: &Catalog, now: Timestamp) -> Option<Forecast> {
    let def = *catalog.get(key.metric())?;
    let read = |plan: &ForecastPlan| {
        let range = TimeRange::last(plan.past, now);
        source.points(key, range, Resolution::for_step(plan.step)).map(|points| points.buckets).ok()
    };
    let mut plan = *plan;
    let mut history = read(&plan)?;
    let known = history.first().map_or(Duration::ZERO, |first| now.since(first.at));
    if known < plan.step * FEWEST {
        plan = shorter(&plan, known);
        history = read(&plan)?;
    }
    // A series without a newest value is gone; its past has no future.
    history.last().filter(|b| now.since(b.at) <= plan.step * 2 + LATE)?;
    let task = ForecastTask {
        key: key.clone(),
        def,
        history,
        step: plan.step,
        horizon: plan.horizon,
        limit: limit_for(key, catalog),
        now,
    };
    Some(forecast(&task))
}

/// The selectors of a condition that are about the future.
fn forecast_parts<'a>(expr: &'a str, condition: &'a Condition) -> Vec<&'a str> {
    match condition {
        Condition::Forecast { .. } => vec![expr],
        Condition::Several { parts, .. } => parts.iter().flat_map(|p| forecast_parts(&p.expr, &p.condition)).collect(),
        _ => Vec::new(),
    }
}

/// Forecasts by series and step: of one series there is one for its chart and one for days ahead.
pub type Forecasts = BTreeMap<(SeriesKey, Duration), Arc<Forecast>>;

/// Whether a new forecast is the one that says when its series reaches its limit.
///
/// What happens within minutes is better known to the forecast in fine steps; what does not happen within them
/// is only known to the one in coarse steps.
pub fn tells(new: &Forecast, known: &Forecasts) -> bool {
    let crosses = |f: &Forecast| f.crossing.is_some_and(|c| c.probability >= PREDICTION_SHOWN);
    let others = known.values().filter(|f| f.key == new.key && f.step != new.step && crosses(f));
    let still = |f: &&Arc<Forecast>| new.made_at.since(f.made_at) <= f.step * u32::try_from(f.mean.len()).unwrap_or(u32::MAX);
    others.filter(still).all(|f| if f.step < new.step { false } else { crosses(new) })
}

/// What the newest bucket may be late by, beside two steps.
const LATE: Duration = Duration::from_secs(60);

/// No forecast, and why.
fn none(key: SeriesKey, (made_at, step): (Timestamp, Duration), why: String) -> Forecast {
    let (empty, bands) = (Arc::new([]), Arc::new([]));
    Forecast {
        key,
        made_at,
        step,
        mean: empty,
        band80: bands.clone(),
        band95: bands,
        method: String::new(),
        backtest: Backtest::default(),
        crossing: None,
        none_because: Some(why),
    }
}

/// Steps of the past a forecast wants at least.
const FEWEST: u32 = 40;

/// So many times as far ahead as is known of the past, and no farther: half of what a week of history allows.
const FARTHEST: u32 = 4;

/// Finer steps and a nearer horizon, for a series of which only `known` is known.
fn shorter(plan: &ForecastPlan, known: Duration) -> ForecastPlan {
    let steps = Resolution::ALL.into_iter().rev().map(|r| r.step()).chain([Duration::from_secs(600)]);
    let fits = steps.filter(|step| !step.is_zero() && *step * FEWEST <= known && *step < plan.step);
    let step = fits.max().unwrap_or(Duration::from_secs(60).min(plan.step));
    ForecastPlan { step, horizon: plan.horizon.min((known * FARTHEST).max(step)), ..*plan }
}

/// Forecasts somebody asks for: every series of a selector, that far ahead.
///
/// # Errors
/// A selector that is none, or of an unknown metric.
pub fn asked(
    selector: &str,
    horizon: Duration,
    context: &Context<'_>,
    capacity: &ForecastPlan,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let invalid = |e: query::QueryError| Refusal::new(RefusalKind::Invalid, e.to_string());
    let expr = query::parse(selector).map_err(invalid)?;
    expr.check(context.catalog).map_err(invalid)?;
    let source = context.source();
    // From the newest sample, whenever that was: without an engine the present is where the history ends.
    let newest = match context.view {
        Some(view) => view.newest().map_err(unread)?,
        None => None,
    };
    let live = context.head.map(|_| now.max(context.now.at));
    let at = live.or(newest).unwrap_or(now);
    let Some((metric, matchers)) = expr.selector() else {
        let message = format!(
            "\"{selector}\" is no selector; a forecast is of a metric: memory_used_ratio, disk_busy_ratio{{device=\"sda\"}}"
        );
        return Err(Refusal::new(RefusalKind::Invalid, message));
    };
    let keys = source.select(Some(metric), matchers).map_err(source_failed)?;
    let plan = asked_plan(horizon, at);
    let plan = ForecastPlan { past: plan.past.max(capacity.past), ..plan };
    let of = |key: &SeriesKey| one(key, &plan, &source, context.catalog, at);
    let mut forecasts: Vec<Forecast> = keys.iter().filter_map(of).collect();
    if forecasts.is_empty() {
        // Of series that ended no more than that is to be said, and nothing where others go on.
        let why = format!("no sample in the {} before {}", format_duration(plan.step * 2 + LATE), at.rfc3339());
        forecasts = keys.into_iter().map(|key| none(key, (at, plan.step), why.clone())).collect();
    }
    Ok(Answer::Forecast { forecasts })
}

/// Steps so fine that a hundred of them lie ahead.
fn asked_plan(horizon: Duration, at: Timestamp) -> ForecastPlan {
    let step = query::auto_step(TimeRange::last(horizon, at), 100);
    ForecastPlan { past: asked_past(horizon, step), step, horizon, renew: horizon }
}

/// A forecast as it would have been made at `at`, that far ahead; `None` where the series had no newest value then.
pub fn from(key: &SeriesKey, horizon: Duration, context: &Context<'_>, at: Timestamp) -> Option<Forecast> {
    let plan = asked_plan(horizon, at);
    one(key, &plan, &context.source(), context.catalog, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Crossing;

    fn course(step: u64, probability: Option<f64>) -> Arc<Forecast> {
        let at = Timestamp::from_seconds(1_000_000);
        Arc::new(Forecast {
            key: SeriesKey::total("memory_used_ratio"),
            made_at: at,
            step: Duration::from_secs(step),
            mean: vec![0.9; 30].into(),
            band80: Arc::new([]),
            band95: Arc::new([]),
            method: "ets".to_owned(),
            backtest: Backtest::default(),
            crossing: probability.map(|probability| Crossing { limit: 1.0, probability, at, at_lo: at, at_hi: at }),
            none_because: None,
        })
    }

    fn known(forecast: Arc<Forecast>) -> Forecasts {
        BTreeMap::from([((forecast.key.clone(), forecast.step), forecast)])
    }

    #[test]
    fn the_forecast_that_knows_better_says_when() {
        let (minutes, hours) = (course(30, Some(0.8)), course(3600, Some(0.9)));
        assert!(!tells(&hours, &known(Arc::clone(&minutes))), "the hours would put it off");
        assert!(tells(&minutes, &known(Arc::clone(&hours))));
        assert!(!tells(&course(30, None), &known(Arc::clone(&hours))), "minutes say nothing of days");
        assert!(tells(&hours, &known(course(30, None))) && tells(&minutes, &known(course(30, Some(0.9)))));
    }
}
