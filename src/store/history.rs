//! Series as they are asked for: blocks, tail and memory as one, at the resolution asked or the nearest kept.
//!
//! Invariant: buckets rise by time, each instant once, also where epochs overlap and where one tier
//! ends and another begins.

use std::time::Duration;

use super::columns::{TailRow, decode_buckets, decode_raw, decode_times};
use super::error::Fault;
use super::job::{grid, span};
use super::schema::{BLOCK, Kind, Slab, TAIL, parse_tail_key};
use super::view::View;
use super::{ReadError, sketch};
use crate::base::{TimeRange, Timestamp};
use crate::model::{Bucket, Detail, Matcher, Points, Resolution, SeriesKey, SeriesSource, SourceError, Values, matches_key};

/// Where the time between two samples is looked for: the newest minutes, then farther back for those that come less often.
const RECENT: [(Resolution, Duration); 3] = [
    (Resolution::Raw, Duration::from_secs(1200)),
    (Resolution::Minute, Duration::from_secs(6 * 3600)),
    (Resolution::Hour, Duration::from_secs(4 * 86_400)),
];

/// One series of a view while it is read.
struct Track<'a> {
    view: &'a View,
    blocks: redb::ReadOnlyTable<&'static [u8], &'static [u8]>,
    id: u32,
    epoch: u32,
}

/// What a slab says of one series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It was there, and its buckets were appended.
    Buckets,
    /// The slab is there without the series, or its block is damaged.
    Absent,
    /// There is no such slab.
    NoSlab,
}

impl SeriesSource for View {
    fn select(&self, metric: Option<&str>, matchers: &[Matcher]) -> Result<Vec<SeriesKey>, SourceError> {
        let index = self.shared.index();
        let named = index.keys().filter(|k| metric.is_none_or(|m| k.metric() == m));
        let all = named.filter(|k| matches_key(k, matchers));
        let mut keys: Vec<SeriesKey> = all.cloned().collect();
        keys.sort_unstable();
        Ok(keys)
    }

    fn points(&self, key: &SeriesKey, range: TimeRange, resolution: Resolution) -> Result<Points, SourceError> {
        let id = self.shared.index().id(key);
        let empty = Points { key: key.clone(), resolution, buckets: Vec::new() };
        let Some(id) = id else { return Ok(empty) };
        self.read(id, range, resolution).map(|(buckets, resolution)| Points { buckets, resolution, ..empty }).map_err(source)
    }

    fn values(&self, key: &SeriesKey, range: TimeRange, detail: Detail) -> Result<Values, SourceError> {
        let id = self.shared.index().id(key);
        id.map_or_else(|| Ok(Values::default()), |id| self.read_values(id, range, detail).map_err(source))
    }

    fn interval(&self, key: &SeriesKey) -> Duration {
        let newest = self.epochs.current().map_or(Timestamp(0), |e| e.end);
        let found = RECENT.into_iter().find_map(|(resolution, span)| {
            let recent = self.points(key, TimeRange::last(span, newest), resolution).ok()?;
            recent.interval()
        });
        let median = found.unwrap_or(Duration::from_secs(1));
        // Rounds come some milliseconds early or late; intervals are configured in seconds and simple parts of one.
        let whole = Duration::from_millis((median.as_millis() as u64 + 50) / 100 * 100);
        if whole.is_zero() { median } else { whole }
    }
}

fn source(error: ReadError) -> SourceError {
    SourceError(error.to_string())
}

