//! Reports over a real history beside queries of the same span.
//!
//! Invariant: a report's figure and a query never disagree, with an engine and without, while samples are kept and after.

use std::sync::RwLock;
use std::time::Duration;

use serde_json::Value;

use super::answer::{Context, answer};
use super::facts;
use super::live::Head;
use super::moments::{History, at};
use crate::base::{TimeRange, Timestamp};
use crate::model::{HostFacts, Prices, Reading, ReportDepth, ReportFormat, ReportKind, ReportSpec, SeriesKey, ServiceStatus};
use crate::monitor::{Answer, QueryRequest, Request};
use crate::store::StoreConfig;

const HOURS: u64 = 12;
const STEP: u64 = 10;

fn report(range: TimeRange, context: &Context<'_>) -> Value {
    report_of((ReportKind::Performance, ReportDepth::Daily), range, context)
}

fn report_of((kind, depth): (ReportKind, ReportDepth), range: TimeRange, context: &Context<'_>) -> Value {
    let spec = ReportSpec { kind, depth, range, format: ReportFormat::Json, growth_percent: 0, time_zone: None };
    match facts::report(&spec, context) {
        Ok(Answer::Report { bytes, .. }) => serde_json::from_slice(&bytes).expect("JSON"),
        other => panic!("{other:?}"),
    }
}

