//! Block devices: bytes, operations, how busy and how slow.
//!
//! From `/proc/diskstats`. How full a file system is stands in `filesystem`. Invariant: the totals
//! count each byte once: of devices stacked on each other only the lowest.

use super::counter::{Counter, Devices, Step, note_refused, per_second};
use super::parse::{label, lines, number, words};
use super::table::Start;
use crate::base::Unit;
use crate::model::{Host, MetricDef, Round, SeriesKey, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::counter(
        "disk_read_bytes_per_second",
        Unit::BytesPerSecond,
        "Bytes read from the device; without label from all physical ones.",
    )
    .by(&["device"]),
    MetricDef::counter(
        "disk_write_bytes_per_second",
        Unit::BytesPerSecond,
        "Bytes written to the device; without label to all physical ones.",
    )
    .by(&["device"]),
    MetricDef::counter("disk_reads_per_second", Unit::PerSecond, "Read operations completed.").by(&["device"]),
    MetricDef::counter("disk_writes_per_second", Unit::PerSecond, "Write operations completed.").by(&["device"]),
    MetricDef::gauge("disk_busy_ratio", Unit::Ratio, "Share of time in which at least one operation was under way.")
        .by(&["device"]),
    MetricDef::gauge(
        "disk_read_latency_seconds",
        Unit::Seconds,
        "Mean time of the reads completed in the interval; absent without reads.",
    )
    .by(&["device"]),
    MetricDef::gauge(
        "disk_write_latency_seconds",
        Unit::Seconds,
        "Mean time of the writes completed in the interval; absent without writes.",
    )
    .by(&["device"]),
    MetricDef::gauge("disk_queue", Unit::Count, "Mean number of operations under way or waiting.").by(&["device"]),
    MetricDef::counter("disk_discard_bytes_per_second", Unit::BytesPerSecond, "Bytes given up to the device (trim).")
        .by(&["device"]),
    MetricDef::counter("disk_flushes_per_second", Unit::PerSecond, "Requests to the device to empty its own cache.")
        .by(&["device"]),
];

/// Sectors of diskstats are 512 bytes whatever the device's own are (kernel, admin-guide/iostats).
const SECTOR: f64 = 512.0;

/// Memory and files that only look like devices, and drives without a medium.
const SKIPPED: [&str; 6] = ["loop", "ram", "zram", "fd", "sr", "nullb"];

/// Made of other devices whose bytes are counted already.
const STACKED: [&str; 5] = ["dm-", "md", "bcache", "drbd", "zd"];

/// Reads `/proc/diskstats`.
pub(super) struct Disk {
    text: Vec<u8>,
    tick: u64,
    most: usize,
    ignored: Vec<String>,
    devices: Devices<Option<Device>>,
    read_total: SeriesKey,
    write_total: SeriesKey,
}

struct Device {
    /// Counts in the totals.
    physical: bool,
    /// Has been used: a drive that never was (an empty slot, an unused network device) has no series.
    used: bool,
    read_bytes: Counter,
    write_bytes: Counter,
    reads: Counter,
    writes: Counter,
    busy: (SeriesKey, Step),
    queue: (SeriesKey, Step),
    discarded: Counter,
    flushes: Counter,
    read_latency: Latency,
    write_latency: Latency,
}

struct Latency {
    key: SeriesKey,
    operations: Step,
    millis: Step,
}

/// What one line says.
struct Line<'a> {
    name: &'a [u8],
    reads: u64,
    sectors_read: u64,
    millis_reading: u64,
    writes: u64,
    sectors_written: u64,
    millis_writing: u64,
    millis_busy: u64,
    /// Time of all operations together.
    millis_waited: u64,
    sectors_discarded: u64,
    flushes: u64,
}

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    Box::new(Disk {
        text: Vec::new(),
        tick: 0,
        most: start.config.max_instances,
        ignored: start.config.ignore_devices.clone(),
        devices: Devices::new(start.config.max_instances),
        read_total: SeriesKey::total("disk_read_bytes_per_second"),
        write_total: SeriesKey::total("disk_write_bytes_per_second"),
    })
}

impl Source for Disk {
    fn name(&self) -> &'static str {
        "disk"
    }

    fn metrics(&self) -> &'static [MetricDef] {
        METRICS
    }

    fn collect(&mut self, host: &dyn Host, round: &mut Round) {
        self.tick += 1;
        let mut text = std::mem::take(&mut self.text);
        match host.read("/proc/diskstats", &mut text) {
            Ok(()) => self.read(&text, round),
            // A kernel without block devices, or a container that hides them.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => round.fault("disk", format!("/proc/diskstats: {error}")),
        }
        self.text = text;
    }
}

