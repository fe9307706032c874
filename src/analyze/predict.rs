//! Predictions kept as made, and scored when due.
//!
//! Invariant: what was said is never changed; only the outcome is written, once.

mod heading;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::limit::Capacity;
use crate::base::{Timestamp, fnv, format_duration};
use crate::model::{Calibration, Crossing, Forecast, Outcome, Prediction, SeriesKey, TrackRecord};

/// Predictions at least this likely are shown and raised (P4 of the goals: above 0.7).
pub const PREDICTION_SHOWN: f64 = 0.7;
/// How long a scored one stays on the screen: a week, in which people remember what was said.
const SHOWN_AFTER: Duration = Duration::from_secs(7 * 86_400);
/// Scored ones on the screen at most: every snapshot carries them, and no list has more rows.
const MOST_SCORED: usize = 40;
/// Lead times kept for their median: about a month of a busy machine.
const LEADS: usize = 512;
/// After an event the value must sink by this share of the limit before it can happen again.
const HYSTERESIS: f64 = 0.02;
/// What is predicted here from forecasts; `heading` predicts degradation.
const KIND: &str = "capacity";

/// Keeps predictions as they were made and scores them when they are due.
#[derive(Debug, Default)]
pub struct Predictor {
    /// Open ones and those scored within a week.
    kept: Vec<Prediction>,
    watched: BTreeMap<SeriesKey, Watched>,
    score: Score,
    made: u64,
}

/// A series whose limit is known.
#[derive(Debug, Clone, Copy)]
struct Watched {
    limit: f64,
    /// How likely the newest forecast said it is.
    probability: f64,
    /// Whether it is beyond the limit; `None` before the first value.
    beyond: Option<bool>,
}

/// Sums over all that was scored.
#[derive(Debug, Default)]
struct Score {
    right: u32,
    wrong: u32,
    missed: u32,
    squares: f64,
    said: [Calibration; 3],
    /// Seconds from what was said to what came, oldest first.
    leads: VecDeque<f64>,
}

impl Score {
    fn add(&mut self, prediction: &Prediction) {
        let Some(outcome) = prediction.outcome else { return };
        let happened = outcome == Outcome::Right;
        match (is_shown(prediction), happened) {
            (true, true) => self.right += 1,
            (true, false) => self.wrong += 1,
            (false, true) => self.missed += 1,
            (false, false) => return,
        }
        self.squares += (prediction.probability - f64::from(u8::from(happened))).powi(2);
        if is_shown(prediction) {
            self.calibrate(prediction, happened);
        }
    }

    fn calibrate(&mut self, prediction: &Prediction, happened: bool) {
        let tenth = ((prediction.probability - PREDICTION_SHOWN) * 10.0 + 1e-9) as usize;
        let bin = &mut self.said[tenth.min(2)];
        let before = f64::from(bin.cases);
        bin.said = (bin.said * before + prediction.probability) / (before + 1.0);
        bin.cases += 1;
        bin.came += u32::from(happened);
        if let Some(at) = prediction.scored_at.filter(|_| happened) {
            self.leads.push_back(at.since(prediction.made_at).as_secs_f64());
            if self.leads.len() > LEADS {
                self.leads.pop_front();
            }
        }
    }

    fn lead(&self) -> Option<f64> {
        let mut all: Vec<f64> = self.leads.iter().copied().collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len().checked_sub(1)? / 2).copied()
    }
}

fn is_shown(prediction: &Prediction) -> bool {
    prediction.probability >= PREDICTION_SHOWN
}

impl Predictor {
    /// Without a past.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the predictions kept in the store, in any order.
    pub fn restore(kept: Vec<Prediction>) -> Self {
        let mut new = Self { made: kept.len() as u64, ..Self::default() };
        for prediction in &kept {
            new.score.add(prediction);
            if prediction.outcome.is_none() {
                new.watch(&prediction.key, prediction.limit, prediction.probability);
            }
        }
        let newest = kept.iter().filter_map(|p| p.scored_at).max().unwrap_or_default();
        new.kept = kept;
        new.forget(newest);
        new
    }

    fn watch(&mut self, key: &SeriesKey, limit: f64, probability: f64) {
        let beyond = self.watched.get(key).and_then(|w| w.beyond);
        self.watched.insert(key.clone(), Watched { limit, probability, beyond });
    }

