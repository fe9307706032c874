//! What a report is made from, and what must be read for it.
//!
//! Model types only: the engine fills [`Facts`] from one read view. Invariant: what is not known is
//! absent, and every figure says whether it is exact.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::text;
use crate::base::TimeRange;
use crate::model::{
    Alert, AnomalyInterval, Bucket, Crossing, Forecast, HostFacts, JournalEntry, MetricDef, Prediction, Prices, ReportDepth,
    ReportKind, SecurityFacts, SeriesKey, ServiceStatus, TrackRecord, Trend, UptimeShare,
};

/// All that is known of the span of a report.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The machine.
    pub host: HostFacts,
    /// One for each series that a [`WantedSeries`] selects, in any order.
    pub series: Vec<SeriesFacts>,
    /// Alerts that were pending or firing at some moment of the span, resolved ones included, in any order.
    pub alerts: Vec<Alert>,
    /// Anomalies that touch the span, in any order.
    pub anomalies: Vec<AnomalyInterval>,
    /// Services, in any order.
    pub services: Vec<ServiceFacts>,
    /// Predictions that are open at the end of the span or were scored within it.
    pub predictions: Vec<Prediction>,
    /// How predictions did up to the end of the span.
    pub record: TrackRecord,
    /// Share of the span in which the machine was observed, 0–1.
    pub coverage: f64,
    /// Zone in which people read the times.
    pub zone: TimeZone,
    /// What things cost.
    pub prices: Prices,
    /// The machine's fonts for signs that the report's own have not; the first that has a sign is used.
    pub fonts: Vec<SystemFont>,
    /// What was seen of security; `None` where nothing looks for it.
    pub security: Option<SecurityFacts>,
    /// The journal of the span, oldest first: what happened to its alerts, who was told, who decided.
    pub journal: Vec<JournalEntry>,
    /// The span before, of the same length; `None` where nothing of it was observed.
    pub previous: Option<PartFacts>,
    /// The span in parts of [`Wanted::parts`], oldest first, the last of them whole; those not observed are left out.
    pub parts: Vec<PartFacts>,
}

/// A font of the machine.
#[derive(Debug, Clone)]
pub struct SystemFont {
    /// Its file.
    pub bytes: Arc<Vec<u8>>,
    /// Its face within the file.
    pub index: u32,
}

/// What is known in short of another span, or of a part of it.
#[derive(Debug, Clone)]
pub struct PartFacts {
    /// That span.
    pub range: TimeRange,
    /// Figures of series without labels.
    pub series: Vec<(SeriesKey, SeriesStats)>,
    /// Alerts that were pending or firing at some moment of it.
    pub alerts: Vec<Alert>,
    /// Services by name, with the share of observed time each was up.
    pub services: Vec<(String, f64)>,
    /// Share of it in which the machine was observed, 0–1.
    pub coverage: f64,
    /// What was seen of security, where the report is about it; `None` where nobody looked.
    pub security: Option<SecurityFacts>,
}

/// One series over the span.
#[derive(Debug, Clone)]
pub struct SeriesFacts {
    /// [`WantedSeries::id`] of what it was read for.
    pub id: &'static str,
    /// Which series.
    pub key: SeriesKey,
    /// Its metric.
    pub def: MetricDef,
    /// Its figures.
    pub stats: SeriesStats,
    /// Where it is heading at the end of the span.
    pub trend: Option<Trend>,
    /// The limit at which it is exhausted, in the metric's unit; `None` where it has none.
    pub limit: Option<f64>,
    /// Where it goes from the end of the span; only capacity reports have it.
    pub forecast: Option<Forecast>,
    /// Points for a chart, at most [`Wanted::chart_points`], by time; gaps are absent.
    pub points: Vec<Bucket>,
}

impl SeriesFacts {
    /// When its limit is reached, if it is.
    pub(super) fn crossing(&self) -> Option<Crossing> {
        self.forecast.as_ref().and_then(|f| f.crossing)
    }

