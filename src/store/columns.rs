//! Tail rows and blocks: which series has a value at which place, and the values.
//!
//! Invariant: places rise, lie below the stated number and are as many as the values; anything else
//! is not decoded.

use super::frame::{Cursor, OWN, frame, put, put_bytes, put_signed, unframe};
use super::numbers::{self, MOST_VALUES};
use crate::base::Timestamp;
use crate::model::Bucket;

/// One round in memory: values by series, each series once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Round {
    pub(super) at: Timestamp,
    pub(super) epoch: u32,
    pub(super) values: Box<[(u32, f64)]>,
}

/// Appends which of `n` places are taken, as stretches of equal stride.
fn put_places(out: &mut Vec<u8>, places: &[u32], n: usize) {
    if places.len() == n {
        out.push(0);
        return;
    }
    let mut stretches = Vec::new();
    let mut rest = places;
    while let [start, tail @ ..] = rest {
        let stride = tail.first().map_or(1, |next| next - start);
        let more = rest.windows(2).take_while(|w| w[1] - w[0] == stride).count();
        stretches.push((*start, stride, more + 1));
        rest = rest.get(more + 1..).unwrap_or(&[]);
    }
    put(out, stretches.len() as u64);
    let mut last = 0;
    for (start, stride, length) in stretches {
        put(out, u64::from(start - last));
        put(out, u64::from(stride));
        put(out, length as u64);
        last = start + stride * (length as u32 - 1);
    }
}

fn get_places(cursor: &mut Cursor<'_>, n: usize) -> Option<Vec<u32>> {
    let end = u32::try_from(n).ok().filter(|_| n <= MOST_VALUES)?;
    let stretches = cursor.length(n)?;
    if stretches == 0 {
        return Some((0..end).collect());
    }
    let mut places: Vec<u32> = Vec::new();
    let mut last = 0_u32;
    for _ in 0..stretches {
        let start = last.checked_add(cursor.id()?)?;
        let stride = cursor.id()?.max(1);
        let length = cursor.length(n)?;
        for step in 0..u32::try_from(length).ok()? {
            let place = start.checked_add(stride.checked_mul(step)?)?;
            if place >= end || places.last().is_some_and(|p| *p >= place) {
                return None;
            }
            places.push(place);
            last = place;
        }
    }
    Some(places)
}

/// The rounds of one flush that lie in one slab, as one row.
pub(super) fn encode_tail(rounds: &[Round]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8192);
    let first = rounds.first().map_or(0, |r| r.at.0);
    put_signed(&mut out, first);
    put(&mut out, rounds.len() as u64);
    for pair in rounds.windows(2) {
        put_signed(&mut out, pair[1].at.0 - pair[0].at.0);
    }
    let mut cells: Vec<(u32, u32, f64)> = Vec::with_capacity(rounds.iter().map(|r| r.values.len()).sum());
    for (place, round) in (0..).zip(rounds) {
        cells.extend(round.values.iter().map(|(id, value)| (*id, place, *value)));
    }
    cells.sort_unstable_by_key(|(id, place, _)| (*id, *place));
    let (mut last, mut column) = (0, Vec::new());
    for cells in cells.chunk_by(|a, b| a.0 == b.0) {
        let places: Vec<u32> = cells.iter().map(|c| c.1).collect();
        let values: Vec<f64> = cells.iter().map(|c| c.2).collect();
        column.clear();
        put_places(&mut column, &places, rounds.len());
        numbers::encode_quickly(&mut column, &values);
        put(&mut out, u64::from(cells[0].0 - last));
        put_bytes(&mut out, &column);
        last = cells[0].0;
    }
    frame(OWN, &out)
}

/// A tail row with a directory of its columns.
#[derive(Debug)]
pub(super) struct TailRow {
    pub(super) times: Vec<Timestamp>,
    columns: Vec<(u32, std::ops::Range<usize>)>,
    payload: Vec<u8>,
}

impl TailRow {
    /// Reads a row's times and directory; `None` for damaged bytes.
    pub(super) fn parse(row: &[u8]) -> Option<Self> {
        let payload = unframe(OWN, row)?.to_vec();
        let mut cursor = Cursor(&payload);
        let mut at = cursor.get_signed()?;
        let n = cursor.length(MOST_VALUES)?;
        let mut times = Vec::with_capacity(n);
        for place in 0..n {
            at = if place == 0 { at } else { at.checked_add(cursor.get_signed()?)? };
            times.push(Timestamp(at));
        }
        let (mut columns, mut id) = (Vec::new(), 0_u32);
        while !cursor.0.is_empty() {
            id = id.checked_add(cursor.id()?)?;
            let column = cursor.bytes()?;
            let end = payload.len() - cursor.0.len();
            columns.push((id, end - column.len()..end));
        }
        Some(Self { times, columns, payload })
    }

