//! Samples of a CSV file into a history.
//!
//! Read line by line, so that no file is too long. Invariant: nothing that was recorded is hidden or changed: what
//! is imported lies after it.

use std::collections::HashSet;
use std::io::{BufRead, Seek};
use std::path::Path;
use std::time::Duration;

use super::lock::{DataLock, LockError, Role};
use super::start::{StartError, history_path};
use crate::base::{Timestamp, parse_time};
use crate::model::{Catalog, Reading, SeriesKey};
use crate::store::{ReadError, Store, StoreConfig, WriteError, Writer};

/// Time of the samples between two writes to disk: a slab.
const FLUSH_EVERY: Duration = Duration::from_secs(600);
/// Samples between two writes, where they are close together.
const MOST_WAITING: usize = 200_000;

/// Why a file was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A line that is not understood.
    #[error("line {line}: {message}")]
    Line {
        /// From 1.
        line: u64,
        /// What is wrong, and what is expected.
        message: String,
    },
    /// The metric named, or the lack of one.
    #[error("{0}")]
    Metric(String),
    /// It would lie under what is recorded.
    #[error(
        "the history ends at {newest}, the file begins at {first}: samples can only be added after what is recorded; import into a folder of its own with --data-dir"
    )]
    Older {
        /// Newest sample kept.
        newest: String,
        /// First of the file.
        first: String,
    },
    /// Somebody else has the folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The history cannot be opened.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The history cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The history cannot be written; what was written before stays.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    File(#[from] std::io::Error),
}

/// What was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Samples.
    pub samples: u64,
    /// Different series.
    pub series: usize,
}

/// Reads a file with a header (`time` and `value`, and `series` where no metric is named) into the history of a folder. It is read
/// twice: first to see that all of it is understood.
///
/// # Errors
/// A line that is not understood; nothing is imported then.
pub fn import(
    dir: &Path,
    config: &StoreConfig,
    mut file: impl BufRead + Seek,
    metric: Option<&str>,
) -> Result<Imported, ImportError> {
    let catalog = super::catalog();
    let metric = metric.map(|m| series(m, &catalog).map_err(ImportError::Metric)).transpose()?;
    let lock = DataLock::take(dir, Role::OneShot)?;
    let (writer, reader) = Store::open(&history_path(&lock), config).map_err(StartError::from)?;
    let newest = reader.view()?.newest()?;
    drop(reader);
    let order = Order { newest, at: None };
    let mut seen = order;
    every_row(&mut file, metric.as_ref(), &catalog, |at, _, _| seen.admit(at).map(drop))?;
    file.rewind()?;
    let mut import = Import { writer, order, round: Vec::new(), waiting: 0, flushed: None, seen: HashSet::new() };
    let samples = every_row(&mut file, metric.as_ref(), &catalog, |at, key, value| import.add(at, key, value))?;
    let series = import.seen.len();
    import.end()?;
    Ok(Imported { samples, series })
}

/// Gives each sample of a file, by its order; how many there were.
fn every_row(
    file: &mut impl BufRead,
    metric: Option<&SeriesKey>,
    catalog: &Catalog,
    mut take: impl FnMut(Timestamp, SeriesKey, f64) -> Result<(), Refused>,
) -> Result<u64, ImportError> {
    let mut samples = 0;
    let mut columns = None;
    for (n, text) in (1..).zip(file.lines()) {
        let text = text?;
        let line = |message: String| ImportError::Line { line: n, message };
        let text = text.trim_start_matches('\u{feff}').trim_end();
        if text.is_empty() {
            continue;
        }
        let cells = cells(text).ok_or_else(|| line("a quote that is not closed".to_owned()))?;
        let Some(columns) = &columns else {
            columns = Some(Columns::find(&cells, metric.cloned()).map_err(line)?);
            continue;
        };
        if let Some((at, key, value)) = columns.read(&cells, catalog).map_err(line)? {
            take(at, key, value).map_err(|e| if let Refused::Unordered(text) = e { line(text) } else { e.into() })?;
            samples += 1;
        }
    }
    Ok(samples)
}

fn series(text: &str, catalog: &Catalog) -> Result<SeriesKey, String> {
    let key: SeriesKey =
        text.trim().parse().map_err(|_| format!("\"{text}\" is no series; write for example load_average{{window=\"5m\"}}"))?;
    if catalog.get(key.metric()).is_some() {
        return Ok(key);
    }
    let metric = key.metric();
    let near = catalog.nearest(metric).map_or_else(|| catalog.hint(metric), |near| format!("did you mean \"{near}\"?"));
    Err(format!("there is no metric \"{metric}\"; {near}"))
}

/// Which column is what.
struct Columns {
    time: usize,
    value: usize,
    series: Result<usize, SeriesKey>,
}

