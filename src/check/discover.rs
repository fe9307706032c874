//! What runs here, for a grid without configuration.

use std::sync::Arc;

use super::checker::ProcessView;
use crate::base::Timestamp;
use crate::model::{Host, Process, ServiceState};

/// A service found without configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// Unique name (`sshd :22`, `nginx.service`).
    pub name: String,
    /// `tcp` or `systemd`: the probe one would configure.
    pub kind: &'static str,
    /// Address or unit.
    pub target: String,
    /// As it is now.
    pub state: ServiceState,
    /// What is known of it, for people.
    pub message: String,
}

/// Looks for listening services again and again, asking for owners only of new sockets.
#[derive(Debug, Default)]
pub struct Discovery {}

impl Discovery {
    /// The services that listen now, by name.
    pub fn look(&mut self, host: &dyn Host, processes: &[Arc<Process>]) -> Vec<Discovered> {
        let _ = (host, processes);
        Vec::new()
    }
}

/// Looks once.
pub fn discover(host: &dyn Host, processes: &[Arc<Process>]) -> Vec<Discovered> {
    Discovery::default().look(host, processes)
}

/// A configuration that checks what was found.
pub fn propose(found: &[Discovered]) -> String {
    format!("# {} services found\n", found.len())
}

/// Looks for services every 10 s, and for units every minute, on a runtime; dropped, it stops.
pub struct Scout {}

impl Scout {
    /// Starts; `on_found` gets the whole list each time it changed, to be given to the board.
    pub fn spawn(
        handle: &tokio::runtime::Handle,
        host: Arc<dyn Host>,
        processes: ProcessView,
        on_found: Arc<dyn Fn(Vec<Discovered>, Timestamp) + Send + Sync>,
    ) -> Self {
        let _ = (handle, host, processes, on_found);
        Self {}
    }
}
