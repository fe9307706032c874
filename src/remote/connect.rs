//! Where an engine is, and the first steps of talking to it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::monitor::{Answer, ClientMessage, Refusal, RefusalKind, Request, ServerMessage, WIRE_VERSION};
use crate::net::{LocalStream, connect_local};

/// Largest message taken: a snapshot with 10,000 processes has about 5 MB.
const MAX_MESSAGE: usize = 64 << 20;

/// Bytes read and written at once: a pulse comes in a few reads, and a quarter of a MiB (twice the default) is never touched.
const BUFFER: usize = 16 << 10;

/// Time to connect and to hear `Hello`.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Time for the answer to a one-shot request.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(pub PathBuf);

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no address of an engine; give the path of its socket (farol doctor shows it)")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let path = text.strip_prefix("unix:").unwrap_or(text);
        if path.is_empty() || path.contains("://") { Err(AddressError(text.to_owned())) } else { Ok(Self(PathBuf::from(path))) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.display())
    }
}

/// A connection after `Hello`.
pub(super) struct Connection {
    socket: WebSocketStream<LocalStream>,
    /// What this side may do there.
    pub(super) scope: crate::monitor::Scope,
}

impl Connection {
    /// Connects and takes `Hello`; the error is for people.
    pub(super) async fn open(address: &Address) -> Result<Self, String> {
        tokio::time::timeout(CONNECT_LIMIT, Self::start(address))
            .await
            .unwrap_or_else(|_| Err(format!("{address}: no answer within {} s", CONNECT_LIMIT.as_secs())))
    }

    async fn start(address: &Address) -> Result<Self, String> {
        let stream = connect_local(&address.0).await.map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused => format!("no engine listens at {address}"),
            std::io::ErrorKind::PermissionDenied => format!("{address}: not permitted; the engine belongs to another user"),
            _ => format!("{address}: {e}"),
        })?;
        let request = "ws://localhost/api/v1/stream".into_client_request().map_err(|e| e.to_string())?;
        let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
        let config = config.read_buffer_size(BUFFER).write_buffer_size(BUFFER);
        let (socket, _) = client_async_with_config(request, stream, Some(config)).await.map_err(|e| match e {
            tokio_tungstenite::tungstenite::Error::Http(r) if r.status() == 403 => {
                format!("{address}: not permitted; the engine belongs to another user")
            }
            e => format!("{address} does not speak farol's protocol: {e}"),
        })?;
        let mut connection = Self { socket, scope: crate::monitor::Scope::Read };
        match connection.receive().await? {
            ServerMessage::Hello { version, scope, .. } if version.0 == WIRE_VERSION.0 => connection.scope = scope,
            ServerMessage::Hello { version, program, .. } => {
                let (major, minor) = version;
                return Err(format!(
                    "{address} runs farol {program} with wire {major}.{minor}, this one speaks {}.x; use the same version",
                    WIRE_VERSION.0
                ));
            }
            _ => return Err(format!("{address} did not say hello")),
        }
        Ok(connection)
    }

    /// The next message; the error says why there will be no more.
    pub(super) async fn receive(&mut self) -> Result<ServerMessage, String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return serde_json::from_str(&text).map_err(|e| format!("a message was not understood: {e}"));
                }
                Some(Ok(Message::Close(_))) | None => return Err("the engine closed the connection".to_owned()),
                Some(Ok(_)) => {}
                Some(Err(e)) => return Err(format!("connection lost: {e}")),
            }
        }
    }

    /// Sends a request.
    pub(super) async fn send(&mut self, message: &ClientMessage) -> Result<(), String> {
        let text = serde_json::to_string(message).map_err(|e| e.to_string())?;
        self.socket.send(Message::Text(text.into())).await.map_err(|e| format!("connection lost: {e}"))
    }
}

/// Asks an engine once and waits for the answer; for one-shot commands.
///
/// # Errors
/// The engine's refusal, or `Unavailable` where it cannot be reached or does not answer within a minute.
pub fn ask_once(address: &Address, request: Request) -> Result<Answer, Refusal> {
    let unavailable = |why: String| Refusal::new(RefusalKind::Unavailable, why);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| unavailable(format!("no runtime: {e}")))?;
    runtime.block_on(async {
        let mut connection = Connection::open(address).await.map_err(unavailable)?;
        connection.send(&ClientMessage::Ask { ticket: 1, request }).await.map_err(unavailable)?;
        let answer = async {
            loop {
                match connection.receive().await {
                    Ok(ServerMessage::Answer { ticket: 1, result }) => return result,
                    Ok(ServerMessage::Bye { reason }) | Err(reason) => return Err(unavailable(reason)),
                    Ok(_) => {}
                }
            }
        };
        let late = || unavailable(format!("{address}: no answer within {} s", ANSWER_LIMIT.as_secs()));
        tokio::time::timeout(ANSWER_LIMIT, answer).await.unwrap_or_else(|_| Err(late()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_socket_path() {
        assert_eq!("unix:/run/x.sock".parse(), Ok(Address("/run/x.sock".into())));
        assert!("https://host:1".parse::<Address>().is_err() && "".parse::<Address>().is_err());
    }

    #[test]
    fn an_address_where_nobody_listens_says_so() {
        let dir = tempfile::tempdir().expect("a folder");
        let refusal = ask_once(&Address(dir.path().join("none.sock")), Request::Snapshot).expect_err("nobody");
        assert!(refusal.kind == RefusalKind::Unavailable && refusal.message.contains("no engine listens"));
    }
}
