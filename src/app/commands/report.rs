//! `farol report`: a report on a span of time.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::out;
use crate::app::Failure;
use crate::app::cli::{Global, duration};
use crate::app::reach::{Reach, unexpected};
use crate::base::Timestamp;
use crate::model::{ReportDepth, ReportFormat, ReportKind, ReportSpec};
use crate::monitor::{Answer, Request};

/// Arguments.
#[derive(Debug, Args)]
pub struct Report {
    /// What about: performance, security, capacity.
    #[arg(value_parser = parse::<ReportKind>)]
    kind: ReportKind,
    /// How deep: hourly, daily, weekly, monthly.
    #[arg(long, value_parser = parse::<ReportDepth>, default_value = "daily")]
    depth: ReportDepth,
    /// The span that ends now; by default an hour, day, week or month, as deep as asked.
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with_all = ["from", "to"])]
    last: Option<Duration>,
    /// Start: RFC 3339, a local date and time, or -2h.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    from: Option<String>,
    /// End.
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    to: Option<String>,
    /// pdf, html, json, csv.
    #[arg(long, value_parser = parse::<ReportFormat>, default_value = "html")]
    format: ReportFormat,
    /// Capacity: what if the load grew by so many percent.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u16).range(1..=1000))]
    growth: Option<u16>,
    /// File to write; `-` is standard output. By default a file of its own name in this folder.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn parse<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T, String> {
    text.parse()
}

fn span(depth: ReportDepth) -> Duration {
    Duration::from_secs(match depth {
        ReportDepth::Hourly => 3600,
        ReportDepth::Daily => 86_400,
        ReportDepth::Weekly => 7 * 86_400,
        ReportDepth::Monthly => 30 * 86_400,
    })
}

impl Report {
    /// Makes the report and writes it.
    ///
    /// # Errors
    /// A span without length (2), no engine and no history, a file that cannot be written (1).
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let last = self.last.unwrap_or_else(|| span(self.depth));
        let range = out::range(last, self.from.as_deref(), self.to.as_deref(), Timestamp::now())?;
        let spec = ReportSpec {
            kind: self.kind,
            depth: self.depth,
            range,
            format: self.format,
            growth_percent: self.growth.unwrap_or(0),
        };
        let (name, bytes) = match Reach::find(global)?.ask(Request::Report(spec))? {
            Answer::Report { name, bytes } => (name, bytes),
            other => return Err(unexpected(&other).into()),
        };
        let piped = self.output.is_none() && !std::io::stdout().is_terminal();
        if piped || self.output.as_deref().is_some_and(|p| p.as_os_str() == "-") {
            out::bytes(&bytes)?;
            return Ok(ExitCode::SUCCESS);
        }
        let path = self.output.clone().unwrap_or_else(|| PathBuf::from(name));
        write(&path, &bytes)?;
        eprintln!("{}", path.display());
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes beside and renames, so that a full disk leaves the old file.
///
/// # Errors
/// Where the folder cannot be written.
pub fn write(path: &std::path::Path, bytes: &[u8]) -> anyhow::Result<()> {
    // A link is followed to its file; what is no file (a pipe, a device) is written into, never replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let path = target.as_path();
    if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        let opened = std::fs::OpenOptions::new().write(true).open(path);
        return opened
            .and_then(|mut file| file.write_all(bytes))
            .with_context(|| format!("{} cannot be written", path.display()));
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".farol-{}", std::process::id()));
    let beside = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create_new(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write()
        .inspect_err(|e| {
            if e.kind() != std::io::ErrorKind::AlreadyExists {
                drop(std::fs::remove_file(&beside))
            }
        })
        .with_context(|| format!("{} cannot be written", path.display()))
}
