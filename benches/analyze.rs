//! Cost of the analysis: share of a core and memory for 500 series at 1 s, detector by detector, and of the looks beside them; milliseconds
//! per forecast; and the warnings of a healthy machine beside their budget.
//!
//! `cargo bench --bench analyze`. Time is that of this process on a core, so that a busy machine changes it little.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farol::analyze::{
    AnalyzeConfig, Analyzer, AnomalyChange, DETECTORS, Feature, ForecastPlan, ForecastTask, MACHINE_SCORE, Member, Peers, Point,
    Slowness, Stability, capacity_plan, chart_plan, clusters, forecast, limit_for, shifts,
};
use farol::base::{Timestamp, Unit};
use farol::model::{Bucket, Catalog, MetricDef, Reading, SeriesKey, ServiceState, ServiceStatus, Verdict};
use farol::sim::Machine;

const DEFS: &[MetricDef] = &[
    MetricDef::gauge("filesystem_used_ratio", Unit::Ratio, "x").by(&["mount"]),
    MetricDef::counter("disk_read_bytes_per_second", Unit::BytesPerSecond, "x").by(&["device"]),
];
const SERIES: usize = 500;
const SAMPLES: i64 = 6 * 3600;
/// What all detectors may take of a core and of memory for 500 series at 1 s.
const MOST_CORE: f64 = 0.0015;
const MOST_MEMORY: f64 = 12.0 * 1024.0 * 1024.0;

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
        let start = cpu();
        anomalies += black_box(analyzer.observe(Timestamp::from_seconds(at), &readings)).anomalies.len();
        spent += cpu() - start;
    }
    let (n, share) = (SERIES as f64 * SAMPLES as f64, spent.as_secs_f64() / SAMPLES as f64);
    println!("observe   {:8.0} ns per series-sample, {SERIES} series, {anomalies} anomaly changes", spent.as_nanos() as f64 / n);
    println!(
        "          {:8.3} % of a core at 1 s with baseline, verdict and explanation; {:.2} for all that",
        share * 100.0,
        MOST_CORE * 100.0
    );
    if let (Some(before), Some(after)) = (before, resident()) {
        let (taken, mib) = (after - before, 1024.0 * 1024.0);
        println!(
            "memory    {:8.1} MiB, {:.0} bytes per series; {:.0} MiB",
            taken / mib,
            taken / SERIES as f64,
            MOST_MEMORY / mib
        );
    }
    looks(&analyzer);
    let start = Instant::now();
    let saved = analyzer.save(Timestamp::from_seconds(SAMPLES));
    println!("save      {:8.2} ms, {} bytes per series", start.elapsed().as_secs_f64() * 1e3, saved.len() / SERIES);
    let start = Instant::now();
    black_box(analyzer.trends());
    println!("trends    {:8.2} ms for all series", start.elapsed().as_secs_f64() * 1e3);
}

/// What is looked at beside each sample: once a minute siblings, each second services, each half hour courses and groups.
fn looks(analyzer: &Analyzer) {
    let timed = |name: &str, every: f64, work: &mut dyn FnMut()| {
        let start = cpu();
        (0..20).for_each(|_| work());
        let one = (cpu() - start).as_secs_f64() / 20.0;
        println!("{name:<10}{:8.2} ms each, {:.4} % of a core", one * 1e3, one / every * 100.0);
    };
    let mut peers = Peers::default();
    let mut at = SAMPLES;
    timed("peers", 60.0, &mut || {
        at += 60;
        black_box(peers.look(Timestamp::from_seconds(at), analyzer));
    });
    let services: Vec<ServiceStatus> = (0..50)
        .map(|i| ServiceStatus {
            name: format!("service {i}"),
            state: ServiceState::Online,
            response_seconds: Some(0.1),
            ..ServiceStatus::default()
        })
        .collect();
    let (mut slowness, mut stability) = (Slowness::default(), Stability::new(0.05, BTreeMap::new()));
    let second = Some(Duration::from_secs(1));
    timed("services", 1.0, &mut || {
        at += 1;
        slowness.observe(&services);
        stability.observe(Timestamp::from_seconds(at), second, &services, analyzer);
    });
    let minutes = |i: usize| -> Vec<Bucket> {
        (0..10_080).map(|k| Bucket::raw(Timestamp::from_seconds(k * 60), value(i, k * 60))).step_by(10).collect()
    };
    let (key, past) = (SeriesKey::new("filesystem_used_ratio", [("mount", "/")]), minutes(3));
    timed("shifts", 1800.0 / SERIES as f64, &mut || drop(black_box(shifts(&key, &DEFS[0], &past, Duration::from_secs(600)))));
    let features = [Feature { name: "CPU", unit: Unit::Ratio }, Feature { name: "memory", unit: Unit::Bytes }];
    let members: Vec<Member> =
        (0..300).map(|i| Member { name: i.to_string(), values: vec![value(i, 1), 1e6 * value(i, 2)] }).collect();
    timed("groups", 1800.0, &mut || drop(black_box(clusters("programs", &features, &members))));
}

/// Each detector alone, fed with points as the analysis makes them.
fn detectors() {
    const SECONDS: i64 = 3600;
    for def in DETECTORS {
        let mut all: Vec<_> = (0..SERIES).map(|_| (def.make)()).collect();
        let (before, mut spent, mut votes) = (resident(), Duration::ZERO, 0_usize);
        let mut recent: Vec<Vec<f32>> = vec![Vec::new(); SERIES];
        for at in 0..SECONDS {
            let values: Vec<f64> = (0..SERIES).map(|i| value(i, at)).collect();
            let start = cpu();
            for ((detector, recent), value) in all.iter_mut().zip(&recent).zip(&values) {
                let change = recent.last().map(|v| value - f64::from(*v));
                let point = Point { value: *value, residual: value - 0.45, change, floor: 1e-3, step: 1.0, recent };
                votes += usize::from(black_box(detector.observe(&point)));
            }
            spent += cpu() - start;
            for (recent, value) in recent.iter_mut().zip(&values) {
                if recent.len() == 20 {
                    recent.remove(0);
                }
                recent.push(*value as f32);
            }
        }
        let share = spent.as_secs_f64() / SECONDS as f64 * 100.0;
        let taken = before.zip(resident()).map_or(0.0, |(b, a)| (a - b) / 1024.0 / 1024.0);
        println!("{:<10}{share:8.4} % of a core, {taken:5.1} MiB for {SERIES} series at 1 s, {votes} votes in an hour", def.name);
    }
}

/// Time of this process on a core.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
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
    detectors();
    quiet(60);
    quiet(10);
    let second = Duration::from_secs(1);
    forecasts("15 min chart", chart_plan(Duration::from_secs(900), second));
    forecasts("1 h chart", chart_plan(Duration::from_secs(3600), second));
    forecasts("1 d chart", chart_plan(Duration::from_secs(86_400), second));
    forecasts("capacity", capacity_plan(&AnalyzeConfig::default()));
}
