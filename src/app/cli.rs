//! The command line, as the contract has it.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use super::commands;
use crate::base::parse_duration;

/// Watch this machine: what it does, what it did, what it will do next, and why.
#[derive(Debug, Parser)]
#[command(name = "farol", version, about, max_term_width = 100)]
pub struct Cli {
    /// Flags every command takes.
    #[command(flatten)]
    pub global: Global,
    /// Flags of a run without a command.
    #[command(flatten)]
    pub run: RunArgs,
    /// The command; without one the screen is shown.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What a plugin of Nagios ends with where it cannot say how things are: 2 would be a critical machine.
pub const CANNOT_SAY: u8 = 3;

/// The exit code of a command line that is not understood.
pub fn wrong_usage() -> u8 {
    let lenient = Cli::command().ignore_errors(true).try_get_matches();
    let is_plugin = lenient.is_ok_and(|matches| matches!(matches.subcommand_name(), Some("status" | "check")));
    if is_plugin { CANNOT_SAY } else { 2 }
}

impl Cli {
    /// The same, where no flag stands beside a command that takes no notice of it.
    ///
    /// # Errors
    /// The first flag that does.
    pub fn without_stray_flags(self) -> Result<Self, clap::Error> {
        let run = &self.run;
        let only_alone = [("--record", run.record), ("--replay", run.replay.is_some())];
        let on_screens = [
            ("--interval", run.interval.is_some()),
            ("--theme", run.theme.is_some()),
            ("--ascii", run.ascii),
            ("--plain", run.plain),
            ("--dry-run", run.dry_run),
        ];
        let stray = match &self.command {
            None => None,
            Some(Command::Demo(_)) => only_alone.into_iter().find(|(_, given)| *given),
            Some(_) => only_alone.into_iter().chain(on_screens).find(|(_, given)| *given),
        };
        match stray {
            None => Ok(self),
            Some((flag, _)) => {
                let message = format!("{flag} is of no use to a command: it belongs to farol without one");
                Err(Self::command().error(ErrorKind::ArgumentConflict, message))
            }
        }
    }
}

impl Command {
    /// Whether its exit code is a state, as that of a plugin of Nagios.
    pub fn is_plugin(&self) -> bool {
        matches!(self, Self::Status(_) | Self::Check(_))
    }
}

/// Flags every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Configuration file.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the history; only its engine is looked for.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Talk to the engine at this address (path of its socket).
    #[arg(long, global = true, value_name = "ADDR")]
    pub attach: Option<String>,
    /// Times in UTC.
    #[arg(long, global = true)]
    pub utc: bool,
    /// Least severe log line.
    #[arg(long, global = true, value_name = "L", value_enum)]
    pub log_level: Option<LogLevel>,
    /// How log lines are written.
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
}

/// Flags of a run without a command.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Record without a screen until stopped.
    #[arg(long, conflicts_with_all = ["replay", "attach"])]
    pub record: bool,
    /// Look at a copy of a history as if it were live.
    #[arg(long, value_name = "FILE", conflicts_with = "attach")]
    pub replay: Option<PathBuf>,
    /// Time between two rounds (100ms to 1h).
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub interval: Option<Duration>,
    /// Theme by name.
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
    /// Only ASCII characters.
    #[arg(long)]
    pub ascii: bool,
    /// Calm lines instead of a screen, for screen readers and dumb terminals.
    #[arg(long, conflicts_with = "record")]
    pub plain: bool,
    /// Judge rules and show alerts, but send nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Log levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Only what failed.
    Error,
    /// Also what is degraded.
    Warn,
    /// Also what happens.
    Info,
    /// Also how.
    Debug,
}

/// Log formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Output formats of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// All commands, one file each.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A simulated machine with incidents, nothing installed.
    Demo(commands::demo::Demo),
    /// One line on the machine; exit code 0 ok, 1 warning, 2 critical, 3 unknown.
    Status(commands::status::Status),
    /// Active alerts.
    Alerts(commands::alerts::Alerts),
    /// Take care of an alert.
    Ack(commands::decide::Ack),
    /// Put an alert off.
    Snooze(commands::decide::SnoozeArgs),
    /// Say whether an alert was real.
    Feedback(commands::decide::Feedback),
    /// Mark an incident: what rules are measured against.
    Incident(commands::incident::IncidentArgs),
    /// Try a channel out.
    Notify(commands::notify::NotifyArgs),
    /// Rules: check and test them, list them, run them over the history, learn from it.
    Rules(commands::rules::RulesArgs),
    /// Silences: alerts that match are not told.
    Silence(commands::silence::SilenceArgs),
    /// Services and their uptime.
    Services(commands::lists::Services),
    /// What will happen, when and how likely.
    Predictions(commands::lists::Predictions),
    /// Parts unlike their siblings, what changed for good, and what behaves alike.
    Patterns(commands::patterns::PatternsArgs),
    /// Values of the history by a query in PromQL's syntax.
    Query(commands::query::Query),
    /// The expected course of a metric.
    Forecast(commands::forecast::Forecast),
    /// What alarms and forecasts are worth on labeled series, or what would have been alarmed on your own.
    Eval(commands::eval::Eval),
    /// Faults made on this machine, to see whether they are noticed.
    Bench(commands::bench::Bench),
    /// A report on a span of time.
    Report(commands::report::Report),
    /// Reports made by the clock: list, export, delete.
    Reports(commands::reports::ReportsArgs),
    /// Check a service once, as a Nagios plugin does; exit code 0 ok, 1 warning, 2 critical, 3 unknown.
    Check(Box<commands::check::Check>),
    /// The samples of all series, as CSV or JSON lines.
    Export(commands::export::Export),
    /// Samples of a CSV file into the history.
    Import(commands::import::Import),
    /// The file of the history: check it, compact it.
    Store(commands::store::StoreArgs),
    /// The configuration: check it, show it, print an example.
    Config(commands::config::ConfigArgs),
    /// What works here, what does not, and what to do.
    Doctor(commands::doctor::Doctor),
}

/// A duration as people write it, for clap.
pub fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|e| e.to_string())
}
