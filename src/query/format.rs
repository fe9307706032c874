//! Query results as text: a table for people, CSV, and the JSON envelope of the Prometheus HTTP API.
//!
//! Pure functions; nothing here knows the time zone or the clock. Invariant: what a label holds can
//! neither break a row nor reach the terminal as a control character.

use std::collections::BTreeSet;

use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::{Series, metric_map};
use crate::base::{Timestamp, Unit, format_value, units};
use crate::model::SeriesKey;

/// Up to this width a range has a column for each series: what an 80-column terminal scrolls without wrapping, with room for one more.
const WIDE_TABLE_COLUMNS: usize = 100;

/// How a table is written.
pub struct TableStyle<'a> {
    /// One moment or a span.
    pub shape: Shape,
    /// Unit of the values ([`super::Expr::unit`]).
    pub unit: Unit,
    /// Writes an instant as local time or UTC.
    pub time: &'a dyn Fn(Timestamp) -> String,
}

/// Whether a result is of one moment or of a span; Prometheus writes them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `vector`: each series has one value.
    Instant,
    /// `matrix`: each series has values by time.
    Range,
}

/// Columns for people under a header row, a line break after each row: series and value of a moment; of a span one row a time with
/// a column for each series, or, where that is too wide, one row for each value. `no data` where there is none.
pub fn table(series: &[Series], style: &TableStyle<'_>) -> String {
    if series.iter().all(|s| s.values.is_empty()) {
        return "no data\n".to_owned();
    }
    match style.shape {
        Shape::Instant => {
            let rows = series.iter().filter_map(|s| s.values.last().map(|(_, v)| vec![name(&s.labels), shown(*v, style.unit)]));
            aligned(vec!["series".to_owned(), "value".to_owned()], rows.collect())
        }
        Shape::Range => {
            let wide = wide(series, style);
            let fits = wide.lines().next().is_some_and(|head| head.width() <= WIDE_TABLE_COLUMNS);
            if fits { wide } else { long(series, style) }
        }
    }
}

fn wide(series: &[Series], style: &TableStyle<'_>) -> String {
    let head = std::iter::once("time".to_owned()).chain(series.iter().map(|s| name(&s.labels)));
    let times: BTreeSet<Timestamp> = series.iter().flat_map(|s| s.values.iter().map(|(at, _)| *at)).collect();
    let cell = |s: &Series, at: Timestamp| {
        let found = s.values.binary_search_by_key(&at, |(at, _)| *at).ok().and_then(|i| s.values.get(i));
        found.map_or_else(|| "-".to_owned(), |(_, v)| shown(*v, style.unit))
    };
    let row = |at: Timestamp| std::iter::once((style.time)(at)).chain(series.iter().map(|s| cell(s, at))).collect();
    aligned(head.collect(), times.into_iter().map(row).collect())
}

fn long(series: &[Series], style: &TableStyle<'_>) -> String {
    let rows = series
        .iter()
        .flat_map(|s| s.values.iter().map(|(at, v)| vec![(style.time)(*at), name(&s.labels), shown(*v, style.unit)]));
    aligned(vec!["time".to_owned(), "series".to_owned(), "value".to_owned()], rows.collect())
}

/// RFC 4180 with the columns `time` (RFC 3339, UTC), `series` and `value` (base unit).
pub fn csv(series: &[Series]) -> String {
    let mut text = String::from("time,series,value\r\n");
    for one in series {
        let quoted = format!("\"{}\"", one.labels.to_string().replace('"', "\"\""));
        for (at, value) in &one.values {
            text.push_str(&format!("{},{quoted},{value}\r\n", at.rfc3339()));
        }
    }
    text
}

