//! The processes of the simulated machine: a table, and what each does in a scene.
//!
//! CPU of the machine is the sum of theirs, so a culprit's figures are those of the machine. Invariant: a
//! process keeps its id while it lives, and an idle one is told once.

use std::sync::Arc;

use super::noise::Noise;
use super::story::Scene;
use crate::base::Timestamp;
use crate::model::{EndedProcess, Process, ProcessChange, ProcessId, ProcessState, ShortLived, ShortLivedBy};

pub(super) const MIB: f64 = 1_048_576.0;

/// Memory the report's query takes, in bytes a second: 0.8 % of 24 GiB a minute, which passes 85 % after a quarter of an hour.
pub(super) const REPORT_BYTES_PER_SECOND: f64 = 3_400_000.0;
/// The report's query and its client have a number of their own each night.
const REPORT_QUERY_PID: u32 = 41_903;
const REPORT_CLIENT_PID: u32 = 41_877;
const BACKUP_PID: u32 = 39_020;

/// Share of what is started that has ended before anybody looks, and CPU time of each, in seconds: scripts and handshakes.
pub(super) const PASSING: f64 = 0.8;
pub(super) const PASSING_SECONDS: f64 = 0.006;
/// Who starts them, with their shares, the largest first: cron, the shop's workers, the door.
const PARENTS: [(u32, f64); 3] = [(802, 0.5), (1612, 0.3), (845, 0.2)];

/// What makes a process work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drive {
    /// Nothing: told once.
    Idle,
    /// The same at all times.
    Steady,
    /// Visitors, and a flood of connections.
    Visitors,
    /// Lives while the report runs.
    Report,
    /// Lives while the backup runs.
    Backup,
    /// Lives while somebody tries passwords.
    Attack,
}

/// One process: its figures at full drive.
struct Row {
    pid: u32,
    parent: u32,
    user: &'static str,
    name: &'static str,
    unit: &'static str,
    command: &'static str,
    drive: Drive,
    /// Cores.
    cpu: f64,
    memory_mib: f64,
    /// MiB a second, read and written.
    disk: (f64, f64),
    threads: u32,
}

macro_rules! rows {
    ($(($pid:expr, $parent:expr, $user:literal, $name:literal, $unit:literal, $command:literal, $drive:ident, $cpu:expr, $memory:expr, $disk:expr, $threads:expr)),+ $(,)?) => {
        &[$(Row { pid: $pid, parent: $parent, user: $user, name: $name, unit: $unit, command: $command, drive: Drive::$drive,
            cpu: $cpu, memory_mib: $memory, disk: $disk, threads: $threads }),+]
    };
}

