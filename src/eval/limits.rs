//! "Reaches the limit within": one probability per origin, compared with what came.
//!
//! Invariant: asked only while the value is on the near side, scored only where the outcome is fully known.

use std::time::Duration;

use serde::Serialize;

use super::alarms::key_of;
use super::courses::history;
use super::figures::{quantile, ratio};
use super::folder::{LimitQuestion, Side};
use super::table::Table;
use crate::analyze::{CROSSING_TOLD, ForecastTask, crossing_plan, reaches};
use crate::base::{Timestamp, Unit};
use crate::model::{Catalog, Limit, MetricDef};

/// An answer, as the protocol's lines have it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LimitLine {
    /// Which file.
    pub file: String,
    /// Which column.
    pub column: String,
    /// From when on.
    pub origin: i64,
    /// The limit.
    pub limit: f64,
    /// How far ahead, in seconds.
    pub horizon_s: i64,
    /// How likely, 0–1.
    pub p: f64,
    /// Whether farol would say that it happens.
    pub yes: bool,
}

/// An answer beside its outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// How likely it was said to be.
    pub p: f64,
    /// Whether farol said that it happens.
    pub yes: bool,
    /// When it was asked.
    pub origin: i64,
    /// When it happened, if it did.
    pub when: Option<i64>,
}

/// Answers a question from all its origins that can be scored.
pub fn answer(question: &LimitQuestion, table: &Table, catalog: &Catalog) -> Vec<(LimitLine, Outcome)> {
    let Some(column) = table.column(&question.column) else { return Vec::new() };
    let key = key_of(&question.column, catalog);
    let horizon = Duration::from_secs(u64::try_from(question.horizon_s).unwrap_or(0));
    let interval = Duration::from_secs(u64::try_from(table.interval()).unwrap_or(1));
    let plan = crossing_plan(horizon, interval);
    let past = i64::try_from(plan.past.as_secs()).unwrap_or(i64::MAX);
    let limit = match question.direction {
        Side::Above => Limit::Above(question.limit),
        Side::Below => Limit::Below(question.limit),
    };
    let mut answers = Vec::with_capacity(question.origins.len());
    for origin in &question.origins {
        let Some(when) = outcome(question, *origin, table) else { continue };
        let task = ForecastTask {
            key: key.clone(),
            def: catalog.get(key.metric()).copied().unwrap_or(MetricDef::gauge("value", Unit::Count, "")),
            history: history(table, column, [origin.saturating_sub(past), origin + 1]),
            step: plan.step,
            horizon,
            limit: Some(limit),
            now: Timestamp::from_seconds(*origin),
        };
        let p = reaches(&task).map_or(0.0, |c| c.probability);
        let yes = p >= CROSSING_TOLD;
        let line = LimitLine {
            file: question.file.clone(),
            column: question.column.clone(),
            origin: *origin,
            limit: question.limit,
            horizon_s: question.horizon_s,
            p,
            yes,
        };
        answers.push((line, Outcome { p, yes, origin: *origin, when }));
    }
    answers
}

/// When it happened within the horizon; `None` where the question is void: beyond already, or the data end before.
fn outcome(question: &LimitQuestion, origin: i64, table: &Table) -> Option<Option<i64>> {
    let column = table.column(&question.column)?;
    let beyond = |row: usize| {
        column.values[row].is_some_and(|v| match question.direction {
            Side::Above => v >= question.limit,
            Side::Below => v <= question.limit,
        })
    };
    let end = origin + question.horizon_s;
    let (from, to) = (table.times.partition_point(|t| *t <= origin), table.times.partition_point(|t| *t <= end));
    if from == 0 || from == to || *table.times.last()? < end || beyond(from - 1) {
        return None;
    }
    Some((from..to).find(|row| beyond(*row)).map(|row| table.times[row]))
}

