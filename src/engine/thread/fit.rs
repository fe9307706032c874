//! Makes forecasts with the lowest priority.
//!
//! Latest wins: a job that is still waiting when the next one comes is never done.

use std::sync::Arc;
use std::time::Duration;

use super::read::Library;
use crate::base::{Beat, Queue, Timestamp};
use crate::engine::event::Event;
use crate::engine::future;
use crate::engine::guard::{Guard, Step};

/// What to forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Job {
    /// Now.
    pub(in crate::engine) at: Timestamp,
    /// For charts, or for capacity.
    pub(in crate::engine) what: What,
}

/// Two kinds of forecasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum What {
    /// The next minutes of what the charts show.
    Charts,
    /// The next days of what can become full.
    Capacity,
}

/// Forecasts until the queue is closed.
pub(in crate::engine) fn run(
    library: &Library,
    interval: Duration,
    jobs: &Queue<Job>,
    events: &Queue<Event>,
    beat: &Beat,
    mut guard: Guard,
) {
    // Not permitted is no harm: the work is small.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19);
    while let Some(job) = jobs.pop(None) {
        beat.mark();
        let fitted = guard.run(|| {
            let view = library.reader.view().ok();
            let plan = match job.what {
                What::Charts => future::charts(interval),
                What::Capacity => future::capacity(library.capacity),
            };
            future::fit(&plan, Some(&*library.head), view.as_ref(), &library.catalog, job.at)
        });
        if let Step::Done(forecasts) = fitted
            && !forecasts.is_empty()
        {
            // The next one replaces it.
            let _ = events.push(Event::Fitted(forecasts.into_iter().map(Arc::new).collect()));
        }
    }
}
