//! The format of the file: what is in which table, under which key, in which bytes.
//!
//! ```text
//! farol.redb ─ one redb file, format major.minor in meta "format" (this is 1.0)
//! │
//! ├ series      id u32                        → rate u8 · last day u32 · key text          (framed)
//! ├ tail        epoch u32 · first round i64   → every series' values of one flush          (framed)
//! ├ block       kind u8 · slab i64 · epoch u32 · series u32
//! │             kind 0  raw           slab 10 min   series 0: times of the rounds
//! │                  1  10 s buckets  slab 30 min   series 0: number of series
//! │                  2  1 min buckets slab 3 h      "
//! │                  3  1 h buckets   slab 1 day    "
//! │                  4  sketches      slab 1 h      "                                       (framed)
//! ├ journal     at i64 · seq u64              → JournalEntry                                (framed JSON)
//! ├ keyframe    at i64                        → alerts, silences, services                  (framed JSON)
//! ├ anomaly     from i64 · key text           → to i64 · AnomalyInterval                    (framed)
//! ├ process     at i64                        → figures, and names not told since the hour began
//! ├ prediction, silence      id text          → the model's own type                        (framed JSON)
//! ├ outbox      number u64                    → the room's own bytes                        (framed)
//! ├ ledger, incident, schedule, service, model   name text → the room's own bytes           (framed)
//! └ meta        name text                     → format, epochs, sealed, stored, clean, todo/…, user/…
//!
//! framed   codec u8 · checksum u32 · payload        the checksum covers codec and payload
//! tail row first i64 · n · n−1 steps · { id step · length · presence · numbers }…
//! raw      presence · numbers
//! buckets  presence · five times numbers: mean, min, max, last, count
//! presence 0: every place; else n · { start step · stride · length }… (regular gaps cost nothing)
//! numbers  mode u8 · … decimal mantissas under one exponent, plain, constant, or packed by pco
//! ```
//!
//! Integers in keys are big-endian with the sign bit flipped, so that bytes sort as numbers do; inside
//! payloads they are variable-length, signed ones zigzag. Times are milliseconds since 1970 UTC.
//!
//! No series carries its own times: a raw slab has one column of them, and a bucket's place says its
//! start. An *epoch* begins where the clock goes back by more than 2 s or forward by more than an hour; where
//! two epochs cover the same time the later one is shown. Rows of a slab move from `tail` to `block` in
//! one transaction, as do the buckets made of them.
//!
//! Invariant: every value lies under a checksum, and nothing here is read without it.

use std::time::Duration;

use redb::TableDefinition;

use crate::base::Timestamp;
use crate::model::Resolution;

/// Major format: another one cannot be read. Minor: rows of a kind this version does not know are left alone.
pub(super) const FORMAT: (u32, u32) = (1, 0);

/// Rows under bytes that sort as their numbers.
pub(super) type Numbered = TableDefinition<'static, &'static [u8], &'static [u8]>;
/// Rows under a name.
pub(super) type Named = TableDefinition<'static, &'static str, &'static [u8]>;

pub(super) const SERIES: Numbered = Numbered::new("series");
pub(super) const TAIL: Numbered = Numbered::new("tail");
pub(super) const BLOCK: Numbered = Numbered::new("block");
pub(super) const JOURNAL: Numbered = Numbered::new("journal");
pub(super) const KEYFRAME: Numbered = Numbered::new("keyframe");
pub(super) const ANOMALY: Numbered = Numbered::new("anomaly");
pub(super) const PROCESS: Numbered = Numbered::new("process");
pub(super) const OUTBOX: Numbered = Numbered::new("outbox");
pub(super) const PREDICTION: Named = Named::new("prediction");
pub(super) const SILENCE: Named = Named::new("silence");
pub(super) const LEDGER: Named = Named::new("ledger");
pub(super) const INCIDENT: Named = Named::new("incident");
pub(super) const SCHEDULE: Named = Named::new("schedule");
pub(super) const SERVICE: Named = Named::new("service");
pub(super) const MODEL: Named = Named::new("model");
pub(super) const META: Named = Named::new("meta");

/// Tables under numbers.
pub(super) const NUMBERED: [Numbered; 8] = [SERIES, TAIL, BLOCK, JOURNAL, KEYFRAME, ANOMALY, PROCESS, OUTBOX];
/// Tables under names.
pub(super) const NAMED: [Named; 8] = [PREDICTION, SILENCE, LEDGER, INCIDENT, SCHEDULE, SERVICE, MODEL, META];

/// What a block holds; its number is the first byte of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Every sample.
    Raw = 0,
    /// Buckets of 10 s.
    Ten = 1,
    /// Buckets of 1 min.
    Minute = 2,
    /// Buckets of 1 h.
    Hour = 3,
    /// Quantile sketches of 1 h.
    Sketch = 4,
}

impl Kind {
    /// All kinds, by number.
    pub(super) const ALL: [Self; 5] = [Self::Raw, Self::Ten, Self::Minute, Self::Hour, Self::Sketch];

