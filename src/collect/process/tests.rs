//! Processes of made-up machines: what is read again, what is kept, who ends.

use std::collections::BTreeMap;

use super::super::testing::{Script, mutated, total, value};
use super::*;
use crate::base::Timestamp;
use crate::model::{Process, ProcessChange, Scheduler};
use proptest::prelude::*;

fn boxed(start: &Start<'_>) -> Box<dyn Source> {
    Box::new(make(start))
}

/// A machine with one process, 825, that was started 100 s ago.
struct Machine(Script);

impl Machine {
    fn new() -> Self {
        let mut machine = Self(Script::new(boxed));
        machine.0.edit(|files| files.clocks = Some(BTreeMap::new()));
        machine.0.file("/proc/uptime", "2646.73 1.0\n");
        machine.process(825, 254_673, "S");
        machine.clock(825, 5000);
        machine
    }

    fn process(&mut self, pid: u32, started: u64, state: &str) {
        let stat =
            format!("{pid} (worker) {state} 1 1 1 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 7 0 {started} 3133440 388 1 1 1 0 0\n");
        self.0.file(&format!("/proc/{pid}/stat"), &stat);
        self.0.file(&format!("/proc/{pid}/status"), "Uid:\t0\t0\t0\t0\n");
        self.0.file(&format!("/proc/{pid}/cmdline"), "/usr/bin/worker\0--fast\0");
        self.0.file(&format!("/proc/{pid}/cgroup"), "0::/system.slice/worker.service\n");
        self.io(pid, 0);
        self.newest(pid);
    }

    fn newest(&mut self, pid: u32) {
        self.0.file("/proc/loadavg", &format!("0 0 0 1/9 {pid}\n"));
    }

    fn io(&mut self, pid: u32, bytes: u64) {
        self.0.file(&format!("/proc/{pid}/io"), &format!("read_bytes: {bytes}\nwrite_bytes: 0\n"));
    }

    fn clock(&mut self, pid: u32, millis: u64) {
        self.0.edit(|files| files.clocks.get_or_insert_default().insert(pid, Duration::from_millis(millis)));
    }

    fn end(&mut self, pid: u32) {
        self.0.edit(|files| {
            files.files.retain(|path, _| !path.starts_with(&format!("/proc/{pid}/")));
            files.clocks.get_or_insert_default().remove(&pid);
        });
    }

    fn round(&mut self) -> ProcessChange {
        self.0.round().processes
    }

    /// Files of processes read since the last call.
    fn reads(&self) -> Vec<String> {
        let reads = self.0.edit(|files| std::mem::take(&mut files.reads));
        reads.into_iter().filter(|path| path.ends_with("/stat") || path.ends_with("/io")).collect()
    }
}

fn only(change: &ProcessChange) -> &Process {
    assert_eq!(change.changed.len(), 1, "{change:?}");
    &change.changed[0]
}

#[test]
fn a_process_is_read_in_full_when_it_is_first_seen() {
    let mut machine = Machine::new();
    let change = machine.round();
    let process = only(&change);
    assert_eq!((process.id.pid, process.id.started, process.parent), (825, 254_673, 1));
    assert_eq!((&*process.user, &*process.name, &*process.command), ("root", "worker", "/usr/bin/worker --fast"));
    assert_eq!((process.unit.as_deref(), process.container.as_deref()), (Some("worker"), None));
    assert_eq!((process.cpu, process.cpu_seconds, process.memory_bytes, process.threads), (0.0, 5.0, 388 * 4096, 7));
}