// pid, parent, user, name, unit, command, drive, cores, MiB, MiB/s read and written, threads.
#[rustfmt::skip]
const ROWS: &[Row] = rows![
    (1, 0, "root", "systemd", "init", "/lib/systemd/systemd --system", Steady, 0.002, 13.0, (0.0, 0.0), 1),
    (71, 2, "root", "kswapd0", "", "[kswapd0]", Report, 0.06, 0.0, (0.0, 0.0), 1),
    (640, 1, "root", "containerd", "containerd", "/usr/bin/containerd", Steady, 0.004, 31.0, (0.0, 0.0), 12),
    (655, 1, "root", "dockerd", "docker", "/usr/bin/dockerd -H fd://", Steady, 0.006, 78.0, (0.0, 0.0), 18),
    (731, 1, "root", "systemd-journal", "systemd-journald", "/lib/systemd/systemd-journald", Visitors, 0.03, 51.0, (0.0, 0.3), 4),
    (802, 1, "root", "cron", "cron", "/usr/sbin/cron -f", Idle, 0.0, 9.0, (0.0, 0.0), 1),
    (845, 1, "root", "sshd", "ssh", "sshd: /usr/sbin/sshd -D [listener]", Steady, 0.001, 10.0, (0.0, 0.0), 1),
    (903, 1, "postfix", "master", "postfix", "/usr/lib/postfix/sbin/master -w", Idle, 0.0, 9.0, (0.0, 0.0), 1),
    (985, 1, "root", "nginx", "nginx", "nginx: master process /usr/sbin/nginx", Idle, 0.0, 24.0, (0.0, 0.0), 1),
    (988, 985, "www-data", "nginx", "nginx", "nginx: worker process", Visitors, 0.14, 317.0, (0.1, 0.6), 8),
    (989, 985, "www-data", "nginx", "nginx", "nginx: worker process", Visitors, 0.12, 301.0, (0.0, 0.2), 8),
    (990, 985, "www-data", "nginx", "nginx", "nginx: worker process", Visitors, 0.11, 298.0, (0.0, 0.2), 8),
    (991, 985, "www-data", "nginx", "nginx", "nginx: worker process", Visitors, 0.10, 296.0, (0.0, 0.2), 8),
    (1060, 1, "unbound", "unbound", "unbound", "/usr/sbin/unbound -d -p", Visitors, 0.008, 41.0, (0.0, 0.0), 4),
    (1115, 1, "redis", "redis-server", "redis-server", "/usr/bin/redis-server 127.0.0.1:6379", Visitors, 0.06, 594.0, (0.0, 0.2), 5),
    (1204, 1, "shop", "checkout-api", "checkout-api", "/opt/checkout/bin/checkout-api --port 8443 --pool 64", Visitors, 0.62, 2468.0, (0.0, 0.2), 64),
    (1377, 1, "shop", "shop-web", "shop-web", "/opt/shop/bin/shop-web serve --workers 12", Visitors, 0.54, 2007.0, (0.0, 0.1), 48),
    (1420, 1, "shop", "login", "login", "/opt/login/bin/login --port 8081", Visitors, 0.12, 388.0, (0.0, 0.0), 16),
    (1530, 1, "shop", "search", "search", "/opt/search/bin/search --index /var/lib/search", Visitors, 0.30, 1475.0, (0.8, 0.0), 33),
    (1612, 1, "shop", "images", "images", "/opt/images/bin/images --cache /var/cache/images", Visitors, 0.18, 640.0, (1.6, 0.3), 16),
    (2290, 1, "farol", "farol", "farol", "/usr/bin/farol --record", Steady, 0.004, 12.0, (0.0, 0.005), 6),
    (2817, 1, "postgres", "postgres", "postgresql@15", "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main", Visitors, 0.18, 5210.0, (2.4, 1.4), 6),
    (2830, 2817, "postgres", "postgres", "postgresql@15", "postgres: checkpointer", Visitors, 0.02, 64.0, (0.2, 2.2), 1),
    (2831, 2817, "postgres", "postgres", "postgresql@15", "postgres: walwriter", Visitors, 0.02, 22.0, (0.0, 1.8), 1),
    (2832, 2817, "postgres", "postgres", "postgresql@15", "postgres: autovacuum launcher", Idle, 0.0, 12.0, (0.0, 0.0), 1),
    (40_110, 2817, "postgres", "postgres", "postgresql@15", "postgres: shop checkout SELECT", Visitors, 0.16, 212.0, (1.0, 0.4), 1),
    (40_113, 2817, "postgres", "postgres", "postgresql@15", "postgres: shop checkout UPDATE", Visitors, 0.12, 198.0, (0.9, 0.3), 1),
    (40_120, 2817, "postgres", "postgres", "postgresql@15", "postgres: shop search SELECT", Visitors, 0.10, 160.0, (0.8, 0.0), 1),
    (REPORT_QUERY_PID, 2817, "postgres", "postgres", "postgresql@15", "postgres: report nightly SELECT", Report, 0.44, 60.0, (9.6, 1.1), 1),
    (REPORT_CLIENT_PID, 1, "report", "report", "report-nightly", "/opt/report/report --month 11 --to pdf", Report, 0.07, 404.0, (0.0, 0.1), 6),
    (BACKUP_PID, 1, "root", "restic", "backup", "restic backup /srv", Backup, 1.48, 612.0, (109.0, 2.0), 14),
    (47_001, 845, "root", "sshd", "ssh", "sshd: unknown [preauth]", Attack, 0.32, 11.0, (0.0, 0.0), 1),
    (47_002, 845, "root", "sshd", "ssh", "sshd: root [preauth]", Attack, 0.35, 11.0, (0.0, 0.0), 1),
    (47_003, 845, "root", "sshd", "ssh", "sshd: admin [preauth]", Attack, 0.33, 11.0, (0.0, 0.0), 1),
];

