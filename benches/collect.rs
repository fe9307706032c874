//! What a round of reading costs on this machine, in microseconds of CPU.
//!
//! `cargo bench --bench collect [-- PROCESSES…]` (230, 1,000 and 10,000): reads rounds a second apart as a recorder would, and
//! prints the CPU they took by the thread's own clock and, for all threads of this process, by the process's. For the rounds of
//! processes as many are started as are missing; of these nine in ten sleep and one works a little each second. It fails where a
//! limit is broken.

use std::hint::black_box;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use farol::base::Timestamp;
use farol::collect::{CollectConfig, Collector, LinuxHost, sources};
use farol::model::Host;
use nix::time::ClockId;

const ROUNDS: u32 = 30;

/// What makes this program one of those that work.
const WORKER: &str = "--works-a-little";

/// Most microseconds of a round without processes, on some 300 series.
const REST: f64 = 2000.0;

/// Most microseconds of a round of so many processes.
const LIMITS: [(usize, f64); 3] = [(230, 600.0), (1000, 3000.0), (10_000, 30_000.0)];

/// Most microseconds of each further process.
const FURTHER: f64 = 6.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|a| a == WORKER) {
        work_a_little();
    }
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|a| a.parse().ok()).collect();
    if sizes.is_empty() {
        sizes.extend(LIMITS.iter().map(|(size, _)| size));
    }
    sizes.sort_unstable();
    let host: Arc<dyn Host> = Arc::new(LinuxHost::new());
    let without =
        |names: &[&str]| CollectConfig { without: names.iter().map(|n| (*n).to_owned()).collect(), ..CollectConfig::default() };
    let all: Vec<&str> = sources().filter(|name| *name != "process").collect();
    println!("{:<24}{:>10}{:>10}{:>10}{:>12}{:>10}", "µs of CPU per round", "median", "mean", "worst", "all threads", "readings");
    measure("everything", &host, &without(&[]), None);
    let mut is_well = measure("without processes", &host, &without(&["process"]), Some(REST)).1;
    let mut crowd = Crowd(Vec::new());
    let mut medians = Vec::new();
    for size in sizes {
        let size = crowd.grow(host.as_ref(), size);
        let limit = LIMITS.iter().find(|(n, _)| size <= n + n / 10).map(|(_, limit)| *limit);
        let (median, holds) = measure(&format!("processes ({size})"), &host, &without(&all), limit);
        is_well &= holds;
        medians.push((size as f64, median));
    }
    for pair in medians.windows(2) {
        let further = (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
        println!("each process from {} to {}: {further:.2} µs{}", pair[0].0, pair[1].0, verdict(further, Some(FURTHER)));
        is_well &= further <= FURTHER;
    }
    assert!(is_well, "a limit is broken");
}

/// Prints what rounds cost; gives the median and whether it is within its limit.
fn measure(name: &str, host: &Arc<dyn Host>, config: &CollectConfig, limit: Option<f64>) -> (f64, bool) {
    let mut collector = Collector::new(Arc::clone(host), config);
    let origin = Instant::now();
    let (mut spent, mut readings) = (Vec::new(), 0);
    let mut begun = Duration::ZERO;
    for n in 0..=ROUNDS + 2 {
        if n == 3 {
            begun = clock(ClockId::CLOCK_PROCESS_CPUTIME_ID);
        }
        let before = clock(ClockId::CLOCK_THREAD_CPUTIME_ID);
        let sample = collector.round(Timestamp::now(), origin.elapsed());
        let after = clock(ClockId::CLOCK_THREAD_CPUTIME_ID);
        readings = sample.readings.len();
        // The first rounds read every process in full.
        if n >= 3 {
            spent.push((after - before).as_secs_f64() * 1e6);
        }
        std::thread::sleep(Duration::from_secs(u64::from(n) + 1).saturating_sub(origin.elapsed()));
    }
    let whole = (clock(ClockId::CLOCK_PROCESS_CPUTIME_ID) - begun).as_secs_f64() * 1e6 / f64::from(ROUNDS);
    collector.stop();
    spent.sort_by(f64::total_cmp);
    let mean = spent.iter().sum::<f64>() / spent.len() as f64;
    let (median, worst) = (spent[spent.len() / 2], spent[spent.len() - 1]);
    let said = verdict(median, limit);
    println!("{name:<24}{median:>10.0}{mean:>10.0}{worst:>10.0}{whole:>12.0}{readings:>10}{said}");
    (median, limit.is_none_or(|limit| median <= limit))
}

fn verdict(value: f64, limit: Option<f64>) -> String {
    let said = |limit| if value <= limit { "holds" } else { "BROKEN" };
    limit.map_or_else(String::new, |limit| format!("  at most {limit:.0}: {}", said(limit)))
}

fn clock(id: ClockId) -> Duration {
    id.now().map(Duration::from).unwrap_or_default()
}

/// Works for about a tenth of a millisecond in each second, until it is ended.
fn work_a_little() -> ! {
    loop {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_micros(100) {
            black_box((0..100_u64).sum::<u64>());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Processes that were started for this; ended when dropped.
struct Crowd(Vec<Child>);

impl Crowd {
    /// Starts those that are missing; gives how many there are then.
    fn grow(&mut self, host: &dyn Host, wanted: usize) -> usize {
        let mut pids = Vec::new();
        host.pids(&mut pids).expect("the list of processes");
        let own = std::env::current_exe().expect("this program");
        for n in pids.len()..wanted {
            let mut command = if n % 10 == 0 { Command::new(&own) } else { Command::new("sleep") };
            command.arg(if n % 10 == 0 { WORKER } else { "3600" });
            self.0.push(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("there is room for another process"));
        }
        pids.len().max(wanted)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}
