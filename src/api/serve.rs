//! Connections: how many, how long they may take to say what they want, and how they end.
//!
//! Knows nothing of what is asked. Invariant: a peer that says nothing, or takes nothing, holds its place for a limited time.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::serve::Listener;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::listen::{Peer, Socket};
use super::route::{Entry, router};
use crate::net::LocalStream;

/// What one listener takes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once: screens and scripts of one machine, ten times over.
    pub connections: u32,
    /// Time for the head of a request, and between two requests.
    pub request: Duration,
    /// Time for what is under way when the engine ends.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 256, request: Duration::from_secs(10), farewell: Duration::from_secs(1) }
    }
}

/// A connection's place; free again when its last clone is dropped.
pub(super) type Slot = Arc<OwnedSemaphorePermit>;

/// Asks a listener to end; clones are the same.
#[derive(Debug, Clone)]
pub struct Ending(Arc<watch::Sender<bool>>);

impl Default for Ending {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Ending {
    /// Takes no further connections; those there are may say what they have to.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    async fn asked(&self) {
        // Cannot fail: this holds the sender.
        let _ = self.0.subscribe().wait_for(|asked| *asked).await;
    }
}

/// Serves until it is asked to end and all connections have ended, or had the time for it.
pub async fn serve(mut socket: Socket, entry: Entry, limits: Limits, ending: Ending) {
    let app = router(entry);
    let slots = Arc::new(Semaphore::new(limits.connections as usize));
    loop {
        let (stream, peer) = tokio::select! {
            () = ending.asked() => break,
            accepted = socket.accept() => accepted,
        };
        match Arc::clone(&slots).try_acquire_owned() {
            Ok(slot) => drop(tokio::spawn(connection(stream, (peer, Arc::new(slot)), app.clone(), limits, ending.clone()))),
            Err(_) => turn_away(&stream, limits),
        }
    }
    drop(socket);
    // Whoever does not end in time is left behind with the runtime.
    let _ = tokio::time::timeout(limits.farewell, slots.acquire_many(limits.connections)).await;
}

async fn connection(stream: LocalStream, (peer, slot): (Peer, Slot), app: Router, limits: Limits, ending: Ending) {
    let app = app.layer(Extension(ConnectInfo(peer))).layer(Extension(Arc::clone(&slot)));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(limits.request);
    let connection = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // The other side hung up, was too slow or spoke something else: its own affair.
        _ = connection.as_mut() => return,
        () = ending.asked() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Says why in one write; a peer that does not take it at once does not learn it.
fn turn_away(stream: &LocalStream, limits: Limits) {
    let text =
        format!("all {} connections of this engine are in use; close some, or ask again in a moment\n", limits.connections);
    let head = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain\r\n";
    let _ = stream.try_write(format!("{head}Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
}
