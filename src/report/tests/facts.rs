//! A made-up day of a web server: memory filled at 03:04, `/var` fills slowly, one service was down.

use std::time::Duration;

use jiff::tz::{TimeZone, offset};

use crate::base::{TimeRange, Timestamp, Unit};
use crate::model::{
    Alert, AlertKind, AlertState, AnomalyInterval, Bucket, Explanation, GoodDirection, HostFacts, JournalEntry, JournalEvent,
    MetricDef, Outcome, Prediction, Prices, ReportDepth, ReportFormat, ReportKind, ReportSpec, SeriesKey, ServiceState,
    ServiceStatus, Severity, SloStanding, TrackRecord, Transition, Trend, TrendDirection, UptimeShare, Verdict,
};
use crate::report::{Facts, PartFacts, SeriesFacts, SeriesStats, ServiceFacts, ServiceTime, ServiceTimes};

/// 2026-11-21 07:00 in the fixture's zone.
const END: Timestamp = Timestamp::from_seconds(1_795_240_800);
const DAY: Duration = Duration::from_secs(86_400);

const CPU: MetricDef = MetricDef::gauge("cpu_usage_ratio", Unit::Ratio, "CPU use.").by(&["core"]);
const MEMORY: MetricDef = MetricDef::gauge("memory_used_ratio", Unit::Ratio, "Memory in use.");
const FILES: MetricDef = MetricDef::gauge("filesystem_used_ratio", Unit::Ratio, "File system in use.").by(&["mount"]);
const RECEIVE: MetricDef =
    MetricDef::counter("network_receive_bytes_per_second", Unit::BytesPerSecond, "Received.").by(&["interface"]);
const HEAT: MetricDef =
    MetricDef::gauge("temperature_celsius", Unit::Celsius, "Temperature.").by(&["sensor"]).good(GoodDirection::Down);

pub(super) fn spec(depth: ReportDepth, format: ReportFormat) -> ReportSpec {
    ReportSpec {
        kind: ReportKind::Performance,
        depth,
        range: TimeRange::last(DAY, END),
        format,
        growth_percent: 0,
        time_zone: None,
    }
}

/// Hours before the end.
fn ago(hours: f64) -> Timestamp {
    END - Duration::from_secs_f64(hours * 3600.0)
}

fn series(id: &'static str, key: SeriesKey, def: MetricDef, value: fn(f64) -> f64) -> SeriesFacts {
    let bucket = |i: u32| {
        // Rounded: the last bit of a sine is the machine's.
        let round = |v: f64| (v * 1e4).round() / 1e4;
        let (from, mean) = (ago(24.0 - f64::from(i) / 4.0), round(value(f64::from(i) / 4.0)));
        Bucket { at: from, min: round(mean * 0.9), mean, max: round(mean * 1.05), last: mean, count: 900 }
    };
    // Nothing was observed from hour 10 to hour 11.
    let points: Vec<Bucket> = (0..96).filter(|i| !(40..44).contains(i)).map(bucket).collect();
    let mut means: Vec<f64> = points.iter().map(|b| b.mean).collect();
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    means.sort_by(f64::total_cmp);
    let quantile = |q: f64| means.get((q * (means.len() - 1) as f64).round() as usize).copied();
    let stats = SeriesStats {
        min: points.iter().map(|b| b.min).reduce(f64::min),
        mean: Some((mean * 1e6).round() / 1e6),
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
        max: points.iter().map(|b| b.max).reduce(f64::max),
        last: points.last().map(|b| b.last),
        n: 82_800,
        exact: true,
        quantiles_exact: id != "network_receive",
    };
    let direction = if id == "filesystem" { TrendDirection::Up } else { TrendDirection::Flat };
    let trend = Trend { key: key.clone(), direction, slope_per_second: 2.3e-7, confidence: 0.91, next: stats.last };
    SeriesFacts { id, key, def, stats, trend: Some(trend), limit: None, forecast: None, points }
}

