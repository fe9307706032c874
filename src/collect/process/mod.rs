//! Processes: who uses CPU, memory and devices, and what changed since the round before.
//!
//! The CPU clock of every process is asked each round (0.24 µs), `stat` and `io` (9 and 7 µs) are read
//! only of those whose clock moved; the others are read in turns, all within [`TURN`]. Parsing is in
//! `stat` and `cgroup`, what seldom changes in `identity`, one process in `tracked`. Invariant: a process
//! is published only when something about it changed, and its last change says that it rests.

mod cgroup;
mod identity;
mod machine;
mod scan;
mod short_lived;
mod stat;
mod tracked;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

pub(super) use self::cgroup::{Part, parse_cgroup, parts};
pub use self::scan::scan;
use self::short_lived::{Traces, told, vanished};
pub(super) use self::stat::{Stat, parse_stat};
use self::tracked::{Look, Reader, Tracked};
use super::parse::{decimal, number, words};
use super::table::Start;
use super::{auxiliary, counter};
use crate::base::Unit;
use crate::model::{EndedProcess, GoodDirection, Host, MetricDef, ProcessState, Round, SeriesKey, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge("processes", Unit::Count, "Processes; by state as of their last reading.")
        .by(&["state"])
        .good(GoodDirection::Neither),
    MetricDef::gauge(
        "process_short_lived_per_second",
        Unit::PerSecond,
        "Processes and threads that began and ended between two looks.",
    )
    .good(GoodDirection::Neither)
    .within(Some(0.0), None),
    MetricDef::gauge(
        "process_short_lived_cpu_usage_ratio",
        Unit::Ratio,
        "CPU of processes that ended, after the last look at them or without any, in cores: 1 is one core.",
    )
    .within(Some(0.0), None),
    MetricDef::gauge("vm_cpu_usage_ratio", Unit::Ratio, "CPU a virtual machine's process uses, in cores: 1 is one core.")
        .by(&["name"])
        .within(Some(0.0), None),
    MetricDef::gauge("vm_memory_used_bytes", Unit::Bytes, "Memory of this machine a virtual machine's process has.")
        .by(&["name"]),
];

/// A process at rest is read once within this time.
const TURN: Duration = Duration::from_secs(10);

/// Rounds after which the list of processes is read whatever the numbers say.
const LIST_ROUNDS: u64 = 10;

/// Most new numbers asked for one by one; past it the list is cheaper.
const MOST_ASKED: u64 = 128;

/// Most processes followed; a machine with more is told so.
const MOST: usize = 32_768;

/// Most ended processes told of in one round: more than a screen has rows.
const MOST_TOLD: usize = 64;

/// States that have a series, with their place in the counts; the rare others count as sleeping.
const STATES: [(ProcessState, &str); 6] = [
    (ProcessState::Running, "running"),
    (ProcessState::Sleeping, "sleeping"),
    (ProcessState::DiskSleep, "disk_sleep"),
    (ProcessState::Stopped, "stopped"),
    (ProcessState::Zombie, "zombie"),
    (ProcessState::Idle, "idle"),
];

/// All processes of the machine.
pub(super) struct Processes {
    text: Vec<u8>,
    pids: Vec<u32>,
    /// By number.
    known: Vec<Tracked>,
    reader: Reader,
    tick: u64,
    /// The number last given out by the kernel.
    newest: Option<u64>,
    /// How many numbers of this interval belong to nobody any more.
    vanished: Option<f64>,
    /// Where the next turn begins.
    cursor: usize,
    most_machines: usize,
    total: SeriesKey,
    states: [SeriesKey; 6],
    short_lived: [SeriesKey; 2],
}

pub(super) fn make(start: &Start<'_>) -> Processes {
    let host = start.host.as_ref();
    Processes {
        text: Vec::new(),
        pids: Vec::new(),
        known: Vec::new(),
        reader: Reader::new(auxiliary::page_size(host), auxiliary::clock_ticks(host), start.groups.clone(), Traces::new(host)),
        most_machines: start.config.max_instances,
        tick: 0,
        newest: None,
        vanished: None,
        cursor: 0,
        total: SeriesKey::total("processes"),
        states: STATES.map(|(_, name)| SeriesKey::new("processes", [("state", name)])),
        short_lived: ["process_short_lived_per_second", "process_short_lived_cpu_usage_ratio"].map(SeriesKey::total),
    }
}

impl Source for Processes {
    fn name(&self) -> &'static str {
        "process"
    }

    fn metrics(&self) -> &'static [MetricDef] {
        METRICS
    }

    fn collect(&mut self, host: &dyn Host, round: &mut Round) {
        self.tick += 1;
        self.reader.begin(round.since_previous);
        self.follow(host, round);
        if let Err(error) = self.add_new(host, round) {
            round.fault("process", format!("/proc: {error}"));
        }
        let unreadable = self.reader.take_unreadable();
        if unreadable > 0 {
            round.fault("process", format!("/proc/PID/stat: {unreadable} not understood"));
        }
        self.count(round);
        self.tell_short_lived(round);
    }
}

impl Processes {
    /// Looks at every known process.
    fn follow(&mut self, host: &dyn Host, round: &mut Round) {
        let due = self.turn(round.since_previous);
        let (mut place, reader) = (0, &mut self.reader);
        self.known.retain_mut(|tracked| {
            let is_due = due.contains(&place);
            place += 1;
            match reader.look(host, tracked, is_due) {
                Look::Same => true,
                Look::Changed => {
                    round.processes.changed.push(Arc::clone(&tracked.process));
                    true
                }
                Look::Reborn(old) => {
                    round.processes.gone.push(old.id);
                    round.processes.ended.push(Arc::new(EndedProcess { process: old, at: round.at }));
                    round.processes.changed.push(Arc::clone(&tracked.process));
                    true
                }
                Look::Gone => {
                    reader.end(tracked);
                    round.processes.gone.push(tracked.process.id);
                    let process = Arc::clone(&tracked.process);
                    round.processes.ended.push(Arc::new(EndedProcess { process, at: round.at }));
                    false
                }
            }
        });
        tell_most(&mut round.processes.ended);
    }

