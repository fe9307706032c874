//! `farol doctor`: what works here, what does not, and what to do.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::{config, notify, out};
use crate::app::cli::Global;
use crate::app::{Failure, place};
use crate::base::{Clock, SystemClock};
use crate::check;
use crate::collect::{Collector, LIMITS, ThisHost, facts};
use crate::model::{Host, Sample};
use crate::monitor::{Answer, Request};
use crate::notify::{Opened, session_bus};
use crate::remote::{Address, ask_once};

/// Arguments.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print a configuration that checks the services found here.
    #[arg(long)]
    services: bool,
}

/// What was found: well, could be better, wrong.
enum Finding {
    Well(String),
    Better(String),
    Wrong(String),
}

impl Doctor {
    /// Looks at everything and says what it found; exit code 1 where something is wrong.
    ///
    /// # Errors
    /// Where nothing can be printed.
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let host: Arc<dyn Host> = Arc::new(ThisHost::new());
        if self.services {
            let sample = two_rounds(&host);
            let processes = sample.processes.apply(&[]);
            let found = waiting(check::survey(&*host, &processes))?;
            out::print(&check::propose(&found))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut findings: Vec<Finding> = LIMITS.map(|limits| Finding::Wrong(limits.to_owned())).into_iter().collect();
        findings.push(configuration(global));
        findings.extend(storage(global));
        findings.extend(engine(global));
        findings.extend(machine(&host));
        findings.extend(rights(&host));
        findings.push(units()?);
        findings.push(echo()?);
        findings.push(desktop());
        findings.extend(channels(global));
        let wrong = findings.iter().any(|f| matches!(f, Finding::Wrong(_)));
        let lines: Vec<String> = findings
            .iter()
            .map(|finding| match finding {
                Finding::Well(text) => format!("  ok    {text}\n"),
                Finding::Better(text) => format!("  note  {text}\n"),
                Finding::Wrong(text) => format!("  WRONG {text}\n"),
            })
            .collect();
        out::print(&lines.concat())?;
        Ok(ExitCode::from(u8::from(wrong)))
    }
}

fn configuration(global: &Global) -> Finding {
    let checked = place::configuration(global, None).map_err(|e| e.to_string()).and_then(|loaded| {
        config::check(&loaded, global).map_err(|e| e.to_string())?;
        Ok(loaded)
    });
    match checked {
        Ok(loaded) => Finding::Well(match loaded.file {
            Some(file) => format!("configuration {}", file.display()),
            None => "configuration: no file, all defaults (farol config example prints one)".to_owned(),
        }),
        Err(error) => Finding::Wrong(format!("configuration: {error}")),
    }
}

fn storage(global: &Global) -> Vec<Finding> {
    let dir = match place::data_dir(global) {
        Ok(dir) => dir,
        Err(error) => return vec![Finding::Wrong(format!("data folder: {error}"))],
    };
    // The folder may not exist yet: then what counts is the nearest one that does.
    let existing = dir.ancestors().find(|d| d.exists()).unwrap_or(&dir);
    let folder = if crate::base::system::is_writable(existing) {
        Finding::Well(format!("data folder {}", dir.display()))
    } else {
        let text = format!("data folder {}: not writable; make it so, or name another with --data-dir", dir.display());
        Finding::Wrong(text)
    };
    let room = ThisHost::new().statvfs(&existing.display().to_string()).ok().map(|stat| {
        let text = format!("{} free there", crate::base::format_value(stat.available as f64, crate::base::Unit::Bytes));
        // The history may grow to 2 GiB by default.
        if stat.available < 2 << 30 {
            Finding::Better(format!("{text}; the history may need 2 GiB ([store] max_size)"))
        } else {
            Finding::Well(text)
        }
    });
    std::iter::once(folder).chain(room).collect()
}

fn engine(global: &Global) -> Vec<Finding> {
    let Some((socket, owner)) = place::engine(&place::data_dirs(global)) else {
        return vec![Finding::Better("no engine runs; farol shows the screen, farol --record records without one".to_owned())];
    };
    match ask_once(&Address(socket.clone()), Request::Snapshot) {
        Ok(Answer::Snapshot { snapshot }) => {
            let mut findings = vec![Finding::Well(format!("engine: process {}, socket {}", owner.pid, socket.display()))];
            if let Some(problem) = &snapshot.recorder.store.problem {
                findings.push(Finding::Wrong(format!("history: {problem}")));
            }
            if snapshot.recorder.store.damaged_blocks > 0 {
                let n = snapshot.recorder.store.damaged_blocks;
                findings.push(Finding::Better(format!("history: {n} damaged blocks were skipped")));
            }
            findings.extend(snapshot.faults.iter().map(|f| Finding::Better(format!("{}: {}", f.source, f.message))));
            findings
        }
        Ok(_) => vec![Finding::Wrong(format!("engine at {}: it answered something else", socket.display()))],
        Err(refusal) => vec![Finding::Wrong(format!("engine at {}: {refusal}", socket.display()))],
    }
}

