//! The whole collector: over a frozen machine with golden output, over a scripted one, and over this one.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::testing::ScriptHost;
use super::*;
use crate::base::Timestamp;
use crate::model::{Catalog, FileSystemStat, Host, ProcessChange, ProcessFile, ProcessId, Sample, Snapshot};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The same machine at two moments.
struct Frozen {
    moments: [TreeHost; 2],
    now: AtomicUsize,
}

impl Frozen {
    fn host(&self) -> &TreeHost {
        &self.moments[self.now.load(Ordering::Relaxed)]
    }
}

impl Host for Frozen {
    fn read(&self, path: &str, into: &mut Vec<u8>) -> io::Result<()> {
        self.host().read(path, into)
    }
    fn list(&self, path: &str, into: &mut Vec<String>) -> io::Result<()> {
        self.host().list(path, into)
    }
    fn read_link(&self, path: &str) -> io::Result<String> {
        self.host().read_link(path)
    }
    fn pids(&self, into: &mut Vec<u32>) -> io::Result<()> {
        self.host().pids(into)?;
        into.sort_unstable();
        Ok(())
    }
    fn read_process(&self, pid: u32, file: ProcessFile, into: &mut Vec<u8>) -> io::Result<()> {
        self.host().read_process(pid, file, into)
    }
    fn cpu_clock(&self, pid: u32) -> io::Result<Duration> {
        self.host().cpu_clock(pid)
    }
    fn statvfs(&self, path: &str) -> io::Result<FileSystemStat> {
        self.host().statvfs(path)
    }
    fn tcp_states(&self) -> io::Result<[u32; 13]> {
        self.host().tcp_states()
    }
    fn user_name(&self, uid: u32) -> Option<String> {
        self.host().user_name(uid)
    }
}

/// Everything a sample says, a line each.
fn text(sample: &Sample) -> String {
    let mut lines = Vec::new();
    for reading in &sample.readings {
        let raw = reading.cumulative.map(|raw| format!(" of {raw}")).unwrap_or_default();
        lines.push(format!("{} = {}{raw}", reading.key, reading.value));
    }
    for process in &sample.processes.changed {
        lines.push(format!("changed {process:?}"));
    }
    for id in &sample.processes.gone {
        lines.push(format!("gone {id:?}"));
    }
    for fault in &sample.faults {
        lines.push(format!("fault {}: {}", fault.source, fault.message));
    }
    lines.join("\n") + "\n"
}

#[test]
fn a_frozen_machine_reads_as_written_down() {
    let moments = ["host-debian-1", "host-debian-2"].map(|name| TreeHost::new(fixture(name)));
    let host = Arc::new(Frozen { moments, now: AtomicUsize::new(0) });
    let mut collector = Collector::new(Arc::clone(&host) as Arc<dyn Host>, &CollectConfig::default());
    let at = Timestamp::from_seconds(1_790_086_400);
    // Time stands still until the slow thread has answered; then a second passes.
    let complete = |sample: &Sample| {
        let has = |metric| sample.readings.iter().any(|r| r.key.metric() == metric);
        has("cpu_frequency_hertz")
            && has("temperature_celsius")
            && has("network_link_bits_per_second")
            && sample.faults.len() == 1
    };
    let first = collector.round(at, Duration::from_secs(100));
    let mut answers = collector.round(at, Duration::from_secs(100));
    while !complete(&answers) {
        std::thread::yield_now();
        answers = collector.round(at, Duration::from_secs(100));
    }
    host.now.store(1, Ordering::Relaxed);
    let second = collector.round(at + Duration::from_secs(1), Duration::from_secs(101));
    assert_eq!((first.seq, first.since_previous), (1, None));
    assert_eq!(second.since_previous, Some(Duration::from_secs(1)));
    let processes = Sample { processes: first.processes, ..Sample::default() };
    let found = format!("# first\n{}# second\n{}", text(&processes), text(&second));
    let golden = fixture("host-debian.golden");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&golden, &found).expect("the golden file can be written");
    }
    let expected = std::fs::read_to_string(&golden).expect("a golden file");
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
    let facts = facts(&*host, None, std::collections::BTreeMap::new());
    assert_eq!(
        (facts.name.as_str(), facts.system.as_str(), facts.kernel.as_str()),
        ("lighthouse", "Debian 12", "6.1.0-30-amd64")
    );
    assert_eq!(
        (facts.cores, facts.memory_bytes, facts.booted_at),
        (4, 8_048_576 * 1024, Some(Timestamp::from_seconds(1_790_000_000)))
    );
}

