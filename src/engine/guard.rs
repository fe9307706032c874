//! Catches panics of a worker's steps and decides when to give up.
//!
//! Invariant: one bad event costs that event; five panics in ten minutes end the process.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::base::worker::panic_text;

/// So many panics within [`SPAN`] and it is hopeless.
const LIMIT: usize = 5;
const SPAN: Duration = Duration::from_secs(600);

/// Watches over one worker.
#[derive(Debug)]
pub struct Guard {
    name: &'static str,
    recent: VecDeque<Instant>,
    restarts: Arc<AtomicU32>,
}

/// What became of a step.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<R> {
    /// It ended.
    Done(R),
    /// It panicked: rebuild what it worked on and go on.
    Panicked,
    /// It panicked once too often: end the process.
    Hopeless,
}

impl Guard {
    /// For the worker of that name.
    pub fn new(name: &'static str) -> Self {
        Self { name, recent: VecDeque::new(), restarts: Arc::default() }
    }

    /// How often it panicked; shared.
    pub fn restarts(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.restarts)
    }

    /// Runs one step; after a panic waits a little longer each time.
    pub fn run<R>(&mut self, step: impl FnOnce() -> R) -> Step<R> {
        let payload = match catch_unwind(AssertUnwindSafe(step)) {
            Ok(result) => return Step::Done(result),
            Err(payload) => payload,
        };
        tracing::error!(worker = self.name, panic = panic_text(payload.as_ref()), "a worker failed and is rebuilt");
        self.restarts.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        self.recent.retain(|at| now.duration_since(*at) < SPAN);
        self.recent.push_back(now);
        if self.recent.len() >= LIMIT {
            return Step::Hopeless;
        }
        std::thread::sleep(Duration::from_millis(50) * u32::try_from(self.recent.len()).unwrap_or(1));
        Step::Panicked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_panic_is_one_too_many() {
        let mut guard = Guard::new("test");
        let ends: Vec<bool> = (0..5).map(|_| guard.run(|| panic!("bad event")) == Step::<()>::Hopeless).collect();
        assert_eq!(ends, [false, false, false, false, true]);
        assert_eq!(guard.run(|| 3), Step::Done(3));
    }
}
