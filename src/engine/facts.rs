//! A report's facts from one read view.
//!
//! Invariant: a figure is what a query of the same span gives; a chart is read as coarsely as it is drawn.

use std::collections::BTreeMap;
use std::time::Duration;

use super::answer::{Context, answer, source_failed};
use super::{fonts, future};
use crate::analyze::{limit_for, slope};
use crate::base::{TimeRange, Timestamp};
use crate::model::{
    AnomalyInterval, Bucket, JournalEvent, Limit, Prediction, ReportDepth, ReportKind, ReportSpec, Resolution, SecurityFacts,
    SeriesKey, SeriesSource, ServiceStatus, SourceError, Trend, UptimeShare, calendar,
};
use crate::monitor::{Answer, Refusal, RefusalKind, Request};
use crate::query;
use crate::report::{
    self, Facts, PartFacts, SeriesFacts, SeriesStats, ServiceFacts, ServiceTime, ServiceTimes, Wanted, WantedSeries, facts_wanted,
};

/// Parts of a service's course: half a pixel each.
const COURSE_PARTS: usize = 720;
/// How long before its end a report takes the posture as it was seen.
const POSTURE_WITHIN: Duration = Duration::from_secs(86_400);
/// Points a trend is made from (mission P1).
const TREND_POINTS: u32 = 24;

/// Makes a report.
///
/// # Errors
/// A span without length, or a history that cannot be read.
pub fn report(spec: &ReportSpec, context: &Context<'_>) -> Result<Answer, Refusal> {
    let mut facts = facts(spec, context)?;
    facts.fonts = fonts::with(&report::foreign_signs(spec, &facts));
    let written = report::render(spec, &facts).map_err(|e| Refusal::new(RefusalKind::Invalid, e.to_string()))?;
    let report::Written { bytes, summary } = written;
    Ok(Answer::Report { name: report::file_name(spec, &facts.host.name), bytes, summary })
}

fn facts(spec: &ReportSpec, context: &Context<'_>) -> Result<Facts, Refusal> {
    let range = spec.range;
    let wanted = facts_wanted(spec.kind, spec.depth);
    let mut series = Vec::new();
    for wanted_series in wanted.series {
        series.extend(series_facts(wanted_series, range, &wanted, context)?);
    }
    let Answer::Alerts { alerts } = answer(&Request::Alerts { range }, context)? else {
        return Err(Refusal::new(RefusalKind::Failed, "alerts were answered with something else"));
    };
    let view = context.view;
    let failed = |e: crate::store::ReadError| Refusal::new(RefusalKind::Failed, e.to_string());
    let anomalies: Vec<AnomalyInterval> = view.map_or_else(|| Ok(Vec::new()), |v| v.anomalies(range, None)).map_err(failed)?;
    let predictions: Vec<Prediction> = view.map_or_else(|| Ok(Vec::new()), |v| v.predictions()).map_err(failed)?;
    let within = |p: &Prediction| p.made_at <= range.to && p.scored_at.is_none_or(|at| at >= range.from);
    let services = services(range, context)?;
    Ok(Facts {
        host: (*context.now.host).clone(),
        coverage: coverage(range, context),
        series,
        alerts: alerts.iter().map(|a| (**a).clone()).collect(),
        anomalies,
        services,
        predictions: predictions.into_iter().filter(within).collect(),
        record: context.now.record,
        zone: calendar::time_zone(spec.time_zone.as_deref()).map_err(|e| Refusal::new(RefusalKind::Invalid, e))?,
        prices: context.prices.clone(),
        fonts: Vec::new(),
        security: security((spec.kind, range), context)?,
        journal: view.map_or_else(|| Ok(Vec::new()), |v| v.journal(range)).map_err(failed)?,
        previous: previous(spec, context)?,
        parts: parts(spec, wanted.parts, context)?,
    })
}

/// What was seen of security; `None` where nobody looked. A recorder that looks writes the posture down twice a day.
fn security((kind, range): (ReportKind, TimeRange), context: &Context<'_>) -> Result<Option<SecurityFacts>, Refusal> {
    let Some(view) = context.view.filter(|_| kind == ReportKind::Security) else { return Ok(None) };
    let day = TimeRange { from: range.from.min(range.to - POSTURE_WITHIN), to: range.to };
    let mut facts = SecurityFacts::default();
    for entry in view.journal(day).map_err(super::answer::unread)? {
        match entry.event {
            JournalEvent::Security { seen } if range.contains(seen.at) => facts.events.push(seen),
            JournalEvent::Posture { posture } => facts.posture = Some((entry.at, *posture)),
            _ => {}
        }
    }
    Ok(Some(facts).filter(|f| f.posture.is_some() || !f.events.is_empty()))
}

