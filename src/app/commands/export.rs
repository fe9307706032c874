//! `farol export`: the samples of all series.
//!
//! Read piece by piece, oldest first, so that no span is too long. Invariant: a file is complete or not there.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::app::Failure;
use crate::app::cli::{Global, duration};
use crate::app::reach::{Reach, unexpected};
use crate::base::{TimeRange, Timestamp};
use crate::model::{Bucket, SeriesKey};
use crate::monitor::{Answer, HistoryRequest, Request};
use crate::query::metric_map;

/// Buckets one piece should have: a few megabytes on the way.
const PIECE_BUCKETS: usize = 40_000;
/// Length of the first piece; later ones follow from how much there was.
const FIRST_PIECE: Duration = Duration::from_secs(60);
/// Keys of one request, as they are written in it: half of what a message may have.
const REQUEST_BYTES: usize = 32 << 10;
/// Longest piece.
const LONGEST_PIECE: Duration = Duration::from_secs(30 * 86_400);

/// Arguments.
#[derive(Debug, Args)]
pub struct Export {
    /// The span that ends now.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "24h")]
    last: Duration,
    /// Output format.
    #[arg(long, value_enum, default_value = "csv")]
    format: ExportFormat,
    /// File to write; by default, and for `-`, standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// RFC 4180: time, series, value; for rolled-up spans value is the mean, and min, max and count stand beside.
    Csv,
    /// The same as one JSON object a line.
    Jsonl,
}

impl Export {
    /// Writes the samples by time; what is kept only rolled up comes as it is kept.
    ///
    /// # Errors
    /// No engine and no history, a file that cannot be written (1).
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let now = Timestamp::now();
        let mut reach = Reach::find(global)?;
        let range = TimeRange::last(self.last, now);
        match self.output.as_deref().filter(|path| *path != Path::new("-")) {
            None => match self.write(&mut reach, range, &mut BufWriter::new(std::io::stdout().lock())) {
                // A reader that went away (`| head`) is no error.
                Err(e) if e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe) => {}
                done => done?,
            },
            Some(path) => self.write_to(&mut reach, range, path)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn write_to(&self, reach: &mut Reach, range: TimeRange, path: &Path) -> Result<(), Failure> {
        let unwritable = || format!("{} cannot be written", path.display());
        if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
            let file = std::fs::OpenOptions::new().write(true).open(path).with_context(unwritable)?;
            return Ok(self.write(reach, range, &mut BufWriter::new(file))?);
        }
        let mut name = path.file_name().with_context(unwritable)?.to_owned();
        name.push(format!(".farol-{}", std::process::id()));
        let beside = path.with_file_name(name);
        let mut file = BufWriter::new(File::create_new(&beside).with_context(unwritable)?);
        let written = self.write(reach, range, &mut file);
        let named = written
            .and_then(|()| file.get_ref().sync_all().and_then(|()| std::fs::rename(&beside, path)).with_context(unwritable));
        if named.is_err() {
            let _ = std::fs::remove_file(&beside);
        }
        Ok(named?)
    }

    fn write(&self, reach: &mut Reach, range: TimeRange, out: &mut impl Write) -> anyhow::Result<()> {
        if self.format == ExportFormat::Csv {
            out.write_all(b"time,series,value,min,max,count\r\n")?;
        }
        let keys = match reach.ask(Request::Series { range })? {
            Answer::Series { keys } => keys,
            other => return Err(unexpected(&other).into()),
        };
        let names: Vec<Named> = keys.iter().map(|key| Named::new(key, self.format)).collect();
        let (mut from, mut length) = (range.from, FIRST_PIECE);
        while from <= range.to && !keys.is_empty() {
            let to = Timestamp((from + length).0 - 1).min(range.to);
            let mut rows: Vec<(usize, Bucket)> = Vec::new();
            let mut first = 0;
            for keys in in_requests(&keys) {
                let request = HistoryRequest { keys: keys.to_vec(), range: TimeRange { from, to }, step: Duration::ZERO };
                let series = match reach.ask(Request::History(request))? {
                    Answer::History { series } => series,
                    other => return Err(unexpected(&other).into()),
                };
                for (n, one) in series.into_iter().enumerate() {
                    rows.extend(one.points.buckets.into_iter().map(|b| (first + n, b)));
                }
                first += keys.len();
            }
            rows.sort_by_key(|(n, bucket)| (bucket.at, *n));
            for (n, bucket) in &rows {
                if let Some(name) = names.get(*n) {
                    out.write_all(name.row(bucket).as_bytes())?;
                }
            }
            length = next_length(length, rows.len());
            from = Timestamp(to.0 + 1);
        }
        Ok(out.flush()?)
    }
}

