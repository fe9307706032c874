//! Making blocks: tail rows into raw slabs, finer slabs into coarser ones.
//!
//! A job packs a few series at a time in memory and then swaps the whole slab in one transaction, so that
//! readers see every sample once, before and after. Invariant: what a job reads is on disk and does not
//! change any more.

use std::collections::{BTreeMap, BTreeSet};

use redb::{ReadTransaction, ReadableTable};
use sketches_ddsketch::DDSketch;

use super::columns::{Grid, TailRow, decode_buckets, decode_raw, decode_times, encode_buckets, encode_raw, encode_times};
use super::error::Fault;
use super::frame::{OWN, frame, put};
use super::numbers::rounded;
use super::packing::packing_order;
use super::schema::{BLOCK, Kind, SERIES, Slab, TAIL, parse_tail_key, tail_key};
use super::series::{series_key, series_row};
use super::shared::Shared;
use super::sketch;
use super::writer::{DAY_MS, Writer};
use super::{ReadError, WriteError};
use crate::base::{TimeRange, Timestamp};
use crate::model::Bucket;

/// Series packed in one slice: a few milliseconds where packing one takes 0.1 ms.
const SLICE: usize = 32;

/// A slab in the making.
#[derive(Debug)]
pub(super) struct Job {
    target: Slab,
    series: Vec<u32>,
    next: usize,
    source: Source,
    made: Vec<(u32, Vec<u8>)>,
}

/// What it is made of.
#[derive(Debug)]
enum Source {
    /// Tail rows, and their keys.
    Tail { rows: Vec<TailRow>, keys: Vec<[u8; 12]> },
    /// Slabs of the next finer kind; those of raw samples with their times.
    Slabs(Vec<(Slab, Vec<Timestamp>)>),
}

impl Writer {
    /// One slice (at most about 50 ms) of sealing, rolling up and retention; true: there is more to do now.
    ///
    /// `now` is the wall clock; retention counts from the newest sample, so that a clock that is wrong for a moment
    /// deletes nothing.
    ///
    /// # Errors
    /// The slice is done again later.
    pub fn maintain(&mut self, now: Timestamp) -> Result<bool, WriteError> {
        if self.job.is_none() {
            self.job = self.find_job(now).map_err(|e| WriteError::Io(e.0))?;
        }
        let Some(mut job) = self.job.take() else { return self.retain() };
        let packed = job.pack(&self.shared).map_err(|e| WriteError::Io(e.0))?;
        if packed < SLICE || job.next >= job.series.len() {
            self.finish(&job)?;
            self.retention_due |= job.target.kind == Kind::Raw;
        } else {
            self.job = Some(job);
        }
        Ok(true)
    }

    fn find_job(&self, now: Timestamp) -> Result<Option<Job>, ReadError> {
        let txn = self.shared.begin_read()?;
        let Some((epoch, newest)) = self.current() else { return Ok(None) };
        let read = |e: Fault| e.read();
        let first = first_tail(&txn).map_err(read)?;
        if let Some((tail_epoch, first)) = first {
            let slab = Slab::holding(Kind::Raw, first, tail_epoch);
            // Of the current epoch a slab is over when the clock says so and a later sample cannot fall into it.
            let over = tail_epoch < epoch || slab.end() <= now.max(newest);
            if over && self.is_on_disk(slab) {
                return Job::seal(&txn, slab, &self.shared).map(Some).map_err(read);
            }
        }
        let sealed = |slab: &Slab| {
            (slab.epoch < epoch || slab.end() <= self.state.sealed)
                && first.is_none_or(|(e, at)| e != slab.epoch || at >= slab.end())
                && !self.state.todo.iter().any(|t| {
                    Some(t.kind) == slab.kind.source() && t.epoch == slab.epoch && slab.start <= t.start && t.start < slab.end()
                })
        };
        let due = self.state.todo.iter().find(|slab| sealed(slab)).copied();
        due.map(|slab| Job::roll_up(&txn, slab, &self.shared).map_err(read)).transpose()
    }

