//! Facts to documents: one file per section, one per format.
//!
//! A pure function of its arguments: no clock, no file, no query. Invariant: the same facts give the same
//! bytes, and no text from outside is anything but text in any format.

mod chart;
mod context;
mod document;
mod facts;
mod format;
mod section;
#[cfg(test)]
mod tests;
mod text;

pub use facts::{Facts, SeriesFacts, SeriesStats, ServiceFacts, Wanted, WantedSeries, facts_wanted};

use context::Context;
use document::Document;

use crate::model::ReportSpec;

/// Why a report was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The span ends before it begins, or has no length.
    #[error("the report's span is empty; its end must be after its beginning")]
    EmptySpan,
}

/// Writes a report; the bytes depend on nothing but the arguments.
///
/// # Errors
/// A span that is empty.
pub fn render(spec: &ReportSpec, facts: &Facts) -> Result<Vec<u8>, ReportError> {
    if spec.range.to <= spec.range.from {
        return Err(ReportError::EmptySpan);
    }
    let sections = section::build(&Context { spec, facts });
    let document = Document { spec, facts, sections };
    let format = format::FORMATS.iter().find(|f| f.format == spec.format).expect("a test holds the table complete");
    Ok((format.write)(&document))
}

/// The name proposed for a report's file: `farol-web-01-performance-daily-20261121T0700Z.html`. Whatever the host is called, it is one
/// file name with letters, digits, `.`, `_` and `-` only.
pub fn file_name(spec: &ReportSpec, host: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let host: String = host.chars().map(safe).take(64).collect();
    let end: String = spec.range.to.rfc3339().chars().filter(|c| c.is_ascii_alphanumeric()).take("20261121T0700".len()).collect();
    format!("farol-{host}-{}-{}-{end}Z.{}", spec.kind, spec.depth, spec.format)
}
