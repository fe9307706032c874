//! What waits for connections from other machines.
//!
//! Invariant: only where a socket listens is judged; nothing is connected to.

use std::collections::BTreeSet;

use super::{Fault, Look};
use crate::model::Severity::{Info, Warning};
use crate::model::{Listener, Protocol};

/// Ports of services that speak in the clear or ask for no password as they come: port and name.
const RISKY: &[(u16, &str)] = &[
    (21, "ftp"),
    (23, "telnet"),
    (69, "tftp"),
    (111, "rpcbind"),
    (512, "rexec"),
    (513, "rlogin"),
    (514, "rsh"),
    (873, "rsync"),
    (2049, "nfs"),
    (2375, "docker without TLS"),
    (5900, "vnc"),
    (6000, "x11"),
    (6379, "redis"),
    (9200, "elasticsearch"),
    (11211, "memcached"),
    (27017, "mongodb"),
];

pub(super) fn look(look: &mut Look<'_>, listeners: &[Listener]) {
    let open: Vec<&Listener> =
        listeners.iter().filter(|l| l.protocol == Protocol::Tcp && !l.address.ip().is_loopback()).collect();
    let named = |l: &&Listener| format!("{} :{}", l.name.as_deref().unwrap_or("port"), l.address.port());
    let risky = |l: &&&Listener| RISKY.iter().any(|(port, _)| *port == l.address.port());
    let found: BTreeSet<String> = open.iter().filter(risky).map(named).collect();
    let fault = Fault { severity: Warning, advice: "Let it listen on 127.0.0.1 alone, or put a firewall or TLS before it." };
    let evidence = if found.is_empty() { "none listens for others".to_owned() } else { listed(&found) };
    look.check("No service that speaks in the clear listens for others", found.is_empty(), evidence, &fault);
    let all: BTreeSet<String> = open.iter().map(named).collect();
    let fault = Fault { severity: Info, advice: "Close what nobody needs: systemctl disable --now UNIT" };
    let evidence = if all.is_empty() { "nothing".to_owned() } else { listed(&all) };
    look.check("At most ten services listen for others", all.len() <= 10, evidence, &fault);
}

/// Twelve names, and how many more.
fn listed(names: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = names.iter().take(12).map(String::as_str).collect();
    let more = if names.len() > shown.len() { format!(" and {} more", names.len() - shown.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
