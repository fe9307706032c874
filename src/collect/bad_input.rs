//! Machines that hide, refuse, lie and vanish: gaps and faults with their reason, never a stop.
//!
//! Compiled for tests only. Invariant: whatever a host answers, every value given is finite and possible.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::testing::ScriptHost;
use super::{CollectConfig, Collector, TreeHost, metrics};
use crate::base::Timestamp;
use crate::model::{Catalog, FileSystemStat, Host, ProcessFile, Sample};

/// What is wrong with a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// A container without `/sys`.
    NoSys,
    /// Nothing may be read but what everybody may: no process but the own, no `io`.
    Hidden,
    /// Nothing may be read at all.
    Denied,
    /// Of so many reads one finds something gone, as a disk pulled out while it is read.
    Vanishing(u64),
    /// Of so many reads one gives other bytes.
    Garbled(u64),
}

/// The frozen machine with something wrong.
struct Bad {
    tree: TreeHost,
    trouble: Trouble,
    reads: AtomicU64,
}

impl Bad {
    fn new(trouble: Trouble) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/host-debian-1");
        Self { tree: TreeHost::new(folder), trouble, reads: AtomicU64::new(0) }
    }

    fn allow(&self, path: &str) -> io::Result<()> {
        let n = self.reads.fetch_add(1, Ordering::Relaxed);
        let refused = match self.trouble {
            Trouble::NoSys => path.starts_with("/sys").then_some(io::ErrorKind::NotFound.into()),
            Trouble::Hidden => path.ends_with("/io").then_some(io::ErrorKind::PermissionDenied.into()),
            Trouble::Denied => Some(io::ErrorKind::PermissionDenied.into()),
            // ENODEV.
            Trouble::Vanishing(every) => {
                let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
                mixed.is_multiple_of(every).then(|| io::Error::from_raw_os_error(19))
            }
            Trouble::Garbled(_) => None,
        };
        refused.map_or(Ok(()), Err)
    }

    fn spoil(&self, bytes: &mut Vec<u8>) {
        let Trouble::Garbled(every) = self.trouble else { return };
        let mut seed = self.reads.load(Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if !(seed >> 32).is_multiple_of(every) {
            return;
        }
        for byte in bytes.iter_mut() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if (seed >> 60) == 0 {
                *byte = (seed >> 40) as u8;
            }
        }
        let keep = bytes.len() - bytes.len() * ((seed >> 48) as usize % 3) / 4;
        bytes.truncate(keep);
    }
}

impl Host for Bad {
    fn read(&self, path: &str, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        self.allow(path)?;
        self.tree.read(path, into)?;
        self.spoil(into);
        Ok(())
    }
    fn list(&self, path: &str, into: &mut Vec<String>) -> io::Result<()> {
        into.clear();
        self.allow(path)?;
        self.tree.list(path, into)
    }
    fn read_link(&self, path: &str) -> io::Result<String> {
        self.allow(path)?;
        self.tree.read_link(path)
    }
    fn pids(&self, into: &mut Vec<u32>) -> io::Result<()> {
        into.clear();
        self.allow("/proc")?;
        self.tree.pids(into)?;
        if self.trouble == Trouble::Hidden {
            into.retain(|pid| *pid == 4000);
        }
        Ok(())
    }
    fn read_process(&self, pid: u32, file: ProcessFile, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        self.allow(if file == ProcessFile::Io { "/proc/PID/io" } else { "/proc/PID" })?;
        self.tree.read_process(pid, file, into)?;
        self.spoil(into);
        Ok(())
    }
    fn cpu_clock(&self, pid: u32) -> io::Result<Duration> {
        self.tree.cpu_clock(pid)
    }
    fn statvfs(&self, path: &str) -> io::Result<FileSystemStat> {
        self.allow(path)?;
        self.tree.statvfs(path)
    }
    fn tcp_states(&self) -> io::Result<[u32; 13]> {
        self.tree.tcp_states()
    }
    fn user_name(&self, uid: u32) -> Option<String> {
        self.tree.user_name(uid)
    }
}

/// Rounds a second apart; each value must be possible.
fn rounds(host: Arc<dyn Host>, n: u64) -> Vec<Sample> {
    let catalog = Catalog::new(metrics());
    let mut collector = Collector::new(host, &CollectConfig::default());
    let at = Timestamp::from_seconds(1_790_086_400);
    let samples: Vec<Sample> =
        (1..=n).map(|k| collector.round(at + Duration::from_secs(k), Duration::from_secs(100 + k))).collect();
    collector.stop();
    for reading in samples.iter().flat_map(|sample| &sample.readings) {
        let def = catalog.get(reading.key.metric()).unwrap_or_else(|| panic!("{} is in no table", reading.key));
        let possible = def.range.0.is_none_or(|low| reading.value >= low) && def.range.1.is_none_or(|high| reading.value <= high);
        assert!(reading.value.is_finite() && possible, "{reading:?}");
    }
    samples
}

fn faults(samples: &[Sample]) -> String {
    samples.iter().flat_map(|s| &s.faults).map(|f| format!("{}: {}\n", f.source, f.message)).collect()
}

