//! Who listens here: sockets of TCP from the kernel or `/proc/net/tcp`, of UDP from `/proc/net/udp`, owners from `/proc/PID/fd`.
//!
//! Reads only through [`Host`]. Invariant: a line that is not understood is left out, the rest stands; the files of all
//! processes are gone through only for a socket that is new.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use crate::model::{Host, Listener, ListeningSocket, Process, Protocol};

/// `TCP_LISTEN` of the kernel's `net/tcp_states.h`, as the file writes it.
const LISTEN: &str = "0A";

/// `TCP_CLOSE` there: for UDP a socket that is bound and takes datagrams of anybody.
const UNCONNECTED: &str = "07";

/// Most sockets that are shown: a machine with more is one of something else than services.
const MOST: usize = 512;

/// The range of ports given to outgoing connections where the kernel does not say (its default).
const EPHEMERAL: (u16, u16) = (32_768, 60_999);

/// Who holds a socket.
#[derive(Debug, Clone)]
struct Owner {
    name: Option<Arc<str>>,
    pid: Option<u32>,
    unit: Option<Arc<str>>,
}

/// Looks for sockets again and again, asking for owners only of new ones.
#[derive(Debug, Default)]
pub struct Listeners {
    owners: BTreeMap<u64, Owner>,
    ephemeral: Option<(u16, u16)>,
}

impl Listeners {
    /// The sockets that wait for others now, by port. Of UDP those of the range for outgoing connections are left out: they are
    /// questions on their way.
    pub fn look(&mut self, host: &dyn Host, processes: &[Arc<Process>]) -> Vec<Listener> {
        let (first, last) = self.ephemeral(host);
        let mut sockets: Vec<(Protocol, ListeningSocket)> = listening(host).into_iter().map(|s| (Protocol::Tcp, s)).collect();
        let waiting = bound(host).into_iter().filter(|s| !(first..=last).contains(&s.address.port()));
        sockets.extend(waiting.map(|s| (Protocol::Udp, s)));
        sockets.sort_by_key(|(protocol, s)| (s.address.port(), *protocol, s.address.ip(), s.inode));
        sockets.truncate(MOST);
        let inodes: BTreeSet<u64> = sockets.iter().map(|(_, s)| s.inode).collect();
        self.owners.retain(|inode, _| inodes.contains(inode));
        let new: BTreeSet<u64> = inodes.into_iter().filter(|i| !self.owners.contains_key(i)).collect();
        if !new.is_empty() {
            let held_by = owners(host, &new, processes.iter().map(|p| p.id.pid));
            for (protocol, socket) in sockets.iter().filter(|(_, s)| new.contains(&s.inode)) {
                let process = held_by.get(&socket.inode).and_then(|pid| processes.iter().find(|p| p.id.pid == *pid));
                let owner = match process {
                    Some(p) => {
                        Owner { name: Some(Arc::from(&*p.name)), pid: Some(p.id.pid), unit: p.unit.as_deref().map(Arc::from) }
                    }
                    None => {
                        let name = port_name(host, *protocol, socket.address.port()).map(Arc::from);
                        Owner { name, pid: None, unit: None }
                    }
                };
                self.owners.insert(socket.inode, owner);
            }
        }
        let listener = |(protocol, socket): &(Protocol, ListeningSocket)| {
            let Owner { name, pid, unit } = self.owners.get(&socket.inode)?.clone();
            Some(Listener { protocol: *protocol, address: socket.address, name, pid, unit })
        };
        let mut found: Vec<Listener> = sockets.iter().filter_map(listener).collect();
        // Several workers of one program wait at the same address with a socket each.
        found.dedup();
        if processes.is_empty() {
            // Nothing is known of owners yet: ask again.
            self.owners.clear();
        }
        found
    }

    /// First and last port given to outgoing connections.
    pub fn ephemeral(&mut self, host: &dyn Host) -> (u16, u16) {
        *self.ephemeral.get_or_insert_with(|| ephemeral_ports(host))
    }
}

/// UDP sockets that take datagrams of anybody.
fn bound(host: &dyn Host) -> Vec<ListeningSocket> {
    table(host, ["/proc/net/udp", "/proc/net/udp6"], UNCONNECTED)
}

/// All listening sockets.
fn listening(host: &dyn Host) -> Vec<ListeningSocket> {
    if let Ok(sockets) = host.listening_sockets() {
        return sockets;
    }
    table(host, ["/proc/net/tcp", "/proc/net/tcp6"], LISTEN)
}

