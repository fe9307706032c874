//! Catches panics of a worker's steps and decides when to give up.
//!
//! Invariant: one bad event costs that event; five panics in ten minutes end the process.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::base::worker::panic_text;
use crate::store::OpenError;

/// So many panics of all workers within [`SPAN`] and it is hopeless.
const LIMIT: usize = 5;
const SPAN: Duration = Duration::from_secs(600);

/// When the workers of one engine panicked; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Panics(Arc<Mutex<VecDeque<Instant>>>);

impl Panics {
    /// Counts one; how many there were within the span.
    fn add(&self) -> usize {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        recent.retain(|at| now.duration_since(*at) < SPAN);
        recent.push_back(now);
        recent.len()
    }
}

/// Reads a history where nobody has vouched for its pages yet: the database below panics on some that are damaged.
///
/// # Errors
/// [`OpenError::Damaged`] where it did, beside its own.
pub fn untrusted<T, E: From<OpenError>>(path: &Path, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|payload| {
        let reason = panic_text(payload.as_ref());
        Err(OpenError::Damaged { path: path.to_owned(), reason }.into())
    })
}

/// Watches over one worker.
#[derive(Debug)]
pub struct Guard {
    name: &'static str,
    panics: Panics,
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
    /// For the worker of that name, whose panics count with those of the others.
    pub fn new(name: &'static str, panics: &Panics) -> Self {
        Self { name, panics: panics.clone(), restarts: Arc::default() }
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
        let recent = self.panics.add();
        if recent >= LIMIT {
            return Step::Hopeless;
        }
        std::thread::sleep(Duration::from_millis(50) * u32::try_from(recent).unwrap_or(1));
        Step::Panicked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_panic_is_one_too_many() {
        let panics = Panics::default();
        let mut guards = [Guard::new("reader", &panics), Guard::new("fit", &panics)];
        let ends: Vec<bool> = (0..5).map(|n| guards[n % 2].run(|| panic!("bad event")) == Step::<()>::Hopeless).collect();
        assert_eq!(ends, [false, false, false, false, true], "whichever worker it is");
        assert_eq!(guards[0].run(|| 3), Step::Done(3));
    }
}