    /// Ids of its series, rising.
    pub(super) fn series(&self) -> impl Iterator<Item = u32> {
        self.columns.iter().map(|(id, _)| *id)
    }

    /// Places and values of one series; empty where it is not there, `None` for bytes that make no sense.
    pub(super) fn column(&self, id: u32) -> Option<Vec<(u32, f64)>> {
        let Ok(at) = self.columns.binary_search_by_key(&id, |c| c.0) else { return Some(Vec::new()) };
        decode_column(Cursor(self.payload.get(self.columns[at].1.clone())?), self.times.len())
    }
}

fn decode_column(mut cursor: Cursor<'_>, n: usize) -> Option<Vec<(u32, f64)>> {
    let places = get_places(&mut cursor, n)?;
    let values = numbers::decode(cursor, places.len())?;
    Some(places.into_iter().zip(values).collect())
}

/// The times of a raw slab's rounds.
pub(super) fn encode_times(times: &[Timestamp]) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, times.len() as u64);
    put_signed(&mut out, times.first().map_or(0, |t| t.0));
    let steps: Vec<f64> = times.windows(2).map(|w| (w[1].0 - w[0].0) as f64).collect();
    if !steps.is_empty() {
        numbers::encode(&mut out, &steps);
    }
    frame(OWN, &out)
}

/// Reads what [`encode_times`] wrote.
pub(super) fn decode_times(row: &[u8]) -> Option<Vec<Timestamp>> {
    let mut cursor = Cursor(unframe(OWN, row)?);
    let n = cursor.length(MOST_VALUES).filter(|n| *n > 0)?;
    let mut at = Timestamp(cursor.get_signed()?);
    let mut times = vec![at];
    if n > 1 {
        for step in numbers::decode(cursor, n - 1)? {
            at = Timestamp(at.0.checked_add(step as i64)?);
            times.push(at);
        }
    }
    Some(times)
}

/// One series of a raw slab with `n` rounds.
pub(super) fn encode_raw(cells: &[(u32, f64)], n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    put_places(&mut out, &cells.iter().map(|c| c.0).collect::<Vec<_>>(), n);
    numbers::encode(&mut out, &cells.iter().map(|c| c.1).collect::<Vec<_>>());
    frame(OWN, &out)
}

/// Places and values of a raw block.
pub(super) fn decode_raw(row: &[u8], n: usize) -> Option<Vec<(u32, f64)>> {
    decode_column(Cursor(unframe(OWN, row)?), n)
}

/// The five columns of buckets, in the order they are written.
const FIELDS: [fn(&Bucket) -> f64; 5] = [|b| b.mean, |b| b.min, |b| b.max, |b| b.last, |b| f64::from(b.count)];

/// One series of a rolled-up slab: buckets at their places of `n`.
pub(super) fn encode_buckets(buckets: &[(u32, Bucket)], n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    put_places(&mut out, &buckets.iter().map(|b| b.0).collect::<Vec<_>>(), n);
    let mut mean: Vec<f64> = Vec::new();
    for field in FIELDS {
        let values: Vec<f64> = buckets.iter().map(|b| field(&b.1)).collect();
        let mut column = Vec::new();
        // A column equal to the means has no bytes.
        if values != mean {
            numbers::encode(&mut column, &values);
        }
        put_bytes(&mut out, &column);
        if mean.is_empty() {
            mean = values;
        }
    }
    frame(OWN, &out)
}

/// Where the buckets of a block stand: the slab's start, the length of one and how many there could be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) start: Timestamp,
    pub(super) step: std::time::Duration,
    pub(super) n: usize,
}

