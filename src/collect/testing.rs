//! A scripted host for the tests of single sources, and bytes to frighten their parsers with.
//!
//! Compiled for tests only. Invariant: time passes only by [`Script::round`], one second a call.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;

use super::CollectConfig;
use super::groups::Groups;
use super::slow::Lane;
use super::table::Start;
use crate::base::Timestamp;
use crate::model::{FileSystemStat, Host, ProcessFile, Round, Source};

/// Files in memory, and what the kernel says.
#[derive(Default)]
pub(super) struct Files {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) denied: BTreeSet<String>,
    pub(super) links: BTreeMap<String, String>,
    pub(super) clocks: Option<BTreeMap<u32, Duration>>,
    pub(super) tcp: Option<[u32; 13]>,
    pub(super) mounts: BTreeMap<String, FileSystemStat>,
    /// Every path read, in order.
    pub(super) reads: Vec<String>,
    /// What programs print, by name and last argument.
    pub(super) programs: BTreeMap<String, Vec<u8>>,
    /// What programs answer over their sockets, by path.
    pub(super) sockets: BTreeMap<String, Vec<u8>>,
    /// How many programs were run.
    pub(super) runs: usize,
}

/// A host whose files are set by the test.
#[derive(Default)]
pub(super) struct ScriptHost(pub(super) Mutex<Files>);

impl Host for ScriptHost {
    fn read(&self, path: &str, into: &mut Vec<u8>) -> io::Result<()> {
        let mut files = self.0.lock().expect("no test panicked");
        files.reads.push(path.to_owned());
        into.clear();
        if files.denied.contains(path) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        into.extend(files.files.get(path).ok_or(io::ErrorKind::NotFound)?);
        Ok(())
    }

