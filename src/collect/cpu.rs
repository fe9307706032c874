//! CPU time: in all, by core and by mode; context switches, interrupts and new processes.
//!
//! From `/proc/stat`. How fast the cores run is in `frequency`. Invariant: shares come from the
//! differences of two readings in a row, and the modes of one moment add up to 1.

use super::counter::{Counter, note_refused};
use super::parse::{lines, number, words};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, Host, MetricDef, Round, SeriesKey, Source};

pub(super) const METRICS: &[MetricDef] = &[
    MetricDef::gauge("cpu_usage_ratio", Unit::Ratio, "Share of time the cores were neither idle nor waiting for a device.")
        .by(&["core"]),
    MetricDef::gauge("cpu_mode_ratio", Unit::Ratio, "Share of time all cores spent in a mode.")
        .by(&["mode"])
        .good(GoodDirection::Neither),
    MetricDef::counter("context_switches_per_second", Unit::PerSecond, "Switches from one thread to another."),
    MetricDef::counter("interrupts_per_second", Unit::PerSecond, "Interrupts served."),
    MetricDef::counter("forks_per_second", Unit::PerSecond, "New processes and threads."),
    MetricDef::gauge("run_queue", Unit::Count, "Threads on a core or waiting for one."),
    MetricDef::gauge("blocked_threads", Unit::Count, "Threads waiting for a device."),
];

/// In the order of `/proc/stat`; guest time is taken out of user and nice, in which the kernel counts it too.
const MODES: [&str; 9] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest"];
const IDLE: usize = 3;
const IOWAIT: usize = 4;

/// The kernel's idle counters step back a little when a core sleeps (kernel bug 195235 and others); node_exporter allows 3 s too.
const STEP_BACK_TICKS: u64 = 300;

type Times = [u64; 9];

/// Reads `/proc/stat`.
pub(super) struct Cpu {
    text: Vec<u8>,
    tick: u64,
    most: usize,
    total: Core,
    modes: Vec<SeriesKey>,
    cores: Vec<(u64, Core)>,
    switches: Counter,
    interrupts: Counter,
    forks: Counter,
    running: SeriesKey,
    blocked: SeriesKey,
}

/// The last reading of one core, or of all together.
struct Core {
    key: SeriesKey,
    last: Option<(u64, Times)>,
}

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    let counter = |name| Counter::new(SeriesKey::total(name));
    Box::new(Cpu {
        text: Vec::new(),
        tick: 0,
        most: start.config.max_instances,
        total: Core { key: SeriesKey::total("cpu_usage_ratio"), last: None },
        modes: MODES.iter().map(|mode| SeriesKey::new("cpu_mode_ratio", [("mode", *mode)])).collect(),
        cores: Vec::new(),
        switches: counter("context_switches_per_second"),
        interrupts: counter("interrupts_per_second"),
        forks: counter("forks_per_second"),
        running: SeriesKey::total("run_queue"),
        blocked: SeriesKey::total("blocked_threads"),
    })
}

impl Source for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn metrics(&self) -> &'static [MetricDef] {
        METRICS
    }

    fn collect(&mut self, host: &dyn Host, round: &mut Round) {
        self.tick += 1;
        let mut text = std::mem::take(&mut self.text);
        match host.read("/proc/stat", &mut text) {
            Ok(()) => self.read(&text, round),
            Err(error) => round.fault("cpu", format!("/proc/stat: {error}")),
        }
        self.text = text;
    }
}

