//! What a report of 30 days and 300 series costs: time, memory, size, pages and sameness, for each kind and format.
//!
//! A store of thirty days is filled once (every minute; raw samples of eight days, rollups of all), then asked as the command
//! asks it. Prints figures and fails where a limit is broken: 2 s of one core and 200 MiB each, a PDF of at most 1 MB and six
//! pages.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farol::base::{TimeRange, Timestamp};
use farol::config::Config;
use farol::engine::{Offline, Surroundings, catalog, settings};
use farol::model::{
    HostFacts, JournalEntry, JournalEvent, LogTopic, Posture, PostureCheck, Reading, ReportDepth, ReportFormat, ReportKind,
    ReportSpec, SecurityEvent, SeriesKey, Severity, Vulnerability,
};
use farol::monitor::{Answer, Request};
use farol::notify::Sending;
use farol::store::{Store, StoreConfig, Write};

/// 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp(1_767_225_600_000);
const DAYS: u64 = 30;
const STEP: u64 = 60;

/// Limits of each report.
const SECONDS: f64 = 2.0;
const MEBIBYTES: f64 = 200.0;
const PDF_BYTES: usize = 1_000_000;
const PDF_PAGES: usize = 6;

/// 300 series of a machine with many cores, mounts and devices.
fn keys() -> Vec<SeriesKey> {
    let totals = ["cpu_usage_ratio", "memory_used_ratio", "swap_used_ratio", "health_score", "tcp_retransmits_per_second"];
    let mut keys: Vec<SeriesKey> = totals.into_iter().map(SeriesKey::total).collect();
    let by = |metric: &'static str, label: &'static str, n: usize| {
        (0..n).map(move |i| SeriesKey::new(metric, [(label, format!("{label}{i}").as_str())]))
    };
    keys.extend(by("cpu_usage_ratio", "core", 64));
    keys.extend(by("filesystem_used_ratio", "mount", 30));
    keys.extend(by("filesystem_size_bytes", "mount", 30));
    keys.extend(by("filesystem_inodes_used_ratio", "mount", 30));
    keys.extend(by("disk_busy_ratio", "device", 20));
    keys.extend(by("disk_read_bytes_per_second", "device", 20));
    keys.extend(by("disk_write_bytes_per_second", "device", 20));
    keys.extend(by("network_receive_bytes_per_second", "interface", 20));
    keys.extend(by("network_transmit_bytes_per_second", "interface", 20));
    keys.extend(by("temperature_celsius", "sensor", 36));
    keys.extend(by("sessions", "user", 2));
    let state = |metric, state| SeriesKey::new(metric, [("state", state)]);
    keys.extend([SeriesKey::total("sessions"), state("units", "failed"), state("tcp_connections", "syn_recv")]);
    keys
}

fn value(series: usize, second: u64) -> f64 {
    let day = (second % 86_400) as f64 / 86_400.0;
    let mixed = (second.wrapping_mul(2_654_435_761) ^ (series as u64).wrapping_mul(40_503)) % 1000;
    0.3 + 0.2 * (day * std::f64::consts::TAU + series as f64).sin() + mixed as f64 / 10_000.0
}

/// Something that concerns security each two hours, and twice a day how well the machine is closed.
fn security(second: u64) -> Vec<Write> {
    let at = START + Duration::from_secs(second);
    let mut events = Vec::new();
    if second.is_multiple_of(7200) {
        let kinds = [SecurityEvent::LOGIN, SecurityEvent::LOGOUT, SecurityEvent::LISTENER, SecurityEvent::PACKAGES];
        let kind = kinds[(second / 7200) as usize % kinds.len()];
        let severity = if kind == SecurityEvent::LISTENER { Severity::Warning } else { Severity::Info };
        let (subject, evidence) = (format!("subject-{}", second % 17), "listens on 0.0.0.0:4444, pid 8, of no unit".to_owned());
        let seen = SecurityEvent { at, kind: kind.to_owned(), severity, subject, from: String::new(), evidence, n: 1 };
        events.push(JournalEvent::Security { seen });
    }
    if second.is_multiple_of(43_200) {
        let check = |i: u32| PostureCheck {
            title: format!("Only root changes file {i}"),
            passed: !i.is_multiple_of(5),
            severity: if i.is_multiple_of(10) { Severity::Warning } else { Severity::Info },
            evidence: format!("/etc/file-{i} has mode 666"),
            advice: format!("chmod 644 /etc/file-{i}"),
        };
        let old = |i: u32| Vulnerability {
            package: format!("package-{i}"),
            installed: "3.0.15-1~deb12u1".to_owned(),
            mended: "3.0.17-1~deb12u3".to_owned(),
        };
        let posture = Posture {
            checks: (0..30).map(check).collect(),
            vulnerabilities: (0..40).map(old).collect(),
            listed_at: Some(at),
            accounts: vec!["ana".to_owned(), "root".to_owned()],
            unseen: vec!["/etc/shadow: Permission denied".to_owned()],
            heard: [LogTopic::Access, LogTopic::Kernel].into(),
        };
        events.push(JournalEvent::Posture { posture: Box::new(posture) });
    }
    events.into_iter().map(|event| Write::Journal(JournalEntry { at, event })).collect()
}

