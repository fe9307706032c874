//! A day of simulated time through the engine's core and a history: time, memory after each hour, what is on disk.
//!
//! `cargo bench --bench day [-- HOURS]`: the simulated machine with as many further series as make 300, one
//! sample a second, flushed every 10 s into a history in the temporary folder. Memory is this process's
//! resident set (`/proc/self/statm`) at the end of each hour. It fails where memory is not flat after the first hour: more than
//! [`SWING`] above the first hour's end at any later one, or a trend of more than [`TREND`] an hour.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farol::base::Timestamp;
use farol::config::{Inputs, load};
use farol::engine::{Core, Past, Surroundings, Timing, catalog, settings};
use farol::model::{Reading, SeriesKey, Snapshot};
use farol::notify::Sending;
use farol::sim::Machine;
use farol::store::Store;

/// Series of a usual server with all sources.
const SERIES: usize = 300;

/// Most KiB above the end of the first hour: what an allocator keeps of the largest moment (the first hourly rollup).
const SWING: f64 = 3072.0;

/// Most KiB an hour from the third hour on: 24 of them would be the swing of a single hour.
const TREND: f64 = 64.0;

fn main() {
    let hours: i64 = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(24);
    let dir = tempfile::tempdir().expect("a folder");
    let config = load(&Inputs::default()).expect("the defaults are good").config;
    let start = Timestamp::from_seconds(1_780_000_000);
    let mut machine = Machine::new(1, start);
    let host = Arc::new(machine.facts());
    let around = Surroundings { host, link_bits_per_second: None, data_dir: dir.path(), sending: Sending::Dry };
    let settings = settings(&config, &Arc::new(catalog()), &around).expect("the defaults are good");
    let file = dir.path().join("farol.redb");
    let (mut writer, reader) = Store::open(&file, &config.store).expect("a history");
    let mut core = Core::new(settings, Past::default(), start).expect("the defaults are good");
    let _ = core.first_pulse(start);
    println!("{:>4} {:>8} {:>12} {:>12} {:>10}", "hour", "series", "memory KiB", "file KiB", "seconds");
    let (mut ends, mut series): (Vec<f64>, usize) = (Vec::new(), 0);
    let mut snapshot = Snapshot::empty(Arc::new(catalog()));
    for hour in 0..hours {
        let begun = Instant::now();
        for second in 0..3600 {
            let at = start + Duration::from_secs((hour * 3600 + second).unsigned_abs());
            let mut sample = machine.sample(at);
            pad(&mut sample.readings, hour * 3600 + second);
            machine.checks(at).iter().for_each(|result| core.check(result));
            let output = core.tick(sample, Timing::default());
            series = output.pulse.as_ref().and_then(|p| p.readings.as_ref()).map_or(0, |r| r.len());
            if let Some(pulse) = &output.pulse {
                snapshot = snapshot.apply(pulse);
            }
            if !output.now.is_empty() {
                writer.commit(output.now).expect("there is room");
            }
            if let Some(rounds) = output.rounds {
                for (at, readings) in &rounds {
                    writer.push(*at, readings);
                }
                writer.queue(output.later);
                writer.flush(at).expect("there is room");
                while writer.maintain(at).expect("there is room") {}
            }
        }
        let memory = resident();
        ends.push(memory as f64);
        let size = std::fs::metadata(&file).map_or(0, |m| m.len() / 1024);
        println!("{:>4} {series:>8} {memory:>12} {size:>12} {:>10.1}", hour + 1, begun.elapsed().as_secs_f64());
    }
    let most = ends.iter().skip(1).copied().fold(f64::MIN, f64::max) - ends.first().copied().unwrap_or(0.0);
    let trend = slope(ends.get(2..).unwrap_or_default());
    println!("after the first hour memory rose by at most {most:.0} KiB; from the third on it changed by {trend:.1} KiB an hour");
    assert!(most <= SWING && trend <= TREND, "memory is not flat");
    drop((reader, writer));
}

/// Change from one value to the next: the least squares' straight line.
fn slope(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let (middle, mean) = ((n - 1.0) / 2.0, values.iter().sum::<f64>() / n);
    let (mut rise, mut run) = (0.0, 0.0);
    for (place, value) in values.iter().enumerate() {
        rise += (place as f64 - middle) * (value - mean);
        run += (place as f64 - middle).powi(2);
    }
    if run > 0.0 { rise / run } else { 0.0 }
}

/// Adds series until there are [`SERIES`]: slow waves of different length, as interfaces and sensors have.
fn pad(readings: &mut Vec<Reading>, second: i64) {
    for n in 0..SERIES.saturating_sub(readings.len()) {
        let phase = second as f64 / (600.0 + 37.0 * n as f64);
        let value = 40.0 + 10.0 * phase.sin() + ((second * 7919 + n as i64) % 100) as f64 / 100.0;
        let key = SeriesKey::new("temperature_celsius", [("sensor", format!("s{n}").as_str())]);
        readings.push(Reading { key, value, cumulative: None });
    }
}

/// Resident memory of this process in KiB: the second field of `statm`, in pages of 4 KiB.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    pages * 4
}
