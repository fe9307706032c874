//! A monitor whose engine can be exchanged while the screen goes on.
//!
//! Invariant: a question asked of the old engine is answered, if only with a refusal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

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

/// Whichever engine is there.
pub struct SwitchMonitor {
    inner: Box<dyn Monitor>,
    slot: Slot,
    next: u64,
    // This side's number to the engine's; `None`: asked of an engine that is gone.
    open: HashMap<Ticket, Option<Ticket>>,
}

impl SwitchMonitor {
    /// Begins with `inner`.
    pub fn new(inner: Box<dyn Monitor>, slot: Slot) -> Self {
        Self { inner, slot, next: 0, open: HashMap::new() }
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
        self.open.insert(ticket, Some(self.inner.ask(request)));
        ticket
    }

    fn poll(&mut self, ticket: Ticket) -> Option<Result<Answer, Refusal>> {
        let answer = match self.open.get(&ticket)? {
            Some(own) => self.inner.poll(*own)?,
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
