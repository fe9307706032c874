//! What a channel is: something a message can be handed to.
//!
//! Invariant: `deliver` succeeds only once the other side has taken the message.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::Message;

/// Delivers messages to one place.
pub trait Channel: Send + Sync {
    /// Hands one message over; cancelled after the channel's time limit.
    fn deliver<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), DeliveryError>>;
    /// The longest a delivery may take.
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }
}

/// Whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryFault {
    /// Later it may work.
    Transient,
    /// This message will never be taken.
    Permanent,
    /// The channel cannot work here at all (no desktop): said once, then it is left alone until the next start or reload.
    Unavailable,
}

/// Why a message was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct DeliveryError {
    /// Whether to try again.
    pub fault: DeliveryFault,
    /// When the other side wants to be asked again.
    pub retry_after: Option<Duration>,
    /// What happened, for people; holds no secret.
    pub text: String,
}

impl DeliveryError {
    /// An error that asks for no particular delay.
    pub fn new(fault: DeliveryFault, text: impl Into<String>) -> Self {
        Self { fault, retry_after: None, text: text.into() }
    }
}

/// What channels know of where they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelContext {
    /// Folder that relative paths are in: the data directory.
    pub folder: PathBuf,
}

/// Makes a channel of its settings, or says what is wrong with them.
pub type OpenChannel = fn(&serde_json::Value, &ChannelContext) -> Result<Arc<dyn Channel>, String>;

/// A row of [`super::CHANNELS`].
pub struct ChannelKind {
    /// The `type`; the name of its file.
    pub name: &'static str,
    /// Level at which it joins where no route names it (contracts §3).
    pub joins_at: u8,
    /// Its table in `config.example.toml`, one key a line, defaults where there are some.
    pub example: &'static str,
    /// Reads its settings and makes the channel; no I/O.
    pub open: OpenChannel,
}
