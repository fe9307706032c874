//! Runs on record: what the processes had used at a few moments, numbers only, and the replay of it.
//!
//! A line of `tests/fixtures/causes.jsonl` is one run: `processes` are number, birth in milliseconds against the first moment and
//! role; the condition holds from moment `holds_from` on; a row of a moment is number, milli-cores, milliseconds of CPU, KiB of memory, KiB read, KiB written, KiB a second, open
//! files, threads. Invariant: no name, command, path or user of the machine is on record.

use std::collections::{BTreeMap, VecDeque};
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use farol::base::Timestamp;
use farol::model::{Alert, HostFacts, Process, ProcessChange, ProcessId, Sample};
use serde_json::{Value, json};

use super::machine::Machine;
use super::{Case, Kind};
use crate::source::{read, root};

/// Ticks between two moments kept before a condition holds: those of the engine's looks.
const EVERY: u64 = 10;

/// Moments kept from before.
const BEFORE: usize = 4;

/// Processes on record beside the offender and its neighbors: those that changed most.
const OTHERS: usize = 12;

type Processes = BTreeMap<ProcessId, Arc<Process>>;

/// What was seen lately.
pub(super) struct Tape {
    neighbors: Vec<u32>,
    all: Processes,
    before: VecDeque<(Timestamp, Processes)>,
    during: Vec<(Timestamp, Processes)>,
    ticks: u64,
}

impl Tape {
    pub(super) fn new(neighbors: &[u32]) -> Self {
        Self { neighbors: neighbors.to_vec(), all: BTreeMap::new(), before: VecDeque::new(), during: Vec::new(), ticks: 0 }
    }

    /// Takes in a tick; `is_broken`: the condition holds.
    pub(super) fn keep(&mut self, sample: &Sample, is_broken: bool) {
        sample.processes.gone.iter().for_each(|id| drop(self.all.remove(id)));
        self.all.extend(sample.processes.changed.iter().map(|p| (p.id, Arc::clone(p))));
        if is_broken {
            self.during.push((sample.at, self.all.clone()));
        } else if self.ticks.is_multiple_of(EVERY) {
            if self.before.len() == BEFORE {
                self.before.pop_front();
            }
            self.before.push_back((sample.at, self.all.clone()));
        }
        self.ticks += 1;
    }

    /// Adds a run to the file in `FAROL_CAUSES_KEEP`, where there is one.
    pub(super) fn save(&mut self, case: &Case, guilty: u32) {
        let during = std::mem::take(&mut self.during);
        let Some(file) = std::env::var_os("FAROL_CAUSES_KEEP") else { return };
        let moments: Vec<&(Timestamp, Processes)> = self.before.iter().chain(&during).collect();
        let mut line = record(case, guilty, &self.neighbors, &moments);
        line["holds_from"] = json!(self.before.len());
        let mut file = OpenOptions::new().create(true).append(true).open(file).expect("a file");
        writeln!(file, "{line}").expect("room");
    }
}

fn record(case: &Case, guilty: u32, neighbors: &[u32], moments: &[&(Timestamp, Processes)]) -> Value {
    let (first, last) = (moments.first().expect("a moment"), moments.last().expect("a moment"));
    let used = |all: &Processes, id: &ProcessId| all.get(id).map_or(0.0, |p| score(p));
    let mut others: Vec<&Arc<Process>> =
        last.1.values().filter(|p| p.memory_bytes > 0 && p.id.pid != guilty && !neighbors.contains(&p.id.pid)).collect();
    others.sort_by(|a, b| (score(b) - used(&first.1, &b.id)).total_cmp(&(score(a) - used(&first.1, &a.id))));
    let kept: Vec<&Arc<Process>> = last
        .1
        .values()
        .filter(|p| p.id.pid == guilty || neighbors.contains(&p.id.pid))
        .chain(others.into_iter().take(OTHERS))
        .collect();
    let role = |p: &Process| match p.id.pid {
        pid if pid == guilty => "guilty",
        pid if neighbors.contains(&pid) => "neighbor",
        _ => "other",
    };
    let born = |p: &Process| p.started_at.map(|at| at.0 - first.0.0);
    let processes: Vec<Value> = kept.iter().enumerate().map(|(n, p)| json!([n + 1, born(p), role(p)])).collect();
    let rows = |all: &Processes| -> Vec<Value> {
        kept.iter().enumerate().filter_map(|(n, p)| Some(row(n + 1, all.get(&p.id)?))).collect()
    };
    let moments: Vec<Value> = moments.iter().map(|(at, all)| json!([at.0 - first.0.0, rows(all)])).collect();
    json!({"seed": case.seed, "kind": case.kind.name(), "hold": case.hold, "lead": case.lead, "processes": processes, "moments": moments})
}

