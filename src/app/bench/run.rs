//! A run: the engine on this machine with a scratch history, a probed service, and the faults of the plan one after the other.
//!
//! Invariant: nobody is told of what is found here, and nothing is left behind.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::ear::{Ear, Guilty, seconds};
use super::injector::Injected;
use super::tape::Tape;
use crate::app::Failure;
use crate::app::commands::demo::Scratch;
use crate::app::signals::{self, Asked};
use crate::base::{Timestamp, system};
use crate::collect::{self, ThisHost};
use crate::config::{Config, Inputs, KeyError, load};
use crate::engine::{self, Configuring, CoreSettings, DataLock, Engine, Feed, Role, Setup, Surroundings};
use crate::faults::{Behavior, FaultKind, GROWTH, Happened, Plan, Planned, Service, Verdict, judge};
use crate::model::Host;
use crate::monitor::{Monitor, Scope};
use crate::notify::Sending;

/// The service that is probed.
pub const SERVICE: &str = "bench";
/// Answers that take longer are too slow, in seconds.
const SLOW: f64 = 0.15;
/// What must be free: the most a fault takes, and as much again as the machine needs to go on.
const FREE_DISK: u64 = 8 << 30;
const FREE_MEMORY: f64 = 4e9;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Draws kinds, times and severities.
    pub seed: u64,
    /// Number of faults.
    pub faults: usize,
    /// Without any at the start.
    pub quiet: Duration,
    /// The shortest time between two.
    pub gap: Duration,
    /// Where the recording goes.
    pub keep: Option<&'a Path>,
}

/// Does it; `say` is told what happens. Gives what the alarms were worth, and whether somebody ended it before its time.
///
/// # Errors
/// Too little room, a temporary folder in memory, no engine, no service.
pub fn run(asked: Run<'_>, say: &dyn Fn(&str)) -> Result<(Verdict, bool), Failure> {
    room(&std::env::temp_dir())?;
    let scratch = Scratch::new("faults")?;
    let service = Service::start(&scratch.path().join("service.log")).context("the service to be probed does not start")?;
    let (engine, facts) = engine(scratch.path(), &service)?;
    let (sender, wakes) = channel();
    signals::forward(sender.clone())?;
    let monitor = engine.hub().monitor(
        Scope::Read,
        Arc::new(move || {
            // Nobody listens any more: the run is over.
            let _ = sender.send(Asked::Look);
        }),
    );
    let tape = Tape::begin(asked.keep, asked.seed, &facts)?;
    let (ear, folder) = (Ear::default(), scratch.path());
    let mut bench = Bench { service, monitor, wakes, tape, ear, folder, asked: false, say };
    let result = bench.go(asked);
    let Bench { service, ear, mut tape, asked: was_asked, .. } = bench;
    drop(service);
    let behind = engine.end(|| {});
    if !behind.is_empty() {
        say(&format!("left behind: {}", behind.join(", ")));
    }
    let (span, faults) = result?;
    tape.end(span, &faults, ear.told())?;
    Ok((judge(span, &faults, ear.told()), was_asked))
}

