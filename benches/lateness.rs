//! How late rounds of reading begin while every core is busy, and how many are left out.
//!
//! `cargo bench --bench lateness [-- SECONDS]` (600): records this machine once a second with the built program while a thread
//! of this one keeps each core busy, then reads what the recorder wrote down of itself. It fails where one of a hundred rounds
//! began more than [`LATE`] after its time, or a round is missing.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Latest begin of ninety-nine in a hundred rounds, in seconds.
const LATE: f64 = 0.05;

/// What the recorder writes down of each round.
const SERIES: &str = "\"farol_lateness_seconds\"";

/// How long the recorder starts and reads every process for the first time.
const START: Duration = Duration::from_secs(5);

fn main() {
    let seconds: u64 = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(600);
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().display().to_string();
    let farol = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farol"));
        command.args(args).args(["--data-dir", &data]).stdin(Stdio::null()).stderr(Stdio::null());
        command
    };
    let recorder = Recorder(farol(&["--record"]).stdout(Stdio::null()).spawn().expect("the program is built"));
    std::thread::sleep(START);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{seconds} s with {cores} cores kept busy");
    keep_busy(cores, Duration::from_secs(seconds));
    let last = format!("{}s", seconds - 1);
    let rows = farol(&["export", "--last", &last]).output().expect("the program is built").stdout;
    drop(recorder);
    let rounds = rounds(&String::from_utf8_lossy(&rows));
    let missing: i64 = rounds.windows(2).map(|pair| ((pair[1].0 - pair[0].0) as f64 / 1e3).round() as i64 - 1).sum();
    let mut late: Vec<f64> = rounds.iter().map(|(_, late)| *late).collect();
    late.sort_by(f64::total_cmp);
    let at = |share: f64| late.get((late.len() as f64 * share) as usize).or(late.last()).copied().unwrap_or(f64::NAN);
    let [median, high, worst] = [0.5, 0.99, 1.0].map(|share| at(share) * 1e3);
    println!(
        "{} rounds, {missing} missing; late by {median:.1} ms (median), {high:.1} ms (99 %), {worst:.1} ms (worst)",
        late.len()
    );
    assert!(late.len() as u64 + 3 >= seconds, "too few rounds were written down");
    assert!(missing == 0 && high <= LATE * 1e3, "at most {:.0} ms late in 99 of 100 rounds, and none missing", LATE * 1e3);
}

/// Takes all the time of so many cores.
fn keep_busy(cores: usize, span: Duration) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let end = Instant::now() + span;
        std::thread::sleep(end.saturating_duration_since(Instant::now()));
        over.store(true, Ordering::Relaxed);
    });
}

/// Times in milliseconds and lateness in seconds, by time.
fn rounds(csv: &str) -> Vec<(i64, f64)> {
    let row = |line: &str| {
        let (time, rest) = line.split_once(',')?;
        let value = rest.strip_prefix(SERIES)?.split(',').nth(1)?;
        Some((time.parse::<jiff::Timestamp>().ok()?.as_millisecond(), value.parse().ok()?))
    };
    csv.lines().filter_map(row).collect()
}

/// Ended when dropped.
struct Recorder(Child);

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
