//! Whether a machine answers an echo request (RFC 792, RFC 4443).
//!
//! Over a datagram socket where the kernel lets this group, else over a raw one where it lets this process.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::Instant;

use crate::check::address::Address;
use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::net::{Deadline, NetError, lookup, plain_error};

/// `type = "icmp"`.
pub const KIND: ProbeKind = ProbeKind { name: "icmp", keys: &["address"], make };

/// Bytes sent along, as `ping` does; the last eight tell our requests from those of others.
const PAYLOAD: usize = 56;

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    // A port has no meaning here, so one that is written is a mistake.
    let Address { host, port } = Address::of(config, Some(7))?;
    if port != 7 {
        return Err(config.error("address", "a machine is asked, not a port; write for example gateway.example.org"));
    }
    Ok(Arc::new(Icmp { host, sequence: AtomicU16::new(0) }))
}

struct Icmp {
    host: String,
    sequence: AtomicU16,
}

/// Types of echo request and reply.
fn echo_types(to: IpAddr) -> (u8, u8) {
    if to.is_ipv4() { (8, 0) } else { (128, 129) }
}

/// A socket that sends echo requests; not blocking.
#[cfg(target_os = "linux")]
fn open(to: IpAddr) -> io::Result<UdpSocket> {
    use rustix::io::Errno;
    use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType, ipproto, socket_with};
    let (family, protocol): (_, Protocol) = match to {
        IpAddr::V4(_) => (AddressFamily::INET, ipproto::ICMP),
        IpAddr::V6(_) => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let opened = match socket_with(family, SocketType::DGRAM, flags, Some(protocol)) {
        Err(Errno::ACCESS | Errno::PERM | Errno::PROTONOSUPPORT) => socket_with(family, SocketType::RAW, flags, Some(protocol)),
        opened => opened,
    };
    // The kernel's calls are the same for a socket of datagrams, whatever they carry.
    UdpSocket::from_std(std::net::UdpSocket::from(opened?))
}

#[cfg(not(target_os = "linux"))]
fn open(_: IpAddr) -> io::Result<UdpSocket> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "farol sends echo requests on Linux only"))
}

/// An echo request; the kernel sums it up for the sixth version, and sets the number on a datagram socket.
fn request(to: IpAddr, token: u64, sequence: u16) -> Vec<u8> {
    let [.., high, low] = token.to_be_bytes();
    let mut packet = vec![echo_types(to).0, 0, 0, 0, high, low];
    packet.extend(sequence.to_be_bytes());
    packet.resize(8 + PAYLOAD - 8, b'f');
    packet.extend(token.to_be_bytes());
    if to.is_ipv4() {
        let sum = checksum(&packet).to_be_bytes();
        packet.splice(2..4, sum);
    }
    packet
}

/// RFC 1071, over an even number of bytes.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0))).sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !u16::try_from(sum).expect("folded")
}

/// Whether a packet answers our request; a raw socket gives the header of the fourth version along.
fn answers(packet: &[u8], to: IpAddr, token: u64, sequence: u16) -> bool {
    let header = match packet.first() {
        Some(first) if to.is_ipv4() && first >> 4 == 4 => usize::from(first & 0x0f) * 4,
        _ => 0,
    };
    let Some(echo) = packet.get(header..) else { return false };
    echo.first() == Some(&echo_types(to).1)
        && echo.get(6..8) == Some(&sequence.to_be_bytes())
        && echo.ends_with(&token.to_be_bytes())
}

impl Icmp {
    async fn run(&self, limit: Duration) -> Result<Finding, NetError> {
        let deadline = Deadline::after(limit);
        let found = deadline.hold("looking up the name", lookup(&self.host, 0)).await?;
        let Some(to) = found.first().map(SocketAddr::ip) else { return Err(NetError::Protocol("no address".to_owned())) };
        let failed = |e: io::Error| NetError::Connect { address: self.host.clone(), reason: plain_error(&e) };
        let socket = match open(to) {
            Ok(socket) => socket,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(NetError::Invalid(
                    "echo requests are not permitted: let this group in by sysctl net.ipv4.ping_group_range, or give \
                     CAP_NET_RAW"
                        .to_owned(),
                ));
            }
            Err(error) => return Err(failed(error)),
        };
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let token = {
            use std::hash::{BuildHasher, Hasher};
            std::hash::RandomState::new().build_hasher().finish()
        };
        let exchange = async {
            socket.connect(SocketAddr::new(to, 0)).await.map_err(failed)?;
            let start = Instant::now();
            socket.send(&request(to, token, sequence)).await.map_err(failed)?;
            let mut packet = [0_u8; 512];
            loop {
                let n = socket.recv(&mut packet).await.map_err(failed)?;
                if answers(packet.get(..n).unwrap_or_default(), to, token, sequence) {
                    return Ok(start.elapsed());
                }
            }
        };
        let took = deadline.hold("waiting for the echo", exchange).await?;
        Ok(Finding::ok(took, format!("echo from {to} in {:.1} ms", took.as_secs_f64() * 1000.0)))
    }
}

impl Probe for Icmp {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move { self.run(context.timeout).await.unwrap_or_else(|e| Finding::failed(e.to_string())) })
    }

    fn target(&self) -> String {
        self.host.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_sums_to_nothing_and_only_its_own_answer_counts() {
        let four: IpAddr = "127.0.0.1".parse().unwrap();
        let packet = request(four, 77, 3);
        assert_eq!((packet.len(), checksum(&packet)), (8 + PAYLOAD, 0));
        assert!(!answers(&packet, four, 77, 3), "our own request is seen by a raw socket");
        let mut reply = packet.clone();
        reply[0] = 0;
        assert!(answers(&reply, four, 77, 3) && !answers(&reply, four, 78, 3) && !answers(&reply, four, 77, 4));
        let raw = [&[0x45; 20][..], &reply].concat();
        assert!(answers(&raw, four, 77, 3));
        assert!(!answers(&[], four, 77, 3) && !answers(&[0x4f], four, 77, 3));
    }
}