/// Two rounds, because rates need two readings.
pub(super) fn two_rounds(host: &Arc<dyn Host>) -> Sample {
    let clock = SystemClock::default();
    let mut collector = Collector::new(Arc::clone(host), &crate::collect::CollectConfig::default());
    let first = collector.round(clock.now(), clock.monotonic());
    std::thread::sleep(Duration::from_millis(250));
    let mut sample = collector.round(clock.now(), clock.monotonic());
    let mut processes = first.processes.changed;
    processes.append(&mut sample.processes.changed);
    sample.processes.changed = processes;
    collector.stop();
    sample
}

fn machine(host: &Arc<dyn Host>) -> Vec<Finding> {
    let about = facts(&**host, None, std::collections::BTreeMap::new());
    let sample = two_rounds(host);
    let text = format!(
        "{}: {}, kernel {}, {} cores; {} series, {} processes",
        about.name,
        about.system,
        about.kernel,
        about.cores,
        sample.readings.len(),
        sample.processes.apply(&[]).len()
    );
    let faults = sample.faults.iter().map(|f| Finding::Better(format!("{}: {}", f.source, f.message)));
    std::iter::once(Finding::Well(text)).chain(faults).collect()
}

/// Waits for what talks to others.
fn waiting<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
    Ok(runtime.block_on(work))
}

/// What is hidden of other users' processes, and whether the machine has sensors.
fn rights(host: &Arc<dyn Host>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut bytes = Vec::new();
    // The first process belongs to root.
    findings.push(match host.read("/proc/1/io", &mut bytes) {
        Ok(()) => Finding::Well("input and output of all processes".to_owned()),
        Err(_) => Finding::Better(
            "other users' processes: what they read and write and which sockets they own is hidden; CAP_SYS_PTRACE \
             would show it"
                .to_owned(),
        ),
    });
    let mut names = Vec::new();
    let has_sensors = host.list("/sys/class/hwmon", &mut names).is_ok() && !names.is_empty();
    findings.push(if has_sensors {
        Finding::Well(format!("sensors: {} chips", names.len()))
    } else {
        Finding::Better(
            "no sensors: temperatures and fans are missing; on real hardware load the modules sensors-detect names".to_owned(),
        )
    });
    findings
}

fn units() -> Result<Finding, Failure> {
    let asked = waiting(async { check::SystemBus::default().units_by_pattern(&["failed"], &[]).await })?;
    Ok(match asked {
        Ok(failed) => Finding::Well(format!("systemd's manager answers; {} units have failed", failed.len())),
        Err(error) => Finding::Better(format!("{error}; units and checks of type systemd are missing")),
    })
}

/// Whether echo requests may be sent: to this machine itself.
fn echo() -> Result<Finding, Failure> {
    let config = check::ServiceConfig { address: Some("127.0.0.1".to_owned()), ..check::ServiceConfig::new("echo", "icmp") };
    let service = config.ready().map_err(anyhow::Error::from)?;
    let nobody: check::ProcessView = Arc::new(|| Arc::new([]));
    let found = waiting(check::check_once(&service, nobody))?;
    Ok(match found.outcome {
        crate::model::CheckOutcome::Ok => Finding::Well("echo requests (checks of type icmp)".to_owned()),
        _ => Finding::Better(format!("checks of type icmp: {}", found.message)),
    })
}

/// Whether each channel's secrets can be read and, where its provider can be asked without telling anybody, are right.
fn channels(global: &Global) -> Vec<Finding> {
    // A configuration with a mistake is told already.
    let (Ok(channels), Ok(runtime)) = (notify::channels(global), notify::runtime()) else { return Vec::new() };
    let verify = |(name, kind, channel): &Opened| {
        let verified = runtime.block_on(async { tokio::time::timeout(VERIFY, channel.verify()).await });
        match verified {
            Ok(Ok(receipt)) if receipt.answer.is_empty() => {
                Finding::Well(format!("channel {name} ({}): can be used as far as can be seen from here", kind.name))
            }
            Ok(Ok(receipt)) => Finding::Well(format!("channel {name} ({}): {}", kind.name, receipt.answer)),
            Ok(Err(error)) => {
                Finding::Wrong(format!("channel {name} ({}): {error}; farol notify test {name} tries again", kind.name))
            }
            Err(_) => Finding::Wrong(format!("channel {name} ({}): no answer for {} s", kind.name, VERIFY.as_secs())),
        }
    };
    channels.iter().map(verify).collect()
}

/// Longest time to ask one provider.
const VERIFY: Duration = Duration::from_secs(20);

fn desktop() -> Finding {
    if session_bus() {
        Finding::Well("desktop notifications".to_owned())
    } else {
        Finding::Better(
            "no desktop here: alerts are shown on the screen; add [notify.file] or [notify.email] to be told elsewhere"
                .to_owned(),
        )
    }
}
