//! What runs here, for a grid without configuration.
//!
//! Listening services are looked at, never connected to. Invariant: a service keeps its name as long
//! as its owner and its port stay.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::bus::{BusError, SystemBus};
use super::listeners::Listeners;
use crate::model::{Host, Listener, Process, Protocol, ServiceState};

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

/// Looks for listening services again and again.
#[derive(Debug, Default)]
pub struct Discovery(Listeners);

impl Discovery {
    /// The sockets that wait for others now, by port.
    pub fn listeners(&mut self, host: &dyn Host, processes: &[Arc<Process>]) -> Vec<Listener> {
        self.0.look(host, processes)
    }

    /// The services among them, by name. Ports of the range for outgoing connections are left out: they change with every start.
    pub fn services(&mut self, host: &dyn Host, listeners: &[Listener]) -> Vec<Discovered> {
        let (first, last) = self.0.ephemeral(host);
        let mut found: BTreeMap<(u16, &str), (BTreeSet<IpAddr>, &Listener)> = BTreeMap::new();
        for one in listeners.iter().filter(|l| l.protocol == Protocol::Tcp && !(first..=last).contains(&l.address.port())) {
            let name = one.name.as_deref().unwrap_or("port");
            found.entry((one.address.port(), name)).or_insert_with(|| (BTreeSet::new(), one)).0.insert(one.address.ip());
        }
        found.into_iter().map(|((port, name), (addresses, owner))| listener(port, name, &addresses, owner)).collect()
    }
}

fn listener(port: u16, name: &str, addresses: &BTreeSet<IpAddr>, owner: &Listener) -> Discovered {
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
        unit: owner.unit.as_deref().map(str::to_owned),
    }
}

/// Looks once.
pub fn discover(host: &dyn Host, processes: &[Arc<Process>]) -> Vec<Discovered> {
    let mut discovery = Discovery::default();
    let listeners = discovery.listeners(host, processes);
    discovery.services(host, &listeners)
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
