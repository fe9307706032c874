//! TCP sockets by state, asked of the kernel over netlink (`SOCK_DIAG`).
//!
//! `/proc/net/tcp` says the same at twenty times the cost. Invariant: any bytes from the socket give
//! an answer or an error, never a panic, and a failed dump leaves no rest for the next one.

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};

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
        for family in [INET, INET6] {
            if let Err(error) = self.dump(family, &mut states) {
                self.socket = None;
                // A kernel without IPv6 knows no such family.
                if family == INET || error.kind() != io::ErrorKind::NotFound {
                    return Err(error);
                }
            }
        }
        // Between rounds the memory is better used elsewhere.
        self.buffer = Vec::new();
        Ok(states)
    }

    fn dump(&mut self, family: u8, states: &mut [u32; 13]) -> io::Result<()> {
        let socket = match &mut self.socket {
            Some(socket) => socket,
            none => none.insert(rustix::net::socket_with(
                AddressFamily::NETLINK,
                SocketType::RAW,
                SocketFlags::CLOEXEC,
                Some(netlink::SOCK_DIAG),
            )?),
        };
        rustix::net::send(&*socket, &request(family), SendFlags::empty())?;
        self.buffer.resize(PIECE, 0);
        loop {
            let (length, _) = rustix::net::recv(&*socket, self.buffer.as_mut_slice(), RecvFlags::empty())?;
            if count_piece(self.buffer.get(..length).unwrap_or_default(), states)? {
                return Ok(());
            }
        }
    }
}

/// A request for all TCP sockets of a family.
fn request(family: u8) -> [u8; HEADER + REQUEST] {
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
    put(HEADER + 4, &ALL_STATES.to_ne_bytes());
    bytes
}

/// Counts the sockets of one piece of the answer; true where it was the last.
fn count_piece(mut piece: &[u8], states: &mut [u32; 13]) -> io::Result<bool> {
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
            _ => {
                // `inet_diag_msg` begins with the family and the state.
                if let Some(count) = message.get(1).and_then(|state| states.get_mut(usize::from(*state))) {
                    *count += 1;
                }
            }
        }
        // Messages begin at multiples of four.
        piece = piece.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    if piece.is_empty() { Ok(false) } else { Err(io::ErrorKind::InvalidData.into()) }
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
        assert_eq!(count_piece(&piece, &mut states).ok(), Some(false));
        assert_eq!((states[1], states[10], states.iter().sum::<u32>()), (2, 1, 3));
        assert_eq!(count_piece(&message(DONE, &[0; 4]), &mut states).ok(), Some(true));
        let refused = count_piece(&message(ERROR, &(-1_i32).to_ne_bytes()), &mut states);
        assert_eq!(refused.map_err(|e| e.kind()), Err(io::ErrorKind::PermissionDenied));
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), lengths in prop::collection::vec(0_u32..80, 0..4)) {
            let _ = count_piece(&bytes, &mut [0; 13]);
            let mut shaped = Vec::new();
            for length in lengths {
                shaped.extend(length.to_ne_bytes());
                shaped.extend(bytes.iter().take(60));
            }
            let _ = count_piece(&shaped, &mut [0; 13]);
        }
    }
}
