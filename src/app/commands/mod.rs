//! One file for each command.

pub mod alerts;
pub mod bench;
pub mod check;
pub mod config;
pub mod decide;
pub mod demo;
pub mod doctor;
pub mod eval;
pub mod export;
pub mod forecast;
pub mod import;
pub mod incident;
pub mod learn;
pub mod lists;
pub mod notify;
pub mod patterns;
pub mod query;
pub mod report;
pub mod reports;
pub mod rules;
pub mod silence;
pub mod status;
pub mod store;
pub mod why;

mod out;

pub use out::zone;

use std::process::ExitCode;

use super::cli::{Cli, Command};
use super::logging::{self, Destination};
use super::{Failure, run};

/// Runs what was asked for.
///
/// # Errors
/// Why it failed, with the exit code.
pub fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let Cli { global, run: args, command } = cli;
    let Some(command) = command else { return run::run(&global, &args) };
    if let Command::Demo(command) = command {
        return command.run(&global, &args);
    }
    let quiet = super::cli::Global { log_level: global.log_level.or(Some(super::cli::LogLevel::Warn)), ..global.clone() };
    logging::start(&quiet, Destination::StandardError);
    match command {
        Command::Demo(_) => Ok(ExitCode::SUCCESS),
        Command::Status(command) => command.run(&global),
        Command::Alerts(command) => command.run(&global),
        Command::Ack(command) => command.run(&global),
        Command::Snooze(command) => command.run(&global),
        Command::Feedback(command) => command.run(&global),
        Command::Incident(command) => command.run(&global),
        Command::Notify(command) => command.run(&global),
        Command::Rules(command) => command.run(&global),
        Command::Silence(command) => command.run(&global),
        Command::Services(command) => command.run(&global),
        Command::Predictions(command) => command.run(&global),
        Command::Patterns(command) => command.run(&global),
        Command::Query(command) => command.run(&global),
        Command::Forecast(command) => command.run(&global),
        Command::Eval(command) => command.run(&global),
        Command::Bench(command) => command.run(),
        Command::Report(command) => command.run(&global),
        Command::Reports(command) => command.run(&global),
        Command::Check(command) => command.run(),
        Command::Export(command) => command.run(&global),
        Command::Import(command) => command.run(&global),
        Command::Store(command) => command.run(&global),
        Command::Config(command) => command.run(&global),
        Command::Doctor(command) => command.run(&global),
    }
}
