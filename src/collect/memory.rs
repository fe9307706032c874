//! Memory and swap: how much there is, what it is used for, and what moves to and from disk.
//!
//! From `/proc/meminfo` and `/proc/vmstat`. Invariant: used is total less available, as `free` says
//! it; caches that can be given up do not count as used.

use super::counter::Counter;
use super::parse::{lines, number, words};
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
    size("memory_free_bytes", "Memory used for nothing at all."),
    size("memory_anonymous_bytes", "Memory of programs that is of no file."),
    size("memory_mapped_bytes", "Files mapped into programs."),
    size("memory_shared_bytes", "Shared memory and files in memory (tmpfs)."),
    size("memory_page_tables_bytes", "Memory for the tables of programs' addresses."),
    size("memory_kernel_stack_bytes", "Memory for the kernel's side of each thread."),
    size("memory_committed_bytes", "Memory programs were promised, used or not.").good(GoodDirection::Down),
    size("memory_commit_limit_bytes", "The most that may be promised where promises are kept strictly."),
    size("memory_huge_pages_bytes", "Memory set aside as huge pages."),
    size("memory_huge_pages_free_bytes", "Huge pages set aside that nobody uses."),
    size("memory_transparent_huge_bytes", "Memory of programs the kernel put into huge pages by itself."),
    MetricDef::gauge("memory_used_ratio", Unit::Ratio, "Share of memory that is not available: 1 - available / total."),
    size("swap_total_bytes", "Size of all swap areas."),
    size("swap_used_bytes", "Swap in use."),
    MetricDef::gauge("swap_used_ratio", Unit::Ratio, "Share of swap in use; absent without swap."),
    MetricDef::counter("swap_in_bytes_per_second", Unit::BytesPerSecond, "Memory read back from swap.").good(GoodDirection::Down),
    MetricDef::counter("swap_out_bytes_per_second", Unit::BytesPerSecond, "Memory written to swap.").good(GoodDirection::Down),
    MetricDef::counter("major_faults_per_second", Unit::PerSecond, "Accesses to memory that had to be read from disk.")
        .good(GoodDirection::Down),
    MetricDef::counter("minor_faults_per_second", Unit::PerSecond, "Accesses to memory answered without a disk."),
    MetricDef::counter("memory_reclaim_bytes_per_second", Unit::BytesPerSecond, "Memory taken back from caches and programs.")
        .good(GoodDirection::Down),
    MetricDef::counter("oom_kills_per_second", Unit::PerSecond, "Processes killed for lack of memory.").good(GoodDirection::Down),
];

/// Names in `/proc/meminfo` of what is given as it is, each with its metric.
const PLAIN: [(&[u8], &str); 16] = [
    (b"MemTotal", "memory_total_bytes"),
    (b"MemAvailable", "memory_available_bytes"),
    (b"Cached", "memory_cached_bytes"),
    (b"Buffers", "memory_buffers_bytes"),
    (b"Dirty", "memory_dirty_bytes"),
    (b"Slab", "memory_slab_bytes"),
    (b"SwapTotal", "swap_total_bytes"),
    (b"MemFree", "memory_free_bytes"),
    (b"AnonPages", "memory_anonymous_bytes"),
    (b"Mapped", "memory_mapped_bytes"),
    (b"Shmem", "memory_shared_bytes"),
    (b"PageTables", "memory_page_tables_bytes"),
    (b"KernelStack", "memory_kernel_stack_bytes"),
    (b"Committed_AS", "memory_committed_bytes"),
    (b"CommitLimit", "memory_commit_limit_bytes"),
    (b"AnonHugePages", "memory_transparent_huge_bytes"),
];

/// Names of what is worked with.
const OTHER: [&[u8]; 4] = [b"SwapFree", b"HugePages_Total", b"HugePages_Free", b"Hugepagesize"];

/// Values by the order of [`PLAIN`], then of [`OTHER`]: bytes, and numbers of huge pages.
type Sizes = [Option<u64>; PLAIN.len() + OTHER.len()];
const TOTAL: usize = 0;
const AVAILABLE: usize = 1;
const SWAP_TOTAL: usize = 6;
const SWAP_FREE: usize = PLAIN.len();
const HUGE: usize = PLAIN.len() + 1;
const HUGE_FREE: usize = PLAIN.len() + 2;
const HUGE_SIZE: usize = PLAIN.len() + 3;

