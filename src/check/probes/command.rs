//! A program as a check: exit code and first line, as Nagios plugins have them.
//!
//! No shell. Invariant: when a check is over, nothing of the program's process group is left.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::{Instant, timeout, timeout_at};

use crate::base::{Unit, format_duration, system};
use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::model::{Measure, MeasureKind, perfdata};

/// `type = "command"`.
pub const KIND: ProbeKind = ProbeKind { name: "command", keys: &["command"], make };

/// Most output that is read, as much as a pipe holds; Nagios itself keeps 8 KiB.
const MAX_OUTPUT: u64 = 64 * 1024;

/// Longest message; a line of the service list has less.
const MAX_MESSAGE: usize = 200;

/// Most values of performance data kept: each is a series.
const MAX_MEASURES: usize = 50;

/// How long output is waited for after the program's end: what it wrote is in the pipe by then.
const LATE_OUTPUT: Duration = Duration::from_millis(500);

/// Program and arguments; read from a list, or from one text with quotes as in a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CommandLine(pub Vec<String>);

impl<'de> Deserialize<'de> for CommandLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a command such as \"check_load -w 5\" or [\"check_load\", \"-w\", \"5\"]")]
        enum Written {
            Text(String),
            List(Vec<String>),
        }
        match Written::deserialize(deserializer)? {
            Written::List(words) => Ok(Self(words)),
            Written::Text(text) => {
                words(&text).map(Self).ok_or_else(|| D::Error::custom(format!("a quote in the command \"{text}\" does not end")))
            }
        }
    }
}

/// The words of a text: blanks separate; `'…'` holds all, in `"…"` and outside a backslash takes the
/// next character as it is. `None` where a quote does not end.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (_, '\\') => word.get_or_insert_default().push(chars.next()?),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    let missing = || config.error("command", "is missing; type command needs a program and its arguments");
    let argv = config.command.as_ref().map(|c| c.0.as_slice()).unwrap_or_default();
    let (program, arguments) = argv.split_first().filter(|(p, _)| !p.is_empty()).ok_or_else(missing)?;
    Ok(Arc::new(CommandProbe { program: program.clone(), arguments: arguments.to_vec() }))
}

struct CommandProbe {
    program: String,
    arguments: Vec<String>,
}

/// Kills a process group when dropped; on a system without groups its leader is killed with the command.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            system::kill_group(leader);
        }
    }
}

impl CommandProbe {
    async fn run(&self, limit: Duration) -> Finding {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        system::lead_group(command.as_std_mut());
        let start = Instant::now();
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Finding::failed(format!("cannot run {}: {}", self.program, crate::net::plain_error(&error))),
        };
        let group = Group(child.id());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let reading = async { tokio::join!(head_of(stdout), head_of(stderr)) };
        let mut reading = std::pin::pin!(reading);
        let mut output = None;
        let waiting = async {
            let mut exit = std::pin::pin!(child.wait());
            loop {
                tokio::select! {
                    status = &mut exit => return status,
                    read = &mut reading, if output.is_none() => output = Some(read),
                }
            }
        };
        let Ok(status) = timeout_at(start + limit, waiting).await else {
            drop(group);
            // Killed: it is reaped at once.
            let _ = timeout(LATE_OUTPUT, child.wait()).await;
            return Finding::failed(format!("no end within {}; killed", format_duration(limit)));
        };
        let took = start.elapsed();
        // What it left running would hold the pipe open.
        drop(group);
        let output = match output {
            Some(output) => output,
            None => timeout(LATE_OUTPUT, reading).await.unwrap_or_default(),
        };
        match status {
            Ok(status) => Finding { measures: measures(&output.0), ..judge(status, &output.0, &output.1, took) },
            Err(error) => Finding::failed(format!("cannot wait for {}: {error}", self.program)),
        }
    }
}

/// The first bytes of a pipe; then it is closed, so that an endless writer ends.
async fn head_of(pipe: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut head = Vec::new();
    if let Some(pipe) = pipe {
        // An error of the pipe ends the reading; what was read counts.
        let _ = pipe.take(MAX_OUTPUT).read_to_end(&mut head).await;
    }
    head
}

/// Nagios plugin API: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; the first line up to `|` is for people.
fn judge(status: ExitStatus, stdout: &[u8], stderr: &[u8], took: Duration) -> Finding {
    let said = [stdout, stderr].into_iter().find_map(first_line);
    let or = |default: &str| said.clone().unwrap_or_else(|| default.to_owned());
    let failed = |message: String| Finding { response: Some(took), ..Finding::failed(message) };
    match status.code() {
        Some(0) => Finding::ok(took, or("exit code 0")),
        Some(1) => Finding::ok(took, or("exit code 1 (warning)")).warning(),
        Some(2) => failed(or("exit code 2 (critical)")),
        Some(3) => failed(said.map_or_else(|| "exit code 3 (unknown)".to_owned(), |s| format!("unknown: {s}"))),
        Some(code) => failed(said.map_or_else(|| format!("exit code {code}"), |s| format!("exit code {code}: {s}"))),
        None => Finding::failed(match system::signal(status) {
            Some(signal) => format!("ended by signal {signal}"),
            None => status.to_string(),
        }),
    }
}

/// Performance data: behind the first line's `|`, and behind the next `|` in the lines after it, to the end.
fn measures(stdout: &[u8]) -> Vec<Measure> {
    let text = String::from_utf8_lossy(stdout);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let parts = [first, rest].map(|part| part.split_once('|').map(|(_, data)| data).unwrap_or_default());
    let kind = |unit| match unit {
        Unit::Seconds => MeasureKind::Seconds,
        Unit::Bytes => MeasureKind::Bytes,
        Unit::Ratio => MeasureKind::Ratio,
        _ => MeasureKind::Count,
    };
    let found = parts.iter().flat_map(|part| perfdata(part)).take(MAX_MEASURES);
    found.map(|p| Measure { kind: kind(p.unit), label: p.label, value: p.value }).collect()
}

fn first_line(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().map(|l| l.split('|').next().unwrap_or_default().trim()).find(|l| !l.is_empty())?;
    Some(line.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect())
}

impl Probe for CommandProbe {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(self.run(context.timeout))
    }

    fn target(&self) -> String {
        self.program.clone()
    }
}