impl Cpu {
    fn read(&mut self, text: &[u8], round: &mut Round) {
        let (mut n_cores, mut understood) = (0, false);
        for line in lines(text) {
            let mut fields = words(line);
            let name = fields.next().unwrap_or_default();
            let value = |mut fields: std::iter::Peekable<_>| fields.next().and_then(number);
            match name {
                b"cpu" => {
                    understood = true;
                    self.read_total(fields, round);
                }
                b"ctxt" => _ = value(fields.peekable()).map(|v| self.switches.read(round, self.tick, v, 1.0)),
                b"intr" => _ = value(fields.peekable()).map(|v| self.interrupts.read(round, self.tick, v, 1.0)),
                b"processes" => _ = value(fields.peekable()).map(|v| self.forks.read(round, self.tick, v, 1.0)),
                b"procs_running" => _ = value(fields.peekable()).map(|v| round.gauge(&self.running, v as f64)),
                b"procs_blocked" => _ = value(fields.peekable()).map(|v| round.gauge(&self.blocked, v as f64)),
                _ => {
                    if let Some(core) = name.strip_prefix(b"cpu").and_then(number) {
                        self.read_core(n_cores, core, fields, round);
                        n_cores += 1;
                    }
                }
            }
        }
        if !understood {
            round.fault("cpu", "/proc/stat: no line for all cores");
        }
        self.cores.truncate(n_cores);
        note_refused(round, "cpu", "cores", n_cores.saturating_sub(self.most), self.most);
    }

    fn read_total<'a>(&mut self, fields: impl Iterator<Item = &'a [u8]>, round: &mut Round) {
        let Some(now) = times(fields) else {
            return round.fault("cpu", "/proc/stat: a CPU time is no number");
        };
        let Some(shares) = self.total.shares(self.tick, now) else { return };
        round.gauge(&self.total.key, busy(&shares));
        for (key, share) in self.modes.iter().zip(shares) {
            round.gauge(key, share);
        }
    }

    /// `at` is the place among the lines of cores, `core` the number in it: offline cores have no line.
    fn read_core<'a>(&mut self, at: usize, core: u64, fields: impl Iterator<Item = &'a [u8]>, round: &mut Round) {
        if at >= self.most {
            return;
        }
        if self.cores.get(at).is_none_or(|(known, _)| *known != core) {
            self.cores.truncate(at);
            let key = SeriesKey::new("cpu_usage_ratio", [("core", core.to_string().as_str())]);
            self.cores.push((core, Core { key, last: None }));
        }
        let (Some((_, state)), Some(now)) = (self.cores.get_mut(at), times(fields)) else { return };
        if let Some(shares) = state.shares(self.tick, now) {
            round.gauge(&state.key, busy(&shares));
        }
    }
}

impl Core {
    /// Share of each mode since the round before; `None` without one, after a reset and where no time has passed.
    fn shares(&mut self, tick: u64, now: Times) -> Option<[f64; 9]> {
        let (at, before) = self.last.replace((tick, now))?;
        if at + 1 != tick {
            return None;
        }
        let mut spent: Times = [0; 9];
        for (mode, ((spent, now), before)) in spent.iter_mut().zip(now).zip(before).enumerate() {
            let allowed = if matches!(mode, IDLE | IOWAIT) { STEP_BACK_TICKS } else { 0 };
            if before.saturating_sub(now) > allowed {
                return None;
            }
            *spent = now.saturating_sub(before);
        }
        let all = spent.iter().fold(0_u64, |sum, v| sum.saturating_add(*v));
        (all > 0).then(|| spent.map(|v| v as f64 / all as f64))
    }
}

fn busy(shares: &[f64; 9]) -> f64 {
    (1.0 - shares[IDLE] - shares[IOWAIT]).clamp(0.0, 1.0)
}

