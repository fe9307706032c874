//! `farol reports list | export | delete`: what schedules made, and when the next one comes.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::decide::note;
use super::out;
use crate::app::cli::{Format, Global};
use crate::app::reach::{Reach, unexpected};
use crate::app::{Failure, place};
use crate::base::{Timestamp, units};
use crate::model::{KeptReport, NextReport, ReportFormat, SentReport};
use crate::monitor::{Answer, Refusal, RefusalKind, Request};

/// Arguments.
#[derive(Debug, Args)]
pub struct ReportsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reports that are kept, where each went, and when the next ones come.
    List(List),
    /// Write the file of a report that is kept.
    Export(Export),
    /// Keep a report no longer.
    Delete(Delete),
}

#[derive(Debug, Args)]
struct List {
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
struct Export {
    /// Id of the report.
    id: String,
    /// Made anew from the history in this format: pdf, html, json, csv. By default the file as it was sent.
    #[arg(long)]
    format: Option<ReportFormat>,
    /// File to write; `-` is standard output. By default a file of its own name in this folder.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Delete {
    /// Id of the report.
    id: String,
}

impl ReportsArgs {
    /// Does it.
    ///
    /// # Errors
    /// No such report, or nobody to ask.
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let mut reach = Reach::find(global)?;
        match &self.command {
            Command::List(list) => {
                let (kept, next) = all(&mut reach)?;
                match list.format {
                    Format::Text => out::print(&text(&kept, &next, &out::zone(global)))?,
                    Format::Json => {
                        let kept: Vec<Value> = kept.iter().map(kept_json).collect();
                        let next: Vec<Value> = next.iter().map(next_json).collect();
                        out::print(&out::object("reports", Timestamp::now(), json!({"kept": kept, "next": next})))?;
                    }
                }
            }
            Command::Export(export) => {
                let (name, bytes) = export.file(&mut reach)?;
                out::file(export.output.as_deref(), &name, &bytes)?;
            }
            Command::Delete(delete) => {
                let request = Request::DeleteReport { report: delete.id.clone(), author: place::author() };
                match reach.ask(request)? {
                    Answer::Done { saved, message } => out::print(&format!("{message}{}\n", note(saved)))?,
                    other => return Err(unexpected(&other).into()),
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What is kept and what comes next.
///
/// # Errors
/// The refusal.
pub(super) fn all(reach: &mut Reach) -> Result<(Vec<KeptReport>, Vec<NextReport>), Refusal> {
    match reach.ask(Request::Reports)? {
        Answer::Reports { kept, next } => Ok((kept, next)),
        other => Err(unexpected(&other)),
    }
}

impl Export {
    fn file(&self, reach: &mut Reach) -> Result<(String, Vec<u8>), Failure> {
        let request = match self.format {
            None => Request::KeptReport { report: self.id.clone() },
            Some(format) => {
                let (kept, _) = all(reach)?;
                let found = kept.into_iter().find(|k| k.id == self.id);
                let missing = || {
                    Refusal::new(RefusalKind::NotFound, format!("there is no report {}; farol reports list names them", self.id))
                };
                Request::Report(crate::model::ReportSpec { format, ..found.ok_or_else(missing)?.spec })
            }
        };
        match reach.ask(request)? {
            Answer::Report { name, bytes, .. } => Ok((name, bytes)),
            other => Err(unexpected(&other).into()),
        }
    }
}

fn text(kept: &[KeptReport], next: &[NextReport], zone: &TimeZone) -> String {
    let row = |k: &KeptReport| {
        let to: Vec<String> = k.sent.iter().map(|s| sent(s, zone)).collect();
        let until = format!("kept until {}", out::local(k.keep_until, zone));
        vec![
            k.id.clone(),
            out::local(k.made_at, zone),
            units::format_value(k.bytes as f64, units::Unit::Bytes),
            until,
            to.join("; "),
        ]
    };
    let mut text = match kept {
        [] => "no reports are kept\n".to_owned(),
        kept => out::table(&kept.iter().map(row).collect::<Vec<_>>()),
    };
    let row = |n: &NextReport| {
        let at = n.at.map_or_else(|| "never again".to_owned(), |at| out::local(at, zone));
        let to = if n.to.is_empty() { "to nobody, only kept".to_owned() } else { format!("to {}", n.to.join(", ")) };
        let problem = n.problem.as_ref().map_or_else(String::new, |p| format!("the last one could not be made: {p}"));
        vec![format!("next: {}", n.schedule), at, to, problem]
    };
    match next {
        [] => text.push_str("no reports are planned; see [[report]] in farol config example\n"),
        next => text.push_str(&out::table(&next.iter().map(row).collect::<Vec<_>>())),
    }
    text
}

/// Where it went, for people.
fn sent(sent: &SentReport, zone: &TimeZone) -> String {
    let why = sent.error.as_deref().unwrap_or("");
    match (sent.at, sent.over, sent.due_at) {
        (Some(at), ..) => format!("{}: sent {}", sent.to, out::local(at, zone)),
        (None, true, _) => format!("{}: not sent: {why}", sent.to),
        (None, false, Some(due)) if sent.error.is_some() => {
            format!("{}: waits, next try {}: {why}", sent.to, out::local(due, zone))
        }
        (None, false, _) => format!("{}: on its way", sent.to),
    }
}

fn kept_json(kept: &KeptReport) -> Value {
    let spec = &kept.spec;
    let sent = |s: &SentReport| {
        let state = match (s.at, s.over) {
            (Some(_), _) => "sent",
            (None, true) => "failed",
            (None, false) => "waiting",
        };
        json!({"to": s.to, "state": state, "at": out::time(s.at), "error": s.error, "due_at": out::time(s.due_at)})
    };
    json!({
        "id": kept.id, "schedule": kept.schedule, "kind": spec.kind, "depth": spec.depth, "format": spec.format,
        "from": out::time(Some(spec.range.from)), "to": out::time(Some(spec.range.to)),
        "made_at": out::time(Some(kept.made_at)), "name": kept.name, "bytes": kept.bytes,
        "keep_until": out::time(Some(kept.keep_until)), "sent": kept.sent.iter().map(sent).collect::<Vec<_>>(),
    })
}

fn next_json(next: &NextReport) -> Value {
    json!({"schedule": next.schedule, "at": out::time(next.at), "to": next.to, "problem": next.problem})
}