/// The span before, as long; of capacity only months are compared.
fn previous(spec: &ReportSpec, context: &Context<'_>) -> Result<Option<PartFacts>, Refusal> {
    let range = TimeRange { from: spec.range.from - spec.range.length(), to: spec.range.from };
    let compares = match spec.kind {
        ReportKind::Performance | ReportKind::Security => true,
        ReportKind::Capacity => spec.depth == ReportDepth::Monthly,
    };
    if compares { part(spec, range, context) } else { Ok(None) }
}

/// The span in parts counted from its end.
fn parts(spec: &ReportSpec, length: Option<Duration>, context: &Context<'_>) -> Result<Vec<PartFacts>, Refusal> {
    let Some(length) = length else { return Ok(Vec::new()) };
    let (mut parts, mut to) = (Vec::new(), spec.range.to);
    while to > spec.range.from {
        let from = (to - length).max(spec.range.from);
        parts.extend(part(spec, TimeRange { from, to }, context)?);
        to = from;
    }
    parts.reverse();
    Ok(parts)
}

/// A span in short; `None` where nothing of it was observed.
fn part(spec: &ReportSpec, range: TimeRange, context: &Context<'_>) -> Result<Option<PartFacts>, Refusal> {
    let coverage = coverage(range, context);
    if coverage <= 0.0 {
        return Ok(None);
    }
    let source = context.source();
    let mut series = Vec::new();
    for wanted in facts_wanted(spec.kind, spec.depth).series {
        let (metric, _) = wanted.selector.split_once('{').unwrap_or((wanted.selector, ""));
        let key = SeriesKey::total(metric);
        if let Some(stats) = stats(&source, &key, range).map_err(source_failed)? {
            series.push((key, stats));
        }
    }
    let Answer::Alerts { alerts } = answer(&Request::Alerts { range }, context)? else {
        return Err(Refusal::new(RefusalKind::Failed, "alerts were answered with something else"));
    };
    let alerts = alerts.iter().map(|a| (**a).clone()).collect();
    let services = services(range, context)?;
    let services = services.into_iter().filter_map(|s| Some((s.status.name, s.share?.up))).collect();
    let security = security((spec.kind, range), context)?;
    Ok(Some(PartFacts { range, series, alerts, services, coverage, security }))
}

fn series_facts(
    wanted: &WantedSeries,
    range: TimeRange,
    all: &Wanted,
    context: &Context<'_>,
) -> Result<Vec<SeriesFacts>, Refusal> {
    let failed = |e: String| Refusal::new(RefusalKind::Failed, e);
    let selector = query::parse(wanted.selector).map_err(|e| failed(e.to_string()))?;
    let Some((metric, matchers)) = selector.selector() else {
        return Err(failed(format!("{} is no selector", wanted.selector)));
    };
    let Some(def) = context.catalog.get(metric).copied() else { return Ok(Vec::new()) };
    let source = context.source();
    let keys = source.select(Some(metric), matchers).map_err(|e| failed(e.to_string()))?;
    let step = query::auto_step(range, all.chart_points);
    let resolution = Resolution::for_step(step.min(range.length() / TREND_POINTS));
    let one = |key: SeriesKey| {
        let Some(stats) = stats(&source, &key, range)? else { return Ok(None) };
        let buckets = source.points(&key, range, resolution)?.buckets;
        let trend = Some(trend(&key, range, &buckets));
        let points = super::answer::regroup(buckets, step);
        let limit =
            limit_for(&key, context.catalog).and_then(|limit| if let Limit::Above(value) = limit { Some(value) } else { None });
        let ahead = all.ahead.filter(|_| limit.is_some());
        let forecast = ahead.and_then(|ahead| future::from(&key, ahead, context, range.to));
        Ok(Some(SeriesFacts { id: wanted.id, key, def, stats, trend, limit, forecast, points }))
    };
    let all: Result<Vec<Option<SeriesFacts>>, SourceError> = keys.into_iter().map(one).collect();
    Ok(all.map_err(|e| failed(e.to_string()))?.into_iter().flatten().collect())
}

/// Figures of one series; `None` where nothing was observed.
fn stats(source: &dyn SeriesSource, key: &SeriesKey, range: TimeRange) -> Result<Option<SeriesStats>, SourceError> {
    let Some(summary) = query::summarize(source, key, range)? else { return Ok(None) };
    let percentiles = query::percentiles(source, key, range)?;
    Ok(Some(SeriesStats {
        min: Some(summary.min),
        mean: Some(summary.mean),
        p50: percentiles.map(|p| p.p50),
        p95: percentiles.map(|p| p.p95),
        p99: percentiles.map(|p| p.p99),
        max: Some(summary.max),
        last: Some(summary.last),
        n: summary.n,
        exact: true,
        quantiles_exact: percentiles.is_some_and(|p| p.exact),
    }))
}

