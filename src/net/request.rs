//! A request, its answer, and why there is none.
//!
//! Plain values; the work is the client's. Invariant: an error's text never holds a password of a URL.

use std::path::PathBuf;
use std::time::Duration;

use hyper::HeaderMap;

use crate::base::Timestamp;

/// One HTTP request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: hyper::Method,
    /// `http://` or `https://`, absolute.
    pub url: String,
    /// Header names and values; `Host`, `User-Agent` and `Content-Length` are set where absent.
    pub headers: Vec<(String, String)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
    /// Time for everything, redirects and body included.
    pub timeout: Duration,
    /// Most redirects followed; 0 returns the redirect itself.
    pub max_redirects: usize,
    /// Most bytes of the body kept; the rest is not read.
    pub max_body: usize,
    /// Speak over this Unix socket instead of connecting to the URL's host.
    pub socket: Option<PathBuf>,
}

impl Request {
    /// A GET with 10 s, 5 redirects and 1 MiB of body.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: hyper::Method::GET,
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: Duration::from_secs(10),
            max_redirects: 5,
            max_body: 1 << 20,
            socket: None,
        }
    }

    /// A POST of `body`, with the limits of [`Request::get`].
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { method: hyper::Method::POST, body: body.into(), ..Self::get(url) }
    }

    /// Whether the URL can be asked at all.
    ///
    /// # Errors
    /// What is no absolute `http` or `https` URL.
    pub fn validate(&self) -> Result<(), NetError> {
        super::url::Target::parse(&self.url).map(drop)
    }

    /// Whether the headers can be sent.
    ///
    /// # Errors
    /// A name that is none, or a value with a control character; the value is not repeated, it may be a secret.
    pub fn validate_headers(&self) -> Result<(), NetError> {
        for (name, value) in &self.headers {
            let bad = |what: &str| NetError::Invalid(format!("\"{name}\" {what}"));
            hyper::header::HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("is no header name"))?;
            hyper::header::HeaderValue::from_str(value).map_err(|_| bad("holds a control character"))?;
        }
        Ok(())
    }

    /// The same with another method.
    ///
    /// # Errors
    /// A text that is no method.
    pub fn with_method(self, method: &str) -> Result<Self, NetError> {
        let bad = |_| NetError::Invalid(format!("\"{method}\" is no method; write for example POST"));
        Ok(Self { method: method.parse().map_err(bad)?, ..self })
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// How long each part took; of the last hop where there were redirects, `total` of all hops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Phases {
    /// Looking up the name; `None` for an address or a socket.
    pub dns: Option<Duration>,
    /// Connecting, the proxy's tunnel included.
    pub connect: Duration,
    /// TLS handshake.
    pub tls: Option<Duration>,
    /// From the request's first byte to the answer's head.
    pub first_byte: Duration,
    /// Everything, body included.
    pub total: Duration,
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// The server chose to speak HTTP/2.
    pub http2: bool,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, at most `max_body` bytes.
    pub body: Vec<u8>,
    /// The body was longer.
    pub truncated: bool,
    /// How long each part took.
    pub phases: Phases,
    /// Where it came from, after redirects.
    pub url: String,
    /// End of the server's certificate; `None` without TLS.
    pub certificate_ends_at: Option<Timestamp>,
    /// Earliest end among the other certificates it sent.
    pub chain_ends_at: Option<Timestamp>,
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// The request or the settings are wrong; trying again is useless.
    #[error("{0}")]
    Invalid(String),
    /// The name could not be looked up.
    #[error("cannot look up {host}: {reason}")]
    Resolve {
        /// The name.
        host: String,
        /// As the system says.
        reason: String,
    },
    /// No connection, or the proxy refused one.
    #[error("cannot connect to {address}: {reason}")]
    Connect {
        /// Where to.
        address: String,
        /// As the system says.
        reason: String,
    },
    /// No secure connection.
    #[error("TLS: {reason}")]
    Tls {
        /// Why.
        reason: String,
        /// End of the certificate that was shown, where one was.
        certificate_ends_at: Option<Timestamp>,
    },
    /// The time was over.
    #[error("no answer within {} while {phase}", crate::base::format_duration(*limit))]
    Timeout {
        /// The request's time.
        limit: Duration,
        /// What it was doing (`connecting`).
        phase: &'static str,
    },
    /// The answer is no HTTP, or ended too early.
    #[error("bad answer: {0}")]
    Protocol(String),
    /// More redirects than allowed.
    #[error("more than {0} redirects")]
    Redirects(usize),
}
