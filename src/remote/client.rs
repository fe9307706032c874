//! The attached reader: a thread with the connection, and the snapshot it folds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Address;
use super::connect::Connection;
use crate::base::{Queue, Timestamp, Worker};
use crate::model::{Catalog, Pulse, Snapshot};
use crate::monitor::{
    Answer, Changes, ClientMessage, Link, Monitor, Refusal, RefusalKind, Request, Scope, ServerMessage, Ticket, Waker,
};

/// Pulses kept for a reader that does not look.
const MAX_BEHIND: usize = 120;

/// Requests that may be without an answer: an engine takes no more of one reader (see the API), and one that hangs takes none.
const MAX_OPEN: usize = 64;

/// First and longest pause before connecting again.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Says where engines may be, the first to be tried first; asked before each try to connect, because they move.
pub type Lookup = Box<dyn Fn() -> Vec<Address> + Send>;

/// An engine elsewhere.
pub struct Client {
    shared: Arc<Shared>,
    requests: UnboundedSender<ClientMessage>,
    next: u64,
    lagged: u64,
}

struct Shared {
    state: Mutex<State>,
    pulses: Queue<Arc<Pulse>>,
    wake: Waker,
}

struct State {
    snapshot: Arc<Snapshot>,
    link: Link,
    scope: Scope,
    lagged: u64,
    open: HashMap<Ticket, Option<Result<Answer, Refusal>>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// Connects and waits for the first snapshot, so that the first frame is full; later it connects again by itself.
    ///
    /// # Errors
    /// Why the engine cannot be reached, for people.
    pub fn connect(lookup: Lookup, wake: Waker) -> Result<Self, String> {
        let (requests, inbox) = unbounded_channel();
        let lost = Link::Lost { address: String::new(), since: Timestamp::now(), reason: "connecting".to_owned() };
        let snapshot = Arc::new(Snapshot::empty(Arc::new(Catalog::default())));
        let state = State { snapshot, link: lost, scope: Scope::Read, lagged: 0, open: HashMap::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state), pulses: Queue::new(MAX_BEHIND), wake });
        let (ready, first) = std::sync::mpsc::channel();
        let own = Arc::clone(&shared);
        Worker::spawn("remote", move |_| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(run(&own, &lookup, inbox, &ready)),
                // The reader learns of it as of any failure to connect.
                Err(e) => drop(ready.send(Err(format!("no runtime: {e}")))),
            }
        })
        .map_err(|e| format!("no thread for the connection: {e}"))?;
        first.recv().unwrap_or_else(|_| Err("the connection's thread ended".to_owned()))?;
        Ok(Self { shared, requests, next: 0, lagged: 0 })
    }
}

impl Monitor for Client {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.shared.state().snapshot)
    }

    fn changed(&mut self) -> Changes {
        let pulses = std::iter::from_fn(|| self.shared.pulses.try_pop()).collect();
        let dropped = self.shared.pulses.stats().dropped + self.shared.state().lagged;
        let lagged = dropped - std::mem::replace(&mut self.lagged, dropped);
        Changes { pulses, lagged }
    }

    fn ask(&mut self, request: Request) -> Ticket {
        self.next += 1;
        let ticket = Ticket(self.next);
        let mut state = self.shared.state();
        let open = state.open.values().filter(|answer| answer.is_none()).count();
        let sent = matches!(state.link, Link::Attached(_))
            && open < MAX_OPEN
            && self.requests.send(ClientMessage::Ask { ticket: ticket.0, request }).is_ok();
        let refused = (!sent).then(|| Err(Refusal::new(RefusalKind::Unavailable, "the engine cannot be reached now")));
        state.open.insert(ticket, refused);
        ticket
    }

    fn poll(&mut self, ticket: Ticket) -> Option<Result<Answer, Refusal>> {
        let mut state = self.shared.state();
        match state.open.get(&ticket) {
            Some(Some(_)) => state.open.remove(&ticket).flatten(),
            _ => None,
        }
    }

    fn link(&self) -> Link {
        self.shared.state().link.clone()
    }

    fn scope(&self) -> Scope {
        self.shared.state().scope
    }
}

