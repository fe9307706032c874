//! File systems by mount point: how full, how many inodes, whether read-only.
//!
//! Asked on the slow thread every [`PERIOD`]: `statvfs` hangs on a dead server, and half the wake-ups are
//! saved. An answer stands until the next is due. Which mounts count is in `mount`. Invariant: a mount
//! that does not answer has no values and a fault that says for how long, and costs no other mount its own.

use std::sync::Arc;
use std::time::Duration;

use super::counter::note_refused;
use super::mount::{Mount, parse_mounts};
use super::parse::label;
use super::slow::{Lane, Slot};
use super::table::Start;
use crate::base::{Unit, format_duration};
use crate::model::{FileSystemStat, GoodDirection, Host, MetricDef, Round, SeriesKey, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge("filesystem_size_bytes", Unit::Bytes, "Size of the file system.")
        .by(&["mount"])
        .good(GoodDirection::Neither),
    MetricDef::gauge("filesystem_used_bytes", Unit::Bytes, "Bytes in use.").by(&["mount"]),
    MetricDef::gauge("filesystem_available_bytes", Unit::Bytes, "Bytes ordinary users can still write.")
        .by(&["mount"])
        .good(GoodDirection::Up),
    MetricDef::gauge(
        "filesystem_used_ratio",
        Unit::Ratio,
        "Share in use of what ordinary users can use, as df says it: used / (used + available).",
    )
    .by(&["mount"]),
    MetricDef::gauge("filesystem_inodes_used_ratio", Unit::Ratio, "Share of the inodes in use; absent where there is no limit.")
        .by(&["mount"]),
    MetricDef::gauge("filesystem_read_only", Unit::Count, "1 where it is mounted read-only.")
        .by(&["mount"])
        .within(Some(0.0), Some(1.0)),
];

/// A file system written to at 1 GB/s changes by 2 GB in it: soon enough for every rule.
const PERIOD: Duration = Duration::from_secs(2);

/// An answer is overdue after this; a busy machine answers in milliseconds.
const OVERDUE: Duration = Duration::from_secs(2);

/// Asks all file systems.
pub(super) struct FileSystem {
    text: Vec<u8>,
    parsed: Vec<u8>,
    host: Arc<dyn Host>,
    lane: Lane,
    most: usize,
    ignored: Vec<String>,
    mounts: Vec<State>,
    refused: usize,
}

struct State {
    mount: Mount,
    slot: Slot<std::io::Result<FileSystemStat>>,
    last: Option<Result<FileSystemStat, String>>,
    keys: [SeriesKey; 6],
}

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    Box::new(
        FileSystem {
            text: Vec::new(),
            parsed: Vec::new(),
            host: Arc::clone(&start.host),
            lane: start.lane.clone(),
            most: start.config.max_instances,
            ignored: start.config.ignore_mounts.clone(),
            mounts: Vec::new(),
            refused: 0,
        }
        .begun(),
    )
}

impl Source for FileSystem {
    fn name(&self) -> &'static str {
        "filesystem"
    }

    fn metrics(&self) -> &'static [MetricDef] {
        METRICS
    }

    fn collect(&mut self, host: &dyn Host, round: &mut Round) {
        let now = self.lane.now();
        if self.mounts.iter().all(|state| state.slot.waiting(now).is_some() || state.slot.due(now, PERIOD))
            && let Err(error) = self.look(host)
        {
            round.fault("filesystem", format!("/proc/self/mountinfo: {error}"));
        }
        for state in &mut self.mounts {
            if let Some(answer) = state.slot.take() {
                state.last = Some(answer.map_err(|e| e.to_string()));
            }
            if let Some(waiting) = state.slot.waiting(now).filter(|w| *w >= OVERDUE) {
                round.fault(
                    "filesystem",
                    format!("statvfs {}: no answer for {}", label(state.mount.path.as_bytes()), format_duration(waiting)),
                );
                continue;
            }
            match &state.last {
                Some(Ok(stat)) => state.give(stat, round),
                Some(Err(error)) => round.fault("filesystem", format!("statvfs {}: {error}", label(state.mount.path.as_bytes()))),
                None => {}
            }
        }
        note_refused(round, "filesystem", "mounts", self.refused, self.most);
        self.ask();
    }
}

impl FileSystem {
    /// Asks before the first round, so that it has values.
    fn begun(mut self) -> Self {
        let host = Arc::clone(&self.host);
        // The first round says what is wrong.
        let _ = self.look(host.as_ref());
        self.ask();
        self
    }

