//! Reports in their folder of the data directory.
//!
//! Invariant: a file's name is made from its row and never typed by anybody.

use std::path::{Path, PathBuf};

use super::schedule::{MadeReport, ReportJob, kept_row};
use crate::base::{Readers, write_whole};
use crate::model::catalog::nearest;
use crate::model::{KeptReport, ReportFormat};
use crate::monitor::{Answer, Refusal, RefusalKind};
use crate::store::View;

/// The folder of a data directory.
pub(super) fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("reports")
}

/// A report's file in its folder.
pub(super) fn file_name(id: &str, format: ReportFormat) -> String {
    format!("{id}.{format}")
}

/// Writes the report a job asked for into its folder; made again it takes the place of itself.
///
/// # Errors
/// Why it could not be made or written.
pub(super) fn keep(folder: &Path, job: &ReportJob, answer: Result<Answer, Refusal>) -> Result<MadeReport, String> {
    let (name, bytes, summary) = match answer.map_err(|refusal| refusal.message)? {
        Answer::Report { name, bytes, summary } => (name, bytes, summary),
        _ => return Err("it was answered with something else".to_owned()),
    };
    let path = folder.join(file_name(&job.id, job.spec.format));
    let written = std::fs::create_dir_all(folder).and_then(|()| write_whole(&path, &bytes, Readers::Owner));
    written.map_err(|e| format!("{} cannot be written: {e}", path.display()))?;
    Ok(MadeReport { name, path, bytes: bytes.len() as u64, summary })
}

/// Removes files; what is gone already is no matter.
pub(super) fn remove(folder: &Path, names: &[String]) {
    for name in names {
        if let Err(error) = std::fs::remove_file(folder.join(name))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, name, "a report that is kept no longer is still there");
        }
    }
}

/// A report that is kept, with its file.
///
/// # Errors
/// None of that id, or its file is gone.
pub(super) fn read(view: &View, folder: &Path, id: &str) -> Result<Answer, Refusal> {
    let failed = |e: String| Refusal::new(RefusalKind::Failed, e);
    let rows = view.schedules().map_err(|e| failed(e.to_string()))?;
    let all: Vec<KeptReport> = rows.iter().filter_map(|(name, row)| kept_row(name, row)).collect();
    let Some(kept) = all.iter().find(|k| k.id == id) else { return Err(unknown(id, all.iter().map(|k| k.id.as_str()))) };
    let path = folder.join(file_name(id, kept.spec.format));
    let bytes = std::fs::read(&path).map_err(|e| failed(format!("{} cannot be read: {e}", path.display())))?;
    Ok(Answer::Report { name: kept.name.clone(), bytes, summary: Vec::new() })
}

/// The refusal where there is no report of that id.
pub(super) fn unknown<'a>(id: &str, known: impl Iterator<Item = &'a str>) -> Refusal {
    let hint = nearest(id, known).map_or_else(|| "farol reports list names them".to_owned(), |n| format!("did you mean {n}?"));
    Refusal::new(RefusalKind::NotFound, format!("there is no report {id}; {hint}"))
}
