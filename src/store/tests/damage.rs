//! Damaged bytes: what is hit is skipped and counted, everything else is read, and no number is wrong.

use redb::ReadableTable;

use super::*;
use crate::store::schema::{BLOCK, JOURNAL, Kind, META, MODEL, Slab, TAIL};

/// Two days of two series, a journal, and something learned; recorded once.
fn recorded() -> Arc<redb::backends::InMemoryBackend> {
    static BYTES: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let bytes = BYTES.get_or_init(|| {
        let device = super::device::Device::holding(Vec::new());
        let (mut writer, _) = open(&device);
        for second in (0..2 * 86_400 + 300).step_by(10) {
            writer.push(at(second), &readings(2, second));
            if second % 100 == 90 {
                writer.flush(at(second)).expect("memory");
                while writer.maintain(at(second)).expect("memory") {}
            }
        }
        let learned = Write::Model { name: "m".to_owned(), row: Some(vec![1; 9]) };
        writer.commit(vec![note(1), note(2), learned]).expect("memory");
        writer.close(at(2 * 86_400 + 300)).expect("memory");
        device.bytes()
    });
    let backend = memory();
    backend.set_len(bytes.len() as u64).expect("memory");
    StorageBackend::write(&*backend, 0, bytes).expect("memory");
    backend
}

/// Flips one bit of each row of a table that `pick` names; how many.
fn flip<K: redb::Key + 'static>(
    backend: &Arc<redb::backends::InMemoryBackend>,
    table: redb::TableDefinition<'static, K, &'static [u8]>,
    pick: impl Fn(&[u8]) -> bool,
) -> usize {
    let medium: Arc<dyn StorageBackend> = backend.clone();
    let database = crate::store::open::database(&medium).expect("a store");
    let txn = database.begin_write().expect("memory");
    let mut n = 0;
    {
        let mut table = txn.open_table(table).expect("a table");
        let rows: Vec<(Vec<u8>, Vec<u8>)> = {
            let rows = table.range::<K::SelfType<'_>>(..).expect("readable");
            rows.map(|r| r.expect("readable"))
                .map(|(k, v)| (K::as_bytes(&k.value()).as_ref().to_vec(), v.value().to_vec()))
                .collect()
        };
        for (key, mut value) in rows.into_iter().filter(|(k, _)| pick(k)) {
            let place = value.len() / 2;
            value[place] ^= 0x10;
            table.insert(K::from_bytes(&key), value.as_slice()).expect("memory");
            n += 1;
        }
    }
    txn.commit().expect("memory");
    n
}

#[test]
fn a_flipped_bit_in_every_kind_of_block_costs_that_block_only() {
    for kind in Kind::ALL {
        for series in [0, 1] {
            let backend = recorded();
            let (writer, before) = open(&backend);
            let whole = before.view().expect("open").points(&key(0), all(), kind.resolution()).expect("readable").buckets;
            drop((before, writer));
            // The second slab of the kind.
            let slab = Slab { kind, start: START + kind.slab(), epoch: 1 };
            assert_eq!(flip(&backend, BLOCK, |k| Slab::parse(k) == Some((slab, series))), 1, "{kind:?}");
            let (writer, reader) = open(&backend);
            let view = reader.view().expect("open");
            let found = view.points(&key(0), all(), kind.resolution()).expect("readable").buckets;
            let in_slab = |b: &&Bucket| slab.start <= b.at && b.at < slab.end();
            // A column of times is needed by all its blocks; the row of other slabs only says that they exist.
            let hit = if kind == Kind::Sketch { false } else { series == 1 || kind == Kind::Raw };
            let expected: Vec<Bucket> = whole.iter().filter(|b| !hit || !in_slab(b)).copied().collect();
            assert_eq!(found, expected, "{kind:?} series {series}");
            if kind == Kind::Sketch {
                let q = quantile(&view, 0, all(), 0.5).expect("the hour's samples instead");
                assert!((q - 0.25).abs() < 0.005, "{q}");
            }
            let told = view.check().expect("readable");
            let name = if series == 0 { "all series" } else { "test_ratio{n=\"0\"}" };
            assert_eq!(told.len(), 1, "{kind:?} series {series}: {told:?}");
            assert!(
                told[0].table == "block" && told[0].row.contains(name) && told[0].row.contains(&slab.start.rfc3339()),
                "{told:?}"
            );
            assert_eq!(writer.health().damaged_blocks, 1, "{kind:?} series {series}: the same block is counted once");
        }
    }
}

