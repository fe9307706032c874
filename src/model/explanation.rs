//! What an alert says of its cause: what is normal, what moved with it, who used the resource, what changed before.
//!
//! Made by the engine when a rule fires. Invariant: every figure has its unit in the type, so that a message, a screen
//! and a program say the same.

use serde::{Deserialize, Serialize};

use super::{Process, SeriesKey};
use crate::base::{Unit, format_value};

/// What processes share, and what one of them can take too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Cores.
    Cpu,
    /// Bytes of memory, swapped out ones included.
    Memory,
    /// Bytes per second read from and written to devices.
    DiskIo,
    /// Bytes written since the process's start: what fills a file system was written by somebody.
    DiskSpace,
    /// Open files, sockets among them: every connection is one.
    Descriptors,
    /// Threads.
    Tasks,
}

impl Resource {
    /// All, in the order of their declaration.
    pub const ALL: [Self; 6] = [Self::Cpu, Self::Memory, Self::DiskIo, Self::DiskSpace, Self::Descriptors, Self::Tasks];

    /// The resource a series is about; `None` where no process of this machine can be blamed for it (a service that is down).
    /// A prediction is about what the series is that it predicts.
    pub fn of(key: &SeriesKey) -> Option<Self> {
        if let Some(predicted) = key.label("series").filter(|_| key.metric() == "prediction_probability") {
            let metric = predicted.split('{').next().unwrap_or(predicted);
            return Self::of_metric(metric, None);
        }
        // A surge is of the metric it names.
        let surging = key.label("metric").filter(|_| key.metric() == "surge_ratio");
        Self::of_metric(surging.unwrap_or(key.metric()), key.label("resource").or(key.label("mode")))
    }

    fn of_metric(metric: &str, part: Option<&str>) -> Option<Self> {
        // What holds in a container or a unit holds there as it does in the whole machine.
        let metric = ["container_", "unit_", "vm_", "process_"].iter().find_map(|p| metric.strip_prefix(p)).unwrap_or(metric);
        let begins = |prefixes: &[&str]| prefixes.iter().any(|p| metric.starts_with(p));
        let part = part.unwrap_or_default();
        if begins(&["memory", "swap", "oom", "major_faults"]) || (metric.starts_with("pressure") && part == "memory") {
            Some(Self::Memory)
        } else if begins(&["filesystem"]) {
            Some(Self::DiskSpace)
        } else if begins(&["disk", "read_bytes", "write_bytes"]) || ["io", "iowait"].contains(&part) {
            Some(Self::DiskIo)
        } else if begins(&["tcp", "sockets", "conntrack", "file_descriptors", "descriptors"]) {
            Some(Self::Descriptors)
        } else if begins(&["pids", "processes", "threads", "forks", "tasks", "children"]) {
            Some(Self::Tasks)
        } else if begins(&[
            "cpu",
            "load",
            "pressure",
            "context",
            "interrupts",
            "network",
            "udp",
            "temperature",
            "power",
            "fan",
            "anomaly",
        ]) {
            // What a process sends is not counted by the kernel, process by process; sending costs CPU.
            Some(Self::Cpu)
        } else {
            None
        }
    }

    /// What a process has of it now; 0 where that may not be read.
    pub fn used_by(self, process: &Process) -> f64 {
        match self {
            Self::Cpu => process.cpu,
            Self::Memory => process.memory_bytes as f64 + process.swap_bytes.unwrap_or(0) as f64,
            Self::DiskIo => process.read_bytes_per_second.unwrap_or(0.0) + process.write_bytes_per_second.unwrap_or(0.0),
            Self::DiskSpace => process.written_bytes.unwrap_or(0) as f64,
            Self::Descriptors => f64::from(process.descriptors.unwrap_or(0)),
            Self::Tasks => f64::from(process.threads),
        }
    }

    /// Its unit; cores are a share of one core.
    pub fn unit(self) -> Unit {
        match self {
            Self::Cpu => Unit::Ratio,
            Self::Memory | Self::DiskSpace => Unit::Bytes,
            Self::DiskIo => Unit::BytesPerSecond,
            Self::Descriptors | Self::Tasks => Unit::Count,
        }
    }

    /// An amount of it for people: `1.9 cores`, `9.4 GiB`, `812 open files`.
    pub fn amount(self, value: f64) -> String {
        match self {
            Self::Cpu => format!("{value:.1} cores"),
            Self::Descriptors => format!("{} open files", format_value(value, Unit::Count)),
            Self::Tasks => format!("{} threads", format_value(value, Unit::Count)),
            _ => format_value(value, self.unit()),
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::DiskSpace => "wrote",
            Self::Descriptors | Self::Tasks => "has",
            Self::Cpu | Self::Memory | Self::DiskIo => "uses",
        }
    }
}

/// A metric that moved with the alert's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correlate {
    /// Which series.
    pub key: SeriesKey,
    /// Its value when the rule fired.
    pub value: f64,
    /// Its usual value.
    pub usual: f64,
    /// Unit of both.
    #[serde(default = "count")]
    pub unit: Unit,
    /// How strongly they moved together, −1 to 1.
    pub correlation: f64,
}

fn count() -> Unit {
    Unit::Count
}

impl Correlate {
    /// `disk_busy_ratio{device="vda"} 96%, usually 4%`.
    pub fn text(&self) -> String {
        let shown = |value| format_value(value, self.unit);
        format!("{} {}, usually {}", self.key, shown(self.value), shown(self.usual))
    }
}

