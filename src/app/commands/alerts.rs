//! `farol alerts`: what is wrong, and what was.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::out;
use super::why::Why;
use crate::alert::alerts_json;
use crate::app::Failure;
use crate::app::cli::{Format, Global};
use crate::app::reach::{Reach, unexpected};
use crate::base::{TimeRange, Timestamp, format_duration};
use crate::model::{Alert, AlertState};
use crate::monitor::{Answer, Request};

/// How far back `--all` looks.
const ALL: Duration = Duration::from_secs(30 * 86_400);

/// Arguments.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Alerts {
    #[command(subcommand)]
    command: Option<Command>,
    /// Also those that are over, 30 days back.
    #[arg(long)]
    all: bool,
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Who was told of an alert when through what, or why not.
    Why(Why),
}

impl Alerts {
    /// Prints alerts.
    ///
    /// # Errors
    /// No engine and no history, or nothing can be printed.
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        if let Some(Command::Why(why)) = &self.command {
            why.run(global)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut reach = Reach::find(global)?;
        let now = Timestamp::now();
        let alerts: Vec<Arc<Alert>> = if self.all {
            match reach.ask(Request::Alerts { range: TimeRange::last(ALL, now) })? {
                Answer::Alerts { alerts } => alerts,
                other => return Err(unexpected(&other).into()),
            }
        } else {
            reach.snapshot()?.alerts.iter().filter(|a| a.state != AlertState::Resolved).cloned().collect()
        };
        match self.format {
            Format::Json => out::print(&format!("{:#}\n", alerts_json(&alerts, now)))?,
            Format::Text if alerts.is_empty() => out::print("no alerts\n")?,
            Format::Text => {
                let zone = out::zone(global);
                let rows: Vec<Vec<String>> = alerts.iter().map(|a| row(a, now, &zone)).collect();
                out::print(&out::table(&rows))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn row(alert: &Alert, now: Timestamp, zone: &jiff::tz::TimeZone) -> Vec<String> {
    let severity = alert.severity.name();
    let state = match alert.state {
        AlertState::Pending => "pending".to_owned(),
        AlertState::Firing => format!("for {}", format_duration(now.since(alert.since))),
        AlertState::Resolved => "resolved".to_owned(),
    };
    let mut notes = Vec::new();
    if alert.is_flapping() {
        notes.push(format!("flapping, {} changes", alert.flaps.n_changes));
    }
    if let Some(ack) = &alert.acknowledged {
        notes.push(format!("acknowledged by {}", ack.by));
    }
    if alert.snoozed.is_some() {
        notes.push("snoozed".to_owned());
    }
    if !alert.silenced_by.is_empty() {
        notes.push(format!("silenced by {}", alert.silenced_by.join(", ")));
    }
    vec![
        alert.id.clone(),
        severity.to_owned(),
        out::local(alert.since, zone),
        state,
        alert.rule.clone(),
        // The summary begins with the title.
        match (notes.is_empty(), alert.explanation.summary.is_empty()) {
            (true, false) => alert.explanation.summary.clone(),
            (true, true) => alert.title.clone(),
            (false, _) => format!("{}; {}", alert.title, notes.join(", ")),
        },
    ]
}