/// Figures of one kind of question, of farol or of a reference.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LimitFigures {
    /// Kind of question.
    pub task: String,
    /// `farol`, `base rate` or `never`.
    pub who: &'static str,
    /// Questions.
    pub n: usize,
    /// Of which it happened.
    pub positives: usize,
    /// Share of those.
    pub base_rate: f64,
    /// Mean of recall and specificity.
    pub balanced_accuracy: Option<f64>,
    /// Right among those said.
    pub precision: Option<f64>,
    /// Said among those that happened.
    pub recall: Option<f64>,
    /// Right among all.
    pub accuracy: f64,
    /// Mean squared error of the probability.
    pub brier: f64,
    /// 1 − that over the base rate's.
    pub brier_skill: Option<f64>,
    /// Real crossings.
    pub events: usize,
    /// Of which some answer before said so.
    pub events_foreseen: Option<f64>,
    /// From the begin of the last unbroken run of yes to the crossing, in seconds.
    pub lead_median_s: Option<f64>,
}

impl LimitFigures {
    /// Of farol and the two references; `series` keeps the questions of one series together.
    pub fn of(task: &str, series: &[Vec<Outcome>]) -> [Self; 3] {
        let all: Vec<Outcome> = series.iter().flatten().copied().collect();
        let base = ratio(all.iter().filter(|o| o.when.is_some()).count() as f64, all.len() as f64).unwrap_or(0.0);
        let with = |p: f64| all.iter().map(|o| Outcome { p, yes: false, ..*o }).collect::<Vec<Outcome>>();
        let leads: Vec<(bool, Option<f64>)> = series.iter().flat_map(|s| leads(s)).collect();
        let known: Vec<f64> = leads.iter().filter_map(|(_, lead)| *lead).collect();
        let named = |who: &'static str, figures: Self| Self { task: task.to_owned(), who, ..figures };
        let farol = Self {
            events: leads.len(),
            events_foreseen: ratio(leads.iter().filter(|(seen, _)| *seen).count() as f64, leads.len() as f64),
            lead_median_s: quantile(&known, 0.5),
            ..Self::sum(&all)
        };
        [named("farol", farol), named("base rate", Self::sum(&with(base))), named("never", Self::sum(&with(0.0)))]
    }

    fn sum(all: &[Outcome]) -> Self {
        let count = |yes: bool, came: bool| all.iter().filter(|o| o.yes == yes && o.when.is_some() == came).count() as f64;
        let (hit, alarm, miss, quiet) = (count(true, true), count(true, false), count(false, true), count(false, false));
        let n = all.len() as f64;
        let base = (hit + miss) / n;
        let brier = all.iter().map(|o| (o.p - f64::from(u8::from(o.when.is_some()))).powi(2)).sum::<f64>() / n;
        let (recall, specificity) = (ratio(hit, hit + miss), ratio(quiet, quiet + alarm));
        Self {
            n: all.len(),
            positives: (hit + miss) as usize,
            base_rate: base,
            balanced_accuracy: recall.zip(specificity).map(|(r, s)| (r + s) / 2.0),
            precision: ratio(hit, hit + alarm),
            recall,
            accuracy: (hit + quiet) / n,
            brier,
            brier_skill: (base > 0.0 && base < 1.0).then(|| 1.0 - brier / (base * (1.0 - base))),
            ..Self::default()
        }
    }
}

/// Of every real crossing: whether any answer before it was yes, and the lead of the last unbroken run of yes.
fn leads(outcomes: &[Outcome]) -> Vec<(bool, Option<f64>)> {
    let mut whens: Vec<i64> = outcomes.iter().filter_map(|o| o.when).collect();
    whens.sort_unstable();
    whens.dedup();
    let of = |when: i64| {
        let mut asked: Vec<&Outcome> = outcomes.iter().filter(|o| o.when == Some(when)).collect();
        asked.sort_by_key(|o| (o.origin, o.yes));
        let run = asked.iter().rev().take_while(|o| o.yes).last();
        (asked.iter().any(|o| o.yes), run.map(|o| (when - o.origin) as f64))
    };
    whens.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lead_is_that_of_the_last_unbroken_run_of_yes() {
        let asked = |origin: i64, yes: bool| Outcome { p: 0.5, yes, origin, when: Some(1000) };
        let series = [vec![asked(0, true), asked(100, false), asked(200, true), asked(300, true)], vec![asked(0, false)]];
        let [farol, base, never] = LimitFigures::of("fill", &series);
        assert_eq!((farol.events, farol.events_foreseen, farol.lead_median_s), (2, Some(0.5), Some(800.0)));
        assert_eq!((farol.recall, farol.precision, base.brier, never.brier), (Some(0.6), Some(1.0), 0.0, 1.0));
    }
}