/// Idle ones that fill the list as on a real machine: pids from, how many, user, name, unit, command.
const CROWD: &[(u32, u32, &str, &str, &str, &str)] = &[
    (2, 34, "root", "kworker", "", "[kworker/u16:0-events]"),
    (40_200, 24, "postgres", "postgres", "postgresql@15", "postgres: shop checkout idle"),
    (3000, 12, "www-data", "php-fpm8.2", "php8.2-fpm", "php-fpm: pool www"),
    (3100, 6, "shop", "node", "queue", "/usr/bin/node /opt/queue/worker.js"),
    (3200, 4, "root", "agetty", "getty@tty1", "/sbin/agetty --noclear tty1 linux"),
    (3300, 6, "maria", "bash", "user@1000", "-bash"),
];

/// One process with its texts ready.
struct Standing {
    row: usize,
    process: Process,
    alive: bool,
    cpu_seconds: f64,
}

/// All processes.
pub(super) struct Processes {
    noise: Noise,
    working: Vec<Standing>,
    crowd: Vec<Arc<Process>>,
    told: bool,
}

/// What the processes do in sum.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work {
    /// Cores.
    pub cpu: f64,
    /// Bytes a second.
    pub read: f64,
    /// Bytes a second.
    pub written: f64,
    /// Processes that live.
    pub n: usize,
    /// Threads that live.
    pub threads: u32,
}

impl Processes {
    pub(super) fn new(noise: Noise) -> Self {
        let standing =
            |(row, r): (usize, &Row)| Standing { row, process: described(r), alive: false, cpu_seconds: r.cpu * 40_000.0 };
        let working = ROWS.iter().enumerate().map(standing).collect();
        let crowd = CROWD.iter().flat_map(|group| (0..group.1).map(|i| Arc::new(idle(group, i)))).collect();
        Self { noise, working, crowd, told: false }
    }

    /// What changed, and the work of all; `seconds` since the last time, `booted` is when the machine was started.
    pub(super) fn step(&mut self, scene: &Scene, (at, booted): (Timestamp, Timestamp), seconds: f64) -> (ProcessChange, Work) {
        let mut change = ProcessChange::default();
        let mut work = Work { n: self.crowd.len(), threads: self.crowd.len() as u32, ..Work::default() };
        if !self.told {
            change.changed.extend(self.crowd.iter().cloned());
        }
        for (stream, standing) in self.working.iter_mut().enumerate() {
            let Some(row) = ROWS.get(standing.row) else { continue };
            let strength = strength(row, scene);
            let born = !standing.alive && strength.is_some();
            if standing.alive && strength.is_none() {
                change.gone.push(standing.process.id);
                change.ended.push(Arc::new(EndedProcess { process: Arc::new(standing.process.clone()), at }));
            }
            standing.alive = strength.is_some();
            let Some(strength) = strength else { continue };
            work.n += 1;
            work.threads += row.threads;
            if row.drive == Drive::Idle && !born {
                continue;
            }
            let process = &mut standing.process;
            if born && row.drive != Drive::Idle && self.told {
                // Ticks of 10 ms since boot, as the kernel counts.
                process.id.started = u64::try_from(at.since(booted).as_millis() / 10).unwrap_or(u64::MAX);
                standing.cpu_seconds = 0.0;
                (process.read_bytes, process.written_bytes) = (Some(0), Some(0));
            }
            let jitter = 1.0 + 0.35 * self.noise.wander(1000 + stream as u32 * 4, at);
            process.cpu = row.cpu * strength * jitter;
            standing.cpu_seconds += process.cpu * seconds;
            process.cpu_seconds = standing.cpu_seconds;
            process.memory_bytes = ((row.memory_mib * MIB + report_bytes(row, scene)) * (1.0 + 0.01 * jitter)) as u64;
            let (read, written) = (row.disk.0 * MIB * strength * jitter, row.disk.1 * MIB * strength * jitter);
            (process.read_bytes_per_second, process.write_bytes_per_second) = (Some(read), Some(written));
            let sum = |before: Option<u64>, rate: f64| Some(before.unwrap_or(0) + (rate * seconds) as u64);
            (process.read_bytes, process.written_bytes) = (sum(process.read_bytes, read), sum(process.written_bytes, written));
            process.state = if process.cpu > 0.25 { ProcessState::Running } else { ProcessState::Sleeping };
            work.cpu += process.cpu;
            work.read += read;
            work.written += written;
            change.changed.push(Arc::new(process.clone()));
        }
        self.told = true;
        (change, work)
    }
}

