//! Reading: one consistent moment of the history.

use std::sync::Arc;
use std::time::Duration;

use super::ReadError;
use crate::base::{TimeRange, Timestamp};
use crate::model::{
    Alert, AnomalyInterval, JournalEntry, Matcher, Points, Prediction, Process, Resolution, SeriesKey, SeriesSource,
    ServiceStatus, Silence, SourceError,
};

/// Where views come from; clones share the file with the writer.
#[derive(Debug, Clone)]
pub struct Reader {}

impl Reader {
    /// One consistent moment: what is on disk and the samples not written yet. Keep it short: an open
    /// view keeps old pages from being reused.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn view(&self) -> Result<View, ReadError> {
        Err(ReadError("not open".into()))
    }
}

/// The state at a moment, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Keyframe {
    /// When.
    pub at: Timestamp,
    /// Alerts.
    pub alerts: Vec<Arc<Alert>>,
    /// Silences.
    pub silences: Vec<Silence>,
    /// Services.
    pub services: Vec<ServiceStatus>,
}

/// Size of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableStats {
    /// Its name.
    pub table: &'static str,
    /// Rows.
    pub rows: u64,
    /// Bytes of keys and values.
    pub stored_bytes: u64,
    /// Bytes of all its pages.
    pub page_bytes: u64,
}

/// One moment of the history.
#[derive(Debug)]
pub struct View {}

/// A row under its name.
pub type NamedRow = (String, Vec<u8>);

impl View {
    /// Journal of a span, oldest first.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn journal(&self, _range: TimeRange) -> Result<Vec<JournalEntry>, ReadError> {
        Ok(Vec::new())
    }
    /// The newest keyframe not after `at`.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn keyframe_before(&self, _at: Timestamp) -> Result<Option<Keyframe>, ReadError> {
        Ok(None)
    }
    /// Anomalies that touch a span, by start; of one series or of all.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn anomalies(&self, _range: TimeRange, _key: Option<&SeriesKey>) -> Result<Vec<AnomalyInterval>, ReadError> {
        Ok(Vec::new())
    }
    /// All predictions kept, by id.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn predictions(&self) -> Result<Vec<Prediction>, ReadError> {
        Ok(Vec::new())
    }
    /// The newest processes written not after `at`, and when that was; `None` where none were within an hour before.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn processes_near(&self, _at: Timestamp) -> Result<Option<(Timestamp, Vec<Arc<Process>>)>, ReadError> {
        Ok(None)
    }
    /// All silences kept, by id, ended ones included.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn silences(&self) -> Result<Vec<Silence>, ReadError> {
        Ok(Vec::new())
    }
    /// Messages not done with, by number.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn outbox(&self) -> Result<Vec<(u64, Vec<u8>)>, ReadError> {
        Ok(Vec::new())
    }
    /// Rows of what was told to whom, by name.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn ledger(&self) -> Result<Vec<NamedRow>, ReadError> {
        Ok(Vec::new())
    }
    /// Rows of incidents, by name.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn incidents(&self) -> Result<Vec<NamedRow>, ReadError> {
        Ok(Vec::new())
    }
    /// Rows of schedules, by name.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn schedules(&self) -> Result<Vec<NamedRow>, ReadError> {
        Ok(Vec::new())
    }
    /// Rows of services, by name.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn services(&self) -> Result<Vec<NamedRow>, ReadError> {
        Ok(Vec::new())
    }
    /// Something learned.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn model(&self, _name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(None)
    }
    /// A small fact.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn meta(&self, _name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(None)
    }
    /// Time of the oldest sample kept at any resolution; `None` where there is none.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn oldest(&self) -> Result<Option<Timestamp>, ReadError> {
        Ok(None)
    }
    /// Time of the newest sample; `None` where there is none.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn newest(&self) -> Result<Option<Timestamp>, ReadError> {
        Ok(None)
    }
    /// Size of every table; walks the whole file.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn stats(&self) -> Result<Vec<TableStats>, ReadError> {
        Ok(Vec::new())
    }
    /// The value below which a share `q` (0–1) of the samples lies, within 1 % of itself, from hourly sketches and,
    /// at the edges, from samples; `None` where nothing is kept.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn quantile(&self, _key: &SeriesKey, _range: TimeRange, _q: f64) -> Result<Option<f64>, ReadError> {
        Ok(None)
    }
}

impl SeriesSource for View {
    fn select(&self, _metric: Option<&str>, _matchers: &[Matcher]) -> Result<Vec<SeriesKey>, SourceError> {
        Ok(Vec::new())
    }
    fn points(&self, key: &SeriesKey, _range: TimeRange, resolution: Resolution) -> Result<Points, SourceError> {
        Ok(Points { key: key.clone(), resolution, buckets: Vec::new() })
    }
    fn interval(&self, _key: &SeriesKey) -> Duration {
        Duration::from_secs(1)
    }
}