/// Counters of `/proc/vmstat`, each with its metric; all but faults and kills count pages. Of reclaim the kernel counts its own
/// thread's and that of programs that had to wait for it.
const COUNTERS: [(&[u8], &str, Scale); 7] = [
    (b"pswpin", "swap_in_bytes_per_second", Scale::Pages),
    (b"pswpout", "swap_out_bytes_per_second", Scale::Pages),
    (b"pgfault", "minor_faults_per_second", Scale::Faults),
    (b"pgmajfault", "major_faults_per_second", Scale::Events),
    (b"pgsteal_kswapd", "memory_reclaim_bytes_per_second", Scale::Pages),
    (b"pgsteal_direct", "memory_reclaim_bytes_per_second", Scale::Pages),
    (b"oom_kill", "oom_kills_per_second", Scale::Events),
];

/// What a counter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Pages,
    Events,
    /// All faults, those counted as major among them.
    Faults,
}

/// Reads `/proc/meminfo` and `/proc/vmstat`.
pub(super) struct Memory {
    text: Vec<u8>,
    tick: u64,
    page: f64,
    used: SeriesKey,
    used_ratio: SeriesKey,
    swap_used: SeriesKey,
    swap_used_ratio: SeriesKey,
    huge: [SeriesKey; 2],
    /// In the order of [`PLAIN`].
    plain: [SeriesKey; PLAIN.len()],
    /// In the order of [`COUNTERS`]; the two of reclaim are one.
    counters: [Counter; 6],
    /// Where lines of the files stood last time: they never move while a kernel runs.
    places: Places,
}

/// The line numbers of names.
#[derive(Default)]
struct Places {
    meminfo: Vec<Option<usize>>,
    vmstat: Vec<Option<usize>>,
}

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    let counter = |at: usize| Counter::new(SeriesKey::total(COUNTERS.get(at).map_or("", |(_, metric, _)| *metric)));
    Box::new(Memory {
        text: Vec::new(),
        tick: 0,
        page: super::auxiliary::page_size(start.host.as_ref()) as f64,
        used: SeriesKey::total("memory_used_bytes"),
        used_ratio: SeriesKey::total("memory_used_ratio"),
        swap_used: SeriesKey::total("swap_used_bytes"),
        swap_used_ratio: SeriesKey::total("swap_used_ratio"),
        huge: ["memory_huge_pages_bytes", "memory_huge_pages_free_bytes"].map(SeriesKey::total),
        plain: PLAIN.map(|(_, metric)| SeriesKey::total(metric)),
        counters: [0, 1, 2, 3, 4, 6].map(counter),
        places: Places::default(),
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
            Ok(()) => {
                let sizes = parse_meminfo(&self.text, &mut self.places.meminfo);
                self.sizes(&sizes, round);
            }
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
        for (key, bytes) in self.plain.iter().zip(sizes) {
            if let Some(bytes) = bytes {
                round.gauge(key, *bytes as f64);
            }
        }
        match (sizes[TOTAL], sizes[AVAILABLE]) {
            (Some(total), Some(available)) if total > 0 => {
                let used = total.saturating_sub(available) as f64;
                round.gauge(&self.used, used);
                round.gauge(&self.used_ratio, used / total as f64);
            }
            _ => round.fault("memory", "/proc/meminfo: no MemTotal or MemAvailable"),
        }
        if let (Some(total), Some(free)) = (sizes[SWAP_TOTAL], sizes[SWAP_FREE]) {
            let used = total.saturating_sub(free) as f64;
            round.gauge(&self.swap_used, used);
            if total > 0 {
                round.gauge(&self.swap_used_ratio, used / total as f64);
            }
        }
        // Nobody asks for huge pages where none are set aside.
        if let (Some(total @ 1..), Some(free), Some(size)) = (sizes[HUGE], sizes[HUGE_FREE], sizes[HUGE_SIZE]) {
            for (key, pages) in self.huge.iter().zip([total, free]) {
                round.gauge(key, pages.saturating_mul(size) as f64);
            }
        }
    }

    fn rates(&mut self, round: &mut Round) {
        let mut values = [None; COUNTERS.len()];
        find(&self.text, b' ', &COUNTERS.map(|(name, ..)| name), &mut self.places.vmstat, &mut values);
        let [swap_in, swap_out, faults, major, kswapd, direct, kills] = values;
        let minor = faults.zip(major).map(|(all, major)| all.saturating_sub(major));
        let reclaimed = kswapd.map(|pages| pages.saturating_add(direct.unwrap_or(0)));
        let scales = [0, 1, 2, 3, 4, 6].map(|at: usize| COUNTERS.get(at).map_or(Scale::Events, |(.., scale)| *scale));
        let read = [swap_in, swap_out, minor, major, reclaimed, kills];
        for ((counter, scale), value) in self.counters.iter_mut().zip(scales).zip(read) {
            if let Some(value) = value {
                counter.read(round, self.tick, value, if scale == Scale::Pages { self.page } else { 1.0 });
            }
        }
    }
}

