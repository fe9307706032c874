//! What several commands print alike: JSON objects, times, tables.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::app::cli::Global;
use crate::app::{Failure, logging};
use crate::base::{Readers, TimeRange, Timestamp, parse_time, write_whole};

/// Prints a text on standard output; a reader that went away (`| head`) is no error.
///
/// # Errors
/// Where standard output cannot be written.
pub fn print(text: &str) -> Result<(), Failure> {
    bytes(text.as_bytes())
}

/// Prints a file; a reader that has seen enough is no failure.
///
/// # Errors
/// Where standard output cannot be written.
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result.context("standard output cannot be written")?),
    }
}

/// Writes a file where it is wanted: `-` and a pipe get it on standard output, else the path that was named, else one of its own
/// name in this folder; the path is told on standard error.
///
/// # Errors
/// Where it cannot be written; nothing is left half written then.
pub fn file(output: Option<&Path>, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let piped = output.is_none() && !std::io::stdout().is_terminal();
    if piped || output.is_some_and(|p| p.as_os_str() == "-") {
        return self::bytes(bytes);
    }
    let path = output.unwrap_or_else(|| Path::new(name));
    write_whole(path, bytes, Readers::Usual).with_context(|| format!("{} cannot be written", path.display()))?;
    logging::say(&path.display().to_string());
    Ok(())
}

/// An object of the contract: `schema` and `generated_at` beside the given keys.
pub fn object(kind: &str, generated_at: Timestamp, body: Value) -> String {
    let mut map = Map::new();
    map.insert("schema".to_owned(), json!(format!("farol.{kind}/1")));
    map.insert("generated_at".to_owned(), json!(generated_at.rfc3339()));
    if let Value::Object(body) = body {
        map.extend(body);
    }
    format!("{:#}\n", Value::Object(map))
}

/// An instant in RFC 3339, `null` for none.
pub fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(at.rfc3339()))
}

/// The zone people read.
pub fn zone(global: &Global) -> TimeZone {
    if global.utc { TimeZone::UTC } else { TimeZone::system() }
}

/// An instant for people, with its offset: `2026-11-21 03:04:05 +01:00`.
pub fn local(at: Timestamp, zone: &TimeZone) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map_or_else(|_| at.rfc3339(), |t| t.to_zoned(zone.clone()).strftime("%F %T %:z").to_string())
}

/// Columns padded to their widest cell; the last one is not.
pub fn table(rows: &[Vec<String>]) -> String {
    let width = |text: &str| unicode_width::UnicodeWidthStr::width(text);
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> =
        (0..columns).map(|c| rows.iter().filter_map(|r| r.get(c)).map(|t| width(t)).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (c, cell) in row.iter().enumerate() {
            let cell: String = cell.chars().map(|ch| if ch.is_control() { '\u{fffd}' } else { ch }).collect();
            line.push_str(&cell);
            if c + 1 < row.len() {
                line.extend(std::iter::repeat_n(' ', widths[c].saturating_sub(width(&cell)) + 2));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The span of `--last`, or of `--from` and `--to`.
///
/// # Errors
/// A time that is none, or a span that ends before it begins.
pub fn range(last: std::time::Duration, from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<TimeRange, Failure> {
    let to = to.map_or(Ok(now), |t| parse_time(t, now)).map_err(Failure::usage)?;
    let from = from.map_or(Ok(to - last), |t| parse_time(t, now)).map_err(Failure::usage)?;
    if from >= to {
        return Err(Failure::usage(anyhow::anyhow!("--from lies not before --to; the span is empty")));
    }
    Ok(TimeRange { from, to })
}