fn fill(folder: &Path) {
    let keys = keys();
    let (mut writer, _) = Store::open(&folder.join("farol.redb"), &StoreConfig::default()).expect("a store");
    for second in (STEP..=DAYS * 86_400).step_by(STEP as usize) {
        let at = START + Duration::from_secs(second);
        let reading = |(i, key): (usize, &SeriesKey)| Reading { key: key.clone(), value: value(i, second), cumulative: None };
        let readings: Vec<Reading> = keys.iter().enumerate().map(reading).collect();
        writer.push(at, &readings);
        writer.queue(security(second));
        if second.is_multiple_of(1800) {
            writer.flush(at).expect("room");
            while writer.maintain(at).expect("room") {}
        }
    }
    writer.close(START + Duration::from_secs(DAYS * 86_400)).expect("room");
}

fn peak_mebibytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN) / 1024.0
}

/// What this thread has used of a core, in seconds: other programs do not count.
fn used_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).map_or(f64::NAN, |ns| ns / 1e9)
}

/// Pages of a PDF, where `pdfinfo` is installed.
fn pages(folder: &Path, bytes: &[u8]) -> Option<usize> {
    let path = folder.join("report.pdf");
    std::fs::write(&path, bytes).expect("room");
    let told = std::process::Command::new("pdfinfo").arg(&path).output().ok()?;
    String::from_utf8_lossy(&told.stdout).lines().find_map(|l| l.strip_prefix("Pages:")?.trim().parse().ok())
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let began = Instant::now();
    fill(folder.path());
    println!("filled {} series over {DAYS} days in {:.1} s", keys().len(), began.elapsed().as_secs_f64());
    let config = Config::default();
    let around = Surroundings {
        host: Arc::new(HostFacts { name: "bench".to_owned(), cores: 64, memory_bytes: 64 << 30, ..HostFacts::default() }),
        link_bits_per_second: None,
        data_dir: folder.path(),
        sending: Sending::Dry,
    };
    let settings = settings(&config, &Arc::new(catalog()), &around).expect("the defaults");
    let mut offline = Offline::open(folder.path(), &config.store, settings).expect("a history");
    // What filling took is not the report's: the peak is counted anew from here where the kernel lets us.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let range = TimeRange::last(Duration::from_secs(DAYS * 86_400), START + Duration::from_secs(DAYS * 86_400));
    let mut broken = Vec::new();
    for kind in ReportKind::ALL {
        for format in ReportFormat::ALL {
            let spec = ReportSpec {
                kind: *kind,
                depth: ReportDepth::Monthly,
                range,
                format: *format,
                growth_percent: 20,
                time_zone: Some("UTC".to_owned()),
            };
            let began = used_seconds();
            let mut ask = || match offline.ask(Request::Report(spec.clone())) {
                Ok(Answer::Report { bytes, .. }) => bytes,
                other => {
                    eprintln!("{kind} {format}: {other:?}");
                    Vec::new()
                }
            };
            let bytes = ask();
            let seconds = used_seconds() - began;
            let (same, peak) = (bytes == ask(), peak_mebibytes());
            let pages = (*format == ReportFormat::Pdf).then(|| pages(folder.path(), &bytes)).flatten();
            let shown = pages.map_or_else(String::new, |n| format!(", {n} pages"));
            println!(
                "{kind} {format}: {seconds:.2} s, {:.1} KiB{shown}, same bytes: {same}, peak {peak:.0} MiB",
                bytes.len() as f64 / 1024.0
            );
            let is_large = *format == ReportFormat::Pdf && (bytes.len() > PDF_BYTES || pages.is_some_and(|n| n > PDF_PAGES));
            if bytes.is_empty() || seconds > SECONDS || peak > MEBIBYTES || !same || is_large {
                broken.push(format!("{kind} {format}"));
            }
        }
    }
    assert!(broken.is_empty(), "a limit is broken: {}", broken.join(", "));
}
