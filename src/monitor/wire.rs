//! What travels between an engine and an attached reader: one JSON object a message.
//!
//! The first message of a server is `Hello`; unknown fields are ignored, so that a newer server can
//! add some. Invariant: a reader whose version differs in the major number is told so, not guessed at.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Answer, Refusal, Request, Scope};
use crate::model::{Pulse, Snapshot};

/// Major and minor version of the wire; a different major is refused.
pub const WIRE_VERSION: (u16, u16) = (1, 0);

/// From the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// First message.
    Hello {
        /// Version of the wire.
        version: (u16, u16),
        /// Version of the program.
        program: String,
        /// What the peer may do.
        scope: Scope,
    },
    /// The whole present: after `Hello`, and after pulses were dropped.
    Snapshot {
        /// The snapshot.
        snapshot: Arc<Snapshot>,
        /// Pulses dropped before it.
        lagged: u64,
    },
    /// One tick.
    Pulse {
        /// The pulse.
        pulse: Arc<Pulse>,
    },
    /// The answer to a request.
    Answer {
        /// Number of the request.
        ticket: u64,
        /// The answer or the refusal.
        result: Result<Answer, Refusal>,
    },
    /// The engine ends; why.
    Bye {
        /// For people.
        reason: String,
    },
}

/// From a reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// A wish.
    Ask {
        /// Number of the request, chosen by the reader.
        ticket: u64,
        /// The wish.
        request: Request,
    },
}
