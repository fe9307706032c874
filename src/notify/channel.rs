//! What a channel is: something a message can be handed to.
//!
//! Invariant: `deliver` succeeds only once the other side has taken the message.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::{Delivery, Secrets, Target};

/// Delivers messages to one place.
pub trait Channel: Send + Sync {
    /// Hands one message over; cancelled after the channel's time limit.
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>>;

    /// Looks whether its secrets can be read and, where the other side can be asked without telling anybody, are right.
    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(std::future::ready(Ok(Receipt::default())))
    }

    /// The longest a delivery may take.
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Where it shows its messages, for those that speak to a screen of farol.
    fn attach(&self, _screen: &Screen) {}
}

/// Shows a title and a text in the terminals that look at this machine; false where none does.
pub type Screen = Arc<dyn Fn(&str, &str) -> bool + Send + Sync>;

/// What the other side said when it took a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// For people (`200 ok`); holds no secret.
    pub answer: String,
    /// Names the message there, for changing it or answering to it later.
    pub handle: Option<String>,
}

impl Receipt {
    /// An answer without a handle.
    pub fn new(answer: impl Into<String>) -> Self {
        Self { answer: answer.into(), handle: None }
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
    /// The message went out and the answer was lost: a further attempt may double it.
    pub in_doubt: bool,
    /// Those of several recipients who have it, so that a further attempt leaves them alone.
    pub told: Vec<String>,
    /// What happened, for people; holds no secret.
    pub text: String,
}

impl DeliveryError {
    /// An error that asks for no particular delay.
    pub fn new(fault: DeliveryFault, text: impl Into<String>) -> Self {
        Self { fault, retry_after: None, in_doubt: false, told: Vec::new(), text: text.into() }
    }

    /// One that may pass.
    pub fn transient(text: impl Into<String>) -> Self {
        Self::new(DeliveryFault::Transient, text)
    }

    /// One that stays.
    pub fn permanent(text: impl Into<String>) -> Self {
        Self::new(DeliveryFault::Permanent, text)
    }
}

/// What channels know of where they run.
#[derive(Debug, Clone, Default)]
pub struct ChannelContext {
    /// Folder that relative paths are in: the data directory.
    pub folder: PathBuf,
    /// For all HTTP.
    pub client: crate::net::Client,
}

/// Makes a channel of its settings and secrets, or says what is wrong with them; no I/O.
pub type OpenChannel = fn(&Map<String, Value>, Secrets, &ChannelContext) -> Result<Arc<dyn Channel>, String>;

/// Who reads a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// People: many alerts are one message, too many are a digest.
    People,
    /// A service with an incident for each alert: it must hear of every one, in order; no budget, no group and no digest.
    Service,
    /// A service that takes lists of alerts and forgets what it is not told again; no budget and no digest.
    Feed,
}

/// A row of [`super::CHANNELS`].
pub struct ChannelKind {
    /// The `type`; the name of its file.
    pub name: &'static str,
    /// What it is, for the README.
    pub about: &'static str,
    /// Level at which it joins where no route names it (contracts §3).
    pub joins_at: u8,
    /// Who reads it.
    pub audience: Audience,
    /// How often a message about what still fires is sent again, for services that forget.
    pub refresh: Option<Duration>,
    /// Keys that are read only from `<key>_file`, `<key>_command` or `<key>_env`.
    pub secrets: &'static [&'static str],
    /// Those of them that may also be written as they are.
    pub plain_too: &'static [&'static str],
    /// Its table in `config.example.toml`, one key a line, defaults where there are some.
    pub example: &'static str,
    /// Reads its settings and makes the channel; no I/O.
    pub open: OpenChannel,
}

impl ChannelKind {
    /// A channel of this kind as routing knows it.
    pub fn target(&self, name: &str) -> Target {
        Target { name: name.to_owned(), joins_at: self.joins_at, audience: self.audience, refresh: self.refresh }
    }

    /// For people, from the first message on.
    pub(super) const PLAIN: Self = Self {
        name: "",
        about: "",
        joins_at: 0,
        audience: Audience::People,
        refresh: None,
        secrets: &[],
        plain_too: &[],
        example: "",
        open: |_, _, _| Err(String::new()),
    };
}

/// Reads a channel's settings.
///
/// # Errors
/// The key that is wrong or missing.
pub(super) fn settings<T: serde::de::DeserializeOwned>(map: &Map<String, Value>) -> Result<T, String> {
    let read = |map: &Map<String, Value>| T::deserialize(Value::Object(map.clone())).map_err(|e| e.to_string());
    read(map).map_err(|error| {
        // serde does not say which value it could not use: it is the one without which the error is another.
        let without = |key: &String| {
            let mut rest = map.clone();
            rest.remove(key);
            read(&rest).err().as_ref() != Some(&error)
        };
        let key = map.keys().find(|key| !error.contains(&format!("`{key}`")) && without(key));
        key.map_or(error.clone(), |key| format!("{key}: {error}"))
    })
}
