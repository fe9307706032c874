//! How a one-shot command gets its answer: from the engine that runs, else from the history itself.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::Failure;
use super::cli::Global;
use super::place;
use crate::collect::{self, ThisHost};
use crate::engine::{self, LockError, Offline, OfflineError, Role, Surroundings};
use crate::model::Snapshot;
use crate::monitor::{Answer, Refusal, RefusalKind, Request};
use crate::notify::Sending;
use crate::remote::{Address, ask_once};

/// Who answers.
pub enum Reach {
    /// An engine, at this address.
    Engine(Address),
    /// Nobody: the history is opened.
    Offline(Box<Offline>),
}

impl Reach {
    /// The engine named or found, else the history of the data folder.
    ///
    /// # Errors
    /// No engine and no history that can be opened.
    pub fn find(global: &Global) -> Result<Self, Failure> {
        if let Some(reach) = Self::engine(global)? {
            return Ok(reach);
        }
        let loaded = place::configuration(global, None)?;
        let dirs = place::data_dirs(global);
        let dir = dirs.iter().find(|d| d.join("farol.redb").exists()).or(dirs.first()).context("no data folder")?;
        let host = ThisHost::new();
        let general = &loaded.config.general;
        let facts = Arc::new(collect::facts(&host, general.host.clone(), general.labels.clone()));
        let around = Surroundings { host: facts, link_bits_per_second: None, data_dir: dir, sending: Sending::Dry };
        let catalog = Arc::new(engine::catalog());
        let settings = engine::settings(&loaded.config, &catalog, &around);
        let settings = settings.map_err(|e| loaded.located(&e))?;
        match Offline::open(dir, &loaded.config.store, settings) {
            // An engine was quicker: it answers.
            Err(OfflineError::Lock(LockError::Held { owner, .. })) if owner.role != Role::OneShot => {
                Ok(Self::engine(global)?.context("the engine ended before it could answer; ask again")?)
            }
            opened => Ok(Self::Offline(Box::new(opened?))),
        }
    }

    /// The engine named or found.
    ///
    /// # Errors
    /// An address that is none.
    pub fn engine(global: &Global) -> Result<Option<Self>, Failure> {
        if let Some(address) = &global.attach {
            return Ok(Some(Self::Engine(address.parse().map_err(Failure::usage)?)));
        }
        let found: Option<(PathBuf, _)> = place::engine(&place::data_dirs(global));
        Ok(found.map(|(socket, _)| Self::Engine(Address(socket))))
    }

    /// Asks and waits.
    ///
    /// # Errors
    /// The refusal.
    pub fn ask(&mut self, request: Request) -> Result<Answer, Refusal> {
        match self {
            Self::Engine(address) => ask_once(address, request),
            Self::Offline(offline) => offline.ask(request),
        }
    }

    /// The present, or without an engine the state at the end of the history.
    ///
    /// # Errors
    /// The refusal.
    pub fn snapshot(&mut self) -> Result<Arc<Snapshot>, Refusal> {
        match self.ask(Request::Snapshot)? {
            Answer::Snapshot { snapshot } => Ok(snapshot),
            other => Err(unexpected(&other)),
        }
    }
}

/// An answer to something else than was asked.
pub fn unexpected(answer: &Answer) -> Refusal {
    let text: String = format!("{answer:?}").chars().take(80).collect();
    Refusal::new(RefusalKind::Failed, format!("the engine answered something else: {text}"))
}
