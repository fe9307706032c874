//! TCP sockets by state, and those that listen, asked of the kernel over netlink (`SOCK_DIAG`).
//!
//! `/proc/net/tcp` says the same at twenty times the cost. Invariant: any bytes from the socket give
//! an answer or an error, never a panic, and a failed dump leaves no rest for the next one.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};

use crate::model::ListeningSocket;

/// Layouts and numbers of linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h.
const HEADER: usize = 16;
const DONE: u16 = 3;
const ERROR: u16 = 2;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const REQUEST_AND_DUMP: u16 = 0x301;
const TCP: u8 = 6;
const INET: u8 = 2;
const INET6: u8 = 10;
/// One bit per state; all of them.
const ALL_STATES: u32 = 0xfff;
/// The bit of `TCP_LISTEN`, which is 10.
const LISTENING: u32 = 1 << 10;
/// Length of `inet_diag_req_v2`.
const REQUEST: usize = 56;

/// The kernel's own size for a piece of a dump.
const PIECE: usize = 32 * 1024;

/// A netlink socket for asking again and again.
#[derive(Debug, Default)]
pub(super) struct Diagnosis {
    socket: Option<OwnedFd>,
    buffer: Vec<u8>,
}

impl Diagnosis {
    /// Number of TCP sockets in each state, both address families.
    pub(super) fn count(&mut self) -> io::Result<[u32; 13]> {
        let mut states = [0; 13];
        self.ask(ALL_STATES, &mut |socket| count_socket(socket, &mut states))?;
        Ok(states)
    }

    /// The sockets that listen, both address families; the kernel looks at no other.
    pub(super) fn listening(&mut self) -> io::Result<Vec<ListeningSocket>> {
        let mut found = Vec::new();
        self.ask(LISTENING, &mut |socket| found.extend(listening_socket(socket)))?;
        Ok(found)
    }

    fn ask(&mut self, states: u32, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        for family in [INET, INET6] {
            if let Err(error) = self.dump(family, states, each) {
                self.socket = None;
                // A kernel without IPv6 knows no such family.
                if family == INET || error.kind() != io::ErrorKind::NotFound {
                    return Err(error);
                }
            }
        }
        // Between rounds the memory is better used elsewhere.
        self.buffer = Vec::new();
        Ok(())
    }

    fn dump(&mut self, family: u8, states: u32, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let socket = match &mut self.socket {
            Some(socket) => socket,
            none => none.insert(rustix::net::socket_with(
                AddressFamily::NETLINK,
                SocketType::RAW,
                SocketFlags::CLOEXEC,
                Some(netlink::SOCK_DIAG),
            )?),
        };
        rustix::net::send(&*socket, &request(family, states), SendFlags::empty())?;
        self.buffer.resize(PIECE, 0);
        loop {
            let (length, _) = rustix::net::recv(&*socket, self.buffer.as_mut_slice(), RecvFlags::empty())?;
            if read_piece(self.buffer.get(..length).unwrap_or_default(), each)? {
                return Ok(());
            }
        }
    }
}

/// A request for the TCP sockets of a family in some states.
fn request(family: u8, states: u32) -> [u8; HEADER + REQUEST] {
    let mut bytes = [0; HEADER + REQUEST];
    let mut put = |at: usize, part: &[u8]| {
        for (to, from) in bytes.iter_mut().skip(at).zip(part) {
            *to = *from;
        }
    };
    put(0, &((HEADER + REQUEST) as u32).to_ne_bytes());
    put(4, &SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    put(6, &REQUEST_AND_DUMP.to_ne_bytes());
    put(HEADER, &[family, TCP, 0, 0]);
    put(HEADER + 4, &states.to_ne_bytes());
    bytes
}

/// Hands out the sockets (`inet_diag_msg`) of one piece of the answer; true where it was the last.
fn read_piece(mut piece: &[u8], each: &mut dyn FnMut(&[u8])) -> io::Result<bool> {
    while piece.len() >= HEADER {
        let length = four(piece, 0).map_or(0, u32::from_ne_bytes) as usize;
        let kind = four(piece, 4).map_or(0, |b| u16::from_ne_bytes([b[0], b[1]]));
        let message = piece.get(HEADER..length).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        match kind {
            DONE => return Ok(true),
            ERROR => {
                let code = four(message, 0).map_or(0, i32::from_ne_bytes);
                return Err(io::Error::from_raw_os_error(code.checked_neg().unwrap_or(0)));
            }
            _ => each(message),
        }
        // Messages begin at multiples of four.
        piece = piece.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    if piece.is_empty() { Ok(false) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// `inet_diag_msg` begins with the family and the state.
fn count_socket(socket: &[u8], states: &mut [u32; 13]) {
    if let Some(count) = socket.get(1).and_then(|state| states.get_mut(usize::from(*state))) {
        *count += 1;
    }
}

/// Port at 4 and address at 8 in network order, inode at 68 in the machine's (`inet_diag_msg`).
fn listening_socket(socket: &[u8]) -> Option<ListeningSocket> {
    let [high, low, ..] = four(socket, 4)?;
    let address = match *socket.first()? {
        INET => IpAddr::V4(Ipv4Addr::from(four(socket, 8)?)),
        INET6 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(socket.get(8..24)?).ok()?)).to_canonical(),
        _ => return None,
    };
    let inode = u64::from(u32::from_ne_bytes(four(socket, 68)?));
    Some(ListeningSocket { address: SocketAddr::new(address, u16::from_be_bytes([high, low])), inode })
}

fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at + 4)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.resize(HEADER, 0);
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn states_are_counted_until_the_dump_is_done() {
        let mut states = [0; 13];
        let piece = [message(20, &[2, 1, 0]), message(20, &[2, 10]), message(20, &[10, 1]), message(20, &[2, 200])].concat();
        assert_eq!(read_piece(&piece, &mut |s| count_socket(s, &mut states)).ok(), Some(false));
        assert_eq!((states[1], states[10], states.iter().sum::<u32>()), (2, 1, 3));
        assert_eq!(read_piece(&message(DONE, &[0; 4]), &mut |_| {}).ok(), Some(true));
        let refused = read_piece(&message(ERROR, &(-1_i32).to_ne_bytes()), &mut |_| {});
        assert_eq!(refused.map_err(|e| e.kind()), Err(io::ErrorKind::PermissionDenied));
    }

    #[test]
    fn a_socket_that_listens_is_found_with_its_inode() {
        use std::os::fd::AsRawFd;
        use std::os::linux::fs::MetadataExt;
        let own = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let inode = std::fs::metadata(format!("/proc/self/fd/{}", own.as_raw_fd())).unwrap().st_ino();
        let expected = ListeningSocket { address: own.local_addr().unwrap(), inode };
        assert!(Diagnosis::default().listening().unwrap().contains(&expected));
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), lengths in prop::collection::vec(0_u32..80, 0..4)) {
            let _ = read_piece(&bytes, &mut |s| assert!(listening_socket(s).is_none_or(|l| s.len() >= 72 && l.inode <= u64::from(u32::MAX))));
            let mut shaped = Vec::new();
            for length in lengths {
                shaped.extend(length.to_ne_bytes());
                shaped.extend(bytes.iter().take(60));
            }
            let _ = read_piece(&shaped, &mut |s| count_socket(s, &mut [0; 13]));
        }
    }
}
