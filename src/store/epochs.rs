//! Which stretch of time each epoch covers, and which epoch is shown where two cover the same time.
//!
//! An epoch begins where the clock went back by more than [`BACK`] or forward by more than
//! [`FORWARD`]. Invariant: within one epoch time only rises.

use std::time::Duration;

use super::frame::{Cursor, OWN, frame, put, put_signed, unframe};
use crate::base::{TimeRange, Timestamp};

/// A step back up to this long is jitter of clock adjustment.
pub(super) const BACK: Duration = Duration::from_secs(2);
/// Beyond this an epoch would claim time nobody observed, and hide what an older one holds there.
pub(super) const FORWARD: Duration = Duration::from_secs(3600);

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Epoch {
    pub(super) id: u32,
    pub(super) start: Timestamp,
    /// Newest round; of the current epoch as far as this list was told.
    pub(super) end: Timestamp,
}

/// All epochs, oldest first by the order they were lived in; the last is the current one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Epochs(pub(super) Vec<Epoch>);

/// Where a new round belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The current epoch, at this time (moved on by a millisecond where the clock stood or stepped back a little).
    Same(Timestamp),
    /// A new epoch, because the clock went back or forward.
    New,
}

impl Epochs {
    /// The current one.
    pub(super) fn current(&self) -> Option<&Epoch> {
        self.0.last()
    }

    /// Where a round at `at` belongs; never before `floor`, up to which slabs are sealed.
    pub(super) fn place(&self, at: Timestamp, floor: Timestamp) -> Place {
        match self.current() {
            Some(now) if at + BACK >= now.end && at.since(now.end) <= FORWARD => {
                Place::Same(at.max(now.end + Duration::from_millis(1)).max(floor))
            }
            _ => Place::New,
        }
    }

    /// Adds a round, which [`Epochs::place`] placed; gives its epoch.
    pub(super) fn add(&mut self, at: Timestamp, place: Place) -> u32 {
        match (place, self.0.last_mut()) {
            (Place::Same(at), Some(current)) => {
                current.end = at;
                current.id
            }
            _ => {
                let id = self.current().map_or(1, |e| e.id + 1);
                self.0.push(Epoch { id, start: at, end: at });
                id
            }
        }
    }

    /// The parts of `range` that are shown, with the epoch each is from, by time. Starts are widened to whole
    /// buckets of `step`, so that a bucket belongs to one epoch.
    pub(super) fn shown(&self, range: TimeRange, step: Duration) -> Vec<(u32, TimeRange)> {
        let Some(newest) = self.current() else { return Vec::new() };
        let mut shown: Vec<(u32, TimeRange)> = Vec::new();
        for epoch in self.0.iter().rev() {
            let from = epoch.start.floor(step).max(range.from);
            // What the clock said before it was set back to the present is not the future.
            let to = epoch.end.min(newest.end).min(range.to);
            if from > to {
                continue;
            }
            let mut open = vec![TimeRange { from, to }];
            for (_, taken) in &shown {
                open = open.into_iter().flat_map(|part| without(part, *taken)).collect();
            }
            shown.extend(open.into_iter().map(|part| (epoch.id, part)));
        }
        shown.sort_unstable_by_key(|(_, part)| part.from);
        shown
    }

    /// The list as a row.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for epoch in &self.0 {
            put(&mut out, u64::from(epoch.id));
            put_signed(&mut out, epoch.start.0);
            put_signed(&mut out, epoch.end.0 - epoch.start.0);
        }
        frame(OWN, &out)
    }

    /// Reads what [`Epochs::encode`] wrote.
    pub(super) fn decode(row: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(unframe(OWN, row)?);
        let mut epochs = Vec::new();
        while !cursor.0.is_empty() {
            let id = cursor.id()?;
            let start = cursor.get_signed()?;
            let end = start.checked_add(cursor.get_signed()?)?;
            epochs.push(Epoch { id, start: Timestamp(start), end: Timestamp(end) });
        }
        Some(Self(epochs))
    }
}

/// What is left of `part` beside `taken`; may give a part that ends before it begins.
fn without(part: TimeRange, taken: TimeRange) -> impl Iterator<Item = TimeRange> {
    let apart = taken.to < part.from || part.to < taken.from;
    let before = TimeRange { from: part.from, to: if apart { part.to } else { Timestamp(taken.from.0 - 1) } };
    let after = TimeRange { from: Timestamp(taken.to.0.saturating_add(1)), to: part.to };
    std::iter::once(before).chain((!apart).then_some(after)).filter(|p| p.from <= p.to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn lived(times: &[i64]) -> Epochs {
        let mut epochs = Epochs::default();
        for seconds in times {
            let place = epochs.place(at(*seconds), Timestamp(0));
            epochs.add(at(*seconds), place);
        }
        epochs
    }

    fn shown(epochs: &Epochs, from: i64, to: i64) -> Vec<(u32, i64, i64)> {
        let parts = epochs.shown(TimeRange { from: at(from), to: at(to) }, Duration::from_secs(1));
        parts.into_iter().map(|(id, p)| (id, p.from.0, p.to.0)).collect()
    }

    #[test]
    fn jitter_stays_in_the_epoch_and_a_step_begins_one() {
        let epochs = lived(&[100, 101, 100, 102, 90, 91]);
        assert_eq!(
            epochs.0.iter().map(|e| (e.id, e.start, e.end)).collect::<Vec<_>>(),
            [(1, at(100), at(102)), (2, at(90), at(91))]
        );
    }

    #[test]
    fn the_later_epoch_wins_where_both_were() {
        let epochs = lived(&[100, 200, 300, 150, 250]);
        assert_eq!(shown(&epochs, 0, 1000), [(1, 100_000, 149_999), (2, 150_000, 250_000)]);
        let epochs = lived(&[100, 300, 150, 250, 400]);
        assert_eq!(shown(&epochs, 0, 1000), [(1, 100_000, 149_999), (2, 150_000, 400_000)]);
    }

    #[test]
    fn a_clock_that_was_decades_back_for_a_while_hides_nothing_afterwards() {
        let epochs = lived(&[1_000_000, 1_000_100, 10, 20, 1_000_200, 1_000_300]);
        let parts = shown(&epochs, 0, 2_000_000);
        assert_eq!(parts, [(2, 10_000, 20_000), (1, 1_000_000_000, 1_000_100_000), (3, 1_000_200_000, 1_000_300_000)]);
    }

    proptest! {
        #[test]
        fn shown_parts_never_overlap(times in prop::collection::vec(0..20_000_i64, 1..40)) {
            let epochs = lived(&times);
            let parts = shown(&epochs, 0, 30_000);
            for pair in parts.windows(2) {
                prop_assert!(pair[0].2 < pair[1].1, "{:?}", parts);
            }
            prop_assert_eq!(Epochs::decode(&epochs.encode()), Some(epochs));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes: Vec<u8>) {
            let _ = Epochs::decode(&frame(OWN, &bytes));
        }
    }
}
