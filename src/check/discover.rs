//! What runs here, for a grid without configuration.
//!
//! Listening services are looked at, never connected to. Invariant: a service keeps its name as long
//! as its owner and its port stay.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::bus::{BusError, SystemBus};
use super::listeners::{ephemeral_ports, listening, owners, port_name};
use crate::model::{Host, Process, ServiceState};

/// Time between two looks; the default interval of checks.
pub const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A service found without configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// Unique name (`sshd :22`, `cron.service`).
    pub name: String,
    /// `tcp` or `systemd`: the probe one would configure.
    pub kind: &'static str,
    /// Address or unit.
    pub target: String,
    /// As it is now.
    pub state: ServiceState,
    /// What is known of it, for people.
    pub message: String,
    /// The systemd unit it belongs to, without `.service`.
    pub unit: Option<String>,
}

/// Who holds a socket.
#[derive(Debug, Clone)]
struct Owner {
    name: String,
    pid: Option<u32>,
    unit: Option<String>,
}

/// Looks for listening services again and again, asking for owners only of new sockets.
#[derive(Debug, Default)]
pub struct Discovery {
    owners: BTreeMap<u64, Owner>,
    ephemeral: Option<(u16, u16)>,
}

impl Discovery {
    /// The services that listen now, by name. Ports of the range for outgoing connections are left out: they
    /// change with every start.
    pub fn look(&mut self, host: &dyn Host, processes: &[Arc<Process>]) -> Vec<Discovered> {
        let (first, last) = *self.ephemeral.get_or_insert_with(|| ephemeral_ports(host));
        let sockets: Vec<_> = listening(host).into_iter().filter(|s| !(first..=last).contains(&s.address.port())).collect();
        let inodes: BTreeSet<u64> = sockets.iter().map(|s| s.inode).collect();
        self.owners.retain(|inode, _| inodes.contains(inode));
        let new: BTreeSet<u64> = inodes.into_iter().filter(|i| !self.owners.contains_key(i)).collect();
        if !new.is_empty() {
            let held_by = owners(host, &new, processes.iter().map(|p| p.id.pid));
            for socket in sockets.iter().filter(|s| new.contains(&s.inode)) {
                let process = held_by.get(&socket.inode).and_then(|pid| processes.iter().find(|p| p.id.pid == *pid));
                let owner = match process {
                    Some(p) => {
                        Owner { name: p.name.to_string(), pid: Some(p.id.pid), unit: p.unit.as_deref().map(str::to_owned) }
                    }
                    None => {
                        let name = port_name(host, socket.address.port()).unwrap_or_else(|| "port".to_owned());
                        Owner { name, pid: None, unit: None }
                    }
                };
                self.owners.insert(socket.inode, owner);
            }
        }
        let mut found: BTreeMap<(u16, String), (BTreeSet<IpAddr>, &Owner)> = BTreeMap::new();
        for socket in &sockets {
            if let Some(owner) = self.owners.get(&socket.inode) {
                let place = found.entry((socket.address.port(), owner.name.clone())).or_insert_with(|| (BTreeSet::new(), owner));
                place.0.insert(socket.address.ip());
            }
        }
        let listeners =
            found.into_iter().map(|((port, name), (addresses, owner))| listener(port, &name, &addresses, owner)).collect();
        if processes.is_empty() {
            // Nothing is known of owners yet: ask again.
            self.owners.clear();
        }
        listeners
    }
}

fn listener(port: u16, name: &str, addresses: &BTreeSet<IpAddr>, owner: &Owner) -> Discovered {
    // A check on this machine reaches a service on all addresses by the loopback one.
    let address = addresses.iter().find(|a| a.is_loopback()).or_else(|| addresses.iter().find(|a| !a.is_unspecified()));
    let target = match address {
        Some(IpAddr::V6(a)) => format!("[{a}]:{port}"),
        Some(a) => format!("{a}:{port}"),
        None => format!("127.0.0.1:{port}"),
    };
    let on = addresses.iter().map(|a| if a.is_unspecified() { "all addresses".to_owned() } else { a.to_string() });
    let on: BTreeSet<String> = on.collect();
    let by = owner.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    Discovered {
        name: format!("{name} :{port}"),
        kind: "tcp",
        target,
        state: ServiceState::Online,
        message: format!("listens on {}{by}", on.into_iter().collect::<Vec<_>>().join(", ")),
        unit: owner.unit.clone(),
    }
}