impl Disk {
    fn read(&mut self, text: &[u8], round: &mut Round) {
        // Of each direction the rate, where any part has one, and the sum.
        let mut totals: Option<[(Option<f64>, f64); 2]> = None;
        let mut place = 0;
        let mut whole: &[u8] = b"";
        for line in lines(text) {
            let Some(line) = parse(line) else {
                round.fault("disk", "/proc/diskstats: a line is not understood");
                continue;
            };
            // The kernel lists a disk before its partitions.
            if is_partition(line.name, whole) || SKIPPED.iter().any(|p| is_numbered(line.name, p)) {
                continue;
            }
            whole = line.name;
            let ignored = &self.ignored;
            let Some(device) = self.devices.get(self.tick, place, line.name, || Device::new(line.name, ignored)) else {
                continue;
            };
            place += 1;
            let Some(device) = device else { continue };
            let bytes = device.read(self.tick, &line, round);
            if device.physical {
                let totals = totals.get_or_insert_default();
                for ((rate, sum), (own, sectors)) in
                    totals.iter_mut().zip(bytes.into_iter().zip([line.sectors_read, line.sectors_written]))
                {
                    *rate = own.map(|own| own + rate.unwrap_or(0.0)).or(*rate);
                    *sum += sectors as f64 * SECTOR;
                }
            }
        }
        let keys = [&self.read_total, &self.write_total];
        for (key, (rate, sum)) in keys.into_iter().zip(totals.into_iter().flatten()) {
            if let Some(rate) = rate {
                round.counter(key, rate, sum);
            }
        }
        let refused = self.devices.sweep(self.tick);
        note_refused(round, "disk", "devices", refused, self.most);
    }
}

impl Device {
    /// `None` for a device the configuration leaves out.
    fn new(name: &[u8], ignored: &[String]) -> Option<Self> {
        let label = label(name);
        if super::config::any_matches(ignored, &label) {
            return None;
        }
        let key = |metric| SeriesKey::new(metric, [("device", label.as_str())]);
        let latency = |metric| Latency { key: key(metric), operations: Step::default(), millis: Step::default() };
        Some(Self {
            physical: !STACKED.iter().any(|p| is_numbered(name, p)),
            used: false,
            read_bytes: Counter::new(key("disk_read_bytes_per_second")),
            write_bytes: Counter::new(key("disk_write_bytes_per_second")),
            reads: Counter::new(key("disk_reads_per_second")),
            writes: Counter::new(key("disk_writes_per_second")),
            busy: (key("disk_busy_ratio"), Step::default()),
            queue: (key("disk_queue"), Step::default()),
            discarded: Counter::new(key("disk_discard_bytes_per_second")),
            flushes: Counter::new(key("disk_flushes_per_second")),
            read_latency: latency("disk_read_latency_seconds"),
            write_latency: latency("disk_write_latency_seconds"),
        })
    }

    /// Gives the rates of bytes read and written.
    fn read(&mut self, tick: u64, line: &Line<'_>, round: &mut Round) -> [Option<f64>; 2] {
        self.used |= line.reads > 0 || line.writes > 0;
        if !self.used {
            return [None; 2];
        }
        let read = self.read_bytes.read(round, tick, line.sectors_read, SECTOR);
        let written = self.write_bytes.read(round, tick, line.sectors_written, SECTOR);
        self.reads.read(round, tick, line.reads, 1.0);
        self.writes.read(round, tick, line.writes, 1.0);
        let (key, step) = &mut self.busy;
        if let Some(millis) = step.delta(tick, line.millis_busy).and_then(|d| per_second(d, round.since_previous)) {
            round.gauge(key, (millis / 1000.0).min(1.0));
        }
        let (key, step) = &mut self.queue;
        if let Some(millis) = step.delta(tick, line.millis_waited).and_then(|d| per_second(d, round.since_previous)) {
            round.gauge(key, millis / 1000.0);
        }
        // A device that can neither has no such series.
        if line.sectors_discarded > 0 {
            self.discarded.read(round, tick, line.sectors_discarded, SECTOR);
        }
        if line.flushes > 0 {
            self.flushes.read(round, tick, line.flushes, 1.0);
        }
        self.read_latency.read(tick, line.reads, line.millis_reading, round);
        self.write_latency.read(tick, line.writes, line.millis_writing, round);
        [read, written]
    }
}

impl Latency {
    fn read(&mut self, tick: u64, operations: u64, millis: u64, round: &mut Round) {
        let (operations, millis) = (self.operations.delta(tick, operations), self.millis.delta(tick, millis));
        if let (Some(operations), Some(millis), Some(_)) = (operations, millis, round.since_previous)
            && operations > 0
        {
            round.gauge(&self.key, millis as f64 / operations as f64 / 1000.0);
        }
    }
}

/// Fields as in the kernel's admin-guide/iostats.
fn parse(line: &[u8]) -> Option<Line<'_>> {
    let mut fields = words(line).skip(2);
    let name = fields.next()?;
    let mut values = [0; 11];
    for value in &mut values {
        *value = number(fields.next()?)?;
    }
    let [reads, _, sectors_read, millis_reading, writes, _, sectors_written, millis_writing, _, millis_busy, millis_waited] =
        values;
    // Discards since kernel 4.18, flushes since 5.5.
    let mut later = [0; 6];
    for (value, field) in later.iter_mut().zip(fields) {
        *value = number(field)?;
    }
    let [_, _, sectors_discarded, _, flushes, _] = later;
    Some(Line {
        name,
        reads,
        sectors_read,
        millis_reading,
        writes,
        sectors_written,
        millis_writing,
        millis_busy,
        millis_waited,
        sectors_discarded,
        flushes,
    })
}