    /// Reads the list of mounts and parses it where it changed.
    fn look(&mut self, host: &dyn Host) -> std::io::Result<()> {
        host.read("/proc/self/mountinfo", &mut self.text)?;
        if self.text == self.parsed {
            return Ok(());
        }
        std::mem::swap(&mut self.text, &mut self.parsed);
        let mut mounts = parse_mounts(&self.parsed, &self.ignored);
        self.refused = mounts.len().saturating_sub(self.most);
        mounts.truncate(self.most);
        let mut known = std::mem::take(&mut self.mounts);
        self.mounts = mounts
            .into_iter()
            .map(|mount| match known.iter().position(|state| state.mount == mount) {
                Some(at) => known.swap_remove(at),
                None => State::new(mount),
            })
            .collect();
        Ok(())
    }

    fn ask(&mut self) {
        let now = self.lane.now();
        for state in &mut self.mounts {
            if state.slot.due(now, PERIOD) {
                let (host, path) = (Arc::clone(&self.host), state.mount.path.clone());
                self.lane.ask(state.mount.reach, &mut state.slot, move || host.statvfs(&path));
            }
        }
    }
}

impl State {
    fn new(mount: Mount) -> Self {
        let name = label(mount.path.as_bytes());
        let at = [0, 1, 2, 3, 4, 5];
        let keys = at.map(|at| SeriesKey::new(METRICS[at].name, [("mount", name.as_str())]));
        Self { mount, slot: Slot::default(), last: None, keys }
    }

    fn give(&self, stat: &FileSystemStat, round: &mut Round) {
        // A file system of no size keeps nothing.
        if stat.size == 0 {
            return;
        }
        let [size, used, available, ratio, inodes, read_only] = &self.keys;
        let in_use = stat.size.saturating_sub(stat.free);
        round.gauge(size, stat.size as f64);
        round.gauge(used, in_use as f64);
        round.gauge(available, stat.available as f64);
        let usable = in_use as f64 + stat.available as f64;
        if usable > 0.0 {
            round.gauge(ratio, in_use as f64 / usable);
        }
        if stat.inodes > 0 {
            round.gauge(inodes, stat.inodes.saturating_sub(stat.inodes_free) as f64 / stat.inodes as f64);
        }
        round.gauge(read_only, f64::from(u8::from(stat.read_only)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::mount::EXAMPLE;
    use super::super::testing::{Script, value};
    use super::*;

    fn stat(size: u64, free: u64, available: u64) -> FileSystemStat {
        FileSystemStat { size, free, available, inodes: 100, inodes_free: 75, read_only: false }
    }

    fn script() -> Script {
        let mut script = Script::new(make);
        script.file("/proc/self/mountinfo", EXAMPLE);
        script.edit(|files| {
            files.mounts.insert("/".to_owned(), stat(1000, 400, 300));
            files.mounts.insert("/tmp".to_owned(), FileSystemStat { inodes: 0, ..stat(100, 100, 100) });
            files.mounts.insert("/mnt/a b".to_owned(), FileSystemStat { read_only: true, ..stat(u64::MAX, u64::MAX, u64::MAX) });
        });
        script
    }

    fn answered(script: &mut Script) -> Round {
        script.round_until(|r| r.faults.len() == 2 && value(r, r#"filesystem_size_bytes{mount="/tmp"}"#).is_some())
    }

    #[test]
    fn used_shares_are_those_of_df() {
        let round = answered(&mut script());
        assert_eq!(value(&round, r#"filesystem_used_ratio{mount="/"}"#), Some(600.0 / 900.0));
        assert_eq!(value(&round, r#"filesystem_inodes_used_ratio{mount="/"}"#), Some(0.25));
        assert_eq!(value(&round, r#"filesystem_inodes_used_ratio{mount="/tmp"}"#), None);
        assert_eq!(value(&round, r#"filesystem_read_only{mount="/mnt/a b"}"#), Some(1.0));
        assert!(round.readings.iter().all(|r| r.value.is_finite()));
    }

    #[test]
    fn a_mount_that_cannot_be_asked_is_a_fault_and_no_value() {
        let round = answered(&mut script());
        assert!(round.faults.iter().any(|f| f.message.starts_with("statvfs /mnt/nfs:")));
        assert_eq!(value(&round, r#"filesystem_size_bytes{mount="/mnt/nfs"}"#), None);
    }

    #[test]
    fn what_is_unmounted_has_no_values() {
        let mut script = script();
        answered(&mut script);
        script.file("/proc/self/mountinfo", "28 27 0:25 / /tmp rw,nosuid - tmpfs tmpfs rw\n");
        // The list is read when the mounts are due.
        script.round();
        script.round();
        assert!(script.round().readings.iter().all(|r| r.key.label("mount") == Some("/tmp")));
    }
}
