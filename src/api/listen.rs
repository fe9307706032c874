//! The Unix socket: its file, its mode, and who may do what over it.
//!
//! Invariant: a socket file is only replaced by the holder of the data folder's lock.

use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{UnixListener, UnixStream};

use crate::monitor::Scope;

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Access {
    /// Group whose members may operate; `None`: only the owner and root.
    pub group: Option<u32>,
}

impl Access {
    /// What a peer with that user and group may do; `None`: nothing.
    ///
    /// Same user and root: everything. Member of the group: operate. Others cannot even open the socket,
    /// and are refused where they can.
    pub fn scope(self, uid: u32, gid: u32, own: u32) -> Option<Scope> {
        if uid == own || uid == 0 {
            return Some(Scope::Admin);
        }
        (self.group == Some(gid)).then_some(Scope::Operate)
    }
}

/// Why the socket could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("socket {}: {source}; other farol commands cannot reach this engine", .path.display())]
pub struct SocketError {
    path: PathBuf,
    source: io::Error,
}

/// Who is on the other side.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// What it may do; `None`: nothing.
    pub scope: Option<Scope>,
}

/// A socket whose file is removed when it is dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    access: Access,
}

/// Opens the socket at `path`, replacing a stale one; the caller holds the data folder's lock.
///
/// # Errors
/// Where the file cannot be made.
pub fn bind(path: &Path, access: Access) -> Result<Socket, SocketError> {
    let fail = |source| SocketError { path: path.to_owned(), source };
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(fail(e)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(fail)?;
    let mode = if access.group.is_some() { 0o660 } else { 0o600 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(fail)?;
    if access.group.is_some() {
        chown(path, None, access.group).map_err(fail)?;
    }
    Ok(Socket { listener, path: path.to_owned(), access })
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Listener for Socket {
    type Io = UnixStream;
    type Addr = Peer;

    async fn accept(&mut self) -> (UnixStream, Peer) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let own = rustix::process::getuid().as_raw();
                    let scope = stream.peer_cred().ok().and_then(|c| self.access.scope(c.uid(), c.gid(), own));
                    return (stream, Peer { scope });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    // Out of file descriptors, most likely: leave room for some to be given back.
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { scope: None })
    }
}

impl Connected<IncomingStream<'_, Socket>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Socket>) -> Self {
        *stream.remote_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peers_user_gives_the_scope() {
        let access = Access { group: Some(50) };
        assert_eq!(access.scope(1000, 1000, 1000), Some(Scope::Admin));
        assert_eq!(access.scope(0, 0, 1000), Some(Scope::Admin));
        assert_eq!(access.scope(1001, 50, 1000), Some(Scope::Operate));
        assert_eq!(access.scope(1001, 1001, 1000), None);
        assert_eq!(Access::default().scope(1001, 50, 1000), None);
    }
}
