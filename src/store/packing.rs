//! In which order the rows of a slab are written, so that pages are full.
//!
//! redb divides a full leaf at the half of its bytes. Rows that come in the order of their keys leave every leaf half
//! empty, as nothing is ever put into the left half again. So each page's worth of rows goes in two parts: first a good half
//! of it and its last row, which become the left part of a divided leaf with that row as its bound; afterwards the
//! rest, which belongs below the bound and finds room there. Nothing here depends on that for its correctness.

/// Bytes of a page of redb.
const PAGE: usize = 4096;

/// What a row takes beyond its key and value: the ends of both.
const ROW: usize = 8;

/// Part of a page that goes first: more than the half by as much as sizes differ (half to two thirds fill alike).
const FIRST: f64 = 0.52;

/// The places of rows of these sizes (key and value, in the order of their keys) in the order in which they are best written.
///
/// Every place comes once. Leaves end up filled to three quarters and more, instead of a half.
pub(super) fn packing_order(sizes: &[usize]) -> Vec<usize> {
    let (mut first, mut rest) = (Vec::with_capacity(sizes.len()), Vec::new());
    let mut begin = 0;
    while begin < sizes.len() {
        let (mut end, mut bytes) = (begin, 0);
        while end < sizes.len() && (end == begin || bytes + sizes[end] + ROW <= PAGE) {
            bytes += sizes[end] + ROW;
            end += 1;
        }
        if end == sizes.len() {
            // The last page is not full, and what follows it is known to nobody yet.
            first.extend(begin..end);
            break;
        }
        let last = end - 1;
        let enough = (PAGE as f64 * FIRST) as usize + bytes / (end - begin);
        let mut taken = if last > begin { sizes[last] + ROW } else { 0 };
        for (place, size) in sizes.iter().enumerate().take(last).skip(begin) {
            if taken < enough {
                first.push(place);
                taken += size + ROW;
            } else {
                rest.push(place);
            }
        }
        first.push(last);
        begin = end;
    }
    first.append(&mut rest);
    first
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition};

    use super::*;

    proptest! {
        #[test]
        fn every_row_is_written_once(sizes in prop::collection::vec(0_usize..9000, 0..400)) {
            let mut order = packing_order(&sizes);
            order.sort_unstable();
            prop_assert_eq!(order, (0..sizes.len()).collect::<Vec<_>>());
        }
    }

    /// Part of the leaves' bytes that is rows, after slabs of 300 rows.
    fn filled(order: impl Fn(&[usize]) -> Vec<usize>) -> f64 {
        const TABLE: TableDefinition<'static, (u8, u32, u32), &'static [u8]> = TableDefinition::new("rows");
        let db = Database::builder().create_with_backend(redb::backends::InMemoryBackend::new()).expect("memory");
        let size = |slab: usize, row: usize| 30 + (row * 7919 + slab * 104_729) % 577;
        for slab in 0..20 {
            let txn = db.begin_write().expect("the only writer");
            let mut table = txn.open_table(TABLE).expect("a table");
            // What comes after all of it, as coarser blocks come after raw ones.
            table.insert((1, slab as u32, 0), [7; 400].as_slice()).expect("room");
            let sizes: Vec<usize> = (0..300).map(|row| size(slab, row)).collect();
            for row in order(&sizes) {
                table.insert((0, slab as u32, row as u32), vec![7; sizes[row]].as_slice()).expect("room");
            }
            drop(table);
            txn.commit().expect("room");
        }
        let txn = db.begin_read().expect("readable");
        let stats = txn.open_table(TABLE).expect("a table").stats().expect("readable");
        stats.stored_bytes() as f64 / (stats.leaf_pages() * PAGE as u64) as f64
    }

    #[test]
    fn pages_are_fuller_than_in_the_order_of_keys() {
        let (plain, packed) = (filled(|sizes| (0..sizes.len()).collect()), filled(packing_order));
        assert!(plain < 0.62, "redb divides otherwise now, and this room may have become needless: {plain}");
        assert!(packed > 0.72, "{packed}");
    }
}