/// Sizes in bytes; the file says kB and means 1,024, but numbers of huge pages are plain.
fn parse_meminfo(text: &[u8], places: &mut Vec<Option<usize>>) -> Sizes {
    let mut names: [&[u8]; PLAIN.len() + OTHER.len()] = [b""; PLAIN.len() + OTHER.len()];
    for (slot, name) in names.iter_mut().zip(PLAIN.iter().map(|(name, _)| *name).chain(OTHER)) {
        *slot = name;
    }
    let mut sizes = [None; PLAIN.len() + OTHER.len()];
    find(text, b':', &names, places, &mut sizes);
    for (at, size) in sizes.iter_mut().enumerate() {
        if !matches!(at, HUGE | HUGE_FREE) {
            *size = size.and_then(|kib: u64| kib.checked_mul(1024));
        }
    }
    sizes
}

/// Puts the numbers behind `names` into `values`. Lines are looked for where they stood the time before (`places`) and, where one
/// is not there, in the whole text: two hundred lines need not be compared with twenty names each second.
fn find(text: &[u8], mark: u8, names: &[&[u8]], places: &mut Vec<Option<usize>>, values: &mut [Option<u64>]) {
    let value = |line: &[u8], name: &[u8]| {
        let rest = line.strip_prefix(name)?.strip_prefix(&[mark])?;
        Some(words(rest).next().and_then(number))
    };
    places.resize(names.len(), None);
    let mut missing = 0;
    let all: Vec<&[u8]> = lines(text).collect();
    for ((name, place), slot) in names.iter().zip(places.iter_mut()).zip(values.iter_mut()) {
        match place.and_then(|at| all.get(at)).and_then(|line| value(line, name)) {
            Some(found) => *slot = found,
            None => missing += 1,
        }
    }
    if missing == 0 {
        return;
    }
    for ((name, place), slot) in names.iter().zip(places).zip(values) {
        let found = all.iter().enumerate().find_map(|(at, line)| value(line, name).map(|found| (at, found)));
        *place = found.map(|(at, _)| at);
        *slot = found.and_then(|(_, found)| found);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, mutated, total};
    use super::*;
    use proptest::prelude::*;

    const MEMINFO: &str = "MemTotal:       1000 kB\nMemFree:  100 kB\nMemAvailable:   400 kB\nBuffers: 10 kB\nCached: 200 kB\nSwapCached: 3 kB\nSwapTotal: 100 kB\nSwapFree: 75 kB\nDirty: 1 kB\nSlab: 2 kB\n";
    const VMSTAT: &str =
        "nr_free_pages 1\npswpin 10\npswpout 20\npgfault 100\npgmajfault 30\npgsteal_kswapd 5\npgsteal_direct 1\noom_kill 1\n";

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
        let later = "pswpin 12\npswpout 20\npgfault 110\npgmajfault 35\npgsteal_kswapd 6\npgsteal_direct 3\noom_kill 2\n";
        script.file("/proc/vmstat", later);
        let round = script.round();
        let rates = ["swap_in_bytes_per_second", "swap_out_bytes_per_second", "major_faults_per_second", "oom_kills_per_second"];
        assert_eq!(rates.map(|m| total(&round, m)), [Some(8192.0), Some(0.0), Some(5.0), Some(1.0)]);
        let rates = ["minor_faults_per_second", "memory_reclaim_bytes_per_second"].map(|m| total(&round, m));
        assert_eq!(rates, [Some(5.0), Some(3.0 * 4096.0)]);
    }

    #[test]
    fn huge_pages_are_told_where_some_are_set_aside() {
        let mut script = script();
        assert_eq!(total(&script.round(), "memory_huge_pages_bytes"), None);
        let huge = "HugePages_Total: 4\nHugePages_Free: 1\nHugepagesize: 2048 kB\n";
        script.file("/proc/meminfo", &format!("{huge}{MEMINFO}"));
        let round = script.round();
        let totals = ["memory_huge_pages_bytes", "memory_huge_pages_free_bytes", "memory_used_bytes"].map(|m| total(&round, m));
        assert_eq!(totals, [Some(8_388_608.0), Some(2_097_152.0), Some(614_400.0)]);
    }

    #[test]
    fn memory_agrees_with_this_machine() {
        let mut source = make(&Start {
            host: std::sync::Arc::new(super::super::LinuxHost::new()),
            config: &Default::default(),
            lane: super::super::slow::Lane::new(),
            programs: super::super::slow::Lane::new(),
            groups: Default::default(),
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
