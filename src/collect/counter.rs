//! Counters of the kernel made into rates, and the tables of what has several of them.
//!
//! No file is opened here. Invariant: a rate comes from two readings of consecutive rounds; a counter
//! that went back, came back or came for the first time gives a gap, never a spike.

use std::time::Duration;

use crate::model::{Round, SeriesKey};

/// One counter of the kernel and the series of its rate.
#[derive(Debug)]
pub(super) struct Counter {
    key: SeriesKey,
    step: Step,
}

impl Counter {
    pub(super) fn new(key: SeriesKey) -> Self {
        Self { key, step: Step::default() }
    }

    /// Adds the rate since the round before; `scale` turns the kernel's unit into the metric's. Gives the rate it added.
    pub(super) fn read(&mut self, round: &mut Round, tick: u64, value: u64, scale: f64) -> Option<f64> {
        let rate = self.step.delta(tick, value).and_then(|delta| per_second(delta, round.since_previous))? * scale;
        round.counter(&self.key, rate, value as f64 * scale);
        Some(rate)
    }
}

/// A counter's last reading and the round it was made in.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Step {
    last: Option<(u64, u64)>,
}

impl Step {
    /// How far the counter rose since the round before `tick`; `None` where it was not read then or went back.
    pub(super) fn delta(&mut self, tick: u64, value: u64) -> Option<u64> {
        let (at, before) = self.last.replace((tick, value))?;
        if at.checked_add(1) == Some(tick) { value.checked_sub(before) } else { None }
    }
}

/// A difference per second; `None` without a span.
pub(super) fn per_second(delta: u64, span: Option<Duration>) -> Option<f64> {
    let seconds = span?.as_secs_f64();
    (seconds > 0.0).then(|| delta as f64 / seconds)
}

/// The devices of one kind by name, in the order they were first seen; those not seen in a round are forgotten.
#[derive(Debug)]
pub(super) struct Devices<T> {
    known: Vec<Device<T>>,
    most: usize,
    refused: usize,
}

#[derive(Debug)]
struct Device<T> {
    name: Box<[u8]>,
    seen: u64,
    state: T,
}

impl<T> Devices<T> {
    /// A table for at most `most` devices.
    pub(super) fn new(most: usize) -> Self {
        Self { known: Vec::new(), most, refused: 0 }
    }

    /// The device of that name, made by `make` where it is new; `None` where the table is full.
    ///
    /// `hint` is where it is looked for first: its place among the lines of the file, which seldom changes.
    pub(super) fn get(&mut self, tick: u64, hint: usize, name: &[u8], make: impl FnOnce() -> T) -> Option<&mut T> {
        let here = self.known.get(hint).is_some_and(|d| *d.name == *name);
        let at = if here { Some(hint) } else { self.known.iter().position(|d| *d.name == *name) };
        let at = match at {
            Some(at) => at,
            None if self.known.len() >= self.most => {
                self.refused += 1;
                return None;
            }
            None => {
                self.known.push(Device { name: name.into(), seen: tick, state: make() });
                self.known.len() - 1
            }
        };
        let device = self.known.get_mut(at)?;
        device.seen = tick;
        Some(&mut device.state)
    }

    /// Forgets what was not seen in this round, and says how many were refused for lack of room.
    pub(super) fn sweep(&mut self, tick: u64) -> usize {
        self.known.retain(|d| d.seen == tick);
        std::mem::take(&mut self.refused)
    }
}

/// Notes that a source left instances out.
pub(super) fn note_refused(round: &mut Round, source: &str, what: &str, refused: usize, most: usize) {
    if refused > 0 {
        round.left_out += refused;
        round.fault(source, format!("{refused} {what} left out: more than {most} (max_instances)"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(seconds: Option<u64>) -> Round {
        Round { since_previous: seconds.map(Duration::from_secs), ..Round::default() }
    }

    #[test]
    fn a_rate_needs_two_readings_in_a_row_that_rise() {
        let mut counter = Counter::new(SeriesKey::total("x"));
        let cases = [
            (1, 100, Some(1), None),
            (2, 150, Some(2), Some(25.0)),
            (3, 10, Some(1), None),
            (4, 30, Some(1), Some(20.0)),
            (6, 90, Some(1), None),
            (7, 95, None, None),
            (8, 99, Some(0), None),
        ];
        for (tick, value, seconds, expected) in cases {
            let mut round = round(seconds);
            assert_eq!(counter.read(&mut round, tick, value, 1.0), expected, "tick {tick}");
            assert_eq!(round.readings.first().map(|r| (r.value, r.cumulative)), expected.map(|e| (e, Some(value as f64))));
        }
    }

    #[test]
    fn a_full_table_refuses_and_counts() {
        let mut devices = Devices::new(2);
        for (hint, name) in [b"a", b"b", b"c", b"a"].into_iter().enumerate() {
            let _ = devices.get(1, hint, name, || 0);
        }
        assert_eq!(devices.sweep(1), 1);
        assert!(devices.get(2, 0, b"b", || 0).is_some());
        assert_eq!(devices.sweep(2), 0);
        assert!(devices.get(3, 0, b"c", || 0).is_some(), "the place of a device that went away is free");
    }
}
