//! One process from round to round.
//!
//! Which processes there are is the business of `mod.rs`. Invariant: a figure per second is made from the
//! process's own two readings and the time between them.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use super::identity::{Identities, Identity};
use super::is_gone;
use super::machine::machine;
use super::short_lived::{Children, Traces};
use super::stat::{Stat, Status, parse_io, parse_stat};
use crate::base::Timestamp;
use crate::collect::groups::Groups;
use crate::model::{Host, Process, ProcessFile, ProcessId, ProcessState, SeriesKey};

/// Less CPU than this is rest: two hundredths of a percent, below what any screen shows. Otherwise every timer would make a change.
const REST: f64 = 0.000_2;

/// A process at rest is not published again for less CPU time than this.
const NOTABLE_SECONDS: f64 = 0.01;

/// Threads of the kernel have no memory, owner or group: they are read in one turn of these.
const KERNEL_TURNS: u16 = 6;

/// A process with more open files than this (the usual limit) has them counted in its turn only: old kernels list them one by one.
const MANY_DESCRIPTORS: u32 = 1024;

/// Turns after which owner and control group are read again; about ten minutes.
const IDENTITY_TURNS: u16 = 60;

/// A process as it was last read. The fields a process at rest is judged by stand here, so that it costs no look elsewhere.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) pid: u32,
    pub(super) state: ProcessState,
    /// Published with some CPU or device use, so that its rest must be published too.
    active: bool,
    kernel: bool,
    /// Its `io` may not be read.
    io_denied: bool,
    turns: u16,
    /// CPU time in the round before.
    clock: Duration,
    /// CPU time when `status` was last read.
    status_clock: Duration,
    /// Bytes read and written, and when that was right.
    io: Option<([u64; 2], Duration)>,
    pub(super) children: Children,
    pub(super) process: Arc<Process>,
    /// Series of CPU and memory, where it runs a virtual machine.
    pub(super) machine: Option<Box<[SeriesKey; 2]>>,
}

/// What a look at a process found.
pub(super) enum Look {
    /// Nothing to tell.
    Same,
    /// `Tracked::process` is new.
    Changed,
    /// It ended and another one got its number.
    Reborn(Arc<Process>),
    /// It ended.
    Gone,
}

/// Reads processes.
#[derive(Debug)]
pub(super) struct Reader {
    page: u64,
    ticks: f64,
    identities: Identities,
    stat: Vec<u8>,
    io: Vec<u8>,
    /// Sum of all intervals: the time by which readings are dated.
    now: Duration,
    /// Since the round before.
    span: Option<Duration>,
    /// When the machine was started, by its uptime at a round's time.
    booted: Option<Timestamp>,
    /// The host has no CPU clocks: `stat` of all is read each round.
    clockless: bool,
    unreadable: usize,
    pub(super) traces: Traces,
}

impl Reader {
    pub(super) fn new(page: u64, ticks: u64, groups: Groups, traces: Traces) -> Self {
        Self {
            page,
            ticks: ticks as f64,
            identities: Identities::new(groups),
            stat: Vec::new(),
            io: Vec::new(),
            now: Duration::ZERO,
            span: None,
            booted: None,
            clockless: false,
            unreadable: 0,
            traces,
        }
    }

    /// The machine was started at `booted`, for those met from now on.
    pub(super) fn set_booted(&mut self, booted: Option<Timestamp>) {
        self.booted = booted;
    }

    /// A round begins.
    pub(super) fn begin(&mut self, span: Option<Duration>) {
        self.span = span.filter(|span| *span > Duration::ZERO);
        self.now += self.span.unwrap_or_default();
    }

    /// Whether a number is that of a process (and not of a thread, or of nothing); `None` where the host has no such clocks.
    pub(super) fn is_process(&self, host: &dyn Host, pid: u32) -> Option<bool> {
        if self.clockless { None } else { Some(host.cpu_clock(pid).is_ok()) }
    }

    /// How many files were not understood since the last call.
    pub(super) fn take_unreadable(&mut self) -> usize {
        std::mem::take(&mut self.unreadable)
    }