/// The sockets in that state of two files of the kernel.
fn table(host: &dyn Host, paths: [&str; 2], state: &str) -> Vec<ListeningSocket> {
    let mut sockets = Vec::new();
    let mut bytes = Vec::new();
    for path in paths {
        if host.read(path, &mut bytes).is_ok() {
            sockets.extend(String::from_utf8_lossy(&bytes).lines().skip(1).filter_map(|line| socket(line, state)));
        }
    }
    sockets
}

/// A line of `/proc/net/tcp`, `udp` and their like, where it is of a socket in that state.
fn socket(line: &str, state: &str) -> Option<ListeningSocket> {
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    if fields.nth(1)? != state {
        return None;
    }
    let inode = fields.nth(5)?.parse().ok()?;
    let (address, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(ListeningSocket { address: SocketAddr::new(ip(address)?, port), inode })
}

/// An address as the kernel prints it: each 32-bit word in the machine's own byte order.
fn ip(hex: &str) -> Option<IpAddr> {
    let words: Option<Vec<[u8; 4]>> = hex
        .as_bytes()
        .chunks(8)
        .map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok().map(u32::to_ne_bytes))
        .collect();
    match (hex.len(), words?.as_slice()) {
        (8, [word]) => Some(IpAddr::from(*word)),
        (32, words) => Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?)).to_canonical()),
        _ => None,
    }
}

/// The process that holds each of these sockets, where that may be seen; of several the lowest number.
fn owners(host: &dyn Host, inodes: &BTreeSet<u64>, pids: impl Iterator<Item = u32>) -> BTreeMap<u64, u32> {
    let mut owners = BTreeMap::new();
    let mut names = Vec::new();
    for pid in pids {
        let folder = format!("/proc/{pid}/fd");
        // Another user's process: not permitted, or gone meanwhile.
        if host.list(&folder, &mut names).is_err() {
            continue;
        }
        for name in &names {
            let link = host.read_link(&format!("{folder}/{name}")).unwrap_or_default();
            let inode = link.strip_prefix("socket:[").and_then(|l| l.strip_suffix(']')).and_then(|n| n.parse().ok());
            if let Some(inode) = inode.filter(|i| inodes.contains(i)) {
                owners.entry(inode).or_insert(pid);
            }
        }
    }
    owners
}

/// First and last port given to outgoing connections.
fn ephemeral_ports(host: &dyn Host) -> (u16, u16) {
    let mut bytes = Vec::new();
    let _ = host.read("/proc/sys/net/ipv4/ip_local_port_range", &mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let mut ports = text.split_ascii_whitespace().map(str::parse);
    match (ports.next(), ports.next()) {
        (Some(Ok(first)), Some(Ok(last))) => (first, last),
        _ => EPHEMERAL,
    }
}

/// The name `/etc/services` has for a port.
fn port_name(host: &dyn Host, protocol: Protocol, port: u16) -> Option<String> {
    let mut bytes = Vec::new();
    host.read("/etc/services", &mut bytes).ok()?;
    let wanted = format!("{port}/{}", if protocol == Protocol::Tcp { "tcp" } else { "udp" });
    let text = String::from_utf8_lossy(&bytes);
    text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let name = words.next()?;
        (words.next()? == wanted && !name.starts_with('#')).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_listening_sockets_are_taken() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0000000000000000 100 0 0 10 0";
        let expected = ListeningSocket { address: "127.0.0.1:8080".parse().unwrap(), inode: 4242 };
        assert_eq!(
            socket(line, LISTEN).filter(|_| cfg!(target_endian = "little")),
            Some(expected).filter(|_| cfg!(target_endian = "little"))
        );
        assert_eq!(socket(&line.replace(" 0A ", " 01 "), LISTEN), None);
        let six = line.replace("0100007F:", "00000000000000000000000001000000:");
        assert_eq!(socket(&six, LISTEN).map(|s| s.address.port()), Some(8080));
        assert_eq!(socket(&line.replace("0100007F", "zz00007F"), LISTEN), None);
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC*") {
            let _ = socket(&line, LISTEN);
        }

        #[test]
        fn addresses_are_read_back(bytes in any::<[u8; 16]>()) {
            let hex: String = bytes.chunks(4).map(|w| format!("{:08X}", u32::from_ne_bytes(w.try_into().unwrap()))).collect();
            prop_assert_eq!(ip(&hex), Some(IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()));
        }
    }
}
