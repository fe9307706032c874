//! Sockets that wait for others, and who holds them.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What is spoken over a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Connections are waited for.
    Tcp,
    /// Datagrams of anybody are taken.
    Udp,
}

/// A socket that waits for others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// What is spoken.
    pub protocol: Protocol,
    /// Where.
    pub address: SocketAddr,
    /// Name of the program that holds it; where that may not be seen, what the port is usually for, if that is known.
    pub name: Option<Arc<str>>,
    /// Its process; `None` where that may not be seen.
    pub pid: Option<u32>,
    /// The systemd unit of the process, without `.service`.
    pub unit: Option<Arc<str>>,
}
