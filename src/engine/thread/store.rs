//! The single writer of the history.
//!
//! Sealing and retention run between the jobs in slices. Invariant: what follows a commit runs after it is
//! on disk, or is told that it is not.

use std::time::Duration;

use super::core::Exit;
use super::inbox::{Flush, Inbox, Job};
use crate::base::{Beat, Queue, Timestamp, format_duration};
use crate::engine::event::Event;
use crate::engine::exchange::notice;
use crate::engine::guard::{Guard, Step};
use crate::monitor::{Refusal, RefusalKind, Saved};
use crate::store::{Write, Writer};

/// Writes until closed. One bad job costs that job; when it is hopeless the engine is told to end.
pub(in crate::engine) fn run(writer: Writer, jobs: &Inbox, events: &Queue<Event>, beat: &Beat, mut guard: Guard) {
    let mut desk = Desk { writer, now: Timestamp::default(), busy: false };
    let mut told = None;
    loop {
        // With work left, only look whether something more urgent came.
        let job = jobs.next(desk.busy.then_some(Duration::ZERO));
        beat.mark();
        let step = match job {
            Some(Job::Commit { writes, after }) => {
                let step = guard.run(|| desk.commit(writes));
                let (saved, step) = outcome(step);
                after(saved);
                step
            }
            Some(Job::Configure(settings)) => guard.run(|| {
                desk.writer.configure(&settings);
                desk.busy = true;
            }),
            Some(Job::Flush(flush)) => guard.run(|| {
                desk.flush(flush);
                // Full queue: the next flush tells the same.
                let _ = events.push(Event::Stored(desk.writer.health()));
            }),
            Some(Job::Close(flush, after)) => {
                guard.run(|| desk.flush(flush));
                told = after;
                break;
            }
            None if jobs.is_ended() => break,
            None => guard.run(|| desk.maintain()),
        };
        match step {
            Step::Done(()) => {}
            Step::Panicked => desk.busy = false,
            Step::Hopeless => events.push_front(Event::Stop(Exit::Failed)),
        }
    }
    let Desk { writer, now, .. } = desk;
    let (ended, _) = outcome(guard.run(|| writer.close(now)));
    let ended = ended.and_then(|closed| {
        let lost = |error| Refusal::new(RefusalKind::Failed, format!("ended, but the last samples are lost: {error}"));
        closed.map(|()| Saved::Disk).map_err(lost)
    });
    if let Err(error) = &ended {
        tracing::error!(%error, "the history was not closed well");
    }
    if let Some(told) = told {
        told(ended);
    }
}

/// What those who wait are told of a step, and how the thread goes on.
fn outcome<R>(step: Step<R>) -> (Result<R, Refusal>, Step<()>) {
    let failed = || Refusal::new(RefusalKind::Failed, "farol failed while saving this: it is not on disk; the log says more");
    match step {
        Step::Done(result) => (Ok(result), Step::Done(())),
        Step::Panicked => (Err(failed()), Step::Panicked),
        Step::Hopeless => (Err(failed()), Step::Hopeless),
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

    fn flush(&mut self, Flush { now, rounds, writes }: Flush) {
        self.now = now;
        self.busy = true;
        for (at, readings) in &rounds {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, StoreConfig};

    #[test]
    fn a_panic_inside_a_commit_is_not_told_as_saved() {
        let mut guard = Guard::new("test", &crate::engine::guard::Panics::default());
        let (saved, step) = outcome(guard.run(|| -> Saved { panic!("a bad write") }));
        assert_eq!((saved.map_err(|e| e.kind), step), (Err(RefusalKind::Failed), Step::Panicked));
    }

    #[test]
    fn who_asked_for_the_end_is_told_when_all_is_on_disk() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("farol.redb");
        let (writer, _) = Store::open(&file, &StoreConfig::default()).expect("a history");
        let at = Timestamp::from_seconds(1_780_000_000);
        let key = crate::model::SeriesKey::total("memory_used_bytes");
        let readings = vec![crate::model::Reading { key, value: 1.0, cumulative: None }];
        let inbox = Inbox::default();
        let (tell, told) = std::sync::mpsc::channel();
        let newest = move || {
            let (_writer, reader) = Store::open(&file, &StoreConfig::default()).expect("released");
            reader.view().expect("readable").newest().expect("readable")
        };
        inbox.close(
            Flush { now: at, rounds: vec![(at, readings.into())], writes: Vec::new() },
            Some(Box::new(move |saved| drop(tell.send((saved, newest()))))),
        );
        let guard = Guard::new("test", &crate::engine::guard::Panics::default());
        run(writer, &inbox, &Queue::new(4), &Beat::default(), guard);
        assert_eq!(told.recv(), Ok((Ok(Saved::Disk), Some(at))));
    }
}