#[test]
fn every_reading_is_in_the_catalog_with_its_labels() {
    let catalog = Catalog::new(metrics());
    let host = Arc::new(LinuxHost::new());
    let mut collector = Collector::new(host, &CollectConfig::default());
    let begun = Instant::now();
    for n in 1..=3 {
        let sample = collector.round(Timestamp::now(), begun.elapsed() + Duration::from_secs(n));
        for pair in sample.readings.windows(2) {
            assert!(pair[0].key < pair[1].key, "{} and {} are not sorted and unique", pair[0].key, pair[1].key);
        }
        for reading in &sample.readings {
            let def = catalog.get(reading.key.metric()).unwrap_or_else(|| panic!("{} is in no table", reading.key));
            assert!(
                reading.key.is_total() || reading.key.labels().map(|(name, _)| name).eq(def.labels.iter().copied()),
                "{}",
                reading.key
            );
            assert!(
                def.range.0.is_none_or(|low| reading.value >= low) && def.range.1.is_none_or(|high| reading.value <= high),
                "{reading:?}"
            );
        }
    }
}

#[test]
fn programs_that_end_between_two_rounds_of_this_machine_are_counted() {
    let config = CollectConfig {
        without: super::sources().filter(|name| *name != "process").map(str::to_owned).collect(),
        ..CollectConfig::default()
    };
    let host = Arc::new(LinuxHost::new());
    let mut collector = Collector::new(Arc::clone(&host) as Arc<dyn Host>, &config);
    collector.round(Timestamp::now(), Duration::ZERO);
    let before = newest_number();
    let children = [(); 20].map(|()| ended_child());
    let (Some(before), Some(newest)) = (before, newest_number()) else { return eprintln!("skipped: no /proc/loadavg") };
    // More than that are not asked one by one.
    if newest.saturating_sub(before) > 2000 || !children.iter().all(|child| (before + 1..=newest).contains(child)) {
        return eprintln!("skipped: /proc/loadavg went from {before} to {newest} while {children:?} ran");
    }
    if children.iter().any(|child| host.is_alive(*child).unwrap_or(true)) {
        return eprintln!("skipped: this machine does not tell which numbers are those of processes");
    }
    // A minute by the collector's clock: so long a busy machine may take without looking suspended.
    let sample = collector.round(Timestamp::now(), Duration::from_secs(60));
    let key = crate::model::SeriesKey::total("process_short_lived_per_second");
    let Some(rate) = sample.readings.iter().find(|r| r.key == key) else { return eprintln!("skipped: no number of them") };
    assert!(rate.value * 60.0 > 19.5, "{rate:?}");
    assert!(sample.processes.short_lived.is_some_and(|left| left.count >= 20));
}

/// The number last given to a process or a thread, as the machine says.
fn newest_number() -> Option<u32> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().nth(4)?.parse().ok()
}

/// The number of a process that ran and ended.
fn ended_child() -> u32 {
    let mut child = std::process::Command::new("true").spawn().expect("it runs");
    child.wait().expect("it ends");
    child.id()
}

#[test]
fn this_machine_reads_as_df_says() {
    let Ok(output) = std::process::Command::new("df").args(["--output=pcent", "/"]).output() else { return };
    let df = String::from_utf8_lossy(&output.stdout);
    let Some(df) = df.lines().nth(1).and_then(|line| line.trim().trim_end_matches('%').parse::<f64>().ok()) else { return };
    let mut collector = Collector::new(Arc::new(LinuxHost::new()), &CollectConfig::default());
    let key = crate::model::SeriesKey::new("filesystem_used_ratio", [("mount", "/")]);
    let ratio = loop {
        let sample = collector.round(Timestamp::now(), Duration::from_secs(1));
        if let Some(reading) = sample.readings.iter().find(|r| r.key == key) {
            break reading.value;
        }
        std::thread::yield_now();
    };
    // df rounds up, and other programs write meanwhile.
    assert!((ratio * 100.0 - df).abs() <= 2.0, "{ratio} here, {df} % by df");
}

