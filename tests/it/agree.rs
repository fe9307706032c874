//! What is read, beside what the kernel's own tools say in the same second.
//!
//! A counter must lie between two of our own rounds, one before the tools and one after; what goes up and down may miss
//! that once on a busy machine, so each field has six seconds in which to agree. Invariant: at least sixty are compared.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use farol::base::Timestamp;
use farol::collect::{CollectConfig, Collector, LinuxHost};
use farol::model::{Host, Sample};

/// Seconds in which a field may agree.
const ATTEMPTS: usize = 20;

const TOOLS: [&str; 6] = ["vmstat", "iostat", "ss", "df", "free", "prometheus-node-exporter"];

/// One field: our value before and after, the tool's, and how far apart they may be.
struct Field {
    name: String,
    ours: [f64; 2],
    theirs: f64,
    room: f64,
}

struct Comparison {
    before: Sample,
    after: Sample,
    fields: Vec<Field>,
    missing: Vec<String>,
}

impl Comparison {
    /// The value of a gauge, the raw count of a counter.
    fn raw(sample: &Sample, key: &str) -> Option<f64> {
        sample.readings.iter().find(|r| r.key.to_string() == key).map(|r| r.cumulative.unwrap_or(r.value))
    }

    fn add(&mut self, tool: &str, key: &str, theirs: Option<f64>, room: f64) {
        let ours = (Self::raw(&self.before, key), Self::raw(&self.after, key));
        match (ours, theirs) {
            ((Some(before), Some(after)), Some(theirs)) => {
                let name = format!("{tool} {key}");
                self.fields.push(Field { name, ours: [before.min(after), before.max(after)], theirs, room });
            }
            (ours, theirs) => self.missing.push(format!("{tool} {key}: {ours:?} here, {theirs:?} there")),
        }
    }

    /// Values of a label among our readings of a metric.
    fn instances(&self, metric: &str, label: &str) -> Vec<String> {
        let of = self.after.readings.iter().filter(|r| r.key.metric() == metric && r.cumulative.is_some());
        of.filter_map(|r| r.key.label(label).map(str::to_owned)).collect()
    }
}

fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).env("LC_ALL", "C").stderr(Stdio::null()).output();
    String::from_utf8_lossy(&output.unwrap_or_else(|e| panic!("{program}: {e}")).stdout).into_owned()
}

/// Calls `ready` until it gives something.
fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(Instant::now() < deadline, "{what}: not within a minute");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// A running node_exporter; ended when dropped.
struct Exporter(std::process::Child, u16);

