//! Everything asked of a folder, on all cores: alarms, forecasts and crossings, file by file.
//!
//! Invariant: results stand in the order of the labels and questions, whichever thread made them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::alarms::{Alarm, Watching, watch};
use super::courses::{self, CourseLine, CourseScore};
use super::folder::{EvalError, Folder};
use super::limits::{self, LimitLine, Outcome};
use super::protocol::Scored;
use super::table::Table;

/// Which parts are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// Detection, forecasts and crossings.
    All,
    /// Detection alone.
    Detection,
}

/// What came of one file.
#[derive(Debug, Clone, Default)]
pub struct FileResult {
    /// Its key in the labels.
    pub name: String,
    /// Its labels, where it has a part to score.
    pub scored: Option<Scored>,
    /// Times of all its samples.
    pub times: Vec<i64>,
    /// Its alarms.
    pub alarms: Vec<Alarm>,
    /// Answers by number of the question.
    pub courses: Vec<(usize, Option<CourseLine>, CourseScore)>,
    /// Answers by number of the question.
    pub limits: Vec<(usize, Vec<(LimitLine, Outcome)>)>,
}

/// Runs all files on all cores; `progress` is told how many of how many are done.
///
/// # Errors
/// The first file that cannot be read.
pub fn work(
    folder: &Folder,
    watching: &Watching,
    parts: Parts,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<FileResult>, EvalError> {
    let names = files(folder, parts);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Mutex<Vec<(usize, Result<FileResult, EvalError>)>> = Mutex::new(Vec::new());
    let cores = thread::available_parallelism().map_or(1, usize::from).min(names.len().max(1));
    let body = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(name) = names.get(place) else { return };
            let result = one(folder, name, watching, parts);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((place, result));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, names.len());
        }
    };
    thread::scope(|scope| {
        for _ in 1..cores {
            scope.spawn(body);
        }
        body();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Files with something to do, in the order of the labels; those that only questions name come last.
fn files(folder: &Folder, parts: Parts) -> Vec<String> {
    let asked: Vec<&String> = match (&folder.questions, parts) {
        (Some(q), Parts::All) => q.forecasts.iter().map(|q| &q.file).chain(q.crossings.iter().map(|q| &q.file)).collect(),
        _ => Vec::new(),
    };
    let asked: BTreeSet<&String> = asked.into_iter().collect();
    let labeled = folder.labels.0.iter().filter(|(name, label)| {
        let is_scored = label.score_from.is_some() && name.contains(".csv");
        is_scored || asked.contains(name)
    });
    let mut names: Vec<String> = labeled.map(|(name, _)| name.clone()).collect();
    let known: BTreeSet<String> = names.iter().cloned().collect();
    names.extend(asked.into_iter().filter(|name| !known.contains(*name)).cloned());
    names
}

fn one(folder: &Folder, name: &str, watching: &Watching, parts: Parts) -> Result<FileResult, EvalError> {
    let table = folder.table(name)?;
    let mut result = FileResult { name: name.to_owned(), ..FileResult::default() };
    result.scored = folder.labels.get(name).and_then(|label| Scored::new(name, label, &table.times));
    if result.scored.is_some() {
        result.alarms = watch(&table, watching);
    }
    if let (Some(questions), Parts::All) = (&folder.questions, parts) {
        let mine = questions.forecasts.iter().enumerate().filter(|(_, q)| q.file == name);
        for (i, question) in mine {
            for origin in &question.origins {
                let line = courses::answer(question, *origin, &table, &watching.catalog);
                let score = courses::score(question, *origin, &table, line.as_ref());
                result.courses.extend(score.map(|s| (i, line, s)));
            }
        }
        let mine = questions.crossings.iter().enumerate().filter(|(_, q)| q.file == name);
        result.limits = mine.map(|(i, q)| (i, limits::answer(q, &table, &watching.catalog))).collect();
    }
    result.times = table.times;
    Ok(result)
}

/// A table that stands alone, as a result.
pub fn alone(name: &str, table: &Table, scored: Option<Scored>, watching: &Watching) -> FileResult {
    FileResult {
        name: name.to_owned(),
        scored,
        times: table.times.clone(),
        alarms: watch(table, watching),
        ..FileResult::default()
    }
}