impl Columns {
    fn find(header: &[String], metric: Option<SeriesKey>) -> Result<Self, String> {
        let place = |names: &[&str]| header.iter().position(|cell| names.iter().any(|n| cell.trim().eq_ignore_ascii_case(n)));
        let missing =
            |what: &str| format!("no column \"{what}\"; the first line names the columns: time,series,value or time,value");
        let time = place(&["time", "timestamp", "at"]).ok_or_else(|| missing("time"))?;
        let value = place(&["value", "mean"]).ok_or_else(|| missing("value"))?;
        let series = match (metric, place(&["series"])) {
            (Some(metric), _) => Err(metric),
            (None, Some(column)) => Ok(column),
            (None, None) => return Err("no column \"series\"; name the metric with --as".to_owned()),
        };
        Ok(Self { time, value, series })
    }

    /// Time, series and value of a row; `None` for a row without a value.
    fn read(&self, cells: &[String], catalog: &Catalog) -> Result<Option<(Timestamp, SeriesKey, f64)>, String> {
        let cell = |n: usize| cells.get(n).map(|c| c.trim()).ok_or_else(|| format!("only {} columns", cells.len()));
        let (time, value) = (cell(self.time)?, cell(self.value)?);
        if value.is_empty() {
            return Ok(None);
        }
        let number = |text: &str| text.parse::<f64>().ok().filter(|v| v.is_finite());
        // Seconds since 1970, as Prometheus writes them, or a date.
        let at = match number(time) {
            Some(seconds) => Timestamp((seconds * 1000.0).round() as i64),
            None => parse_time(time, Timestamp::now()).map_err(|e| e.to_string())?,
        };
        let value = number(value).ok_or_else(|| format!("\"{value}\" is no number"))?;
        let key = match &self.series {
            Ok(column) => series(cell(*column)?, catalog)?,
            Err(metric) => metric.clone(),
        };
        Ok(Some((at, key, value)))
    }
}

/// Why a sample was not taken.
enum Refused {
    Unordered(String),
    Other(ImportError),
}

impl From<Refused> for ImportError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unordered(message) => Self::Metric(message),
            Refused::Other(error) => error,
        }
    }
}

/// Where the history ends, and the file so far.
#[derive(Clone, Copy)]
struct Order {
    newest: Option<Timestamp>,
    at: Option<Timestamp>,
}

impl Order {
    /// Takes the time of the next sample; gives the one before, where that is over.
    fn admit(&mut self, at: Timestamp) -> Result<Option<Timestamp>, Refused> {
        if let Some(newest) = self.newest.filter(|n| self.at.is_none() && *n >= at) {
            return Err(Refused::Other(ImportError::Older { newest: newest.rfc3339(), first: at.rfc3339() }));
        }
        match self.at.replace(at) {
            Some(before) if before > at => {
                Err(Refused::Unordered("earlier than the line before; sort the file by time".to_owned()))
            }
            before => Ok(before.filter(|before| *before < at)),
        }
    }
}

struct Import {
    writer: Writer,
    order: Order,
    round: Vec<Reading>,
    waiting: usize,
    flushed: Option<Timestamp>,
    seen: HashSet<SeriesKey>,
}

impl Import {
    fn add(&mut self, at: Timestamp, key: SeriesKey, value: f64) -> Result<(), Refused> {
        if let Some(before) = self.order.admit(at)? {
            self.push(before).map_err(|e| Refused::Other(e.into()))?;
        }
        if !self.seen.contains(&key) {
            self.seen.insert(key.clone());
        }
        self.round.push(Reading { key, value, cumulative: None });
        Ok(())
    }

    fn push(&mut self, at: Timestamp) -> Result<(), WriteError> {
        self.writer.push(at, &self.round);
        self.waiting += self.round.len();
        self.round.clear();
        let since = *self.flushed.get_or_insert(at);
        if at.since(since) >= FLUSH_EVERY || self.waiting > MOST_WAITING {
            self.flushed = Some(at);
            self.waiting = 0;
            self.writer.flush(at)?;
            while self.writer.maintain(at)? {}
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), WriteError> {
        let at = self.order.at.unwrap_or_default();
        if !self.round.is_empty() {
            self.push(at)?;
        }
        self.writer.close(at)
    }
}

/// Cells of a line, by RFC 4180; `None` where a quote is not closed.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        let mut cell = String::new();
        if chars.next_if_eq(&'"').is_some() {
            loop {
                match chars.next()? {
                    '"' if chars.next_if_eq(&'"').is_some() => cell.push('"'),
                    '"' => break,
                    c => cell.push(c),
                }
            }
        }
        cell.extend(std::iter::from_fn(|| chars.next_if(|c| *c != ',')));
        all.push(cell);
        if chars.next().is_none() {
            return Some(all);
        }
    }
}