    /// Makes predictions from the crossings of new forecasts; gives the new ones, to be stored. A series has a further
    /// one only where the newest forecast contradicts those that are open.
    pub fn update(&mut self, now: Timestamp, forecasts: &[Arc<Forecast>]) -> Vec<Prediction> {
        let mut new = Vec::new();
        for forecast in forecasts.iter().filter(|f| f.none_because.is_none()) {
            let Some(capacity) = Capacity::of(&forecast.key) else { continue };
            let crossing = forecast.crossing;
            self.watch(&forecast.key, capacity.limit, crossing.map_or(0.0, |c| c.probability));
            let Some(crossing) = crossing.filter(|c| c.probability >= PREDICTION_SHOWN && c.at_hi > now) else { continue };
            let said = self.kept.iter().any(|p| p.outcome.is_none() && p.key == forecast.key && agrees(now, p, &crossing));
            if !said {
                let prediction = self.make(now, forecast, &crossing, capacity);
                self.kept.push(prediction.clone());
                new.push(prediction);
            }
        }
        new
    }

    fn make(&mut self, now: Timestamp, forecast: &Forecast, crossing: &Crossing, capacity: &Capacity) -> Prediction {
        let width = crossing.at_hi.since(crossing.at_lo).as_secs_f64();
        let ahead = crossing.at_hi.since(now).as_secs_f64().max(1.0);
        Prediction {
            id: self.id(now, &forecast.key),
            kind: KIND.to_owned(),
            title: capacity.title(&forecast.key),
            key: forecast.key.clone(),
            limit: crossing.limit,
            probability: crossing.probability,
            at: crossing.at,
            at_lo: crossing.at_lo,
            at_hi: crossing.at_hi,
            // The narrower the interval beside its distance, the surer.
            confidence: (1.0 - width / ahead).clamp(0.0, 1.0),
            factors: factors(forecast, crossing),
            advice: capacity.advice.to_owned(),
            method: "bootstrap".to_owned(),
            made_at: now,
            outcome: None,
            scored_at: None,
        }
    }

    /// Six letters and digits from time, key and a running number.
    fn id(&mut self, now: Timestamp, key: &SeriesKey) -> String {
        loop {
            self.made += 1;
            let text = format!("{key} {} {}", now.0, self.made);
            let hash = fnv(text.as_bytes());
            let digits = (0..6).map(|i| char::from_digit((hash >> (10 * i)) as u32 % 36, 36).unwrap_or('0'));
            let id: String = std::iter::once('p').chain(digits).collect();
            if self.kept.iter().all(|p| p.id != id) {
                return id;
            }
        }
    }

    /// Looks whether something predicted happened or is overdue; gives those scored, to be stored. An event that no
    /// shown prediction named is stored as one that was too unlikely to be shown: a miss.
    pub fn observe(&mut self, now: Timestamp, values: &dyn Fn(&SeriesKey) -> Option<f64>) -> Vec<Prediction> {
        let mut happened: Vec<(SeriesKey, Watched)> = Vec::new();
        for (key, watched) in &mut self.watched {
            let Some(value) = values(key) else { continue };
            let beyond = value >= watched.limit;
            if beyond && watched.beyond == Some(false) {
                happened.push((key.clone(), *watched));
            }
            if beyond || watched.beyond != Some(true) || value < watched.limit * (1.0 - HYSTERESIS) {
                watched.beyond = Some(beyond);
            }
        }
        let mut scored = Vec::new();
        for prediction in self.kept.iter_mut().filter(|p| p.outcome.is_none()) {
            let outcome = if happened.iter().any(|(key, _)| *key == prediction.key) {
                if (prediction.at_lo..=prediction.at_hi).contains(&now) { Outcome::Right } else { Outcome::Wrong }
            } else if now > prediction.at_hi {
                Outcome::Wrong
            } else {
                continue;
            };
            (prediction.outcome, prediction.scored_at) = (Some(outcome), Some(now));
            scored.push(prediction.clone());
        }
        for (key, watched) in happened {
            if !scored.iter().any(|p| p.key == key && p.scored_at == Some(now) && p.at_hi >= now && is_shown(p)) {
                let missed = self.miss(now, &key, watched);
                self.kept.extend(missed.clone());
                scored.extend(missed);
            }
        }
        scored.iter().for_each(|p| self.score.add(p));
        self.forget(now);
        scored
    }