fn alert(id: &str, rule: &str, key: SeriesKey, (fired, over): (f64, Option<f64>)) -> Alert {
    Alert {
        id: id.to_owned(),
        fingerprint: 1,
        rule: rule.to_owned(),
        key,
        labels: Default::default(),
        kind: AlertKind::Performance,
        severity: Severity::Critical,
        state: if over.is_some() { AlertState::Resolved } else { AlertState::Firing },
        title: "memory 91% > 85%".to_owned(),
        since: ago(fired) - Duration::from_secs(120),
        fired_at: Some(ago(fired)),
        resolved_at: over.map(ago),
        value: 0.912,
        limit: 0.85,
        unit: Unit::Ratio,
        level: 1,
        acknowledged: None,
        snoozed: None,
        silenced_by: Vec::new(),
        worsened_at: None,
        flaps: crate::model::Flaps::default(),
        feedback: Some(Outcome::Right),
        explanation: Explanation {
            summary: "postgres 4711 (report-nightly) grew by 9.8 GiB in 12 min".to_owned(),
            ..Explanation::default()
        },
    }
}

fn prediction(id: &str, outcome: Option<Outcome>) -> Prediction {
    Prediction {
        id: id.to_owned(),
        kind: "capacity".to_owned(),
        key: SeriesKey::new("filesystem_used_ratio", [("mount", "/var")]),
        title: "/var is full".to_owned(),
        limit: 1.0,
        probability: 0.86,
        at: END + Duration::from_secs(273_600),
        at_lo: END + Duration::from_secs(230_400),
        at_hi: END + Duration::from_secs(345_600),
        confidence: 0.8,
        factors: vec!["grows by 1.9% a day, mostly /var/log/nginx".to_owned()],
        advice: "Rotate /var/log/nginx or extend /var.".to_owned(),
        method: "mstl".to_owned(),
        made_at: ago(3.0),
        outcome,
        scored_at: outcome.map(|_| ago(1.0)),
    }
}

fn service(name: &str, state: ServiceState, up: f64) -> ServiceFacts {
    let status = ServiceStatus {
        name: name.to_owned(),
        kind: "http".to_owned(),
        target: format!("http://127.0.0.1:8080/{name}"),
        state,
        since: Some(ago(2.0)),
        response_seconds: Some(0.184),
        message: "200 in 184 ms".to_owned(),
        slo: Some(SloStanding { target: 0.999, left: Some(if up < 1.0 { -0.4 } else { 1.0 }), burn: Some(1.8) }),
        ..ServiceStatus::default()
    };
    let stretch = |from: f64, to: f64, state| (TimeRange { from: ago(from), to: ago(to) }, state);
    let mut course = vec![stretch(24.0, 14.0, ServiceTime::Up), stretch(13.0, 8.0, ServiceTime::Up)];
    course.push(stretch(8.0, 7.83, ServiceTime::Maintenance));
    course.push(stretch(7.83, 4.5, ServiceTime::Up));
    course.push(stretch(4.5, 4.0, if up < 1.0 { ServiceTime::Down } else { ServiceTime::Up }));
    course.push(stretch(4.0, 0.0, ServiceTime::Up));
    let observed = 0.958 * 86_400.0;
    let times = ServiceTimes { up: up * observed, down: (1.0 - up) * observed, maintenance: 600.0 };
    ServiceFacts { status, share: Some(UptimeShare { up, observed: 0.958 }), times, stability: Some(0.93), course }
}

const HEALTH: MetricDef =
    MetricDef::gauge("health_score", Unit::Count, "The machine's health").good(GoodDirection::Up).within(Some(0.0), Some(100.0));

/// The older alert fired, e-mail was told after a false start, Ana took it, and it was over half an hour after it began.
fn journal() -> Vec<JournalEntry> {
    let then = |seconds: u64, event| JournalEntry { at: ago(20.0) + Duration::from_secs(seconds), event };
    let step = |to: AlertState, from: AlertState, seconds: u64| {
        let over = if to == AlertState::Resolved { Some(19.5) } else { None };
        let alert = alert("a5", "memory is tight", SeriesKey::total("memory_used_ratio"), (20.0, over));
        let at = ago(20.0) + Duration::from_secs(seconds);
        let (id, rule) = (alert.id.clone(), alert.rule.clone());
        let transition = Transition { alert: id, rule, from: Some(from), to, at, reason: String::new(), author: None };
        then(seconds, JournalEvent::Transition { transition, alert: Box::new(Alert { level: 0, ..alert }) })
    };
    let told = |seconds, error: Option<&str>| {
        let (alert, channel, note) = ("a5".to_owned(), "email".to_owned(), "fired: 250 taken".to_owned());
        then(seconds, JournalEvent::Delivered { alert, channel, error: error.map(str::to_owned), note })
    };
    let (alert, author, comment) = ("a5".to_owned(), "ana".to_owned(), "restarting <it>".to_owned());
    vec![
        step(AlertState::Firing, AlertState::Pending, 0),
        told(1, Some("the server is away; tried again in 5 s")),
        told(6, None),
        then(240, JournalEvent::Acknowledged { alert, author, comment, active: true }),
        step(AlertState::Resolved, AlertState::Firing, 1800),
    ]
}

