//! Sockets of this machine that are files, on systems that have none, or none that this program knows.
//!
//! Invariant: each way to have one fails with the same reason, so that nothing else here can be reached.

use std::convert::Infallible;
use std::io::{self, Error, ErrorKind, IoSlice};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What everybody is told.
fn absent<T>() -> io::Result<T> {
    Err(Error::new(ErrorKind::Unsupported, "farol knows no Unix sockets on this system"))
}

/// A connection; there are none.
#[derive(Debug)]
pub struct LocalStream(Infallible);

/// A socket that waits for connections; there are none.
#[derive(Debug)]
pub struct LocalListener(Infallible);

impl LocalListener {
    /// The next connection.
    ///
    /// # Errors
    /// None.
    pub async fn accept(&self) -> io::Result<(LocalStream, ())> {
        match self.0 {}
    }
}

impl LocalStream {
    /// Writes what can be written at once.
    ///
    /// # Errors
    /// None.
    pub fn try_write(&self, _: &[u8]) -> io::Result<usize> {
        match self.0 {}
    }
}

impl AsyncRead for LocalStream {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

impl AsyncWrite for LocalStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_write_vectored(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

/// Connects to a socket.
///
/// # Errors
/// Always.
pub async fn connect_local(_: &Path) -> io::Result<LocalStream> {
    absent()
}

/// Whether somebody listens at a path: nobody.
pub fn is_listening(_: &Path) -> bool {
    false
}

/// Makes a socket.
///
/// # Errors
/// Always.
pub fn listen_local(_: &Path) -> io::Result<LocalListener> {
    absent()
}

/// Number of the user on the other side.
pub fn peer_user(stream: &LocalStream) -> Option<u32> {
    match stream.0 {}
}

/// Gives a socket's file to a group, or back to its owner alone.
///
/// # Errors
/// Always.
pub fn open_to(_: &Path, _: Option<u32>) -> io::Result<()> {
    absent()
}

/// Sends one datagram to a socket.
///
/// # Errors
/// Always.
pub async fn send_local(_: &Path, _: &[u8]) -> io::Result<()> {
    absent()
}