/// Gives the room of what was deleted from a folder's history back to the disk: bytes of its file before and after.
///
/// # Errors
/// A folder in use, a history that cannot be opened or written.
pub fn compact(dir: &Path, config: &StoreConfig) -> Result<(u64, u64), ImportError> {
    let lock = DataLock::take(dir, Role::OneShot)?;
    let path = history_path(&lock);
    let before = std::fs::metadata(&path)?.len();
    let (mut writer, reader) = Store::open(&path, config).map_err(StartError::from)?;
    let newest = reader.view()?.newest()?.unwrap_or_default();
    drop(reader);
    writer.compact()?;
    writer.close(newest)?;
    Ok((before, std::fs::metadata(&path)?.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::TimeRange;
    use crate::model::{Resolution, SeriesSource};

    fn read(dir: &Path, text: &str, metric: Option<&str>) -> Result<Imported, String> {
        import(dir, &StoreConfig::default(), std::io::Cursor::new(text), metric).map_err(|e| e.to_string())
    }

    fn values(dir: &Path, key: &str) -> Vec<(String, f64)> {
        let (_writer, reader) = Store::open(&dir.join("farol.redb"), &StoreConfig::default()).expect("a history");
        let all = TimeRange { from: Timestamp(0), to: Timestamp(i64::MAX / 2) };
        let view = reader.view().expect("open");
        let points = view.points(&key.parse().expect("a key"), all, Resolution::Raw).expect("readable");
        points.buckets.into_iter().map(|b| (b.at.rfc3339(), b.last)).collect()
    }

    #[test]
    fn a_file_of_times_and_values_becomes_the_metric_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let text = "time,value,note\n1780000000,0.5,\"a, b\"\n\n1780000001.5,,\n2026-05-28T20:26:42Z,0.25,x\n";
        assert_eq!(read(dir.path(), text, Some("memory_used_ratio")), Ok(Imported { samples: 2, series: 1 }));
        let expected = [("2026-05-28T20:26:40Z".to_owned(), 0.5), ("2026-05-28T20:26:42Z".to_owned(), 0.25)];
        assert_eq!(values(dir.path(), "memory_used_ratio"), expected);
        // More can follow, nothing can lie under it.
        assert!(read(dir.path(), "time,value\n1780000010,1\n", Some("memory_used_ratio")).is_ok());
        let error = read(dir.path(), "time,value\n1780000005,1\n", Some("memory_used_ratio")).expect_err("it lies before");
        assert!(error.contains("ends at 2026-05-28T20:26:50Z") && error.contains("--data-dir"), "{error}");
        assert_eq!(values(dir.path(), "memory_used_ratio").len(), 3);
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_line() {
        for (text, metric, told) in [
            ("time,value\n1,2\n", None, "line 1: no column \"series\"; name the metric with --as"),
            ("when,value\n", Some("memory_used_ratio"), "line 1: no column \"time\""),
            ("time,value\n1,2\n", Some("memory_usd_ratio"), "did you mean \"memory_used_ratio\"?"),
            ("time,value\n1,2\n", Some("memory_used_ratio{"), "is no series"),
            ("time,value\n1,two\n", Some("memory_used_ratio"), "line 2: \"two\" is no number"),
            ("time,value\nsoon,2\n", Some("memory_used_ratio"), "line 2: "),
            ("time,value\n1\n", Some("memory_used_ratio"), "line 2: only 1 columns"),
            ("time,value\n2,1\n1,1\n", Some("memory_used_ratio"), "line 3: earlier than the line before"),
            ("time,value\n2,\"1\n", Some("memory_used_ratio"), "line 2: a quote that is not closed"),
            ("time,series,value\n2,nothing_known,1\n", None, "line 2: there is no metric \"nothing_known\""),
        ] {
            let dir = tempfile::tempdir().expect("a folder");
            let error = read(dir.path(), text, metric).expect_err(text);
            assert!(error.contains(told), "{text:?}: {error}");
            // Nothing of it is there, and the mended file can lie anywhere.
            assert_eq!(read(dir.path(), "time,value\n1,2\n", Some("memory_used_ratio")), Ok(Imported { samples: 1, series: 1 }));
        }
    }

    proptest::proptest! {
        #[test]
        fn cells_are_read_back(all in proptest::collection::vec("[a-z,\" ]{0,6}", 1..6)) {
            let line: Vec<String> = all.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect();
            proptest::prop_assert_eq!(cells(&line.join(",")), Some(all));
        }

        #[test]
        fn no_line_makes_the_reader_panic(line in "\\PC*") {
            let _ = cells(&line);
        }
    }
}
