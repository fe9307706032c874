//! The Unix socket: its file, its mode, and who may do what over it.
//!
//! Invariant: a socket file is only replaced by the holder of the data folder's lock.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use axum::serve::Listener;

use crate::base::system;
use crate::monitor::Scope;
use crate::net::{LocalListener, LocalStream, listen_local, open_to, peer_user};

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Access {
    /// Group whose members may operate; `None`: only the owner and root.
    pub group: Option<u32>,
}

impl Access {
    /// What a peer with that user may do; `None`: nothing.
    ///
    /// Same user and root: everything. With a group, whoever else got through is one of its members, because
    /// the socket's mode lets in nobody else: operate. Without one, nothing.
    pub fn scope(self, uid: u32, own: u32) -> Option<Scope> {
        if uid == own || uid == 0 {
            return Some(Scope::Admin);
        }
        self.group.map(|_| Scope::Operate)
    }
}

/// Why the socket could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("socket {}: {source}; other farol commands cannot reach this engine", .path.display())]
pub struct SocketError {
    path: PathBuf,
    source: io::Error,
}

impl SocketError {
    /// Whether this system has no such sockets at all.
    pub fn is_of_the_system(&self) -> bool {
        self.source.kind() == io::ErrorKind::Unsupported
    }
}

/// Who is on the other side.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// What it may do; `None`: nothing.
    pub scope: Option<Scope>,
    /// Number of its user, as the kernel says; `None` where it does not say.
    pub uid: Option<u32>,
}

/// A socket whose file is removed when it is dropped.
#[derive(Debug)]
pub struct Socket {
    listener: LocalListener,
    door: Door,
}

/// Who is let in by a socket that is open; clones are the same one.
#[derive(Debug, Clone)]
pub struct Door(Arc<(PathBuf, RwLock<Access>)>);

impl Door {
    /// Where the socket is.
    pub fn path(&self) -> &Path {
        &self.0.0
    }

    /// Lets others in from now on: the file's group and mode, and what new connections may do.
    ///
    /// # Errors
    /// Where the file cannot be given to the group; nothing has changed then.
    pub fn admit(&self, access: Access) -> Result<(), SocketError> {
        let mut now = self.0.1.write().unwrap_or_else(PoisonError::into_inner);
        if *now != access {
            open_to(self.path(), access.group).map_err(|source| SocketError { path: self.path().to_owned(), source })?;
            *now = access;
        }
        Ok(())
    }

    fn scope(&self, uid: u32) -> Option<Scope> {
        self.0.1.read().unwrap_or_else(PoisonError::into_inner).scope(uid, system::user()?)
    }
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
    // The owner's alone from its first moment; the group gets in only once it is the right one.
    let listener = listen_local(path).map_err(fail)?;
    let socket = Socket { listener, door: Door(Arc::new((path.to_owned(), RwLock::new(Access::default())))) };
    socket.door.admit(access)?;
    Ok(socket)
}

impl Socket {
    /// Who is let in.
    pub fn door(&self) -> &Door {
        &self.door
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = std::fs::remove_file(self.door.path());
    }
}

impl Listener for Socket {
    type Io = LocalStream;
    type Addr = Peer;

    async fn accept(&mut self) -> (LocalStream, Peer) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let uid = peer_user(&stream);
                    return (stream, Peer { scope: uid.and_then(|uid| self.door.scope(uid)), uid });
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
        Ok(Peer { scope: None, uid: None })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_peers_user_gives_the_scope() {
        let access = Access { group: Some(50) };
        assert_eq!(access.scope(1000, 1000), Some(Scope::Admin));
        assert_eq!(access.scope(0, 1000), Some(Scope::Admin));
        assert_eq!(access.scope(1001, 1000), Some(Scope::Operate));
        assert_eq!(Access::default().scope(1001, 1000), None);
    }

    #[test]
    fn the_sockets_mode_lets_in_the_owner_or_the_group() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let _entered = runtime.enter();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).expect("its own");
        let path = folder.path().join("farol.sock");
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        let socket = bind(&path, Access::default()).expect("opened");
        assert_eq!((mode(&path), mode(folder.path())), (0o600, 0o700));
        drop(socket);
        let own = rustix::process::getgid().as_raw();
        let socket = bind(&path, Access { group: Some(own) }).expect("opened");
        assert_eq!((mode(&path), mode(folder.path())), (0o660, 0o711));
        assert_eq!(socket.door().scope(4_000_000_000), Some(Scope::Operate));
        socket.door().admit(Access::default()).expect("ours");
        assert_eq!((mode(&path), socket.door().scope(4_000_000_000)), (0o600, None), "after a reload");
    }
}