/// Whether `name` is a partition of the disk `whole`: `sda1` of `sda`, `nvme0n1p2` of `nvme0n1`.
fn is_partition(name: &[u8], whole: &[u8]) -> bool {
    let Some(rest) = name.strip_prefix(whole).filter(|_| !whole.is_empty()) else { return false };
    let digits = match rest.strip_prefix(b"p") {
        Some(digits) => digits,
        None if whole.last().is_some_and(u8::is_ascii_digit) => return false,
        None => rest,
    };
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Whether `name` is `prefix` followed by digits, perhaps with a partition.
fn is_numbered(name: &[u8], prefix: &str) -> bool {
    name.strip_prefix(prefix.as_bytes()).is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::super::CollectConfig;
    use super::super::testing::{Script, mutated, total, value};
    use super::*;
    use proptest::prelude::*;

    const FIRST: &str = " 7 0 loop0 9 0 9 0 9 0 9 0 0 0 0\n 8 0 sda 100 0 2000 500 50 0 1000 100 0 1000 600 1 0 8 1 3 9\n 8 1 sda1 90 0 1900 500 50 0 1000 100 0 1000 600\n 253 0 dm-0 100 0 2000 500 50 0 1000 100 0 1000 600\n 8 16 sdb 0 0 0 0 0 0 0 0 0 0 0\n";
    const SECOND: &str = " 7 0 loop0 9 0 9 0 9 0 9 0 0 0 0\n 8 0 sda 110 0 4000 600 50 0 1000 100 0 1250 1100 2 0 16 1 5 9\n 8 1 sda1 99 0 3900 600 50 0 1000 100 0 1250 700\n 253 0 dm-0 110 0 4000 600 50 0 1000 100 0 1250 700\n 8 16 sdb 0 0 0 0 0 0 0 0 0 0 0\n";

    #[test]
    fn whole_disks_have_series_and_bytes_count_once() {
        let mut script = Script::new(make);
        script.file("/proc/diskstats", FIRST);
        assert!(script.round().readings.is_empty());
        script.file("/proc/diskstats", SECOND);
        let round = script.round();
        assert_eq!(value(&round, r#"disk_read_bytes_per_second{device="sda"}"#), Some(1_024_000.0));
        assert_eq!(value(&round, r#"disk_busy_ratio{device="sda"}"#), Some(0.25));
        assert_eq!(value(&round, r#"disk_read_latency_seconds{device="sda"}"#), Some(0.01));
        assert_eq!(value(&round, r#"disk_write_latency_seconds{device="sda"}"#), None, "no writes, no latency");
        let sda = |metric: &str| value(&round, &format!("{metric}{{device=\"sda\"}}"));
        let rates = ["disk_queue", "disk_discard_bytes_per_second", "disk_flushes_per_second"].map(sda);
        assert_eq!(rates, [Some(0.5), Some(4096.0), Some(2.0)]);
        assert_eq!(value(&round, r#"disk_flushes_per_second{device="dm-0"}"#), None, "it has no cache of its own");
        assert_eq!(total(&round, "disk_read_bytes_per_second"), Some(1_024_000.0));
        let mut devices: Vec<&str> = round.readings.iter().filter_map(|r| r.key.label("device")).collect();
        devices.sort_unstable();
        devices.dedup();
        assert_eq!(devices, ["dm-0", "sda"]);
    }

    #[test]
    fn partitions_are_told_from_disks() {
        for (name, whole, expected) in [
            ("sda1", "sda", true),
            ("sdaa", "sda", false),
            ("nvme0n1p2", "nvme0n1", true),
            ("nvme0n10", "nvme0n1", false),
            ("dm-10", "dm-1", false),
            ("mmcblk0p1", "mmcblk0", true),
            ("xvda1", "", false),
        ] {
            assert_eq!(is_partition(name.as_bytes(), whole.as_bytes()), expected, "{name} of {whole}");
        }
    }

    #[test]
    fn a_disk_put_back_in_gives_no_spike() {
        let mut script = Script::new(make);
        for text in [FIRST, "", SECOND] {
            script.file("/proc/diskstats", text);
            let round = script.round();
            assert_eq!(round.readings, [], "no rate is known, and so no total");
        }
    }

    #[test]
    fn devices_can_be_left_out() {
        let config = CollectConfig { ignore_devices: vec!["sd*".to_owned()], ..CollectConfig::default() };
        let mut script = Script::with(make, &config);
        script.file("/proc/diskstats", FIRST);
        script.round();
        assert!(script.round().readings.iter().all(|r| r.key.label("device") != Some("sda")));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in mutated(SECOND)) {
            let mut script = Script::new(make);
            for text in [FIRST.as_bytes(), &text, SECOND.as_bytes()] {
                script.bytes("/proc/diskstats", text);
                prop_assert!(script.round().readings.iter().all(|r| r.value.is_finite() && r.value >= 0.0));
            }
        }
    }
}