    /// Looks at a known process; one that is `due` is read even at rest.
    pub(super) fn look(&mut self, host: &dyn Host, tracked: &mut Tracked, due: bool) -> Look {
        tracked.turns = tracked.turns.wrapping_add(u16::from(due));
        let due = due && (!tracked.kernel || tracked.turns.is_multiple_of(KERNEL_TURNS));
        let clock = if self.clockless { None } else { Some(host.cpu_clock(tracked.pid)) };
        match clock {
            Some(Ok(clock)) => {
                let moved = self.moved(tracked, clock);
                if !(moved || tracked.active || due) {
                    self.rest(tracked, clock);
                    return Look::Same;
                }
                self.read(host, tracked, Some(clock), due)
            }
            Some(Err(error)) if error.kind() == ErrorKind::Unsupported => {
                self.clockless = true;
                self.read(host, tracked, None, due)
            }
            None => self.read(host, tracked, None, due),
            Some(Err(_)) => Look::Gone,
        }
    }

    /// Whether a process used notable CPU since the round before, or is another one.
    fn moved(&self, tracked: &Tracked, clock: Duration) -> bool {
        let Some(used) = clock.checked_sub(tracked.clock) else { return true };
        used > self.span.unwrap_or(Duration::from_secs(1)).mul_f64(REST)
    }

    /// Nothing to read.
    fn rest(&self, tracked: &mut Tracked, clock: Duration) {
        // Who did not run at all did not read or write either.
        if clock == tracked.clock
            && let Some((_, at)) = &mut tracked.io
        {
            *at = self.now;
        }
        tracked.clock = clock;
    }

    fn read(&mut self, host: &dyn Host, tracked: &mut Tracked, clock: Option<Duration>, due: bool) -> Look {
        let mut text = std::mem::take(&mut self.stat);
        let look = match host.read_process(tracked.pid, ProcessFile::Stat, &mut text) {
            Ok(()) => match parse_stat(&text) {
                Some(stat) => self.update(host, tracked, &stat, clock, due),
                None => {
                    self.unreadable += 1;
                    Look::Same
                }
            },
            Err(error) if is_gone(&error) => Look::Gone,
            Err(_) => Look::Same,
        };
        self.stat = text;
        look
    }

    fn update(&mut self, host: &dyn Host, tracked: &mut Tracked, stat: &Stat<'_>, clock: Option<Duration>, due: bool) -> Look {
        if stat.started != tracked.process.id.started {
            let old = Arc::clone(&tracked.process);
            self.end(tracked);
            let clock = clock.unwrap_or_else(|| self.clock_of(stat));
            *tracked = self.new_tracked(host, tracked.pid, stat, (clock, 0.0));
            return Look::Reborn(old);
        }
        let clock = clock.unwrap_or_else(|| self.clock_of(stat));
        let moved = self.moved(tracked, clock);
        let used = clock.checked_sub(tracked.clock).unwrap_or_default();
        let cpu = self.span.filter(|_| moved).map_or(0.0, |span| used.as_secs_f64() / span.as_secs_f64());
        let ran = used > Duration::ZERO;
        let rates = if ran || tracked.active { self.read_io(host, tracked) } else { tracked.io.map(|_| [0.0; 2]) };
        self.rest(tracked, clock);
        if tracked.children.read(self.time(stat.children_ticks), self.now) {
            self.traces.rise(tracked.pid);
        }
        let known = Arc::clone(&tracked.process);
        let (identity, status) = self.identity(host, tracked, stat, due);
        let mut next = self.process(stat, tracked, identity);
        next.started_at = known.started_at;
        let count = ran && !tracked.kernel && (due || known.descriptors.is_none_or(|n| n < MANY_DESCRIPTORS));
        next.descriptors = if count { host.descriptors(tracked.pid).ok() } else { known.descriptors };
        next.cpu = cpu;
        (next.read_bytes_per_second, next.write_bytes_per_second) = split(rates);
        match status {
            Some(status) => put_status(&mut next, &status),
            None => keep_status(&mut next, &known),
        }
        if cpu == 0.0 && (next.cpu_seconds - known.cpu_seconds).abs() < NOTABLE_SECONDS {
            rest_as(&mut next, &known);
        }
        tracked.active = cpu > 0.0 || rates.is_some_and(|rates| rates.iter().any(|r| *r > 0.0));
        tracked.state = next.state;
        if *tracked.process == next {
            return Look::Same;
        }
        tracked.process = Arc::new(next);
        Look::Changed
    }

