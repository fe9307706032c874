//! Rows of processes: small figures each time, names once an hour.
//!
//! A process is described in the first row of the hour it is in; figures refer to descriptions by
//! their number since the hour began. Invariant: the rows of one hour up to a moment are enough to read
//! that moment.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::frame::{Cursor, OWN, frame, put, put_bytes, put_signed, unframe};
use crate::base::{Fnv, Timestamp};
use crate::model::{Process, ProcessId, ProcessState};

/// How long descriptions are good for; a reader goes back at most this far.
pub(super) const CHAPTER: Duration = Duration::from_secs(3600);
/// Longer command lines are cut: what tells one process from another stands at the beginning.
const COMMAND_CHARS: usize = 256;
/// CPU is kept to a ten-thousandth of a core, CPU time to a hundredth of a second (the kernel's tick).
const CPU_PARTS: f64 = 1e4;
const TICKS: f64 = 100.0;

/// What was described since the hour began.
#[derive(Debug, Default)]
pub(super) struct Described {
    chapter: Option<Timestamp>,
    /// Number and [`identity`]; not the processes, most of which may be over: a compiler's command line has 8 KiB.
    known: HashMap<ProcessId, (u64, u64)>,
    n: u64,
}

/// Tells whether what describes a process has changed.
fn identity(process: &Process) -> u64 {
    let mut hash = Fnv::default();
    (&process.name, &process.command, &process.user, &process.unit, &process.container, process.parent).hash(&mut hash);
    hash.finish()
}

impl Described {
    /// Forgets everything: after a row that did not reach the disk.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// The row of a moment.
    pub(super) fn encode(&mut self, at: Timestamp, processes: &[Arc<Process>]) -> Vec<u8> {
        let chapter = at.floor(CHAPTER);
        let fresh = self.chapter != Some(chapter);
        if fresh {
            *self = Self { chapter: Some(chapter), ..Self::default() };
        }
        let (mut described, mut n_described, mut figures) = (Vec::new(), 0, Vec::new());
        for process in processes {
            let identity = identity(process);
            let known = self.known.get(&process.id).filter(|(_, known)| *known == identity).map(|(n, _)| *n);
            let number = known.unwrap_or_else(|| {
                describe(&mut described, process);
                n_described += 1;
                self.known.insert(process.id, (self.n, identity));
                self.n += 1;
                self.n - 1
            });
            put(&mut figures, number);
            put_figures(&mut figures, process);
        }
        let mut out = vec![u8::from(fresh)];
        put(&mut out, n_described);
        out.extend(described);
        out.extend(figures);
        frame(OWN, &out)
    }
}

fn describe(out: &mut Vec<u8>, process: &Process) {
    put(out, u64::from(process.id.pid));
    put(out, process.id.started);
    put(out, u64::from(process.parent));
    let command: String = process.command.chars().take(COMMAND_CHARS).collect();
    for text in [&process.user, &process.name, command.as_str()] {
        put_bytes(out, text.as_bytes());
    }
    for text in [&process.unit, &process.container] {
        put_bytes(out, text.as_deref().unwrap_or_default().as_bytes());
    }
}

fn put_figures(out: &mut Vec<u8>, process: &Process) {
    out.push(process.state.letter() as u8);
    put(out, (process.cpu.max(0.0) * CPU_PARTS).round() as u64);
    put(out, (process.cpu_seconds.max(0.0) * TICKS).round() as u64);
    put(out, process.memory_bytes >> 10);
    for rate in [process.read_bytes_per_second, process.write_bytes_per_second] {
        put(out, rate.map_or(0, |r| (r.max(0.0).round() as u64).saturating_add(1)));
    }
    put(out, u64::from(process.threads));
    put_signed(out, i64::from(process.nice));
}

/// Reads the rows of an hour in order; the processes of the last one. `None` where that one, or one that described
/// its processes, is damaged.
pub(super) fn decode<'a>(rows: impl Iterator<Item = &'a [u8]>) -> Option<Vec<Arc<Process>>> {
    // `None` from a damaged row to the next fresh start: its descriptions are missing from the numbers.
    let mut described: Option<Vec<Process>> = None;
    let mut last = None;
    for row in rows {
        last = None;
        let Some((fresh, rest)) = unframe(OWN, row).and_then(|payload| payload.split_first()) else {
            described = None;
            continue;
        };
        if *fresh == 1 {
            described = Some(Vec::new());
        }
        let Some(described) = &mut described else { continue };
        let mut cursor = Cursor(rest);
        for _ in 0..cursor.length(rest.len())? {
            described.push(description(&mut cursor)?);
        }
        last = Some(cursor);
    }
    let described = described?;
    let mut cursor = last?;
    let mut processes = Vec::new();
    while !cursor.0.is_empty() {
        let number = usize::try_from(cursor.get()?).ok()?;
        let process = described.get(number)?.clone();
        processes.push(Arc::new(with_figures(process, &mut cursor)?));
    }
    Some(processes)
}

