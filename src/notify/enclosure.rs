//! A report on its way: what a message carries of it, and the channel that puts it into a folder.
//!
//! The outbox keeps where the file lies, not the file. Invariant: a report whose file is gone is given up, never sent empty.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{Channel, Delivery, DeliveryError, Receipt};
use crate::base::{Readers, write_whole};

/// A report that goes with a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Enclosure {
    /// Names the report.
    pub id: String,
    /// Name proposed for its file.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// `application/pdf`.
    pub media_type: String,
    /// Name of its schedule.
    pub schedule: String,
    /// `daily performance report`.
    pub title: String,
    /// What it says in short, a sentence each.
    pub summary: Vec<String>,
    /// Where it is to be written, for a destination that is a path; empty for channels.
    pub target: String,
}

impl Enclosure {
    /// The file.
    ///
    /// # Errors
    /// It is gone (never tried again), or cannot be read now.
    pub(super) async fn read(&self) -> Result<Vec<u8>, DeliveryError> {
        let path = self.path.clone();
        // A disk may hang: off the runtime's thread.
        let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
        read.unwrap_or_else(|e| Err(std::io::Error::other(e))).map_err(|e| {
            let text = format!("{}: {e}", self.path.display());
            if e.kind() == std::io::ErrorKind::NotFound { DeliveryError::permanent(text) } else { DeliveryError::transient(text) }
        })
    }
}

/// How the delivery of a report to one place ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportOutcome {
    /// Names the report.
    pub report: String,
    /// The channel, or the path as configured.
    pub channel: String,
    /// Why it was given up; `None`: taken.
    pub error: Option<String>,
}

/// The channel of a path: the report is written there, whole or not at all.
pub struct ReportFile {
    /// What relative paths are in.
    folder: PathBuf,
}

impl ReportFile {
    /// One whose relative paths are in `folder`.
    pub fn channel(folder: &Path) -> Arc<dyn Channel> {
        Arc::new(Self { folder: folder.to_owned() })
    }
}

impl Channel for ReportFile {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let Some(enclosure) = delivery.message.enclosure.as_ref().filter(|e| !e.target.is_empty()) else {
                return Err(DeliveryError::permanent("this channel takes reports only"));
            };
            let bytes = enclosure.read().await?;
            let path = self.folder.join(&enclosure.target);
            let shown = path.display().to_string();
            let written = tokio::task::spawn_blocking(move || {
                path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                write_whole(&path, &bytes, Readers::Usual)
            });
            let result = written.await.unwrap_or_else(|e| Err(std::io::Error::other(e)));
            result.map(|()| Receipt::new(shown.clone())).map_err(|e| DeliveryError::transient(format!("{shown}: {e}")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::tests::{at, delivery, report, run};
    use crate::notify::{DeliveryFault, Message};

    #[test]
    fn a_report_is_written_where_its_path_says_and_given_up_where_it_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let message = report(folder.path(), b"%PDF");
        let enclosure = Enclosure { target: "out/2026/farol.pdf".into(), ..message.enclosure.expect("a report") };
        let channel = ReportFile::channel(folder.path());
        let send = |enclosure: Enclosure| run(channel.deliver(&delivery(Message::report("web-1", at(60), enclosure))));
        assert!(send(enclosure.clone()).is_ok());
        assert_eq!(std::fs::read(folder.path().join("out/2026/farol.pdf")).expect("written"), b"%PDF");
        let blocked = Enclosure { target: "daily-1.pdf/x.pdf".into(), ..enclosure.clone() };
        assert_eq!(send(blocked).expect_err("a file is no folder").fault, DeliveryFault::Transient);
        std::fs::remove_file(&enclosure.path).expect("there");
        assert_eq!(send(enclosure).expect_err("gone").fault, DeliveryFault::Permanent);
    }
}
