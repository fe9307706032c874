//! What a round of reading costs on this machine, in microseconds of CPU.
//!
//! `cargo bench --bench collect [-- PROCESSES]`: starts as many sleeping processes as are missing, then
//! reads rounds a second apart as a recorder would and prints the CPU they took by the thread's own clock
//! and, for all threads of this process, by the process's.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use farol::base::Timestamp;
use farol::collect::{CollectConfig, Collector, LinuxHost, sources};
use farol::model::Host;
use nix::time::ClockId;

const ROUNDS: u32 = 30;

fn main() {
    let wanted: usize = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(230);
    let host: Arc<dyn Host> = Arc::new(LinuxHost::new());
    let sleepers = sleepers(host.as_ref(), wanted);
    let everything = CollectConfig::default();
    let without =
        |names: &[&str]| CollectConfig { without: names.iter().map(|n| (*n).to_owned()).collect(), ..CollectConfig::default() };
    let all: Vec<&str> = sources().filter(|name| *name != "process").collect();
    println!("{:<24}{:>10}{:>10}{:>10}{:>12}{:>10}", "µs of CPU per round", "median", "mean", "worst", "all threads", "readings");
    measure("everything", &host, &everything, None);
    measure("without processes", &host, &without(&["process"]), Some(2000.0));
    measure(&format!("processes ({wanted})"), &host, &without(&all), limit(wanted));
    for mut child in sleepers {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The most a round of so many processes may take, in microseconds, where nine in ten sleep.
fn limit(processes: usize) -> Option<f64> {
    [(230, 600.0), (1000, 3000.0), (10_000, 30_000.0)].into_iter().find(|(n, _)| processes <= *n).map(|(_, limit)| limit)
}

fn measure(name: &str, host: &Arc<dyn Host>, config: &CollectConfig, limit: Option<f64>) {
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
        std::thread::sleep(Duration::from_millis(1000).saturating_sub(origin.elapsed() - Duration::from_secs(n.into())));
    }
    let whole = (clock(ClockId::CLOCK_PROCESS_CPUTIME_ID) - begun).as_secs_f64() * 1e6 / f64::from(ROUNDS);
    collector.stop();
    spent.sort_by(f64::total_cmp);
    let mean = spent.iter().sum::<f64>() / spent.len() as f64;
    let (median, worst) = (spent[spent.len() / 2], spent[spent.len() - 1]);
    let limit = limit.map_or_else(String::new, |limit| {
        let verdict = if median <= limit { "holds" } else { "BROKEN" };
        format!("  at most {limit:.0}: {verdict}")
    });
    println!("{name:<24}{median:>10.0}{mean:>10.0}{worst:>10.0}{whole:>12.0}{readings:>10}{limit}");
}

fn clock(id: ClockId) -> Duration {
    id.now().map(Duration::from).unwrap_or_default()
}

fn sleepers(host: &dyn Host, wanted: usize) -> Vec<Child> {
    let mut pids = Vec::new();
    let _ = host.pids(&mut pids);
    let start = || Command::new("sleep").arg("600").stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    (pids.len()..wanted).filter_map(|_| start().ok()).collect()
}
