//! Control groups: what each container and each service of systemd uses.
//!
//! Which groups there are is told by the processes in them ([`Groups`]), so that no tree is walked. Their files (version 2)
//! are read every five seconds on the slow thread: the kernel sums up each group when it is asked. Invariant: a group counts
//! once, as the outermost container or else the innermost service, and is forgotten when its folder is gone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::ErrorKind;
use std::time::Duration;

use super::gauges::{Ask, Found, Gauges, Plan};
use super::groups::{Groups, Place};
use super::parse::{lines, number, single, split_once, words};
use super::table::Start;
use crate::base::Unit;
use crate::model::{GoodDirection, Host, MetricDef, Source};

const fn of_container(name: &'static str, unit: Unit, help: &'static str) -> MetricDef {
    MetricDef::gauge(name, unit, help).by(&["name"]).within(Some(0.0), None)
}

pub(super) const METRICS: &[MetricDef] = &[
    of_container("container_cpu_usage_ratio", Unit::Ratio, "CPU the container uses, in cores: 1 is one core."),
    of_container("container_cpu_throttled_ratio", Unit::Ratio, "Time its threads were held back by its CPU limit, summed up."),
    of_container("container_memory_used_bytes", Unit::Bytes, "Memory of the container less files that can be dropped."),
    of_container("container_memory_used_ratio", Unit::Ratio, "Share of its memory limit in use; absent without a limit."),
    of_container("container_read_bytes_per_second", Unit::BytesPerSecond, "Bytes it reads from devices.")
        .good(GoodDirection::Neither),
    of_container("container_write_bytes_per_second", Unit::BytesPerSecond, "Bytes it writes to devices.")
        .good(GoodDirection::Neither),
    of_container("container_tasks", Unit::Count, "Its processes and threads.").good(GoodDirection::Neither),
    of_container("container_oom_kills", Unit::Count, "Processes of it ended for lack of memory, since its start."),
    MetricDef::gauge(
        "container_pressure_some_ratio",
        Unit::Ratio,
        "Share of time in which a thread of it waited for the resource.",
    )
    .by(&["name", "resource"]),
    MetricDef::gauge("unit_cpu_usage_ratio", Unit::Ratio, "CPU a service of systemd uses, in cores: 1 is one core.")
        .by(&["unit"])
        .within(Some(0.0), None),
    MetricDef::gauge("unit_memory_used_bytes", Unit::Bytes, "Memory of a service of systemd, its files in memory among it.")
        .by(&["unit"]),
    MetricDef::gauge(
        "unit_pressure_some_ratio",
        Unit::Ratio,
        "Share of time in which a thread of a service or slice of systemd waited; of a service from when it first waited 1 %.",
    )
    .by(&["resource", "unit"]),
];

const CPU: &MetricDef = &METRICS[0];
const THROTTLED: &MetricDef = &METRICS[1];
const MEMORY: &MetricDef = &METRICS[2];
const MEMORY_RATIO: &MetricDef = &METRICS[3];
const READ: &MetricDef = &METRICS[4];
const WRITE: &MetricDef = &METRICS[5];
const TASKS: &MetricDef = &METRICS[6];
const OOM_KILLS: &MetricDef = &METRICS[7];
const PRESSURE: &MetricDef = &METRICS[8];
const UNIT_CPU: &MetricDef = &METRICS[9];
const UNIT_MEMORY: &MetricDef = &METRICS[10];
const UNIT_PRESSURE: &MetricDef = &METRICS[11];

/// Files of a group that say how long its threads waited, and for what.
const PRESSURES: [(&str, &str); 3] = [("cpu", "cpu.pressure"), ("io", "io.pressure"), ("memory", "memory.pressure")];

/// A service that never waited this share of the time has no series of it: most never do.
const NOTABLE: f64 = 0.01;

const PLAN: Plan = Plan {
    name: "group",
    metrics: METRICS,
    what: "containers and services",
    period: Duration::from_secs(5),
    retry: Duration::from_secs(5),
};