#[test]
fn all_processes_of_this_machine_are_followed() {
    let host = Arc::new(LinuxHost::new());
    let mut collector = Collector::new(Arc::clone(&host) as Arc<dyn Host>, &CollectConfig::default());
    let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("a child");
    let first = collector.round(Timestamp::now(), Duration::from_secs(1));
    let list = first.processes.apply(&[]);
    let found = list.iter().find(|p| p.id.pid == child.id()).expect("the child is listed");
    assert_eq!(found.parent, std::process::id());
    let own = list.iter().find(|p| p.id.pid == std::process::id()).expect("this process is listed");
    assert!(own.memory_bytes > 0 && own.threads >= 1 && !own.user.is_empty() && !own.command.is_empty());
    let scan = scan(&(Arc::clone(&host) as Arc<dyn Host>), first.at, &list);
    assert!(scan.windows(2).all(|pair| pair[0].id < pair[1].id) && scan.iter().any(|p| p.id == found.id));
    child.kill().and_then(|()| child.wait()).expect("the child ends");
    let second = collector.round(Timestamp::now(), Duration::from_secs(2));
    assert!(second.processes.gone.contains(&found.id));
    let after = second.processes.apply(&list);
    assert!(after.iter().all(|p| p.id != found.id));
}

fn scripted(uptime: f64) -> (Arc<ScriptHost>, Collector) {
    let host = Arc::new(ScriptHost::default());
    set_uptime(&host, uptime);
    let collector = Collector::new(Arc::clone(&host) as Arc<dyn Host>, &CollectConfig::default());
    (host, collector)
}

fn set_uptime(host: &ScriptHost, seconds: f64) {
    host.0.lock().expect("no test panicked").files.insert("/proc/uptime".to_owned(), format!("{seconds} 0\n").into_bytes());
}

#[test]
fn suspend_gaps_and_the_first_round_have_no_interval() {
    let (host, mut collector) = scripted(1000.0);
    let mut uptime = 1000.0;
    let mut wall = 5000;
    // Seconds by the uptime, by the monotonic clock and by the wall clock since the round before.
    for (real, awake, set, expected) in [
        (0.0, 0, 0, None),
        (1.0, 1, 1, Some(1)),
        (1.0, 1, 7200, Some(1)),
        (1.0, 1, -7200, Some(1)),
        (3600.0, 1, 3600, None),
        (1.0, 1, 1, Some(1)),
        (9.0, 9, 9, Some(9)),
        (1.0, 1, 1, Some(1)),
        (120.0, 120, 120, None),
        (120.0, 120, 120, Some(120)),
    ] {
        uptime += real;
        wall += set;
        set_uptime(&host, uptime);
        let now = collector.clock() + Duration::from_secs(awake);
        let sample = collector.round(Timestamp::from_seconds(wall), now);
        assert_eq!(sample.since_previous, expected.map(Duration::from_secs), "{real} s, {awake} s, {set} s");
    }
}

#[test]
fn an_empty_machine_gives_faults_and_an_empty_sample() {
    let (_host, mut collector) = scripted(1.0);
    let sample = collector.round(Timestamp::from_seconds(1), Duration::from_secs(1));
    let sources: Vec<&str> = sample.faults.iter().map(|f| f.source.as_str()).collect();
    for source in ["cpu", "filesystem", "memory", "network", "socket", "system"] {
        assert!(sources.contains(&source), "{source} is not among {sources:?}");
    }
    assert!(sample.processes.is_empty());
}

#[test]
fn sources_can_be_left_out() {
    let all: Vec<String> = table::SOURCES.iter().map(|row| row.name.to_owned()).collect();
    let config = CollectConfig { without: all, ..CollectConfig::default() };
    let mut collector = Collector::new(Arc::new(LinuxHost::new()), &config);
    let sample = collector.round(Timestamp::now(), Duration::from_secs(1));
    let metrics: Vec<&str> = sample.readings.iter().map(|r| r.key.metric()).collect();
    assert_eq!(metrics, ["farol_left_out_instances"]);
    assert!(sample.faults.is_empty() && sample.processes == ProcessChange::default());
}

/// This machine with a mount that never answers until it is released.
struct Hung {
    files: ScriptHost,
    dead: (Mutex<bool>, Condvar),
    begun: AtomicBool,
}

