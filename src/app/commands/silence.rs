//! `farol silence add | list | expire`.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::decide::note;
use super::out;
use crate::app::cli::{Format, Global, duration};
use crate::app::reach::{Reach, unexpected};
use crate::app::{Failure, place};
use crate::base::Timestamp;
use crate::model::{Matcher, Silence};
use crate::monitor::{Answer, Request};

/// Arguments.
#[derive(Debug, Args)]
pub struct SilenceArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Silence alerts that match.
    Add(Add),
    /// Silences that have not ended.
    List(List),
    /// End a silence now.
    Expire(Expire),
}

#[derive(Debug, Args)]
struct Add {
    /// `name=value`, `!=`, `=~`, `!~` over the alert's labels; `rule` is its name. All must match.
    #[arg(required = true, value_name = "MATCHER")]
    matchers: Vec<Matcher>,
    /// For how long.
    #[arg(long = "for", value_name = "TIME", value_parser = duration, default_value = "2h")]
    length: Duration,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// Services concerned do not count in uptime.
    #[arg(long)]
    maintenance: bool,
}

#[derive(Debug, Args)]
struct List {
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
struct Expire {
    /// Id of the silence.
    id: String,
}

impl SilenceArgs {
    /// Does it.
    ///
    /// # Errors
    /// The refusal, or nobody to tell.
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let mut reach = Reach::find(global)?;
        let zone = out::zone(global);
        match &self.command {
            Command::Add(add) => {
                let request = Request::AddSilence {
                    matchers: add.matchers.clone(),
                    length: add.length,
                    author: place::author(),
                    comment: add.comment.clone(),
                    maintenance: add.maintenance,
                };
                match reach.ask(request)? {
                    Answer::Silenced { saved, silence, matches } => {
                        let until = out::local(silence.until, &zone);
                        let now = if matches.is_empty() { "no alert now".to_owned() } else { matches.join(", ") };
                        out::print(&format!("{} until {until}; matches {now}{}\n", silence.id, note(saved)))?;
                    }
                    other => return Err(unexpected(&other).into()),
                }
            }
            Command::List(list) => {
                let silences = reach.snapshot()?.silences.clone();
                match list.format {
                    Format::Json => {
                        let list: Vec<_> = silences.iter().map(as_json).collect();
                        out::print(&out::object("silences", Timestamp::now(), json!({"silences": list})))?;
                    }
                    Format::Text if silences.is_empty() => out::print("no silences\n")?,
                    Format::Text => {
                        let rows: Vec<Vec<String>> = silences.iter().map(|s| row(s, &zone)).collect();
                        out::print(&out::table(&rows))?;
                    }
                }
            }
            Command::Expire(expire) => {
                match reach.ask(Request::ExpireSilence { id: expire.id.clone(), author: place::author() })? {
                    Answer::Silenced { saved, silence, .. } => out::print(&format!("{} ended{}\n", silence.id, note(saved)))?,
                    other => return Err(unexpected(&other).into()),
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn matchers(silence: &Silence) -> Vec<String> {
    silence.matchers.iter().map(ToString::to_string).collect()
}

fn row(silence: &Silence, zone: &jiff::tz::TimeZone) -> Vec<String> {
    let until = format!("until {}", out::local(silence.until, zone));
    vec![silence.id.clone(), until, matchers(silence).join(" "), format!("by {}", silence.author), silence.comment.clone()]
}

fn as_json(silence: &Silence) -> serde_json::Value {
    json!({
        "id": silence.id,
        "matchers": matchers(silence),
        "from": out::time(Some(silence.from)),
        "until": out::time(Some(silence.until)),
        "author": silence.author,
        "comment": silence.comment,
        "maintenance": silence.maintenance,
    })
}
