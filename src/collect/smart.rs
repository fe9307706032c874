//! What disks say of their own health (SMART), through `smartctl` where that is installed.
//!
//! Every ten minutes on the thread for programs; a disk that sleeps is not woken. Invariant: what a disk does not
//! say is absent, and one that may not be asked is told once an asking.

use std::time::Duration;

use serde::Deserialize;

use super::gauges::{Found, Gauges, Plan, SELDOM};
use super::parse::label;
use super::table::Start;
use crate::base::Unit;
use crate::model::{DriveCounts, GoodDirection, Host, MetricDef, Source};

const fn count(name: &'static str, help: &'static str) -> MetricDef {
    MetricDef::gauge(name, Unit::Count, help).by(&["device"])
}

pub(super) const METRICS: &[MetricDef] = &[
    count("smart_healthy", "1 where the disk says that it is well, 0 where it expects to fail.")
        .good(GoodDirection::Up)
        .within(Some(0.0), Some(1.0)),
    MetricDef::gauge("smart_temperature_celsius", Unit::Celsius, "Temperature of the disk.")
        .by(&["device"])
        .within(Some(-273.15), None),
    MetricDef::gauge("smart_power_on_seconds", Unit::Seconds, "How long the disk has been running in its life.")
        .by(&["device"])
        .good(GoodDirection::Neither),
    MetricDef::gauge("smart_wear_ratio", Unit::Ratio, "Share of its life the disk has used by its maker's estimate; may pass 1.")
        .by(&["device"])
        .within(Some(0.0), None),
    count("smart_reallocated_sectors", "Sectors the disk replaced by spare ones."),
    count("smart_pending_sectors", "Sectors the disk cannot read and may have to replace."),
    count("smart_uncorrectable_errors", "Sectors or data the disk could not read, in its life."),
    count("smart_reported_errors", "Errors the disk could not correct and reported, in its life."),
    count("smart_command_timeouts", "Commands the disk did not finish in time, in its life."),
    count("smart_failure_signs", "How many of the five counts that go before most failures are not zero, 0 to 5.")
        .within(Some(0.0), Some(5.0)),
];

/// In the order of [`METRICS`].
type Values = [Option<f64>; 10];

const PLAN: Plan = Plan { name: "smart", metrics: METRICS, what: "disks", period: Duration::from_secs(600), retry: SELDOM };

/// How long one disk may take: it may stand in a queue of writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most disks asked: one costs some twenty milliseconds of a program.
const MOST: usize = 64;

/// Bits of smartctl's exit code: bad command line, device could not be opened or slept (smartctl(8), "EXIT STATUS").
const NOT_ASKED: i64 = 0b11;

pub(super) fn make(start: &Start<'_>) -> Box<dyn Source> {
    Gauges::boxed(start, &start.programs, PLAN, |ask| {
        let mut found = Found::default();
        for device in disks(ask.host).iter().take(MOST) {
            let path = format!("/dev/{device}");
            let args = ["--json=c", "--nocheck=standby", "--health", "--attributes", path.as_str()];
            match ask.host.run("smartctl", &args, PATIENCE) {
                Ok(text) => match parse(&text) {
                    Some(Answer::Values(values)) => {
                        for (metric, value) in METRICS.iter().zip(values) {
                            found.maybe(metric, &[&label(device.as_bytes())], value);
                        }
                    }
                    Some(Answer::Refused(reason)) => found.fault(format!("smartctl {path}: {reason}")),
                    // It sleeps, or has no such thing: virtual disks.
                    None => {}
                },
                // Not installed: then it is for no disk.
                Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::Unsupported) => break,
                Err(error) => found.fault(format!("smartctl {path}: {error}")),
            }
        }
        found
    })
}

/// Disks that are hardware: SATA, SAS and NVMe.
fn disks(host: &dyn Host) -> Vec<String> {
    let mut names = Vec::new();
    if host.list("/sys/block", &mut names).is_err() {
        return names;
    }
    names.retain(|name| name.starts_with("sd") || name.starts_with("nvme"));
    names.sort_unstable();
    names
}

enum Answer {
    Values(Values),
    Refused(String),
}

/// What is read of smartctl's JSON.
#[derive(Deserialize)]
struct Report {
    smartctl: Smartctl,
    smart_status: Option<Status>,
    temperature: Option<Temperature>,
    power_on_time: Option<PowerOn>,
    #[serde(default)]
    ata_smart_attributes: Attributes,
    nvme_smart_health_information_log: Option<Nvme>,
}

#[derive(Deserialize)]
struct Smartctl {
    #[serde(default)]
    exit_status: i64,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    string: String,
}

#[derive(Deserialize)]
struct Status {
    passed: bool,
}

#[derive(Deserialize)]
struct Temperature {
    current: f64,
}

#[derive(Deserialize)]
struct PowerOn {
    hours: f64,
}

#[derive(Deserialize, Default)]
struct Attributes {
    #[serde(default)]
    table: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    id: u16,
    /// Counts down from 100 or 200.
    #[serde(default)]
    value: f64,
    raw: Raw,
}

#[derive(Deserialize)]
struct Raw {
    value: f64,
}