fn section<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["sections"].as_array().expect("sections").iter().find(|s| s["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

/// Rows of a table, each as its columns' names and values.
fn rows(report: &Value, in_section: &str, id: &str) -> Vec<serde_json::Map<String, Value>> {
    let tables = section(report, in_section)["tables"].as_array().expect("tables");
    let table = tables.iter().find(|t| t["id"] == id).unwrap_or_else(|| panic!("no {id}"));
    let columns: Vec<&str> = table["columns"].as_array().expect("columns").iter().filter_map(Value::as_str).collect();
    let row = |row: &Value| {
        let cells = row.as_array().expect("cells").iter().cloned();
        columns.iter().map(|c| (*c).to_owned()).zip(cells).collect()
    };
    table["rows"].as_array().expect("rows").iter().map(row).collect()
}

/// What `function(key[span])` gives at the end of the span for that very series.
fn queried(function: &str, key: &SeriesKey, range: TimeRange, context: &Context<'_>) -> f64 {
    let (name, parameter) = function.split_once(' ').map_or((function, String::new()), |(n, p)| (n, format!("{p}, ")));
    let expr = format!("{name}({parameter}{}[{}s])", key, range.length().as_secs());
    let end = TimeRange { from: range.to, to: range.to };
    let request = QueryRequest { expr: expr.clone(), range: end, step: Duration::ZERO };
    let Ok(Answer::Query { series, .. }) = answer(&Request::Query(request), context) else { panic!("{expr}") };
    let found = series.iter().find(|s| s.metric.iter().filter(|(n, _)| **n != *"__name__").count() == key.labels().len());
    found.unwrap_or_else(|| panic!("{expr}: nothing")).values[0].1
}

/// Equal but for the last bit, in which a reader of JSON errs.
fn same(found: &Value, expected: f64) -> bool {
    found.as_f64().is_some_and(|found| (found - expected).abs() <= expected.abs() * f64::EPSILON)
}

/// Names of a table's columns and the queries that give the same.
const FIGURES: [(&str, &str); 7] = [
    ("min", "min_over_time"),
    ("mean", "avg_over_time"),
    ("p50", "quantile_over_time 0.5"),
    ("p95", "quantile_over_time 0.95"),
    ("p99", "quantile_over_time 0.99"),
    ("max", "max_over_time"),
    ("last", "last_over_time"),
];

/// One of each kind that is measured: shares, bytes, rates, a total beside its parts.
fn keys() -> Vec<(SeriesKey, f64)> {
    let by = |metric, label, value| SeriesKey::new(metric, [(label, value)]);
    vec![
        (SeriesKey::total("cpu_usage_ratio"), 1.0),
        (by("cpu_usage_ratio", "core", "0"), 1.0),
        (SeriesKey::total("memory_used_ratio"), 0.9),
        (SeriesKey::total("swap_used_ratio"), 0.1),
        (by("filesystem_used_ratio", "mount", "/"), 0.7),
        (by("filesystem_used_ratio", "mount", "/var/lib"), 0.4),
        (by("disk_busy_ratio", "device", "sda"), 0.3),
        (by("disk_read_bytes_per_second", "device", "sda"), 4e6),
        (SeriesKey::total("disk_write_bytes_per_second"), 7e6),
        (SeriesKey::total("network_receive_bytes_per_second"), 3e8),
        (by("network_transmit_bytes_per_second", "interface", "eth0"), 5e7),
        (by("temperature_celsius", "sensor", "cpu"), 61.0),
        (SeriesKey::total("health_score"), 100.0),
        (by("service_check_seconds", "service", "web"), 0.02),
    ]
}

/// What only reports of other kinds read.
fn other_keys() -> Vec<(SeriesKey, f64)> {
    let by = |metric, label, value| SeriesKey::new(metric, [(label, value)]);
    vec![
        (SeriesKey::total("sessions"), 7.0),
        (by("units", "state", "failed"), 3.0),
        (by("tcp_connections", "state", "syn_recv"), 40.0),
        (by("tcp_connections", "state", "established"), 900.0),
        (by("filesystem_size_bytes", "mount", "/"), 400e9),
    ]
}

/// Short peaks that no mean of a minute shows.
fn value(second: u64, series: usize, scale: f64) -> f64 {
    let slow = 0.2 + ((second * (series as u64 + 3)) % 1000) as f64 / 10_000.0;
    scale * if second.is_multiple_of(70) { 0.9 } else { slow }
}

/// A service that was down for a while, and one in maintenance for an hour.
fn service_values(second: u64) -> Vec<(SeriesKey, f64)> {
    let of = |metric, service| SeriesKey::new(metric, [("service", service)]);
    let mut values = vec![(of("service_up", "web"), f64::from(!(20_000..20_500).contains(&second)))];
    let in_work = (7200..10_800).contains(&second);
    values.push((of(if in_work { "service_maintenance" } else { "service_up" }, "mail"), 1.0));
    values
}

fn record(raw: Duration, head: &RwLock<Head>) -> History {
    let mut history = History::new(&StoreConfig { raw, ..StoreConfig::default() });
    let keys: Vec<(SeriesKey, f64)> = keys().into_iter().chain(other_keys()).collect();
    history.host = HostFacts { cores: CORES, memory_bytes: MEMORY, ..HostFacts::default() };
    history.prices = prices();
    for second in (STEP..=HOURS * 3600).step_by(STEP as usize) {
        let plain = keys.iter().enumerate().map(|(i, (key, scale))| (key.clone(), value(second, i, *scale)));
        let readings: Vec<Reading> =
            plain.chain(service_values(second)).map(|(key, value)| Reading { key, value, cumulative: None }).collect();
        history.writer.push(at(second), &readings);
        head.write().expect("no test panics with it").push(at(second), &readings);
        if second.is_multiple_of(600) {
            history.flush(second);
        }
    }
    history
}

fn services() -> [ServiceStatus; 2] {
    ["web", "mail"].map(|name| ServiceStatus { name: name.to_owned(), ..ServiceStatus::default() })
}

#[test]
fn every_figure_of_a_report_is_what_a_query_of_the_same_span_gives() {
    for (raw, exact) in [(Duration::from_secs(8 * 86_400), true), (Duration::from_secs(3600), false)] {
        let live = RwLock::new(Head::new(Duration::from_secs(STEP)));
        let history = record(raw, &live);
        let range = TimeRange { from: at(0), to: at(HOURS * 3600) };
        for head in [None, Some(&live)] {
            history.with_services(head, &services(), |context| {
                let report = report(range, context);
                let figures = rows(&report, "performance", "figures");
                assert_eq!(figures.len(), keys().len() - 2, "all but health, which has its section, and the core");
                for row in &figures {
                    let key: SeriesKey = row["series"].as_str().and_then(|k| k.parse().ok()).expect("a series");
                    for (column, function) in FIGURES {
                        let expected = queried(function, &key, range, context);
                        assert!(same(&row[column], expected), "{column} of {key}, raw {raw:?}: {row:?}, {expected}");
                    }
                    assert_eq!(row["exact"] == "exact", exact, "{key}, raw {raw:?}");
                }
                same_facts_as_rows(&report, &figures);
                let health = SeriesKey::total("health_score");
                let mean = &section(&report, "health")["facts"][0]["value"];
                assert!(same(mean, queried("avg_over_time", &health, range, context)), "{mean}");
                services_are_as_queried(&report, range, context);
                activity_is_as_queried(range, context);
                cost_is_as_queried(range, context);
                glance_is_as_queried(range, context);
            });
        }
    }
}

/// The facts of the section are the rows of series without labels.
fn same_facts_as_rows(report: &Value, figures: &[serde_json::Map<String, Value>]) {
    let facts = section(report, "performance")["facts"].as_array().expect("facts");
    let fact = |id: &str| facts.iter().find(|f| f["id"] == id).unwrap_or_else(|| panic!("no {id}"));
    for (id, metric) in [
        ("cpu", "cpu_usage_ratio"),
        ("memory", "memory_used_ratio"),
        ("swap", "swap_used_ratio"),
        ("disk_write", "disk_write_bytes_per_second"),
        ("network_receive", "network_receive_bytes_per_second"),
    ] {
        let row = figures.iter().find(|r| r["series"] == metric).unwrap_or_else(|| panic!("no {metric}"));
        for (column, _) in FIGURES {
            assert_eq!(fact(&format!("{id}.{column}"))["value"], row[column], "{id}.{column}");
        }
    }
}

fn services_are_as_queried(report: &Value, range: TimeRange, context: &Context<'_>) {
    let services = rows(report, "services", "services");
    let availability = rows(report, "services", "availability");
    for name in ["web", "mail"] {
        let of = |metric| SeriesKey::new(metric, [("service", name)]);
        let row = services.iter().find(|r| r["service"] == name).expect("a row");
        let mean = queried("avg_over_time", &of("service_up"), range, context);
        let samples = queried("count_over_time", &of("service_up"), range, context);
        assert!(same(&row["up"], mean), "{name}");
        let times = availability.iter().find(|r| r["service"] == name).expect("a row");
        let up = samples * STEP as f64 * mean;
        assert!((times["up_seconds"].as_f64().expect("known") - up).abs() < 1e-6, "{name}: {times:?} for {up}");
    }
    let web = availability.iter().find(|r| r["service"] == "web").expect("a row");
    // The mean of a minute has five digits.
    assert!((web["down_seconds"].as_f64().expect("known") - 500.0).abs() < 0.01, "{web:?}");
    let mail = availability.iter().find(|r| r["service"] == "mail").expect("a row");
    assert_eq!(mail["maintenance_seconds"].as_f64(), Some(3600.0));
    assert!(mail["not_observed_seconds"].as_f64().expect("known") < 1.0, "{mail:?}");
}

/// The figures of a security report.
fn activity_is_as_queried(range: TimeRange, context: &Context<'_>) {
    let report = report_of((ReportKind::Security, ReportDepth::Daily), range, context);
    let figures = rows(&report, "activity", "figures");
    assert_eq!(figures.len(), other_keys().len() - 1, "all but the size");
    for row in &figures {
        let key: SeriesKey = row["series"].as_str().and_then(|k| k.parse().ok()).expect("a series");
        for (column, function) in FIGURES {
            let expected = queried(function, &key, range, context);
            assert!(same(&row[column], expected), "{column} of {key}: {row:?}, {expected}");
        }
    }
}

const CORES: u32 = 8;
const GIB: f64 = 1_073_741_824.0;
const MEMORY: u64 = 16 << 30;
/// A twelfth of a year, in seconds.
const MONTH: f64 = 2_629_746.0;

fn prices() -> Prices {
    let [vcpu_month, gib_memory_month, gib_disk_month, gb_traffic] = [8.5, 2.0, 0.1, 0.01].map(Some);
    Prices { currency: "EUR".to_owned(), vcpu_month, gib_memory_month, gib_disk_month, gb_traffic }
}

/// What it costs by what queries say of use, sizes and traffic.
fn cost_is_as_queried(range: TimeRange, context: &Context<'_>) {
    let report = report_of((ReportKind::Capacity, ReportDepth::Daily), range, context);
    let of = |function: &str, key: &str| queried(function, &key.parse().expect("a key"), range, context);
    let p95 = |key: &str| of("quantile_over_time 0.95", key);
    let size = of("last_over_time", "filesystem_size_bytes{mount=\"/\"}");
    let traffic = of("avg_over_time", "network_transmit_bytes_per_second{interface=\"eth0\"}") * MONTH / 1e9 * 0.01;
    let (memory, cores) = (MEMORY as f64, f64::from(CORES));
    let now = cores * 8.5 + memory / GIB * 2.0 + size / GIB * 0.1 + traffic;
    let whole = |bytes: f64| (bytes / GIB).ceil();
    let needed = (cores * p95("cpu_usage_ratio") / 0.7).ceil() * 8.5
        + whole(memory * p95("memory_used_ratio") / 0.8) * 2.0
        + whole(size * p95("filesystem_used_ratio{mount=\"/\"}") / 0.8) * 0.1
        + traffic;
    let facts = section(&report, "cost")["facts"].as_array().expect("facts");
    for (id, expected) in [("cost.month", now), ("cost.month_rightsized", needed), ("cost.saving", now - needed)] {
        let found = facts.iter().find(|f| f["id"] == id).and_then(|f| f["value"].as_f64()).expect("known");
        assert!((found - expected).abs() < 1e-9 * now, "{id}: {found}, {expected}");
    }
}

/// The second half of the span against the first.
fn glance_is_as_queried(range: TimeRange, context: &Context<'_>) {
    // Between two samples, so that none is at the end of both.
    let middle = at(HOURS * 1800 - STEP / 2);
    let (before, now) = (TimeRange { from: middle - (range.to.since(middle)), to: middle }, TimeRange { from: middle, ..range });
    let report = report_of((ReportKind::Performance, ReportDepth::Monthly), now, context);
    let mut n = 0;
    for row in rows(&report, "executive", "glance") {
        let up = |span| {
            let of = |name| queried("avg_over_time", &SeriesKey::new("service_up", [("service", name)]), span, context);
            of("web").min(of("mail"))
        };
        let of = |function: &'static str, metric: &str| {
            let key = SeriesKey::total(metric);
            move |span| queried(function, &key, span, context)
        };
        let expected: Box<dyn Fn(TimeRange) -> f64> = match row["figure"].as_str().expect("a name") {
            "Least up service" => Box::new(up),
            "Health, mean" => Box::new(of("avg_over_time", "health_score")),
            "CPU, mean" => Box::new(of("avg_over_time", "cpu_usage_ratio")),
            "CPU, 95 % of the time below" => Box::new(of("quantile_over_time 0.95", "cpu_usage_ratio")),
            "Memory, mean" => Box::new(of("avg_over_time", "memory_used_ratio")),
            "Memory, highest" => Box::new(of("max_over_time", "memory_used_ratio")),
            // Counted in the journal, of which there is none here, and in minutes.
            "Alerts" | "Critical alerts" | "Observed" => continue,
            other => panic!("{other} is compared with nothing"),
        };
        for (column, span) in [("before", before), ("now", now)] {
            assert!(same(&row[column], expected(span)), "{column}: {row:?}, {}", expected(span));
        }
        n += 1;
    }
    assert_eq!(n, 6);
}

/// Quantiles recomputed from the samples themselves.
#[test]
fn percentiles_are_those_of_the_samples_or_within_a_hundredth() {
    for (raw, within) in [(Duration::from_secs(8 * 86_400), 0.0), (Duration::from_secs(3600), 0.0101)] {
        let live = RwLock::new(Head::new(Duration::from_secs(STEP)));
        let history = record(raw, &live);
        let range = TimeRange { from: at(0), to: at(HOURS * 3600) };
        history.with_services(None, &[], |context| {
            let figures = rows(&report(range, context), "performance", "figures");
            for (series, (key, scale)) in keys().into_iter().enumerate() {
                let Some(row) = figures.iter().find(|r| r["series"] == key.to_string()) else { continue };
                let kept = |second| {
                    let reading = Reading { key: key.clone(), value: value(second, series, scale), cumulative: None };
                    crate::store::kept(&reading)
                };
                let mut values: Vec<f64> = (STEP..=HOURS * 3600).step_by(STEP as usize).map(kept).collect();
                values.sort_by(f64::total_cmp);
                for (column, q) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
                    let rank = q * (values.len() - 1) as f64;
                    let (low, high) = (values[rank.floor() as usize], values[rank.ceil() as usize]);
                    let expected = low + (high - low) * rank.fract();
                    let found = row[column].as_f64().expect("known");
                    assert!(
                        (found - expected).abs() <= expected * within + 1e-12 * expected,
                        "{column} of {key}: {found}, {expected}"
                    );
                }
            }
        });
    }
}

#[test]
fn a_span_that_begins_between_two_samples_holds_those_after_it() {
    let live = RwLock::new(Head::new(Duration::from_secs(STEP)));
    let history = record(Duration::from_secs(8 * 86_400), &live);
    let from = Timestamp(at(1234).0 + 567);
    let range = TimeRange { from, to: at(40_005) };
    history.with_services(None, &[], |context| {
        let report = report(range, context);
        let row = rows(&report, "performance", "figures").into_iter().find(|r| r["series"] == "memory_used_ratio");
        let row = row.expect("a row");
        let mut values: Vec<f64> = (1240..=40_000).step_by(STEP as usize).map(|s| value(s, 2, 0.9)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.sort_by(f64::total_cmp);
        let near = |found: &Value, expected: f64| (found.as_f64().expect("known") - expected).abs() < 1e-4;
        assert!(
            near(&row["mean"], mean) && near(&row["max"], values[values.len() - 1]) && near(&row["min"], values[0]),
            "{row:?}, {mean}"
        );
    });
}
