//! Answers from history: charts, queries, the journal, a past moment.
//!
//! The same for a running engine (head and store) and for a command without one (store alone).
//! Invariant: nothing here changes anything.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use super::exchange::Judging;
use super::learn::learn;
use super::live::{Head, Merged};
use super::moment::{snapshot_at, standing_at};
use super::replay::replay;
use crate::base::TimeRange;
use crate::model::{Alert, AlertState, Bucket, Catalog, JournalEvent, Prices, Resolution, SeriesKey, SeriesSource, Snapshot};
use crate::monitor::{
    Answer, HistoryRequest, HistorySeries, QueryRequest, QuerySeries, Refusal, RefusalKind, Request, StoreCheck, StoreTable,
};
use crate::query;
use crate::store::{ReadError, View};

/// Values a query gives where no step is asked for.
const QUERY_POINTS: usize = 240;

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
    /// What things cost, for reports.
    pub prices: &'a Prices,
    /// What a replay judges by.
    pub judging: &'a Judging,
}

impl<'a> Context<'a> {
    /// Head and store as one.
    pub fn source(&self) -> Merged<'a, View> {
        Merged::new(self.head, self.view)
    }

    pub(super) fn view(&self) -> Result<&'a View, Refusal> {
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
        Request::At { at } => Ok(Answer::Snapshot { snapshot: Arc::new(snapshot_at(*at, context)?) }),
        Request::History(history) => history_of(history, context),
        Request::Query(query) => run_query(query, context),
        Request::ProcessHistory { process, range, step } => {
            let points = context.view()?.process_history(*process, *range, *step).map_err(unread)?;
            Ok(Answer::ProcessHistory { points })
        }
        Request::Journal { range } => Ok(Answer::Journal { entries: context.view()?.journal(*range).map_err(unread)? }),
        Request::Alerts { range } => Ok(Answer::Alerts { alerts: alerts_of(*range, context)? }),
        Request::Series { range } => Ok(Answer::Series { keys: series_in(*range, context)? }),
        Request::Replay(request) => replay(request, context),
        Request::Learn { range } => learn(*range, context),
        Request::CheckStore => Ok(Answer::Store(check_store(context)?)),
        _ => Err(Refusal::new(RefusalKind::Failed, "this request is not answered from history")),
    }
}

pub(super) fn unread(error: ReadError) -> Refusal {
    Refusal::new(RefusalKind::Failed, error.to_string())
}

pub(super) fn source_failed(error: crate::model::SourceError) -> Refusal {
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
    let (range, step) = if request.step.is_zero() { ending(request.range) } else { (request.range, request.step) };
    let series = expr.range(&source, range, step).map_err(invalid)?;
    let series = series.into_iter().map(|s| QuerySeries { metric: query::metric_map(&s.labels), values: s.values });
    Ok(Answer::Query { series: series.collect(), step })
}

/// The grid where none is asked for: its last moment is the end of the span, which is what one wants to know most.
fn ending(range: TimeRange) -> (TimeRange, Duration) {
    let step = query::auto_step(range, QUERY_POINTS);
    let n = u32::try_from(range.length().as_millis() / step.as_millis().max(1)).unwrap_or(u32::MAX);
    (TimeRange { from: range.to - step * n, ..range }, step)
}

fn series_in(range: TimeRange, context: &Context<'_>) -> Result<Vec<SeriesKey>, Refusal> {
    let source = context.source();
    let mut keys = Vec::new();
    for key in source.select(None, &[]).map_err(source_failed)? {
        // Hours begin within longer spans and are less to read.
        let any = |resolution| source.points(&key, range, resolution).map(|p| !p.buckets.is_empty());
        if any(Resolution::Hour).map_err(source_failed)? || any(Resolution::Raw).map_err(source_failed)? {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Damaged rows that are told by name.
const MOST_TOLD: usize = 200;

fn check_store(context: &Context<'_>) -> Result<StoreCheck, Refusal> {
    let view = context.view()?;
    let tables = view.stats().map_err(unread)?.into_iter().filter(|t| t.rows > 0).map(|t| StoreTable {
        name: t.table,
        rows: t.rows,
        stored_bytes: t.stored_bytes,
        page_bytes: t.page_bytes,
    });
    let damaged = view.check().map_err(unread)?;
    let span = view.oldest().map_err(unread)?.zip(view.newest().map_err(unread)?);
    Ok(StoreCheck {
        tables: tables.collect(),
        n_damaged: damaged.len() as u64,
        damaged: damaged.into_iter().take(MOST_TOLD).map(|d| format!("{}: {}", d.table, d.row)).collect(),
        span: span.map(|(from, to)| TimeRange { from, to }),
    })
}

/// Alerts as a snapshot has them: open ones first, the worst and oldest in front.
pub fn sorted(mut alerts: Vec<Arc<Alert>>) -> Arc<[Arc<Alert>]> {
    alerts.sort_by_key(|a| (a.state == AlertState::Resolved, std::cmp::Reverse(a.severity), a.since));
    alerts.into()
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
