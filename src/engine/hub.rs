//! Where readers meet the engine: the newest snapshot, the pulses, and the way in for wishes.
//!
//! Invariant: a slow reader loses pulses, which it is told, and never holds the engine up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use crate::base::Queue;
use crate::model::{Pulse, Snapshot};
use crate::monitor::{Answer, Changes, Link, Monitor, Refusal, RefusalKind, Request, Scope, Ticket, Waker};

/// Pulses a reader may be behind before it loses some: two minutes at 1 s.
const MAX_BEHIND: usize = 120;

/// What becomes of an answer.
pub type Reply = Box<dyn FnOnce(Result<Answer, Refusal>) + Send>;

/// A wish on its way to the engine.
pub struct Wish {
    /// What is wished.
    pub request: Request,
    /// Where the answer goes.
    pub reply: Reply,
}

impl Wish {
    /// Refuses the wish.
    pub fn refuse(self, kind: RefusalKind, message: impl Into<String>) {
        (self.reply)(Err(Refusal::new(kind, message)));
    }
}

/// The meeting place; clones share it.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    snapshot: RwLock<Arc<Snapshot>>,
    readers: Mutex<Vec<Weak<Mailbox>>>,
    submit: Box<dyn Fn(Wish) + Send + Sync>,
}

struct Mailbox {
    pulses: Queue<Arc<Pulse>>,
    answers: Mutex<HashMap<Ticket, Result<Answer, Refusal>>>,
    wake: Waker,
}

impl Hub {
    /// A hub that starts with `snapshot` and hands wishes to `submit`, which must not block.
    pub fn new(snapshot: Arc<Snapshot>, submit: impl Fn(Wish) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared { snapshot: RwLock::new(snapshot), readers: Mutex::default(), submit: Box::new(submit) }))
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Folds a pulse into the snapshot and gives it to all readers.
    pub fn publish(&self, pulse: Arc<Pulse>) {
        {
            let mut snapshot = self.0.snapshot.write().unwrap_or_else(PoisonError::into_inner);
            *snapshot = Arc::new(snapshot.apply(&pulse));
        }
        let mut readers = self.0.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reader| {
            let Some(mailbox) = reader.upgrade() else { return false };
            // What does not fit is counted by the queue and told to the reader.
            let _ = mailbox.pulses.push(Arc::clone(&pulse));
            (mailbox.wake)();
            true
        });
    }

    /// Wakes all readers, because the engine ends.
    pub fn close(&self) {
        for reader in self.0.readers.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
            reader.pulses.close();
            (reader.wake)();
        }
    }

    /// How many readers look on.
    pub fn readers(&self) -> usize {
        self.0.readers.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(|r| r.strong_count() > 0).count()
    }

    /// Sends a wish to the engine.
    pub fn submit(&self, wish: Wish) {
        (self.0.submit)(wish);
    }

    /// A reader with its own mailbox; `wake` is called from any thread when there is something new.
    pub fn monitor(&self, scope: Scope, wake: Waker) -> EngineMonitor {
        let mailbox = Arc::new(Mailbox { pulses: Queue::new(MAX_BEHIND), answers: Mutex::default(), wake });
        self.0.readers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&mailbox));
        EngineMonitor { hub: self.clone(), mailbox, scope, link: Link::Own, next: 0, lagged: 0 }
    }
}

/// The engine of this process as a [`Monitor`].
pub struct EngineMonitor {
    hub: Hub,
    mailbox: Arc<Mailbox>,
    scope: Scope,
    link: Link,
    next: u64,
    lagged: u64,
}

impl EngineMonitor {
    /// The same, saying that it plays back `file`.
    #[must_use]
    pub fn replaying(mut self, file: String) -> Self {
        self.link = Link::Replay(file);
        self
    }

    /// Whether the engine has ended.
    pub fn is_closed(&self) -> bool {
        self.mailbox.pulses.is_closed()
    }
}

impl Monitor for EngineMonitor {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.hub.snapshot()
    }

    fn changed(&mut self) -> Changes {
        let pulses = std::iter::from_fn(|| self.mailbox.pulses.try_pop()).collect();
        let dropped = self.mailbox.pulses.stats().dropped;
        let lagged = dropped - std::mem::replace(&mut self.lagged, dropped);
        Changes { pulses, lagged }
    }

    fn ask(&mut self, request: Request) -> Ticket {
        self.next += 1;
        let ticket = Ticket(self.next);
        let mailbox = Arc::downgrade(&self.mailbox);
        let reply: Reply = Box::new(move |answer| {
            if let Some(mailbox) = mailbox.upgrade() {
                mailbox.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket, answer);
                (mailbox.wake)();
            }
        });
        let wish = Wish { request, reply };
        if wish.request.scope() > self.scope {
            wish.refuse(RefusalKind::Forbidden, "not permitted: this connection may only look");
        } else {
            self.hub.submit(wish);
        }
        ticket
    }

    fn poll(&mut self, ticket: Ticket) -> Option<Result<Answer, Refusal>> {
        self.mailbox.answers.lock().unwrap_or_else(PoisonError::into_inner).remove(&ticket)
    }

    fn link(&self) -> Link {
        if self.is_closed() && self.link == Link::Own {
            let (address, reason) = ("this process".to_owned(), "the engine ended".to_owned());
            return Link::Lost { address, since: self.hub.snapshot().at, reason };
        }
        self.link.clone()
    }

    fn scope(&self) -> Scope {
        self.scope
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Catalog;
    use crate::monitor::Saved;

    fn hub() -> Hub {
        Hub::new(Arc::new(Snapshot::empty(Arc::new(Catalog::default()))), |wish| {
            (wish.reply)(Ok(Answer::Done { saved: Saved::Disk, message: String::new() }));
        })
    }

    #[test]
    fn a_slow_reader_is_told_what_it_lost() {
        let hub = hub();
        let mut reader = hub.monitor(Scope::Read, Arc::new(|| {}));
        for seq in 1..=130 {
            hub.publish(Arc::new(Pulse { seq, ..Pulse::default() }));
        }
        let changes = reader.changed();
        assert_eq!((changes.pulses.len(), changes.lagged), (120, 10));
        assert_eq!(reader.snapshot().seq, 130);
        assert_eq!(reader.changed().lagged, 0);
    }

    #[test]
    fn a_wish_beyond_the_scope_is_refused() {
        let hub = hub();
        let mut reader = hub.monitor(Scope::Operate, Arc::new(|| {}));
        let ticket = reader.ask(Request::Stop);
        assert_eq!(reader.poll(ticket).map(|r| r.map_err(|e| e.kind)), Some(Err(RefusalKind::Forbidden)));
        let ticket = reader.ask(Request::CheckNow { service: "web".into() });
        assert!(matches!(reader.poll(ticket), Some(Ok(_))));
    }

    #[test]
    fn a_reader_that_left_is_forgotten() {
        let hub = hub();
        drop(hub.monitor(Scope::Read, Arc::new(|| {})));
        hub.publish(Arc::new(Pulse::default()));
        assert_eq!(hub.readers(), 0);
    }
}