#[test]
fn a_container_without_sys_has_all_that_needs_none() {
    let samples = rounds(Arc::new(Bad::new(Trouble::NoSys)), 3);
    let last = samples.last().expect("a round");
    for metric in
        ["memory_used_ratio", "load_average", "network_receive_bytes_per_second", "cpu_usage_ratio", "pressure_some_ratio"]
    {
        let has = last.readings.iter().any(|r| r.key.metric() == metric);
        // CPU stands still in a frozen machine, so its shares have no time to be of.
        assert!(has || metric == "cpu_usage_ratio", "{metric} is missing: {}", faults(&samples));
    }
    assert!(!faults(&samples).contains("/sys"), "{}", faults(&samples));
}

#[test]
fn with_hidden_processes_the_own_are_there_without_their_transfers() {
    let samples = rounds(Arc::new(Bad::new(Trouble::Hidden)), 2);
    let seen: Vec<_> = samples.iter().flat_map(|s| &s.processes.changed).map(|p| (p.id.pid, p.read_bytes_per_second)).collect();
    assert!(!seen.is_empty() && seen.iter().all(|p| *p == (4000, None)), "{seen:?}");
}

#[test]
fn where_nothing_may_be_read_each_source_says_so() {
    let samples = rounds(Arc::new(Bad::new(Trouble::Denied)), 2);
    let told = faults(&samples[1..]);
    for source in ["cpu", "memory", "network", "disk", "filesystem", "socket", "system", "process"] {
        assert!(told.lines().any(|line| line.starts_with(&format!("{source}: "))), "{source} is silent:\n{told}");
    }
    assert!(told.contains("denied"), "{told}");
}

#[test]
fn what_vanishes_while_it_is_read_costs_only_its_own_values() {
    for every in [2, 3, 5, 7, 50] {
        let samples = rounds(Arc::new(Bad::new(Trouble::Vanishing(every))), 12);
        let read = samples.iter().filter(|s| s.readings.iter().any(|r| r.key.metric() == "memory_total_bytes")).count();
        assert!(read > 0, "one of {every} reads fails and memory was never read: {}", faults(&samples));
    }
}

#[test]
fn garbage_gives_gaps_and_no_impossible_values() {
    for every in [1, 2, 3, 5, 11] {
        rounds(Arc::new(Bad::new(Trouble::Garbled(every))), 20);
    }
}

#[test]
fn a_thousand_mounts_are_capped_counted_and_told() {
    let host = ScriptHost::default();
    {
        let mut files = host.0.lock().expect("no test panicked");
        let line = |n: u32| format!("{n} 1 8:{n} / /mnt/m{n:04} rw - ext4 /dev/x rw\n");
        files.files.insert("/proc/self/mountinfo".to_owned(), (0..1000).map(line).collect::<String>().into_bytes());
        let stat = FileSystemStat { size: 100, free: 50, available: 50, inodes: 10, inodes_free: 5, read_only: false };
        files.mounts = (0..1000).map(|n| (format!("/mnt/m{n:04}"), stat)).collect();
    }
    let host: Arc<dyn Host> = Arc::new(host);
    let mut collector = Collector::new(host, &CollectConfig::default());
    let sized = |sample: &Sample| sample.readings.iter().filter(|r| r.key.metric() == "filesystem_size_bytes").count();
    let mut sample = collector.round(Timestamp::now(), Duration::from_secs(1));
    while sized(&sample) < 256 {
        std::thread::yield_now();
        sample = collector.round(Timestamp::now(), Duration::from_secs(1));
    }
    collector.stop();
    assert!(faults(std::slice::from_ref(&sample)).contains("744 mounts left out: more than 256 (max_instances)"));
    let left_out = sample.readings.iter().find(|r| r.key.metric() == "farol_left_out_instances").map(|r| r.value);
    assert_eq!((left_out, sized(&sample)), (Some(744.0), 256));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn names_in_any_bytes_become_names_that_can_be_shown(name in prop::collection::vec(1_u8.., 1..40)) {
        let name: Vec<u8> = name.into_iter().filter(|b| !matches!(b, b'\n' | b' ' | b'\t' | b':' | b'/')).collect();
        prop_assume!(!name.is_empty());
        let host = ScriptHost::default();
        {
            let mut files = host.0.lock().expect("no test panicked");
            let disk = [b" 8 0 ".as_slice(), &name, b" 9 0 9 0 9 0 9 0 0 0 0\n"].concat();
            let link = [b"a\nb\n ".as_slice(), &name, b": 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"].concat();
            let process = [b"7 (".as_slice(), &name, b") S 1 1 1 0 -1 0 1 0 0 0 5 5 0 0 20 0 1 0 9 9 9 9 9 9 0 0\n"].concat();
            for (path, bytes) in [("/proc/diskstats", disk), ("/proc/net/dev", link), ("/proc/7/stat", process)] {
                files.files.insert(path.to_owned(), bytes);
            }
        }
        for sample in rounds(Arc::new(host), 2) {
            let labels = sample.readings.iter().flat_map(|r| r.key.labels().map(|(_, v)| v.to_owned()).collect::<Vec<_>>());
            let names = sample.processes.changed.iter().map(|p| p.name.to_string());
            for text in labels.chain(names) {
                prop_assert!(!text.chars().any(char::is_control), "{text:?}");
            }
        }
    }
}
