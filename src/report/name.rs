//! Names of files: what a report is called by itself, and paths with places to be filled.
//!
//! Invariant: what is filled in is letters, digits, `.`, `_` and `-`, so that nothing of it leads to another folder.

use jiff::tz::TimeZone;

use super::text;
use crate::model::ReportSpec;
use crate::model::catalog::nearest;

/// Places a path may have.
const PLACES: &[&str] = &["host", "kind", "depth", "format", "date", "time", "year", "month", "day", "name"];

/// The name proposed for a report's file: `farol-web-01-performance-daily-20261121T0700Z.html`.
pub fn file_name(spec: &ReportSpec, host: &str) -> String {
    let end: String = spec.range.to.rfc3339().chars().filter(|c| c.is_ascii_alphanumeric()).take("20261121T0700".len()).collect();
    format!("farol-{}-{}-{}-{end}Z.{}", safe(host), spec.kind, spec.depth, spec.format)
}

/// Letters, digits, `.`, `_` and `-` only; never empty and no name of a folder above.
fn safe(text: &str) -> String {
    let tame = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let name: String = text.chars().map(tame).take(64).collect();
    if name.chars().all(|c| c == '.') { "-".repeat(name.len().max(1)) } else { name }
}

/// A path with places in braces: `/srv/reports/{host}/{kind}-{date}.{format}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(&'static str),
}

impl Template {
    /// Reads a path.
    ///
    /// # Errors
    /// A place nobody knows, or a brace without its other.
    pub(super) fn parse(path: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            let (place, after) = after.split_once('}').ok_or("a { without its }")?;
            let known = PLACES.iter().copied().find(|p| *p == place).ok_or_else(|| {
                let near = nearest(place, PLACES.iter().copied()).map_or(String::new(), |n| format!("; did you mean {{{n}}}?"));
                format!("there is no {{{place}}} (there are {}){near}", PLACES.join(", "))
            })?;
            pieces.extend([Piece::Text(before.to_owned()), Piece::Place(known)]);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        if path.ends_with('/') {
            return Err("a path names a file; write for example {name} at its end".to_owned());
        }
        Ok(Self(pieces))
    }

    /// The path for a report of that machine; dates and times are those of its end in the zone.
    pub(super) fn fill(&self, spec: &ReportSpec, host: &str, zone: &TimeZone) -> String {
        let local = |format: &str| text::local(spec.range.to, zone, format);
        let value = |place: &str| match place {
            "host" => safe(host),
            "kind" => spec.kind.to_string(),
            "depth" => spec.depth.to_string(),
            "format" => spec.format.to_string(),
            "date" => local("%F"),
            "time" => local("%H%M"),
            "year" => local("%Y"),
            "month" => local("%m"),
            "day" => local("%d"),
            _ => file_name(spec, host),
        };
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Place(place) => value(place),
        });
        pieces.collect()
    }
}

/// The path of a destination for a report: places filled.
///
/// # Errors
/// A path that is none.
pub fn path(template: &str, spec: &ReportSpec, host: &str, zone: &TimeZone) -> Result<String, String> {
    Ok(Template::parse(template)?.fill(spec, host, zone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{TimeRange, Timestamp};
    use crate::model::{ReportDepth, ReportFormat, ReportKind};

    #[test]
    fn places_are_filled_and_lead_nowhere_else() {
        let range = TimeRange::last(std::time::Duration::from_secs(3600), Timestamp::from_seconds(1_780_012_800));
        let (kind, depth, format) = (ReportKind::Capacity, ReportDepth::Hourly, ReportFormat::Csv);
        let spec = ReportSpec { kind, depth, range, format, growth_percent: 0, time_zone: None };
        let zone = TimeZone::get("Europe/Lisbon").expect("a zone");
        let fill = |template: &str, host: &str| path(template, &spec, host, &zone);
        let text = fill("/srv/{host}/{year}/{kind}-{depth}-{date}-{time}.{format}", "../../etc").expect("a path");
        assert_eq!(text, "/srv/..-..-etc/2026/capacity-hourly-2026-05-29-0100.csv");
        assert_eq!(fill("/srv/{host}/x", "..").as_deref(), Ok("/srv/--/x"));
        assert_eq!(fill("./{name}", "web 1").as_deref(), Ok("./farol-web-1-capacity-hourly-20260529T0000Z.csv"));
        assert!(fill("/srv/{hots}", "x").expect_err("a word").contains("did you mean {host}?"));
        assert!(fill("/srv/{host", "x").is_err() && fill("/srv/", "x").is_err());
    }
}