#[test]
fn all_that_people_ask_of_a_process_is_there() {
    let mut machine = Machine::new();
    let status = "Uid:\t0\t0\t0\t0\nVmHWM:\t900 kB\nRssFile:\t8 kB\nRssShmem:\t4 kB\nVmSwap:\t16 kB\n\
                  voluntary_ctxt_switches:\t70\nnonvoluntary_ctxt_switches:\t9\n";
    machine.0.file("/proc/825/stat", stat::EXAMPLE);
    machine.0.file("/proc/825/status", status);
    machine.io(825, 4096);
    let change = machine.round();
    let process = only(&change);
    assert_eq!((process.virtual_bytes, process.shared_bytes, process.swap_bytes), (3_133_440, Some(12 << 10), Some(16 << 10)));
    assert_eq!((process.peak_bytes, process.system_seconds), (Some(900 << 10), 0.5));
    assert_eq!((process.voluntary_switches, process.involuntary_switches), (Some(70), Some(9)));
    assert_eq!((process.minor_faults, process.major_faults, process.core), (101, 12, 3));
    assert_eq!((process.priority, process.nice, process.scheduler), (20, -5, Scheduler::Batch));
    assert_eq!((process.terminal.as_deref(), process.session), (Some("pts/3"), 825));
    assert_eq!((process.read_bytes, process.written_bytes), (Some(4096), Some(0)));
    assert_eq!(process.cgroup.as_deref(), Some("/system.slice/worker.service"));
    // The machine is 2646.73 s up at 1000 s, the process began 2546.73 s after its start.
    assert_eq!(process.started_at, Some(Timestamp(900_000)));
}

#[test]
fn status_is_read_in_turn_and_only_of_those_that_ran() {
    let mut machine = Machine::new();
    machine.round();
    machine.round();
    let statuses = |machine: &mut Machine, clock: u64| {
        machine.clock(825, clock);
        machine.0.edit(|files| files.reads.clear());
        (0..10).for_each(|_| _ = machine.round());
        machine.0.edit(|files| files.reads.iter().filter(|path| path.ends_with("/status")).count())
    };
    assert_eq!(statuses(&mut machine, 6000), 1);
    assert_eq!(statuses(&mut machine, 6000), 0);
}

#[test]
fn of_many_that_end_at_once_those_that_used_most_are_told() {
    let mut machine = Machine::new();
    for n in 0..100 {
        machine.process(2000 + n, 254_673, "S");
        machine.clock(2000 + n, u64::from(n) * 100);
    }
    machine.round();
    (0..100).for_each(|n| machine.end(2000 + n));
    let change = machine.round();
    assert_eq!((change.gone.len(), change.ended.len()), (100, MOST_TOLD));
    assert!(change.ended.iter().all(|e| e.process.id.pid >= 2036), "the least used most is told");
}

#[test]
fn a_sleeping_process_costs_no_read_and_no_change() {
    let mut machine = Machine::new();
    machine.round();
    machine.reads();
    // The first round's turn takes the only process; the cursor then waits at the end.
    machine.round();
    assert_eq!(machine.reads(), ["/proc/825/stat"]);
    for n in 0..30 {
        machine.process(900 + n, 254_673, "S");
        machine.clock(900 + n, 10);
    }
    machine.round();
    machine.reads();
    let change = machine.round();
    assert!(change.is_empty(), "{change:?}");
    assert_eq!(machine.reads().len(), 4, "31 processes at rest: a tenth of them in turn");
}

#[test]
fn cpu_is_used_time_over_the_interval_and_rest_is_told_once() {
    let mut machine = Machine::new();
    machine.round();
    machine.clock(825, 6500);
    machine.io(825, 4096);
    let change = machine.round();
    let process = only(&change);
    assert_eq!((process.cpu, process.read_bytes_per_second, process.write_bytes_per_second), (1.5, Some(4096.0), Some(0.0)));
    assert!((process.cpu_seconds - 6.5).abs() < 1e-9);
    let change = machine.round();
    assert_eq!((only(&change).cpu, only(&change).read_bytes_per_second), (0.0, Some(0.0)));
    for _ in 0..12 {
        assert!(machine.round().is_empty());
    }
}

