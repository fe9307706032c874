//! A monitor whose engine can be exchanged while the screen goes on.
//!
//! Invariant: a question asked of the old engine is answered, if only with a refusal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::Reply;
use crate::model::Snapshot;
use crate::monitor::{Answer, Changes, Link, Monitor, Refusal, RefusalKind, Request, Scope, Ticket};

/// Where the next engine is put.
#[derive(Clone, Default)]
pub struct Slot(Arc<Mutex<Option<Box<dyn Monitor>>>>);

impl Slot {
    /// Puts the next engine in.
    pub fn put(&self, monitor: Box<dyn Monitor>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(monitor);
    }

    fn take(&self) -> Option<Box<dyn Monitor>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Starts an engine of this process and says what came of it; must not block.
pub type TakeOver = Box<dyn Fn(Reply) + Send>;

/// Whichever engine is there.
pub struct SwitchMonitor {
    inner: Box<dyn Monitor>,
    slot: Slot,
    take_over: Option<TakeOver>,
    next: u64,
    // This side's number to the engine's; `None`: asked of an engine that is gone.
    open: HashMap<Ticket, Option<Ticket>>,
    // Answers that do not come from an engine.
    own: Arc<Mutex<HashMap<Ticket, Result<Answer, Refusal>>>>,
}

impl SwitchMonitor {
    /// Begins with `inner`.
    pub fn new(inner: Box<dyn Monitor>, slot: Slot) -> Self {
        Self { inner, slot, take_over: None, next: 0, open: HashMap::new(), own: Arc::default() }
    }

    /// The same, able to run an engine of its own when the one it is attached to is lost.
    #[must_use]
    pub fn able_to(mut self, take_over: TakeOver) -> Self {
        self.take_over = Some(take_over);
        self
    }
}

impl Monitor for SwitchMonitor {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.snapshot()
    }

    fn changed(&mut self) -> Changes {
        let Some(next) = self.slot.take() else { return self.inner.changed() };
        self.inner = next;
        self.open.values_mut().for_each(|ticket| *ticket = None);
        let mut changes = self.inner.changed();
        // What happened between the two engines is only in the history.
        changes.lagged += 1;
        changes
    }

    fn ask(&mut self, request: Request) -> Ticket {
        self.next += 1;
        let ticket = Ticket(self.next);
        match &self.take_over {
            Some(take_over) if request == Request::TakeOver && matches!(self.inner.link(), Link::Lost { .. }) => {
                let own = Arc::clone(&self.own);
                take_over(Box::new(move |answer| {
                    own.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket, answer);
                }));
            }
            _ => drop(self.open.insert(ticket, Some(self.inner.ask(request)))),
        }
        ticket
    }

    fn poll(&mut self, ticket: Ticket) -> Option<Result<Answer, Refusal>> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).remove(&ticket);
        if own.is_some() {
            return own;
        }
        let answer = match self.open.get(&ticket)? {
            Some(inner) => self.inner.poll(*inner)?,
            None => Err(Refusal::new(RefusalKind::Unavailable, "the engine changed; it is not known whether it was done")),
        };
        self.open.remove(&ticket);
        Some(answer)
    }

    fn link(&self) -> Link {
        self.inner.link()
    }

    fn scope(&self) -> Scope {
        self.inner.scope()
    }
}
