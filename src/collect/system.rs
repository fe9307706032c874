//! The system as a whole: load, threads, uptime, and how much of its numbers of files and processes
//! is taken.
//!
//! Small files of `/proc`. Invariant: each value stands alone; one file missing costs only its own.

use super::parse::{decimal, number, single, split_once, words};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, Host, MetricDef, Round, SeriesKey, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge("load_average", Unit::Count, "Threads running or waiting for a core or a device, averaged over the window.")
        .by(&["window"]),
    MetricDef::gauge("threads", Unit::Count, "Threads of all processes and of the kernel."),
    MetricDef::gauge("pids_used_ratio", Unit::Ratio, "Share of the possible process and thread numbers that is taken."),
    MetricDef::gauge("file_descriptors_used_ratio", Unit::Ratio, "Share of the open files the kernel allows that is taken."),
    MetricDef::gauge("uptime_seconds", Unit::Seconds, "Time since the start of the machine.").good(GoodDirection::Up),
];

/// Reads `/proc/loadavg`, `/proc/uptime` and a few limits.
pub(super) struct System {
    text: Vec<u8>,
    load: [SeriesKey; 3],
    threads: SeriesKey,
    pids: SeriesKey,
    files: SeriesKey,
    uptime: SeriesKey,
}

pub(super) fn make(_: &Start<'_>) -> Box<dyn Source> {
    Box::new(System {
        text: Vec::new(),
        load: ["1m", "5m", "15m"].map(|window| SeriesKey::new("load_average", [("window", window)])),
        threads: SeriesKey::total("threads"),
        pids: SeriesKey::total("pids_used_ratio"),
        files: SeriesKey::total("file_descriptors_used_ratio"),
        uptime: SeriesKey::total("uptime_seconds"),
    })
}

impl Source for System {
    fn name(&self) -> &'static str {
        "system"
    }

    fn metrics(&self) -> &'static [MetricDef] {
        METRICS
    }

    fn collect(&mut self, host: &dyn Host, round: &mut Round) {
        let threads = self.load(host, round);
        if let Some(threads) = threads {
            round.gauge(&self.threads, threads as f64);
            let limits = ["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"].map(|path| self.number(host, path));
            if let Some(most) = limits.into_iter().flatten().min().filter(|most| *most > 0) {
                round.gauge(&self.pids, (threads as f64 / most as f64).min(1.0));
            }
        }
        self.files(host, round);
        match read(host, "/proc/uptime", &mut self.text).and_then(|text| decimal(words(text).next()?)) {
            Some(seconds) if seconds >= 0.0 => round.gauge(&self.uptime, seconds),
            _ => round.fault("system", "/proc/uptime: not readable"),
        }
    }
}

/// The file's content in `text`; `None` where it cannot be read.
fn read<'a>(host: &dyn Host, path: &str, text: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    host.read(path, text).ok().map(|()| text.as_slice())
}

impl System {
    fn number(&mut self, host: &dyn Host, path: &str) -> Option<u64> {
        read(host, path, &mut self.text).and_then(single)
    }

    /// Load averages; gives the number of threads, which stands in the same file.
    fn load(&mut self, host: &dyn Host, round: &mut Round) -> Option<u64> {
        let Some(text) = read(host, "/proc/loadavg", &mut self.text) else {
            round.fault("system", "/proc/loadavg: not readable");
            return None;
        };
        let mut fields = words(text.trim_ascii());
        let averages = [fields.next(), fields.next(), fields.next()].map(|f| f.and_then(decimal).filter(|v| *v >= 0.0));
        let threads = fields.next().and_then(|f| split_once(f, b'/')).and_then(|(_, all)| number(all));
        for (key, value) in self.load.iter().zip(averages) {
            match value {
                Some(value) => round.gauge(key, value),
                None => round.fault("system", "/proc/loadavg: a load average is no number"),
            }
        }
        threads
    }

    fn files(&mut self, host: &dyn Host, round: &mut Round) {
        let read = read(host, "/proc/sys/fs/file-nr", &mut self.text).and_then(|text| {
            let mut fields = text.split(u8::is_ascii_whitespace).filter(|f| !f.is_empty()).map(number);
            Some((fields.next()??, fields.nth(1)??))
        });
        match read {
            Some((open, most)) if most > 0 => round.gauge(&self.files, (open as f64 / most as f64).min(1.0)),
            _ => round.fault("system", "/proc/sys/fs/file-nr: not readable"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, mutated, total, value};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits_are_shares_of_the_smaller_one() {
        let mut script = Script::new(make);
        script.file("/proc/loadavg", "0.36 0.32 1.25 1/95 13530\n");
        script.file("/proc/uptime", "2546.73 4701.36\n");
        script.file("/proc/sys/kernel/pid_max", "32768\n");
        script.file("/proc/sys/kernel/threads-max", "950\n");
        script.file("/proc/sys/fs/file-nr", "593\t0\t2372\n");
        let round = script.round();
        assert_eq!(value(&round, r#"load_average{window="15m"}"#), Some(1.25));
        let totals = ["threads", "pids_used_ratio", "file_descriptors_used_ratio", "uptime_seconds"].map(|m| total(&round, m));
        assert_eq!(totals, [Some(95.0), Some(0.1), Some(0.25), Some(2546.73)]);
        assert!(round.faults.is_empty());
    }

    #[test]
    fn one_missing_file_costs_only_its_own_values() {
        let mut script = Script::new(make);
        script.file("/proc/uptime", "1.0 1.0\n");
        let round = script.round();
        assert_eq!(total(&round, "uptime_seconds"), Some(1.0));
        assert_eq!((round.readings.len(), round.faults.len()), (1, 2));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(load in mutated("0.36 0.32 1.25 1/95 13530\n"), files in mutated("593\t0\t2372\n")) {
            let mut script = Script::new(make);
            script.bytes("/proc/loadavg", &load);
            script.bytes("/proc/uptime", &load);
            script.bytes("/proc/sys/kernel/pid_max", &files);
            script.bytes("/proc/sys/fs/file-nr", &files);
            prop_assert!(script.round().readings.iter().all(|r| r.value.is_finite() && r.value >= 0.0));
        }
    }
}