/// Where the hierarchy of version 2 is mounted.
const ROOT: &str = "/sys/fs/cgroup";

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    let mut reader = Reader { groups: start.groups.clone(), before: HashMap::new(), waited: HashSet::new(), text: Vec::new() };
    Gauges::boxed(start, &start.lane, PLAN, move |ask| reader.read(ask))
}

struct Reader {
    groups: Groups,
    /// Counters by group and name, and when they were read.
    before: HashMap<(String, &'static str), (u64, Duration)>,
    /// Services that have waited notably, by group, and for what.
    waited: HashSet<(String, &'static str)>,
    text: Vec<u8>,
}

/// One group at one moment.
struct Look<'a> {
    reader: &'a mut Reader,
    host: &'a dyn Host,
    now: Option<Duration>,
    folder: &'a str,
}

impl Reader {
    fn read(&mut self, ask: &Ask<'_>) -> Found {
        let mut found = Found::default();
        let places: BTreeMap<String, Place> = self.groups.places();
        if places.values().any(|place| matches!(place, Place::Container(_))) {
            self.groups.name_containers(ask.host);
        }
        for (folder, place) in &places {
            let mut look = Look { reader: self, host: ask.host, now: ask.now, folder };
            let there = match place {
                Place::Container(id) => {
                    let name = look.reader.groups.name_of(id);
                    look.container(&name, &mut found)
                }
                Place::Service(unit) => look.service(unit, &mut found),
            };
            if !there {
                self.groups.forget(folder);
                self.before.retain(|(known, _), _| known != folder);
                self.waited.retain(|(known, _)| known != folder);
            }
        }
        let slices: BTreeSet<&str> = places.keys().filter_map(|folder| slice(folder)).collect();
        for name in slices {
            let mut look = Look { reader: self, host: ask.host, now: ask.now, folder: &format!("/{name}") };
            for (resource, share) in look.pressure() {
                found.maybe(UNIT_PRESSURE, &[resource, name], share);
            }
        }
        found
    }
}

impl Look<'_> {
    /// Reads a file of the group; `Err` where the group is gone.
    fn file(&mut self, name: &str) -> Result<Option<&[u8]>, ()> {
        match self.host.read(&format!("{ROOT}{}/{name}", self.folder), &mut self.reader.text) {
            Ok(()) => Ok(Some(&self.reader.text)),
            Err(error) if error.raw_os_error() == Some(GONE) => Err(()),
            Err(_) => Ok(None),
        }
    }

    /// The rate of a counter since it was last read; of the first reading none.
    fn rate(&mut self, name: &'static str, value: Option<u64>) -> Option<f64> {
        let (value, now) = (value?, self.now?);
        let (before, at) = self.reader.before.insert((self.folder.to_owned(), name), (value, now))?;
        let seconds = now.checked_sub(at)?.as_secs_f64();
        let delta = value.checked_sub(before)?;
        (seconds > 0.0).then(|| delta as f64 / seconds)
    }

    fn cpu(&mut self) -> Option<(Option<f64>, Option<f64>)> {
        let text = self.file("cpu.stat").ok()??;
        let (used, throttled) = (field(text, b"usage_usec"), field(text, b"throttled_usec"));
        let share = |rate: Option<f64>| rate.map(|micros| micros / 1e6);
        Some((share(self.rate("cpu", used)), share(self.rate("throttled", throttled))))
    }

    fn number(&mut self, name: &str) -> Option<u64> {
        self.file(name).ok().flatten().and_then(single)
    }

    /// False where the group is gone.
    fn container(&mut self, name: &str, found: &mut Found) -> bool {
        let Some((used, throttled)) = self.cpu() else { return self.is_there() };
        found.maybe(CPU, &[name], used);
        found.maybe(THROTTLED, &[name], throttled);
        if let Some(current) = self.number("memory.current") {
            // As docker stats says it: what is only kept because nobody needs the room does not count.
            let droppable = self.file("memory.stat").ok().flatten().and_then(|text| field(text, b"inactive_file")).unwrap_or(0);
            let in_use = current.saturating_sub(droppable) as f64;
            found.gauge(MEMORY, &[name], in_use);
            let limit = self.number("memory.max").filter(|limit| *limit > 0);
            found.maybe(MEMORY_RATIO, &[name], limit.map(|limit| in_use / limit as f64));
        }
        let io = self.file("io.stat").ok().flatten().map(transferred);
        found.maybe(READ, &[name], self.rate("read", io.map(|io| io[0])));
        found.maybe(WRITE, &[name], self.rate("write", io.map(|io| io[1])));
        found.maybe(TASKS, &[name], self.number("pids.current").map(|n| n as f64));
        let kills = self.file("memory.events").ok().flatten().and_then(|text| field(text, b"oom_kill"));
        found.maybe(OOM_KILLS, &[name], kills.map(|n| n as f64));
        for (resource, share) in self.pressure() {
            found.maybe(PRESSURE, &[name, resource], share);
        }
        true
    }