impl Exporter {
    fn start() -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let listen = format!("--web.listen-address=127.0.0.1:{free}");
        let child = Command::new("prometheus-node-exporter").arg(listen).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let exporter = Self(child.expect("it starts"), free);
        until("node_exporter answers", || Some(exporter.scrape()).filter(|m| !m.is_empty()));
        exporter
    }

    /// All its metrics by name with labels, as it writes them.
    fn scrape(&self) -> BTreeMap<String, f64> {
        let mut text = String::new();
        let asked = TcpStream::connect(("127.0.0.1", self.1)).and_then(|mut stream| {
            stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n")?;
            stream.read_to_string(&mut text)
        });
        if asked.is_err() {
            return BTreeMap::new();
        }
        let lines = text.lines().filter(|l| l.starts_with("node_")).filter_map(|l| l.rsplit_once(' '));
        lines.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Our metric, and node_exporter's name between `node_memory_` and `_bytes`.
const MEMORY: [(&str, &str); 16] = [
    ("memory_total_bytes", "MemTotal"),
    ("memory_available_bytes", "MemAvailable"),
    ("memory_cached_bytes", "Cached"),
    ("memory_buffers_bytes", "Buffers"),
    ("memory_dirty_bytes", "Dirty"),
    ("memory_slab_bytes", "Slab"),
    ("memory_free_bytes", "MemFree"),
    ("memory_anonymous_bytes", "AnonPages"),
    ("memory_mapped_bytes", "Mapped"),
    ("memory_shared_bytes", "Shmem"),
    ("memory_page_tables_bytes", "PageTables"),
    ("memory_kernel_stack_bytes", "KernelStack"),
    ("memory_committed_bytes", "Committed_AS"),
    ("memory_commit_limit_bytes", "CommitLimit"),
    ("memory_transparent_huge_bytes", "AnonHugePages"),
    ("swap_total_bytes", "SwapTotal"),
];

const COUNTERS: [(&str, &str); 20] = [
    ("context_switches_per_second", "node_context_switches_total"),
    ("interrupts_per_second", "node_intr_total"),
    ("forks_per_second", "node_forks_total"),
    ("major_faults_per_second", "node_vmstat_pgmajfault"),
    ("oom_kills_per_second", "node_vmstat_oom_kill"),
    ("swap_in_bytes_per_second", "node_vmstat_pswpin"),
    ("swap_out_bytes_per_second", "node_vmstat_pswpout"),
    ("tcp_retransmits_per_second", "node_netstat_Tcp_RetransSegs"),
    ("tcp_segments_per_second", "node_netstat_Tcp_OutSegs"),
    ("tcp_opens_per_second", "node_netstat_Tcp_ActiveOpens"),
    ("tcp_accepts_per_second", "node_netstat_Tcp_PassiveOpens"),
    ("tcp_listen_overflows_per_second", "node_netstat_TcpExt_ListenOverflows"),
    ("tcp_listen_drops_per_second", "node_netstat_TcpExt_ListenDrops"),
    ("udp_received_per_second", "node_netstat_Udp_InDatagrams"),
    ("udp_sent_per_second", "node_netstat_Udp_OutDatagrams"),
    ("udp_errors_per_second", "node_netstat_Udp_InErrors"),
    ("udp_no_port_per_second", "node_netstat_Udp_NoPorts"),
    ("udp_full_buffers_per_second", "node_netstat_Udp_RcvbufErrors"),
    ("load_average{window=\"1m\"}", "node_load1"),
    ("load_average{window=\"15m\"}", "node_load15"),
];

const INTERFACE: [(&str, &str); 8] = [
    ("network_receive_bytes_per_second", "receive_bytes"),
    ("network_receive_packets_per_second", "receive_packets"),
    ("network_receive_errors_per_second", "receive_errs"),
    ("network_receive_drops_per_second", "receive_drop"),
    ("network_transmit_bytes_per_second", "transmit_bytes"),
    ("network_transmit_packets_per_second", "transmit_packets"),
    ("network_transmit_errors_per_second", "transmit_errs"),
    ("network_transmit_drops_per_second", "transmit_drop"),
];

const DEVICE: [(&str, &str); 4] = [
    ("disk_read_bytes_per_second", "read_bytes"),
    ("disk_write_bytes_per_second", "written_bytes"),
    ("disk_reads_per_second", "reads_completed"),
    ("disk_writes_per_second", "writes_completed"),
];

#[test]
fn at_least_sixty_fields_agree_with_the_kernels_own_tools() {
    if std::env::var_os("FAROL_SLOW").is_none_or(|v| v != "1") {
        return;
    }
    let installed =
        |tool: &&str| Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().is_ok_and(|o| o.status.success());
    let lacking: Vec<&str> = TOOLS.into_iter().filter(|tool| !installed(tool)).collect();
    if !lacking.is_empty() {
        return eprintln!(
            "not compared: {} not installed (sysstat, prometheus-node-exporter, procps, iproute2)",
            lacking.join(", ")
        );
    }
    let exporter = Exporter::start();
    let host: Arc<dyn Host> = Arc::new(LinuxHost::new());
    let mut collector = Collector::new(host, &CollectConfig::default());
    let begun = Instant::now();
    let mut round = || collector.round(Timestamp::now(), begun.elapsed());
    let mut wrong: Option<Vec<String>> = None;
    let mut n = 0;
    for _ in 0..ATTEMPTS {
        let all = compare(&exporter, &mut round);
        n = all.fields.len();
        assert!(n >= 60, "only {n} fields; missing: {}", all.missing.join(", "));
        let differ = all.fields.iter().filter(|f| f.theirs < f.ours[0] - f.room || f.theirs > f.ours[1] + f.room);
        let now: Vec<String> =
            differ.map(|f| format!("{}: {} to {} here, {} there", f.name, f.ours[0], f.ours[1], f.theirs)).collect();
        let name = |line: &String| line.split(": ").next().map(str::to_owned);
        let still = |line: &String| wrong.as_ref().is_none_or(|before| before.iter().any(|b| name(b) == name(line)));
        wrong = Some(now.into_iter().filter(still).collect());
        if wrong.as_ref().is_some_and(Vec::is_empty) {
            break;
        }
    }
    collector.stop();
    eprintln!("{n} fields compared");
    let wrong = wrong.unwrap_or_default();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One second: a round, all tools, a round.
fn compare(exporter: &Exporter, round: &mut dyn FnMut() -> Sample) -> Comparison {
    // Rates need a round before; file systems and TCP states come from the slow thread.
    let before = until("a whole round", || {
        std::thread::park_timeout(Duration::from_millis(500));
        let sample = round();
        let has = |metric: &str| sample.readings.iter().any(|r| r.key.metric() == metric);
        (has("filesystem_size_bytes") && has("tcp_connections") && has("context_switches_per_second")).then_some(sample)
    });
    let node = exporter.scrape();
    let (vmstat, iostat, ss) = (run("vmstat", &["-s"]), run("iostat", &["-dk"]), run("ss", &["-Htln"]));
    let (df, free) = (run("df", &["-B1", "--output=target,size,used,avail"]), run("free", &["-b"]));
    let inodes = run("df", &["--output=target,itotal,iused"]);
    let after = round();
    let mut all = Comparison { before, after, fields: Vec::new(), missing: Vec::new() };
    compare_memory(&mut all, &node, &free);
    compare_counters(&mut all, &node, &vmstat);
    compare_devices(&mut all, &node, &iostat);
    compare_mounts(&mut all, &df, &inodes);
    all.add("ss", "tcp_connections{state=\"listen\"}", Some(ss.lines().count() as f64), 0.0);
    // While it is asked there are two sockets more: those of the question.
    all.add("node_exporter", "sockets_used", node.get("node_sockstat_sockets_used").copied(), 2.0);
    let up = node.get("node_time_seconds").zip(node.get("node_boot_time_seconds")).map(|(now, boot)| now - boot);
    // The start of the machine is known to the second.
    all.add("node_exporter", "uptime_seconds", up, 1.0);
    let files = node.get("node_filefd_allocated").zip(node.get("node_filefd_maximum")).map(|(n, most)| n / most);
    all.add("node_exporter", "file_descriptors_used_ratio", files, 1e-4);
    all
}

/// Pieces in which the kernel's own sums come and go: its cores keep some pages back before they are counted.
const PIECES: f64 = 4.0 * 1024.0 * 1024.0;

fn compare_memory(all: &mut Comparison, node: &BTreeMap<String, f64>, free: &str) {
    for (ours, theirs) in MEMORY {
        let fixed = matches!(theirs, "MemTotal" | "CommitLimit" | "SwapTotal");
        all.add(
            "node_exporter",
            ours,
            node.get(&format!("node_memory_{theirs}_bytes")).copied(),
            if fixed { 0.0 } else { PIECES },
        );
    }
    let row = |name: &str, column: usize| -> Option<f64> {
        free.lines().find(|l| l.starts_with(name))?.split_whitespace().nth(column)?.parse().ok()
    };
    all.add("free", "memory_total_bytes", row("Mem:", 1), 0.0);
    all.add("free", "memory_free_bytes", row("Mem:", 3), PIECES);
    all.add("free", "memory_shared_bytes", row("Mem:", 4), PIECES);
    all.add("free", "memory_available_bytes", row("Mem:", 6), PIECES);
    all.add("free", "swap_total_bytes", row("Swap:", 1), 0.0);
    all.add("free", "swap_used_bytes", row("Swap:", 2), PIECES);
}

fn compare_counters(all: &mut Comparison, node: &BTreeMap<String, f64>, vmstat: &str) {
    const PAGE: f64 = 4096.0;
    for (ours, theirs) in COUNTERS {
        let scale = if theirs.contains("pswp") { PAGE } else { 1.0 };
        // The load is shown with two digits.
        let room = if theirs.starts_with("node_load") { 0.01 } else { 0.0 };
        all.add("node_exporter", ours, node.get(theirs).map(|v| v * scale), room);
    }
    let line = |ending: &str| -> Option<f64> {
        vmstat.lines().map(str::trim).find(|l| l.ends_with(ending))?.split_whitespace().next()?.parse().ok()
    };
    all.add("vmstat", "context_switches_per_second", line(" CPU context switches"), 0.0);
    all.add("vmstat", "interrupts_per_second", line(" interrupts"), 0.0);
    all.add("vmstat", "forks_per_second", line(" forks"), 0.0);
    all.add("vmstat", "swap_in_bytes_per_second", line(" pages swapped in").map(|n| n * PAGE), 0.0);
    all.add("vmstat", "swap_out_bytes_per_second", line(" pages swapped out").map(|n| n * PAGE), 0.0);
    all.add("vmstat", "memory_total_bytes", line(" K total memory").map(|n| n * 1024.0), 0.0);
    all.add("vmstat", "memory_free_bytes", line(" K free memory").map(|n| n * 1024.0), PIECES);
    all.add("vmstat", "memory_buffers_bytes", line(" K buffer memory").map(|n| n * 1024.0), PIECES);
}

fn compare_devices(all: &mut Comparison, node: &BTreeMap<String, f64>, iostat: &str) {
    for interface in all.instances("network_receive_bytes_per_second", "interface") {
        for (ours, theirs) in INTERFACE {
            let key = format!("{ours}{{interface=\"{interface}\"}}");
            all.add(
                "node_exporter",
                &key,
                node.get(&format!("node_network_{theirs}_total{{device=\"{interface}\"}}")).copied(),
                0.0,
            );
        }
    }
    for device in all.instances("disk_read_bytes_per_second", "device") {
        for (ours, theirs) in DEVICE {
            let key = format!("{ours}{{device=\"{device}\"}}");
            all.add("node_exporter", &key, node.get(&format!("node_disk_{theirs}_total{{device=\"{device}\"}}")).copied(), 0.0);
        }
        let row: Option<Vec<f64>> = iostat
            .lines()
            .find(|l| l.split_whitespace().next() == Some(&device))
            .map(|l| l.split_whitespace().skip(1).filter_map(|w| w.parse().ok()).collect());
        let column = |at: usize| row.as_ref().and_then(|row| row.get(at)).map(|kib| kib * 1024.0);
        // Whole KiB.
        all.add("iostat", &format!("disk_read_bytes_per_second{{device=\"{device}\"}}"), column(4), 1024.0);
        all.add("iostat", &format!("disk_write_bytes_per_second{{device=\"{device}\"}}"), column(5), 1024.0);
    }
}

fn compare_mounts(all: &mut Comparison, df: &str, inodes: &str) {
    let mounts: Vec<String> = all
        .after
        .readings
        .iter()
        .filter(|r| r.key.metric() == "filesystem_size_bytes")
        .filter_map(|r| r.key.label("mount").map(str::to_owned))
        .collect();
    for mount in mounts {
        let row = |text: &str| -> Option<Vec<f64>> {
            let line = text.lines().find(|l| l.split_whitespace().next() == Some(&mount))?;
            Some(line.split_whitespace().skip(1).filter_map(|w| w.parse().ok()).collect())
        };
        let space = row(df);
        for (at, metric) in ["size", "used", "available"].into_iter().enumerate() {
            let theirs = space.as_ref().and_then(|row| row.get(at)).copied();
            all.add("df", &format!("filesystem_{metric}_bytes{{mount=\"{mount}\"}}"), theirs, if at == 0 { 0.0 } else { PIECES });
        }
        let ratio = row(inodes).filter(|row| row.first().is_some_and(|n| *n > 0.0)).map(|row| row[1] / row[0]);
        if ratio.is_some() {
            all.add("df -i", &format!("filesystem_inodes_used_ratio{{mount=\"{mount}\"}}"), ratio, 0.01);
        }
    }
}
