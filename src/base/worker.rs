//! A named thread with a heartbeat whose panic is caught.
//!
//! Invariant: a worker's panic ends the worker, never the process; the owner learns of it and decides.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// When a thread last showed that it lives; clones share it.
#[derive(Debug, Clone)]
pub struct Beat {
    origin: Instant,
    last_ms: Arc<AtomicU64>,
}

impl Default for Beat {
    fn default() -> Self {
        Self { origin: Instant::now(), last_ms: Arc::new(AtomicU64::new(0)) }
    }
}

impl Beat {
    /// Says: alive now.
    pub fn mark(&self) {
        let now = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now, Ordering::Relaxed);
    }

    /// How long ago the last mark was.
    pub fn age(&self) -> Duration {
        self.origin.elapsed().saturating_sub(Duration::from_millis(self.last_ms.load(Ordering::Relaxed)))
    }
}

/// A running thread; dropped, it goes on.
#[derive(Debug)]
pub struct Worker {
    name: String,
    beat: Beat,
    handle: JoinHandle<Option<String>>,
}

impl Worker {
    /// Starts a thread named `farol-NAME` that runs `body` once.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn spawn(name: &str, body: impl FnOnce(&Beat) + Send + 'static) -> io::Result<Self> {
        let beat = Beat::default();
        let own = beat.clone();
        let handle = std::thread::Builder::new().name(format!("farol-{name}")).spawn(move || {
            own.mark();
            catch_unwind(AssertUnwindSafe(|| body(&own))).err().map(|payload| panic_text(payload.as_ref()))
        })?;
        Ok(Self { name: name.to_owned(), beat, handle })
    }

    /// Its name without the prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its heartbeat.
    pub fn beat(&self) -> &Beat {
        &self.beat
    }

    /// Whether it has ended.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// Waits until it ends or `deadline` passes; gives the text of a panic, or itself where it still runs.
    ///
    /// # Errors
    /// The worker, still running.
    pub fn join_by(self, deadline: Instant) -> Result<Option<String>, Self> {
        // std has no timed join: poll, finely at first because most workers end at once.
        let mut pause = Duration::from_micros(100);
        while !self.handle.is_finished() {
            if Instant::now() >= deadline {
                return Err(self);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
        Ok(self.handle.join().unwrap_or_else(|payload| Some(panic_text(payload.as_ref()))))
    }
}

/// The message of a caught panic.
pub fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_and_told() {
        let worker = Worker::spawn("test", |_| panic!("boom")).expect("a thread");
        let end = worker.join_by(Instant::now() + Duration::from_secs(5));
        assert_eq!(end.map_err(|w| w.name().to_owned()), Ok(Some("boom".to_owned())));
    }
}
