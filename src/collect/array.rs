//! Disks put together: Linux software RAID, ZFS pools, Btrfs file systems, device-mapper.
//!
//! How well each is, from `/sys/block/md*/md`, `/proc/spl/kstat/zfs`, `/sys/fs/btrfs` and `/sys/block/dm-*/dm`, every ten
//! seconds: an array loses a disk once in years. Invariant: each has `array_healthy`, which is 0 as soon as
//! redundancy is lost or data was found damaged.

use std::time::Duration;

use super::gauges::{Found, Gauges, Plan};
use super::parse::{label, lines, number, single, split_once, words};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, Host, MetricDef, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge("array_healthy", Unit::Count, "1 where all disks are there and nothing was found damaged.")
        .by(&["array"])
        .good(GoodDirection::Up)
        .within(Some(0.0), Some(1.0)),
    MetricDef::gauge("array_missing_disks", Unit::Count, "Disks that should be there and are not, or not in use.").by(&["array"]),
    MetricDef::gauge("array_errors", Unit::Count, "Errors its disks have made since that was last reset.").by(&["array"]),
    MetricDef::gauge("array_synced_ratio", Unit::Ratio, "How far a rebuild or check is; absent while none runs.")
        .by(&["array"])
        .good(GoodDirection::Up),
];

const HEALTHY: &MetricDef = &METRICS[0];
const MISSING: &MetricDef = &METRICS[1];
const ERRORS: &MetricDef = &METRICS[2];
const SYNCED: &MetricDef = &METRICS[3];

const PLAN: Plan =
    Plan { name: "array", metrics: METRICS, what: "arrays", period: Duration::from_secs(10), retry: Duration::from_secs(60) };

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    Gauges::boxed(start, &start.lane, PLAN, |ask| {
        let mut look = Look { host: ask.host, found: Found::default(), text: Vec::new() };
        look.blocks();
        look.zfs();
        look.btrfs();
        look.found
    })
}

struct Look<'a> {
    host: &'a dyn Host,
    found: Found,
    text: Vec<u8>,
}

impl Look<'_> {
    fn text(&mut self, path: &str) -> Option<&[u8]> {
        self.host.read(path, &mut self.text).ok()?;
        Some(self.text.trim_ascii())
    }

    fn number(&mut self, path: &str) -> Option<u64> {
        self.text(path).and_then(single)
    }

    /// Names in a folder, in order; none where there is no such folder.
    fn names(&self, path: &str) -> Vec<String> {
        let mut names = Vec::new();
        let _ = self.host.list(path, &mut names);
        names.sort_unstable();
        names
    }

    fn blocks(&mut self) {
        for block in self.names("/sys/block") {
            if block.starts_with("md") {
                self.md(&block);
            } else if block.starts_with("dm-") {
                self.mapped(&block);
            }
        }
    }

    /// Documentation/admin-guide/md.rst.
    fn md(&mut self, block: &str) {
        let path = |file: &str| format!("/sys/block/{block}/md/{file}");
        let Some(state) = self.text(&path("array_state")).map(<[u8]>::to_vec) else { return };
        // Not assembled: its devices are not in use.
        if state == b"clear" {
            return;
        }
        let name = label(block.as_bytes());
        let missing = self.number(&path("degraded"));
        let stopped = matches!(state.as_slice(), b"inactive" | b"broken" | b"suspended");
        let healthy = !stopped && missing.unwrap_or(0) == 0;
        self.found.gauge(HEALTHY, &[&name], f64::from(u8::from(healthy)));
        self.found.maybe(MISSING, &[&name], missing.map(|n| n as f64));
        let members: Vec<String> =
            self.names(&format!("/sys/block/{block}/md")).into_iter().filter(|file| file.starts_with("dev-")).collect();
        let errors: Vec<u64> = members.iter().filter_map(|member| self.number(&path(&format!("{member}/errors")))).collect();
        if !errors.is_empty() {
            self.found.gauge(ERRORS, &[&name], errors.iter().fold(0, |sum: u64, n| sum.saturating_add(*n)) as f64);
        }
        // `12345 / 67890`, or `none`.
        let done = self.text(&path("sync_completed")).and_then(|text| split_once(text, b'/')).and_then(|(done, all)| {
            let (done, all) = (number(done.trim_ascii())?, number(all.trim_ascii())?);
            (all > 0 && done <= all).then(|| done as f64 / all as f64)
        });
        self.found.maybe(SYNCED, &[&name], done);
    }

    /// A mapped device (LVM, encryption, multipath) that is suspended holds all its readers and writers.
    fn mapped(&mut self, block: &str) {
        let Some(suspended) = self.number(&format!("/sys/block/{block}/dm/suspended")) else { return };
        let name = self.text(&format!("/sys/block/{block}/dm/name")).map(label).unwrap_or_else(|| block.to_owned());
        self.found.gauge(HEALTHY, &[&name], f64::from(u8::from(suspended == 0)));
    }

    fn zfs(&mut self) {
        for pool in self.names("/proc/spl/kstat/zfs") {
            let Some(online) = self.text(&format!("/proc/spl/kstat/zfs/{pool}/state")).map(|state| state == b"ONLINE") else {
                continue;
            };
            self.found.gauge(HEALTHY, &[&label(pool.as_bytes())], f64::from(u8::from(online)));
        }
    }

    /// Kernel 5.14 and later: `/sys/fs/btrfs/UUID/devinfo/N/{missing,error_stats}`.
    fn btrfs(&mut self) {
        for id in self.names("/sys/fs/btrfs") {
            let folder = format!("/sys/fs/btrfs/{id}");
            let devices = self.names(&format!("{folder}/devinfo"));
            if devices.is_empty() {
                continue;
            }
            let (mut missing, mut errors) = (0, 0_u64);
            for device in &devices {
                let path = |file: &str| format!("{folder}/devinfo/{device}/{file}");
                missing += u64::from(self.number(&path("missing")) == Some(1));
                let stats = self.text(&path("error_stats")).map(sum_errors).unwrap_or(0);
                errors = errors.saturating_add(stats);
            }
            let given = self.text(&format!("{folder}/label")).map(label).filter(|label| !label.is_empty());
            let name = given.unwrap_or_else(|| label(id.as_bytes()));
            self.found.gauge(HEALTHY, &[&name], f64::from(u8::from(missing == 0 && errors == 0)));
            self.found.gauge(MISSING, &[&name], missing as f64);
            self.found.gauge(ERRORS, &[&name], errors as f64);
        }
    }
}

