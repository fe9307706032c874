//! Cost of the analysis: nanoseconds per series-sample, bytes per series, milliseconds per forecast; and the warnings of a
//! healthy machine beside their budget.
//!
//! `cargo bench --bench analyze`; the bars are in ARCHITECTURE.md.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farol::analyze::{
    AnalyzeConfig, Analyzer, AnomalyChange, ForecastPlan, ForecastTask, MACHINE_SCORE, capacity_plan, chart_plan, forecast,
    limit_for,
};
use farol::base::{Timestamp, Unit};
use farol::model::{Bucket, Catalog, MetricDef, Reading, SeriesKey, Verdict};
use farol::sim::Machine;

const DEFS: &[MetricDef] = &[
    MetricDef::gauge("filesystem_used_ratio", Unit::Ratio, "x").by(&["mount"]),
    MetricDef::counter("disk_read_bytes_per_second", Unit::BytesPerSecond, "x").by(&["device"]),
];
const SERIES: usize = 300;
const SAMPLES: i64 = 6 * 3600;

/// A value with a day, noise and now and then a burst; the same for the same place and time.
fn value(series: usize, at: i64) -> f64 {
    let mut bits = (series as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (at as u64).wrapping_mul(0xd1b5_4a32_d192_ed03);
    bits = (bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let noise = (bits >> 40) as f64 / (1_u64 << 24) as f64;
    let day = (std::f64::consts::TAU * at as f64 / 86_400.0).sin();
    0.4 + 0.2 * day + 0.1 * noise + if noise > 0.999 { 0.3 } else { 0.0 }
}

fn observe() {
    let keys: Vec<SeriesKey> =
        (0..SERIES).map(|i| SeriesKey::new(DEFS[i % 2].name, [(DEFS[i % 2].labels[0], i.to_string().as_str())])).collect();
    let mut analyzer = Analyzer::new(&AnalyzeConfig::default(), Arc::new(Catalog::new([DEFS])));
    let before = resident();
    let mut spent = Duration::ZERO;
    let mut anomalies = 0;
    for at in 0..SAMPLES {
        let readings: Vec<Reading> = keys
            .iter()
            .enumerate()
            .map(|(i, key)| Reading {
                key: key.clone(),
                value: value(i, at) * if i % 2 == 0 { 1.0 } else { 1e7 },
                cumulative: None,
            })
            .collect();
        let start = Instant::now();
        anomalies += black_box(analyzer.observe(Timestamp::from_seconds(at), &readings)).anomalies.len();
        spent += start.elapsed();
    }
    let n = SERIES as f64 * SAMPLES as f64;
    println!("observe   {:8.0} ns per series-sample, {SERIES} series, {anomalies} anomaly changes", spent.as_nanos() as f64 / n);
    if let (Some(before), Some(after)) = (before, resident()) {
        println!("memory    {:8.0} bytes resident per series", (after - before) / SERIES as f64);
    }
    let start = Instant::now();
    let saved = analyzer.save(Timestamp::from_seconds(SAMPLES));
    println!("save      {:8.2} ms, {} bytes per series", start.elapsed().as_secs_f64() * 1e3, saved.len() / SERIES);
    let start = Instant::now();
    black_box(analyzer.trends());
    println!("trends    {:8.2} ms for all series", start.elapsed().as_secs_f64() * 1e3);
}

/// Resident anonymous memory of this process, in bytes; `None` where the system does not say.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("RssAnon:"))?;
    line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kib| kib * 1024.0)
}

fn forecasts(name: &str, plan: ForecastPlan) {
    let key = SeriesKey::new("filesystem_used_ratio", [("mount", "/")]);
    let step = i64::try_from(plan.step.as_secs()).expect("steps are short");
    let points = i64::try_from(plan.past.as_secs()).expect("pasts are short") / step;
    let history: Vec<Bucket> = (0..points).map(|i| Bucket::raw(Timestamp::from_seconds(i * step), value(1, i * step))).collect();
    let task = ForecastTask {
        limit: limit_for(&key, &Catalog::new([DEFS])),
        key,
        def: DEFS[0],
        history,
        step: plan.step,
        horizon: plan.horizon,
        now: Timestamp::from_seconds(points * step),
    };
    let start = Instant::now();
    let mut method = String::new();
    for _ in 0..5 {
        method = black_box(forecast(&task)).method;
    }
    let ms = start.elapsed().as_secs_f64() * 1e3 / 5.0;
    println!("forecast  {ms:8.2} ms, {name}: {points} points of {step} s, by {method}");
}

/// Four weeks of a healthy machine with a backup every night and two deployments a day: what it warns of, week by week.
fn quiet(step: u64) {
    let start = Timestamp::from_seconds(1_795_132_800);
    let mut machine = Machine::quiet(1, start);
    let mut analyzer = Analyzer::new(&AnalyzeConfig::default(), Arc::new(farol::engine::catalog()));
    let (mut weeks, mut critical, mut warned) = ([0_u32; 4], 0, None);
    for i in 0..28 * 86_400 / step {
        let at = start + Duration::from_secs(i * step);
        for change in analyzer.observe(at, &machine.sample(at).readings).anomalies {
            let (AnomalyChange::Opened(seen) | AnomalyChange::Updated(seen)) = change else { continue };
            if seen.key.metric() != MACHINE_SCORE || seen.verdict < Verdict::Warning {
                continue;
            }
            if warned.replace(seen.from) != Some(seen.from) {
                weeks[(i * step / 604_800) as usize] += 1;
            }
            critical += u32::from(seen.verdict == Verdict::Critical);
        }
    }
    println!("quiet     every {step} s: {weeks:?} warnings a week, {critical} critical; at most 2 and 1 are allowed");
    assert!(weeks.iter().all(|n| *n <= 2) && critical <= 1, "more than the budget");
}

fn main() {
    observe();
    quiet(60);
    quiet(10);
    let second = Duration::from_secs(1);
    forecasts("15 min chart", chart_plan(Duration::from_secs(900), second));
    forecasts("1 h chart", chart_plan(Duration::from_secs(3600), second));
    forecasts("1 d chart", chart_plan(Duration::from_secs(86_400), second));
    forecasts("capacity", capacity_plan(&AnalyzeConfig::default()));
}
