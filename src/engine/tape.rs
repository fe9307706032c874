//! A stored history played back: the same screen on a copy of a file.
//!
//! Invariant: the file given is only read; what is decided here is decided on a copy and lost with it.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::exchange::CoreSettings;
use super::hub::{Hub, Wish};
use super::offline::{Offline, OfflineError};
use crate::base::{Queue, Worker};
use crate::monitor::{Answer, Request};
use crate::store::StoreConfig;

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
        let nothing = |e: std::io::Error| OfflineError::Nothing(format!("{} ({e})", file.display()));
        std::fs::copy(file, scratch.join("farol.redb")).map_err(nothing)?;
        let mut offline = Offline::open(scratch, store, settings)?;
        let snapshot = match offline.ask(Request::Snapshot) {
            Ok(Answer::Snapshot { snapshot }) => snapshot,
            _ => return Err(OfflineError::Nothing(file.display().to_string())),
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

impl Drop for Tape {
    fn drop(&mut self) {
        self.wishes.close();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(2);
        // A tape that hangs only reads: it can be left behind.
        drop(self.worker.take().map(|w| w.join_by(deadline)));
    }
}