/// Looks once.
pub fn discover(host: &dyn Host, processes: &[Arc<Process>]) -> Vec<Discovered> {
    Discovery::default().look(host, processes)
}

/// Units that run on every machine and that nobody watches by name: logins and systemd's own parts.
const PLUMBING: &[&str] =
    &["systemd-", "getty@", "serial-getty@", "console-getty", "user@", "user-runtime-dir@", "dbus", "polkit"];

/// Failed units of any kind, and running services that are no plumbing and own none of the listeners found.
///
/// # Errors
/// No bus, no manager, no answer.
pub async fn units(bus: &SystemBus, listeners: &[Discovered]) -> Result<Vec<Discovered>, BusError> {
    let failed = bus.units_by_pattern(&["failed"], &[]).await?;
    let active = bus.units_by_pattern(&["active", "reloading"], &["*.service"]).await?;
    let shown: BTreeSet<&str> = listeners.iter().filter_map(|l| l.unit.as_deref()).collect();
    let is_new = |name: &str| !shown.contains(name.trim_end_matches(".service"));
    let running =
        active.into_iter().filter(|u| u.sub == "running" && is_new(&u.name) && !PLUMBING.iter().any(|p| u.name.starts_with(p)));
    let failed = failed.into_iter().filter(|u| u.loaded != "not-found");
    let found = failed.map(|u| (ServiceState::Offline, u)).chain(running.map(|u| (ServiceState::Online, u)));
    let discovered = found.map(|(state, unit)| Discovered {
        name: unit.name.clone(),
        kind: "systemd",
        target: unit.name.clone(),
        state,
        message: format!("{} ({})", unit.active, unit.sub),
        unit: unit.name.strip_suffix(".service").map(str::to_owned),
    });
    Ok(discovered.collect())
}

/// Looks once at listeners and units; without a message bus at listeners only.
pub async fn survey(host: &dyn Host, processes: &[Arc<Process>]) -> Vec<Discovered> {
    let mut found = discover(host, processes);
    let more = units(&SystemBus::default(), &found).await.unwrap_or_default();
    found.extend(more);
    found
}

/// Programs that answer HTTP at `/`, as the kernel names them.
const WEB_SERVERS: &[&str] = &["nginx", "apache2", "httpd", "caddy", "lighttpd"];

/// The deepest check that needs no further word from a person: type, key and value, further keys.
fn proposed(service: &Discovered) -> (&'static str, &'static str, String, &'static str) {
    let (owner, port) = service.name.rsplit_once(" :").unwrap_or((&service.name, ""));
    match (service.kind, owner, port) {
        ("systemd", ..) => ("systemd", "unit", service.target.clone(), ""),
        (_, "ssh" | "sshd", _) => ("ssh", "address", service.target.clone(), ""),
        (_, "smtp" | "master" | "exim4", "25") => ("smtp", "address", service.target.clone(), ""),
        // A page that asks for a login is an answer as well.
        (_, owner, "80" | "8080") if WEB_SERVERS.contains(&owner) => {
            ("http", "url", format!("http://{}/", service.target), "expect_status = \"200-499\"\n")
        }
        _ => ("tcp", "address", service.target.clone(), ""),
    }
}

/// A configuration that checks what was found, to be looked through and pasted.
pub fn propose(found: &[Discovered]) -> String {
    let mut text = format!("# {} services found on this machine; keep what matters.\n", found.len());
    for service in found {
        let (kind, key, value, more) = proposed(service);
        text.push_str(&format!(
            "\n[[service]]\nname = {}\ntype = \"{kind}\"\n{key} = {}   # {}\n{more}",
            quoted(&service.name),
            quoted(&value),
            service.message.replace(char::is_control, " ")
        ));
    }
    text
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
