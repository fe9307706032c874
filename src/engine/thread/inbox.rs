//! What waits for the writer of the history.
//!
//! Decisions jump ahead of samples and settings; flushes that wait become one. Invariant: a decision is never
//! refused while the engine runs, and of samples only the oldest are given up, counted, where the writer stands still.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::{QueueStats, Timestamp};
use crate::engine::exchange::Rounds;
use crate::monitor::{Refusal, Saved};
use crate::store::{StoreConfig, Write};

/// Called once a commit is on disk, or with the reason why it is not.
pub(in crate::engine) type After = Box<dyn FnOnce(Result<Saved, Refusal>) + Send>;

/// Rounds kept for a writer that does not come to write them: an hour at 1 s, some 40 MB of 300 series. Where a single flush has
/// more, two flushes are kept.
const MAX_ROUNDS: usize = 3600;

/// Rows kept for it that go with the samples; of those that a later one makes good, the oldest are the first to go.
const MAX_WRITES: usize = 3600;

/// Samples and what may go with them.
#[derive(Default)]
pub(in crate::engine) struct Flush {
    pub(in crate::engine) now: Timestamp,
    pub(in crate::engine) rounds: Rounds,
    pub(in crate::engine) writes: Vec<Write>,
}

/// Work for the writer, the most urgent first.
pub(in crate::engine) enum Job {
    /// Decisions: at once.
    Commit { writes: Vec<Write>, after: After },
    /// Other settings.
    Configure(StoreConfig),
    /// Samples.
    Flush(Flush),
    /// The last samples, then the end; who asked for it is told when all is on disk.
    Close(Flush, Option<After>),
}

/// The way to the writer; clones share it.
#[derive(Clone, Default)]
pub(in crate::engine) struct Inbox(Arc<(Mutex<Waiting>, Condvar)>);

#[derive(Default)]
struct Waiting {
    decisions: VecDeque<(Vec<Write>, After)>,
    settings: Option<StoreConfig>,
    flush: Option<Flush>,
    close: Option<(Flush, Option<After>)>,
    closed: bool,
    peak: usize,
    given_up: u64,
    // Of what waits now.
    missing: u64,
}

impl Waiting {
    fn depth(&self) -> usize {
        self.decisions.len()
            + usize::from(self.settings.is_some())
            + usize::from(self.flush.is_some())
            + usize::from(self.close.is_some())
    }

    fn next(&mut self) -> Option<Job> {
        if let Some((writes, after)) = self.decisions.pop_front() {
            return Some(Job::Commit { writes, after });
        }
        if let Some(settings) = self.settings.take() {
            return Some(Job::Configure(settings));
        }
        let missing = std::mem::take(&mut self.missing);
        if missing > 0 {
            tracing::error!(missing, "the history is written again; the oldest samples and rows that waited are missing");
        }
        let flush = self.flush.take().map(Job::Flush);
        flush.or_else(|| self.close.take().map(|(flush, after)| Job::Close(flush, after)))
    }
}

/// Gives up the oldest rows that can be spared, as many as there are too many; gives how many went. What people decided, what was
/// told and what happened stays.
fn thin(writes: &mut Vec<Write>) -> usize {
    let before = writes.len();
    let mut excess = before.saturating_sub(MAX_WRITES);
    if excess > 0 {
        writes.retain(|write| {
            let spared = matches!(
                write,
                Write::Processes { .. } | Write::Keyframe { .. } | Write::Anomaly(_) | Write::Prediction(_) | Write::Model { .. }
            );
            let goes = spared && excess > 0;
            excess -= usize::from(goes);
            !goes
        });
    }
    before - writes.len()
}

