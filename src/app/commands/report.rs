//! `farol report`: a report on a span of time.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

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

impl Report {
    /// Makes the report and writes it.
    ///
    /// # Errors
    /// A span without length (2), no engine and no history, a file that cannot be written (1).
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let last = self.last.unwrap_or_else(|| self.depth.span());
        let range = out::range(last, self.from.as_deref(), self.to.as_deref(), Timestamp::now())?;
        let spec = ReportSpec {
            kind: self.kind,
            depth: self.depth,
            range,
            format: self.format,
            growth_percent: self.growth.unwrap_or(0),
            time_zone: global.utc.then(|| "UTC".to_owned()),
        };
        let (name, bytes) = match Reach::find(global)?.ask(Request::Report(spec))? {
            Answer::Report { name, bytes, .. } => (name, bytes),
            other => return Err(unexpected(&other).into()),
        };
        out::file(self.output.as_deref(), &name, &bytes)?;
        Ok(ExitCode::SUCCESS)
    }
}
