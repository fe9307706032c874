//! A stored history played back: the same screen on a copy of a file.
//!
//! Invariant: the file given is only read; what is decided here is decided on a copy and lost with it.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::exchange::CoreSettings;
use super::hub::{Hub, Wish};
use super::offline::{Offline, OfflineError};
use super::start::StartError;
use crate::base::{Queue, Worker};
use crate::monitor::{Answer, Request};
use crate::store::{OpenError, StoreConfig};

/// Questions that may wait.
const MAX_QUESTIONS: usize = 64;

/// A history played back.
pub struct Tape {
    hub: Hub,
    wishes: Queue<Wish>,
    worker: Option<Worker>,
}

impl Tape {
    /// Copies `file` into `scratch` and opens the copy.
    ///
    /// # Errors
    /// A file that cannot be read, or is no history.
    pub fn open(file: &Path, scratch: &Path, store: &StoreConfig, settings: CoreSettings) -> Result<Self, OfflineError> {
        let tape = |reason: String| OfflineError::Tape { file: file.display().to_string(), reason };
        let nothing = |e: std::io::Error| tape(e.to_string());
        std::fs::copy(file, scratch.join("farol.redb")).map_err(nothing)?;
        let mut offline = Offline::open(scratch, store, settings).map_err(|error| of_copy(error, file))?;
        let snapshot = match offline.ask(Request::Snapshot) {
            Ok(Answer::Snapshot { snapshot }) => snapshot,
            _ => return Err(tape("nothing is recorded in it".to_owned())),
        };
        let wishes: Queue<Wish> = Queue::new(MAX_QUESTIONS);
        let inbox = wishes.clone();
        let hub = Hub::new(snapshot, move |wish| {
            if let Err(wish) = inbox.push(wish) {
                wish.refuse(crate::monitor::RefusalKind::Unavailable, "too many questions wait already");
            }
        });
        let answers = wishes.clone();
        let offline = Mutex::new(offline);
        let worker = Worker::spawn("tape", move |beat| {
            let mut offline = offline.into_inner().unwrap_or_else(PoisonError::into_inner);
            while let Some(wish) = answers.pop(None) {
                beat.mark();
                (wish.reply)(offline.ask(wish.request));
            }
        });
        Ok(Self { hub, wishes, worker: worker.ok() })
    }

    /// Where readers meet it.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }
}

/// The reason, said of the file and not of its copy.
fn of_copy(error: OfflineError, file: &Path) -> OfflineError {
    let reason = match error {
        OfflineError::Start(StartError::Open(OpenError::Foreign { reason, .. })) => format!("no history of farol ({reason})"),
        OfflineError::Start(StartError::Open(OpenError::Damaged { reason, .. })) => format!("damaged ({reason})"),
        OfflineError::Start(StartError::Open(OpenError::NewerFormat { found, known, .. })) => {
            format!("format {found}, this farol knows up to {known}; install a newer farol")
        }
        error => return error,
    };
    OfflineError::Tape { file: file.display().to_string(), reason }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.wishes.close();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(2);
        // A tape that hangs only reads: it can be left behind.
        drop(self.worker.take().map(|w| w.join_by(deadline)));
    }
}