/// The Prometheus HTTP API's envelope, with `schema` and `generated_at` added; instants are seconds, values texts. Ends with a line break.
pub fn json(series: &[Series], shape: Shape, generated_at: Timestamp) -> String {
    let pair = |(at, value): &(Timestamp, f64)| json!([at.seconds(), value.to_string()]);
    let result: Vec<_> = series
        .iter()
        .filter(|s| !s.values.is_empty())
        .map(|s| match shape {
            Shape::Instant => json!({"metric": metric_map(&s.labels), "value": s.values.last().map(pair)}),
            Shape::Range => json!({"metric": metric_map(&s.labels), "values": s.values.iter().map(pair).collect::<Vec<_>>()}),
        })
        .collect();
    let kind = match shape {
        Shape::Instant => "vector",
        Shape::Range => "matrix",
    };
    let envelope = json!({
        "schema": "farol.query/1",
        "generated_at": generated_at.rfc3339(),
        "status": "success",
        "data": {"resultType": kind, "result": result},
    });
    format!("{envelope}\n")
}

/// The series as people read it; `value` where it has neither name nor labels.
fn name(labels: &SeriesKey) -> String {
    let text = labels.to_string();
    if text.is_empty() { "value".to_owned() } else { text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect() }
}

/// Tables have one decimal where titles are whole, and small numbers keep three digits.
fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Ratio => format!("{:.1}%", value * 100.0),
        Unit::Count if value.abs() < 10.0 && value.fract() != 0.0 => format!("{value:.3}"),
        Unit::PerSecond if value.abs() < 10.0 && value.fract() != 0.0 => format!("{value:.3}/s"),
        Unit::Count => units::plain(value),
        unit => format_value(value, unit),
    }
}

/// Rows under a head: the last columns of numbers right aligned, texts left.
fn aligned(head: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let width = |i: usize| rows.iter().chain([&head]).filter_map(|r| r.get(i)).map(|c| c.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    // Times and names lead; a table of series by time has numbers from its second column on.
    let texts = if head.iter().any(|h| h == "series") { head.len() - 1 } else { 1 };
    let mut text = String::new();
    for row in std::iter::once(&head).chain(&rows) {
        for (i, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[i].saturating_sub(cell.width()));
            let gap = if i == 0 { "" } else { "  " };
            text.push_str(gap);
            text.push_str(&if i < texts { format!("{cell}{padding}") } else { format!("{padding}{cell}") });
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Vec<Series> {
        let values = vec![(Timestamp::from_seconds(10), 0.123_45), (Timestamp::from_seconds(20), 0.5)];
        vec![
            Series { labels: SeriesKey::new("cpu", [("core", "a\"b\n")]), values },
            Series { labels: SeriesKey::total(""), values: vec![(Timestamp::from_seconds(20), 1.0)] },
        ]
    }

    #[test]
    fn results_are_written_for_people_and_programs() {
        let time = |at: Timestamp| format!("t{}", at.millis() / 1000);
        let style = |shape| TableStyle { shape, unit: Unit::Ratio, time: &time };
        assert_eq!(
            table(&results(), &style(Shape::Range)),
            "time  cpu{core=\"a\\\"b\\n\"}   value\nt10                12.3%       -\nt20                50.0%  100.0%\n"
        );
        assert_eq!(
            table(&results(), &style(Shape::Instant)),
            "series               value\ncpu{core=\"a\\\"b\\n\"}   50.0%\nvalue               100.0%\n"
        );
        assert_eq!(table(&[], &style(Shape::Range)), "no data\n");
        assert_eq!(
            csv(&results()),
            "time,series,value\r\n1970-01-01T00:00:10Z,\"cpu{core=\"\"a\\\"\"b\\n\"\"}\",0.12345\r\n1970-01-01T00:00:20Z,\"cpu{core=\"\"a\\\"\"b\\n\"\"}\",0.5\r\n1970-01-01T00:00:20Z,\"\",1\r\n"
        );
        let json: serde_json::Value = serde_json::from_str(&json(&results(), Shape::Range, Timestamp(1500))).expect("JSON");
        assert_eq!(json["data"]["result"][0]["metric"]["__name__"], "cpu");
        assert_eq!(json["data"]["result"][0]["values"][0], serde_json::json!([10.0, "0.12345"]));
        assert_eq!((json["status"].as_str(), json["data"]["resultType"].as_str()), (Some("success"), Some("matrix")));
    }
}
