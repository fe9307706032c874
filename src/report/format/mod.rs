//! The table of formats.
//!
//! To add one: a file here, a row in [`FORMATS`] and a variant in the model. Invariant: a format adds
//! nothing to the document and trusts none of its texts.

mod csv;
mod html;
mod json;
mod pdf;

pub use pdf::covered;
pub(super) use pdf::foreign_signs;

use super::document::Document;
use crate::model::ReportFormat;

/// One way to write a report.
pub(super) struct FormatDef {
    pub format: ReportFormat,
    pub write: fn(&Document<'_>) -> Vec<u8>,
}

/// All of them; names are those of the files.
pub(super) const FORMATS: &[FormatDef] = &[
    FormatDef { format: ReportFormat::Pdf, write: pdf::write },
    FormatDef { format: ReportFormat::Html, write: |d| html::write(d).into_bytes() },
    FormatDef { format: ReportFormat::Json, write: |d| json::write(d).into_bytes() },
    FormatDef { format: ReportFormat::Csv, write: |d| csv::write(d).into_bytes() },
];
