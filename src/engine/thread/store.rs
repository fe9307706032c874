//! The single writer of the history.
//!
//! Decisions and flushes come in order through one queue; sealing and retention run between them in
//! slices. Invariant: what follows a commit runs after it is on disk, or is told that it is not.

use std::time::Duration;

use crate::base::{Beat, Queue, Timestamp, format_duration};
use crate::engine::event::Event;
use crate::engine::exchange::{Rounds, notice};
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

/// Writes until closed; gives whether everything is on disk.
pub(in crate::engine) fn run(mut writer: Writer, jobs: &Queue<Job>, events: &Queue<Event>, beat: &Beat) -> bool {
    let mut now = Timestamp::default();
    let mut busy = false;
    loop {
        // With work left, only look whether something more urgent came.
        let job = jobs.pop(busy.then_some(Duration::ZERO));
        beat.mark();
        match job {
            Some(Job::Commit { writes, after }) => {
                let saved = match writer.commit(writes) {
                    Ok(()) => Saved::Disk,
                    Err(error) => {
                        tracing::warn!(%error, "a decision is not on disk yet");
                        Saved::Volatile
                    }
                };
                after(saved);
            }
            Some(Job::Flush { now: at, rounds, writes }) => {
                now = at;
                flush(&mut writer, now, &rounds, writes);
                busy = true;
                // Full queue: the next flush tells the same.
                let _ = events.push(Event::Stored(writer.health()));
            }
            Some(Job::Close { now: at, rounds, writes }) => {
                flush(&mut writer, at, &rounds, writes);
                return writer.close(at).map_err(|error| tracing::error!(%error, "the last samples are lost")).is_ok();
            }
            None if jobs.is_closed() => {
                return writer.close(now).map_err(|error| tracing::error!(%error, "the last samples are lost")).is_ok();
            }
            None => {
                busy = writer.maintain(now).unwrap_or_else(|error| {
                    tracing::warn!(%error, "history could not be compacted");
                    false
                });
            }
        }
    }
}

fn flush(writer: &mut Writer, now: Timestamp, rounds: &Rounds, writes: Vec<Write>) {
    for (at, readings) in rounds {
        if let Some(step) = writer.push(*at, readings) {
            let (way, span) = (if step < 0 { "back" } else { "forward" }, Duration::from_millis(step.unsigned_abs()));
            let text = format!("the clock went {way} by {}", format_duration(span));
            writer.queue(vec![Write::Journal(notice(*at, text))]);
        }
    }
    writer.queue(writes);
    if let Err(error) = writer.flush(now) {
        tracing::warn!(%error, "history is kept in memory");
    }
}