    /// Share of its limit that is used at the end of the span.
    pub(super) fn used_share(&self) -> Option<f64> {
        Some(self.stats.last? / self.limit.filter(|l| *l > 0.0)?)
    }
}

/// Figures of one series over the span; `None` where nothing was observed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SeriesStats {
    /// Smallest value.
    pub min: Option<f64>,
    /// Arithmetic mean over all samples.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
    /// Newest value.
    pub last: Option<f64>,
    /// Number of samples.
    pub n: u64,
    /// Minimum, mean and maximum are exact; false where part of them is lost.
    pub exact: bool,
    /// Percentiles are made from raw samples; false where they come from sketches (1 % relative error) or rollups.
    pub quantiles_exact: bool,
}

/// One service over the span.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceFacts {
    /// As it stands at the end of the span.
    pub status: ServiceStatus,
    /// Uptime over the span; `None` where nothing was observed.
    pub share: Option<UptimeShare>,
    /// Where the time went.
    pub times: ServiceTimes,
    /// How evenly it answered over the span, 0–1; `None` where that is not measured.
    pub stability: Option<f64>,
    /// Stretches of time in one state, by time, no finer than a chart shows; what lies between was not observed.
    pub course: Vec<(TimeRange, ServiceTime)>,
}

/// What a stretch of a service's time counts as; of a stretch with several the last of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceTime {
    /// In maintenance.
    Maintenance,
    /// Online or degraded.
    Up,
    /// Offline at some moment.
    Down,
}

/// Seconds of a span by what a service was in; what is left of the span was not observed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ServiceTimes {
    /// Online or degraded.
    pub up: f64,
    /// Offline.
    pub down: f64,
    /// In maintenance, which counts as neither.
    pub maintenance: f64,
}

/// Series a report wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedSeries {
    /// Its place in the report and the first part of its fact ids (`cpu`).
    pub id: &'static str,
    /// For people; the values of its labels come behind it.
    pub name: &'static str,
    /// What is read: a query that is one selector; every series it selects is one [`SeriesFacts`].
    pub selector: &'static str,
}

/// What must be read for a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Series with their figures, trends and points.
    pub series: &'static [WantedSeries],
    /// Most points of a chart.
    pub chart_points: usize,
    /// Whether series with a limit want a forecast of this length from the end of the span.
    pub ahead: Option<Duration>,
    /// Length of the parts into which the span is divided as well.
    pub parts: Option<Duration>,
}

/// What must be read for a report of this kind and depth.
pub fn facts_wanted(kind: ReportKind, depth: ReportDepth) -> Wanted {
    let (series, ahead) = match kind {
        ReportKind::Performance => (PERFORMANCE, None),
        ReportKind::Capacity => (CAPACITY, Some(AHEAD)),
        ReportKind::Security => (SECURITY, None),
    };
    let parts = match (kind, depth) {
        (ReportKind::Performance, ReportDepth::Weekly) => Some(DAY),
        (ReportKind::Performance, ReportDepth::Monthly) => Some(DAY * 7),
        _ => None,
    };
    Wanted { series, chart_points: chart_points(depth), ahead, parts }
}

/// The name for people of a series that reports are about.
pub(super) fn name(key: &SeriesKey) -> Option<String> {
    let text = key.to_string();
    PERFORMANCE.iter().chain(CAPACITY).chain(SECURITY).find_map(|wanted| {
        let (metric, labels) = wanted.selector.split_once('{').unwrap_or((wanted.selector, ""));
        match labels {
            // A selector of totals leaves parts their own names.
            _ if metric != key.metric() => None,
            "" | "core=\"\"}" => Some(text::named(wanted.name, key)),
            _ => (wanted.selector == text).then(|| wanted.name.to_owned()),
        }
    })
}

/// How far a capacity report looks: longer than most orders take, shorter than most histories mislead.
const AHEAD: Duration = Duration::from_secs(30 * 86_400);

const DAY: Duration = Duration::from_secs(86_400);

/// One point a pixel of half the page's width, as far as the span has as many minutes.
fn chart_points(depth: ReportDepth) -> usize {
    match depth {
        ReportDepth::Hourly => 180,
        ReportDepth::Daily | ReportDepth::Weekly | ReportDepth::Monthly => 360,
    }
}

