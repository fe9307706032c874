//! Which series the machine has, and where each value comes from.
//!
//! Names, labels and units are those of the real sources. Invariant: readings come out sorted by key, and a
//! counter gives no reading before it has a rate.

use super::figures::{CORES, Figures, MEMORY, SWAP};
use super::process::{PASSING, PASSING_SECONDS};
use crate::model::{Reading, SeriesKey};

const GIB: f64 = 1_073_741_824.0;
const LINK: f64 = 1e9;
/// Sizes of `/`, `/var`, `/backup` and `/boot`.
const SIZES: [f64; 4] = [62.0 * GIB, 100.0 * GIB, 1000.0 * GIB, 0.5 * GIB];
/// Mean size of a packet, of a read and of a write, in bytes.
const PACKET: f64 = 900.0;
const OPERATION: f64 = 24_576.0;

/// Whether a value stands for itself or is the rate of a count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gauge,
    Counter,
}

/// One series: its metric, its label, where it has one, and its value.
struct Row(&'static str, Option<(&'static str, &'static str)>, Kind, fn(&Figures) -> f64);

macro_rules! rows {
    ($($kind:ident $metric:literal $(, $label:ident = $value:literal)? => $f:expr;)+) => {
        &[$(Row($metric, rows!(@label $($label = $value)?), Kind::$kind, $f)),+]
    };
    (@label $label:ident = $value:literal) => { Some((stringify!($label), $value)) };
    (@label) => { None };
}

#[rustfmt::skip]
const ROWS: &[Row] = rows![
    Gauge "cpu_usage_ratio" => |f| f.cpu;
    Gauge "cpu_mode_ratio", mode = "user" => |f| f.user;
    Gauge "cpu_mode_ratio", mode = "system" => |f| f.system;
    Gauge "cpu_mode_ratio", mode = "nice" => |_| 0.0;
    Gauge "cpu_mode_ratio", mode = "iowait" => |f| f.iowait;
    Gauge "cpu_mode_ratio", mode = "irq" => |_| 0.0;
    Gauge "cpu_mode_ratio", mode = "softirq" => |f| f.softirq;
    Gauge "cpu_mode_ratio", mode = "steal" => |f| f.steal;
    Gauge "cpu_mode_ratio", mode = "guest" => |_| 0.0;
    Gauge "cpu_mode_ratio", mode = "idle" => |f| f.idle;
    Gauge "load_average", window = "1m" => |f| f.load[0];
    Gauge "load_average", window = "5m" => |f| f.load[1];
    Gauge "load_average", window = "15m" => |f| f.load[2];
    Counter "context_switches_per_second" => |f| 1800.0 + 42_000.0 * f.cpu;
    Counter "interrupts_per_second" => |f| 900.0 + 21_000.0 * f.cpu;
    Counter "forks_per_second" => |f| f.forks;
    Gauge "process_short_lived_per_second" => |f| PASSING * f.forks;
    Gauge "process_short_lived_cpu_usage_ratio" => |f| PASSING * PASSING_SECONDS * f.forks;
    Gauge "processes", state = "running" => |f| f.running;
    Gauge "processes", state = "sleeping" => |f| (f.processes - f.running - 34.0).max(0.0);
    Gauge "processes", state = "disk_sleep" => |f| (f.iowait * 20.0).floor();
    Gauge "processes", state = "stopped" => |_| 0.0;
    Gauge "processes", state = "zombie" => |_| 0.0;
    Gauge "processes", state = "idle" => |_| 34.0;
    Gauge "threads" => |f| f.threads;
    Gauge "pids_used_ratio" => |f| f.threads / 32_768.0;
    Gauge "file_descriptors_used_ratio" => |f| (2400.0 + 2.0 * f.established) / 1_048_576.0;
    Gauge "uptime_seconds" => |f| f.uptime;
    Gauge "memory_total_bytes" => |_| MEMORY;
    Gauge "memory_used_bytes" => |f| f.memory_used * MEMORY;
    Gauge "memory_available_bytes" => |f| (1.0 - f.memory_used) * MEMORY;
    Gauge "memory_cached_bytes" => |f| f.cached;
    Gauge "memory_buffers_bytes" => |f| 0.09 * f.cached;
    Gauge "memory_dirty_bytes" => |f| f.dirty;
    Gauge "memory_slab_bytes" => |f| 0.5 * GIB + 0.03 * f.cached;
    Gauge "memory_used_ratio" => |f| f.memory_used;
    Gauge "swap_total_bytes" => |_| SWAP;
    Gauge "swap_used_bytes" => |f| f.swap_used * SWAP;
    Gauge "swap_used_ratio" => |f| f.swap_used;
    Counter "swap_in_bytes_per_second" => |f| f.swap_in;
    Counter "swap_out_bytes_per_second" => |f| f.swap_out;
    Counter "major_faults_per_second" => |f| f.swap_in / 4096.0;
    Counter "oom_kills_per_second" => |_| 0.0;
    Gauge "filesystem_size_bytes", mount = "/" => |_| SIZES[0];
    Gauge "filesystem_size_bytes", mount = "/var" => |_| SIZES[1];
    Gauge "filesystem_size_bytes", mount = "/backup" => |_| SIZES[2];
    Gauge "filesystem_size_bytes", mount = "/boot" => |_| SIZES[3];
    Gauge "filesystem_used_bytes", mount = "/" => |f| f.root_used * SIZES[0];
    Gauge "filesystem_used_bytes", mount = "/var" => |f| f.var_used * SIZES[1];
    Gauge "filesystem_used_bytes", mount = "/backup" => |f| f.backup_used * SIZES[2];
    Gauge "filesystem_used_bytes", mount = "/boot" => |_| 0.31 * SIZES[3];
    Gauge "filesystem_available_bytes", mount = "/" => |f| (1.0 - f.root_used) * SIZES[0];
    Gauge "filesystem_available_bytes", mount = "/var" => |f| (1.0 - f.var_used) * SIZES[1];
    Gauge "filesystem_available_bytes", mount = "/backup" => |f| (1.0 - f.backup_used) * SIZES[2];
    Gauge "filesystem_available_bytes", mount = "/boot" => |_| 0.69 * SIZES[3];
    Gauge "filesystem_used_ratio", mount = "/" => |f| f.root_used;
    Gauge "filesystem_used_ratio", mount = "/var" => |f| f.var_used;
    Gauge "filesystem_used_ratio", mount = "/backup" => |f| f.backup_used;
    Gauge "filesystem_used_ratio", mount = "/boot" => |_| 0.31;
    Gauge "filesystem_inodes_used_ratio", mount = "/" => |f| 0.11 * f.root_used;
    Gauge "filesystem_inodes_used_ratio", mount = "/var" => |f| 0.34 * f.var_used;
    Gauge "filesystem_inodes_used_ratio", mount = "/backup" => |_| 0.06;
    Gauge "filesystem_inodes_used_ratio", mount = "/boot" => |_| 0.01;
    Gauge "filesystem_read_only", mount = "/" => |_| 0.0;
    Gauge "filesystem_read_only", mount = "/var" => |_| 0.0;
    Gauge "filesystem_read_only", mount = "/backup" => |_| 0.0;
    Gauge "filesystem_read_only", mount = "/boot" => |_| 0.0;
    Counter "disk_read_bytes_per_second", device = "nvme0n1" => |f| f.read;
    Counter "disk_read_bytes_per_second", device = "sda" => |f| 0.002 * f.read;
    Counter "disk_write_bytes_per_second", device = "nvme0n1" => |f| f.written;
    Counter "disk_write_bytes_per_second", device = "sda" => |f| 0.01 * f.written;
    Counter "disk_reads_per_second", device = "nvme0n1" => |f| f.read / OPERATION;
    Counter "disk_reads_per_second", device = "sda" => |f| 0.002 * f.read / OPERATION;
    Counter "disk_writes_per_second", device = "nvme0n1" => |f| f.written / OPERATION;
    Counter "disk_writes_per_second", device = "sda" => |f| 0.01 * f.written / OPERATION;
    Gauge "disk_busy_ratio", device = "nvme0n1" => |f| f.busy;
    Gauge "disk_busy_ratio", device = "sda" => |f| 0.05 * f.busy;
    Gauge "disk_read_latency_seconds", device = "nvme0n1" => |f| 0.0004 / (1.02 - f.busy);
    Gauge "disk_read_latency_seconds", device = "sda" => |f| 0.0061 / (1.1 - 0.05 * f.busy);
    Gauge "disk_write_latency_seconds", device = "nvme0n1" => |f| 0.0003 / (1.02 - f.busy);
    Gauge "disk_write_latency_seconds", device = "sda" => |f| 0.0049 / (1.1 - 0.05 * f.busy);
    Counter "network_receive_bytes_per_second" => |f| f.receive;
    Counter "network_receive_bytes_per_second", interface = "eth0" => |f| f.receive;
    Counter "network_receive_bytes_per_second", interface = "lo" => |f| f.loopback;
    Counter "network_transmit_bytes_per_second" => |f| f.transmit;
    Counter "network_transmit_bytes_per_second", interface = "eth0" => |f| f.transmit;
    Counter "network_transmit_bytes_per_second", interface = "lo" => |f| f.loopback;
    Counter "network_receive_packets_per_second", interface = "eth0" => |f| f.receive / PACKET + 3.0 * f.syn_recv;
    Counter "network_receive_packets_per_second", interface = "lo" => |f| f.loopback / PACKET;
    Counter "network_transmit_packets_per_second", interface = "eth0" => |f| f.transmit / PACKET + 2.0 * f.syn_recv;
    Counter "network_transmit_packets_per_second", interface = "lo" => |f| f.loopback / PACKET;
    Counter "network_receive_errors_per_second", interface = "eth0" => |_| 0.0;
    Counter "network_transmit_errors_per_second", interface = "eth0" => |_| 0.0;
    Counter "network_receive_drops_per_second", interface = "eth0" => |f| (f.syn_recv - 200.0).max(0.0) * 0.4;
    Counter "network_transmit_drops_per_second", interface = "eth0" => |_| 0.0;
    Gauge "network_link_bits_per_second", interface = "eth0" => |_| LINK;
    Gauge "tcp_connections", state = "established" => |f| f.established.round();
    Gauge "tcp_connections", state = "syn_recv" => |f| f.syn_recv.round();
    Gauge "tcp_connections", state = "time_wait" => |f| f.time_wait.round();
    Gauge "tcp_connections", state = "close_wait" => |f| (6.0 + 40.0 * f.starved).round();
    Gauge "tcp_connections", state = "listen" => |_| 21.0;
    Counter "tcp_retransmits_per_second" => |f| f.retransmits;
    Gauge "sockets_used" => |f| (310.0 + f.established + f.syn_recv).round();
    Gauge "conntrack_used_ratio" => |f| ((1.4 * f.established + f.syn_recv + f.time_wait) / 65_536.0).min(1.0);
    Gauge "pressure_some_ratio", resource = "cpu" => |f| ((f.cpu - 0.35) * 0.45).max(0.0);
    Gauge "pressure_some_ratio", resource = "io" => |f| (0.8 * f.iowait).min(1.0);
    Gauge "pressure_some_ratio", resource = "memory" => |f| 0.24 * f.starved;
    Gauge "pressure_full_ratio", resource = "cpu" => |_| 0.0;
    Gauge "pressure_full_ratio", resource = "io" => |f| (0.35 * f.iowait).min(1.0);
    Gauge "pressure_full_ratio", resource = "memory" => |f| 0.08 * f.starved;
    Gauge "temperature_celsius", sensor = "Core 0" => |f| 41.0 + 38.0 * f.heat;
    Gauge "temperature_celsius", sensor = "Core 1" => |f| 43.0 + 37.0 * f.heat;
    Gauge "temperature_celsius", sensor = "nvme" => |f| 44.0 + 14.0 * f.busy.min(0.9);
    Gauge "fan_rpm", sensor = "cpu" => |f| 900.0 + 2400.0 * f.heat;
    Gauge "power_watts", sensor = "package" => |f| 28.0 + 92.0 * f.cpu;
];

/// One series with its count so far.
struct Course {
    key: SeriesKey,
    kind: Kind,
    value: Value,
    count: f64,
}

enum Value {
    Figure(fn(&Figures) -> f64),
    Core(usize),
    Frequency(usize),
}

/// All series, by key.
pub(super) struct Board(Vec<Course>);

impl Board {
    pub(super) fn new() -> Self {
        let figure =
            |row: &Row| Course { key: SeriesKey::new(row.0, row.1), kind: row.2, value: Value::Figure(row.3), count: 0.0 };
        let core = |metric: &str, core: usize, value| Course {
            key: SeriesKey::new(metric, [("core", core.to_string().as_str())]),
            kind: Kind::Gauge,
            value,
            count: 0.0,
        };
        let mut all: Vec<Course> = ROWS.iter().map(figure).collect();
        all.extend((0..CORES).map(|i| core("cpu_usage_ratio", i, Value::Core(i))));
        all.extend((0..CORES).map(|i| core("cpu_frequency_hertz", i, Value::Frequency(i))));
        all.sort_by(|a, b| a.key.cmp(&b.key));
        Self(all)
    }

    /// The readings of one moment, by key; `seconds` since the one before, `None` at the first.
    pub(super) fn read(&mut self, figures: &Figures, seconds: Option<f64>) -> Vec<Reading> {
        let mut readings = Vec::with_capacity(self.0.len());
        for course in &mut self.0 {
            let value = match course.value {
                Value::Figure(f) => f(figures),
                Value::Core(core) => figures.cores[core],
                // Busy cores run faster.
                Value::Frequency(core) => (figures.frequency * (0.9 + 0.2 * figures.cores[core])).round(),
            };
            let cumulative = match (course.kind, seconds) {
                (Kind::Gauge, _) => None,
                (Kind::Counter, None) => continue,
                (Kind::Counter, Some(seconds)) => {
                    course.count += value * seconds;
                    Some(course.count.floor())
                }
            };
            readings.push(Reading { key: course.key.clone(), value, cumulative });
        }
        readings
    }
}
