//! Power cuts and full disks at every step: no decision that was confirmed is missing, and of the samples at most the
//! last flush interval.

use super::device::Device;
use super::*;

/// Rounds between two flushes in these tests.
const FLUSH: u64 = 10;

/// What a run had been told is safe when it ended.
#[derive(Debug, Default, Clone, Copy)]
struct Safe {
    notes: u64,
    /// Seconds `0..flushed` are on disk.
    flushed: u64,
    /// Seconds that were given at all.
    pushed: u64,
}

/// One flush, two decisions and the maintenance due, over and over, across the seal of a slab; ends at the first error.
fn run(writer: &mut Writer, seconds: std::ops::Range<u64>) -> Safe {
    let mut safe = Safe::default();
    for second in seconds {
        writer.push(at(second), &readings(3, second));
        safe.pushed = second + 1;
        if second % FLUSH != FLUSH - 1 {
            continue;
        }
        if writer.flush(at(second)).is_err() {
            break;
        }
        safe.flushed = second + 1;
        if writer.commit(vec![note(second)]).is_err() {
            break;
        }
        safe.notes += 1;
        loop {
            match writer.maintain(at(second)) {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => return safe,
            }
        }
    }
    safe
}

/// A store a little before a slab's end, so that a short run covers flush, commit, seal and the start of the next slab.
fn base() -> Vec<u8> {
    let device = Device::holding(Vec::new());
    let (mut writer, _) = open(&device);
    let safe = run(&mut writer, 0..570);
    assert_eq!(safe.flushed, 570);
    writer.close(at(570)).expect("room");
    device.bytes()
}

/// Base ends at 570; the run goes on to 640, over the boundary at 600.
const RUN: std::ops::Range<u64> = 570..640;

fn assert_safe(bytes: Vec<u8>, safe: Safe, what: &str) {
    let device = Device::holding(bytes);
    let (mut writer, reader) = Store::open_with(device, &StoreConfig::default()).unwrap_or_else(|e| panic!("{what}: {e}"));
    let view = reader.view().expect("open");
    let found = notes(&view).len() as u64;
    assert!(found >= 57 + safe.notes && found <= 58 + safe.notes, "{what}: {found} notes, {} confirmed", 57 + safe.notes);
    for n in 0..3 {
        let seen = raw(&view, n);
        let last = seen.len() as u64;
        assert!(last >= safe.flushed.max(570) && last <= safe.pushed.max(570), "{what}: {last} samples of {safe:?}");
        let right = (0..).zip(&seen).all(|(second, b)| b.at == at(second) && b.last == kept(n, second));
        assert!(right, "{what}: a sample is wrong");
    }
    drop(view);
    // And it goes on.
    assert!(writer.flush(at(700)).is_ok() && writer.maintain(at(700)).is_ok(), "{what}");
    assert_eq!(writer.health().damaged_blocks, 0, "{what}");
}

#[test]
fn a_power_cut_at_any_write_loses_at_most_the_last_flush() {
    let base = base();
    let count = |bytes: &Vec<u8>| {
        let device = Device::holding(bytes.clone());
        let (mut writer, _) = open(&device);
        let opened = device.n_writes();
        run(&mut writer, RUN);
        (opened, device.n_writes())
    };
    let (_, total) = count(&base);
    assert!(total > 60, "{total} writes");
    for cut in 1..=total {
        let device = Device::holding(base.clone());
        device.power_off_at(cut);
        // Opening itself may be what is cut.
        let safe = match Store::open_with(device.clone(), &StoreConfig::default()) {
            Ok((mut writer, _)) => run(&mut writer, RUN),
            Err(_) => Safe::default(),
        };
        // Bit n % 6 of a pattern: whether the n-th unsynced write survives; none, all, every other, two of three.
        for (name, pattern) in [("none", 0), ("all", 0b11_1111), ("every other", 0b01_0101), ("two of three", 0b11_0110_u32)] {
            let survives = |n: usize| pattern >> (n % 6) & 1 == 1;
            assert_safe(device.after_power_cut(survives), safe, &format!("cut at write {cut}, {name} of the unsynced survive"));
        }
    }
}

#[test]
fn a_disk_full_from_any_write_on_loses_nothing_once_there_is_room() {
    let base = base();
    let device = Device::holding(base.clone());
    let (mut writer, _) = open(&device);
    let opened = device.n_writes();
    run(&mut writer, RUN);
    let total = device.n_writes();
    for from in (opened + 1..=total).step_by(3) {
        let device = Device::holding(base.clone());
        let (mut writer, reader) = open(&device);
        device.fill_from(Some(from));
        let (mut failures, mut given) = (0, 57);
        for second in RUN {
            writer.push(at(second), &readings(3, second));
            if second % FLUSH == FLUSH - 1 {
                failures += usize::from(writer.flush(at(second)).is_err());
                failures += usize::from(writer.commit(vec![note(second)]).is_err());
                given += 1;
                while writer.maintain(at(second)) == Ok(true) {}
                // What cannot be written is shown all the same.
                let view = reader.view().expect("readable while full");
                assert_eq!(raw(&view, 1).len() as u64, second + 1, "full from write {from}");
            }
        }
        if failures > 0 {
            let health = writer.health();
            assert!(!health.ok, "full from write {from}: {health:?}");
            assert!(health.problem.as_deref().is_some_and(|p| p.contains("disk full")), "{health:?}");
        }
        device.fill_from(None);
        assert_eq!(writer.flush(at(640)), Ok(()), "full from write {from}");
        assert!(writer.health().ok && writer.health().pending_rounds == 0);
        while writer.maintain(at(640)).expect("room") {}
        drop(writer);
        let (_writer, reader) = open(&Device::holding(device.bytes()));
        let view = reader.view().expect("open");
        assert_eq!(notes(&view).len(), given, "full from write {from}");
        for n in 0..3 {
            let seen = raw(&view, n);
            assert_eq!(seen.len(), 640, "full from write {from}");
            assert!((0..).zip(&seen).all(|(second, b)| b.at == at(second) && b.last == kept(n, second)));
        }
    }
}

#[test]
fn memory_is_bounded_while_the_disk_stays_full_and_decisions_are_never_given_up() {
    let device = Device::holding(Vec::new());
    let (mut writer, _reader) = open(&device);
    device.fill_from(Some(0));
    for n in 0..600 {
        let processes = Write::Processes { at: at(n), processes: vec![] };
        assert_eq!(writer.commit(vec![note(n), processes]), Err(crate::store::WriteError::Full));
    }
    device.fill_from(None);
    writer.flush(at(700)).expect("room");
    drop(writer);
    let (_writer, reader) = open(&device);
    assert_eq!(notes(&reader.view().expect("open")).len(), 600);
}