    fn list(&self, path: &str, into: &mut Vec<String>) -> io::Result<()> {
        into.clear();
        let files = self.0.lock().expect("no test panicked");
        let folder = format!("{path}/");
        let names = files.files.keys().filter_map(|p| p.strip_prefix(&folder)?.split('/').next());
        into.extend(names.collect::<BTreeSet<_>>().into_iter().map(str::to_owned));
        if into.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) }
    }

    fn read_link(&self, path: &str) -> io::Result<String> {
        let files = self.0.lock().expect("no test panicked");
        files.links.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn pids(&self, into: &mut Vec<u32>) -> io::Result<()> {
        let mut names = Vec::new();
        self.list("/proc", &mut names)?;
        into.clear();
        into.extend(names.iter().filter_map(|n| n.parse::<u32>().ok()));
        Ok(())
    }

    fn read_process(&self, pid: u32, file: ProcessFile, into: &mut Vec<u8>) -> io::Result<()> {
        self.read(&format!("/proc/{}", super::tree::process_path(&mut [0; 32], pid, file)), into)
    }

    fn cpu_clock(&self, pid: u32) -> io::Result<Duration> {
        let files = self.0.lock().expect("no test panicked");
        let clocks = files.clocks.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        clocks.get(&pid).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn is_alive(&self, number: u32) -> io::Result<bool> {
        let files = self.0.lock().expect("no test panicked");
        Ok(files.clocks.as_ref().ok_or(io::ErrorKind::Unsupported)?.contains_key(&number))
    }

    fn statvfs(&self, path: &str) -> io::Result<FileSystemStat> {
        let files = self.0.lock().expect("no test panicked");
        files.mounts.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn tcp_states(&self) -> io::Result<[u32; 13]> {
        self.0.lock().expect("no test panicked").tcp.ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    fn run(&self, program: &str, args: &[&str], _: Duration) -> io::Result<Vec<u8>> {
        let mut files = self.0.lock().expect("no test panicked");
        files.runs += 1;
        let named = format!("{program} {}", args.last().unwrap_or(&""));
        let found = files.programs.get(&named).or_else(|| files.programs.get(program));
        found.cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn ask_socket(&self, path: &str, _: &[u8]) -> io::Result<Vec<u8>> {
        let files = self.0.lock().expect("no test panicked");
        files.sockets.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn user_name(&self, uid: u32) -> Option<String> {
        (uid == 0).then(|| "root".to_owned())
    }
}

/// One source over a scripted host.
pub(super) struct Script {
    pub(super) host: Arc<ScriptHost>,
    pub(super) lane: Lane,
    pub(super) groups: Groups,
    source: Box<dyn Source>,
    now: Duration,
    first: bool,
}

impl Script {
    pub(super) fn new(make: fn(&Start<'_>) -> Box<dyn Source>) -> Self {
        Self::with(make, &CollectConfig::default())
    }

    pub(super) fn with(make: fn(&Start<'_>) -> Box<dyn Source>, config: &CollectConfig) -> Self {
        let host = Arc::new(ScriptHost::default());
        let lane = Lane::new();
        // One lane for both: what is asked first is answered first.
        let (programs, groups) = (lane.clone(), Groups::default());
        let source = make(&Start {
            host: Arc::clone(&host) as Arc<dyn Host>,
            config,
            lane: lane.clone(),
            programs,
            groups: groups.clone(),
        });
        Self { host, lane, groups, source, now: Duration::from_secs(100), first: true }
    }

    pub(super) fn file(&mut self, path: &str, text: &str) {
        self.bytes(path, text.as_bytes());
    }

    pub(super) fn bytes(&mut self, path: &str, bytes: &[u8]) {
        self.edit(|files| _ = files.files.insert(path.to_owned(), bytes.to_vec()));
    }

    pub(super) fn edit<T>(&self, edit: impl FnOnce(&mut Files) -> T) -> T {
        edit(&mut self.host.0.lock().expect("no test panicked"))
    }

    /// A second passes and the source reads once.
    pub(super) fn round(&mut self) -> Round {
        let since = (!self.first).then_some(Duration::from_secs(1));
        self.first = false;
        self.now += Duration::from_secs(1);
        self.lane.begin(self.now);
        let mut round = Round { at: Timestamp::from_seconds(1000), since_previous: since, ..Round::default() };
        self.source.collect(self.host.as_ref(), &mut round);
        self.lane.run().expect("a thread");
        round
    }

    /// So many seconds pass, in which the slow thread reads `path` once more; then it rests and its answer is there.
    pub(super) fn asked_again(&mut self, seconds: u32, path: &str) -> Round {
        let lane = self.lane.clone();
        self.round_until(|_| lane.is_idle());
        self.edit(|files| files.reads.clear());
        for _ in 0..seconds {
            self.round();
            self.round_until(|_| lane.is_idle());
        }
        let host = Arc::clone(&self.host);
        let has_read = |_: &Round| host.0.lock().expect("no test panicked").reads.iter().any(|read| read == path);
        self.round_until(|round| has_read(round) && lane.is_idle());
        self.round_until(|_| true)
    }

    /// Rounds until one fulfills `enough`, for answers that come from the slow thread.
    pub(super) fn round_until(&mut self, enough: impl Fn(&Round) -> bool) -> Round {
        for _ in 0..1_000_000 {
            // Time stands still, so that a thread that is only not scheduled does not count as hung.
            self.now -= Duration::from_secs(1);
            let round = self.round();
            if enough(&round) {
                return round;
            }
            std::thread::yield_now();
        }
        panic!("the answer never came");
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.lane.stop();
    }
}

/// The value of the series with that text.
pub(super) fn value(round: &Round, key: &str) -> Option<f64> {
    round.readings.iter().find(|r| r.key.to_string() == key).map(|r| r.value)
}

/// The value of a metric's unlabeled series.
pub(super) fn total(round: &Round, metric: &str) -> Option<f64> {
    round.readings.iter().find(|r| r.key.is_total() && r.key.metric() == metric).map(|r| r.value)
}

/// A real file with some bytes replaced, cut off or doubled; or arbitrary bytes.
pub(super) fn mutated(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((0..text.len().max(1), any::<u8>()), 0..8);
    let damaged = (edits, 0..=text.len(), any::<bool>()).prop_map(move |(edits, cut, twice)| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in edits {
            if let Some(b) = bytes.get_mut(at) {
                // Digits make huge and shrunken numbers, the most dangerous damage.
                *b = if byte % 2 == 0 { b'0' + byte % 10 } else { byte };
            }
        }
        bytes.truncate(cut);
        if twice { bytes.repeat(2) } else { bytes }
    });
    prop_oneof![damaged, prop::collection::vec(any::<u8>(), 0..400)]
}