/// The times of a line in the order of [`MODES`]; those an old kernel does not have are 0.
fn times<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Option<Times> {
    let mut raw = [0; 10];
    let mut n = 0;
    for (slot, field) in raw.iter_mut().zip(fields) {
        *slot = number(field)?;
        n += 1;
    }
    let [user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice] = raw;
    let all = guest.saturating_add(guest_nice);
    let (user, nice) = (user.saturating_sub(guest), nice.saturating_sub(guest_nice));
    // user, nice, system and idle have been there since the first kernels.
    (n >= 4).then_some([user, nice, system, idle, iowait, irq, softirq, steal, all])
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, total, value};
    use super::*;
    use proptest::prelude::*;

    const FIRST: &str = "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 50 0 50 400 0 0 0 0 0 0\ncpu1 50 0 50 400 0 0 0 0 0 0\nintr 10 1\nctxt 100\nprocesses 5\n";
    const SECOND: &str = "cpu  200 10 120 1660 5 0 0 5 40 0\ncpu0 150 0 50 400 0 0 0 0 0 0\ncpu1 50 0 50 490 10 0 0 0 0 0\nintr 30 1\nctxt 200\nprocesses 5\nprocs_running 3\nprocs_blocked 1\n";

    #[test]
    fn shares_come_from_two_readings_and_add_up() {
        let mut script = Script::new(make);
        script.file("/proc/stat", FIRST);
        assert!(script.round().readings.is_empty());
        script.file("/proc/stat", SECOND);
        let round = script.round();
        assert_eq!(value(&round, r#"cpu_mode_ratio{mode="user"}"#), Some(0.06));
        assert_eq!(value(&round, r#"cpu_mode_ratio{mode="guest"}"#), Some(0.04));
        assert_eq!(value(&round, r#"cpu_mode_ratio{mode="idle"}"#), Some(0.86));
        let modes: f64 = round.readings.iter().filter(|r| r.key.metric() == "cpu_mode_ratio").map(|r| r.value).sum();
        assert!((modes - 1.0).abs() < 1e-9);
        assert!(total(&round, "cpu_usage_ratio").is_some_and(|v| (v - 0.135).abs() < 1e-9));
        assert_eq!(value(&round, r#"cpu_usage_ratio{core="0"}"#), Some(1.0));
        assert_eq!(value(&round, r#"cpu_usage_ratio{core="1"}"#), Some(0.0));
        assert_eq!(total(&round, "interrupts_per_second"), Some(20.0));
        assert_eq!(total(&round, "forks_per_second"), Some(0.0));
        assert_eq!((total(&round, "run_queue"), total(&round, "blocked_threads")), (Some(3.0), Some(1.0)));
    }

    #[test]
    fn a_core_that_goes_and_comes_back_leaves_a_gap() {
        let mut script = Script::new(make);
        for (text, cores) in [
            ("cpu 1 0 0 1\ncpu0 1 0 0 1\ncpu1 1 0 0 1\n", 0),
            ("cpu 2 0 0 2\ncpu1 2 0 0 2\n", 0),
            ("cpu 3 0 0 3\ncpu1 3 0 0 3\n", 1),
            ("cpu 4 0 0 4\ncpu0 9 0 0 9\ncpu1 4 0 0 4\n", 0),
        ] {
            script.file("/proc/stat", text);
            let round = script.round();
            let of_cores = round.readings.iter().filter(|r| r.key.label("core").is_some()).count();
            assert_eq!(of_cores, cores, "{text}");
        }
    }

    #[test]
    fn counters_that_were_reset_give_gaps_and_no_spikes() {
        let mut script = Script::new(make);
        for (text, readings) in [(SECOND, 2), (FIRST, 1), (SECOND, 17)] {
            script.file("/proc/stat", text);
            assert_eq!(script.round().readings.len(), readings);
        }
    }

    #[test]
    fn four_thousand_cores_are_capped_and_told() {
        let mut script = Script::new(make);
        let stat = |n: u64| (0..4096).fold(format!("cpu {n} 0 0 {n}\n"), |text, core| text + &format!("cpu{core} {n} 0 0 {n}\n"));
        script.file("/proc/stat", &stat(1));
        script.round();
        script.file("/proc/stat", &stat(2));
        let round = script.round();
        assert_eq!(round.readings.iter().filter(|r| r.key.label("core").is_some()).count(), 256);
        assert_eq!(round.faults.len(), 1);
        assert!(round.faults[0].message.starts_with("3840 cores left out"), "{:?}", round.faults);
    }

    #[test]
    fn a_missing_file_is_a_fault_and_a_gap() {
        let mut script = Script::new(make);
        let round = script.round();
        assert!(round.readings.is_empty() && round.faults[0].message.contains("/proc/stat"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in super::super::testing::mutated(SECOND)) {
            let mut script = Script::new(make);
            for text in [FIRST.as_bytes(), &text, SECOND.as_bytes()] {
                script.bytes("/proc/stat", text);
                prop_assert!(script.round().readings.iter().all(|r| r.value.is_finite() && r.value >= 0.0));
            }
        }
    }
}