    /// The share of time in which some thread of it waited, by resource.
    fn pressure(&mut self) -> [(&'static str, Option<f64>); 3] {
        PRESSURES.map(|(resource, file)| {
            let stalled = self.file(file).ok().flatten().and_then(stalled_micros);
            (resource, self.rate(file, stalled).map(|micros| (micros / 1e6).min(1.0)))
        })
    }

    /// False where the group is gone.
    fn service(&mut self, unit: &str, found: &mut Found) -> bool {
        let Some((used, _)) = self.cpu() else { return self.is_there() };
        found.maybe(UNIT_CPU, &[unit], used);
        found.maybe(UNIT_MEMORY, &[unit], self.number("memory.current").map(|bytes| bytes as f64));
        for (resource, share) in self.pressure() {
            let key = (self.folder.to_owned(), resource);
            if share.is_some_and(|share| share >= NOTABLE) {
                self.reader.waited.insert(key.clone());
            }
            if self.reader.waited.contains(&key) {
                found.maybe(UNIT_PRESSURE, &[resource, unit], share);
            }
        }
        true
    }

    /// Whether its folder is there: every group of version 2 has this file.
    fn is_there(&mut self) -> bool {
        let read = self.host.read(&format!("{ROOT}{}/cgroup.procs", self.folder), &mut self.reader.text);
        !read.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }
}

/// The slice at the top of the hierarchy that a group lies in: `system.slice`.
fn slice(folder: &str) -> Option<&str> {
    folder.split('/').nth(1).filter(|name| name.ends_with(".slice"))
}

/// `ENODEV`: the file was open while its group was removed.
const GONE: i32 = 19;

/// The number behind a name in a file of lines `name number`.
fn field(text: &[u8], name: &[u8]) -> Option<u64> {
    lines(text).find_map(|line| line.strip_prefix(name)?.strip_prefix(b" ")).and_then(number)
}

/// Bytes read and written on all devices: lines `8:0 rbytes=1 wbytes=2 rios=3 …`.
fn transferred(text: &[u8]) -> [u64; 2] {
    let mut sums = [0_u64; 2];
    for (name, value) in lines(text).flat_map(words).filter_map(|word| split_once(word, b'=')) {
        let sum = match name {
            b"rbytes" => &mut sums[0],
            b"wbytes" => &mut sums[1],
            _ => continue,
        };
        *sum = sum.saturating_add(number(value).unwrap_or(0));
    }
    sums
}

/// `some avg10=… total=123`.
fn stalled_micros(text: &[u8]) -> Option<u64> {
    let line = lines(text).find(|line| line.starts_with(b"some "))?;
    words(line).find_map(|word| word.strip_prefix(b"total=")).and_then(number)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, mutated, value};
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "01bc66b4f182271633b5b6642d50e86901bc66b4f182271633b5b6642d50e869";

    fn script() -> (Script, String) {
        let script = Script::new(make);
        let path = format!("/system.slice/docker-{ID}.scope");
        (script, path)
    }

    fn fill(script: &mut Script, path: &str, micros: u64) {
        for (name, text) in [
            ("cpu.stat", format!("usage_usec {micros}\nuser_usec 1\nnr_throttled 0\nthrottled_usec {}\n", micros / 10)),
            ("memory.current", "3145728\n".to_owned()),
            ("memory.stat", "anon 1\ninactive_file 1048576\n".to_owned()),
            ("memory.max", "4194304\n".to_owned()),
            ("memory.events", "low 0\noom_kill 2\n".to_owned()),
            ("io.stat", format!("8:0 rbytes={micros} wbytes=0 rios=1\n8:16 rbytes={micros} wbytes=10\n")),
            ("pids.current", "7\n".to_owned()),
            ("cpu.pressure", format!("some avg10=0.00 total={micros}\nfull avg10=0.00 total=0\n")),
        ] {
            script.file(&format!("{ROOT}{path}/{name}"), &text);
        }
    }