#[derive(Deserialize)]
struct Nvme {
    percentage_used: Option<f64>,
    media_errors: Option<f64>,
}

/// What smartctl says; `None` where it says nothing about health.
fn parse(text: &[u8]) -> Option<Answer> {
    let report: Report = serde_json::from_slice(text).ok()?;
    if report.smartctl.exit_status & NOT_ASKED != 0 {
        let reason = report.smartctl.messages.into_iter().map(|m| m.string).find(|m| m.contains("ermission"));
        return reason.map(|reason| Answer::Refused(label(reason.as_bytes())));
    }
    let attribute = |id: u16| report.ata_smart_attributes.table.iter().find(|a| a.id == id);
    let raw = |id: u16| attribute(id).map(|a| a.raw.value);
    // Names by number of the ATA attributes: wear of Samsung and Micron (177, 202), SSD life left (231, 233).
    let worn = [177, 202, 231, 233].into_iter().find_map(attribute).map(|a| ((100.0 - a.value) / 100.0).max(0.0));
    let nvme = report.nvme_smart_health_information_log.as_ref();
    let counts = DriveCounts {
        reallocated: raw(5),
        reported: raw(187),
        // Three counts in one number on some disks; the lowest sixteen bits are all timeouts.
        timeouts: raw(188).map(|v| (v as u64 & 0xffff) as f64),
        pending: raw(197),
        uncorrectable: nvme.and_then(|log| log.media_errors).or(raw(198)),
    };
    Some(Answer::Values([
        report.smart_status.map(|status| f64::from(u8::from(status.passed))),
        report.temperature.map(|t| t.current),
        report.power_on_time.map(|t| t.hours * 3600.0),
        nvme.and_then(|log| log.percentage_used).map(|percent| percent / 100.0).or(worn),
        counts.reallocated,
        counts.pending,
        counts.uncorrectable,
        counts.reported,
        counts.timeouts,
        (counts != DriveCounts::default()).then(|| f64::from(counts.signs())),
    ]))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Script, value};
    use super::*;

    const SATA: &str = r#"{"smartctl":{"exit_status":0},"smart_status":{"passed":true},"temperature":{"current":31},
        "power_on_time":{"hours":2},"ata_smart_attributes":{"table":[{"id":5,"value":100,"raw":{"value":8}},
        {"id":188,"value":100,"raw":{"value":4295032833}},{"id":177,"value":93,"raw":{"value":120}},{"id":197,"value":100,"raw":{"value":1}},{"id":198,"value":100,"raw":{"value":3}}]}}"#;
    const NVME: &str = r#"{"smartctl":{"exit_status":8},"smart_status":{"passed":false},
        "nvme_smart_health_information_log":{"percentage_used":104,"media_errors":7}}"#;
    const DENIED: &str =
        r#"{"smartctl":{"exit_status":2,"messages":[{"string":"Smartctl open device: /dev/sdb failed: Permission denied"}]}}"#;

    #[test]
    fn disks_say_how_they_are() {
        let mut script = Script::new(make);
        for disk in ["sda", "nvme0n1", "sdb", "vda"] {
            script.file(&format!("/sys/block/{disk}/size"), "1\n");
        }
        script.edit(|files| {
            for (disk, text) in [("sda", SATA), ("nvme0n1", NVME), ("sdb", DENIED)] {
                files.programs.insert(format!("smartctl /dev/{disk}"), text.as_bytes().to_vec());
            }
        });
        let round = script.round_until(|r| !r.readings.is_empty());
        let of = |metric: &str, disk: &str| value(&round, &format!("smart_{metric}{{device=\"{disk}\"}}"));
        assert_eq!(
            [of("healthy", "sda"), of("temperature_celsius", "sda"), of("power_on_seconds", "sda")],
            [Some(1.0), Some(31.0), Some(7200.0)]
        );
        assert_eq!(
            [of("reallocated_sectors", "sda"), of("pending_sectors", "sda"), of("uncorrectable_errors", "sda")],
            [Some(8.0), Some(1.0), Some(3.0)]
        );
        assert_eq!([of("command_timeouts", "sda"), of("failure_signs", "sda")], [Some(1.0), Some(3.0)]);
        assert_eq!(of("failure_signs", "nvme0n1"), Some(1.0));
        assert!(of("wear_ratio", "sda").is_some_and(|w| (w - 0.07).abs() < 1e-9));
        assert_eq!(
            [of("healthy", "nvme0n1"), of("wear_ratio", "nvme0n1"), of("uncorrectable_errors", "nvme0n1")],
            [Some(0.0), Some(1.04), Some(7.0)]
        );
        assert_eq!(round.faults.len(), 1);
        assert!(round.faults[0].message.contains("/dev/sdb") && round.faults[0].message.contains("Permission denied"));
    }

    #[test]
    fn a_sleeping_disk_and_garbage_say_nothing() {
        assert!(parse(br#"{"smartctl":{"exit_status":2,"messages":[{"string":"Device is in STANDBY mode"}]}}"#).is_none());
        assert!(parse(b"\xff{").is_none() && parse(b"{}").is_none());
    }
}