    /// Reads a process for the first time; `uptime` tells whether it began within this interval.
    pub(super) fn meet(&mut self, host: &dyn Host, pid: u32, uptime: Option<Duration>) -> Option<Tracked> {
        let mut text = std::mem::take(&mut self.stat);
        let met = host.read_process(pid, ProcessFile::Stat, &mut text).ok().and_then(|()| {
            let Some(stat) = parse_stat(&text) else {
                self.unreadable += 1;
                return None;
            };
            let clock = if self.clockless { None } else { host.cpu_clock(pid).ok() };
            let clock = clock.unwrap_or_else(|| self.clock_of(&stat));
            let age = uptime.and_then(|up| up.checked_sub(Duration::try_from_secs_f64(stat.started as f64 / self.ticks).ok()?));
            // All it used it used since its birth, in this interval; of an older one nothing is known yet.
            let cpu = match (self.span, age) {
                (Some(span), Some(age)) if age <= span + TICK => clock.as_secs_f64() / span.as_secs_f64(),
                _ => 0.0,
            };
            Some(self.new_tracked(host, pid, &stat, (clock, cpu)))
        });
        self.stat = text;
        met
    }

    fn new_tracked(&mut self, host: &dyn Host, pid: u32, stat: &Stat<'_>, (clock, cpu): (Duration, f64)) -> Tracked {
        let (identity, status) = self.identities.read(host, pid, stat);
        let mut tracked = Tracked {
            pid,
            state: stat.state,
            active: cpu > 0.0,
            kernel: stat.kernel,
            io_denied: stat.kernel,
            turns: 0,
            clock,
            status_clock: clock,
            io: None,
            children: Children::new(self.time(stat.children_ticks), self.now),
            process: Arc::default(),
            machine: None,
        };
        self.read_io(host, &mut tracked);
        let rates = tracked.io.map(|_| [0.0; 2]);
        let mut process = self.process(stat, &tracked, identity);
        let since_boot = Duration::try_from_secs_f64(stat.started as f64 / self.ticks).ok();
        process.started_at = self.booted.zip(since_boot).map(|(booted, since)| booted + since);
        process.cpu = cpu;
        process.descriptors = (!stat.kernel).then(|| host.descriptors(pid).ok()).flatten();
        put_status(&mut process, &status);
        (process.read_bytes_per_second, process.write_bytes_per_second) = split(rates);
        tracked.machine = machine(&process.name, &process.command, pid).map(|name| {
            Box::new(
                ["vm_cpu_usage_ratio", "vm_memory_used_bytes"].map(|metric| SeriesKey::new(metric, [("name", name.as_str())])),
            )
        });
        tracked.process = Arc::new(process);
        tracked
    }

    /// Bytes read and written per second since the last reading; `None` where they may not be read.
    fn read_io(&mut self, host: &dyn Host, tracked: &mut Tracked) -> Option<[f64; 2]> {
        if tracked.io_denied {
            return None;
        }
        let read = host.read_process(tracked.pid, ProcessFile::Io, &mut self.io);
        tracked.io_denied = matches!(&read, Err(error) if error.kind() == ErrorKind::PermissionDenied);
        let now = read.ok().and_then(|()| parse_io(&self.io)).map(|(read, written)| [read, written]);
        let before = std::mem::replace(&mut tracked.io, now.map(|now| (now, self.now)));
        let (now, (then, at)) = (now?, before?);
        let seconds = self.now.saturating_sub(at).as_secs_f64();
        if self.span.is_none() || seconds <= 0.0 {
            return Some([0.0; 2]);
        }
        // A count that went back (the kernel takes back what was cancelled) is no transfer.
        Some([0, 1].map(|i| now[i].saturating_sub(then[i]) as f64 / seconds))
    }