#[test]
fn bytes_of_a_process_that_slept_are_not_spread_over_its_sleep() {
    let mut machine = Machine::new();
    for _ in 0..6 {
        machine.round();
    }
    machine.clock(825, 5100);
    machine.io(825, 8192);
    let change = machine.round();
    assert_eq!(only(&change).read_bytes_per_second, Some(8192.0));
}

#[test]
fn a_process_born_in_the_interval_has_its_cpu_at_once() {
    let mut machine = Machine::new();
    machine.round();
    machine.process(900, 264_650, "R");
    machine.clock(900, 200);
    let change = machine.round();
    let born = change.changed.iter().find(|p| p.id.pid == 900).expect("the new process");
    assert_eq!((born.cpu, born.state), (0.2, ProcessState::Running));
}

#[test]
fn an_old_process_seen_late_gives_no_spike() {
    let mut machine = Machine::new();
    machine.round();
    machine.process(900, 100, "R");
    machine.clock(900, 5_000_000);
    let change = machine.round();
    assert_eq!(change.changed.iter().find(|p| p.id.pid == 900).map(|p| p.cpu), Some(0.0));
}

#[test]
fn a_number_used_again_is_another_process() {
    let mut machine = Machine::new();
    let old = only(&machine.round()).id;
    machine.process(825, 264_000, "S");
    machine.clock(825, 1);
    let change = machine.round();
    assert_eq!(change.gone, [old]);
    assert_eq!((only(&change).id.started, only(&change).cpu), (264_000, 0.0));
}

#[test]
fn a_process_that_ended_is_gone_once() {
    let mut machine = Machine::new();
    let before = Arc::clone(&machine.round().changed[0]);
    machine.end(825);
    let change = machine.round();
    assert_eq!((change.changed.len(), change.gone), (0, vec![before.id]));
    let ended: Vec<_> = change.ended.iter().map(|e| (Arc::clone(&e.process), e.at)).collect();
    assert_eq!(ended, [(before, Timestamp::from_seconds(1000))]);
    assert!(machine.round().is_empty());
}

#[test]
fn a_program_that_replaces_itself_gets_its_new_command_line() {
    let mut machine = Machine::new();
    machine.round();
    let stat = "825 (other) S 1 1 1 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 7 0 254673 3133440 388 1 1 1 0 0\n";
    machine.0.file("/proc/825/stat", stat);
    machine.0.file("/proc/825/cmdline", "/bin/other\0");
    machine.clock(825, 5100);
    let change = machine.round();
    assert_eq!((&*only(&change).name, &*only(&change).command), ("other", "/bin/other"));
}

#[test]
fn device_figures_that_may_not_be_read_are_absent_and_not_asked_again() {
    let mut machine = Machine::new();
    machine.0.edit(|files| files.denied.insert("/proc/825/io".to_owned()));
    assert_eq!(only(&machine.round()).read_bytes_per_second, None);
    machine.reads();
    machine.clock(825, 5100);
    assert_eq!(only(&machine.round()).read_bytes_per_second, None);
    assert!(!machine.reads().contains(&"/proc/825/io".to_owned()));
}

#[test]
fn without_cpu_clocks_the_times_of_stat_are_used() {
    let mut machine = Machine::new();
    machine.0.edit(|files| files.clocks = None);
    machine.round();
    let stat = "825 (worker) R 1 1 1 0 -1 4194560 1 0 0 0 300 50 0 0 20 0 7 0 254673 3133440 388 1 1 1 0 0\n";
    machine.0.file("/proc/825/stat", stat);
    let change = machine.round();
    assert_eq!((only(&change).cpu, only(&change).cpu_seconds), (0.5, 3.5));
    assert_eq!(only(&machine.round()).cpu, 0.0);
}

#[test]
fn processes_are_counted_by_state() {
    let mut machine = Machine::new();
    machine.process(826, 254_673, "Z");
    machine.clock(826, 0);
    machine.process(827, 254_673, "D");
    machine.clock(827, 0);
    let round = machine.0.round();
    assert_eq!(total(&round, "processes"), Some(3.0));
    for (state, n) in [("sleeping", 1.0), ("zombie", 1.0), ("disk_sleep", 1.0), ("running", 0.0)] {
        assert_eq!(value(&round, &format!("processes{{state=\"{state}\"}}")), Some(n));
    }
}

