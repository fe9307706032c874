//! Reads the machine on a monotonic schedule; skips rounds rather than making up for them.

use std::time::{Duration, Instant};

use super::core::Exit;
use crate::base::{Beat, Queue};
use crate::collect::CollectConfig;
use crate::config::Config;
use crate::engine::event::Event;
use crate::engine::exchange::Timing;
use crate::engine::feed::Reader;
use crate::engine::guard::{Guard, Step};

/// How the machine is read.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::engine) struct Course {
    /// Time between two rounds.
    pub(in crate::engine) interval: Duration,
    /// What is read.
    pub(in crate::engine) collect: CollectConfig,
}

impl Course {
    pub(in crate::engine) fn of(config: &Config) -> Self {
        Self { interval: config.general.interval, collect: config.collect.clone() }
    }
}

/// Reads until `changes` is closed, or until it is hopeless; takes every other course it is given at once.
pub(in crate::engine) fn run(
    reader: &mut Reader,
    mut course: Course,
    changes: &Queue<Course>,
    events: &Queue<Event>,
    (beat, mut guard): (&Beat, Guard),
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
                let taken = events.push(Event::Sample(Box::new(sample), timing)).is_ok();
                timing.anew &= !taken;
            }
            Step::Panicked => {}
            Step::Hopeless => {
                events.push_front(Event::Stop(Exit::Failed));
                break;
            }
        }
        timing.interval = Some(course.interval);
        next += course.interval;
        let now = Instant::now();
        if next < now {
            let missed = (now - next).as_nanos() / course.interval.as_nanos();
            let missed = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
            timing.skipped += u64::from(missed);
            next += course.interval * missed;
        }
        while let Some(change) = changes.pop(Some(next.saturating_duration_since(Instant::now()))) {
            // The round in the making is as far from the one before as the longer of the two: no gap for rules that hold.
            timing.interval = Some(course.interval.max(change.interval));
            next = begun.max(next.checked_sub(course.interval).unwrap_or(begun)) + change.interval;
            if change.collect != course.collect {
                timing.anew |= matches!(guard.run(|| reader.configure(&change.collect)), Step::Done(()));
            }
            course = change;
        }
        if changes.is_closed() {
            break;
        }
    }
    reader.stop();
}