fn previous() -> PartFacts {
    let range = TimeRange::last(DAY, END - DAY);
    let stats = |mean: f64| SeriesStats {
        mean: Some(mean),
        p95: Some(mean * 1.4),
        max: Some(mean * 1.6),
        n: 86_400,
        exact: true,
        quantiles_exact: true,
        ..SeriesStats::default()
    };
    PartFacts {
        range,
        series: vec![(SeriesKey::total("cpu_usage_ratio"), stats(0.31)), (SeriesKey::total("memory_used_ratio"), stats(0.61))],
        alerts: Vec::new(),
        services: vec![("shop-web".to_owned(), 0.9991)],
        coverage: 1.0,
        security: None,
    }
}

/// Two halves of the day.
fn parts() -> Vec<PartFacts> {
    let part = |from: f64, to: f64, coverage: f64| PartFacts {
        range: TimeRange { from: ago(from), to: ago(to) },
        services: vec![("shop-web".to_owned(), 1.0), ("checkout-api".to_owned(), 0.98)],
        coverage,
        ..previous()
    };
    vec![part(24.0, 12.0, 0.916), part(12.0, 0.0, 1.0)]
}

/// The day.
pub(super) fn facts() -> Facts {
    let by = |metric: &str, name: &str, value: &str| SeriesKey::new(metric, [(name, value)]);
    let memory = SeriesKey::total("memory_used_ratio");
    let wave = |hour: f64| 0.45 + 0.3 * ((hour - 8.0) * std::f64::consts::PI / 12.0).sin();
    Facts {
        host: HostFacts {
            name: "web-01".to_owned(),
            system: "Debian 12".to_owned(),
            kernel: "6.1.0-18-amd64".to_owned(),
            cores: 8,
            memory_bytes: 25_769_803_776,
            booted_at: None,
            labels: [("site".to_owned(), "lisbon".to_owned())].into(),
        },
        series: vec![
            series("cpu", SeriesKey::total("cpu_usage_ratio"), CPU, wave),
            series("memory", memory.clone(), MEMORY, |hour| if hour > 20.0 { 0.91 } else { 0.55 + hour / 200.0 }),
            series("filesystem", by("filesystem_used_ratio", "mount", "/"), FILES, |_| 0.71),
            series("filesystem", by("filesystem_used_ratio", "mount", "/var"), FILES, |hour| 0.9 + hour / 1000.0),
            series("network_receive", by("network_receive_bytes_per_second", "interface", "eth0"), RECEIVE, |hour| {
                3_250_000.0 * (1.2 + (hour / 3.0).sin())
            }),
            series("health", SeriesKey::total("health_score"), HEALTH, |hour| if hour > 20.0 { 60.0 } else { 98.0 }),
            series("temperature", by("temperature_celsius", "sensor", "Core 0"), HEAT, |hour| 55.0 + 6.0 * (hour / 4.0).cos()),
        ],
        alerts: vec![
            alert("a7", "memory is tight", memory.clone(), (3.9, None)),
            alert("a5", "memory is tight", memory, (20.0, Some(19.5))),
        ],
        anomalies: vec![AnomalyInterval {
            key: by("network_receive_bytes_per_second", "interface", "eth0"),
            from: ago(5.0),
            to: Some(ago(4.5)),
            peak: 9.1e6,
            peak_at: ago(4.8),
            strength: 0.97,
            verdict: Verdict::Critical,
            reason: "6.2 spreads above its usual 2.1–3.8 MiB/s".to_owned(),
        }],
        services: vec![service("shop-web", ServiceState::Online, 1.0), service("checkout-api", ServiceState::Degraded, 0.9812)],
        predictions: vec![prediction("p3", None), prediction("p1", Some(Outcome::Right))],
        record: TrackRecord {
            shown: 12,
            right: 9,
            wrong: 1,
            missed: 1,
            brier: Some(0.08),
            base_rate_brier: Some(0.21),
            ..TrackRecord::default()
        },
        coverage: 0.958,
        zone: TimeZone::fixed(offset(1)),
        prices: Prices::default(),
        fonts: Vec::new(),
        security: None,
        journal: journal(),
        previous: Some(previous()),
        parts: parts(),
    }
}
