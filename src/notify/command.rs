//! The channel `command`: a program that gets the message as JSON on its standard input.
//!
//! No shell, and nothing of a message in its arguments or environment: a label cannot become a command. Invariant: when
//! a delivery is over, the program is.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::channel::settings;
use super::text::{self, Count};
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Receipt, Secrets};
use crate::base::time::duration_text;
use crate::net::plain_error;

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "command",
    about: "A program (`command`, with its arguments, no shell) gets `farol.message/1` as JSON on standard input; exit code 0 means taken",
    example: "command = [\"/usr/local/bin/tell-ops\", \"--json\"]\ntimeout = \"20s\"",
    open,
    ..ChannelKind::PLAIN
};

/// Exit codes of sysexits.h that say that trying again is useless: usage, data, permission, configuration.
const FINAL: [i32; 4] = [64, 65, 77, 78];

/// Longest output read, and shown.
const READ: u64 = 16 * 1024;
const SHOWN: usize = 200;

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandConfig {
    command: Vec<String>,
    #[serde(default = "default_timeout", with = "duration_text")]
    timeout: Duration,
}

fn default_timeout() -> Duration {
    Duration::from_secs(20)
}

/// A program, its arguments and its time.
pub(super) struct Program {
    words: Vec<String>,
    limit: Duration,
}

fn open(map: &Map<String, Value>, _: Secrets, _: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: CommandConfig = settings(map)?;
    Ok(Arc::new(Program::new(config.command, config.timeout)?))
}

impl Program {
    /// # Errors
    /// There is no program.
    pub(super) fn new(words: Vec<String>, limit: Duration) -> Result<Self, String> {
        if words.first().is_none_or(String::is_empty) {
            return Err("command needs a program, such as [\"/usr/local/bin/tell-ops\"]".to_owned());
        }
        Ok(Self { words, limit })
    }

    async fn run(&self, input: String) -> Result<Receipt, DeliveryError> {
        let (program, arguments) = self.words.split_first().expect("checked when it was made");
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        crate::base::system::lead_group(command.as_std_mut());
        let mut child =
            command.spawn().map_err(|e| DeliveryError::transient(format!("cannot run {program}: {}", plain_error(&e))))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program that does not read its input may still do its work.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
        };
        let work = async { tokio::join!(write, head(stdout), head(stderr), child.wait()) };
        let Ok(((), out, err, status)) = tokio::time::timeout(self.limit, work).await else {
            return Err(DeliveryError::transient(format!(
                "{program}: no end within {}; killed",
                crate::base::format_duration(self.limit)
            )));
        };
        let status = status.map_err(|e| DeliveryError::transient(format!("{program}: {e}")))?;
        let said = [out, err].into_iter().find(|said| !said.is_empty()).unwrap_or_default();
        if status.success() {
            return Ok(Receipt::new(if said.is_empty() { "exit code 0".to_owned() } else { said }));
        }
        let code = status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"));
        let text = if said.is_empty() { format!("{program}: {code}") } else { format!("{program}: {code}: {said}") };
        let is_final = status.code().is_some_and(|code| FINAL.contains(&code));
        Err(if is_final { DeliveryError::permanent(text) } else { DeliveryError::transient(text) })
    }
}

/// The first line of a pipe; the rest is read and forgotten, so that the program is not stopped by a full one.
async fn head(pipe: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let Some(mut pipe) = pipe else { return String::new() };
    let mut head = Vec::new();
    // What was read before an error counts.
    let _ = (&mut pipe).take(READ).read_to_end(&mut head).await;
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    let text = String::from_utf8_lossy(&head);
    let line = text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
    text::cut(&text::line(line), SHOWN, Count::Chars).into_owned()
}

impl Channel for Program {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(self.run(delivery.message.json.to_string()))
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        let program = self.words.first().cloned().unwrap_or_default();
        let found = if program.contains('/') { std::path::Path::new(&program).is_file() } else { true };
        let result =
            if found { Ok(Receipt::default()) } else { Err(DeliveryError::permanent(format!("there is no program {program}"))) };
        Box::pin(std::future::ready(result))
    }

    /// The program's own time, and some to be killed in.
    fn timeout(&self) -> Duration {
        self.limit + Duration::from_secs(2)
    }
}
