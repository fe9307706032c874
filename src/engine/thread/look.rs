//! Looks at processes away from the sampling thread: one in full, or all when a rule fires.
//!
//! Reading a process may wait for its memory's lock. Invariant: whatever hangs here holds up nothing else.

use std::io::ErrorKind;
use std::sync::Arc;

use crate::base::{Beat, Queue, Timestamp};
use crate::collect;
use crate::engine::event::Event;
use crate::engine::guard::Spare;
use crate::engine::hub::{Hub, Wish};
use crate::model::{Host, ProcessDepth, ProcessId};
use crate::monitor::{Answer, Refusal, RefusalKind, Request};

/// What to look at.
pub(in crate::engine) enum Job {
    /// One process, for somebody.
    Details(Wish),
    /// All processes: a rule fired.
    Scan(Timestamp),
}

/// Looks until the queue is closed. Without a host (a simulation) there is nothing to look at.
pub(in crate::engine) fn run(
    host: Option<&Arc<dyn Host>>,
    hub: &Hub,
    jobs: &Queue<Job>,
    events: &Queue<Event>,
    beat: &Beat,
    mut guard: Spare,
) {
    while let Some(job) = jobs.pop(None) {
        beat.mark();
        match (job, host) {
            (Job::Details(wish), _) => {
                let details = guard.run(|| details(host, &wish.request));
                (wish.reply)(
                    details.unwrap_or_else(|| {
                        Err(Refusal::new(RefusalKind::Failed, "farol failed to answer this; the log says more"))
                    }),
                );
            }
            (Job::Scan(at), Some(host)) => {
                if let Some(all) = guard.run(|| collect::scan(host, at, &hub.snapshot().processes)) {
                    // A full queue counts it; the top ones of this second are known all the same.
                    let _ = events.push(Event::Scanned(all));
                }
            }
            (Job::Scan(_), None) => {}
        }
    }
}

fn details(host: Option<&Arc<dyn Host>>, request: &Request) -> Result<Answer, Refusal> {
    let Request::ProcessDetails { process, depth } = request else {
        return Err(Refusal::new(RefusalKind::Failed, "this request is not answered by looking at a process"));
    };
    let Some(host) = host else {
        let text = "the processes of a simulation are made up: there is nothing to look into";
        return Err(Refusal::new(RefusalKind::Unavailable, text));
    };
    look(host.as_ref(), *process, *depth)
}

fn look(host: &dyn Host, id: ProcessId, depth: ProcessDepth) -> Result<Answer, Refusal> {
    match collect::process_details(host, id, Timestamp::now(), depth) {
        Ok(details) => Ok(Answer::ProcessDetails { details: Box::new(details) }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Refusal::new(RefusalKind::NotFound, format!("process {} has ended", id.pid)))
        }
        Err(error) => Err(Refusal::new(RefusalKind::Failed, format!("process {} cannot be looked at: {error}", id.pid))),
    }
}
