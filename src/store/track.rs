//! One process through the rows of processes.
//!
//! Rows come in order from the beginning of an hour. Invariant: a damaged row, and those after it that need
//! its descriptions, give no point rather than another process's figures.

use std::time::Duration;

use super::frame::{Cursor, OWN, unframe};
use super::processes::{description, with_figures};
use crate::base::Timestamp;
use crate::model::{Process, ProcessId, ProcessPoint};

/// Follows one process.
pub(super) struct Track {
    id: ProcessId,
    step: Duration,
    /// Who the numbers of the hour stand for; `None` from a damaged row to the next fresh start.
    described: Option<Vec<ProcessId>>,
    spans: Vec<Span>,
}

/// Rows put together.
struct Span {
    at: Timestamp,
    n: u32,
    cpu: f64,
    memory: u64,
    /// Sums of what was read and written, and how often it was known.
    rates: [(f64, u32); 2],
}

impl Track {
    pub(super) fn new(id: ProcessId, step: Duration) -> Self {
        Self { id, step, described: None, spans: Vec::new() }
    }

    /// Reads the next row, whose figures count where it is `wanted`; false where it is damaged.
    pub(super) fn read(&mut self, at: Timestamp, row: &[u8], wanted: bool) -> bool {
        let read = self.row(at, row, wanted);
        if read.is_none() {
            self.described = None;
        }
        read.is_some()
    }

    fn row(&mut self, at: Timestamp, row: &[u8], wanted: bool) -> Option<()> {
        let (fresh, rest) = unframe(OWN, row)?.split_first()?;
        if *fresh == 1 {
            self.described = Some(Vec::new());
        }
        // Its numbers mean nothing without the rows before: that one was told as damaged.
        let Some(described) = &mut self.described else { return Some(()) };
        let mut cursor = Cursor(rest);
        for _ in 0..cursor.length(rest.len())? {
            described.push(description(&mut cursor)?.id);
        }
        while wanted && !cursor.0.is_empty() {
            let number = usize::try_from(cursor.get()?).ok()?;
            let figures = with_figures(Process::default(), &mut cursor)?;
            if *described.get(number)? == self.id {
                self.add(at, &figures);
                break;
            }
        }
        Some(())
    }

    fn add(&mut self, at: Timestamp, figures: &Process) {
        let at = if self.step.is_zero() { at } else { at.floor(self.step) };
        if self.spans.last().is_none_or(|last| last.at != at) {
            self.spans.push(Span { at, n: 0, cpu: 0.0, memory: 0, rates: [(0.0, 0); 2] });
        }
        let Some(span) = self.spans.last_mut() else { return };
        span.n += 1;
        span.cpu += figures.cpu;
        span.memory = span.memory.max(figures.memory_bytes);
        for (sum, rate) in span.rates.iter_mut().zip([figures.read_bytes_per_second, figures.write_bytes_per_second]) {
            if let Some(rate) = rate {
                *sum = (sum.0 + rate, sum.1 + 1);
            }
        }
    }

    /// The points, by time.
    pub(super) fn points(self) -> Vec<ProcessPoint> {
        let mean = |(sum, n): (f64, u32)| (n > 0).then(|| sum / f64::from(n));
        let point = |span: Span| ProcessPoint {
            at: span.at,
            cpu: span.cpu / f64::from(span.n),
            memory_bytes: span.memory,
            read_bytes_per_second: mean(span.rates[0]),
            write_bytes_per_second: mean(span.rates[1]),
        };
        self.spans.into_iter().map(point).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::processes::Described;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn process(pid: u32, cpu: f64) -> Arc<Process> {
        let id = ProcessId { pid, started: 7 };
        Arc::new(Process { id, cpu, memory_bytes: 2048, read_bytes_per_second: Some(cpu * 100.0), ..Process::default() })
    }

    fn rows() -> Vec<(Timestamp, Vec<u8>)> {
        let mut described = Described::default();
        let at = |k: i64| Timestamp::from_seconds(7200 - 20 + k * 10);
        // The third row lies in the next hour; the process is not in the fourth.
        let rows = [vec![process(1, 1.0), process(2, 0.5)], vec![process(2, 1.5)], vec![process(2, 2.0)], vec![process(3, 1.0)]];
        (0..).zip(rows).map(|(k, row)| (at(k), described.encode(at(k), &row))).collect()
    }

    fn track(rows: &[(Timestamp, Vec<u8>)], step: u64) -> (Vec<(i64, f64)>, usize) {
        let mut track = Track::new(ProcessId { pid: 2, started: 7 }, Duration::from_secs(step));
        let damaged = rows.iter().filter(|(at, row)| !track.read(*at, row, true)).count();
        (track.points().iter().map(|p| (p.at.millis() / 1000, p.cpu)).collect(), damaged)
    }

    #[test]
    fn one_process_is_followed_over_the_hours() {
        assert_eq!(track(&rows(), 0), (vec![(7180, 0.5), (7190, 1.5), (7200, 2.0)], 0));
        assert_eq!(track(&rows(), 60), (vec![(7140, 1.0), (7200, 2.0)], 0));
    }

    #[test]
    fn after_a_damaged_row_nothing_is_guessed_until_the_next_hour() {
        let mut rows = rows();
        rows[0].1[9] ^= 1;
        assert_eq!(track(&rows, 0), (vec![(7200, 2.0)], 1));
    }

    proptest! {
        #[test]
        fn no_payload_makes_it_panic(payload: Vec<u8>) {
            let row = super::super::frame::frame(OWN, &payload);
            let _ = track(&[(Timestamp(0), row.clone()), (Timestamp(1), row)], 0);
        }
    }
}
