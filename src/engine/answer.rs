//! Answers from history: charts, queries, the journal, a past moment.
//!
//! The same for a running engine (head and store) and for a command without one (store alone).
//! Invariant: nothing here changes anything.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use super::live::{Head, Merged};
use crate::alert::Standing;
use crate::base::{TimeRange, Timestamp};
use crate::model::{
    Alert, AlertState, Bucket, Catalog, JournalEvent, Points, Reading, Resolution, SeriesKey, SeriesSource, Snapshot,
};
use crate::monitor::{Answer, HistoryRequest, HistorySeries, QueryRequest, QuerySeries, Refusal, RefusalKind, Request};
use crate::query;
use crate::store::{ReadError, View};

/// Values a query gives where no step is asked for.
const QUERY_POINTS: usize = 240;

/// How far back a keyframe can lie: one is written every ten minutes.
const KEYFRAME_SPAN: Duration = Duration::from_secs(1800);

/// What answers are made from.
pub struct Context<'a> {
    /// The newest samples; `None` without an engine.
    pub head: Option<&'a RwLock<Head>>,
    /// What is on disk; `None` where it cannot be read.
    pub view: Option<&'a View>,
    /// All metrics.
    pub catalog: &'a Arc<Catalog>,
    /// The present, for what does not change with time; empty without an engine.
    pub now: &'a Snapshot,
}

impl<'a> Context<'a> {
    /// Head and store as one.
    pub fn source(&self) -> Merged<'a, View> {
        Merged::new(self.head, self.view)
    }

    fn view(&self) -> Result<&'a View, Refusal> {
        self.view.ok_or_else(|| Refusal::new(RefusalKind::Unavailable, "the history cannot be read"))
    }
}

/// Answers a request that only reads series or the journal.
///
/// # Errors
/// Why it cannot be answered.
pub fn answer(request: &Request, context: &Context<'_>) -> Result<Answer, Refusal> {
    match request {
        Request::Snapshot => Ok(Answer::Snapshot { snapshot: Arc::new(context.now.clone()) }),
        Request::At { at } => Ok(Answer::Snapshot { snapshot: Arc::new(past(*at, context)?) }),
        Request::History(history) => history_of(history, context),
        Request::Query(query) => run_query(query, context),
        Request::ProcessHistory { process, range, step } => {
            let points = context.view()?.process_history(*process, *range, *step).map_err(unread)?;
            Ok(Answer::ProcessHistory { points })
        }
        Request::Journal { range } => Ok(Answer::Journal { entries: context.view()?.journal(*range).map_err(unread)? }),
        Request::Alerts { range } => Ok(Answer::Alerts { alerts: alerts_of(*range, context)? }),
        _ => Err(Refusal::new(RefusalKind::Failed, "this request is not answered from history")),
    }
}

fn unread(error: ReadError) -> Refusal {
    Refusal::new(RefusalKind::Failed, error.to_string())
}

fn source_failed(error: crate::model::SourceError) -> Refusal {
    Refusal::new(RefusalKind::Failed, error.to_string())
}

fn history_of(request: &HistoryRequest, context: &Context<'_>) -> Result<Answer, Refusal> {
    let source = context.source();
    let series = request.keys.iter().map(|key| {
        let resolution = Resolution::for_step(request.step);
        let mut points = source.points(key, request.range, resolution).map_err(source_failed)?;
        points.buckets = regroup(points.buckets, request.step);
        let anomalies = match context.view {
            Some(view) => view.anomalies(request.range, Some(key)).map_err(unread)?,
            None => Vec::new(),
        };
        Ok(HistorySeries { points, anomalies })
    });
    Ok(Answer::History { series: series.collect::<Result<_, _>>()? })
}

/// Buckets of at least `step`, aligned to the clock; a zero step leaves them.
pub(super) fn regroup(buckets: Vec<Bucket>, step: Duration) -> Vec<Bucket> {
    if step.is_zero() {
        return buckets;
    }
    let mut grouped: Vec<Bucket> = Vec::new();
    for bucket in buckets {
        let start = bucket.at.floor(step);
        match grouped.last_mut() {
            Some(last) if last.at == start => last.merge(&bucket),
            _ => grouped.push(Bucket { at: start, ..bucket }),
        }
    }
    grouped
}

fn run_query(request: &QueryRequest, context: &Context<'_>) -> Result<Answer, Refusal> {
    let invalid = |e: query::QueryError| Refusal::new(RefusalKind::Invalid, e.to_string());
    let expr = query::parse(&request.expr).map_err(invalid)?;
    expr.check(context.catalog).map_err(invalid)?;
    let source = context.source();
    if request.range.from == request.range.to {
        let values = expr.instant(&source, request.range.to).map_err(invalid)?;
        let series = values
            .into_iter()
            .map(|v| QuerySeries { metric: query::metric_map(&v.labels), values: vec![(request.range.to, v.value)] });
        return Ok(Answer::Query { series: series.collect(), step: Duration::ZERO });
    }
    let step = if request.step.is_zero() { query::auto_step(request.range, QUERY_POINTS) } else { request.step };
    let series = expr.range(&source, request.range, step).map_err(invalid)?;
    let series = series.into_iter().map(|s| QuerySeries { metric: query::metric_map(&s.labels), values: s.values });
    Ok(Answer::Query { series: series.collect(), step })
}

