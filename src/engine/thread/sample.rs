//! Reads the machine on a monotonic schedule; skips rounds rather than making up for them.

use std::time::{Duration, Instant};

use super::Stop;
use super::core::Exit;
use crate::base::{Beat, Queue};
use crate::engine::event::Event;
use crate::engine::exchange::Timing;
use crate::engine::feed::Reader;
use crate::engine::guard::{Guard, Step};

/// Reads until asked to end, or until it is hopeless.
pub(in crate::engine) fn run(
    reader: &mut Reader,
    interval: Duration,
    events: &Queue<Event>,
    stop: &Stop,
    beat: &Beat,
    mut guard: Guard,
) {
    let mut timing = Timing::default();
    let mut next = Instant::now();
    loop {
        let begun = Instant::now();
        timing.lateness = begun.saturating_duration_since(next);
        beat.mark();
        match guard.run(|| reader.round()) {
            Step::Done((sample, checks)) => {
                timing.round = begun.elapsed();
                timing.dropped = events.stats().dropped;
                for result in checks {
                    // Counted by the queue.
                    let _ = events.push(Event::Check(result));
                }
                let _ = events.push(Event::Sample(Box::new(sample), timing));
            }
            Step::Panicked => {}
            Step::Hopeless => {
                events.push_front(Event::Stop(Exit::Failed));
                break;
            }
        }
        next += interval;
        let now = Instant::now();
        if next < now {
            let missed = u32::try_from((now - next).as_nanos() / interval.as_nanos()).unwrap_or(u32::MAX).saturating_add(1);
            timing.skipped += u64::from(missed);
            next += interval * missed;
        }
        if stop.wait(next.saturating_duration_since(Instant::now())) {
            break;
        }
    }
    reader.stop();
}