    #[test]
    fn a_container_has_what_it_uses_and_its_name() {
        let (mut script, path) = script();
        script.groups.add(&path);
        script.groups.add("/system.slice/nginx.service");
        script.edit(|files| {
            let list = format!("HTTP/1.0 200 OK\r\n\r\n[{{\"Id\":\"{ID}\",\"Names\":[\"/web\"]}}]");
            files.sockets.insert("/run/docker.sock".to_owned(), list.into_bytes());
        });
        fill(&mut script, &path, 1_000_000);
        fill(&mut script, "/system.slice/nginx.service", 0);
        let stat = format!("{ROOT}{path}/cpu.stat");
        script.asked_again(5, &stat);
        script.asked_again(5, &stat);
        fill(&mut script, &path, 3_500_000);
        let round = script.asked_again(5, &stat);
        let of = |metric: &str| value(&round, &format!("container_{metric}{{name=\"web\"}}"));
        assert_eq!((of("cpu_usage_ratio"), of("cpu_throttled_ratio")), (Some(0.5), Some(0.05)));
        assert_eq!((of("memory_used_bytes"), of("memory_used_ratio")), (Some(2_097_152.0), Some(0.5)));
        assert_eq!((of("read_bytes_per_second"), of("write_bytes_per_second")), (Some(1e6), Some(0.0)));
        assert_eq!((of("tasks"), of("oom_kills")), (Some(7.0), Some(2.0)));
        assert_eq!(value(&round, r#"container_pressure_some_ratio{name="web",resource="cpu"}"#), Some(0.5));
        assert_eq!(value(&round, r#"unit_memory_used_bytes{unit="nginx"}"#), Some(3_145_728.0));
    }

    #[test]
    fn a_slice_has_its_pressure_and_a_service_once_it_waited() {
        let mut script = Script::new(make);
        let waited = |script: &mut Script, path: &str, micros: u64| {
            let text = format!("some avg10=0.00 total={micros}\nfull avg10=0.00 total=0\n");
            script.file(&format!("{ROOT}{path}/io.pressure"), &text);
            script.file(&format!("{ROOT}{path}/cpu.stat"), "usage_usec 0\n");
        };
        let paths = ["/system.slice", "/system.slice/calm.service", "/system.slice/db.service"];
        paths[1..].iter().for_each(|path| script.groups.add(path));
        paths.iter().for_each(|path| waited(&mut script, path, 0));
        // The last file that is read of all.
        let last = format!("{ROOT}/system.slice/io.pressure");
        script.asked_again(5, &last);
        script.asked_again(5, &last);
        for (path, micros) in paths.iter().zip([2_600_000, 10_000, 2_500_000]) {
            waited(&mut script, path, micros);
        }
        let round = script.asked_again(5, &last);
        let of = |unit: &str| value(&round, &format!("unit_pressure_some_ratio{{resource=\"io\",unit=\"{unit}\"}}"));
        assert_eq!((of("system.slice"), of("db"), of("calm")), (Some(0.52), Some(0.5), None));
        let quiet = script.asked_again(5, &last);
        assert_eq!(value(&quiet, r#"unit_pressure_some_ratio{resource="io",unit="db"}"#), Some(0.0));
    }

    #[test]
    fn a_container_that_ended_is_forgotten() {
        let (mut script, path) = script();
        script.groups.add(&path);
        let groups = script.groups.clone();
        for _ in 0..6 {
            script.round();
        }
        script.round_until(|_| groups.places().is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in mutated("8:0 rbytes=1 wbytes=2\nsome avg10=0 total=5\nusage_usec 7\n")) {
            let _ = (transferred(&text), stalled_micros(&text), field(&text, b"usage_usec"));
        }
    }
}