pub(super) fn description(cursor: &mut Cursor<'_>) -> Option<Process> {
    let id = ProcessId { pid: cursor.id()?, started: cursor.get()? };
    let parent = cursor.id()?;
    let mut text = || std::str::from_utf8(cursor.bytes()?).ok().map(Arc::<str>::from);
    let (user, name, command, unit, container) = (text()?, text()?, text()?, text()?, text()?);
    let some = |t: Arc<str>| (!t.is_empty()).then_some(t);
    Some(Process { id, parent, user, name, command, unit: some(unit), container: some(container), ..Process::default() })
}

pub(super) fn with_figures(mut process: Process, cursor: &mut Cursor<'_>) -> Option<Process> {
    process.state = ProcessState::from_letter(cursor.byte()?);
    process.cpu = cursor.get()? as f64 / CPU_PARTS;
    process.cpu_seconds = cursor.get()? as f64 / TICKS;
    process.memory_bytes = cursor.get()?.checked_mul(1024)?;
    let mut rate = || Some(cursor.get()?.checked_sub(1).map(|r| r as f64));
    process.read_bytes_per_second = rate()?;
    process.write_bytes_per_second = rate()?;
    process.threads = cursor.id()?;
    process.nice = i8::try_from(cursor.get_signed()?).ok()?;
    Some(process)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn process(pid: u32, cpu: f64) -> Arc<Process> {
        Arc::new(Process {
            id: ProcessId { pid, started: u64::from(pid) * 7 },
            parent: 1,
            user: "postgres".into(),
            name: format!("worker-{pid}").into(),
            command: format!("/usr/lib/postgresql/15/bin/postgres -D /var/lib/data --slot {pid}").into(),
            state: ProcessState::Running,
            cpu,
            cpu_seconds: 12.34,
            memory_bytes: 512 << 20,
            read_bytes_per_second: Some(0.0),
            write_bytes_per_second: None,
            threads: 4,
            nice: -5,
            unit: Some("postgresql".into()),
            ..Process::default()
        })
    }

    #[test]
    fn what_was_described_is_not_held() {
        let (mut described, process) = (Described::default(), process(7, 1.0));
        described.encode(Timestamp(0), std::slice::from_ref(&process));
        assert_eq!(Arc::strong_count(&process), 1);
    }

    #[test]
    fn names_are_written_once_an_hour_and_every_moment_is_read_back() {
        let mut described = Described::default();
        let mut rows = Vec::new();
        for k in 0..20 {
            let processes: Vec<_> = (k..k + 5).map(|pid| process(pid, f64::from(pid) / 8.0)).collect();
            let row = described.encode(Timestamp::from_seconds(7200 + i64::from(k) * 10), &processes);
            rows.push(row);
            assert_eq!(decode(rows.iter().map(Vec::as_slice)), Some(processes), "row {k}");
        }
        assert!(rows[19].len() < rows[0].len() / 2, "{} then {}", rows[0].len(), rows[19].len());
        let next_hour = described.encode(Timestamp::from_seconds(10_800), &[process(19, 0.5)]);
        assert_eq!(decode(std::iter::once(next_hour.as_slice())), Some(vec![process(19, 0.5)]));
    }

    #[test]
    fn a_damaged_row_never_gives_a_process_another_ones_name() {
        let mut described = Described::default();
        let mut first = described.encode(Timestamp(0), &[process(1, 1.0)]);
        let second = described.encode(Timestamp(10_000), &[process(1, 1.0), process(2, 0.5)]);
        first[8] ^= 4;
        assert_eq!(decode([first.as_slice(), second.as_slice()].into_iter()), None);
        described.reset();
        let third = described.encode(Timestamp(20_000), &[process(2, 0.5)]);
        assert_eq!(decode([&first[..], &second, &third].into_iter()), Some(vec![process(2, 0.5)]));
    }

    proptest! {
        #[test]
        fn no_payload_makes_the_decoder_panic(payload: Vec<u8>) {
            let row = frame(OWN, &payload);
            let _ = decode([row.as_slice(), row.as_slice()].into_iter());
        }
    }
}
