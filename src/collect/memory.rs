//! Memory and swap: how much there is, what it is used for, and what moves to and from disk.
//!
//! From `/proc/meminfo` and `/proc/vmstat`. Invariant: used is total less available, as `free` says
//! it; caches that can be given up do not count as used.

use super::counter::Counter;
use super::parse::{lines, number, split_once, words};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, Host, MetricDef, Round, SeriesKey, Source};

const fn size(name: &'static str, help: &'static str) -> MetricDef {
    MetricDef::gauge(name, Unit::Bytes, help).good(GoodDirection::Neither)
}

pub(super) const METRICS: &[MetricDef] = &[
    size("memory_total_bytes", "Memory the kernel can give out."),
    size("memory_used_bytes", "Memory that cannot be given to a new program without swapping: total less available."),
    size("memory_available_bytes", "Memory a new program can have without swapping, by the kernel's estimate.")
        .good(GoodDirection::Up),
    size("memory_cached_bytes", "File contents kept in memory."),
    size("memory_buffers_bytes", "Blocks of devices kept in memory."),
    size("memory_dirty_bytes", "File contents not yet written to their device."),
    size("memory_slab_bytes", "Memory of the kernel's own objects."),
    MetricDef::gauge("memory_used_ratio", Unit::Ratio, "Share of memory that is not available: 1 - available / total."),
    size("swap_total_bytes", "Size of all swap areas."),
    size("swap_used_bytes", "Swap in use."),
    MetricDef::gauge("swap_used_ratio", Unit::Ratio, "Share of swap in use; absent without swap."),
    MetricDef::counter("swap_in_bytes_per_second", Unit::BytesPerSecond, "Memory read back from swap.").good(GoodDirection::Down),
    MetricDef::counter("swap_out_bytes_per_second", Unit::BytesPerSecond, "Memory written to swap.").good(GoodDirection::Down),
    MetricDef::counter("major_faults_per_second", Unit::PerSecond, "Accesses to memory that had to be read from disk.")
        .good(GoodDirection::Down),
    MetricDef::counter("oom_kills_per_second", Unit::PerSecond, "Processes killed for lack of memory.").good(GoodDirection::Down),
];

/// Names in `/proc/meminfo`, in the order of [`Sizes`].
const FIELDS: [&[u8]; 8] = [b"MemTotal", b"MemAvailable", b"Cached", b"Buffers", b"Dirty", b"Slab", b"SwapTotal", b"SwapFree"];

/// Bytes by the order of [`FIELDS`].
type Sizes = [Option<u64>; 8];

/// Reads `/proc/meminfo` and `/proc/vmstat`.
pub(super) struct Memory {
    text: Vec<u8>,
    tick: u64,
    page: f64,
    used: SeriesKey,
    used_ratio: SeriesKey,
    swap_used: SeriesKey,
    swap_used_ratio: SeriesKey,
    /// Those that are given as they are, with their place in [`FIELDS`].
    plain: [(usize, SeriesKey); 7],
    swap_in: Counter,
    swap_out: Counter,
    major_faults: Counter,
    oom_kills: Counter,
}

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    let counter = |name| Counter::new(SeriesKey::total(name));
    let plain = [
        (0, "memory_total_bytes"),
        (1, "memory_available_bytes"),
        (2, "memory_cached_bytes"),
        (3, "memory_buffers_bytes"),
        (4, "memory_dirty_bytes"),
        (5, "memory_slab_bytes"),
        (6, "swap_total_bytes"),
    ];
    Box::new(Memory {
        text: Vec::new(),
        tick: 0,
        page: super::auxiliary::page_size(start.host.as_ref()) as f64,
        used: SeriesKey::total("memory_used_bytes"),
        used_ratio: SeriesKey::total("memory_used_ratio"),
        swap_used: SeriesKey::total("swap_used_bytes"),
        swap_used_ratio: SeriesKey::total("swap_used_ratio"),
        plain: plain.map(|(at, name)| (at, SeriesKey::total(name))),
        swap_in: counter("swap_in_bytes_per_second"),
        swap_out: counter("swap_out_bytes_per_second"),
        major_faults: counter("major_faults_per_second"),
        oom_kills: counter("oom_kills_per_second"),
    })
}

impl Source for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn metrics(&self) -> &'static [MetricDef] {
        METRICS
    }

    fn collect(&mut self, host: &dyn Host, round: &mut Round) {
        self.tick += 1;
        match host.read("/proc/meminfo", &mut self.text) {
            Ok(()) => self.sizes(&parse_meminfo(&self.text), round),
            Err(error) => round.fault("memory", format!("/proc/meminfo: {error}")),
        }
        match host.read("/proc/vmstat", &mut self.text) {
            Ok(()) => self.rates(round),
            Err(error) => round.fault("memory", format!("/proc/vmstat: {error}")),
        }
    }
}

impl Memory {
    fn sizes(&self, sizes: &Sizes, round: &mut Round) {
        for (at, key) in &self.plain {
            if let Some(bytes) = sizes[*at] {
                round.gauge(key, bytes as f64);
            }
        }
        let [total, available, .., swap_total, swap_free] = *sizes;
        match (total, available) {
            (Some(total), Some(available)) if total > 0 => {
                let used = total.saturating_sub(available) as f64;
                round.gauge(&self.used, used);
                round.gauge(&self.used_ratio, used / total as f64);
            }
            _ => round.fault("memory", "/proc/meminfo: no MemTotal or MemAvailable"),
        }
        if let (Some(total), Some(free)) = (swap_total, swap_free) {
            let used = total.saturating_sub(free) as f64;
            round.gauge(&self.swap_used, used);
            if total > 0 {
                round.gauge(&self.swap_used_ratio, used / total as f64);
            }
        }
    }

