//! The one HTTP client, TLS, proxy and CA settings.
//!
//! Everything that leaves this machine by HTTP goes through [`Client`]. Invariant: every wait ends at
//! the request's deadline, and a body is never read past its bound.

pub mod client;

pub use client::{Client, NetConfig, NetError, Phases, Request, Response};

/// Makes ring the process's TLS provider; call it first in `main`. Later calls do nothing.
pub fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