/// Whether the machine can bear it.
fn room(folder: &Path) -> anyhow::Result<()> {
    if let Some(kind) = system::in_memory(folder).with_context(|| folder.display().to_string())? {
        anyhow::bail!(
            "{} is on {kind}, which keeps files in memory: what fills a disk would take the memory of the whole machine; \
             set TMPDIR to a folder on a disk",
            folder.display()
        );
    }
    let free = ThisHost::new().statvfs(&folder.display().to_string()).with_context(|| folder.display().to_string())?.available;
    anyhow::ensure!(
        free >= FREE_DISK,
        "{}: {} GiB are free, {} are needed to fill a part of it; name another folder with TMPDIR",
        folder.display(),
        free >> 30,
        FREE_DISK >> 30
    );
    let text = std::fs::read_to_string("/proc/meminfo").context("/proc/meminfo")?;
    let available = text.lines().find_map(|l| l.strip_prefix("MemAvailable:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    let free = available.unwrap_or(0.0) * 1024.0;
    anyhow::ensure!(
        free >= FREE_MEMORY,
        "{:.1} GB of memory are available, {:.0} are needed for a leak that hurts nobody",
        free / 1e9,
        FREE_MEMORY / 1e9
    );
    Ok(())
}

/// An engine with the rules of every machine and the one service; nobody is told.
fn engine(dir: &Path, service: &Service) -> Result<(Engine, Arc<crate::model::HostFacts>), Failure> {
    let file = dir.join("config.toml");
    let text = format!(
        "[[service]]\nname = \"{SERVICE}\"\ntype = \"http\"\nurl = \"http://{}/\"\ninterval = \"1s\"\nretry = \"1s\"\n\
         degraded_above = \"{:.0}ms\"\n",
        service.address(),
        SLOW * 1000.0
    );
    std::fs::write(&file, text).with_context(|| file.display().to_string())?;
    let host: Arc<dyn Host> = Arc::new(ThisHost::new());
    let facts = Arc::new(collect::facts(&*host, None, std::collections::BTreeMap::new()));
    let link = collect::fastest_link(&*host);
    let (given, folder) = (Arc::clone(&facts), dir.to_owned());
    let ready = move |config: Config| -> Result<(Config, CoreSettings), KeyError> {
        let host = Arc::clone(&given);
        let around = Surroundings { host, link_bits_per_second: link, data_dir: &folder, sending: Sending::Dry };
        let settings = engine::settings(&config, &Arc::new(engine::catalog()), &around)?;
        Ok((config, settings))
    };
    let inputs = Inputs { file: Some(file), ..Inputs::default() };
    let loaded = load(&inputs)?;
    let (config, settings) = ready(loaded.config).map_err(|e| anyhow!("{e}"))?;
    let configuring = Configuring { inputs: Box::new(move || Ok(inputs.clone())), ready: Box::new(ready) };
    let lock = DataLock::take(dir, Role::Recorder)?;
    let engine = Engine::start(Setup { lock, config, settings, feed: Feed::Machine(host), headless: true, configuring })?;
    Ok((engine, facts))
}

struct Bench<'a, M> {
    service: Service,
    monitor: M,
    wakes: Receiver<Asked>,
    tape: Tape,
    ear: Ear,
    folder: &'a Path,
    /// Whether somebody asked for the end.
    asked: bool,
    say: &'a dyn Fn(&str),
}

impl<M: Monitor> Bench<'_, M> {
    /// All of the plan, or as far as nobody ends it; gives the seconds of the start, the first scored one and the last, and the faults.
    fn go(&mut self, asked: Run<'_>) -> anyhow::Result<((i64, i64, i64), Vec<Happened>)> {
        let plan = Plan::new(asked.seed, asked.faults, asked.quiet, asked.gap);
        let (start, began) = (Instant::now(), Timestamp::now());
        let mut faults = Vec::new();
        for (n, fault) in plan.0.iter().enumerate() {
            if !self.listen(start + fault.after, Guilty::Nobody) {
                break;
            }
            let (kind, severity, lasts) = (fault.kind.name(), fault.severity, fault.lasts.as_secs());
            (self.say)(&format!("{} of {}: {kind}, severity {severity}, {lasts} s", n + 1, plan.0.len()));
            faults.push(self.make(fault)?);
        }
        if !self.asked {
            self.listen(start + plan.ends(asked.quiet, asked.gap), Guilty::Nobody);
        }
        let to = seconds(Timestamp::now());
        let from = seconds(began + asked.quiet).min(to);
        Ok(((seconds(began), from, to), faults))
    }

    /// One fault, from its start to its end.
    fn make(&mut self, fault: &Planned) -> anyhow::Result<Happened> {
        let (now, start) = (Instant::now(), seconds(Timestamp::now()));
        let behavior = match fault.kind {
            FaultKind::SvcLatency => Some(Behavior::Slower { since: now, severity: fault.severity }),
            FaultKind::SvcHang => Some(Behavior::Hangs),
            FaultKind::SvcErr => Some(Behavior::Fails),
            _ => None,
        };
        let mut pid = None;
        if let Some(behavior) = behavior {
            self.service.behave(behavior);
            self.listen(now + fault.lasts, Guilty::Service(SERVICE));
            self.service.behave(Behavior::Well);
        } else {
            // Its log is the service's; all others have a file of their own.
            let name = if fault.kind == FaultKind::LogBurst { "service.log" } else { "fault" };
            let injected = Injected::start(fault.kind, fault.severity, &self.folder.join(name), self.service.address())?;
            pid = Some(injected.pid());
            self.listen(now + fault.lasts, Guilty::Process(injected.pid()));
        }
        let end = seconds(Timestamp::now());
        let hurts = match fault.kind {
            FaultKind::SvcLatency => Some(start + (SLOW / (GROWTH * fault.severity)) as i64).filter(|at| *at <= end),
            kind => kind.builds_up().then_some(end),
        };
        Ok(Happened { kind: fault.kind, severity: fault.severity, start, end, hurts, pid })
    }

    /// Listens until then; gives whether nobody asked for the end.
    fn listen(&mut self, until: Instant, guilty: Guilty) -> bool {
        while !self.asked {
            match self.wakes.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Asked::Stop) => self.asked = true,
                Ok(Asked::Look | Asked::Reload) => {
                    let _ = self.monitor.changed();
                    let snapshot = self.monitor.snapshot();
                    let heard = self.ear.told().len();
                    self.ear.hear(&snapshot, guilty);
                    for told in self.ear.told().iter().skip(heard).filter(|told| !told.mark) {
                        (self.say)(&format!("  told: {}", told.text));
                    }
                    self.tape.keep(&snapshot);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return true,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_memory_is_refused_with_what_to_do() {
        // In memory on most machines, where it is there.
        let shared = Path::new("/dev/shm");
        if system::in_memory(shared).is_ok_and(|kind| kind.is_some()) {
            let why = room(shared).expect_err("it is in memory").to_string();
            assert!(why.starts_with("/dev/shm is on ") && why.ends_with("set TMPDIR to a folder on a disk"), "{why}");
        }
    }
}
