//! What is deleted: by age, and by size with the finest tier first.
//!
//! Whole slabs only, as range deletes; where size presses, what processes did goes with the samples of its time. Invariant: nothing is deleted that a coarser slab is still to be
//! made of, and no age is counted before the current epoch has lasted an hour: a clock that is wrong for
//! a while costs no history.

use std::time::Duration;

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, WriteTransaction};

use super::WriteError;
use super::error::Fault;
use super::rows::from_json;
use super::schema::{
    ANOMALY, BLOCK, JOURNAL, KEYFRAME, Kind, Numbered, PREDICTION, PROCESS, SERIES, SILENCE, Slab, parse_time_key, time_key,
};
use super::series::{parse_series_key, parse_series_row};
use super::writer::{DAY_MS, Writer};
use crate::base::Timestamp;
use crate::model::{Prediction, Silence};

/// Slabs deleted in one slice: a few milliseconds each at 300 series.
const SLABS: usize = 4;
/// How long an epoch must have lasted for its clock to be believed.
const TRUSTED: Duration = Duration::from_secs(3600);
/// What is always kept, however small the file shall be: the finest slabs of the last hours feed the coarser ones.
const KEPT: Duration = Duration::from_secs(2 * 3600);
/// Rows by which the size of a table of equal rows is told: an hour of processes, whose first row holds the names.
const SIZED_BY: usize = 360;
/// Time whose processes are deleted in one slice: some megabytes.
const PROCESSES: Duration = Duration::from_secs(6 * 3600);
/// Pages hold this much more than is stored in them: 1.06 measured at this key order, rounded up.
const PAGES: (u64, u64) = (108, 100);

impl Writer {
    /// One slice of deleting; true: there is more.
    pub(super) fn retain(&mut self) -> Result<bool, WriteError> {
        let span = self.shared.head(|head| head.epochs.current().map(|e| (e.end, e.end.since(e.start))));
        let Some((newest, _)) = span.filter(|(_, length)| self.retention_due && *length >= TRUSTED) else { return Ok(false) };
        let day = newest.0.div_euclid(DAY_MS);
        let tidy = self.cleaned_day != day;
        let (victims, pressed) = self.victims(newest)?;
        let deleted = victims.len();
        if deleted > 0 || pressed.is_some() || tidy {
            self.transact(|writer, txn| {
                if let Some(before) = pressed {
                    delete_oldest_processes(txn, before)?;
                }
                for slab in victims {
                    let freed = delete_slab(txn, slab)?;
                    let stored = &mut writer.state.stored[slab.kind as usize];
                    *stored = stored.saturating_sub(freed);
                }
                if tidy { writer.tidy(txn, newest) } else { Ok(()) }
            })?;
        }
        self.cleaned_day = day;
        self.retention_due = deleted >= SLABS || pressed.is_some();
        Ok(self.retention_due)
    }

    /// Slabs to delete now, at most a slice of them; and, where size presses, up to when processes go.
    fn victims(&self, newest: Timestamp) -> Result<(Vec<Slab>, Option<Timestamp>), WriteError> {
        let fail = |e: Fault| e.write();
        let txn = self.shared.begin_read().map_err(|e| WriteError::Io(e.0))?;
        let blocks = txn.open_table(BLOCK).map_err(|e| fail(e.into()))?;
        let config = &self.config;
        let stored: u64 = self.state.stored.iter().sum::<u64>() + beside_blocks(&txn).map_err(fail)?;
        let mut excess = (stored / PAGES.1 * PAGES.0).saturating_sub(config.max_size);
        let order = [Kind::Raw, Kind::Ten, Kind::Minute, Kind::Sketch, Kind::Hour];
        let mut victims = Vec::new();
        // They are as fine as samples, so they are kept no longer where there is no room.
        let samples = Slab::first_of(&blocks, Kind::Raw).map_err(fail)?.map_or(newest, |s| s.start).min(newest - KEPT);
        let processes = first_time(&txn, PROCESS).map_err(fail)?.filter(|first| excess > 0 && *first < samples);
        if processes.is_some() {
            return Ok((Vec::new(), Some(samples)));
        }
        for kind in order {
            let keep = match kind {
                Kind::Raw => config.raw,
                Kind::Ten => config.ten_seconds,
                Kind::Minute => config.minute,
                Kind::Hour => config.hour,
                Kind::Sketch => config.sketches,
            };
            // Deletion is by start, so all epochs of a slab go at once.
            let needed = self.state.todo.iter().filter(|t| t.kind.source() == Some(kind)).map(|t| t.start).min();
            let limit = needed.unwrap_or(newest).min(newest - KEPT.max(kind.slab() * 2));
            let mut from = Slab { kind, start: Timestamp(i64::MIN), epoch: 0 };
            while victims.len() < SLABS {
                let to = Slab { kind, start: Timestamp(i64::MAX), epoch: u32::MAX }.key(u32::MAX);
                let mut range = blocks.range::<&[u8]>(from.key(0).as_slice()..=to.as_slice()).map_err(|e| fail(e.into()))?;
                let Some(first) = range.next().transpose().map_err(|e| fail(e.into()))? else { break };
                let Some((slab, _)) = Slab::parse(first.0.value()).filter(|(s, _)| s.end() <= limit) else { break };
                let old = slab.end() <= newest - keep;
                if !old && excess == 0 {
                    break;
                }
                if !old {
                    excess = excess.saturating_sub(size_of_slab(&blocks, slab).map_err(fail)?);
                }
                victims.push(Slab { epoch: 0, ..slab });
                from = Slab { start: slab.end(), epoch: 0, ..slab };
            }
        }
        victims.truncate(SLABS);
        Ok((victims, None))
    }

