//! `farol incident add`: something happened, whether or not anybody was told.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{decide, out};
use crate::app::cli::Global;
use crate::app::{Failure, place};
use crate::base::Timestamp;
use crate::model::Incident;
use crate::monitor::Request;

/// Arguments.
#[derive(Debug, Args)]
pub struct IncidentArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Mark one: rules that did not tell of it missed it (farol rules learn).
    Add {
        /// Start: RFC 3339, a local date and time, or -2h.
        #[arg(long, value_name = "T", allow_hyphen_values = true)]
        from: String,
        /// End; by default now.
        #[arg(long, value_name = "T", allow_hyphen_values = true)]
        to: Option<String>,
        /// What happened.
        #[arg(long, value_name = "TEXT")]
        comment: String,
        /// The rule that should have told.
        #[arg(long, value_name = "NAME")]
        rule: Option<String>,
    },
}

impl IncidentArgs {
    /// Does it.
    ///
    /// # Errors
    /// Times that make no sense or an unknown rule (2); nobody to tell (1).
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let Command::Add { from, to, comment, rule } = &self.command;
        let span = out::range(Duration::ZERO, Some(from), to.as_deref(), Timestamp::now())?;
        let incident = Incident { span, comment: comment.clone(), rule: rule.clone() };
        decide::decide(global, Request::AddIncident { incident, author: place::author() })
    }
}
