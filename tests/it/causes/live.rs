//! Live runs: one after the other on this machine, beside whatever else it does.
//!
//! Invariant: every run is reported, also one in which nothing fired.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farol::base::Timestamp;
use farol::collect::{CollectConfig, Collector, LinuxHost, facts};
use farol::model::{Alert, Host, Sample};

use super::machine::Machine;
use super::offender::{self, Ground, Running, neighbors, offend};
use super::record::Tape;
use super::{Case, Kind};

/// Runs in the slow set: each kind once.
const FEW: u64 = 5;

/// Ticks before the first run: two looks at the processes.
const BEFORE: u64 = 21;

/// Ticks between two runs, in which the rules of the last one are over.
const BETWEEN: u64 = 3;

/// Seconds the condition may hold before it is given up.
const PATIENCE: u64 = 15;

/// Share of runs that must name the guilty first.
const GOAL: f64 = 0.95;

#[test]
fn the_guilty_process_is_named_first() {
    let is_slow = std::env::var_os("FAROL_SLOW").is_some_and(|v| v == "1");
    let named: Option<u64> = std::env::var("FAROL_CAUSES").ok().and_then(|n| n.parse().ok());
    let Some(runs) = named.or(is_slow.then_some(FEW)) else {
        eprintln!("did not run: FAROL_SLOW=1, or a number of runs in FAROL_CAUSES, is needed");
        return;
    };
    let first = std::env::var("FAROL_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut bench = Bench::new();
    let mut right = [(0_u32, 0_u32); Kind::ALL.len()];
    for seed in first..first + runs {
        let case = Case::of(seed);
        let run = bench.run(case);
        let good = run.is_right();
        let (n, of) = &mut right[case.kind as usize];
        (*n, *of) = (*n + u32::from(good), *of + 1);
        println!("seed {seed:>3} {:<15} strength {:.2} {}", case.kind.name(), case.strength, run.text());
    }
    for (kind, (n, of)) in Kind::ALL.iter().zip(right).filter(|(_, (_, of))| *of > 0) {
        println!("{:<15} {n} of {of}", kind.name());
    }
    let (n, of) = right.iter().fold((0, 0), |(n, of), (a, b)| (n + a, of + b));
    println!("all             {n} of {of}, at least {:.3} with 95 % confidence", lower_bound(n, of));
    // Of five one may be the machine's; of many the share must be reached.
    assert!(f64::from(n) >= (GOAL * f64::from(of)).floor(), "{n} of {of} runs named the guilty process first");
}

/// Lower end of Wilson's interval at 95 % (two-sided) for `n` of `of`.
fn lower_bound(n: u32, of: u32) -> f64 {
    const Z: f64 = 1.96;
    let (n, of) = (f64::from(n), f64::from(of.max(1)));
    let share = n / of;
    let middle = share + Z * Z / (2.0 * of);
    let half = Z * (share * (1.0 - share) / of + Z * Z / (4.0 * of * of)).sqrt();
    ((middle - half) / (1.0 + Z * Z / of)).max(0.0)
}

#[test]
fn the_lower_bound_is_wilsons() {
    assert!((lower_bound(95, 100) - 0.888).abs() < 0.001);
    assert!((lower_bound(100, 100) - 0.963).abs() < 0.001);
    assert!(lower_bound(0, 10) < 1e-9);
}

/// What a run led to.
struct Run {
    guilty: u32,
    alert: Option<Arc<Alert>>,
}

impl Run {
    fn is_right(&self) -> bool {
        self.alert.as_ref().and_then(|a| a.explanation.processes.first()).is_some_and(|first| first.pid == self.guilty)
    }

    fn text(&self) -> String {
        let Some(alert) = &self.alert else { return "nothing fired".to_owned() };
        let explanation = &alert.explanation;
        let place = explanation.processes.iter().position(|c| c.pid == self.guilty);
        let place = place.map_or_else(|| "not named".to_owned(), |p| format!("named at place {}", p + 1));
        let first = explanation.processes.first().map_or_else(|| "nobody".to_owned(), |c| c.text(explanation.resource));
        format!("{place}; first: {first}")
    }
}

/// The machine, its sources, the neighbors.
struct Bench {
    collector: Collector,
    machine: Machine,
    ground: Ground,
    tape: Tape,
    started: Instant,
    next: Instant,
    _neighbors: Vec<Running>,
    /// Accepts between runs only: the kernel completes the connections, so that only one side has them open.
    listener: std::net::TcpListener,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let listener = listen();
        let address = listener.local_addr().expect("an address");
        let ground = Ground { folder: folder.path().to_owned(), address };
        let host: Arc<dyn Host> = Arc::new(LinuxHost::new());
        let machine = Machine::new(facts(host.as_ref(), None, BTreeMap::new()), Timestamp::now());
        let neighbors = neighbors(&ground);
        crate::e2e::kit::until("the neighbors are as large as they get", || {
            neighbors.iter().any(|n| pages(n.pid()) * 4096 > offender::LARGE as u64)
        });
        let collector = Collector::new(host, &CollectConfig::default());
        let now = Instant::now();
        let mut bench = Self {
            collector,
            machine,
            ground,
            tape: Tape::new(&neighbors.iter().map(Running::pid).collect::<Vec<_>>()),
            started: now,
            next: now,
            _neighbors: neighbors,
            listener,
            _folder: folder,
        };
        (0..BEFORE).for_each(|_| drop(bench.tick(None)));
        bench
    }

    /// The next second.
    fn tick(&mut self, broken: Option<(Kind, u64)>) -> Option<Arc<Alert>> {
        std::thread::park_timeout(self.next.saturating_duration_since(Instant::now()));
        self.next =
            self.next.max(Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or(self.next)) + Duration::from_secs(1);
        let sample: Sample = self.collector.round(Timestamp::now(), self.started.elapsed());
        self.tape.keep(&sample, broken.is_some());
        self.machine.tick(sample, broken)
    }

    fn run(&mut self, case: Case) -> Run {
        let offender = offend(case.kind, case.strength, &self.ground);
        let guilty = offender.pid();
        (0..case.lead).for_each(|_| drop(self.tick(None)));
        let alert = (0..PATIENCE).find_map(|_| self.tick(Some((case.kind, case.hold))));
        self.tape.save(&case, guilty);
        drop(offender);
        // Connections nobody accepted would fill the queue for the next leak.
        while self.listener.accept().is_ok() {}
        (0..BETWEEN).for_each(|_| drop(self.tick(None)));
        Run { guilty, alert }
    }
}

/// Resident pages of a process: the second field of its `statm`.
fn pages(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// A listener with room for as many connections as a leak opens.
fn listen() -> std::net::TcpListener {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&socket, &std::net::SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
    listen(&socket, 4096).expect("it listens");
    let listener = std::net::TcpListener::from(socket);
    listener.set_nonblocking(true).expect("a mode");
    listener
}