    /// Once a day: what is not a block, and series nothing is kept of.
    fn tidy(&mut self, txn: &WriteTransaction, newest: Timestamp) -> Result<(), Fault> {
        let (long, middle) = (newest - self.config.hour, newest - self.config.minute);
        for (table, cutoff) in [(JOURNAL, long), (ANOMALY, long), (KEYFRAME, middle), (PROCESS, middle)] {
            delete_before(txn, table, cutoff)?;
        }
        let old = |until: Timestamp| until < long;
        txn.open_table(PREDICTION)?.retain(|_, row| from_json::<Prediction>(row).is_none_or(|p| !old(p.at_hi.max(p.made_at))))?;
        txn.open_table(SILENCE)?.retain(|_, row| from_json::<Silence>(row).is_none_or(|s| !old(s.until)))?;
        let mut gone = Vec::new();
        let oldest_day = long.0.div_euclid(DAY_MS) - 1;
        txn.open_table(SERIES)?.retain(|key, row| {
            let unseen = parse_series_row(row).is_some_and(|(_, day)| i64::from(day) < oldest_day);
            if unseen {
                gone.extend(parse_series_key(key));
            }
            !unseen
        })?;
        self.shared.edit_index(|index| gone.iter().for_each(|id| index.remove(*id)));
        self.state.epochs.0.retain(|e| e.end >= long);
        let kept = self.state.epochs.0.first().map(|e| e.id);
        self.shared.head(|head| head.epochs.0.retain(|e| Some(e.id) >= kept));
        Ok(())
    }
}

/// Bytes of the tables that grow with time beside blocks: rows of one table are alike, so the newest tell the size of all.
fn beside_blocks(txn: &ReadTransaction) -> Result<u64, Fault> {
    let mut total = 0;
    for table in [JOURNAL, KEYFRAME, ANOMALY, PROCESS] {
        let open = txn.open_table(table)?;
        let (mut bytes, mut n) = (0, 0);
        for row in open.range::<&[u8]>(..)?.rev().take(SIZED_BY) {
            let (key, value) = row?;
            bytes += (key.value().len() + value.value().len()) as u64;
            n += 1;
        }
        total += bytes * open.len()? / n.max(1);
    }
    Ok(total)
}

/// Time of a table's first row.
fn first_time(txn: &ReadTransaction, table: Numbered) -> Result<Option<Timestamp>, Fault> {
    Ok(txn.open_table(table)?.first()?.and_then(|(key, _)| parse_time_key(key.value())))
}

/// Deletes the oldest processes, at most some hours of them.
fn delete_oldest_processes(txn: &WriteTransaction, before: Timestamp) -> Result<(), Fault> {
    let first = txn.open_table(PROCESS)?.first()?.and_then(|(key, _)| parse_time_key(key.value()));
    first.map_or(Ok(()), |first| delete_before(txn, PROCESS, before.min(first + PROCESSES)))
}

impl Slab {
    /// The oldest slab of a kind.
    fn first_of(blocks: &impl ReadableTable<&'static [u8], &'static [u8]>, kind: Kind) -> Result<Option<Self>, Fault> {
        let (from, to) = ([kind as u8], [kind as u8 + 1]);
        let first = blocks.range::<&[u8]>(from.as_slice()..to.as_slice())?.next().transpose()?;
        Ok(first.and_then(|(key, _)| Self::parse(key.value())).map(|(slab, _)| slab))
    }
}

fn size_of_slab(blocks: &impl ReadableTable<&'static [u8], &'static [u8]>, slab: Slab) -> Result<u64, Fault> {
    let (from, to) = (Slab { epoch: 0, ..slab }.key(0), Slab { epoch: u32::MAX, ..slab }.key(u32::MAX));
    let mut size = 0;
    for row in blocks.range::<&[u8]>(from.as_slice()..=to.as_slice())? {
        let (key, value) = row?;
        size += (key.value().len() + value.value().len()) as u64;
    }
    Ok(size)
}

/// Deletes a slab of all epochs; bytes of its keys and values.
fn delete_slab(txn: &WriteTransaction, slab: Slab) -> Result<u64, Fault> {
    let (from, to) = (Slab { epoch: 0, ..slab }.key(0), Slab { epoch: u32::MAX, ..slab }.key(u32::MAX));
    let mut freed = 0;
    txn.open_table(BLOCK)?.retain_in::<&[u8], _>(from.as_slice()..=to.as_slice(), |key, value| {
        freed += (key.len() + value.len()) as u64;
        false
    })?;
    Ok(freed)
}

fn delete_before(txn: &WriteTransaction, table: Numbered, cutoff: Timestamp) -> Result<(), Fault> {
    let cutoff = time_key(cutoff);
    txn.open_table(table)?.retain_in::<&[u8], _>(..cutoff.as_slice(), |_, _| false)?;
    Ok(())
}