    /// The places whose turn it is: as many as make all come once within [`TURN`].
    fn turn(&mut self, span: Option<Duration>) -> std::ops::Range<usize> {
        let n = self.known.len();
        if self.cursor >= n {
            self.cursor = 0;
        }
        let share = (span.unwrap_or_default().as_secs_f64() / TURN.as_secs_f64()).min(1.0);
        let from = self.cursor;
        self.cursor = (from + (n as f64 * share).ceil() as usize).min(n);
        from..self.cursor
    }

    /// Puts into `pids` those that may be new since the round before.
    ///
    /// The kernel gives out numbers in rising order and says the newest: those between are asked for their clocks, at half the
    /// cost of one entry of the whole list. The list is read where that is not enough, and now and then to be sure.
    fn find_new(&mut self, host: &dyn Host) -> std::io::Result<()> {
        // The last field of loadavg is the newest number (of a process or a thread).
        let newest =
            host.read("/proc/loadavg", &mut self.text).ok().and_then(|()| words(self.text.trim_ascii()).nth(4).and_then(number));
        let before = std::mem::replace(&mut self.newest, newest);
        self.vanished = before.zip(newest).and_then(|(before, newest)| vanished(host, before, newest));
        self.pids.clear();
        if let (Some(newest), Some(before)) = (newest, before)
            && self.tick % LIST_ROUNDS != 1
            && newest.checked_sub(before).is_some_and(|n| n <= MOST_ASKED)
        {
            for pid in (before + 1..=newest).filter_map(|pid| u32::try_from(pid).ok()) {
                match self.reader.is_process(host, pid) {
                    Some(true) => self.pids.push(pid),
                    Some(false) => {}
                    None => return host.pids(&mut self.pids),
                }
            }
            return Ok(());
        }
        host.pids(&mut self.pids)
    }

    fn add_new(&mut self, host: &dyn Host, round: &mut Round) -> std::io::Result<()> {
        self.find_new(host)?;
        let before = self.known.len();
        let mut uptime = None;
        let mut refused = 0;
        for pid in &self.pids {
            let Some(known) = self.known.get(..before) else { continue };
            if known.binary_search_by_key(pid, |t| t.pid).is_ok() {
                continue;
            }
            if self.known.len() >= MOST {
                refused += 1;
                continue;
            }
            let up = *uptime.get_or_insert_with(|| {
                let up = read_uptime(host);
                self.reader.set_booted(up.map(|up| round.at - up));
                up
            });
            if let Some(tracked) = self.reader.meet(host, *pid, up) {
                round.processes.changed.push(Arc::clone(&tracked.process));
                self.known.push(tracked);
            }
        }
        if self.known.len() > before {
            self.known.sort_by_key(|t| t.pid);
        }
        counter::note_refused(round, "process", "processes", refused, MOST);
        Ok(())
    }

    /// What those left that began and ended between two looks.
    fn tell_short_lived(&mut self, round: &mut Round) {
        let (by, cores) = self.reader.traces.settle(&mut self.known);
        let Some(span) = round.since_previous.filter(|span| *span > Duration::ZERO) else { return };
        let [count, cpu] = &self.short_lived;
        if let Some(vanished) = self.vanished {
            round.gauge(count, vanished / span.as_secs_f64());
        }
        round.gauge(cpu, cores);
        round.processes.short_lived = told(round.at, self.vanished, by);
    }

    fn count(&self, round: &mut Round) {
        let mut counts = [0_u32; STATES.len()];
        for tracked in &self.known {
            let place = STATES.iter().position(|(state, _)| *state == tracked.state).unwrap_or(1);
            if let Some(count) = counts.get_mut(place) {
                *count += 1;
            }
        }
        round.gauge(&self.total, self.known.len() as f64);
        for (key, count) in self.states.iter().zip(counts) {
            round.gauge(key, f64::from(count));
        }
        let machines = || self.known.iter().filter_map(|tracked| Some((tracked.machine.as_ref()?, &tracked.process)));
        for ([cpu, memory], process) in machines().take(self.most_machines).map(|(keys, process)| (&**keys, process)) {
            round.gauge(cpu, process.cpu);
            round.gauge(memory, process.memory_bytes as f64);
        }
        counter::note_refused(
            round,
            "process",
            "machines",
            machines().count().saturating_sub(self.most_machines),
            self.most_machines,
        );
    }
}

/// Time since the start of the machine.
fn read_uptime(host: &dyn Host) -> Option<Duration> {
    let mut text = Vec::new();
    host.read("/proc/uptime", &mut text).ok()?;
    let seconds = words(&text).next().and_then(decimal)?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Of many that ended in one round those that used most CPU are told, as many as [`MOST_TOLD`].
fn tell_most(ended: &mut Vec<Arc<EndedProcess>>) {
    if ended.len() > MOST_TOLD {
        ended.sort_by(|a, b| b.process.cpu_seconds.total_cmp(&a.process.cpu_seconds));
        ended.truncate(MOST_TOLD);
    }
}

/// Whether an error means that the process is not there, or not to be seen.
fn is_gone(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied)
}

#[cfg(test)]
mod tests;
