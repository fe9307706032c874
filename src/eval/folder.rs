//! A folder of labeled series: its labels, its questions, its files.
//!
//! Invariant: labels keep the order of the file, so that sums and tables are the same wherever they are made.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::csv;
use super::protocol::Span;
use super::table::Table;
use super::variant::Variant;

/// Why labeled series cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A file that cannot be read.
    #[error("{} cannot be read", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Labels or questions that are not what they should be.
    #[error("{}: {reason}", path.display())]
    Format {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A table that is none.
    #[error("{}:{}: {}", path.display(), error.line, error.reason)]
    Csv {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        error: csv::CsvError,
    },
}

/// What is known of one file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Label {
    /// Nominal seconds between samples.
    pub interval_s: i64,
    /// First second that is scored; without it there is nothing to detect.
    pub score_from: Option<i64>,
    /// First and last second of every labeled incident.
    pub windows: Vec<Span>,
    /// How far beside a window an alarm may open.
    pub tolerance_s: Option<i64>,
    /// Generated, not recorded.
    pub artificial: bool,
}

/// Names in the order of their file.
#[derive(Debug, Clone, Default)]
pub struct Labels(pub Vec<(String, Label)>);

impl Labels {
    /// That of a file.
    pub fn get(&self, name: &str) -> Option<&Label> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, label)| label)
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;
        impl<'de> Visitor<'de> for Rows {
            type Value = Labels;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object whose keys are files")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = map.next_entry()? {
                    rows.push(row);
                }
                Ok(Labels(rows))
            }
        }
        deserializer.deserialize_map(Rows)
    }
}

/// What is asked of forecasters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Questions {
    /// Courses.
    pub forecasts: Vec<CourseQuestion>,
    /// Limits.
    pub crossings: Vec<LimitQuestion>,
}

/// The course of a series from several moments on.
#[derive(Debug, Clone, Deserialize)]
pub struct CourseQuestion {
    /// Name of the kind of question.
    pub task: String,
    /// Which file.
    pub file: String,
    /// Which column.
    pub column: String,
    /// Seconds between points.
    pub step_s: i64,
    /// Number of points.
    pub horizon_steps: usize,
    /// The season that errors are scaled by, in seconds.
    pub season_s: i64,
    /// Moments from which it is asked; everything before is known.
    pub origins: Vec<i64>,
}

/// Which side of a limit is beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Larger values.
    Above,
    /// Smaller values.
    Below,
}

/// How likely a limit is reached, from several moments on.
#[derive(Debug, Clone, Deserialize)]
pub struct LimitQuestion {
    /// Name of the kind of question.
    pub task: String,
    /// Which file.
    pub file: String,
    /// Which column.
    pub column: String,
    /// Where the far side is.
    pub direction: Side,
    /// The limit.
    pub limit: f64,
    /// How far ahead, in seconds.
    pub horizon_s: i64,
    /// Moments from which it is asked; everything until then is known.
    pub origins: Vec<i64>,
}

/// A folder of labeled series.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    variant: Option<Variant>,
    /// What is known of each file.
    pub labels: Labels,
    /// What is asked of forecasters; `None` where nothing is.
    pub questions: Option<Questions>,
}

impl Folder {
    /// Opens a folder with `labels.json` and perhaps `tasks.json`; `labels` names another file with labels.
    ///
    /// # Errors
    /// A file that is missing or not what it should be.
    pub fn open(root: &Path, labels: Option<&Path>) -> Result<Self, EvalError> {
        let named = labels.map_or_else(|| root.join("labels.json"), Path::to_owned);
        let tasks = root.join("tasks.json");
        Ok(Self {
            root: root.to_owned(),
            variant: None,
            labels: read_json(&named)?,
            questions: if tasks.is_file() { Some(read_json(&tasks)?) } else { None },
        })
    }

    /// The samples of a file.
    ///
    /// # Errors
    /// A file that cannot be read or is no table.
    pub fn table(&self, name: &str) -> Result<Table, EvalError> {
        let table = read_table(&self.root.join(name))?.table;
        Ok(match self.variant {
            Some(variant) => variant.table(table),
            None => table,
        })
    }

    /// The same folder, its series a little different; without questions.
    pub fn varied(&self, variant: Variant) -> Self {
        let mut labels = self.labels.clone();
        labels.0.iter_mut().for_each(|(_, label)| variant.label(label));
        Self { root: self.root.clone(), variant: Some(variant), labels, questions: None }
    }

    /// Names of tables of drives: those of the track `smart`.
    pub fn drives(&self) -> impl Iterator<Item = &str> {
        self.labels.0.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with("smart/"))
    }

    /// The text of a file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn text(&self, name: &str) -> Result<String, EvalError> {
        read_text(&self.root.join(name))
    }
}

/// Labels from a file.
///
/// # Errors
/// A file that is missing or not what it should be.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, EvalError> {
    let text = std::fs::read_to_string(path).map_err(|source| EvalError::Io { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|e| EvalError::Format { path: path.to_owned(), reason: e.to_string() })
}

/// A table from a file, packed by gzip where its name ends in `.gz`.
///
/// # Errors
/// A file that cannot be read or is no table.
pub fn read_table(path: &Path) -> Result<csv::Parsed, EvalError> {
    csv::parse(&read_text(path)?).map_err(|error| EvalError::Csv { path: path.to_owned(), error })
}

fn read_text(path: &Path) -> Result<String, EvalError> {
    let failed = |source| EvalError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let mut file = std::fs::File::open(path).map_err(failed)?;
    if path.extension().is_some_and(|e| e == "gz") {
        MultiGzDecoder::new(file).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        file.read_to_end(&mut bytes).map_err(failed)?;
    }
    // Other programs' files need not be UTF-8; what is not is shown as such.
    Ok(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}