#[test]
fn damaged_rows_of_the_tail_the_journal_and_models_are_skipped_and_counted() {
    let backend = recorded();
    let n = flip(&backend, TAIL, |_| true);
    assert!(n > 0);
    assert_eq!(flip(&backend, JOURNAL, |k| k.ends_with(&1_u64.to_be_bytes())), 1);
    assert_eq!(flip(&backend, MODEL, |_| true), 1);
    let (mut writer, reader) = open(&backend);
    let view = reader.view().expect("open");
    assert_eq!(notes(&view), ["note 1"]);
    assert_eq!(view.model("m"), Ok(None));
    assert_eq!(raw(&view, 0).last().map(|b| b.at), Some(at(2 * 86_400 - 10)));
    drop(view);
    // The writer goes on, and the damaged rows leave with their slab.
    record(&mut writer, 2, 2 * 86_400 + 400..2 * 86_400 + 1300);
    let seen = raw(&reader.view().expect("open"), 0);
    assert_eq!(seen.len() as u64, 2 * 8640 + 900);
    assert_eq!(writer.health().damaged_blocks, n as u64 + 2);
}

#[test]
fn a_damaged_state_is_made_again_from_the_keys() {
    let backend = recorded();
    let (writer, reader) = open(&backend);
    let before = raw(&reader.view().expect("open"), 1);
    drop((reader, writer));
    assert_eq!(flip(&backend, META, |k| k == b"state"), 1);
    let (mut writer, reader) = open(&backend);
    assert_eq!(raw(&reader.view().expect("open"), 1), before);
    record(&mut writer, 2, 2 * 86_400 + 301..2 * 86_400 + 8000);
    let view = reader.view().expect("open");
    assert_eq!(raw(&view, 1).len(), before.len() + 7699);
    let minutes = view.points(&key(1), all(), Resolution::Minute).expect("readable").buckets;
    assert_eq!(minutes.iter().map(|b| b.count as usize).sum::<usize>(), before.len() + 7699);
}

#[test]
fn bits_flipped_anywhere_in_the_file_never_give_a_wrong_number() {
    let backend = recorded();
    let n = redb::StorageBackend::len(&*backend).expect("memory") as usize;
    let mut bytes = vec![0; n];
    redb::StorageBackend::read(&*backend, 0, &mut bytes).expect("memory");
    let (writer, reader) = open(&backend);
    let view = reader.view().expect("open");
    let truth: std::collections::HashMap<Timestamp, f64> = raw(&view, 1).into_iter().map(|b| (b.at, b.last)).collect();
    drop((view, reader, writer));
    // A fixed stride that is no multiple of a page, over the pages that hold something.
    let used: Vec<usize> =
        bytes.chunks(4096).enumerate().filter(|(_, p)| p.iter().any(|b| *b != 0)).map(|(i, _)| i * 4096).collect();
    let mut skipped = 0;
    for (k, page) in used.iter().enumerate().skip(1) {
        let mut damaged = bytes.clone();
        damaged[page + 64 + k * 97 % 4000] ^= 1 << (k % 8);
        let device = super::device::Device::holding(damaged);
        // Damage to the tree itself is the database's: it may refuse, and debug builds of it may stop.
        let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let (_writer, reader) = Store::open_with(device, &StoreConfig::default()).ok()?;
            let points = reader.view().ok()?.points(&key(1), all(), Resolution::Raw).ok()?;
            Some(points.buckets)
        }));
        match read {
            Ok(Some(buckets)) => assert!(buckets.iter().all(|b| truth.get(&b.at) == Some(&b.last)), "page {page}"),
            _ => skipped += 1,
        }
    }
    assert!(skipped * 4 < used.len(), "{skipped} of {} pages made the file unreadable", used.len());
}
