//! Store, query and analysis without threads: for a command where no engine runs.
//!
//! Holds the data folder for as long as it lives, which is short. Invariant: a decision is on disk when
//! it is answered.

use std::path::Path;
use std::sync::Arc;

use super::answer::{Context, sorted};
use super::core::Core;
use super::decide;
use super::exchange::CoreSettings;
use super::guard::untrusted;
use super::kept;
use super::lock::{DataLock, LockError, Role};
use super::past::{last_standing, past};
use super::start::StartError;
use super::thread::read;
use crate::alert::health_score;
use crate::analyze::{AnalyzeConfig, ForecastPlan, capacity_plan};
use crate::base::Timestamp;
use crate::model::{Alert, Catalog, HostFacts, Snapshot};
use crate::monitor::{Answer, Refusal, RefusalKind, Request, Saved};
use crate::notify::OutboxRow;
use crate::store::{OpenError, Reader, Store, StoreConfig, Writer};

/// Why a history cannot be opened for a command.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// There is none: nothing was ever recorded there.
    #[error("{0}: nothing is recorded there; start farol or farol --record first")]
    Nothing(String),
    /// This user may not look.
    #[error("{path}: {source}; ask its owner, or run this as the user who records")]
    Denied {
        /// The history.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file that cannot be played back.
    #[error("{file}: cannot be played back: {reason}; give a farol.redb or a copy of one")]
    Tape {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// Somebody else has the folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It cannot be opened.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// A history opened by a command.
pub struct Offline {
    writer: Option<Writer>,
    reader: Reader,
    settings: CoreSettings,
    present: Snapshot,
    capacity: ForecastPlan,
    lock: DataLock,
}

impl Offline {
    /// Opens the history of a data folder.
    ///
    /// # Errors
    /// No history, a held folder, a file that cannot be opened.
    pub fn open(dir: &Path, store: &StoreConfig, settings: CoreSettings) -> Result<Self, OfflineError> {
        let path = dir.join("farol.redb");
        match std::fs::metadata(&path) {
            Err(source) if source.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(OfflineError::Denied { path: path.display().to_string(), source });
            }
            Err(_) => return Err(OfflineError::Nothing(dir.display().to_string())),
            Ok(_) => {}
        }
        let lock = DataLock::take(dir, Role::OneShot)?;
        let (writer, reader) = untrusted(&path, || Store::open(&path, store)).map_err(StartError::from)?;
        let capacity = capacity_plan(&AnalyzeConfig::default());
        let mut present = Snapshot::empty(Arc::clone(&settings.catalog));
        present.host = Arc::clone(&settings.host);
        let mut offline = Self { writer: Some(writer), reader, settings, present, capacity, lock };
        offline.present = untrusted(&path, || Ok::<_, OpenError>(offline.newest())).map_err(StartError::from)?;
        Ok(offline)
    }

    /// The newest sample, with alerts and silences as they were decided since; empty where there is none.
    fn newest(&self) -> Snapshot {
        let view = self.reader.view().ok();
        let newest = view.as_ref().and_then(|view| view.newest().ok().flatten());
        let mut snapshot = match newest.map(|at| self.read(&Request::At { at })) {
            Some(Ok(Answer::Snapshot { snapshot })) => (*snapshot).clone(),
            _ => self.present.clone(),
        };
        let now = Timestamp::now();
        if let Some(standing) = view.and_then(|view| last_standing(&view, now).ok()) {
            let alerts: Vec<Arc<Alert>> = standing.alerts.into_iter().map(Arc::new).collect();
            snapshot.health = health_score(&alerts);
            snapshot.alerts = sorted(alerts);
            snapshot.silences = standing.silences.into_iter().filter(|s| s.until > now).collect();
        }
        snapshot
    }

    fn read(&self, request: &Request) -> Result<Answer, Refusal> {
        let view = self.reader.view().map_err(|e| Refusal::new(RefusalKind::Failed, e.to_string()))?;
        let catalog: &Arc<Catalog> = &self.settings.catalog;
        let (prices, judging) = (&self.settings.prices, self.settings.judging());
        let context = Context { head: None, view: Some(&view), catalog, now: &self.present, prices, judging: &judging };
        read::any(request, &context, &self.capacity)
    }

    /// Answers a request as an engine would, as far as there is an answer without one.
    ///
    /// # Errors
    /// Why not.
    pub fn ask(&mut self, request: Request) -> Result<Answer, Refusal> {
        let path = self.lock.dir().join("farol.redb");
        let answered = untrusted(&path, || Ok::<_, OpenError>(self.answer(request)));
        answered.unwrap_or_else(|damaged| Err(Refusal::new(RefusalKind::Failed, damaged.to_string())))
    }

    fn answer(&mut self, request: Request) -> Result<Answer, Refusal> {
        match request {
            Request::CheckNow { .. }
            | Request::Checks { .. }
            | Request::Reload
            | Request::Settings
            | Request::ChangeSettings { .. }
            | Request::UndoSettings { .. }
            | Request::ApplyProposal { .. }
            | Request::UndoLesson { .. }
            | Request::HandOver
            | Request::Stop
            | Request::TakeOver
            | Request::ProcessDetails { .. }
            | Request::TestChannel { .. }
            | Request::Band { .. } => Err(Refusal::new(RefusalKind::Unavailable, "no engine runs; start farol --record first")),
            Request::Acknowledge { .. }
            | Request::Unacknowledge { .. }
            | Request::Snooze { .. }
            | Request::AddSilence { .. }
            | Request::ExpireSilence { .. }
            | Request::Feedback { .. }
            | Request::DeleteReport { .. }
            | Request::Maintenance { .. }
            | Request::AddIncident { .. }
            | Request::Annotate { .. } => self.decide(request),
            Request::Reports => Ok(self.core()?.reports(Timestamp::now())),
            Request::KeptReport { report } => {
                let view = self.reader.view().map_err(|e| Refusal::new(RefusalKind::Failed, e.to_string()))?;
                kept::read(&view, &kept::folder(self.lock.dir()), &report)
            }
            Request::Waiting { alert } => {
                let failed = |e: crate::store::ReadError| Refusal::new(RefusalKind::Failed, e.to_string());
                let rows =
                    self.reader.view().map_err(failed).and_then(|view| past(&view, Timestamp::now()).map_err(failed))?.outbox;
                let about = rows.iter().filter(|row| row.told_of.iter().any(|t| t.alert == alert));
                Ok(Answer::Waiting { messages: about.filter_map(OutboxRow::waiting).collect() })
            }
            request => self.read(&request),
        }
    }

    fn decide(&mut self, request: Request) -> Result<Answer, Refusal> {
        let failed = |e: String| Refusal::new(RefusalKind::Failed, e);
        let (output, decided) = self.core()?.decide(request, Timestamp::now())?;
        let writer = self.writer.as_mut().expect("there until dropped");
        let saved = writer.commit(output.now).map(|()| Saved::Disk).map_err(|e| failed(e.to_string()))?;
        kept::remove(&kept::folder(self.lock.dir()), &output.removed);
        Ok(decide::answer(decided, saved))
    }

    /// A core as the history left it.
    fn core(&self) -> Result<Core, Refusal> {
        let failed = |e: String| Refusal::new(RefusalKind::Failed, e);
        let now = Timestamp::now();
        let view = self.reader.view().map_err(|e| failed(e.to_string()))?;
        let known = past(&view, now).map_err(|e| failed(e.to_string()))?;
        Core::new(self.settings.clone(), known, now).map_err(failed)
    }

    /// Facts about the machine whose history this is.
    pub fn host(&self) -> &HostFacts {
        &self.present.host
    }
}

impl Drop for Offline {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take()
            && let Err(error) = writer.close(Timestamp::now())
        {
            tracing::warn!(%error, "the history was not closed well");
        }
    }
}