impl Processes {
    /// What those left that came and went since the last time, of so many that were started in each second.
    pub(super) fn short_lived(&self, at: Timestamp, forks: f64, seconds: f64) -> Option<Arc<ShortLived>> {
        let count = PASSING * forks * seconds;
        let by = PARENTS.iter().filter_map(|(pid, share)| {
            let parent = &self.working.iter().find(|s| s.process.id.pid == *pid)?.process;
            let cpu_seconds = PASSING_SECONDS * count * share;
            Some(ShortLivedBy { parent: parent.id, name: Arc::clone(&parent.name), cpu_seconds })
        });
        (count >= 0.5).then(|| Arc::new(ShortLived { at, count: count.round() as u32, by: by.collect() }))
    }
}

/// How hard a process works, 1 at full drive; `None` where it does not live.
fn strength(row: &Row, scene: &Scene) -> Option<f64> {
    match row.drive {
        Drive::Idle | Drive::Steady => Some(1.0),
        Drive::Visitors => {
            Some(scene.visitors + 1.6 * scene.attack * f64::from(u8::from(row.unit == "nginx")) + 0.4 * scene.deploy)
        }
        Drive::Report => scene.report.map(|_| 1.0),
        Drive::Backup => (scene.backup > 0.0).then_some(scene.backup),
        Drive::Attack => (scene.attack > 0.0).then_some(scene.attack),
    }
}

/// What the report's query holds beside its own.
fn report_bytes(row: &Row, scene: &Scene) -> f64 {
    let seconds = scene.report.filter(|_| row.pid == REPORT_QUERY_PID).map_or(0.0, |(_, seconds)| seconds);
    seconds * REPORT_BYTES_PER_SECOND
}

fn described(row: &Row) -> Process {
    Process {
        id: ProcessId { pid: row.pid, started: u64::from(row.pid) * 10 },
        parent: row.parent,
        user: row.user.into(),
        name: row.name.into(),
        command: row.command.into(),
        threads: row.threads,
        unit: (!row.unit.is_empty()).then(|| row.unit.into()),
        memory_bytes: (row.memory_mib * MIB) as u64,
        ..Process::default()
    }
}

fn idle(
    &(first, _, user, name, unit, command): &(u32, u32, &'static str, &'static str, &'static str, &'static str),
    i: u32,
) -> Process {
    let kernel = command.starts_with('[');
    Process {
        id: ProcessId { pid: first + i, started: u64::from(first + i) * 10 },
        parent: if kernel { u32::from(first + i > 2) * 2 } else { 1 },
        user: user.into(),
        name: name.into(),
        command: command.into(),
        state: if kernel { ProcessState::Idle } else { ProcessState::Sleeping },
        memory_bytes: if kernel { 0 } else { u64::from(6 + i % 9) * 1_048_576 },
        threads: 1,
        unit: (!unit.is_empty()).then(|| unit.into()),
        ..Process::default()
    }
}
