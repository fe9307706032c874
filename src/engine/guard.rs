//! Catches panics of a worker's steps and decides when to give up.
//!
//! Invariant: one bad event costs that event. Five panics in ten minutes of what records end the process, those of what only
//! answers or forecasts never do.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::base::worker::panic_text;
use crate::store::OpenError;

/// So many panics of all that records within [`SPAN`] and it is hopeless.
const LIMIT: usize = 5;
const SPAN: Duration = Duration::from_secs(600);

/// Wait after a first panic; each further one within [`SPAN`] adds as much, up to [`MAX_WAIT`].
const WAIT: Duration = Duration::from_millis(50);
const MAX_WAIT: Duration = Duration::from_secs(1);

/// When workers panicked; clones share it.
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

/// Watches over a worker without which nothing is recorded.
#[derive(Debug)]
pub struct Guard(Watch);

/// Watches over a worker that recording does not need: however often it panics, the process goes on.
#[derive(Debug)]
pub struct Spare(Watch);

#[derive(Debug)]
struct Watch {
    name: &'static str,
    panics: Panics,
    restarts: Arc<AtomicU32>,
}

/// What became of a step of what records.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<R> {
    /// It ended.
    Done(R),
    /// It panicked: rebuild what it worked on and go on.
    Panicked,
    /// It panicked once too often: end the process.
    Hopeless,
}

impl Watch {
    /// Runs one step; the error is how many panics there were of late.
    fn run<R>(&mut self, step: impl FnOnce() -> R) -> Result<R, usize> {
        catch_unwind(AssertUnwindSafe(step)).map_err(|payload| {
            tracing::error!(worker = self.name, panic = panic_text(payload.as_ref()), "a worker failed and is rebuilt");
            self.restarts.fetch_add(1, Ordering::Relaxed);
            self.panics.add()
        })
    }
}

/// Keeps what fails again and again from taking the processor.
fn rest(recent: usize) {
    std::thread::sleep(WAIT.saturating_mul(u32::try_from(recent).unwrap_or(u32::MAX)).min(MAX_WAIT));
}

impl Guard {
    /// For the worker of that name, whose panics count with those of the others.
    pub fn new(name: &'static str, panics: &Panics) -> Self {
        Self(Watch { name, panics: panics.clone(), restarts: Arc::default() })
    }

    /// How often it panicked; shared.
    pub fn restarts(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.0.restarts)
    }

    /// Runs one step; after a panic waits a little longer each time.
    pub fn run<R>(&mut self, step: impl FnOnce() -> R) -> Step<R> {
        match self.0.run(step) {
            Ok(result) => Step::Done(result),
            Err(LIMIT..) => Step::Hopeless,
            Err(recent) => {
                rest(recent);
                Step::Panicked
            }
        }
    }
}

impl Spare {
    /// For the worker of that name, whose panics are nobody else's.
    pub fn new(name: &'static str) -> Self {
        Self(Watch { name, panics: Panics::default(), restarts: Arc::default() })
    }

    /// How often it panicked; shared.
    pub fn restarts(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.0.restarts)
    }

    /// Runs one step; nothing where it panicked, after waiting a little longer each time.
    pub fn run<R>(&mut self, step: impl FnOnce() -> R) -> Option<R> {
        self.0.run(step).map_err(rest).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_panic_is_one_too_many() {
        let panics = Panics::default();
        let mut guards = [Guard::new("store", &panics), Guard::new("sample", &panics)];
        let ends: Vec<bool> = (0..5).map(|n| guards[n % 2].run(|| panic!("bad event")) == Step::<()>::Hopeless).collect();
        assert_eq!(ends, [false, false, false, false, true], "whichever worker it is");
        assert_eq!(guards[0].run(|| 3), Step::Done(3));
    }

    #[test]
    fn what_recording_does_not_need_may_fail_as_often_as_it_likes() {
        let mut reader = Spare::new("reader");
        let answers: Vec<Option<u8>> = (0..=LIMIT).map(|_| reader.run(|| panic!("bad question"))).collect();
        assert_eq!(answers, [None; LIMIT + 1]);
        assert_eq!((reader.run(|| 3), reader.restarts().load(Ordering::Relaxed)), (Some(3), 6));
    }
}
