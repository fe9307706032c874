//! `farol eval`: what the analysis is worth on labeled series, and what it says of one's own.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::{Value, json};

use super::out;
use crate::analyze::{AnalyzeConfig, CHALLENGERS, DETECTORS};
use crate::app::Failure;
use crate::app::cli::{Format, Global};
use crate::app::history;
use crate::app::reach::Reach;
use crate::base::{TimeRange, Timestamp};
use crate::engine;
use crate::eval::{
    self, Bar, Detected, EvalError, FileResult, Folder, Labels, Parts, Scored, Watching, detection_bars, foresight,
    foresight_bars, text,
};

/// The name of the machine's own past.
const HISTORY: &str = "history";
/// Fewer samples than the rarest deviations are learned from.
const FEW: usize = 500;
/// More columns are counted, not named.
const NAMED: usize = 20;

/// Arguments.
#[derive(Debug, Args)]
pub struct Eval {
    /// A folder with labels.json, or a table (CSV, perhaps .gz) of your own: a time and columns of values.
    #[arg(required_unless_present = "from_history")]
    path: Option<PathBuf>,
    /// The machine's own last two weeks, a minute a row, with the alerts people confirmed as incidents.
    #[arg(long, conflicts_with_all = ["path", "labels", "firm"])]
    from_history: bool,
    /// Labels: an object with file names as keys and `windows` of unix seconds (default: the folder's).
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Only what this detector finds alone; all: every one, in a table.
    #[arg(long, value_name = "NAME")]
    detector: Option<String>,
    /// Write the alarms there, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    alarms: Option<PathBuf>,
    /// Write forecasts and crossings there, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Also precision and recall over the score.
    #[arg(long)]
    curve: bool,
    /// Also how firm the event F1 is: intervals, tracks left out, the series jittered, rescaled and shifted; takes four times as
    /// long.
    #[arg(long)]
    firm: bool,
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What is printed.
#[derive(Default)]
struct Told {
    text: String,
    json: serde_json::Map<String, Value>,
}

impl Told {
    fn add(&mut self, name: &str, text: &str, value: &impl serde::Serialize) -> Result<(), Failure> {
        self.text.push_str(text);
        self.json.insert(name.to_owned(), serde_json::to_value(value)?);
        Ok(())
    }
}

impl Eval {
    /// Runs it and prints figures or alarms.
    ///
    /// # Errors
    /// A detector that is none (2), a file that cannot be read or is no table (1).
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let named = self.detector.as_deref().filter(|name| *name != "all").map(detector).transpose()?;
        // One default configuration for everything: what a person has configured is not what is measured.
        let watching = Watching { catalog: Arc::new(engine::catalog()), config: AnalyzeConfig::default(), detector: named };
        let mut told = Told::default();
        match &self.path {
            None => self.history(&watching, global, &mut told)?,
            Some(path) if path.is_dir() => self.folder(path, &watching, &mut told)?,
            Some(path) => self.file(path, &watching, global, &mut told)?,
        }
        match self.format {
            Format::Text => out::print(&told.text)?,
            Format::Json => out::print(&out::object("eval", Timestamp::now(), Value::Object(told.json)))?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn folder(&self, path: &Path, watching: &Watching, told: &mut Told) -> Result<(), Failure> {
        let folder = Folder::open(path, self.labels.as_deref()).map_err(usage_or_io)?;
        if self.detector.as_deref() == Some("all") {
            return each(&folder, watching, told);
        }
        let parts = if watching.detector.is_some() { Parts::Detection } else { Parts::All };
        let results = eval::work(&folder, watching, parts, &bar("files"))?;
        self.write_lines(&results)?;
        told.json.insert("protocol".to_owned(), json!("farol-eval/1"));
        let mut bars: Vec<Bar> = Vec::new();
        if let Some(detected) = Detected::of(&results) {
            let found = detected.figures(&folder.labels);
            told.add("detection", &text::detection(&found), &found)?;
            bars.extend(detection_bars(&found));
            if self.curve {
                let points = detected.curve();
                told.add("curve", &text::curve(&points), &points)?;
            }
            if self.firm {
                let rows = eval::firmness(&folder, watching, &results, &bar("variants"))?;
                told.add("firm", &text::firmness(&rows), &rows)?;
            }
        }
        if let Some(found) = foresight(&folder, &results).filter(|_| parts == Parts::All) {
            let tables = text::forecasts(&found.forecasts, found.questions) + &text::crossings(&found.crossings);
            told.add("foresight", &tables, &found)?;
            bars.extend(foresight_bars(&found));
        }
        for name in folder.drives().filter(|_| parts == Parts::All) {
            let Some(found) = eval::drives(&folder.text(name)?) else { continue };
            told.add("drives", &text::drives(&found), &found)?;
            bars.extend(eval::drive_bars(&found));
        }
        told.add("bars", &text::bars(&bars), &bars)
    }

    /// One table of a person's own.
    fn file(&self, path: &Path, watching: &Watching, global: &Global, told: &mut Told) -> Result<(), Failure> {
        let parsed = eval::read_table(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let labels: Labels = self.labels.as_deref().map(eval::read_json).transpose().map_err(usage_or_io)?.unwrap_or_default();
        for note in &parsed.notes {
            told.text.push_str(&format!("{}: {note}\n", path.display()));
        }
        told.json.insert("notes".to_owned(), json!(parsed.notes));
        if let (Some(file), None) = (&self.labels, labels.get(&name)) {
            let missing = anyhow!("{}: no labels for {name}; its key must be the file's name", file.display());
            return Err(Failure::usage(missing));
        }
        self.table((&name, &parsed.table), &labels, (watching, global), told)
    }

    /// The machine's own past.
    fn history(&self, watching: &Watching, global: &Global, told: &mut Told) -> Result<(), Failure> {
        let mut reach = Reach::find(global)?;
        let range = TimeRange::last(history::PAST, Timestamp::now());
        let table = history::table(&mut reach, range)?;
        let label = history::confirmed(&mut reach, range)?;
        if label.windows.is_empty() {
            told.text.push_str("nobody confirmed an alert as real (farol feedback ID real): nothing is scored\n");
        }
        let known = if label.windows.is_empty() { Vec::new() } else { vec![(HISTORY.to_owned(), label)] };
        self.table((HISTORY, &table), &Labels(known), (watching, global), told)
    }

    /// A table that stands alone, with what is known of it.
    fn table(
        &self,
        (name, table): (&str, &eval::Table),
        labels: &Labels,
        (watching, global): (&Watching, &Global),
        told: &mut Told,
    ) -> Result<(), Failure> {
        let result = eval::alone(name, table, scored(labels, name, table), watching);
        self.write_lines(std::slice::from_ref(&result))?;
        let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        let span = crate::base::format_duration(std::time::Duration::from_secs(
            table.times.last().zip(table.times.first()).map_or(0, |(b, a)| b.abs_diff(*a)),
        ));
        let of = if columns.len() > NAMED { format!("{} series", columns.len()) } else { columns.join(", ") };
        let head = format!("{} samples of {of} every {} s over {span}\n", table.times.len(), table.interval());
        told.add("columns", &head, &columns)?;
        told.add("alarms", &would_have(&result, global), &result.alarms)?;
        if let Some(detected) = Detected::of(std::slice::from_ref(&result)) {
            let found = detected.figures(labels);
            told.add("detection", &text::detection(&found), &found)?;
            if self.curve {
                let points = detected.curve();
                told.add("curve", &text::curve(&points), &points)?;
            }
        }
        Ok(())
    }

    fn write_lines(&self, results: &[FileResult]) -> Result<(), Failure> {
        if let Some(path) = &self.alarms {
            let line = |name: &str, alarm| {
                let mut line = json!({"file": name});
                merge(&mut line, serde_json::to_value::<&eval::Alarm>(alarm)?);
                Ok(line)
            };
            write(path, results.iter().flat_map(|r| r.alarms.iter().map(|a| line(&r.name, a))))?;
        }
        if let Some(path) = &self.predictions {
            let courses = results.iter().flat_map(|r| r.courses.iter().filter_map(|(_, line, _)| line.as_ref()));
            let limits = results.iter().flat_map(|r| r.limits.iter().flat_map(|(_, lines)| lines.iter().map(|(line, _)| line)));
            write(path, courses.map(serde_json::to_value).chain(limits.map(serde_json::to_value)))?;
        }
        Ok(())
    }
}

/// The labels of a table that stands alone; without `score_from` it is scored from its first seventh on, as NAB does.
fn scored(labels: &Labels, name: &str, table: &eval::Table) -> Option<Scored> {
    let mut label = labels.get(name)?.clone();
    if label.interval_s <= 0 {
        label.interval_s = table.interval();
    }
    let warm_up = (table.times.len() * 15 / 100).min(750);
    label.score_from = label.score_from.or_else(|| table.times.get(warm_up).copied());
    Scored::new(name, &label, &table.times)
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

fn write(path: &Path, lines: impl Iterator<Item = serde_json::Result<Value>>) -> Result<(), Failure> {
    let failed = || format!("{}: cannot be written", path.display());
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).with_context(failed)?);
    for line in lines {
        writeln!(file, "{}", line?).with_context(failed)?;
    }
    file.flush().with_context(failed)?;
    Ok(())
}

/// Names of all detectors, those that are listened to first.
fn names() -> impl Iterator<Item = &'static str> {
    DETECTORS.iter().map(|d| d.name).chain(CHALLENGERS.iter().map(|c| c.name))
}

/// Every detector alone, then all of those that are listened to together.
fn each(folder: &Folder, watching: &Watching, told: &mut Told) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for name in names().map(Some).chain([None]) {
        let watching = Watching { detector: name, ..watching.clone() };
        let shown = name.unwrap_or("together");
        let results = eval::work(folder, &watching, Parts::Detection, &bar(shown))?;
        let Some(detected) = Detected::of(&results) else { return Err(anyhow!("no file has a part to score").into()) };
        rows.push((shown.to_owned(), detected.figures(&folder.labels)));
    }
    told.add("detectors", &text::detectors(&rows), &rows)?;
    let reasons: Vec<(&str, &str)> = CHALLENGERS.iter().map(|c| (c.name, c.because)).collect();
    told.add("inactive", &text::inactive(&reasons), &reasons)
}