/// Keys in groups, each small enough for one request.
fn in_requests(keys: &[SeriesKey]) -> Vec<&[SeriesKey]> {
    let mut groups = Vec::new();
    let mut rest = keys;
    while !rest.is_empty() {
        let mut bytes = 0;
        let written = |key: &SeriesKey| serde_json::to_string(key).map_or(0, |text| text.len() + 1);
        let fit = rest.iter().take_while(|key| {
            bytes += written(key);
            bytes <= REQUEST_BYTES
        });
        let (group, others) = rest.split_at(fit.count().max(1));
        groups.push(group);
        rest = others;
    }
    groups
}

/// A piece that should have about as many rows as wanted, at most four times as long as the one before.
fn next_length(length: Duration, rows: usize) -> Duration {
    let factor = (PIECE_BUCKETS as f64 / rows.max(1) as f64).clamp(0.1, 4.0);
    length.mul_f64(factor).clamp(Duration::from_secs(1), LONGEST_PIECE)
}

/// A series' name as it stands in each of its rows.
struct Named {
    text: String,
    format: ExportFormat,
}

impl Named {
    fn new(key: &SeriesKey, format: ExportFormat) -> Self {
        let text = match format {
            ExportFormat::Csv => format!("\"{}\"", key.to_string().replace('"', "\"\"")),
            ExportFormat::Jsonl => json!(metric_map(key)).to_string(),
        };
        Self { text, format }
    }

    fn row(&self, bucket: &Bucket) -> String {
        let (time, name, Bucket { mean, min, max, count, .. }) = (bucket.at.rfc3339(), &self.text, bucket);
        match (self.format, count) {
            (ExportFormat::Csv, 1) => format!("{time},{name},{mean},,,\r\n"),
            (ExportFormat::Csv, _) => format!("{time},{name},{mean},{min},{max},{count}\r\n"),
            (ExportFormat::Jsonl, 1) => format!("{{\"time\":\"{time}\",\"metric\":{name},\"value\":{mean}}}\n"),
            (ExportFormat::Jsonl, _) => format!(
                "{{\"time\":\"{time}\",\"metric\":{name},\"value\":{mean},\"min\":{min},\"max\":{max},\"count\":{count}}}\n"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_back_as_they_were() {
        let key = SeriesKey::new("disk_busy_ratio", [("device", "nvme \"0\", a")]);
        let sample = Bucket::raw(Timestamp(1_780_000_000_123), 0.1);
        let rolled = Bucket { at: Timestamp(1_780_000_020_000), min: 0.0, mean: 0.25, max: 1.0, last: 0.5, count: 10 };
        let csv = Named::new(&key, ExportFormat::Csv);
        let expected = "2026-05-28T20:26:40.123Z,\"disk_busy_ratio{device=\"\"nvme \\\"\"0\\\"\", a\"\"}\",0.1,,,\r\n";
        assert_eq!(csv.row(&sample), expected);
        assert!(csv.row(&rolled).ends_with(",0.25,0,1,10\r\n"));
        for bucket in [sample, rolled] {
            let line: serde_json::Value =
                serde_json::from_str(&Named::new(&key, ExportFormat::Jsonl).row(&bucket)).expect("JSON");
            assert_eq!((line["metric"]["device"].as_str(), line["value"].as_f64()), (Some("nvme \"0\", a"), Some(bucket.mean)));
        }
    }

    #[test]
    fn a_request_has_as_many_keys_as_fit_and_no_key_is_left_out() {
        let long = "x".repeat(300);
        let keys: Vec<SeriesKey> =
            (0..2000).map(|n| SeriesKey::new("disk_busy_ratio", [("device", &*format!("{n}{long}"))])).collect();
        let groups = in_requests(&keys);
        assert!(groups.len() > 10 && groups.iter().all(|g| serde_json::to_string(g).expect("JSON").len() <= REQUEST_BYTES + 2));
        assert_eq!(groups.concat(), keys);
        assert_eq!(in_requests(&[SeriesKey::total(&"y".repeat(REQUEST_BYTES))]).len(), 1, "one that is too long by itself");
    }

    #[test]
    fn pieces_grow_where_little_is_kept_and_shrink_where_much_is() {
        assert_eq!(next_length(FIRST_PIECE, 0), FIRST_PIECE * 4);
        assert_eq!(next_length(FIRST_PIECE, PIECE_BUCKETS * 2), FIRST_PIECE / 2);
        assert_eq!(next_length(LONGEST_PIECE, 1), LONGEST_PIECE);
        assert_eq!(next_length(Duration::from_secs(1), usize::MAX), Duration::from_secs(1));
    }
}
