//! HTTP and WebSocket server: a translation of `Monitor`, nothing more.
//!
//! Listens on the engine's Unix socket; who connects is told by the peer's user. Invariant: a request
//! is never answered with more than the peer's scope allows.

mod listen;
mod route;
mod serve;
mod stream;

pub use listen::{Access, Door, Peer, SocketError, bind};
pub use route::{Entry, MonitorSource, Namer, ROUTES};
pub use serve::{Ending, Limits, serve};