    /// Length of its slabs: blocks of about 1 KiB at most, which is what packs best into pages.
    pub(super) fn slab(self) -> Duration {
        Duration::from_secs(match self {
            Self::Raw => 600,
            Self::Ten => 1800,
            Self::Minute => 10_800,
            Self::Hour => 86_400,
            Self::Sketch => 3600,
        })
    }

    /// What it is made of.
    pub(super) fn source(self) -> Option<Self> {
        match self {
            Self::Raw => None,
            Self::Ten | Self::Sketch => Some(Self::Raw),
            Self::Minute => Some(Self::Ten),
            Self::Hour => Some(Self::Minute),
        }
    }

    /// What is made of it.
    pub(super) fn made_of_it(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |k| k.source() == Some(self))
    }

    /// How fine it is; a sketch has no buckets and counts as an hour.
    pub(super) fn resolution(self) -> Resolution {
        match self {
            Self::Raw => Resolution::Raw,
            Self::Ten => Resolution::TenSeconds,
            Self::Minute => Resolution::Minute,
            Self::Hour | Self::Sketch => Resolution::Hour,
        }
    }

    /// The kind with blocks of that resolution.
    pub(super) fn of(resolution: Resolution) -> Self {
        match resolution {
            Resolution::Raw => Self::Raw,
            Resolution::TenSeconds => Self::Ten,
            Resolution::Minute => Self::Minute,
            Resolution::Hour => Self::Hour,
        }
    }
}

/// A slab: one kind, one stretch of time, one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slab {
    pub(super) kind: Kind,
    pub(super) start: Timestamp,
    pub(super) epoch: u32,
}

impl Slab {
    /// The slab of that kind in which `at` lies.
    pub(super) fn holding(kind: Kind, at: Timestamp, epoch: u32) -> Self {
        Self { kind, start: at.floor(kind.slab()), epoch }
    }

    /// First instant after it.
    pub(super) fn end(self) -> Timestamp {
        self.start + self.kind.slab()
    }

    /// Key of one series' block; series 0 is the slab's own row.
    pub(super) fn key(self, series: u32) -> [u8; 17] {
        let mut key = [0; 17];
        key[0] = self.kind as u8;
        key[1..9].copy_from_slice(&time_key(self.start));
        key[9..13].copy_from_slice(&self.epoch.to_be_bytes());
        key[13..].copy_from_slice(&series.to_be_bytes());
        key
    }

    /// Slab and series of a key; `None` for a key of another length or an unknown kind.
    pub(super) fn parse(key: &[u8]) -> Option<(Self, u32)> {
        let kind = Kind::ALL.into_iter().find(|k| Some(&(*k as u8)) == key.first())?;
        let start = parse_time_key(key.get(1..9)?)?;
        let epoch = u32::from_be_bytes(key.get(9..13)?.try_into().ok()?);
        let series = u32::from_be_bytes(key.get(13..17)?.try_into().ok()?);
        Some((Self { kind, start, epoch }, series))
    }
}

/// Key of a tail row.
pub(super) fn tail_key(epoch: u32, first: Timestamp) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&epoch.to_be_bytes());
    key[4..].copy_from_slice(&time_key(first));
    key
}

/// Epoch and first round of a tail key.
pub(super) fn parse_tail_key(key: &[u8]) -> Option<(u32, Timestamp)> {
    Some((u32::from_be_bytes(key.get(..4)?.try_into().ok()?), parse_time_key(key.get(4..12)?)?))
}

/// An instant as bytes that sort by time.
pub(super) fn time_key(at: Timestamp) -> [u8; 8] {
    (at.0.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// The instant of the first eight bytes.
pub(super) fn parse_time_key(key: &[u8]) -> Option<Timestamp> {
    let bytes: [u8; 8] = key.get(..8)?.try_into().ok()?;
    Some(Timestamp((u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed()))
}

/// An instant and a number.
pub(super) fn numbered_time_key(at: Timestamp, number: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&time_key(at));
    key[8..].copy_from_slice(&number.to_be_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_sort_as_times_do_and_are_read_back(a: i64, b: i64, epoch: u32, series: u32) {
            prop_assert_eq!(time_key(Timestamp(a)).cmp(&time_key(Timestamp(b))), a.cmp(&b));
            prop_assert_eq!(parse_tail_key(&tail_key(epoch, Timestamp(a))), Some((epoch, Timestamp(a))));
            let slab = Slab { kind: Kind::Minute, start: Timestamp(a), epoch };
            prop_assert_eq!(Slab::parse(&slab.key(series)), Some((slab, series)));
        }

        #[test]
        fn no_bytes_make_the_parsers_panic(bytes: Vec<u8>) {
            let _ = (Slab::parse(&bytes), parse_tail_key(&bytes), parse_time_key(&bytes));
        }
    }

    #[test]
    fn slabs_hold_whole_slabs_of_what_they_are_made_of() {
        for kind in Kind::ALL {
            if let Some(source) = kind.source() {
                assert_eq!(kind.slab().as_millis() % source.slab().as_millis(), 0, "{kind:?}");
            }
        }
    }
}
