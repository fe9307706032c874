//! What the history costs on disk and how fast it answers, in simulated time.
//!
//! `cargo bench --bench store` records a day of 300 series at 1 s into a file, counts every byte written, then adds
//! minutes for a month and asks for charts, and opens a large store after a kill. It prints figures and fails
//! where a limit is broken.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use farol::base::{TimeRange, Timestamp};
use farol::model::{Reading, Resolution, SeriesKey, SeriesSource};
use farol::store::{Store, StoreConfig, Writer};
use redb::StorageBackend;
use redb::backends::FileBackend;

/// 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp(1_767_225_600_000);
const SERIES: usize = 300;
/// Seconds of a day.
const DAY: u64 = 86_400;

/// A file whose writes are counted.
#[derive(Debug)]
struct Counted {
    file: FileBackend,
    bytes: AtomicU64,
}

impl Counted {
    #[allow(deprecated, reason = "the version after this one changes only the return type")]
    fn open(path: &Path) -> Arc<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).expect("a file");
        Arc::new(Self { file: FileBackend::new(file).expect("a file"), bytes: AtomicU64::new(0) })
    }
}

impl StorageBackend for Counted {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
        self.file.write(offset, data)
    }
}

/// A machine's series from a seeded generator: of ten, four that hardly move, three quantized gauges, one slow rise,
/// and two noisy rates.
struct Machine {
    keys: Vec<SeriesKey>,
    walk: Vec<f64>,
    seed: u64,
}

impl Machine {
    fn new() -> Self {
        let keys = (0..SERIES).map(|n| SeriesKey::new("bench", [("n", n.to_string().as_str())])).collect();
        Self { keys, walk: vec![0.5; SERIES], seed: 42 }
    }

