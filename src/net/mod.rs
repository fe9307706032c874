//! The one HTTP client, TLS, proxy and CA settings; sockets of this machine that are files.
//!
//! Everything that leaves this machine by HTTP goes through [`Client`]. Invariant: every wait ends at
//! the request's deadline, and a body is never read past its bound.

mod certificate;
mod client;
mod connect;
#[cfg(unix)]
mod local;
#[cfg(not(unix))]
#[path = "no_local.rs"]
mod local;
mod proxy;
mod request;
mod tls;
mod url;
mod wire;

pub use client::{Client, NetConfig};
pub use connect::{Deadline, Duplex, Opened, Stream, connect_tcp, lookup, plain as plain_error};
pub use local::{LocalListener, LocalStream, connect_local, is_listening, listen_local, open_to, peer_user, send_local};
pub use request::{NetError, Phases, Request, Response};
pub use url::base64;

pub use tls::Shown;

/// Makes ring the process's TLS provider; call it first in `main`. Later calls do nothing.
pub fn install_crypto() {
    // It fails only where a provider is already there, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_server;
#[cfg(test)]
mod wire_tests;

#[cfg(test)]
pub use tls_server::serve_tls;