impl Host for Hung {
    fn read(&self, path: &str, into: &mut Vec<u8>) -> io::Result<()> {
        self.files.read(path, into)
    }
    fn list(&self, path: &str, into: &mut Vec<String>) -> io::Result<()> {
        self.files.list(path, into)
    }
    fn read_link(&self, path: &str) -> io::Result<String> {
        self.files.read_link(path)
    }
    fn pids(&self, into: &mut Vec<u32>) -> io::Result<()> {
        self.files.pids(into)
    }
    fn read_process(&self, pid: u32, file: ProcessFile, into: &mut Vec<u8>) -> io::Result<()> {
        self.files.read_process(pid, file, into)
    }
    fn cpu_clock(&self, pid: u32) -> io::Result<Duration> {
        self.files.cpu_clock(pid)
    }
    fn statvfs(&self, path: &str) -> io::Result<FileSystemStat> {
        if path == "/mnt/dead" {
            self.begun.store(true, Ordering::Relaxed);
            let mut dead = self.dead.0.lock().expect("no test panicked");
            while *dead {
                dead = self.dead.1.wait(dead).expect("no test panicked");
            }
        }
        Ok(FileSystemStat { size: 100, free: 50, available: 50, ..FileSystemStat::default() })
    }
    fn tcp_states(&self) -> io::Result<[u32; 13]> {
        self.files.tcp_states()
    }
    fn user_name(&self, uid: u32) -> Option<String> {
        self.files.user_name(uid)
    }
}

#[test]
fn a_hung_mount_stalls_no_round_and_costs_no_other_mount_its_values() {
    let host =
        Arc::new(Hung { files: ScriptHost::default(), dead: (Mutex::new(true), Condvar::new()), begun: AtomicBool::new(false) });
    let mounts = "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n28 27 0:40 / /mnt/dead rw - nfs4 nas:/a rw\n29 27 0:41 / /mnt/live rw - nfs4 nas:/b rw\n";
    host.files.0.lock().expect("fresh").files.insert("/proc/self/mountinfo".to_owned(), mounts.as_bytes().to_vec());
    let mut collector = Collector::new(Arc::clone(&host) as Arc<dyn Host>, &CollectConfig::default());
    while !host.begun.load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
    let mut now = 1;
    let mut round = |collector: &mut Collector| {
        now += 1;
        collector.round(Timestamp::from_seconds(now), Duration::from_secs(now as u64))
    };
    let has = |sample: &Sample, mount| sample.readings.iter().any(|r| r.key.label("mount") == Some(mount));
    for _ in 0..3 {
        round(&mut collector);
    }
    // The thread that hangs was given up: the other network mount is answered by the next one.
    let mut sample = round(&mut collector);
    while !(has(&sample, "/mnt/live") && has(&sample, "/")) {
        std::thread::yield_now();
        sample = round(&mut collector);
    }
    assert!(!has(&sample, "/mnt/dead"));
    let fault = sample.faults.iter().find(|f| f.message.contains("/mnt/dead")).expect("the hung mount is told");
    assert!(fault.message.starts_with("statvfs /mnt/dead: no answer for "), "{}", fault.message);
    *host.dead.0.lock().expect("no test panicked") = false;
    host.dead.1.notify_all();
    let mut sample = round(&mut collector);
    while !has(&sample, "/mnt/dead") {
        std::thread::yield_now();
        sample = round(&mut collector);
    }
    assert!(!sample.faults.iter().any(|f| f.message.contains("/mnt/dead")), "once it answers, all is well again");
    collector.stop();
}

#[test]
fn what_changed_adds_up_to_the_whole_list() {
    let host: Arc<dyn Host> = Arc::new(LinuxHost::new());
    let mut collector = Collector::new(Arc::clone(&host), &CollectConfig::default());
    let mut snapshot = Snapshot::empty(Arc::default());
    for n in 1..=5 {
        let sample = collector.round(Timestamp::now(), Duration::from_secs(n));
        snapshot.processes = sample.processes.apply(&snapshot.processes);
    }
    let known: Vec<_> = snapshot.processes.iter().map(|p| p.id).collect();
    let scan: Vec<_> = scan(&host, Timestamp::now(), &snapshot.processes).iter().map(|p| p.id).collect();
    // Processes may have ended and begun between the round and the scan.
    let missing = |from: &[ProcessId], all: &[ProcessId]| from.iter().filter(|id| !all.contains(id)).count();
    assert!(missing(&scan, &known) < 50 && missing(&known, &scan) < 50);
}