fn detector(name: &str) -> Result<&'static str, Failure> {
    let known = || names().collect::<Vec<_>>().join(", ");
    names().find(|n| *n == name).ok_or_else(|| Failure::usage(anyhow!("no detector \"{name}\"; there are {} and all", known())))
}

/// What would have been alarmed, for people.
fn would_have(result: &FileResult, global: &Global) -> String {
    if result.alarms.is_empty() {
        let few = if result.times.len() < FEW { "; that says little: detectors learn from 500 samples first" } else { "" };
        return format!("nothing would have been alarmed{few}\n");
    }
    let zone = out::zone(global);
    let at = |t: i64| out::local(Timestamp::from_seconds(t), &zone);
    let rows: Vec<Vec<String>> = result
        .alarms
        .iter()
        .map(|a| {
            let until = a.closed.map_or_else(|| "open at the end".to_owned(), at);
            vec![at(a.opened), until, text::severity(a.severity).to_owned(), format!("{:.2}", a.score), a.reason.clone()]
        })
        .collect();
    format!("would have been alarmed:\n{}", out::table(&rows))
}

/// A progress bar on standard error, where that is a terminal.
fn bar(what: &str) -> impl Fn(usize, usize) + Sync {
    const WIDTH: usize = 30;
    let shown = std::io::stderr().is_terminal();
    move |done, of| {
        if !shown {
            return;
        }
        let full = WIDTH * done / of.max(1);
        let end = if done == of { "\r\x1b[K" } else { "" };
        // A terminal that went away does not matter here.
        let _ = write!(std::io::stderr().lock(), "\r{what} [{}{}] {done}/{of}{end}", "=".repeat(full), " ".repeat(WIDTH - full));
    }
}

fn usage_or_io(error: EvalError) -> Failure {
    match error {
        error @ EvalError::Format { .. } => Failure::usage(anyhow::Error::from(error)),
        other => other.into(),
    }
}
