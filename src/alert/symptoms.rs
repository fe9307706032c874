//! Rules about what goes wrong as it goes wrong: symptoms of programs, and of failing parts.
//!
//! What is a symptom the analysis decides, and who has it. Invariant: none of them fires on the simulated machine's normal day.

use super::defaults::{Draft, rule};
use crate::base::Unit;
use crate::model::{AlertKind, Limit, MetricDef, RuleSpec, Severity};

/// Datagrams a second that are no accident: on a machine whose programs keep up none is lost.
const LOST: f64 = 50.0;

/// A file system that is full sooner leaves no time to wait for a forecast, in seconds: an hour.
const FULL_SOON: f64 = 3600.0;

/// A metric of what a process has ever more of.
pub(super) const fn grows(name: &'static str, unit: Unit, help: &'static str) -> MetricDef {
    MetricDef::gauge(name, unit, help).by(&["process", "pid"])
}

/// What goes wrong as it goes wrong, with who does it. What is a symptom the analysis has decided, and when
/// it is over.
pub(super) fn rules() -> Vec<RuleSpec> {
    let symptom = |name: &str, metric: &str, limit| rule(name, metric, limit).fixed();
    let leak =
        |name: &str, metric: &str, title: &str| symptom(name, metric, Limit::Above(0.0)).title(title).unit(Unit::PerSecond);
    let rules = [
        leak("memory leak", "process_memory_growth_bytes_per_second", "{process} (pid {pid}) takes {value} of memory, steadily")
            .unit(Unit::BytesPerSecond),
        leak(
            "descriptor leak",
            "process_descriptors_growth_per_second",
            "{process} (pid {pid}) opens {value} files and closes none",
        ),
        leak("thread leak", "process_threads_growth_per_second", "{process} (pid {pid}) starts {value} threads that do not end"),
        leak(
            "process pile",
            "process_children_growth_per_second",
            "{process} (pid {pid}) starts {value} processes that do not end",
        ),
        symptom("disk filling", "filesystem_filling_seconds", Limit::Below(FULL_SOON))
            .title("{mount} is full in {value} at this pace")
            .unit(Unit::Seconds),
        symptom("surge", "surge_ratio", Limit::Above(0.0))
            .title("{what} {device} {value} times as high as nearly ever")
            .unit(Unit::Count),
        // Lost for good: whoever sends them hears nothing of it.
        rule("datagrams lost", "min_over_time(udp_full_buffers_per_second[5s])", Limit::Above(LOST))
            .of("udp_full_buffers_per_second")
            .title("{value} datagrams lost: a program does not read them fast enough")
            .unit(Unit::PerSecond)
            .hold(2)
            .over(LOST / 2.0, 60),
    ];
    rules.into_iter().map(|r| r.0).collect()
}

/// What goes before a failure: of a disk, of a service that cannot stay up, of a file system.
pub(super) fn failures() -> Vec<RuleSpec> {
    let rules = [
        rule("disk failing", "smart_healthy", Limit::Below(1.0))
            .title("disk {device} says that it is about to fail: copy what is on it now")
            .unit(Unit::Count)
            .severity(Severity::Critical)
            .kind(AlertKind::Predictive),
        // Of disks with such a sign one in ten to one in five fails within a year (Backblaze): a warning, never more.
        rule("disk damaged", "smart_failure_signs", Limit::Above(0.0))
            .title("disk {device} shows {value} of 5 signs that go before a failure: check the copies, plan to replace it")
            .unit(Unit::Count)
            .kind(AlertKind::Predictive),
        // More than two: `delta` counts on to the ends of the window, so that two are a little more than 2.
        rule("restart loop", "delta(unit_restarts[15m])", Limit::Above(2.5))
            .of("unit_restarts")
            .title("{unit} was restarted {value} times in 15 minutes")
            .unit(Unit::Count)
            .kind(AlertKind::Predictive),
        // The kernel does so where it meets errors; an administrator who does it knows.
        rule("read-only", "delta(filesystem_read_only[1h])", Limit::Above(0.5))
            .of("filesystem_read_only")
            .title("{mount} became read-only within the last hour")
            .unit(Unit::Count)
            .severity(Severity::Critical)
            .kind(AlertKind::Error),
        // What is corrected today destroys data tomorrow far more often than elsewhere (Schroeder, Pinheiro and Weber, 2009).
        errors("memory wears out", "delta(memory_errors{kind=\"corrected\"}[1h])", "memory_errors", 10.0)
            .title("{controller}: {value} memory errors were corrected within an hour: plan to replace the module")
            .kind(AlertKind::Predictive),
        errors("memory errors", "delta(memory_errors{kind=\"uncorrected\"}[1h])", "memory_errors", 0.5)
            .title("{controller}: memory has lost data {value} times within an hour: replace the module")
            .severity(Severity::Critical)
            .kind(AlertKind::Error),
        errors("machine check", "delta(machine_checks[1h])", "machine_checks", 0.5)
            .title("{value} faults of the hardware within an hour: see the kernel's log")
            .severity(Severity::Critical)
            .kind(AlertKind::Error),
        // A build on a small fan is no fault, and slows down some times a second; a heat sink full of dust does so all the time.
        errors("overheated", "delta(cpu_throttles[10m])", "cpu_throttles", 3000.0)
            .title("slowed down because of heat {value} times in 10 minutes: look at fans and dust")
            .kind(AlertKind::Predictive),
        errors("file system damaged", "filesystem_errors", "filesystem_errors", 0.0)
            .title("{device}: {value} errors in the file system's own records: check it (fsck) and the disk")
            .kind(AlertKind::Predictive),
    ];
    rules.into_iter().map(|r| r.0).collect()
}

/// A count of what should never happen.
fn errors(name: &str, expr: &str, metric: &str, limit: f64) -> Draft {
    rule(name, expr, Limit::Above(limit)).of(metric).unit(Unit::Count).fixed()
}