    fn rates(&mut self, round: &mut Round) {
        let (tick, page) = (self.tick, self.page);
        // A line is longer than any of these names: most of the two hundred are dismissed by their first letters.
        for line in lines(&self.text) {
            let counter = match line {
                [b'p', b's', b'w', b'p', b'i', b'n', b' ', value @ ..] => Some((&mut self.swap_in, value, page)),
                [b'p', b's', b'w', b'p', b'o', b'u', b't', b' ', value @ ..] => Some((&mut self.swap_out, value, page)),
                _ => line
                    .strip_prefix(b"pgmajfault ")
                    .map(|value| (&mut self.major_faults, value, 1.0))
                    .or_else(|| line.strip_prefix(b"oom_kill ").map(|value| (&mut self.oom_kills, value, 1.0))),
            };
            if let Some((counter, value, scale)) = counter
                && let Some(value) = number(value)
            {
                counter.read(round, tick, value, scale);
            }
        }
    }
}

/// Sizes in bytes; the file says kB and means 1,024.
fn parse_meminfo(text: &[u8]) -> Sizes {
    let mut sizes = [None; 8];
    for line in lines(text) {
        let Some((name, rest)) = split_once(line, b':') else { continue };
        if let Some(slot) = FIELDS.iter().position(|f| *f == name).and_then(|at| sizes.get_mut(at)) {
            *slot = words(rest).next().and_then(number).and_then(|kib| kib.checked_mul(1024));
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, mutated, total};
    use super::*;
    use proptest::prelude::*;

    const MEMINFO: &str = "MemTotal:       1000 kB\nMemFree:  100 kB\nMemAvailable:   400 kB\nBuffers: 10 kB\nCached: 200 kB\nSwapCached: 3 kB\nSwapTotal: 100 kB\nSwapFree: 75 kB\nDirty: 1 kB\nSlab: 2 kB\n";
    const VMSTAT: &str = "nr_free_pages 1\npswpin 10\npswpout 20\npgmajfault 30\noom_kill 1\n";

    fn script() -> Script {
        let mut script = Script::new(make);
        script.file("/proc/meminfo", MEMINFO);
        script.file("/proc/vmstat", VMSTAT);
        script
    }

    #[test]
    fn used_is_total_less_available() {
        let round = script().round();
        let totals =
            ["memory_used_bytes", "memory_used_ratio", "swap_used_ratio", "memory_cached_bytes"].map(|m| total(&round, m));
        assert_eq!(totals, [Some(614_400.0), Some(0.6), Some(0.25), Some(204_800.0)]);
    }

    #[test]
    fn without_swap_its_share_is_absent() {
        let mut script = script();
        script.file("/proc/meminfo", "MemTotal: 10 kB\nMemAvailable: 5 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
        let round = script.round();
        assert_eq!((total(&round, "swap_used_bytes"), total(&round, "swap_used_ratio")), (Some(0.0), None));
    }

    #[test]
    fn swapping_is_counted_in_bytes() {
        let mut script = script();
        script.round();
        script.file("/proc/vmstat", "pswpin 12\npswpout 20\npgmajfault 35\noom_kill 2\n");
        let round = script.round();
        let rates = ["swap_in_bytes_per_second", "swap_out_bytes_per_second", "major_faults_per_second", "oom_kills_per_second"];
        assert_eq!(rates.map(|m| total(&round, m)), [Some(8192.0), Some(0.0), Some(5.0), Some(1.0)]);
    }

    #[test]
    fn memory_agrees_with_this_machine() {
        let mut source = make(&Start {
            host: std::sync::Arc::new(super::super::LinuxHost::new()),
            config: &Default::default(),
            lane: super::super::slow::Lane::new(),
        });
        let mut round = Round::default();
        source.collect(&super::super::LinuxHost::new(), &mut round);
        let text = std::fs::read_to_string("/proc/meminfo").expect("meminfo");
        let kib: f64 = text.split_whitespace().nth(1).and_then(|w| w.parse().ok()).expect("the first line is MemTotal");
        assert_eq!(total(&round, "memory_total_bytes"), Some(kib * 1024.0));
        let system = sysinfo::System::new_with_specifics(
            sysinfo::RefreshKind::nothing().with_memory(sysinfo::MemoryRefreshKind::everything()),
        );
        let other = system.expect("sysinfo reads this machine").total_memory();
        assert_eq!(total(&round, "memory_total_bytes"), Some(other as f64));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(meminfo in mutated(MEMINFO), vmstat in mutated(VMSTAT)) {
            let mut script = script();
            script.round();
            script.bytes("/proc/meminfo", &meminfo);
            script.bytes("/proc/vmstat", &vmstat);
            for reading in script.round().readings {
                prop_assert!(reading.value >= 0.0 && (reading.value <= 1.0 || !reading.key.metric().ends_with("ratio")), "{reading:?}");
            }
        }
    }
}