    /// The record of an event that nobody was told of.
    fn miss(&mut self, now: Timestamp, key: &SeriesKey, watched: Watched) -> Option<Prediction> {
        let capacity = Capacity::of(key)?;
        Some(Prediction {
            id: self.id(now, key),
            kind: KIND.to_owned(),
            title: capacity.title(key),
            key: key.clone(),
            limit: watched.limit,
            probability: watched.probability.min(PREDICTION_SHOWN - 0.01),
            at: now,
            at_lo: now,
            at_hi: now,
            confidence: 0.0,
            factors: Vec::new(),
            advice: capacity.advice.to_owned(),
            method: Prediction::MISSED.to_owned(),
            made_at: now,
            outcome: Some(Outcome::Right),
            scored_at: Some(now),
        })
    }

    fn forget(&mut self, now: Timestamp) {
        self.kept.retain(|p| p.scored_at.is_none_or(|at| now.since(at) <= SHOWN_AFTER));
    }

    /// The newest open one of each series, soonest first, then what was scored or missed within a week, newest first.
    pub fn shown(&self) -> Arc<[Prediction]> {
        let shown = || self.kept.iter().filter(|p| is_shown(p));
        let mut newest: BTreeMap<&SeriesKey, &Prediction> = BTreeMap::new();
        for prediction in shown().filter(|p| p.outcome.is_none()) {
            let entry = newest.entry(&prediction.key).or_insert(prediction);
            if prediction.made_at >= entry.made_at {
                *entry = prediction;
            }
        }
        let mut open: Vec<&Prediction> = newest.into_values().collect();
        open.sort_by_key(|p| p.at);
        let is_told = |p: &&Prediction| p.outcome.is_some() && (is_shown(p) || p.is_missed());
        let mut scored: Vec<&Prediction> = self.kept.iter().filter(is_told).collect();
        scored.sort_by_key(|p| std::cmp::Reverse(p.scored_at));
        scored.truncate(MOST_SCORED);
        open.into_iter().chain(scored).cloned().collect()
    }

    /// How the shown ones did, with the events that none of them named.
    pub fn record(&self) -> TrackRecord {
        let Score { right, wrong, missed, squares, .. } = self.score;
        let open = self.kept.iter().filter(|p| p.outcome.is_none() && is_shown(p)).count();
        let n = f64::from(right + wrong + missed);
        let base = f64::from(right + missed) / n;
        TrackRecord {
            shown: right + wrong + u32::try_from(open).unwrap_or(u32::MAX),
            right,
            wrong,
            missed,
            brier: (n > 0.0).then(|| squares / n),
            base_rate_brier: (n > 0.0).then_some(base * (1.0 - base)),
            said: self.score.said,
            lead_seconds: self.score.lead(),
        }
    }
}

/// Whether an open prediction already says what a new crossing says: the time lies in its interval, and nobody who reads
/// the time it gives comes twice too late.
fn agrees(now: Timestamp, open: &Prediction, crossing: &Crossing) -> bool {
    (open.at_lo..=open.at_hi).contains(&crossing.at) && open.at.since(now) <= 2 * crossing.at_hi.since(now)
}

/// Said where the average does not get there.
const SWINGS: &str = "not much fuller on average; its swings get there";

/// Why it is expected, most important first.
fn factors(forecast: &Forecast, crossing: &Crossing) -> Vec<String> {
    let mut factors = Vec::new();
    let span = forecast.step.as_secs_f64() * forecast.mean.len().saturating_sub(1) as f64;
    if let (Some(first), Some(last)) = (forecast.mean.first(), forecast.mean.last())
        && span > 0.0
    {
        let a_second = (last - first) / span;
        let ahead = crossing.at.since(forecast.made_at).as_secs_f64();
        // What would not be half way by then is not the reason.
        let explains = 2.0 * a_second * ahead >= crossing.limit - first;
        factors.push(if explains { rise(a_second) } else { SWINGS.to_owned() });
        factors.push(format!("{:.0}% used now", first * 100.0));
    }
    factors.push(format!(
        "{:.0}% of the courses drawn from its past get there within {}",
        crossing.probability * 100.0,
        format_duration(forecast.step * u32::try_from(forecast.mean.len()).unwrap_or(u32::MAX))
    ));
    factors
}

/// A rise of a ratio by `a_second`, in the span in which it reads well: `+2.1% a day`, `+23.7% an hour`.
fn rise(a_second: f64) -> String {
    let day = a_second * 86_400.0 * 100.0;
    match day.abs() {
        d if d < 0.05 => SWINGS.to_owned(),
        d if d < 50.0 => format!("{day:+.1}% a day expected"),
        d if d < 1_440.0 => format!("{:+.1}% an hour expected", day / 24.0),
        _ => format!("{:+.1}% a minute expected", day / 1_440.0),
    }
}

#[cfg(test)]
mod tests;