/// Trend over the span in [`TREND_POINTS`] parts, by the analyzer's own method.
fn trend(key: &SeriesKey, range: TimeRange, buckets: &[Bucket]) -> Trend {
    let step = (range.length() / TREND_POINTS).max(Duration::from_secs(1));
    let values: Vec<f64> = super::answer::regroup(buckets.to_vec(), step).iter().map(|b| b.mean).collect();
    let slope = slope(&values, 0.0);
    Trend {
        key: key.clone(),
        direction: slope.direction,
        slope_per_second: slope.per_point / step.as_secs_f64(),
        confidence: slope.confidence,
        next: slope.next,
    }
}

fn services(range: TimeRange, context: &Context<'_>) -> Result<Vec<ServiceFacts>, Refusal> {
    let source = context.source();
    let facts = |status: &ServiceStatus| -> Result<ServiceFacts, SourceError> {
        let of = |metric: &str| SeriesKey::new(metric, [("service", status.name.as_str())]);
        let up = query::summarize(&source, &of("service_up"), range)?;
        let maintenance = query::summarize(&source, &of("service_maintenance"), range)?;
        // Each sample stands for one interval.
        let seconds = |n: u64| n as f64 * source.interval(&of("service_up")).as_secs_f64();
        let observed = up.map_or(0.0, |up| seconds(up.n));
        let times = ServiceTimes {
            up: up.map_or(0.0, |up| up.mean * observed),
            down: up.map_or(0.0, |up| (1.0 - up.mean) * observed),
            maintenance: maintenance.map_or(0.0, |m| seconds(m.n)),
        };
        let share = up.map(|up| UptimeShare { up: up.mean, observed: observed_share(times, range) });
        let stability = query::summarize(&source, &of("service_stability_ratio"), range)?.map(|s| s.mean);
        let course = course(&source, [&of("service_up"), &of("service_maintenance")], range)?;
        Ok(ServiceFacts { status: status.clone(), share, times, stability, course })
    };
    let all: Result<_, SourceError> = context.now.services.iter().map(facts).collect();
    all.map_err(source_failed)
}

/// Stretches of a service's time as finely as a chart of the page's width shows them.
fn course(
    source: &dyn SeriesSource,
    [up, maintenance]: [&SeriesKey; 2],
    range: TimeRange,
) -> Result<Vec<(TimeRange, ServiceTime)>, SourceError> {
    let step = query::auto_step(range, COURSE_PARTS);
    let points = |key| -> Result<Vec<Bucket>, SourceError> {
        Ok(super::answer::regroup(source.points(key, range, Resolution::for_step(step))?.buckets, step))
    };
    let mut parts: BTreeMap<Timestamp, ServiceTime> =
        points(maintenance)?.into_iter().map(|b| (b.at, ServiceTime::Maintenance)).collect();
    for bucket in points(up)? {
        parts.insert(bucket.at, if bucket.min < 1.0 { ServiceTime::Down } else { ServiceTime::Up });
    }
    let mut course: Vec<(TimeRange, ServiceTime)> = Vec::new();
    for (at, state) in parts {
        let (from, to) = (at.max(range.from), (at + step).min(range.to));
        match course.last_mut() {
            Some((last, known)) if *known == state && last.to >= from => last.to = to,
            _ => course.push((TimeRange { from, to }, state)),
        }
    }
    Ok(course)
}

/// Of the time outside of maintenance.
fn observed_share(times: ServiceTimes, range: TimeRange) -> f64 {
    let possible = (range.length().as_secs_f64() - times.maintenance).max(1.0);
    ((times.up + times.down) / possible).min(1.0)
}

/// Share of the span's minutes with at least one sample of CPU use.
fn coverage(range: TimeRange, context: &Context<'_>) -> f64 {
    let minutes = (range.length().as_secs_f64() / 60.0).max(1.0);
    let points = context.source().points(&SeriesKey::total("cpu_usage_ratio"), range, Resolution::Minute);
    let mut seen: Vec<Timestamp> =
        points.map(|p| p.buckets.iter().map(|b| b.at.floor(Duration::from_secs(60))).collect()).unwrap_or_default();
    seen.dedup();
    (seen.len() as f64 / minutes).min(1.0)
}