impl Inbox {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, change: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.waiting();
        change(&mut waiting);
        waiting.peak = waiting.peak.max(waiting.depth());
        drop(waiting);
        self.0.1.notify_one();
    }

    /// To be on disk before anything else that waits but earlier decisions.
    pub(in crate::engine) fn decide(&self, writes: Vec<Write>, after: After) {
        self.put(|waiting| waiting.decisions.push_back((writes, after)));
    }

    /// Samples to be written with those that wait.
    pub(in crate::engine) fn flush(&self, flush: Flush) {
        self.put(|waiting| {
            let Some(all) = &mut waiting.flush else {
                waiting.flush = Some(flush);
                return;
            };
            let most = MAX_ROUNDS.max(2 * flush.rounds.len());
            all.now = flush.now;
            all.rounds.extend(flush.rounds);
            all.writes.extend(flush.writes);
            let excess = all.rounds.len().saturating_sub(most);
            all.rounds.drain(..excess);
            let lost = (excess + thin(&mut all.writes)) as u64;
            if lost > 0 && waiting.missing == 0 {
                tracing::error!("the history is not being written: the oldest samples that wait are given up");
            }
            waiting.missing += lost;
            waiting.given_up += lost;
        });
    }

    /// Other settings; the latest win.
    pub(in crate::engine) fn configure(&self, settings: StoreConfig) {
        self.put(|waiting| waiting.settings = Some(settings));
    }

    /// The last samples, after everything that waits.
    pub(in crate::engine) fn close(&self, flush: Flush, after: Option<After>) {
        self.put(|waiting| waiting.close = Some((flush, after)));
    }

    /// Nothing comes any more; what waits is still done.
    pub(in crate::engine) fn end(&self) {
        self.waiting().closed = true;
        self.0.1.notify_all();
    }

    /// Whether it was ended.
    pub(in crate::engine) fn is_ended(&self) -> bool {
        self.waiting().closed
    }

    /// The most urgent job; waits for one, at most for `timeout`. `None`: nothing waits by then, or nothing comes any more.
    pub(in crate::engine) fn next(&self, timeout: Option<Duration>) -> Option<Job> {
        let idle = |waiting: &mut Waiting| waiting.depth() == 0 && !waiting.closed;
        let waiting = self.waiting();
        let mut waiting = match timeout {
            None => self.0.1.wait_while(waiting, idle).unwrap_or_else(PoisonError::into_inner),
            Some(limit) => self.0.1.wait_timeout_while(waiting, limit, idle).unwrap_or_else(PoisonError::into_inner).0,
        };
        waiting.next()
    }

    /// How full it is; rounds given up count as dropped.
    pub(in crate::engine) fn stats(&self) -> QueueStats {
        let waiting = self.waiting();
        QueueStats { depth: waiting.depth(), peak: waiting.peak, dropped: waiting.given_up }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(from: i64, n: i64) -> Flush {
        let rounds = (from..from + n).map(|s| (Timestamp::from_seconds(s), Vec::new().into())).collect();
        Flush { now: Timestamp::from_seconds(from + n), rounds, writes: Vec::new() }
    }

    fn order(inbox: &Inbox) -> Vec<String> {
        std::iter::from_fn(|| inbox.next(Some(Duration::ZERO)))
            .map(|job| match job {
                Job::Commit { writes, .. } => format!("decision {}", writes.len()),
                Job::Configure(_) => "settings".to_owned(),
                Job::Flush(flush) => format!("flush {}", flush.rounds.len()),
                Job::Close(flush, _) => format!("close {}", flush.rounds.len()),
            })
            .collect()
    }

    #[test]
    fn decisions_jump_the_queue_and_flushes_become_one() {
        let inbox = Inbox::default();
        inbox.flush(rounds(0, 10));
        inbox.close(rounds(20, 3), None);
        inbox.configure(StoreConfig::default());
        inbox.decide(Vec::new(), Box::new(|_| {}));
        inbox.flush(rounds(10, 10));
        inbox.decide(vec![Write::Meta { name: "x".to_owned(), row: None }], Box::new(|_| {}));
        assert_eq!(inbox.stats(), QueueStats { depth: 5, peak: 5, dropped: 0 });
        assert_eq!(order(&inbox), ["decision 0", "decision 1", "settings", "flush 20", "close 3"]);
    }

    #[test]
    fn no_decision_is_refused_and_only_the_oldest_rounds_are_given_up() {
        let inbox = Inbox::default();
        (0..5000).for_each(|_| inbox.decide(Vec::new(), Box::new(|_| {})));
        (0..400).for_each(|n| inbox.flush(rounds(n * 10, 10)));
        assert_eq!(inbox.stats().dropped, 400);
        let jobs = order(&inbox);
        assert_eq!((jobs.len(), jobs.last().map(String::as_str)), (5001, Some("flush 3600")));
    }

    #[test]
    fn a_flush_is_whole_however_many_rounds_it_has() {
        let inbox = Inbox::default();
        inbox.flush(rounds(0, 5400));
        inbox.flush(rounds(5400, 5400));
        assert_eq!(inbox.stats().dropped, 0);
        inbox.flush(rounds(10_800, 5400));
        assert_eq!((inbox.stats().dropped, order(&inbox)), (5400, vec!["flush 10800".to_owned()]));
    }

    #[test]
    fn rows_that_go_with_samples_are_bounded_and_the_oldest_go_first() {
        let inbox = Inbox::default();
        let decided = Write::Meta { name: "decided".to_owned(), row: None };
        let row = |n: usize| Write::Model { name: n.to_string(), row: None };
        inbox.flush(Flush { writes: vec![decided.clone()], ..Flush::default() });
        (0..5000).for_each(|n| inbox.flush(Flush { writes: vec![row(n)], ..Flush::default() }));
        assert_eq!(inbox.stats().dropped, 5001 - MAX_WRITES as u64);
        match inbox.next(Some(Duration::ZERO)) {
            Some(Job::Flush(flush)) => {
                assert_eq!((flush.writes.first(), flush.writes.last()), (Some(&decided), Some(&row(4999))));
            }
            _ => panic!("a flush waits"),
        }
    }
}