/// Alerts and silences at a moment: one keyframe and the journal after it.
pub fn standing_at(at: Timestamp, view: &View) -> Result<Standing, ReadError> {
    let keyframe = view.keyframe_before(at)?.filter(|k| at.since(k.at) <= KEYFRAME_SPAN);
    let from = keyframe.as_ref().map_or(at - KEYFRAME_SPAN, |k| k.at);
    let mut standing = keyframe.map_or_else(Standing::default, |k| Standing {
        alerts: k.alerts.iter().map(|a| (**a).clone()).collect(),
        silences: k.silences,
    });
    for entry in view.journal(TimeRange { from, to: at })? {
        standing.apply(&entry);
    }
    standing.prune(at);
    Ok(standing)
}

/// Alerts as a snapshot has them: open ones first, the worst and oldest in front.
pub fn sorted(mut alerts: Vec<Arc<Alert>>) -> Arc<[Arc<Alert>]> {
    alerts.sort_by_key(|a| (a.state == AlertState::Resolved, std::cmp::Reverse(a.severity), a.since));
    alerts.into()
}

fn past(at: Timestamp, context: &Context<'_>) -> Result<Snapshot, Refusal> {
    let view = context.view()?;
    let mut snapshot = Snapshot::empty(Arc::clone(context.catalog));
    snapshot.at = at;
    snapshot.host = Arc::clone(&context.now.host);
    snapshot.recorder = Arc::clone(&context.now.recorder);
    snapshot.readings = readings_at(at, context)?.into();
    let standing = standing_at(at, view).map_err(unread)?;
    let alerts: Vec<Arc<Alert>> = standing.alerts.into_iter().map(Arc::new).collect();
    snapshot.health = crate::alert::health_score(&alerts);
    snapshot.alerts = sorted(alerts);
    snapshot.silences = standing.silences.into();
    if let Some(keyframe) = view.keyframe_before(at).map_err(unread)?.filter(|k| at.since(k.at) <= KEYFRAME_SPAN) {
        snapshot.services = keyframe.services.into();
    }
    if let Some((_, mut processes)) = view.processes_near(at).map_err(unread)? {
        processes.sort_by_key(|p| p.id);
        snapshot.processes = processes.into();
    }
    let around = TimeRange { from: at - super::anomalies::KEPT, to: at };
    snapshot.anomalies = view.anomalies(around, None).map_err(unread)?.into();
    let open_then = |p: &crate::model::Prediction| p.made_at <= at && p.scored_at.is_none_or(|scored| scored > at);
    snapshot.predictions = view.predictions().map_err(unread)?.into_iter().filter(open_then).collect();
    Ok(snapshot)
}

/// The newest value of every series at a moment, at most two of its intervals old, from whatever resolution is kept.
fn readings_at(at: Timestamp, context: &Context<'_>) -> Result<Vec<Reading>, Refusal> {
    let source = context.source();
    let mut readings = Vec::new();
    for key in source.select(None, &[]).map_err(source_failed)? {
        if let Some(value) = value_at(&key, at, &source).map_err(source_failed)? {
            readings.push(Reading { key, value, cumulative: None });
        }
    }
    readings.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(readings)
}

fn value_at(key: &SeriesKey, at: Timestamp, source: &Merged<'_, View>) -> Result<Option<f64>, crate::model::SourceError> {
    let span = source.interval(key) * 2;
    let Points { buckets, .. } = source.points(key, TimeRange { from: at - span, to: at }, Resolution::Raw)?;
    if let Some(newest) = buckets.last() {
        return Ok(Some(newest.last));
    }
    // Samples farther apart than now, or kept only rolled up: the bucket that holds the moment, at the finest resolution there is.
    for resolution in [Resolution::TenSeconds, Resolution::Minute, Resolution::Hour] {
        let span = resolution.step() * 2;
        let points = source.points(key, TimeRange { from: at - span, to: at }, resolution)?;
        let holds = |b: &&Bucket| at.since(b.at) < span;
        if let Some(newest) = points.buckets.iter().rev().find(holds) {
            return Ok(Some(newest.last));
        }
        if points.resolution < resolution {
            break;
        }
    }
    Ok(None)
}

/// Alerts whose life touches a span, newest first, each as the journal last told of it.
fn alerts_of(range: TimeRange, context: &Context<'_>) -> Result<Vec<Arc<Alert>>, Refusal> {
    let view = context.view()?;
    let mut standing = standing_at(range.from, view).map_err(unread)?;
    let mut known: std::collections::BTreeMap<String, Alert> =
        standing.alerts.iter().map(|a| (a.id.clone(), a.clone())).collect();
    for entry in view.journal(range).map_err(unread)? {
        standing.apply(&entry);
        if let JournalEvent::Transition { transition, .. } = &entry.event
            && let Some(alert) = standing.alerts.iter().find(|a| a.id == transition.alert)
        {
            known.insert(alert.id.clone(), alert.clone());
        }
    }
    // Decisions change an alert without a transition.
    for alert in standing.alerts {
        known.insert(alert.id.clone(), alert);
    }
    let mut alerts: Vec<Arc<Alert>> = known.into_values().filter(|a| a.fired_at.is_some()).map(Arc::new).collect();
    alerts.sort_by_key(|a| std::cmp::Reverse(a.since));
    Ok(alerts)
}