impl View {
    /// Time of the oldest sample kept at any resolution, to the start of its slab where it is in one; `None` where there is none.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn oldest(&self) -> Result<Option<Timestamp>, ReadError> {
        let track = self.track(0, 0)?;
        let mut oldest = track.oldest_tail();
        for kind in Kind::ALL.into_iter().filter(|k| *k != Kind::Sketch) {
            oldest = oldest.into_iter().chain(track.oldest_slab(kind)?).min();
        }
        let first = self.epochs.0.iter().map(|e| e.start).min();
        Ok(oldest.map(|o| first.map_or(o, |f| o.max(f))))
    }

    /// Time of the newest sample; `None` where there is none.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn newest(&self) -> Result<Option<Timestamp>, ReadError> {
        Ok(self.epochs.current().map(|e| e.end))
    }

    fn read_values(&self, id: u32, range: TimeRange, detail: Detail) -> Result<Values, ReadError> {
        let (mut values, mut sketches) = (Values::default(), sketch::empty());
        let mut coarse = Vec::new();
        for (epoch, part) in self.epochs.shown(range, Duration::ZERO) {
            let track = self.track(id, epoch)?;
            let detail = if track.is_thinned(part.from)? { Detail::Sketched } else { detail };
            let mut hour = Slab::holding(Kind::Sketch, part.from, epoch);
            while hour.start <= part.to {
                let own = within(span(hour), part);
                let mut sketch = |hour| -> Result<bool, ReadError> {
                    let Some(sketch) = track.sketch(hour)? else { return Ok(false) };
                    sketches.merge(&sketch).map(|()| true).map_err(|e| ReadError(e.to_string()))
                };
                if !(detail == Detail::Sketched && own == span(hour) && sketch(hour)?) {
                    let mut buckets = Vec::new();
                    let used = track.either(Kind::Raw, own, &mut buckets)?;
                    let counted = buckets.iter().map(|b| (b.mean, u64::from(b.count)));
                    match used {
                        None | Some(Resolution::Raw) => values.counted.extend(counted),
                        // An hour counts as what ends it does, as a bucket does.
                        Some(_) if own.to == span(hour).to && sketch(hour)? => {}
                        Some(_) => coarse.extend(counted),
                    }
                }
                hour.start = hour.end();
            }
        }
        let sketched = sketch::counted(&sketches);
        values.sketched = !sketched.is_empty() || !coarse.is_empty();
        // Means stand in where there are no sketches; beside sketches they are the ends of hours that count elsewhere.
        values.counted.extend(if sketched.is_empty() { coarse } else { sketched });
        Ok(values)
    }

    fn track(&self, id: u32, epoch: u32) -> Result<Track<'_>, ReadError> {
        let blocks = self.txn.open_table(BLOCK).map_err(|e| Fault::from(e).read())?;
        Ok(Track { view: self, blocks, id, epoch })
    }

    fn read(&self, id: u32, range: TimeRange, resolution: Resolution) -> Result<(Vec<Bucket>, Resolution), ReadError> {
        let (mut all, mut coarsest) = (Vec::<Bucket>::new(), None);
        for (epoch, part) in self.epochs.shown(range, resolution.step()) {
            let (start, after) = (all.len(), all.last().map(|b| b.at));
            let used = self.track(id, epoch)?.either(Kind::of(resolution), part, &mut all)?;
            let seen = all[start..].partition_point(|b| b.at < range.from || after.is_some_and(|a| b.at <= a));
            all.drain(start..start + seen);
            coarsest = coarsest.max(used);
        }
        all.truncate(all.partition_point(|b| b.at <= range.to));
        Ok((all, coarsest.unwrap_or(resolution)))
    }

    /// Rows that are in no slab: on disk, then those that wait to be written.
    fn tail(&self) -> Result<&[(u32, TailRow)], ReadError> {
        if let Some(tail) = self.tail.get() {
            return Ok(tail);
        }
        let table = self.txn.open_table(TAIL).map_err(|e| Fault::from(e).read())?;
        let mut rows = Vec::new();
        for row in table.range::<&[u8]>(..).map_err(|e| Fault::from(e).read())? {
            let (key, value) = row.map_err(|e| Fault::from(e).read())?;
            match parse_tail_key(key.value()).zip(TailRow::parse(value.value())) {
                Some(((epoch, _), row)) => rows.push((epoch, row)),
                None => self.shared.note_damage(key.value()),
            }
        }
        rows.extend(self.pending.iter().filter_map(|p| Some((p.epoch, TailRow::parse(&p.bytes)?))));
        Ok(self.tail.get_or_init(|| rows))
    }
}

fn within(a: TimeRange, b: TimeRange) -> TimeRange {
    TimeRange { from: a.from.max(b.from), to: a.to.min(b.to) }
}