/// Lines `write_errs 0`.
fn sum_errors(text: &[u8]) -> u64 {
    lines(text).filter_map(|line| words(line).nth(1).and_then(number)).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, value};
    use super::*;

    #[test]
    fn a_lost_disk_and_damage_are_seen() {
        let mut script = Script::new(make);
        for (path, text) in [
            ("/sys/block/md0/md/array_state", "clean\n"),
            ("/sys/block/md0/md/degraded", "1\n"),
            ("/sys/block/md0/md/sync_completed", "25 / 100\n"),
            ("/sys/block/md0/md/dev-sda1/errors", "2\n"),
            ("/sys/block/md0/md/dev-sdb1/errors", "1\n"),
            ("/sys/block/md1/md/array_state", "active\n"),
            ("/sys/block/md1/md/degraded", "0\n"),
            ("/sys/block/md1/md/sync_completed", "none\n"),
            ("/sys/block/md2/md/array_state", "clear\n"),
            ("/sys/block/dm-0/dm/name", "vg-root\n"),
            ("/sys/block/dm-0/dm/suspended", "1\n"),
            ("/sys/block/sda/size", "1\n"),
            ("/proc/spl/kstat/zfs/tank/state", "DEGRADED\n"),
            ("/proc/spl/kstat/zfs/arcstats", "x\n"),
            ("/sys/fs/btrfs/features/x", "1\n"),
            ("/sys/fs/btrfs/abcd/label", "data\n"),
            ("/sys/fs/btrfs/abcd/devinfo/1/missing", "0\n"),
            ("/sys/fs/btrfs/abcd/devinfo/1/error_stats", "write_errs 0\nread_errs 3\ncorruption_errs 1\n"),
        ] {
            script.file(path, text);
        }
        let round = script.round_until(|r| !r.readings.is_empty());
        let of = |metric: &str, array: &str| value(&round, &format!("{metric}{{array=\"{array}\"}}"));
        let healthy = ["md0", "md1", "md2", "vg-root", "tank", "data"].map(|array| of("array_healthy", array));
        assert_eq!(healthy, [Some(0.0), Some(1.0), None, Some(0.0), Some(0.0), Some(0.0)]);
        assert_eq!((of("array_missing_disks", "md0"), of("array_errors", "md0")), (Some(1.0), Some(3.0)));
        assert_eq!((of("array_synced_ratio", "md0"), of("array_synced_ratio", "md1")), (Some(0.25), None));
        assert_eq!((of("array_missing_disks", "data"), of("array_errors", "data")), (Some(0.0), Some(4.0)));
    }

    #[test]
    fn garbage_makes_no_series() {
        let mut script = Script::new(make);
        script.bytes("/sys/block/md0/md/array_state", b"\xff\0");
        script.bytes("/sys/block/md0/md/degraded", b"\xff");
        script.bytes("/sys/block/md0/md/sync_completed", b"9 / 0");
        script.bytes("/sys/block/dm-1/dm/suspended", b"x");
        let round = script.round_until(|r| !r.readings.is_empty());
        assert_eq!(round.readings.len(), 1, "{:?}", round.readings);
    }
}