    fn finish(&mut self, job: &Job) -> Result<(), WriteError> {
        let epochs = self.shared.head(|head| head.epochs.clone());
        let current = self.current().map(|c| c.0);
        let target = job.target;
        self.transact(|writer, txn| {
            let mut blocks = txn.open_table(BLOCK)?;
            let stored = &mut writer.state.stored[target.kind as usize];
            let key_len = target.key(0).len();
            let sizes: Vec<usize> = job.made.iter().map(|(_, row)| key_len + row.len()).collect();
            for (series, row) in packing_order(&sizes).into_iter().filter_map(|place| job.made.get(place)) {
                let key = target.key(*series);
                blocks.insert(key.as_slice(), row.as_slice())?;
                *stored += (key.len() + row.len()) as u64;
            }
            drop(blocks);
            if let Source::Tail { keys, .. } = &job.source {
                let mut tail = txn.open_table(TAIL)?;
                for key in keys {
                    tail.remove(key.as_slice())?;
                }
                writer.state.epochs = epochs;
                if current == Some(target.epoch) {
                    writer.state.sealed = writer.state.sealed.max(target.end());
                }
            }
            if target.kind == Kind::Hour {
                let index = writer.shared.index();
                let day = u32::try_from(target.start.0.div_euclid(DAY_MS)).unwrap_or(0);
                let mut names = txn.open_table(SERIES)?;
                for (id, named) in job.series.iter().filter_map(|id| Some((id, index.name(*id)?))) {
                    names.insert(series_key(*id).as_slice(), series_row(named, day).as_slice())?;
                }
            }
            writer.state.todo.remove(&target);
            let next = target.kind.made_of_it().map(|kind| Slab::holding(kind, target.start, target.epoch));
            writer.state.todo.extend(next);
            Ok(())
        })
    }
}

fn first_tail(txn: &ReadTransaction) -> Result<Option<(u32, Timestamp)>, Fault> {
    let tail = txn.open_table(TAIL)?;
    let first = tail.first()?;
    Ok(first.and_then(|(key, _)| parse_tail_key(key.value())))
}

impl Job {
    fn seal(txn: &ReadTransaction, target: Slab, shared: &Shared) -> Result<Self, Fault> {
        let (mut rows, mut keys, mut series) = (Vec::new(), Vec::new(), BTreeSet::new());
        let (from, to) = (tail_key(target.epoch, target.start), tail_key(target.epoch, target.end()));
        for row in txn.open_table(TAIL)?.range::<&[u8]>(from.as_slice()..to.as_slice())? {
            let (key, value) = row?;
            match TailRow::parse(value.value()) {
                Some(row) => {
                    series.extend(row.series());
                    rows.push(row);
                }
                None => shared.note_damage(key.value()),
            }
            keys.extend(<[u8; 12]>::try_from(key.value()));
        }
        let times: Vec<Timestamp> = rows.iter().flat_map(|r| r.times.iter().copied()).collect();
        let made = if times.is_empty() { Vec::new() } else { vec![(0, encode_times(&times))] };
        Ok(Self { target, series: series.into_iter().collect(), next: 0, source: Source::Tail { rows, keys }, made })
    }

    fn roll_up(txn: &ReadTransaction, target: Slab, shared: &Shared) -> Result<Self, Fault> {
        let blocks = txn.open_table(BLOCK)?;
        let source = target.kind.source().expect("raw slabs are sealed, not rolled up");
        let (mut slabs, mut series) = (Vec::new(), BTreeSet::new());
        let mut slab = Slab { kind: source, ..target };
        while slab.start < target.end() {
            for row in blocks.range::<&[u8]>(slab.key(0).as_slice()..=slab.key(u32::MAX).as_slice())? {
                let (key, value) = row?;
                match Slab::parse(key.value()) {
                    Some((_, 0)) if source == Kind::Raw => match decode_times(value.value()) {
                        Some(times) => slabs.push((slab, times)),
                        None => shared.note_damage(key.value()),
                    },
                    Some((_, 0)) => slabs.push((slab, Vec::new())),
                    Some((_, id)) => drop(series.insert(id)),
                    None => {}
                }
            }
            slab.start = slab.end();
        }
        let mut row = Vec::new();
        put(&mut row, series.len() as u64);
        let made = vec![(0, frame(OWN, &row))];
        Ok(Self { target, series: series.into_iter().collect(), next: 0, source: Source::Slabs(slabs), made })
    }