type First = std::sync::mpsc::Sender<Result<(), String>>;

async fn run(shared: &Shared, lookup: &Lookup, mut inbox: UnboundedReceiver<ClientMessage>, ready: &First) {
    let mut pause = RETRY.0;
    let mut was_ready = false;
    let mut last = None;
    loop {
        let reason = match first_open(lookup()).await {
            Ok((address, connection)) => {
                pause = RETRY.0;
                let ended = talk(shared, &address, connection, &mut inbox, (ready, &mut was_ready)).await;
                last = Some(address);
                match ended {
                    // The reader is gone.
                    None => return,
                    Some(reason) => reason,
                }
            }
            Err(reason) => reason,
        };
        if !was_ready {
            // Nobody waits any more where sending fails.
            let _ = ready.send(Err(reason));
            return;
        }
        if let Some(address) = &last {
            lose(shared, address, &reason);
        }
        tokio::time::sleep(pause).await;
        if inbox.is_closed() {
            return;
        }
        pause = (pause * 2).min(RETRY.1);
    }
}

/// The first engine that answers; else why the first of them does not.
async fn first_open(addresses: Vec<Address>) -> Result<(Address, Connection), String> {
    let mut why = None;
    for address in addresses {
        match Connection::open(&address).await {
            Ok(connection) => return Ok((address, connection)),
            Err(reason) => drop(why.get_or_insert(reason)),
        }
    }
    Err(why.unwrap_or_else(|| "no engine runs".to_owned()))
}

/// Marks the connection lost and refuses what was asked over it.
fn lose(shared: &Shared, address: &Address, reason: &str) {
    let mut state = shared.state();
    if !matches!(state.link, Link::Lost { .. }) {
        state.link = Link::Lost { address: address.to_string(), since: Timestamp::now(), reason: reason.to_owned() };
    }
    for answer in state.open.values_mut().filter(|a| a.is_none()) {
        *answer = Some(Err(Refusal::new(
            RefusalKind::Unavailable,
            format!("no answer: {reason}; it is not known whether it was done"),
        )));
    }
    drop(state);
    (shared.wake)();
}

/// Carries messages both ways; gives the reason of the end, `None` where the reader is gone.
async fn talk(
    shared: &Shared,
    address: &Address,
    mut connection: Connection,
    inbox: &mut UnboundedReceiver<ClientMessage>,
    (ready, was_ready): (&First, &mut bool),
) -> Option<String> {
    shared.state().scope = connection.scope;
    loop {
        tokio::select! {
            message = connection.receive() => match message {
                Ok(ServerMessage::Bye { reason }) | Err(reason) => return Some(reason),
                Ok(message) => {
                    let is_snapshot = matches!(message, ServerMessage::Snapshot { .. });
                    take(shared, address, message);
                    if is_snapshot && !std::mem::replace(was_ready, true) {
                        ready.send(Ok(())).ok()?;
                    }
                    (shared.wake)();
                }
            },
            request = inbox.recv() => {
                if let Err(reason) = connection.send(&request?).await {
                    return Some(reason);
                }
            }
        }
    }
}

fn take(shared: &Shared, address: &Address, message: ServerMessage) {
    let mut state = shared.state();
    match message {
        ServerMessage::Snapshot { snapshot, lagged } => {
            // After a reconnect the pulses between are lost as well; charts fill up from history.
            let again = u64::from(matches!(state.link, Link::Lost { .. }) && state.snapshot.seq > 0);
            state.lagged += lagged.max(again);
            state.snapshot = snapshot;
            state.link = Link::Attached(address.to_string());
        }
        ServerMessage::Pulse { pulse } => {
            state.snapshot = Arc::new(state.snapshot.apply(&pulse));
            drop(state);
            // Counted where it does not fit.
            let _ = shared.pulses.push(pulse);
        }
        ServerMessage::Answer { ticket, result } => {
            if let Some(open) = state.open.get_mut(&Ticket(ticket)) {
                *open = Some(result);
            }
        }
        ServerMessage::Hello { .. } | ServerMessage::Bye { .. } => {}
    }
}
