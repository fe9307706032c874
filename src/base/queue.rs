//! A bounded queue between threads that never blocks its writer.
//!
//! Invariant: what does not fit is counted, never waited for and never silently lost.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A bounded queue; clones share it.
#[derive(Debug)]
pub struct Queue<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    dropped: u64,
    peak: usize,
    closed: bool,
}

/// How full a queue is and was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QueueStats {
    /// Values waiting.
    pub depth: usize,
    /// Most values that ever waited.
    pub peak: usize,
    /// Values refused because it was full.
    pub dropped: u64,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Queue<T> {
    /// An empty queue for at most `capacity` values.
    pub fn new(capacity: usize) -> Self {
        let state = State { items: VecDeque::new(), dropped: 0, peak: 0, closed: false };
        Self(Arc::new(Shared { state: Mutex::new(state), ready: Condvar::new(), capacity: capacity.max(1) }))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State<T>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a value at the end.
    ///
    /// # Errors
    /// Gives the value back, counted as dropped, where the queue is full or closed.
    pub fn push(&self, item: T) -> Result<(), T> {
        let mut state = self.state();
        if state.closed || state.items.len() >= self.0.capacity {
            state.dropped += 1;
            return Err(item);
        }
        state.items.push_back(item);
        state.peak = state.peak.max(state.items.len());
        drop(state);
        self.0.ready.notify_one();
        Ok(())
    }

    /// Adds a value at the front, past the capacity: for decisions, which jump the queue and are few.
    pub fn push_front(&self, item: T) {
        let mut state = self.state();
        state.items.push_front(item);
        state.peak = state.peak.max(state.items.len());
        drop(state);
        self.0.ready.notify_one();
    }

    /// Adds a value at the end and drops those waiting that it makes needless, counted: latest wins.
    ///
    /// # Errors
    /// As for [`Queue::push`], where it is full of others or closed.
    pub fn replace(&self, item: T, needless: impl Fn(&T) -> bool) -> Result<(), T> {
        let mut state = self.state();
        if !state.closed {
            let before = state.items.len();
            state.items.retain(|waiting| !needless(waiting));
            state.dropped += (before - state.items.len()) as u64;
        }
        drop(state);
        self.push(item)
    }

    /// Waits for a value; `None` once the queue is closed and empty, or when `timeout` has passed.
    pub fn pop(&self, timeout: Option<Duration>) -> Option<T> {
        let mut state = self.state();
        let mut waited = false;
        loop {
            if let Some(item) = state.items.pop_front() {
                return Some(item);
            }
            if state.closed || waited {
                return None;
            }
            state = match timeout {
                None => self.0.ready.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(limit) => {
                    let (state, result) = self.0.ready.wait_timeout(state, limit).unwrap_or_else(PoisonError::into_inner);
                    waited = result.timed_out();
                    state
                }
            };
        }
    }

    /// Takes a value if one is there.
    pub fn try_pop(&self) -> Option<T> {
        self.state().items.pop_front()
    }

    /// Refuses further values; those waiting can still be taken.
    pub fn close(&self) {
        self.state().closed = true;
        self.0.ready.notify_all();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Whether a value that fits waits.
    pub fn any(&self, fits: impl FnMut(&T) -> bool) -> bool {
        self.state().items.iter().any(fits)
    }

    /// How full it is.
    pub fn stats(&self) -> QueueStats {
        let state = self.state();
        QueueStats { depth: state.items.len(), peak: state.peak, dropped: state.dropped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_gives_the_value_back_and_counts_it() {
        let queue = Queue::new(2);
        assert_eq!([queue.push(1), queue.push(2), queue.push(3)], [Ok(()), Ok(()), Err(3)]);
        assert_eq!(queue.stats(), QueueStats { depth: 2, peak: 2, dropped: 1 });
        queue.push_front(0);
        assert_eq!([queue.try_pop(), queue.try_pop(), queue.try_pop(), queue.try_pop()], [Some(0), Some(1), Some(2), None]);
    }

    #[test]
    fn the_latest_of_its_kind_replaces_those_that_wait() {
        let queue = Queue::new(2);
        assert_eq!([queue.push(1), queue.push(2)], [Ok(()), Ok(())]);
        assert_eq!(queue.replace(11, |n| n % 10 == 1), Ok(()));
        assert_eq!(queue.replace(3, |n| n % 10 == 3), Err(3), "full of others");
        assert_eq!([queue.try_pop(), queue.try_pop(), queue.try_pop()], [Some(2), Some(11), None]);
        assert_eq!(queue.stats().dropped, 2);
    }

    #[test]
    fn a_closed_queue_is_emptied_and_then_ends() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1), Ok(()));
        queue.close();
        assert_eq!([queue.pop(None), queue.pop(None)], [Some(1), None]);
        assert_eq!(queue.push(2), Err(2));
    }
}
