//! Power cuts while history is rolled up, deleted and compacted: every sample is still counted once at every resolution.

use super::device::Device;
use super::*;

/// One sample a minute, so that a day is little to make.
const EVERY: u64 = 60;
/// The end of the first day: a slab of every kind ends here, and the day's cleaning is due.
const DAY: u64 = 86_400;

/// Short retention, so that each tier loses slabs while the next one is made.
fn config() -> StoreConfig {
    let hours = |n: u64| seconds(n * 3600);
    StoreConfig { raw: hours(1), ten_seconds: hours(4), minute: hours(8), ..StoreConfig::default() }
}

fn start(device: &Arc<Device>) -> Result<(Writer, Reader), crate::store::OpenError> {
    Store::open_with(device.clone(), &config())
}

/// Samples, flushes and all maintenance; ends at the first error. How many samples are on disk for certain, and were given at all.
fn run(writer: &mut Writer, span: std::ops::Range<u64>) -> (u64, u64) {
    let mut safe = (span.start / EVERY, span.start / EVERY);
    for second in span.step_by(EVERY as usize) {
        writer.push(at(second), &readings(2, second));
        safe.1 = second / EVERY + 1;
        if writer.flush(at(second)).is_err() {
            break;
        }
        safe.0 = safe.1;
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

/// Samples at each resolution, all of them equal in number.
fn counted(view: &View, what: &str) -> u64 {
    let counts = Resolution::ALL.map(|resolution| {
        let buckets = view.points(&key(1), all(), resolution).expect("readable").buckets;
        assert!(buckets.windows(2).all(|w| w[0].at < w[1].at), "{what}: {resolution:?} does not rise");
        assert!(buckets.iter().all(|b| 0.0 <= b.min && b.min <= b.mean && b.mean <= b.max && b.max < 1.0), "{what}");
        buckets.iter().map(|b| u64::from(b.count)).sum::<u64>()
    });
    assert_eq!(counts, [counts[0]; 4], "{what}: raw, 10 s, 1 min, 1 h");
    counts[0]
}

fn assert_whole(bytes: Vec<u8>, (flushed, pushed): (u64, u64), what: &str) {
    let device = Device::holding(bytes);
    let (mut writer, reader) = start(&device).unwrap_or_else(|e| panic!("{what}: {e}"));
    let found = counted(&reader.view().expect("open"), what);
    assert!((flushed..=pushed).contains(&found), "{what}: {found} samples, {flushed} were flushed of {pushed}");
    // What was cut off is done again.
    while writer.maintain(at(DAY + 600)).expect("room") {}
    assert_eq!(counted(&reader.view().expect("open"), what), found, "{what}, after maintenance");
    assert_eq!(writer.health().damaged_blocks, 0, "{what}");
}

/// Which unsynced writes survive: bit n % 6 is that of the n-th.
const PATTERNS: [u32; 3] = [0, 0b01_0101, 0b11_0110];

#[test]
fn a_power_cut_at_any_write_of_rollups_and_deletions_counts_every_sample_once() {
    let device = Device::holding(Vec::new());
    let (mut writer, _) = start(&device).expect("made");
    run(&mut writer, 0..DAY - 2 * EVERY);
    writer.close(at(DAY - 2 * EVERY)).expect("room");
    let (base, span) = (device.bytes(), DAY - 2 * EVERY..DAY + 2 * EVERY);

    let device = Device::holding(base.clone());
    let (mut writer, reader) = start(&device).expect("a store");
    let before = stored(&writer);
    run(&mut writer, span.clone());
    let (total, after) = (device.n_writes(), stored(&writer));
    assert!(after[3] > before[3] && after[4] > before[4], "an hourly block and a sketch are made: {before:?} {after:?}");
    assert!(after[2] < before[2], "minutes are deleted: {before:?} {after:?}");
    assert_eq!(counted(&reader.view().expect("open"), "without a cut"), DAY / EVERY + 2);

    for cut in 1..=total {
        let device = Device::holding(base.clone());
        device.power_off_at(cut);
        let n = span.start / EVERY;
        let safe = start(&device).map_or((n, n), |(mut writer, _)| run(&mut writer, span.clone()));
        for pattern in PATTERNS {
            let bytes = device.after_power_cut(|n| pattern >> (n % 6) & 1 == 1);
            assert_whole(bytes, safe, &format!("cut at write {cut} of {total}, pattern {pattern:b}"));
        }
    }
}

fn stored(writer: &Writer) -> [u64; 5] {
    writer.state.stored
}

#[test]
fn a_power_cut_at_any_write_of_compacting_loses_nothing() {
    let device = Device::holding(Vec::new());
    let (mut writer, _) = start(&device).expect("made");
    let model = |n: u64, row| Write::Model { name: format!("{n}"), row };
    writer.commit((0..30).map(|n| model(n, Some(vec![n as u8; 10_000]))).collect()).expect("room");
    run(&mut writer, 0..7200);
    writer.commit((0..29).map(|n| model(n, None)).collect()).expect("room");
    writer.commit(vec![note(1)]).expect("room");
    writer.close(at(7200)).expect("room");
    let base = device.bytes();

    let device = Device::holding(base.clone());
    let (mut writer, _) = start(&device).expect("a store");
    assert_eq!(writer.compact(), Ok(true));
    let total = device.n_writes();
    drop(writer);
    assert!(device.bytes().len() < base.len() * 3 / 4, "{} of {}", device.bytes().len(), base.len());
    for cut in 1..=total {
        let device = Device::holding(base.clone());
        device.power_off_at(cut);
        if let Ok((mut writer, _)) = start(&device) {
            let _ = writer.compact();
        }
        for pattern in PATTERNS {
            let what = format!("cut at write {cut} of {total}, pattern {pattern:b}");
            let bytes = device.after_power_cut(|n| pattern >> (n % 6) & 1 == 1);
            let (_writer, reader) = start(&Device::holding(bytes.clone())).unwrap_or_else(|e| panic!("{what}: {e}"));
            let view = reader.view().expect("open");
            assert_eq!((notes(&view).len(), view.model("29")), (1, Ok(Some(vec![29; 10_000]))), "{what}");
            drop((view, reader, _writer));
            assert_whole(bytes, (120, 120), &what);
        }
    }
}