/// How much of everything, roughly: to choose who is worth a row.
fn score(p: &Process) -> f64 {
    let bytes = p.memory_bytes + p.read_bytes.unwrap_or(0) + p.written_bytes.unwrap_or(0);
    p.cpu_seconds + bytes as f64 / 1e7 + f64::from(p.descriptors.unwrap_or(0)) / 10.0
}

fn row(n: usize, p: &Process) -> Value {
    let kib = |bytes: Option<u64>| bytes.map(|b| b / 1024);
    let flow = p.read_bytes_per_second.zip(p.write_bytes_per_second).map(|(read, write)| ((read + write) / 1024.0) as u64);
    let milli = |value: f64| (value * 1000.0) as u64;
    let memory = (p.memory_bytes + p.swap_bytes.unwrap_or(0)) / 1024;
    json!([
        n,
        milli(p.cpu),
        milli(p.cpu_seconds),
        memory,
        kib(p.read_bytes),
        kib(p.written_bytes),
        flow,
        p.descriptors,
        p.threads
    ])
}

#[test]
fn the_guilty_process_of_every_recorded_run_is_named_first() {
    let text = read(&root().join("tests/fixtures/causes.jsonl"));
    let runs: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(runs.len(), 20);
    for run in &runs {
        let alert = replay(run).unwrap_or_else(|| panic!("seed {}: nothing fires", run["seed"]));
        let first = alert.explanation.processes.first().map(|c| c.name.as_str());
        assert_eq!(first, Some("guilty"), "seed {}: {:#?}", run["seed"], alert.explanation);
        assert!(alert.explanation.summary.contains("guilty (pid "), "{}", alert.explanation.summary);
    }
}

/// Plays a run through the core.
fn replay(run: &Value) -> Option<Arc<Alert>> {
    let start = Timestamp::from_seconds(1_780_000_000);
    let kind = Kind::named(run["kind"].as_str()?)?;
    let hold = run["hold"].as_u64()?;
    let mut machine = Machine::new(HostFacts { name: "recorded".to_owned(), cores: 2, ..HostFacts::default() }, start);
    let moments = run["moments"].as_array()?;
    let holds_from = usize::try_from(run["holds_from"].as_u64()?).ok()?;
    let mut known: Vec<ProcessId> = Vec::new();
    let mut before: Option<Timestamp> = None;
    let mut fired = None;
    for (place, moment) in moments.iter().enumerate() {
        let at = Timestamp(start.0 + moment[0].as_i64()?);
        let changed: Vec<Arc<Process>> =
            moment[1].as_array()?.iter().filter_map(|row| process(row, &run["processes"], start)).map(Arc::new).collect();
        let gone = known.iter().filter(|id| changed.iter().all(|p| p.id != **id)).copied().collect();
        known = changed.iter().map(|p| p.id).collect();
        let since_previous = before.map(|then| at.since(then));
        before = Some(at);
        let processes = ProcessChange { changed, gone, ..ProcessChange::default() };
        let sample = Sample { seq: place as u64, at, since_previous, processes, ..Sample::default() };
        fired = machine.tick(sample, (place >= holds_from).then_some((kind, hold))).or(fired);
    }
    fired
}

fn process(row: &Value, table: &Value, start: Timestamp) -> Option<Process> {
    let n = row[0].as_u64()?;
    let known = table.as_array()?.iter().find(|p| p[0].as_u64() == Some(n))?;
    let number = |place: usize| row[place].as_u64();
    let kib = |place: usize| number(place).map(|kib| kib * 1024);
    let flow = number(6).map(|kib| kib as f64 * 1024.0);
    Some(Process {
        id: ProcessId { pid: u32::try_from(n).ok()?, started: 1 },
        name: known[2].as_str()?.into(),
        started_at: known[1].as_i64().map(|born| Timestamp(start.0 + born)),
        cpu: number(1)? as f64 / 1000.0,
        cpu_seconds: Duration::from_millis(number(2)?).as_secs_f64(),
        memory_bytes: kib(3)?,
        read_bytes: kib(4),
        written_bytes: kib(5),
        read_bytes_per_second: flow,
        write_bytes_per_second: flow.map(|_| 0.0),
        descriptors: number(7).and_then(|n| u32::try_from(n).ok()),
        threads: u32::try_from(number(8)?).ok()?,
        ..Process::default()
    })
}
