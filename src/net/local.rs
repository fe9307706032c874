//! Sockets of this machine that are files: Unix sockets.
//!
//! Invariant: a socket that is made is its owner's alone from its first moment.

use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use tokio::net::UnixDatagram;
pub use tokio::net::{UnixListener as LocalListener, UnixStream as LocalStream};

/// Connects to a socket.
///
/// # Errors
/// Nobody listens there, or not to this user.
pub async fn connect_local(path: &Path) -> io::Result<LocalStream> {
    LocalStream::connect(path).await
}

/// Whether somebody listens at a path and lets this user in; does not wait.
pub fn is_listening(path: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(path).is_ok()
}

/// Makes a socket that only its owner reaches (mode 0600).
///
/// # Errors
/// Where the file cannot be made.
pub fn listen_local(path: &Path) -> io::Result<LocalListener> {
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let bound = LocalListener::bind(path);
    rustix::process::umask(before);
    bound
}

/// Number of the user on the other side; `None` where the kernel does not say.
pub fn peer_user(stream: &LocalStream) -> Option<u32> {
    stream.peer_cred().ok().map(|credentials| credentials.uid())
}

/// Gives a socket's file to a group (mode 0660), or back to its owner alone.
///
/// # Errors
/// It belongs to somebody else, or this user is not of the group.
pub fn open_to(path: &Path, group: Option<u32>) -> io::Result<()> {
    let mode = |mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    if group.is_none() {
        return mode(0o600);
    }
    chown(path, None, group)?;
    mode(0o660)?;
    if let Err(error) = let_through(path) {
        tracing::warn!(%error, socket = %path.display(), "the group cannot pass the socket's folder");
    }
    Ok(())
}

/// Lets others pass the socket's folder, which is its owner's alone, without letting them list it.
fn let_through(socket: &Path) -> io::Result<()> {
    let Some(folder) = socket.parent() else { return Ok(()) };
    let mode = std::fs::metadata(folder)?.permissions().mode();
    if mode & 0o011 == 0o011 {
        return Ok(());
    }
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode | 0o011))
}

/// Sends one datagram to a socket.
///
/// # Errors
/// Nobody listens there, or not to this user; it is too long.
pub async fn send_local(path: &Path, bytes: &[u8]) -> io::Result<()> {
    UnixDatagram::unbound()?.send_to(bytes, path).await.map(|_| ())
}
