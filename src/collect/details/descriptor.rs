//! What a process has open: files, pipes, sockets with both their ends.
//!
//! The links of `/proc/PID/fd` name inodes of sockets; the tables of `/proc/PID/net`, which are those of its own
//! network, name their ends. Invariant: a descriptor closed while looking is left out, never guessed.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::super::parse::{clean, lines, number, split_once, words};
use super::{TEXT_CHARS, field};
use crate::model::{Host, OpenFile, ProcessSocket};

/// Most descriptors looked at: each costs two system calls.
const MOST: usize = 4096;

/// The access bits of open(2): 0 reads only.
const ACCESS: u64 = 0o3;

/// States of net/tcp_states.h as ss(8) writes them, by number.
const STATES: [&str; 13] = [
    "",
    "ESTAB",
    "SYN-SENT",
    "SYN-RECV",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "TIME-WAIT",
    "UNCONN",
    "CLOSE-WAIT",
    "LAST-ACK",
    "LISTEN",
    "CLOSING",
    "SYN-RECV",
];

/// Files and sockets by descriptor; empty where they may not be read.
pub(super) fn read(host: &dyn Host, pid: u32) -> (Vec<OpenFile>, Vec<ProcessSocket>) {
    let mut names = Vec::new();
    if host.list(&format!("/proc/{pid}/fd"), &mut names).is_err() {
        return (Vec::new(), Vec::new());
    }
    let mut descriptors: Vec<u32> = names.iter().filter_map(|n| n.parse().ok()).collect();
    descriptors.sort_unstable();
    descriptors.truncate(MOST);
    let (mut files, mut inodes) = (Vec::new(), Vec::new());
    for descriptor in descriptors {
        let Ok(target) = host.read_link(&format!("/proc/{pid}/fd/{descriptor}")) else { continue };
        match target.strip_prefix("socket:[").and_then(|rest| number(rest.strip_suffix(']')?.as_bytes())) {
            Some(inode) => inodes.push((descriptor, inode)),
            None => files.push(file(host, pid, descriptor, &target)),
        }
    }
    let known = if inodes.is_empty() { HashMap::new() } else { sockets(host, pid) };
    let socket = |(descriptor, inode): (u32, u64)| match known.get(&inode) {
        Some(socket) => ProcessSocket { descriptor, ..socket.clone() },
        None => ProcessSocket { descriptor, protocol: "other".to_owned(), ..ProcessSocket::default() },
    };
    (files, inodes.into_iter().map(socket).collect())
}

fn file(host: &dyn Host, pid: u32, descriptor: u32, target: &str) -> OpenFile {
    let mut text = Vec::new();
    let read = host.read(&format!("/proc/{pid}/fdinfo/{descriptor}"), &mut text).is_ok();
    let value = |name: &[u8]| if read { field(&text, name) } else { None };
    let flags = value(b"flags:").and_then(|octal| u64::from_str_radix(std::str::from_utf8(octal).ok()?, 8).ok());
    OpenFile {
        descriptor,
        target: clean(target.as_bytes(), TEXT_CHARS),
        position: value(b"pos:").and_then(number),
        writes: flags.map(|flags| flags & ACCESS != 0),
    }
}

/// All sockets of the process's network by inode.
fn sockets(host: &dyn Host, pid: u32) -> HashMap<u64, ProcessSocket> {
    let (mut all, mut text) = (HashMap::new(), Vec::new());
    for protocol in ["tcp", "tcp6", "udp", "udp6"] {
        if host.read(&format!("/proc/{pid}/net/{protocol}"), &mut text).is_ok() {
            all.extend(lines(&text).skip(1).filter_map(|line| internet(line, protocol)));
        }
    }
    if host.read(&format!("/proc/{pid}/net/unix"), &mut text).is_ok() {
        all.extend(lines(&text).skip(1).filter_map(unix));
    }
    all
}

/// `sl local remote state tx:rx tr:when retransmits uid timeout inode`.
fn internet(line: &[u8], protocol: &str) -> Option<(u64, ProcessSocket)> {
    let mut fields = words(line).skip(1);
    let (local, remote) = (address(fields.next()?)?, address(fields.next()?)?);
    let state = hexadecimal(fields.next()?).and_then(|n| STATES.get(n as usize)).copied().unwrap_or("");
    let inode = fields.nth(5).and_then(number)?;
    let none = remote.port() == 0 && remote.ip().is_unspecified();
    let socket = ProcessSocket {
        descriptor: 0,
        protocol: protocol.to_owned(),
        local: local.to_string(),
        remote: if none { String::new() } else { remote.to_string() },
        state: state.to_owned(),
    };
    Some((inode, socket))
}

/// `Num: RefCount Protocol Flags Type St Inode Path`.
fn unix(line: &[u8]) -> Option<(u64, ProcessSocket)> {
    // The flag of a socket that waits for connections (linux/net.h, `__SO_ACCEPTCON`).
    const LISTENS: u64 = 1 << 16;
    let mut fields = words(line).skip(3);
    let flags = hexadecimal(fields.next()?)?;
    let state = hexadecimal(fields.nth(1)?)?;
    let inode = fields.next().and_then(number)?;
    let path = clean(fields.next().unwrap_or_default(), TEXT_CHARS);
    // 3 is `SS_CONNECTED` of linux/net.h.
    let state = if flags & LISTENS != 0 {
        "LISTEN"
    } else if state == 3 {
        "ESTAB"
    } else {
        "UNCONN"
    };
    let socket = ProcessSocket { protocol: "unix".to_owned(), local: path, state: state.to_owned(), ..ProcessSocket::default() };
    Some((inode, socket))
}

/// Address and port in hexadecimal; each four bytes of the address are one number in the machine's own order.
fn address(word: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = split_once(word, b':')?;
    let port = u16::try_from(hexadecimal(port)?).ok()?;
    let quad = |word: &[u8]| hexadecimal(word).and_then(|n| u32::try_from(n).ok()).map(u32::to_ne_bytes);
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(quad(ip)?)),
        32 => {
            let mut octets = [0; 16];
            for (to, from) in octets.chunks_exact_mut(4).zip(ip.chunks_exact(8)) {
                to.copy_from_slice(&quad(from)?);
            }
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn hexadecimal(word: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TCP: &[u8] =
        b"   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1176 1 0 100 0 0 10 0";

    #[test]
    #[cfg(target_endian = "little")]
    fn both_ends_are_read() {
        let (inode, socket) = internet(TCP, "tcp").expect("a real line");
        assert_eq!(
            (inode, socket.local.as_str(), socket.remote.as_str(), socket.state.as_str()),
            (1176, "127.0.0.1:3306", "", "LISTEN")
        );
        let six = address(b"00000000000000000000000001000000:1F90").map(|a| a.to_string());
        assert_eq!(six.as_deref(), Some("[::1]:8080"));
        let (inode, socket) =
            unix(b"000000008c793c91: 00000002 00000000 00010000 0001 01  1173 /run/x.sock").expect("a real line");
        assert_eq!((inode, socket.local.as_str(), socket.state.as_str()), (1173, "/run/x.sock", "LISTEN"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(line in crate::collect::testing::mutated("0: 0100007F:0CEA 00000000:0000 0A 0:0 0:0 0 0 0 1176 1")) {
            let _ = (internet(&line, "tcp"), unix(&line), address(&line));
        }
    }
}
