//! The single writer of the history.
//!
//! Decisions and flushes come in order through one queue; sealing and retention run between them in
//! slices. Invariant: what follows a commit runs after it is on disk, or is told that it is not.

use std::time::Duration;

use super::core::Exit;
use crate::base::{Beat, Queue, Timestamp, format_duration};
use crate::engine::event::Event;
use crate::engine::exchange::{Rounds, notice};
use crate::engine::guard::{Guard, Step};
use crate::monitor::Saved;
use crate::store::{Write, Writer};

/// Called once a commit is on disk or known not to be.
pub(in crate::engine) type After = Box<dyn FnOnce(Saved) + Send>;

/// Work for the writer.
pub(in crate::engine) enum Job {
    /// Decisions: at once.
    Commit { writes: Vec<Write>, after: After },
    /// Samples and what may go with them.
    Flush { now: Timestamp, rounds: Rounds, writes: Vec<Write> },
    /// The last flush, then the end.
    Close { now: Timestamp, rounds: Rounds, writes: Vec<Write> },
}

/// Writes until closed. One bad job costs that job; when it is hopeless the engine is told to end.
pub(in crate::engine) fn run(writer: Writer, jobs: &Queue<Job>, events: &Queue<Event>, beat: &Beat, mut guard: Guard) {
    let mut desk = Desk { writer, now: Timestamp::default(), busy: false };
    loop {
        // With work left, only look whether something more urgent came.
        let job = jobs.pop(desk.busy.then_some(Duration::ZERO));
        beat.mark();
        let step = match job {
            Some(Job::Commit { writes, after }) => {
                let mut saved = Saved::Volatile;
                let step = guard.run(|| saved = desk.commit(writes));
                after(saved);
                step
            }
            Some(Job::Flush { now, rounds, writes }) => guard.run(|| {
                desk.flush(now, &rounds, writes);
                // Full queue: the next flush tells the same.
                let _ = events.push(Event::Stored(desk.writer.health()));
            }),
            Some(Job::Close { now, rounds, writes }) => {
                guard.run(|| desk.flush(now, &rounds, writes));
                break;
            }
            None if jobs.is_closed() => break,
            None => guard.run(|| desk.maintain()),
        };
        match step {
            Step::Done(()) => {}
            Step::Panicked => desk.busy = false,
            Step::Hopeless => events.push_front(Event::Stop(Exit::Failed)),
        }
    }
    if let Err(error) = desk.writer.close(desk.now) {
        tracing::error!(%error, "the last samples are lost");
    }
}

/// The writer and what it is at.
struct Desk {
    writer: Writer,
    now: Timestamp,
    busy: bool,
}

impl Desk {
    fn commit(&mut self, writes: Vec<Write>) -> Saved {
        match self.writer.commit(writes) {
            Ok(()) => Saved::Disk,
            Err(error) => {
                tracing::warn!(%error, "a decision is not on disk yet");
                Saved::Volatile
            }
        }
    }

    fn maintain(&mut self) {
        self.busy = self.writer.maintain(self.now).unwrap_or_else(|error| {
            tracing::warn!(%error, "history could not be compacted");
            false
        });
    }

    fn flush(&mut self, now: Timestamp, rounds: &Rounds, writes: Vec<Write>) {
        self.now = now;
        self.busy = true;
        for (at, readings) in rounds {
            if let Some(step) = self.writer.push(*at, readings) {
                let (way, span) = (if step < 0 { "back" } else { "forward" }, Duration::from_millis(step.unsigned_abs()));
                let text = format!("the clock went {way} by {}", format_duration(span));
                self.writer.queue(vec![Write::Journal(notice(*at, text))]);
            }
        }
        self.writer.queue(writes);
        if let Err(error) = self.writer.flush(now) {
            tracing::warn!(%error, "history is kept in memory");
        }
    }
}