/// Buckets of a block, by time.
pub(super) fn decode_buckets(row: &[u8], grid: Grid) -> Option<impl Iterator<Item = Bucket>> {
    let mut cursor = Cursor(unframe(OWN, row)?);
    let places = get_places(&mut cursor, grid.n)?;
    let mut columns: [Vec<f64>; 5] = Default::default();
    for at in 0..columns.len() {
        let bytes = cursor.bytes()?;
        columns[at] = match (bytes, at) {
            ([], 1..) => columns[0].clone(),
            _ => numbers::decode(Cursor(bytes), places.len())?,
        };
    }
    let step = i64::try_from(grid.step.as_millis()).ok()?;
    let [mean, min, max, last, count] = columns;
    let bucket = move |(i, place): (usize, u32)| Bucket {
        at: Timestamp(grid.start.0 + i64::from(place) * step),
        min: min[i],
        mean: mean[i],
        max: max[i],
        last: last[i],
        count: count[i] as u32,
    };
    Some(places.into_iter().enumerate().map(bucket))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn cells() -> impl Strategy<Value = Vec<(u32, f64)>> {
        let places = prop::collection::btree_map(0..200_u32, (0..100_000_i32).prop_map(|v| f64::from(v) / 100.0), 1..100);
        places.prop_map(|m| m.into_iter().map(|(p, v)| (p, numbers::rounded(v, 5))).collect())
    }

    proptest! {
        #[test]
        fn raw_blocks_are_read_back(cells in cells()) {
            prop_assert_eq!(decode_raw(&encode_raw(&cells, 200), 200), Some(cells));
        }

        #[test]
        fn bucket_blocks_are_read_back(cells in cells()) {
            let grid = Grid { start: Timestamp(86_400_000), step: Duration::from_secs(60), n: 200 };
            let buckets: Vec<(u32, Bucket)> = cells
                .iter()
                .map(|(p, v)| (*p, Bucket { at: grid.start + grid.step * *p, min: v / 2.0, max: *v, mean: *v, last: *v, count: 60 }))
                .map(|(p, b)| (p, Bucket { min: numbers::rounded(b.min, 5), ..b }))
                .collect();
            let read = decode_buckets(&encode_buckets(&buckets, 200), grid).map(Iterator::collect::<Vec<_>>);
            prop_assert_eq!(read, Some(buckets.into_iter().map(|b| b.1).collect()));
        }

        #[test]
        fn tail_rows_are_read_back(
            rounds in prop::collection::vec((1..5000_i64, prop::collection::btree_map(1..50_u32, 0..1000_u32, 0..20)), 1..12)
        ) {
            let mut at = 1_000_000_000_000;
            let rounds: Vec<Round> = rounds.into_iter().map(|(step, values)| {
                at += step;
                let values = values.into_iter().map(|(id, v)| (id, numbers::rounded(f64::from(v) / 7.0, 4))).collect();
                Round { at: Timestamp(at), epoch: 1, values }
            }).collect();
            let row = TailRow::parse(&encode_tail(&rounds)).expect("what was written");
            prop_assert_eq!(&row.times, &rounds.iter().map(|r| r.at).collect::<Vec<_>>());
            for id in 1..50 {
                let expected: Vec<(u32, f64)> = (0..).zip(&rounds)
                    .filter_map(|(p, r)| r.values.iter().find(|v| v.0 == id).map(|v| (p, v.1))).collect();
                prop_assert_eq!(row.column(id), Some(expected));
            }
        }

        #[test]
        fn times_are_read_back(steps in prop::collection::vec(1..100_000_i64, 0..700)) {
            let times: Vec<Timestamp> = std::iter::once(0).chain(steps).scan(1_000_000_000_000, |at, step| {
                *at += step;
                Some(Timestamp(*at))
            }).collect();
            prop_assert_eq!(decode_times(&encode_times(&times)), Some(times));
        }

        #[test]
        fn no_payload_makes_a_decoder_panic(payload: Vec<u8>, n in 0..700_usize) {
            let grid = Grid { start: Timestamp(0), step: Duration::from_secs(10), n };
            for row in [payload.clone(), frame(OWN, &payload)] {
                let _ = (decode_raw(&row, n), decode_times(&row), decode_buckets(&row, grid).map(Iterator::count));
                if let Some(tail) = TailRow::parse(&row) {
                    let _ = tail.series().map(|id| tail.column(id)).collect::<Vec<_>>();
                }
            }
        }
    }

    #[test]
    fn a_series_read_every_tenth_round_costs_no_more_than_its_values() {
        let cells: Vec<(u32, f64)> = (0..60).map(|i| (i * 10 + 3, 1.0)).collect();
        assert!(encode_raw(&cells, 600).len() < 16);
    }
}