    /// What seldom changes: as known, or read again where it is time or the name changed; with `status` where that was read.
    fn identity(&mut self, host: &dyn Host, tracked: &mut Tracked, stat: &Stat<'_>, due: bool) -> (Identity, Option<Status>) {
        let known = &tracked.process;
        let again = due && (tracked.turns == 1 || tracked.turns.is_multiple_of(IDENTITY_TURNS));
        let renamed = known.name.as_bytes() != stat.name && *known.name != *super::identity::name(stat.name);
        if again || renamed {
            let (mut read, status) = self.identities.read(host, tracked.pid, stat);
            // A zombie has no arguments left; those it had still say what it was.
            if stat.state == ProcessState::Zombie {
                read.command = Arc::clone(&known.command);
            }
            tracked.status_clock = tracked.clock;
            return (read, Some(status));
        }
        let mut identity = Identity {
            user: Arc::clone(&known.user),
            name: Arc::clone(&known.name),
            command: Arc::clone(&known.command),
            unit: known.unit.clone(),
            container: known.container.clone(),
            cgroup: known.cgroup.clone(),
            terminal: known.terminal.clone(),
        };
        // Who did not run since has the same memory and switches as then.
        if !due || tracked.kernel || tracked.status_clock == tracked.clock {
            return (identity, None);
        }
        tracked.status_clock = tracked.clock;
        let status = self.identities.status(host, tracked.pid);
        if let Some(uid) = status.uid {
            identity.user = self.identities.user(host, uid);
        }
        (identity, Some(status))
    }

    /// What `stat` and `io` say; figures per second, the start and what `status` says are the caller's.
    fn process(&self, stat: &Stat<'_>, tracked: &Tracked, identity: Identity) -> Process {
        let Identity { user, name, command, unit, container, cgroup, terminal } = identity;
        let bytes = tracked.io.map(|(bytes, _)| bytes);
        Process {
            id: ProcessId { pid: tracked.pid, started: stat.started },
            parent: stat.parent,
            user,
            name,
            command,
            state: stat.state,
            cpu_seconds: tracked.clock.as_secs_f64(),
            system_seconds: stat.system_ticks as f64 / self.ticks,
            children_seconds: stat.children_ticks as f64 / self.ticks,
            memory_bytes: stat.pages.saturating_mul(self.page),
            virtual_bytes: stat.virtual_bytes,
            read_bytes: bytes.map(|b| b[0]),
            written_bytes: bytes.map(|b| b[1]),
            threads: stat.threads,
            nice: stat.nice,
            priority: stat.priority,
            scheduler: stat.scheduler,
            core: stat.core,
            minor_faults: stat.minor_faults,
            major_faults: stat.major_faults,
            session: stat.session,
            terminal,
            unit,
            container,
            cgroup,
            ..Process::default()
        }
    }

    fn clock_of(&self, stat: &Stat<'_>) -> Duration {
        self.time(stat.ticks)
    }

    fn time(&self, ticks: u64) -> Duration {
        Duration::try_from_secs_f64(ticks as f64 / self.ticks).unwrap_or_default()
    }

    /// Notes what a process that is gone left to its parent.
    pub(super) fn end(&mut self, tracked: &Tracked) {
        self.traces.end(&tracked.process, tracked.clock + tracked.children.known());
    }
}

/// Starts are rounded to a clock tick, and the list is read a little after the round began.
const TICK: Duration = Duration::from_millis(50);

fn put_status(process: &mut Process, status: &Status) {
    process.shared_bytes = status.shared;
    process.swap_bytes = status.swap;
    process.peak_bytes = status.peak;
    process.voluntary_switches = status.voluntary;
    process.involuntary_switches = status.involuntary;
}

fn keep_status(process: &mut Process, known: &Process) {
    process.shared_bytes = known.shared_bytes;
    process.swap_bytes = known.swap_bytes;
    process.peak_bytes = known.peak_bytes.map(|peak| peak.max(process.memory_bytes));
    process.voluntary_switches = known.voluntary_switches;
    process.involuntary_switches = known.involuntary_switches;
}

/// What a process does that only wakes now and then is no news: its sums wait until they are notable.
fn rest_as(process: &mut Process, known: &Process) {
    process.cpu_seconds = known.cpu_seconds;
    process.system_seconds = known.system_seconds;
    process.core = known.core;
    process.minor_faults = known.minor_faults;
    process.voluntary_switches = known.voluntary_switches;
    process.involuntary_switches = known.involuntary_switches;
}

fn split(rates: Option<[f64; 2]>) -> (Option<f64>, Option<f64>) {
    (rates.map(|r| r[0]), rates.map(|r| r[1]))
}
