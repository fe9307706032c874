//! One process in full, when somebody looks at it.
//!
//! Reads a dozen files and as many links as it has descriptors: milliseconds, so never on the sampling
//! thread. Parsing is in `memory`, `capability`, `limit` and `descriptor`. Invariant: a process that ended and was
//! followed by another of its number is not mixed with it, and what may not be read is named.

mod capability;
mod descriptor;
mod group;
mod limit;
mod memory;

use std::io::{self, ErrorKind};

use self::capability::parse_capabilities;
use self::limit::parse_limits;
use self::memory::parse_rollup;
use super::auxiliary;
use super::parse::{clean, lines, signed, single};
use super::process::{Stat, parse_stat};
use crate::base::Timestamp;
use crate::model::{Host, Private, ProcessDepth, ProcessDetails, ProcessFile, ProcessId, SourceFault, ThreadDetails};

/// Longest argument, path or value kept: the kernel's own longest path.
const TEXT_CHARS: usize = 4096;

/// Most arguments, or variables of the environment, kept.
const MOST_TEXTS: usize = 2048;

/// Most threads listed: each costs a file.
const MOST_THREADS: usize = 1024;

/// Looks at a process.
///
/// # Errors
/// `NotFound` where there is no such process, or another one has its number now.
pub fn process_details(host: &dyn Host, id: ProcessId, at: Timestamp, depth: ProcessDepth) -> io::Result<ProcessDetails> {
    let mut look = Look { host, pid: id.pid, text: Vec::new(), missing: Vec::new() };
    look.same(id)?;
    let mut details = look.public();
    (details.id, details.at) = (id, at);
    if depth == ProcessDepth::Private {
        details.private = Some(look.private());
    }
    // All of it is of one process only if that one is still there.
    look.same(id)?;
    details.missing = look.missing;
    Ok(details)
}

/// One look at one process.
struct Look<'a> {
    host: &'a dyn Host,
    pid: u32,
    text: Vec<u8>,
    missing: Vec<SourceFault>,
}

impl Look<'_> {
    fn same(&mut self, id: ProcessId) -> io::Result<()> {
        self.host.read_process(id.pid, ProcessFile::Stat, &mut self.text)?;
        let same = parse_stat(&self.text).is_some_and(|stat| stat.started == id.started);
        if same { Ok(()) } else { Err(ErrorKind::NotFound.into()) }
    }

    fn path(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.pid)
    }

    /// Reads a file into `text`; true where that worked. What is only not there on this kernel is no fault.
    fn read(&mut self, name: &str) -> bool {
        let read = self.host.read(&self.path(name), &mut self.text);
        self.note(name, read).is_some()
    }

    fn link(&mut self, name: &str) -> Option<String> {
        let link = self.host.read_link(&self.path(name));
        self.note(name, link).map(|target| clean(target.as_bytes(), TEXT_CHARS))
    }

    fn note<T>(&mut self, name: &str, result: io::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    let message = format!("{}: {}", self.path(name), reason(&error));
                    self.missing.push(SourceFault { source: "process".to_owned(), message });
                }
                None
            }
        }
    }

    fn public(&mut self) -> ProcessDetails {
        let mut details = ProcessDetails::default();
        if self.read("cmdline") {
            details.arguments = texts(&self.text);
        }
        details.executable = self.link("exe");
        details.folder = self.link("cwd");
        details.root = self.link("root");
        let mut names = Vec::new();
        let listed = self.host.list(&self.path("fd"), &mut names);
        details.descriptors = self.note("fd", listed).map(|()| names.len() as u64);
        if self.read("limits") {
            details.limits = parse_limits(&self.text);
        }
        if self.read("status") {
            details.capabilities = parse_capabilities(&self.text);
        }
        details.memory = if self.read("smaps_rollup") { parse_rollup(&self.text) } else { None };
        details.cgroup = if self.read("cgroup") { group::read(self.host, &self.text) } else { None };
        details.oom_score = if self.read("oom_score") { single(&self.text) } else { None };
        details.oom_score_adjustment = if self.read("oom_score_adj") { signed(self.text.trim_ascii()) } else { None };
        details.waits_in = if self.read("wchan") { waits_in(&self.text) } else { None };
        details.threads = self.threads();
        details
    }

    fn threads(&mut self) -> Vec<ThreadDetails> {
        let mut names = Vec::new();
        let listed = self.host.list(&self.path("task"), &mut names);
        self.note("task", listed);
        let mut ids: Vec<u32> = names.iter().filter_map(|n| n.parse().ok()).collect();
        ids.sort_unstable();
        let ticks = auxiliary::clock_ticks(self.host) as f64;
        let mut threads = Vec::new();
        for id in ids.into_iter().take(MOST_THREADS) {
            // One that ended meanwhile is left out.
            if self.host.read(&format!("/proc/{}/task/{id}/stat", self.pid), &mut self.text).is_ok() {
                threads.extend(parse_stat(&self.text).map(|stat| thread(id, &stat, ticks)));
            }
        }
        threads
    }

    fn private(&mut self) -> Private {
        let environment = if self.read("environ") { texts(&self.text) } else { Vec::new() };
        let pair = |text: String| match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (text, String::new()),
        };
        let (files, sockets) = descriptor::read(self.host, self.pid);
        Private { environment: environment.into_iter().map(pair).collect(), files, sockets }
    }
}

fn thread(id: u32, stat: &Stat<'_>, ticks: f64) -> ThreadDetails {
    ThreadDetails {
        id,
        name: clean(stat.name, TEXT_CHARS),
        state: stat.state,
        cpu_seconds: stat.ticks as f64 / ticks,
        core: stat.core,
        priority: stat.priority,
    }
}

/// `0` or nothing where it waits nowhere, or this reader may not know.
fn waits_in(text: &[u8]) -> Option<String> {
    let name = clean(text.trim_ascii(), TEXT_CHARS);
    (!name.is_empty() && name != "0").then_some(name)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "not permitted: the recorder needs to run as root or with CAP_SYS_PTRACE".to_owned(),
        _ => error.to_string(),
    }
}

/// Texts that each end with NUL.
fn texts(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes.split(|b| *b == 0).take(MOST_TEXTS).map(|text| clean(text, TEXT_CHARS)).collect()
}

/// The rest of the first line that begins with `name`.
fn field<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    lines(text).find_map(|line| line.strip_prefix(name)).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests;
