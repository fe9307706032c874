//! Facts to documents: one file per section, one per format.
//!
//! A pure function of its arguments: no clock, no file, no query. Invariant: the same facts give the same
//! bytes, and no text from outside is anything but text in any format.

mod chart;
mod config;
mod context;
mod document;
mod facts;
mod format;
mod name;
mod schedule;
mod section;
#[cfg(test)]
mod tests;
mod text;

pub use config::{On, ReportConfig, is_path};
pub use facts::{
    Facts, PartFacts, SeriesFacts, SeriesStats, ServiceFacts, ServiceTime, ServiceTimes, SystemFont, Wanted, WantedSeries,
    facts_wanted,
};
pub use format::covered;
pub use name::{file_name, path};
pub use schedule::Schedule;

use context::Context;
use document::Document;

use std::collections::BTreeSet;

use crate::model::{ReportFormat, ReportSpec};

/// Why a report was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The span ends before it begins, or has no length.
    #[error("the report's span is empty; its end must be after its beginning")]
    EmptySpan,
}

/// A report, written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// What it says in short: the sentences it begins with, at most [`SUMMARY_LINES`].
    pub summary: Vec<String>,
}

/// Sentences of a summary: what a mail shows without being opened.
pub const SUMMARY_LINES: usize = 5;

/// Signs of a report that its own fonts have not; only pages to print need any.
pub fn foreign_signs(spec: &ReportSpec, facts: &Facts) -> BTreeSet<char> {
    if spec.format != ReportFormat::Pdf || spec.range.to <= spec.range.from {
        return BTreeSet::new();
    }
    format::foreign_signs(&Document { spec, facts, sections: section::build(&Context::new(spec, facts)) })
}

/// Writes a report; the bytes depend on nothing but the arguments.
///
/// # Errors
/// A span that is empty.
pub fn render(spec: &ReportSpec, facts: &Facts) -> Result<Written, ReportError> {
    if spec.range.to <= spec.range.from {
        return Err(ReportError::EmptySpan);
    }
    let sections = section::build(&Context::new(spec, facts));
    let document = Document { spec, facts, sections };
    let format = format::FORMATS.iter().find(|f| f.format == spec.format).expect("a test holds the table complete");
    Ok(Written { bytes: (format.write)(&document), summary: document.summary() })
}
