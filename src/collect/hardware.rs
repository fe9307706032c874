//! What the kernel counts of failing parts: memory modules, overheated cores, machine checks, damaged file systems.
//!
//! From `/sys/devices/system/edac`, `thermal_throttle` of each core, `/proc/interrupts` and `/sys/fs/ext4`, every half a minute: they
//! change once in months. Invariant: what a machine does not count has no series.

use std::time::Duration;

use super::gauges::{Found, Gauges, Plan};
use super::parse::{label, lines, number, single, words};
use super::table::Start;
use crate::base::Unit;
use crate::model::{Host, MetricDef, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge(
        "memory_errors",
        Unit::Count,
        "Errors of memory modules since boot: corrected ones, and those that destroyed data.",
    )
    .by(&["controller", "kind"]),
    MetricDef::gauge("cpu_throttles", Unit::Count, "Times the hottest core was slowed down because of heat, since boot."),
    MetricDef::gauge("machine_checks", Unit::Count, "Faults of the hardware that a processor has stopped for, since boot."),
    MetricDef::gauge(
        "filesystem_errors",
        Unit::Count,
        "Errors in its own records that an ext4 file system has met since it was last checked.",
    )
    .by(&["device"]),
];

const MEMORY: &MetricDef = &METRICS[0];
const THROTTLES: &MetricDef = &METRICS[1];
const CHECKS: &MetricDef = &METRICS[2];
const FILE_SYSTEM: &MetricDef = &METRICS[3];

const PLAN: Plan = Plan {
    name: "hardware",
    metrics: METRICS,
    what: "failing parts",
    period: Duration::from_secs(30),
    retry: Duration::from_secs(600),
};

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    Gauges::boxed(start, &start.lane, PLAN, |ask| {
        let mut look = Look { host: ask.host, found: Found::default(), text: Vec::new() };
        look.memory();
        look.cores();
        look.checks();
        look.file_systems();
        look.found
    })
}

struct Look<'a> {
    host: &'a dyn Host,
    found: Found,
    text: Vec<u8>,
}

impl Look<'_> {
    fn number(&mut self, path: &str) -> Option<u64> {
        self.host.read(path, &mut self.text).ok()?;
        single(&self.text)
    }

    /// Names in a folder, in order; none where there is no such folder.
    fn names(&self, path: &str) -> Vec<String> {
        let mut names = Vec::new();
        let _ = self.host.list(path, &mut names);
        names.sort_unstable();
        names
    }

    /// Documentation/driver-api/edac.rst: one folder a memory controller.
    fn memory(&mut self) {
        const FOLDER: &str = "/sys/devices/system/edac/mc";
        for controller in self.names(FOLDER) {
            let name = label(controller.as_bytes());
            for (kind, file) in [("corrected", "ce_count"), ("uncorrected", "ue_count")] {
                let count = self.number(&format!("{FOLDER}/{controller}/{file}"));
                self.found.maybe(MEMORY, &[&name, kind], count.map(|n| n as f64));
            }
        }
    }

    /// Each core counts for itself, and all of a package count it together.
    fn cores(&mut self) {
        const FOLDER: &str = "/sys/devices/system/cpu";
        let is_core = |name: &String| name.strip_prefix("cpu").is_some_and(|n| number(n.as_bytes()).is_some());
        let cores: Vec<String> = self.names(FOLDER).into_iter().filter(is_core).collect();
        let files = ["core_throttle_count", "package_throttle_count"];
        let paths = cores.iter().flat_map(|core| files.map(|file| format!("{FOLDER}/{core}/thermal_throttle/{file}")));
        let counts: Vec<u64> = paths.filter_map(|path| self.number(&path)).collect();
        self.found.maybe(THROTTLES, &[], counts.into_iter().max().map(|n| n as f64));
    }

    /// The row `MCE:` has a count for each core.
    fn checks(&mut self) {
        if self.host.read("/proc/interrupts", &mut self.text).is_err() {
            return;
        }
        let row = lines(&self.text).find_map(|line| line.trim_ascii_start().strip_prefix(b"MCE:"));
        let sum = row.map(|row| words(row).map_while(number).fold(0_u64, u64::saturating_add));
        self.found.maybe(CHECKS, &[], sum.map(|n| n as f64));
    }

    /// Documentation/ABI/testing/sysfs-fs-ext4: kept on the disk until a check sets it back.
    fn file_systems(&mut self) {
        for device in self.names("/sys/fs/ext4") {
            let count = self.number(&format!("/sys/fs/ext4/{device}/errors_count"));
            self.found.maybe(FILE_SYSTEM, &[&label(device.as_bytes())], count.map(|n| n as f64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, total, value};
    use super::*;

    #[test]
    fn failing_parts_are_counted_where_the_machine_counts_them() {
        let mut script = Script::new(make);
        for (path, text) in [
            ("/sys/devices/system/edac/mc/mc0/ce_count", "17\n"),
            ("/sys/devices/system/edac/mc/mc0/ue_count", "1\n"),
            ("/sys/devices/system/edac/mc/power/control", "auto\n"),
            ("/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n"),
            ("/sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", "8\n"),
            ("/sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "5\n"),
            ("/sys/devices/system/cpu/cpufreq/policy0/x", "99\n"),
            (
                "/proc/interrupts",
                "           CPU0       CPU1\n  0:  5  6  timer\nMCE:          0          2   Machine check exceptions\n",
            ),
            ("/sys/fs/ext4/sda1/errors_count", "4\n"),
            ("/sys/fs/ext4/features/lazy_itable_init", "supported\n"),
        ] {
            script.file(path, text);
        }
        let round = script.round_until(|r| !r.readings.is_empty());
        let memory = |kind: &str| value(&round, &format!("memory_errors{{controller=\"mc0\",kind=\"{kind}\"}}"));
        assert_eq!((memory("corrected"), memory("uncorrected")), (Some(17.0), Some(1.0)));
        assert_eq!((total(&round, "cpu_throttles"), total(&round, "machine_checks")), (Some(8.0), Some(2.0)));
        assert_eq!(value(&round, "filesystem_errors{device=\"sda1\"}"), Some(4.0));
        assert_eq!(round.readings.len(), 5, "{:?}", round.readings);
    }

    #[test]
    fn garbage_makes_no_series() {
        let mut script = Script::new(make);
        script.bytes("/sys/devices/system/edac/mc/mc0/ce_count", b"\xff");
        script.bytes("/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", b"");
        script.bytes("/proc/interrupts", b"MCE: x\n\xff\0");
        script.bytes("/sys/fs/ext4/sda1/errors_count", b"-1");
        script.file("/sys/fs/ext4/sdb1/errors_count", "0");
        let round = script.round_until(|r| r.readings.iter().any(|r| r.key.metric() == "filesystem_errors"));
        assert_eq!(value(&round, "filesystem_errors{device=\"sda1\"}"), None);
        assert!(round.readings.iter().all(|r| r.value == 0.0), "{:?}", round.readings);
    }
}
