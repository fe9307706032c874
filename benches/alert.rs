//! What rules cost: a tick of 10,000 rules × instances, and a replay of 30 days.
//!
//! `cargo bench --bench alert`: fails where the middle tick of the rules takes more than [`TICK`] or the fastest of three replays of
//! one rule more than [`REPLAY`]. The history holds 30 days of one sample a second, by the default retention 8 of them raw.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farol::base::{TimeRange, Timestamp};
use farol::config::{Config, Inputs, load};
use farol::engine::{Core, CoreSettings, Offline, Past, Surroundings, Timing, catalog, settings};
use farol::model::{HostFacts, Reading, Sample, SeriesKey};
use farol::monitor::{Answer, ReplayRequest, Request};
use farol::notify::Sending;
use farol::store::{Store, StoreConfig};

/// The bar for a tick.
const TICK: Duration = Duration::from_millis(20);

/// The bar for a replay.
const REPLAY: Duration = Duration::from_secs(1);

const DAYS: u64 = 30;

fn at(second: u64) -> Timestamp {
    Timestamp::from_seconds(1_780_012_800) + Duration::from_secs(second)
}

fn config(rules: &str, dir: &std::path::Path) -> (Config, CoreSettings) {
    let file = dir.join("config.toml");
    std::fs::write(&file, rules).expect("written");
    let config = load(&Inputs { file: Some(file), ..Inputs::default() }).expect("a good configuration").config;
    let host = Arc::new(HostFacts { cores: 2, ..HostFacts::default() });
    let around = Surroundings { host, link_bits_per_second: None, data_dir: dir, sending: Sending::Dry };
    let settings = settings(&config, &Arc::new(catalog()), &around).expect("good settings");
    (config, settings)
}

/// The middle time of a tick of a core with so many rules over 100 series.
fn tick(rules: usize) -> Duration {
    let dir = tempfile::tempdir().expect("a folder");
    let one = |n: usize| format!("[[rule]]\nname = \"r{n}\"\nmetric = \"filesystem_used_ratio\"\nabove = \"{}%\"\n", 50 + n % 50);
    let (_, settings) = config(&(0..rules).map(one).collect::<String>(), dir.path());
    let mut core = Core::new(settings, Past::default(), at(0)).expect("good rules");
    let keys: Vec<SeriesKey> =
        (0..100).map(|n| SeriesKey::new("filesystem_used_ratio", [("mount", format!("/m{n}").as_str())])).collect();
    let mut times: Vec<Duration> = (0..200)
        .map(|second| {
            let value = |n: usize| if n == 0 { 0.97 } else { 0.3 + ((second as usize * 7 + n) % 10) as f64 / 100.0 };
            let reading = |(n, key): (usize, &SeriesKey)| Reading { key: key.clone(), value: value(n), cumulative: None };
            let readings = keys.iter().enumerate().map(reading).collect();
            let since_previous = Some(Duration::from_secs(1));
            let sample = Sample { seq: second, at: at(second), since_previous, readings, ..Sample::default() };
            let begun = Instant::now();
            let _ = core.tick(sample, Timing::default());
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn replay() -> (Duration, u64) {
    let dir = tempfile::tempdir().expect("a folder");
    let rule = "[[rule]]\nname = \"tight\"\nmetric = \"memory_used_ratio\"\nabove = \"85%\"\nfor = \"2m\"\nclear = \"80%\"\n";
    let (config, settings) = config(rule, dir.path());
    let (mut writer, _reader) = Store::open(&dir.path().join("farol.redb"), &config.store).expect("a history");
    let keys = ["memory_used_ratio", "farol_round_seconds"].map(SeriesKey::total);
    for second in 0..DAYS * 86_400 {
        let wave = (second as f64 / 3000.0).sin() * 0.3 + 0.6;
        let noise = (second.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / 2e8;
        let reading = |(key, value): (&SeriesKey, f64)| Reading { key: key.clone(), value, cumulative: None };
        let readings: Vec<Reading> = keys.iter().zip([wave + noise, noise]).map(reading).collect();
        writer.push(at(second), &readings);
        if second % 600 == 599 {
            writer.flush(at(second)).expect("room");
            while writer.maintain(at(second)).expect("room") {}
        }
    }
    writer.close(at(DAYS * 86_400)).expect("room");
    let mut offline = Offline::open(dir.path(), &StoreConfig::default(), settings).expect("a history");
    let range = TimeRange { from: at(0), to: at(DAYS * 86_400) };
    let mut best = (Duration::MAX, 0);
    for _ in 0..3 {
        let request = ReplayRequest { rule: Some("tight".to_owned()), draft: None, range };
        let begun = Instant::now();
        let answer = offline.ask(Request::Replay(request)).expect("the history is readable");
        if let Answer::Replayed(replayed) = answer {
            best = best.min((begun.elapsed(), replayed.n_transitions));
        }
    }
    best
}

fn main() {
    let (none, many) = (tick(0), tick(100));
    let rules = many.saturating_sub(none);
    println!("tick of 10,000 rules x instances: {rules:?} ({many:?} with them, {none:?} without), bar {TICK:?}");
    let (time, transitions) = replay();
    println!("replay of {DAYS} days of one rule: {time:?}, {transitions} transitions, bar {REPLAY:?}");
    assert!(rules <= TICK, "the rules of a tick take {rules:?}");
    assert!(time <= REPLAY, "a replay takes {time:?}");
}
