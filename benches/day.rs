//! A day of simulated time through the engine's core and a history: time, memory after each hour, what is on disk.
//!
//! `cargo bench --bench day [-- HOURS]`: the simulated machine with as many further series as make 300, one
//! sample a second, flushed every 10 s into a history in the temporary folder. Memory is this process's
//! resident set (`/proc/self/statm`); the line at the end says how much it grew after the first hour.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farol::base::Timestamp;
use farol::config::{Inputs, load};
use farol::engine::{Core, Past, Surroundings, Timing, catalog, settings};
use farol::model::{Reading, SeriesKey};
use farol::notify::Sending;
use farol::sim::Machine;
use farol::store::Store;

/// Series of a usual server with all sources (the figure).
const SERIES: usize = 300;

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
    let (mut first, mut last, mut series) = (0, 0, 0);
    for hour in 0..hours {
        let begun = Instant::now();
        for second in 0..3600 {
            let at = start + Duration::from_secs((hour * 3600 + second).unsigned_abs());
            let mut sample = machine.sample(at);
            pad(&mut sample.readings, hour * 3600 + second);
            machine.checks(at).iter().for_each(|result| core.check(result));
            let output = core.tick(sample, Timing::default());
            series = output.pulse.as_ref().and_then(|p| p.readings.as_ref()).map_or(0, |r| r.len());
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
        last = resident();
        first = if hour == 0 { last } else { first };
        let size = std::fs::metadata(&file).map_or(0, |m| m.len() / 1024);
        println!("{:>4} {series:>8} {last:>12} {size:>12} {:>10.1}", hour + 1, begun.elapsed().as_secs_f64());
    }
    let grown = i64::try_from(last).unwrap_or(0) - i64::try_from(first).unwrap_or(0);
    println!("after the first hour memory changed by {grown} KiB");
    drop((reader, writer));
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