/// A process that used the resource concerned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Culprit {
    /// Its short name.
    pub name: String,
    /// Its number.
    pub pid: u32,
    /// Its unit or container.
    pub unit: Option<String>,
    /// What it used, in the unit of the resource.
    pub value: f64,
    /// How that changed since before; `None` where not known.
    pub change: Option<f64>,
}

impl Culprit {
    /// `postgres (pid 812, report-nightly) uses 9.4 GiB, +3.1 GiB`; plain numbers where the resource is not known.
    pub fn text(&self, resource: Option<Resource>) -> String {
        let amount = |value: f64| resource.map_or_else(|| format_value(value, Unit::Count), |r| r.amount(value));
        let unit = self.unit.as_ref().map_or(String::new(), |u| format!(", {u}"));
        let verb = resource.map_or("uses", Resource::verb);
        let mut text = format!("{} (pid {}{unit}) {verb} {}", self.name, self.pid, amount(self.value));
        if let Some(change) = self.change {
            let sign = if change < 0.0 { "−" } else { "+" };
            text.push_str(&format!(", {sign}{}", amount(change.abs())));
        }
        text
    }
}

/// Why an alert fired.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Explanation {
    /// One sentence with value, limit and the most likely cause.
    pub summary: String,
    /// What is normal here and now, for people; `None` while learning.
    pub normal: Option<String>,
    /// What moved with it, strongest first.
    pub correlated: Vec<Correlate>,
    /// What the processes are measured in; `None` where no process is to blame.
    #[serde(default)]
    pub resource: Option<Resource>,
    /// Who used the resource at that second, the likeliest cause first.
    pub processes: Vec<Culprit>,
    /// What changed shortly before, the likeliest cause first.
    pub changes: Vec<String>,
    /// Query that shows it again.
    pub query: String,
}

impl Explanation {
    /// What the sentence says beyond the title, which stands beside it already: `usually 31–38%; postgres (pid 812) uses
    /// 9.4 GiB`; `None` where it says nothing more. The title may have another value by now.
    pub fn beyond(&self, title: &str) -> Option<String> {
        let sentence = self.summary.as_str();
        let is_title = |text: &str| text.chars().filter(|c| c.is_alphabetic()).eq(title.chars().filter(|c| c.is_alphabetic()));
        if sentence.is_empty() || is_title(sentence) {
            return None;
        }
        let usually = sentence.split_once(", usually ").filter(|(head, _)| is_title(head));
        let after = || sentence.split_once("; ").filter(|(head, _)| is_title(head)).map_or(sentence, |(_, rest)| rest);
        Some(usually.map_or_else(|| after().to_owned(), |(_, rest)| format!("usually {rest}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_title_says_is_not_said_again() {
        let beyond = |summary: &str| Explanation { summary: summary.to_owned(), ..Explanation::default() }.beyond("memory 91%");
        assert_eq!(beyond(""), None);
        assert_eq!(beyond("memory 91%."), None);
        assert_eq!(beyond("memory 91%; java (pid 7) uses 9 GiB").as_deref(), Some("java (pid 7) uses 9 GiB"));
        assert_eq!(beyond("memory 90%, usually 31%; boot").as_deref(), Some("usually 31%; boot"));
        assert_eq!(beyond("the report holds it.").as_deref(), Some("the report holds it."));
        assert_eq!(beyond("refused; stopped by tom").as_deref(), Some("refused; stopped by tom"));
    }

    fn check(key: &str, expected: Option<Resource>) {
        assert_eq!(Resource::of(&key.parse().expect(key)), expected, "{key}");
    }

    #[test]
    fn a_series_is_about_a_resource_or_about_none() {
        check("cpu_usage_ratio", Some(Resource::Cpu));
        check("cpu_mode_ratio{mode=\"iowait\"}", Some(Resource::DiskIo));
        check("cpu_mode_ratio{mode=\"user\"}", Some(Resource::Cpu));
        check("pressure_some_ratio{resource=\"io\"}", Some(Resource::DiskIo));
        check("pressure_full_ratio{resource=\"memory\"}", Some(Resource::Memory));
        check("memory_used_ratio", Some(Resource::Memory));
        check("container_memory_used_bytes{name=\"web\"}", Some(Resource::Memory));
        check("filesystem_used_ratio{mount=\"/\"}", Some(Resource::DiskSpace));
        check("disk_busy_ratio{device=\"vda\"}", Some(Resource::DiskIo));
        check("tcp_connections{state=\"established\"}", Some(Resource::Descriptors));
        check("pids_used_ratio", Some(Resource::Tasks));
        check("service_up{service=\"shop\"}", None);
        check("unit_state{state=\"failed\",unit=\"shop\"}", None);
    }

    #[test]
    fn a_prediction_is_about_what_it_predicts() {
        let labels = [("series", "filesystem_used_ratio{mount=\"/\"}"), ("kind", "capacity")];
        assert_eq!(Resource::of(&SeriesKey::new("prediction_probability", labels)), Some(Resource::DiskSpace));
    }

    #[test]
    fn a_process_is_said_with_its_units() {
        let culprit = |value, change| Culprit { name: "p".to_owned(), pid: 7, unit: None, value, change: Some(change) };
        assert_eq!(culprit(812.0, 700.0).text(Some(Resource::Descriptors)), "p (pid 7) has 812 open files, +700 open files");
        assert_eq!(culprit(1.9, -0.1).text(Some(Resource::Cpu)), "p (pid 7) uses 1.9 cores, −0.1 cores");
        assert_eq!(culprit(2048.0, 1024.0).text(Some(Resource::DiskSpace)), "p (pid 7) wrote 2.0 KiB, +1.0 KiB");
    }
}
