//! Opening: new, known, newer, foreign, in use, and of every released format.

use super::*;
use crate::store::frame::{OPAQUE, frame};
use crate::store::schema::META;
use crate::store::{OpenError, StoreConfig};

fn config() -> StoreConfig {
    StoreConfig::default()
}

#[test]
fn a_new_file_is_private_and_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("farol.redb");
    let (mut writer, reader) = Store::open(&path, &config()).expect("made");
    record(&mut writer, 2, 0..50);
    assert_eq!(raw(&reader.view().expect("open"), 1).len(), 50);
    writer.close(at(50)).expect("room");
    assert!(reader.view().is_err(), "the file was released");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }
    let (_writer, reader) = Store::open(&path, &config()).expect("known");
    assert_eq!(raw(&reader.view().expect("open"), 1).len(), 50);
    assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 1, "nothing else is left in the folder");
}

#[test]
fn a_file_in_use_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("farol.redb");
    let (writer, _reader) = Store::open(&path, &config()).expect("made");
    assert!(matches!(Store::open(&path, &config()), Err(OpenError::Locked { .. })));
    drop(writer);
    assert!(Store::open(&path, &config()).is_ok(), "a reader does not keep it");
}

#[test]
fn foreign_files_are_refused_and_left_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "shopping list").expect("room");
    let other = folder.path().join("other.redb");
    let database = redb::Database::create(&other).expect("room");
    let txn = database.begin_write().expect("room");
    let table: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("meta");
    txn.open_table(table).expect("room").insert(1, 2).expect("room");
    txn.commit().expect("room");
    drop(database);
    for path in [text, other] {
        let before = std::fs::read(&path).expect("there");
        let error = Store::open(&path, &config()).map(|_| ()).expect_err("foreign");
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains("--data-dir"), "{error}");
        assert!(std::fs::read(&path).expect("there") == before, "{} was touched", path.display());
    }
}

#[test]
fn a_newer_format_is_refused_with_the_way_out_and_a_newer_minor_one_is_read() {
    for (format, accepted) in [("2.0", false), ("1.7", true)] {
        let backend = memory();
        drop(open(&backend));
        let medium: Arc<dyn StorageBackend> = backend.clone();
        let database = crate::store::open::database(&medium).expect("a store");
        let txn = database.begin_write().expect("memory");
        txn.open_table(META).expect("a table").insert("format", frame(OPAQUE, format.as_bytes()).as_slice()).expect("memory");
        txn.commit().expect("memory");
        drop(database);
        match Store::open_with(backend, &config()) {
            Ok(_) => assert!(accepted, "{format}"),
            Err(OpenError::NewerFormat { found, known, .. }) => {
                assert_eq!((found.as_str(), known.as_str(), accepted), (format, "1.0", false));
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_file_that_ends_early_is_damaged_and_a_missing_folder_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("farol.redb");
    drop(Store::open(&path, &config()).expect("made"));
    let bytes = std::fs::read(&path).expect("there");
    std::fs::write(&path, &bytes[..4096 + 17]).expect("room");
    let error = Store::open(&path, &config()).map(|_| ()).expect_err("cut");
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    let error = Store::open(&folder.path().join("no/such/farol.redb"), &config()).map(|_| ()).expect_err("no folder");
    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
}

/// Where the pinned files of released formats lie.
fn fixture(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn files_of_every_released_format_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("farol.redb");
    std::fs::copy(fixture("store-1.0.redb"), &path).expect("room");
    let (_writer, reader) = Store::open(&path, &config()).expect("format 1.0");
    assert_pinned(&reader.view().expect("open"));
}

fn assert_pinned(view: &View) {
    for n in 0..4 {
        let seen = raw(view, n);
        assert_eq!(seen.len(), 200);
        assert!(seen.iter().zip((0..).step_by(60)).all(|(b, s)| b.at == at(s) && b.last == kept(n, s)), "series {n}");
    }
    let minutes = view.points(&key(2), all(), Resolution::Minute).expect("readable").buckets;
    assert_eq!(minutes.len(), 200);
    assert_eq!(notes(view), ["note 1", "note 2"]);
    assert_eq!(view.model("learned"), Ok(Some(vec![1, 2, 3])));
    assert!(quantile(view, 2, all(), 0.5).is_some_and(|q| (1e4..2e4).contains(&q)));
}

/// With `UPDATE=1` makes the file of the present format anew, which is right only before its release.
#[test]
fn the_present_format_is_pinned() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("farol.redb");
    let (mut writer, _) = Store::open(&path, &config()).expect("made");
    for second in (0..12_000).step_by(60) {
        writer.push(at(second), &readings(4, second));
        if second % 600 == 540 {
            writer.flush(at(second)).expect("room");
            while writer.maintain(at(second)).expect("room") {}
        }
    }
    writer.commit(vec![note(1), note(2), Write::Model { name: "learned".to_owned(), row: Some(vec![1, 2, 3]) }]).expect("room");
    writer.close(at(12_000)).expect("room");
    let (_writer, reader) = Store::open(&path, &config()).expect("known");
    assert_pinned(&reader.view().expect("open"));
    if std::env::var_os("UPDATE").is_some() {
        drop(reader);
        drop(_writer);
        let mut database = redb::Database::open(&path).expect("closed");
        database.compact().expect("room");
        drop(database);
        std::fs::copy(&path, fixture("store-1.0.redb")).expect("room");
    }
}