#[test]
fn processes_between_two_rounds_are_counted_and_their_use_is_told_of_their_parent() {
    let mut machine = Machine::new();
    let children = |machine: &mut Machine, ticks: u64| {
        let stat = format!("825 (make) S 1 1 1 0 -1 4194560 1 0 0 0 250 50 {ticks} 20 20 0 7 0 254673 3133440 388 1 1 1 0 0\n");
        machine.0.file("/proc/825/stat", &stat);
    };
    children(&mut machine, 1000);
    // One child of it is met, and has used 0.2 s when it is.
    machine.process(830, 254_673, "S");
    machine.0.file("/proc/830/stat", "830 (cc1) R 825 1 1 0 -1 4194560 1 0 0 0 20 0 0 0 20 0 1 0 264660 1 1 1 1 1 0 0\n");
    machine.clock(830, 200);
    let first = machine.0.round();
    assert_eq!((first.processes.short_lived.as_deref(), total(&first, "process_short_lived_per_second")), (None, None));
    // It ends, and with it 139 whose numbers nobody has any more; one that is new lives. All used 3.4 s.
    machine.end(830);
    machine.process(970, 264_670, "S");
    machine.clock(970, 1);
    machine.clock(825, 5100);
    children(&mut machine, 1340);
    let round = machine.0.round();
    assert_eq!(total(&round, "process_short_lived_per_second"), Some(139.0));
    let cpu = total(&round, "process_short_lived_cpu_usage_ratio").expect("known");
    assert!((cpu - 3.2).abs() < 1e-9, "{cpu}");
    let left = round.processes.short_lived.expect("some");
    assert_eq!((left.count, left.by.len(), &*left.by[0].name), (139, 1, "make"));
    assert!((left.by[0].cpu_seconds - 3.2).abs() < 1e-9, "{left:?}");
    let quiet = machine.0.round();
    assert_eq!((quiet.processes.short_lived.as_deref(), total(&quiet, "process_short_lived_per_second")), (None, Some(0.0)));
}

#[test]
fn numbers_that_began_anew_count_nobody() {
    let mut machine = Machine::new();
    machine.round();
    machine.newest(301);
    let round = machine.0.round();
    assert_eq!((round.processes.short_lived.as_deref(), total(&round, "process_short_lived_per_second")), (None, None));
}

#[test]
fn a_kernel_thread_has_its_name_in_brackets() {
    let mut machine = Machine::new();
    machine.end(825);
    machine.0.file("/proc/2/stat", "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0 1 0 0\n");
    machine.clock(2, 0);
    let change = machine.round();
    let thread = only(&change);
    assert_eq!((&*thread.name, &*thread.command, &*thread.user), ("kthreadd", "[kthreadd]", "root"));
}

#[test]
fn a_garbled_file_is_told_and_the_process_stays() {
    let mut machine = Machine::new();
    machine.round();
    machine.0.bytes("/proc/825/stat", b"\xff garbage");
    machine.clock(825, 5100);
    let round = machine.0.round();
    assert!(round.processes.is_empty());
    assert_eq!(round.faults[0].message, "/proc/PID/stat: 1 not understood");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(stat in mutated(stat::EXAMPLE), io in mutated("read_bytes: 1\nwrite_bytes: 2\n")) {
        let mut machine = Machine::new();
        machine.round();
        machine.0.bytes("/proc/825/stat", &stat);
        machine.0.bytes("/proc/825/io", &io);
        machine.clock(825, 6000);
        for process in machine.round().changed {
            prop_assert!(process.cpu.is_finite() && process.cpu >= 0.0);
            prop_assert!(process.read_bytes_per_second.is_none_or(f64::is_finite));
        }
        machine.round();
    }
}
