//! HTTP/1.1 and HTTP/2 on a stream that is open already.
//!
//! What is asked and what an answer means is the client's. Invariant: what HTTP/2 does in the background ends when the
//! [`Wire`] is dropped.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::Full;
use hyper::Version;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::NetError;
use super::connect::{self, Stream};

/// Longest head of an answer; what servers send by default stays below 16 KiB.
const MAX_HEAD: u32 = 64 * 1024;

/// Moves the bytes while an answer is waited for.
pub type Moving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where requests go in.
pub enum Wire {
    /// HTTP/1.1.
    One(http1::SendRequest<Full<Bytes>>),
    /// HTTP/2, and what it does in the background.
    Two(http2::SendRequest<Full<Bytes>>, Background),
}

impl Wire {
    /// Begins to speak on a stream.
    ///
    /// # Errors
    /// The stream was closed, or the other side speaks something else.
    pub async fn open(stream: Stream, version: Version) -> Result<(Self, Moving), NetError> {
        let stream = TokioIo::new(stream);
        if version == Version::HTTP_2 {
            let background = Background::default();
            let mut builder = http2::Builder::new(background.clone());
            builder.max_header_list_size(MAX_HEAD);
            let (sender, connection) = builder.handshake(stream).await.map_err(protocol)?;
            return Ok((Self::Two(sender, background), Box::pin(async { _ = connection.await })));
        }
        let mut builder = http1::Builder::new();
        let (sender, connection) = builder.max_buf_size(MAX_HEAD as usize).handshake(stream).await.map_err(protocol)?;
        Ok((Self::One(sender), Box::pin(async { _ = connection.await })))
    }

    /// Sends a request; the head of its answer.
    ///
    /// # Errors
    /// The connection was closed, or what came is no HTTP.
    pub async fn send(&mut self, message: hyper::Request<Full<Bytes>>) -> Result<hyper::Response<Incoming>, NetError> {
        match self {
            Self::One(sender) => sender.send_request(message).await,
            Self::Two(sender, _) => sender.send_request(message).await,
        }
        .map_err(protocol)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Self::Two(_, background) = self {
            background.tasks().abort_all();
        }
    }
}

/// Tasks of one connection.
#[derive(Clone, Default)]
pub struct Background(Arc<Mutex<JoinSet<()>>>);

impl Background {
    fn tasks(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Background {
    fn execute(&self, task: F) {
        self.tasks().spawn(task);
    }
}

/// Why there is no answer, for people.
pub fn protocol(error: hyper::Error) -> NetError {
    let cause = std::error::Error::source(&error);
    let io = cause.and_then(|c| c.downcast_ref::<std::io::Error>());
    NetError::Protocol(if error.is_incomplete_message() || io.is_some_and(|e| e.kind() == std::io::ErrorKind::UnexpectedEof) {
        "the server closed the connection before its answer was complete".to_owned()
    } else if let Some(io) = io {
        connect::plain(io)
    } else if error.is_parse_too_large() {
        "the head of the answer is too long".to_owned()
    } else if error.is_parse() {
        "this is no HTTP/1".to_owned()
    } else {
        cause.map_or_else(|| error.to_string(), ToString::to_string)
    })
}

/// Whether the other side agreed to HTTP/2 and now wants HTTP/1.1 instead (HTTP_1_1_REQUIRED, RFC 9113 §7).
pub fn wants_http1(error: &NetError) -> bool {
    // The code itself is not shown outside of hyper, its text is.
    matches!(error, NetError::Protocol(text) if text.contains("error received: endpoint requires HTTP/1.1"))
}