    /// Packs some series; how many.
    fn pack(&mut self, shared: &Shared) -> Result<usize, ReadError> {
        let ids: Vec<u32> = self.series.iter().copied().skip(self.next).take(SLICE).collect();
        self.next += ids.len();
        match &self.source {
            Source::Tail { rows, .. } => {
                let n = rows.iter().map(|r| r.times.len()).sum();
                let packed = ids.iter().map(|id| (*id, gather(rows, *id)));
                self.made.extend(packed.filter(|(_, c)| !c.is_empty()).map(|(id, cells)| (id, encode_raw(&cells, n))));
            }
            Source::Slabs(slabs) => {
                let txn = shared.begin_read()?;
                let blocks = txn.open_table(BLOCK).map_err(|e| Fault::from(e).read())?;
                for id in &ids {
                    let mut rolled = Rolled::new(self.target, shared, *id);
                    for (slab, times) in slabs {
                        let key = slab.key(*id);
                        let row = blocks.get(key.as_slice()).map_err(|e| Fault::from(e).read())?;
                        if row.is_some_and(|row| rolled.add(*slab, times, row.value()).is_none()) {
                            shared.note_damage(&key);
                        }
                    }
                    self.made.extend(rolled.finish().map(|row| (*id, row)));
                }
            }
        }
        Ok(ids.len())
    }
}

/// A series' values in rows that follow each other.
fn gather(rows: &[TailRow], id: u32) -> Vec<(u32, f64)> {
    let (mut cells, mut before) = (Vec::new(), 0);
    for row in rows {
        // The row's checksum was good, so a column that cannot be read cannot be there.
        cells.extend(row.column(id).unwrap_or_default().into_iter().map(|(place, value)| (before + place, value)));
        before += row.times.len() as u32;
    }
    cells
}

/// One series of a coarser slab in the making.
struct Rolled {
    target: Slab,
    digits: i32,
    buckets: BTreeMap<u32, Bucket>,
    sketch: DDSketch,
}

impl Rolled {
    fn new(target: Slab, shared: &Shared, id: u32) -> Self {
        let digits = shared.index().name(id).map_or(super::numbers::GAUGE_DIGITS, |n| n.digits());
        Self { target, digits, buckets: BTreeMap::new(), sketch: sketch::empty() }
    }

    fn add(&mut self, slab: Slab, times: &[Timestamp], row: &[u8]) -> Option<()> {
        if slab.kind != Kind::Raw {
            decode_buckets(row, grid(slab))?.for_each(|b| self.merge(&b));
            return Some(());
        }
        for (place, value) in decode_raw(row, times.len())? {
            match self.target.kind {
                Kind::Sketch => self.sketch.add(value),
                _ => self.merge(&Bucket::raw(*times.get(place as usize)?, value)),
            }
        }
        Some(())
    }

    fn merge(&mut self, bucket: &Bucket) {
        let step = self.target.kind.resolution().step();
        let place = bucket.at.since(self.target.start).as_millis() / step.as_millis();
        let place = u32::try_from(place).expect("a slab has far fewer buckets");
        self.buckets.entry(place).and_modify(|b| b.merge(bucket)).or_insert(*bucket);
    }

    fn finish(self) -> Option<Vec<u8>> {
        if self.target.kind == Kind::Sketch {
            return (self.sketch.count() > 0).then(|| sketch::encode(&self.sketch));
        }
        let digits = self.digits;
        let buckets = self.buckets.into_iter().map(|(place, b)| (place, Bucket { mean: rounded(b.mean, digits), ..b }));
        let buckets: Vec<(u32, Bucket)> = buckets.collect();
        (!buckets.is_empty()).then(|| encode_buckets(&buckets, grid(self.target).n))
    }
}

/// Where the buckets of a slab stand.
pub(super) fn grid(slab: Slab) -> Grid {
    let step = slab.kind.resolution().step();
    let n = slab.kind.slab().as_millis() / step.as_millis().max(1);
    Grid { start: slab.start, step, n: n as usize }
}

/// The instants of a slab.
pub(super) fn span(slab: Slab) -> TimeRange {
    TimeRange { from: slab.start, to: Timestamp(slab.end().0 - 1) }
}
