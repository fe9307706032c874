//! The WebSocket: a snapshot, then every pulse, and requests the other way.
//!
//! Invariant: a reader that is too slow gets a fresh snapshot with the number of pulses it lost.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use tokio::sync::Notify;

use super::Peer;
use super::route::{Entry, Refused, scope_of};
use super::serve::Slot;
use crate::monitor::{ClientMessage, Link, Monitor, Refusal, RefusalKind, Scope, ServerMessage, Ticket, WIRE_VERSION};

/// Largest message a reader may send: requests are small.
const MAX_MESSAGE: usize = 64 << 10;

/// Largest message that is read to its end, so that it can be refused instead of hung up on.
const MAX_READ: usize = 16 * MAX_MESSAGE;

/// Bytes read at once: requests are small, and each reader has this much.
const READ_BUFFER: usize = 4 << 10;

/// Bytes collected before they are sent: a pulse goes out in a few writes.
const WRITE_BUFFER: usize = 16 << 10;

/// Requests of one reader that may be open at once.
const MAX_OPEN: usize = 64;

/// A reader that takes nothing for so long is given up.
const SEND_LIMIT: Duration = Duration::from_secs(30);

/// `GET /api/v1/stream`.
pub(super) async fn upgrade(
    State(entry): State<Entry>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Extension(slot): Extension<Slot>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refused> {
    let scope = scope_of(peer)?;
    let upgrade = upgrade.max_message_size(MAX_READ).read_buffer_size(READ_BUFFER).write_buffer_size(WRITE_BUFFER);
    Ok(upgrade.on_upgrade(move |socket| async move {
        // The other side went away: nothing is left to tell it.
        let _ = run(socket, &entry, (scope, &entry.user(peer))).await;
        drop(slot);
    }))
}

async fn run(mut socket: WebSocket, entry: &Entry, (scope, user): (Scope, &str)) -> Result<(), axum::Error> {
    let notify = Arc::new(Notify::new());
    let waker = Arc::clone(&notify);
    let mut monitor = (entry.monitors)(scope, Arc::new(move || waker.notify_one()));
    let hello = ServerMessage::Hello { version: WIRE_VERSION, program: env!("CARGO_PKG_VERSION").to_owned(), scope };
    send(&mut socket, &hello).await?;
    // Pulses from before the snapshot are already in it.
    monitor.changed();
    let snapshot = monitor.snapshot();
    let mut seen = snapshot.seq;
    send(&mut socket, &ServerMessage::Snapshot { snapshot, lagged: 0 }).await?;
    let mut open: Vec<(u64, Ticket)> = Vec::new();
    loop {
        tokio::select! {
            () = notify.notified() => {
                seen = news(&mut socket, monitor.as_mut(), &mut open, seen).await?;
                if let Link::Lost { reason, .. } = monitor.link()
                    && open.is_empty()
                {
                    send(&mut socket, &ServerMessage::Bye { reason }).await?;
                    return socket.send(Message::Close(None)).await;
                }
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => take(&mut socket, (monitor.as_mut(), user), &mut open, &text).await?,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
        }
    }
}

/// Sends what is new; gives the number of the newest pulse sent.
async fn news(
    socket: &mut WebSocket,
    monitor: &mut dyn Monitor,
    open: &mut Vec<(u64, Ticket)>,
    mut seen: u64,
) -> Result<u64, axum::Error> {
    let changes = monitor.changed();
    if changes.lagged > 0 {
        let snapshot = monitor.snapshot();
        seen = snapshot.seq;
        send(socket, &ServerMessage::Snapshot { snapshot, lagged: changes.lagged }).await?;
    }
    for pulse in changes.pulses.into_iter().filter(|p| p.seq > seen) {
        send(socket, &ServerMessage::Pulse { pulse }).await?;
    }
    let mut waiting = Vec::with_capacity(open.len());
    for (ticket, own) in open.drain(..) {
        match monitor.poll(own) {
            Some(result) => send(socket, &ServerMessage::Answer { ticket, result }).await?,
            None => waiting.push((ticket, own)),
        }
    }
    *open = waiting;
    Ok(seen)
}

/// Takes a reader's message; one that is not understood is answered, not fatal.
async fn take(
    socket: &mut WebSocket,
    (monitor, user): (&mut dyn Monitor, &str),
    open: &mut Vec<(u64, Ticket)>,
    text: &str,
) -> Result<(), axum::Error> {
    let refuse = |ticket, kind, message: String| ServerMessage::Answer { ticket, result: Err(Refusal::new(kind, message)) };
    match serde_json::from_str(text) {
        Ok(ClientMessage::Ask { ticket, .. }) if text.len() > MAX_MESSAGE => {
            let message = format!("the request has {} bytes, at most {MAX_MESSAGE} are taken; ask in several pieces", text.len());
            send(socket, &refuse(ticket, RefusalKind::Invalid, message)).await
        }
        Ok(ClientMessage::Ask { ticket, .. }) if open.len() >= MAX_OPEN => {
            send(socket, &refuse(ticket, RefusalKind::Unavailable, format!("{MAX_OPEN} requests are open already"))).await
        }
        Ok(ClientMessage::Ask { ticket, request }) => {
            open.push((ticket, monitor.ask(request.by(user))));
            Ok(())
        }
        Err(error) => send(socket, &refuse(0, RefusalKind::Invalid, format!("the message was not understood: {error}"))).await,
    }
}

async fn send(socket: &mut WebSocket, message: &ServerMessage) -> Result<(), axum::Error> {
    let text = serde_json::to_string(message).map_err(axum::Error::new)?;
    let sent = tokio::time::timeout(SEND_LIMIT, socket.send(Message::Text(text.into()))).await;
    sent.unwrap_or_else(|late| Err(axum::Error::new(late)))
}
