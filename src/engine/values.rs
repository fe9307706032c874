//! What one condition gives at one moment.
//!
//! Invariant: a value depends on the rounds up to the moment and on what was fed, never on when it is asked for.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::judge::{Evidence, fits_in_head};
use super::live::Head;
use crate::alert::FED;
use crate::analyze::beyond;
use crate::base::Timestamp;
use crate::model::{Condition, Limit, MatchOp, Matcher, Part, SeriesKey, matches_key};
use crate::query::{self, Expr, QueryError};

/// A series that is gone for longer has no data by intention: it is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(86_400);

/// A long window is looked at this often in its own length: often enough for a minute in ten hours.
const LOOKS: u32 = 360;

/// A condition, ready, with what it remembers.
pub(super) enum Values {
    /// Handed in by the engine under this metric.
    Fed(String),
    /// From the expression.
    Expr(Box<Expr>),
    /// From the expression at the end of the last whole span.
    Spaced(Box<Slow>),
    /// Age of the newest sample of each series.
    NoData(Box<Absence>),
    /// Strength of each series' anomaly.
    Anomaly(Box<Expr>),
    /// Probability that a limit is reached in time.
    Forecast { about: Box<(String, Vec<Matcher>)>, limit: Limit, within: Duration },
    /// How many hold.
    Several { parts: Vec<(Values, Limit, bool)>, by: Vec<String> },
}

/// An expression that is evaluated once in a while.
pub(super) struct Slow {
    expr: Expr,
    every: Duration,
    done: Option<Timestamp>,
    values: Vec<(SeriesKey, f64)>,
}

/// When each series was last there.
pub(super) struct Absence {
    expr: Expr,
    /// The one series it can be about, where that is known without having seen it.
    only: Option<SeriesKey>,
    seen: HashMap<SeriesKey, Timestamp>,
    begun: Option<Timestamp>,
}

impl Values {
    /// Reads the expression of a condition.
    ///
    /// # Errors
    /// An expression that is none.
    pub(super) fn new(expr: &str, condition: &Condition) -> Result<Self, QueryError> {
        let slow = |expr: Expr, every| Self::Spaced(Box::new(Slow { expr, every, done: None, values: Vec::new() }));
        Ok(match condition {
            Condition::Values if FED.iter().any(|def| def.name == expr) => Self::Fed(expr.to_owned()),
            Condition::Values => {
                let expr = query::parse(expr)?;
                let window = expr.max_window();
                if fits_in_head(window, Duration::ZERO) { Self::Expr(Box::new(expr)) } else { slow(expr, window / LOOKS) }
            }
            Condition::Tumbling(window) => slow(query::parse(expr)?, *window),
            Condition::NoData => {
                let expr = query::parse(expr)?;
                let only = expr.selector().and_then(|(metric, matchers)| {
                    let exact = matchers.iter().all(|m| m.op() == MatchOp::Equal);
                    exact.then(|| SeriesKey::new(metric, matchers.iter().map(|m| (m.name(), m.value()))))
                });
                Self::NoData(Box::new(Absence { expr, only, seen: HashMap::new(), begun: None }))
            }
            Condition::Anomaly => Self::Anomaly(Box::new(query::parse(expr)?)),
            Condition::Forecast { limit, within } => {
                let expr = query::parse(expr)?;
                let (metric, matchers) = expr.selector().unwrap_or_default();
                Self::Forecast { about: Box::new((metric.to_owned(), matchers.to_vec())), limit: *limit, within: *within }
            }
            Condition::Several { parts, by } => {
                let part = |p: &Part| Ok((Self::new(&p.expr, &p.condition)?, p.limit, p.prefer_total));
                Self::Several { parts: parts.iter().map(part).collect::<Result<_, QueryError>>()?, by: by.clone() }
            }
        })
    }

    /// Metrics whose windows are longer than the head, and how much of the past they need.
    pub(super) fn long(&self, metrics: &mut BTreeSet<String>) -> Option<Duration> {
        match self {
            Self::Spaced(slow) if slow.is_long() => {
                metrics.extend(slow.expr.metrics().into_iter().map(str::to_owned));
                Some(slow.expr.max_window() + slow.every * 2)
            }
            Self::Several { parts, .. } => parts.iter().filter_map(|(values, ..)| values.long(metrics)).max(),
            _ => None,
        }
    }

    /// How far back they reach.
    pub(super) fn window(&self) -> Duration {
        match self {
            Self::Expr(expr) => expr.max_window(),
            Self::Spaced(slow) => slow.expr.max_window().max(slow.every),
            Self::Several { parts, .. } => parts.iter().map(|(values, ..)| values.window()).max().unwrap_or_default(),
            Self::Fed(_) | Self::NoData(_) | Self::Anomaly(_) | Self::Forecast { .. } => Duration::ZERO,
        }
    }