    /// xorshift64*, 0–1.
    fn random(&mut self) -> f64 {
        self.seed ^= self.seed >> 12;
        self.seed ^= self.seed << 25;
        self.seed ^= self.seed >> 27;
        (self.seed.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn round(&mut self, second: u64) -> Vec<Reading> {
        (0..SERIES).map(|n| self.reading(n, second)).collect()
    }

    fn reading(&mut self, n: usize, second: u64) -> Reading {
        let (change, noise) = (self.random(), self.random());
        let daily = (second as f64 / 86_400.0 * std::f64::consts::TAU).sin();
        let (value, rate) = match n % 10 {
            0..=3 => {
                if change < 0.001 {
                    self.walk[n] = (noise * 100.0).round();
                }
                (self.walk[n], n.is_multiple_of(4))
            }
            // CPU in hundredths, load, temperatures.
            4..=6 => {
                self.walk[n] = (self.walk[n] + (noise - 0.5) * 0.06 + (0.4 + 0.2 * daily - self.walk[n]) * 0.05).clamp(0.0, 1.0);
                ((self.walk[n] * 100.0).round() / 100.0, false)
            }
            // Memory and disks, in pages.
            7 => {
                self.walk[n] += (noise - 0.45) * 40.0;
                (8e9 + self.walk[n].round() * 4096.0, false)
            }
            // Bytes and operations, with bursts.
            8 => (if change < 0.05 { noise * 5e7 } else { 2e4 * (1.0 + daily * 0.5) * (0.8 + noise * 0.4) }, true),
            _ => (if change < 0.6 { 0.0 } else { (noise * 40.0).round() / 1.003 }, true),
        };
        Reading { key: self.keys[n].clone(), value, cumulative: rate.then_some(value * 7.0) }
    }
}

fn record(writer: &mut Writer, machine: &mut Machine, seconds: impl Iterator<Item = u64>, flush: u64) {
    for second in seconds {
        // Rounds are a few milliseconds late, as real ones are.
        let jitter = (machine.random() * 4.0) as u64;
        let at = START + Duration::from_millis(second * 1000 + jitter);
        let readings = machine.round(second);
        writer.push(at, &readings);
        if second % flush == 0 {
            writer.flush(at).expect("room");
            while writer.maintain(at).expect("room") {}
        }
    }
}

/// Bytes this process handed to the system for writing; 0 where that is not told.
fn process_writes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("wchar: "));
    line.and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn check(what: &str, found: f64, limit: f64, unit: &str) -> bool {
    let good = found <= limit;
    println!("{} {what}: {found:.2} {unit} (limit {limit})", if good { "ok  " } else { "OVER" });
    good
}

/// A day at 1 s: bytes written, bytes kept, size of the file.
fn day(folder: &Path) -> bool {
    let path = folder.join("day.redb");
    let device = Counted::open(&path);
    let (mut writer, reader) = Store::open_with(device.clone(), &StoreConfig::default()).expect("a store");
    let mut machine = Machine::new();
    let (seconds, before, began) = (DAY, process_writes(), Instant::now());
    record(&mut writer, &mut machine, 1..=seconds, 10);
    let (written, took) = (device.bytes.load(Ordering::Relaxed), began.elapsed());
    let told = process_writes() - before;
    let stats = reader.view().and_then(|v| v.stats()).expect("readable");
    drop(reader);
    let blocks = stats.iter().find(|t| t.table == "block").map_or(0, |t| t.stored_bytes);
    let samples = (seconds * SERIES as u64) as f64;
    println!("     recorded and compacted a day in {took:.1?}, {:.3} % of a core", took.as_secs_f64() / seconds as f64 * 100.0);
    println!("     /proc/self/io says {:.2} KiB/s", told as f64 / 1024.0 / seconds as f64);
    [
        check("written", written as f64 / 1024.0 / seconds as f64, 6.0, "KiB/s"),
        check("kept in blocks", blocks as f64 / samples, 2.0, "bytes a sample, rollups included"),
        check("a second on disk", blocks as f64 / seconds as f64, 600.0, "bytes"),
        size(writer, &path, blocks),
        charts(&Store::open(&path, &StoreConfig::default()).expect("closed").1, seconds, "a day"),
    ]
    .iter()
    .all(|good| *good)
}

/// What the file takes on disk while it is recorded into, and its length once that ended. In between its length is up to twice
/// what was ever written, because it doubles where it grows: the rest is a hole, which takes nothing.
fn size(writer: Writer, path: &Path, blocks: u64) -> bool {
    let (mebi, limit) = (1_048_576.0, blocks as f64 * 1.5 / 1_048_576.0 + 4.0);
    let file = std::fs::metadata(path).expect("there");
    println!("     blocks {:.2} MiB, length while recording {:.2} MiB", blocks as f64 / mebi, file.len() as f64 / mebi);
    // The unit of st_blocks, whatever the file system's own.
    let taken = std::os::unix::fs::MetadataExt::blocks(&file) * 512;
    writer.close(START + Duration::from_secs(DAY)).expect("room");
    let closed = std::fs::metadata(path).expect("there").len();
    let good = check("file on disk while recording", taken as f64 / mebi, limit, "MiB");
    check("file after a clean end", closed as f64 / mebi, limit, "MiB") && good
}

/// Charts of a thousand points over ranges up to all there is.
fn charts(reader: &farol::store::Reader, seconds: u64, what: &str) -> bool {
    let to = START + Duration::from_secs(seconds);
    let mut worst = (Duration::ZERO, Duration::ZERO, 0);
    for length in [600, 3600, 9900, 35_000, 59_000, 86_400, 7 * 86_400, 30 * 86_400].into_iter().filter(|l| *l <= seconds) {
        let range = TimeRange::last(Duration::from_secs(length), to);
        let resolution = Resolution::for_step(Duration::from_secs(length) / 1000);
        for n in [4, 7, 8, 9] {
            let key = SeriesKey::new("bench", [("n", n.to_string().as_str())]);
            let took = (0..5).map(|_| {
                let began = Instant::now();
                let points = reader.view().expect("open").points(&key, range, resolution).expect("readable");
                (began.elapsed(), points.buckets.len())
            });
            let (took, n) = took.min().expect("five tries");
            worst = worst.max((took, Duration::from_secs(length), n));
        }
    }
    println!("     slowest chart: {} h, {} buckets", worst.1.as_secs() / 3600, worst.2);
    check(&format!("chart of 1,000 points from {what}"), worst.0.as_secs_f64() * 1000.0, 5.0, "ms")
}

/// A month, sampled every ten seconds.
fn month(folder: &Path) -> bool {
    let (mut writer, reader) = Store::open(&folder.join("month.redb"), &StoreConfig::default()).expect("a store");
    let seconds = 31 * 86_400;
    record(&mut writer, &mut Machine::new(), (1..=seconds).step_by(20), 601);
    charts(&reader, seconds, "a month")
}

/// Size of the file that is opened after a kill.
const LARGE: u64 = 1 << 30;
/// Argument by which the bench starts itself as the recorder that is to be killed.
const VICTIM: &str = "--victim";

/// Opening a store of 1 GiB whose recorder was killed.
fn killed(folder: &Path) -> bool {
    let path = folder.join("large.redb");
    let (mut writer, _) = Store::open(&path, &StoreConfig::default()).expect("a store");
    record(&mut writer, &mut Machine::new(), 1..=DAY, 60);
    writer.close(START + Duration::from_secs(DAY)).expect("room");
    let days = repeat(&path);
    let good: Vec<bool> = (0..3)
        .map(|_| {
            let mut recorder = std::process::Command::new(std::env::current_exe().expect("this bench"))
                .args([VICTIM, path.to_str().expect("a plain path"), &days.to_string()])
                .stdout(std::process::Stdio::piped())
                .spawn()
                .expect("it starts");
            let mut told = String::new();
            let out = recorder.stdout.as_mut().expect("piped");
            io::BufRead::read_line(&mut io::BufReader::new(out), &mut told).expect("it tells when it records");
            recorder.kill().expect("it lives");
            recorder.wait().expect("a child");
            let began = Instant::now();
            let (writer, reader) = Store::open(&path, &StoreConfig::default()).expect("a store");
            let took = began.elapsed();
            print!("     {} MiB; {}", writer.health().file_bytes >> 20, told);
            drop(reader.view().expect("open"));
            check("open after a kill", took.as_secs_f64() * 1000.0, 200.0, "ms")
        })
        .collect();
    good.iter().all(|g| *g)
}

/// Copies the blocks of the first day to the days after it until the file is large; how many days.
fn repeat(path: &Path) -> u64 {
    let table: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new("block");
    let database = redb::Database::open(path).expect("closed");
    let reading = redb::ReadableDatabase::begin_read(&database).expect("open");
    let day: Vec<(Vec<u8>, Vec<u8>)> = reading
        .open_table(table)
        .expect("a table")
        .range::<&[u8]>(..)
        .expect("readable")
        .map(|row| row.map(|(k, v)| (k.value().to_vec(), v.value().to_vec())).expect("readable"))
        .collect();
    drop(reading);
    let mut days = 1;
    while std::fs::metadata(path).expect("there").len() < LARGE {
        let mut txn = database.begin_write().expect("room");
        txn.set_quick_repair(true);
        let mut blocks = txn.open_table(table).expect("a table");
        for (key, row) in &day {
            let mut key = key.clone();
            let time: [u8; 8] = key[1..9].try_into().expect("kind, then time");
            key[1..9].copy_from_slice(&(u64::from_be_bytes(time) + days * DAY * 1000).to_be_bytes());
            blocks.insert(key.as_slice(), row.as_slice()).expect("room");
        }
        drop(blocks);
        txn.commit().expect("room");
        days += 1;
    }
    days
}

/// Records on, tells what a flush costs in a file of this size, and goes on until killed.
fn victim(path: &Path, days: u64) -> ! {
    let device = Counted::open(path);
    let (mut writer, _reader) = Store::open_with(device.clone(), &StoreConfig::default()).expect("a store");
    let (mut machine, start) = (Machine::new(), days * DAY);
    record(&mut writer, &mut machine, start + 1..start + 601, 10);
    let before = device.bytes.load(Ordering::Relaxed);
    record(&mut writer, &mut machine, start + 601..start + 1201, 10);
    let written = device.bytes.load(Ordering::Relaxed) - before;
    println!("{:.2} KiB/s are written into it", written as f64 / 1024.0 / 600.0);
    for second in start + 1201.. {
        record(&mut writer, &mut machine, second..second + 1, 1);
    }
    unreachable!("seconds do not end")
}

/// One part of the bench; gives whether every bound held.
type Part = fn(&Path) -> bool;

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let mut args = std::env::args().skip_while(|a| a != VICTIM).skip(1);
    if let Some((path, days)) = args.next().zip(args.next()) {
        victim(Path::new(&path), days.parse().expect("a number"));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let parts: [(&str, Part); 3] = [("day", day), ("month", month), ("killed", killed)];
    let wanted = std::env::args().nth(1).filter(|a| !a.starts_with('-'));
    let chosen = parts.iter().filter(|(name, _)| wanted.as_deref().is_none_or(|w| w == *name));
    let good: Vec<bool> = chosen.map(|(_, part)| part(folder.path())).collect();
    assert!(good.iter().all(|g| *g), "a limit is broken");
}