impl Track<'_> {
    /// Appends buckets of this kind or made of finer ones; before all those, of coarser kinds. Gives the coarsest used.
    fn either(&self, kind: Kind, part: TimeRange, out: &mut Vec<Bucket>) -> Result<Option<Resolution>, ReadError> {
        let mut floor = None;
        let mut finer = Some(kind);
        while let Some(kind) = finer {
            floor = floor.into_iter().chain(self.oldest(kind)?).min();
            finer = kind.source();
        }
        // Coarser kinds reach back further: each gives what is older than the ones finer than it.
        let floor = floor.unwrap_or(Timestamp(i64::MAX));
        let mut parts = vec![(kind, TimeRange { from: part.from.max(floor), ..part })];
        let mut older = TimeRange { from: part.from, to: part.to.min(Timestamp(floor.0.saturating_sub(1))) };
        for coarser in [Kind::Ten, Kind::Minute, Kind::Hour].into_iter().filter(|k| *k > kind) {
            let Some(oldest) = self.oldest(coarser)?.filter(|o| *o <= older.to && older.from <= older.to) else { continue };
            parts.push((coarser, TimeRange { from: older.from.max(oldest), ..older }));
            older.to = Timestamp(oldest.0.saturating_sub(1));
        }
        let mut used = None;
        for (kind, part) in parts.into_iter().rev() {
            let before = out.len();
            self.exact(kind, part, out)?;
            used = used.max((out.len() > before).then_some(kind.resolution()));
        }
        Ok(used)
    }

    /// Appends buckets of this kind, made of finer ones where its slabs are not there.
    fn exact(&self, kind: Kind, part: TimeRange, out: &mut Vec<Bucket>) -> Result<(), ReadError> {
        let first = self.oldest_slab(kind)?;
        let mut slab = Slab::holding(kind, part.from.max(first.unwrap_or(part.from)), self.epoch);
        if kind != Kind::Raw && part.from < slab.start {
            let before = TimeRange { from: part.from, to: part.to.min(Timestamp(slab.start.0 - 1)) };
            self.made_of_finer(kind, before, out)?;
        }
        while slab.start <= part.to {
            let own = within(span(slab), part);
            if self.slab(slab, own, out)? == Found::NoSlab {
                match kind {
                    Kind::Raw => self.rows(own, out)?,
                    _ => self.made_of_finer(kind, own, out)?,
                }
            }
            slab.start = slab.end();
        }
        Ok(())
    }

    /// Appends buckets that begin in `part`, made of the next finer kind.
    fn made_of_finer(&self, kind: Kind, part: TimeRange, out: &mut Vec<Bucket>) -> Result<(), ReadError> {
        let Some(finer) = kind.source() else { return Ok(()) };
        let step = kind.resolution().step();
        let whole = TimeRange { from: part.from.floor(step), to: Timestamp((part.to.floor(step) + step).0 - 1) };
        let (mut fine, start) = (Vec::new(), out.len());
        self.exact(finer, whole, &mut fine)?;
        for bucket in fine {
            let at = bucket.at.floor(step);
            match out[start..].last_mut().filter(|last| last.at == at) {
                Some(last) => last.merge(&bucket),
                None => out.push(Bucket { at, ..bucket }),
            }
        }
        let early = out[start..].partition_point(|b| b.at < part.from);
        out.drain(start..start + early);
        out.truncate(start + out[start..].partition_point(|b| b.at <= part.to));
        Ok(())
    }

    /// Appends what a slab holds of `part`.
    fn slab(&self, slab: Slab, part: TimeRange, out: &mut Vec<Bucket>) -> Result<Found, ReadError> {
        let Some(row) = self.block(slab, self.id)? else {
            return Ok(if self.block(slab, 0)?.is_some() { Found::Absent } else { Found::NoSlab });
        };
        let read = match slab.kind {
            Kind::Raw => self.raw(slab, row.value(), part, out)?,
            _ => decode_buckets(row.value(), grid(slab)).map(|buckets| out.extend(buckets.filter(|b| part.contains(b.at)))),
        };
        if read.is_none() {
            self.view.shared.note_damage(&slab.key(self.id));
        }
        Ok(read.map_or(Found::Absent, |()| Found::Buckets))
    }

    /// `None` for a damaged block; a damaged column of times is noted under its own key.
    fn raw(&self, slab: Slab, row: &[u8], part: TimeRange, out: &mut Vec<Bucket>) -> Result<Option<()>, ReadError> {
        let times = self.block(slab, 0)?.and_then(|times| decode_times(times.value()));
        let Some(times) = times else {
            self.view.shared.note_damage(&slab.key(0));
            return Ok(Some(()));
        };
        let Some(cells) = decode_raw(row, times.len()) else { return Ok(None) };
        // Places lie below the number of times.
        let buckets = cells.into_iter().filter_map(|(place, value)| Some(Bucket::raw(*times.get(place as usize)?, value)));
        out.extend(buckets.filter(|b| part.contains(b.at)));
        Ok(Some(()))
    }

    fn sketch(&self, slab: Slab) -> Result<Option<sketches_ddsketch::DDSketch>, ReadError> {
        let Some(row) = self.block(slab, self.id)? else { return Ok(None) };
        let sketch = sketch::decode(row.value());
        if sketch.is_none() {
            self.view.shared.note_damage(&slab.key(self.id));
        }
        Ok(sketch)
    }

    fn block(&self, slab: Slab, series: u32) -> Result<Option<redb::AccessGuard<'static, &'static [u8]>>, ReadError> {
        self.blocks.get(slab.key(series).as_slice()).map_err(|e| Fault::from(e).read())
    }

    /// Whether samples since then are gone whose sketches are kept.
    fn is_thinned(&self, since: Timestamp) -> Result<bool, ReadError> {
        let kept = self.oldest(Kind::Raw)?.unwrap_or(Timestamp(i64::MAX)).floor(Kind::Sketch.slab());
        Ok(since < kept && self.oldest_slab(Kind::Sketch)?.is_some_and(|first| first < kept))
    }

    /// Appends samples in tail rows and in memory.
    fn rows(&self, part: TimeRange, out: &mut Vec<Bucket>) -> Result<(), ReadError> {
        let start = out.len();
        let mut push = |at: Timestamp, value: f64| {
            // A row that was being written when the view began is there twice.
            if part.contains(at) && out[start..].last().is_none_or(|b| b.at < at) {
                out.push(Bucket::raw(at, value));
            }
        };
        for (_, row) in self.view.tail()?.iter().filter(|(epoch, _)| *epoch == self.epoch) {
            let touches = row.times.first().is_some_and(|t| *t <= part.to) && row.times.last().is_some_and(|t| *t >= part.from);
            for (place, value) in if touches { row.column(self.id).unwrap_or_default() } else { Vec::new() } {
                row.times.get(place as usize).into_iter().for_each(|at| push(*at, value));
            }
        }
        for round in self.view.rounds.iter().filter(|r| r.epoch == self.epoch) {
            if let Ok(place) = round.values.binary_search_by_key(&self.id, |v| v.0) {
                push(round.at, round.values[place].1);
            }
        }
        Ok(())
    }

    /// Start of the oldest slab of a kind, of any epoch.
    fn oldest_slab(&self, kind: Kind) -> Result<Option<Timestamp>, ReadError> {
        let (from, to) = ([kind as u8], [kind as u8 + 1]);
        let mut range = self.blocks.range::<&[u8]>(from.as_slice()..to.as_slice()).map_err(|e| Fault::from(e).read())?;
        let first = range.next().transpose().map_err(|e| Fault::from(e).read())?;
        Ok(first.and_then(|(key, _)| Slab::parse(key.value())).map(|(slab, _)| slab.start))
    }

    fn oldest_tail(&self) -> Option<Timestamp> {
        let rows = self.view.tail().ok()?.iter().filter_map(|(_, row)| row.times.first().copied());
        rows.chain(self.view.rounds.iter().map(|r| r.at)).min()
    }

    /// Oldest instant of a kind; raw samples may still be in the tail.
    fn oldest(&self, kind: Kind) -> Result<Option<Timestamp>, ReadError> {
        let slab = self.oldest_slab(kind)?;
        Ok(if kind == Kind::Raw { slab.into_iter().chain(self.oldest_tail()).min() } else { slab })
    }
}