/// Series of a performance report; ids are the contract.
const PERFORMANCE: &[WantedSeries] = &[
    WantedSeries { id: "cpu", name: "CPU", selector: "cpu_usage_ratio{core=\"\"}" },
    WantedSeries { id: "cpu_iowait", name: "CPU waiting for disks", selector: "cpu_mode_ratio{mode=\"iowait\"}" },
    WantedSeries { id: "load", name: "Load over 5 minutes", selector: "load_average{window=\"5m\"}" },
    WantedSeries { id: "memory", name: "Memory", selector: "memory_used_ratio" },
    WantedSeries { id: "swap", name: "Swap", selector: "swap_used_ratio" },
    WantedSeries { id: "pressure", name: "Tasks waiting for", selector: "pressure_some_ratio" },
    WantedSeries { id: "filesystem", name: "File system", selector: "filesystem_used_ratio" },
    WantedSeries { id: "filesystem_size", name: "Size of file system", selector: "filesystem_size_bytes" },
    WantedSeries { id: "disk_busy", name: "Disk busy", selector: "disk_busy_ratio" },
    WantedSeries { id: "disk_read", name: "Disk read", selector: "disk_read_bytes_per_second" },
    WantedSeries { id: "disk_write", name: "Disk written", selector: "disk_write_bytes_per_second" },
    WantedSeries { id: "network_receive", name: "Network in", selector: "network_receive_bytes_per_second" },
    WantedSeries { id: "network_transmit", name: "Network out", selector: "network_transmit_bytes_per_second" },
    WantedSeries { id: "tcp_retransmits", name: "TCP segments sent again", selector: "tcp_retransmits_per_second" },
    WantedSeries { id: "temperature", name: "Temperature", selector: "temperature_celsius" },
    WantedSeries { id: "health", name: "Health", selector: "health_score" },
    WantedSeries { id: "response", name: "Answer of", selector: "service_check_seconds" },
];

/// Series of a security report; ids are the contract.
const SECURITY: &[WantedSeries] = &[
    WantedSeries { id: "sessions", name: "Sessions", selector: "sessions" },
    WantedSeries { id: "units_failed", name: "Failed units", selector: "units{state=\"failed\"}" },
    WantedSeries { id: "half_open", name: "Half-open connections", selector: "tcp_connections{state=\"syn_recv\"}" },
    WantedSeries { id: "connections", name: "Connections", selector: "tcp_connections{state=\"established\"}" },
    WantedSeries { id: "kills", name: "Kills for memory", selector: "oom_kills_per_second" },
    WantedSeries { id: "login_failures", name: "Failed logins", selector: "login_failures_per_second" },
];

/// Series of a capacity report; ids are the contract.
const CAPACITY: &[WantedSeries] = &[
    WantedSeries { id: "cpu", name: "CPU", selector: "cpu_usage_ratio{core=\"\"}" },
    WantedSeries { id: "memory", name: "Memory", selector: "memory_used_ratio" },
    WantedSeries { id: "swap", name: "Swap", selector: "swap_used_ratio" },
    WantedSeries { id: "filesystem", name: "File system", selector: "filesystem_used_ratio" },
    WantedSeries { id: "filesystem_size", name: "Size of file system", selector: "filesystem_size_bytes" },
    WantedSeries { id: "inodes", name: "Inodes of file system", selector: "filesystem_inodes_used_ratio" },
    WantedSeries { id: "descriptors", name: "Open files", selector: "file_descriptors_used_ratio" },
    WantedSeries { id: "pids", name: "Process ids", selector: "pids_used_ratio" },
    WantedSeries { id: "conntrack", name: "Tracked connections", selector: "conntrack_used_ratio" },
    WantedSeries { id: "disk_busy", name: "Disk busy", selector: "disk_busy_ratio" },
    WantedSeries { id: "network_transmit", name: "Network out", selector: "network_transmit_bytes_per_second" },
];
