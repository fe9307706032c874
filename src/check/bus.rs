//! The system's message bus, as far as systemd's manager is asked over it.
//!
//! One connection for all, made when first needed and again after it was lost. Invariant: every
//! question ends within its time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use zbus::{Connection, OwnedObjectPath};

/// Longest wait for the manager: it answers in milliseconds unless the machine hangs.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// What systemd says of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Full name (`nginx.service`).
    pub name: String,
    /// LoadState (`loaded`, `not-found`, `masked`).
    pub loaded: String,
    /// ActiveState (`active`, `failed`, …).
    pub active: String,
    /// SubState (`running`, `exited`, …).
    pub sub: String,
}

/// Why the manager has not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// No bus here.
    #[error("no system message bus here ({0}); is this a container? type process works without one")]
    NoBus(String),
    /// The bus is there, the manager is not or refuses.
    #[error("systemd does not answer: {0}")]
    NoAnswer(String),
}

/// The bus; clones share the connection.
#[derive(Clone, Default)]
pub struct SystemBus {
    connection: Arc<Mutex<Option<Connection>>>,
}

/// A row of `ListUnits…`: name, description, load, active and sub state, followed, path, and the job.
type Row = (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

impl SystemBus {
    /// Speaks over a connection that exists already.
    #[cfg(test)]
    pub fn over(connection: Connection) -> Self {
        Self { connection: Arc::new(Mutex::new(Some(connection))) }
    }

    /// The units of these names; one that does not exist is there as `not-found`.
    ///
    /// # Errors
    /// No bus, no manager, no answer.
    pub async fn units_by_name(&self, names: &[&str]) -> Result<Vec<Unit>, BusError> {
        self.ask("ListUnitsByNames", &(names,)).await
    }

    /// The loaded units in one of these ActiveStates whose name fits one of these patterns.
    ///
    /// # Errors
    /// No bus, no manager, no answer.
    pub async fn units_by_pattern(&self, states: &[&str], patterns: &[&str]) -> Result<Vec<Unit>, BusError> {
        self.ask("ListUnitsByPatterns", &(states, patterns)).await
    }

    async fn ask<B>(&self, method: &'static str, body: &B) -> Result<Vec<Unit>, BusError>
    where
        B: serde::Serialize + zbus::zvariant::DynamicType + Sync,
    {
        let mut held = self.connection.lock().await;
        let connection = match held.as_ref() {
            Some(connection) => connection.clone(),
            None => {
                let built = within(Connection::system()).await;
                let connection = built.unwrap_or_else(|| Err(zbus::Error::Failure("no answer".into())));
                held.insert(connection.map_err(|e| BusError::NoBus(plain(&e)))?).clone()
            }
        };
        drop(held);
        let manager = "org.freedesktop.systemd1";
        let call = connection.call_method(
            Some(manager),
            "/org/freedesktop/systemd1",
            Some("org.freedesktop.systemd1.Manager"),
            method,
            body,
        );
        let rows = match within(call).await {
            Some(Ok(answer)) => answer.body().deserialize::<Vec<Row>>().map_err(|e| BusError::NoAnswer(plain(&e)))?,
            Some(Err(error)) => {
                if !matches!(error, zbus::Error::MethodError(..)) {
                    // The connection is broken: the next question makes another.
                    self.connection.lock().await.take();
                }
                return Err(BusError::NoAnswer(plain(&error)));
            }
            None => return Err(BusError::NoAnswer(format!("nothing within {} s", ANSWER_WITHIN.as_secs()))),
        };
        Ok(rows.into_iter().map(|(name, _, loaded, active, sub, ..)| Unit { name, loaded, active, sub }).collect())
    }
}

async fn within<T>(call: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(ANSWER_WITHIN, call).await.ok()
}

fn plain(error: &zbus::Error) -> String {
    match error {
        zbus::Error::MethodError(name, text, _) => text.clone().unwrap_or_else(|| name.to_string()),
        other => other.to_string(),
    }
}