    /// Its values; `long` keeps the samples of what [`Values::long`] named.
    pub(super) fn at(&mut self, evidence: Evidence<'_>, long: &Head) -> Vec<(SeriesKey, f64)> {
        let (head, at) = (evidence.head, evidence.at);
        match self {
            Self::Fed(metric) => evidence.fed.iter().filter(|(key, _)| key.metric() == metric).cloned().collect(),
            Self::Expr(expr) => instant(expr, head, at),
            Self::Spaced(slow) => slow.at(if slow.is_long() { long } else { head }, at),
            Self::NoData(absence) => absence.at(head, at),
            Self::Anomaly(expr) => {
                let strength = |key: &SeriesKey| {
                    let found = evidence.scores.binary_search_by(|s| s.key.cmp(key));
                    found.map_or(0.0, |at| evidence.scores[at].strength)
                };
                instant(expr, head, at).into_iter().map(|(key, _)| (strength(&key), key)).map(|(s, key)| (key, s)).collect()
            }
            Self::Forecast { about, limit, within } => expected(about, (*limit, *within), evidence),
            Self::Several { parts, by } => several(parts, by, evidence, long),
        }
    }
}

/// The values of an expression, where the head holds all it looks back over: the mean of a minute is not known after a second.
fn instant(expr: &Expr, head: &Head, at: Timestamp) -> Vec<(SeriesKey, f64)> {
    if head.oldest().is_none_or(|oldest| oldest + expr.max_window() > at + head.interval()) {
        return Vec::new();
    }
    let plain = expr.selector().filter(|_| !expr.is_shifted());
    if let Some(values) = plain.and_then(|selector| head.latest(selector, at)) {
        return values;
    }
    // The head cannot fail; two sides that do not match have no value.
    expr.instant(head, at).unwrap_or_default().into_iter().map(|v| (v.labels, v.value)).collect()
}

impl Slow {
    fn is_long(&self) -> bool {
        !fits_in_head(self.expr.max_window(), self.every)
    }

    fn at(&mut self, head: &Head, at: Timestamp) -> Vec<(SeriesKey, f64)> {
        let end = at.floor(self.every);
        if self.done != Some(end) {
            self.done = Some(end);
            self.values = instant(&self.expr, head, end);
        }
        self.values.clone()
    }
}

impl Absence {
    fn at(&mut self, head: &Head, at: Timestamp) -> Vec<(SeriesKey, f64)> {
        let begun = *self.begun.get_or_insert(at);
        for (key, _) in instant(&self.expr, head, at) {
            self.seen.insert(key, at);
        }
        self.seen.retain(|_, last| at.since(*last) <= FORGOTTEN_AFTER);
        let age = |last: Timestamp| at.since(last).as_secs_f64();
        let mut ages: Vec<(SeriesKey, f64)> = self.seen.iter().map(|(key, last)| (key.clone(), age(*last))).collect();
        if let (true, Some(only)) = (ages.is_empty(), &self.only) {
            ages.push((only.clone(), age(begun)));
        }
        ages.sort_by(|a, b| a.0.cmp(&b.0));
        ages
    }
}

/// Of each series the forecast in the finest steps that reaches far enough, else the farthest.
fn expected(
    (metric, matchers): &(String, Vec<Matcher>),
    (limit, within): (Limit, Duration),
    evidence: Evidence<'_>,
) -> Vec<(SeriesKey, f64)> {
    let mut values: Vec<(SeriesKey, f64)> = Vec::new();
    let mut reach = Duration::ZERO;
    // By key, then from the finest step on.
    for forecast in evidence.forecasts.values().filter(|f| !f.mean.is_empty()) {
        if forecast.key.metric() != metric || !matches_key(&forecast.key, matchers) {
            continue;
        }
        let far = forecast.step * u32::try_from(forecast.mean.len()).unwrap_or(u32::MAX);
        let probability = beyond(forecast, limit, evidence.at + within);
        match values.last_mut().filter(|(key, _)| *key == forecast.key) {
            Some(_) if reach >= within => continue,
            Some(known) => known.1 = probability,
            None => values.push((forecast.key.clone(), probability)),
        }
        reach = far;
    }
    values
}

/// How many parts hold, for each value of the labels that tell instances apart.
fn several(parts: &mut [(Values, Limit, bool)], by: &[String], evidence: Evidence<'_>, long: &Head) -> Vec<(SeriesKey, f64)> {
    let mut groups: HashMap<SeriesKey, f64> = HashMap::new();
    let mut everywhere = 0.0;
    for (values, limit, prefer_total) in parts {
        let mut values = values.at(evidence, long);
        if *prefer_total && values.iter().any(|(key, _)| key.is_total()) {
            values.retain(|(key, _)| key.is_total());
        }
        let mut holds: HashMap<SeriesKey, bool> = HashMap::new();
        for (key, value) in values.into_iter().filter(|(_, value)| value.is_finite()) {
            let group = SeriesKey::new("", by.iter().filter_map(|label| Some((label.as_str(), key.label(label)?))));
            *holds.entry(group).or_default() |= limit.is_broken_by(value);
        }
        for (group, holds) in holds {
            let counted = f64::from(u8::from(holds));
            if group.is_total() && !by.is_empty() {
                everywhere += counted;
            } else {
                *groups.entry(group).or_default() += counted;
            }
        }
    }
    let mut values: Vec<(SeriesKey, f64)> = groups.into_iter().map(|(group, held)| (group, held + everywhere)).collect();
    values.sort_by(|a, b| a.0.cmp(&b.0));
    values
}
