//! What the writer must know to go on where it ended: epochs, what is sealed, what is still to be made.
//!
//! One row of `meta`, written with every change of `block`, so that both are of one moment. Invariant:
//! a slab whose sources are not deleted is either made or in `todo`.

use std::collections::BTreeSet;

use redb::ReadTransaction;

use super::epochs::{Epoch, Epochs};
use super::error::Fault;
use super::frame::{Cursor, OWN, frame, put, put_bytes, put_signed, unframe};
use super::schema::{BLOCK, Kind, META, Slab, TAIL, parse_tail_key};
use crate::base::Timestamp;

/// Its row in `meta`.
const ROW: &str = "state";

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct State {
    pub(super) epochs: Epochs,
    /// Up to here the current epoch is in blocks; later rounds are never placed before it.
    pub(super) sealed: Timestamp,
    /// Slabs to be made of finer ones.
    pub(super) todo: BTreeSet<Slab>,
    /// Bytes of keys and values by kind of block.
    pub(super) stored: [u64; 5],
    /// The last run ended in order.
    pub(super) clean: bool,
}

impl State {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![u8::from(self.clean)];
        put_signed(&mut out, self.sealed.0);
        put_bytes(&mut out, &self.epochs.encode());
        self.stored.iter().for_each(|n| put(&mut out, *n));
        for slab in &self.todo {
            put_bytes(&mut out, &slab.key(0));
        }
        frame(OWN, &out)
    }

    pub(super) fn decode(row: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(unframe(OWN, row)?);
        let clean = cursor.byte()? != 0;
        let sealed = Timestamp(cursor.get_signed()?);
        let epochs = Epochs::decode(cursor.bytes()?)?;
        let mut stored = [0; 5];
        for n in &mut stored {
            *n = cursor.get()?;
        }
        let mut todo = BTreeSet::new();
        while !cursor.0.is_empty() {
            todo.insert(Slab::parse(cursor.bytes()?)?.0);
        }
        Some(Self { epochs, sealed, todo, stored, clean })
    }

    /// Writes it.
    pub(super) fn save(&self, txn: &redb::WriteTransaction) -> Result<(), Fault> {
        txn.open_table(META)?.insert(ROW, self.encode().as_slice())?;
        Ok(())
    }

    /// Reads it; where it is damaged it is made again from the keys of tail and blocks.
    pub(super) fn load(txn: &ReadTransaction) -> Result<Self, Fault> {
        let row = txn.open_table(META)?.get(ROW)?;
        let known = row.and_then(|row| Self::decode(row.value()));
        known.map_or_else(|| Self::rebuild(txn), Ok)
    }

    fn rebuild(txn: &ReadTransaction) -> Result<Self, Fault> {
        let mut state = Self::default();
        let mut made = BTreeSet::new();
        for row in txn.open_table(BLOCK)?.range::<&[u8]>(..)? {
            let (key, value) = row?;
            let Some((slab, series)) = Slab::parse(key.value()) else { continue };
            state.stored[slab.kind as usize] += (key.value().len() + value.value().len()) as u64;
            if series == 0 {
                made.insert(slab);
            }
        }
        for slab in &made {
            state.cover(slab.epoch, slab.start, Timestamp(slab.end().0 - 1));
            let next = slab.kind.made_of_it().map(|kind| Slab::holding(kind, slab.start, slab.epoch));
            state.todo.extend(next.filter(|next| !made.contains(next)));
        }
        for row in txn.open_table(TAIL)?.range::<&[u8]>(..)? {
            if let Some((epoch, first)) = parse_tail_key(row?.0.value()) {
                state.cover(epoch, first, first);
            }
        }
        let current = state.epochs.current().map(|e| e.id);
        let sealed = made.iter().filter(|s| s.kind == Kind::Raw && Some(s.epoch) == current).map(|s| s.end()).max();
        state.sealed = sealed.unwrap_or_default();
        Ok(state)
    }

    /// Widens an epoch to hold that stretch.
    fn cover(&mut self, id: u32, start: Timestamp, end: Timestamp) {
        let at = self.epochs.0.partition_point(|e| e.id < id);
        match self.epochs.0.get_mut(at).filter(|e| e.id == id) {
            Some(epoch) => (epoch.start, epoch.end) = (epoch.start.min(start), epoch.end.max(end)),
            None => self.epochs.0.insert(at, Epoch { id, start, end }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_read_back() {
        let slab = Slab { kind: Kind::Minute, start: Timestamp(10_800_000), epoch: 2 };
        let epochs = Epochs(vec![Epoch { id: 2, start: Timestamp(5), end: Timestamp(9) }]);
        let state = State { epochs, sealed: Timestamp(600_000), todo: [slab].into(), stored: [1, 2, 3, 4, 1 << 40], clean: true };
        assert_eq!(State::decode(&state.encode()), Some(state));
    }
}
