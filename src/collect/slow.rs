//! A thread for readings that may take long or never end: file systems, sensors, tables of sockets.
//!
//! What is read there is the sources' business. Invariant: asking never waits; a job that hangs keeps
//! only its own thread, and at most [`MOST_HUNG`] threads hang.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::base::{Queue, Worker};

/// A job this long at work hangs: the jobs behind it get a new thread. A healthy `statvfs` takes microseconds.
pub(super) const HANGS_AFTER: Duration = Duration::from_secs(1);

/// A job that runs a program hangs after this: every program is ended within ten seconds, but one in the kernel's hands stays.
const PROGRAM_HANGS_AFTER: Duration = Duration::from_secs(60);

/// Most threads left behind in a job that hangs. One mount hangs per dead server as a rule.
pub(super) const MOST_HUNG: usize = 8;

type Job = Box<dyn FnOnce() + Send>;

/// Which jobs are done first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Answered by this machine.
    Near,
    /// Answered by another machine or program: done after all near ones, because it may hang.
    Far,
}

#[derive(Default)]
struct Jobs {
    near: VecDeque<Job>,
    far: VecDeque<Job>,
}

/// The thread for slow readings; clones share it.
#[derive(Clone)]
pub(super) struct Lane(Arc<Mutex<State>>);

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lane")
    }
}

struct State {
    jobs: Arc<Mutex<Jobs>>,
    doorbell: Queue<()>,
    active: Option<Thread>,
    hung: Vec<Thread>,
    name: &'static str,
    hangs_after: Duration,
    /// Jobs asked for so far.
    asked: u64,
    waiting: bool,
    now: Duration,
}

struct Thread {
    worker: Worker,
    retired: Arc<AtomicBool>,
    /// Twice the number of jobs ended, plus one while one is at work.
    progress: Arc<AtomicU64>,
    stands_since: Option<(u64, Duration)>,
}

impl Lane {
    /// For readings; no thread runs before the first job.
    pub(super) fn new() -> Self {
        Self::named("slow", HANGS_AFTER)
    }

    /// For programs.
    pub(super) fn of_programs() -> Self {
        Self::named("program", PROGRAM_HANGS_AFTER)
    }

    fn named(name: &'static str, hangs_after: Duration) -> Self {
        let state = State {
            name,
            hangs_after,
            asked: 0,
            jobs: Arc::default(),
            // One ring is enough: whoever hears it does all jobs.
            doorbell: Queue::new(1),
            active: None,
            hung: Vec::new(),
            waiting: false,
            now: Duration::ZERO,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a round at `now`, a monotonic clock, and gives up a thread that hangs.
    pub(super) fn begin(&self, now: Duration) {
        let mut state = self.state();
        state.now = now;
        state.retire_hung();
    }

    /// When the round began.
    pub(super) fn now(&self) -> Duration {
        self.state().now
    }

    /// Queues a job whose answer will be put into `slot`; it is begun by [`Lane::run`].
    pub(super) fn ask<T: Send + 'static>(&self, reach: Reach, slot: &mut Slot<T>, job: impl FnOnce() -> T + Send + 'static) {
        let answer = Arc::clone(&slot.answer);
        let job: Job = Box::new(move || {
            let value = job();
            *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        });
        let mut state = self.state();
        state.waiting = true;
        state.asked += 1;
        slot.open = true;
        slot.asked = Some(state.now);
        let mut jobs = state.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        match reach {
            Reach::Near => jobs.near.push_back(job),
            Reach::Far => jobs.far.push_back(job),
        }
    }

    /// Begins what was asked, by a new thread where the last one hangs; wakes a thread at most once.
    ///
    /// # Errors
    /// Why no thread is there to do the jobs.
    pub(super) fn run(&self) -> Result<(), String> {
        let mut state = self.state();
        if !state.waiting || state.doorbell.is_closed() {
            return Ok(());
        }
        if state.active.is_none() {
            if state.hung.len() >= MOST_HUNG {
                return Err(format!("{MOST_HUNG} reading threads hang; no further one is started"));
            }
            let thread = state.start().map_err(|e| format!("no thread for slow readings: {e}"))?;
            state.active = Some(thread);
        }
        state.waiting = false;
        // Full means that it has been rung already.
        let _ = state.doorbell.push(());
        Ok(())
    }

    /// Whether every job asked for has ended; right as long as none hung.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        let state = self.state();
        state.active.as_ref().map_or(0, |thread| thread.progress.load(Ordering::SeqCst)) == 2 * state.asked
    }

    /// Ends the thread after its job; jobs not begun are dropped. Waits for nothing.
    pub(super) fn stop(&self) {
        let state = self.state();
        state.doorbell.close();
        for thread in state.active.iter().chain(&state.hung) {
            thread.retired.store(true, Ordering::Relaxed);
        }
        *state.jobs.lock().unwrap_or_else(PoisonError::into_inner) = Jobs::default();
    }
}

impl State {
    fn retire_hung(&mut self) {
        let now = self.now;
        self.hung.retain(|t| !t.worker.is_finished());
        let Some(thread) = &mut self.active else { return };
        if thread.worker.is_finished() {
            self.active = None;
            self.waiting = true;
            return;
        }
        let progress = thread.progress.load(Ordering::Relaxed);
        match thread.stands_since {
            Some((stood, since)) if stood == progress && progress % 2 == 1 => {
                if now.saturating_sub(since) >= self.hangs_after {
                    thread.retired.store(true, Ordering::Relaxed);
                    self.hung.extend(self.active.take());
                    self.waiting = true;
                }
            }
            _ => thread.stands_since = Some((progress, now)),
        }
    }

    fn start(&self) -> std::io::Result<Thread> {
        let retired = Arc::new(AtomicBool::new(false));
        let progress = Arc::new(AtomicU64::new(0));
        let (jobs, doorbell) = (Arc::clone(&self.jobs), self.doorbell.clone());
        let (is_retired, counts) = (Arc::clone(&retired), Arc::clone(&progress));
        let worker = Worker::spawn(self.name, move |beat| {
            while doorbell.pop(None).is_some() {
                while !is_retired.load(Ordering::Relaxed) {
                    let Some(job) = take(&jobs) else { break };
                    beat.mark();
                    counts.fetch_add(1, Ordering::Relaxed);
                    job();
                    counts.fetch_add(1, Ordering::Relaxed);
                }
                if is_retired.load(Ordering::Relaxed) {
                    // The ring may have been meant for the successor.
                    let _ = doorbell.push(());
                    return;
                }
            }
        })?;
        Ok(Thread { worker, retired, progress, stands_since: None })
    }
}

fn take(jobs: &Mutex<Jobs>) -> Option<Job> {
    let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    jobs.near.pop_front().or_else(|| jobs.far.pop_front())
}

/// Where the answer to one slow question arrives: a mailbox for one letter.
#[derive(Debug)]
pub(super) struct Slot<T> {
    answer: Arc<Mutex<Option<T>>>,
    /// A question is on its way.
    open: bool,
    /// When the last question was asked.
    asked: Option<Duration>,
}

/// Rounds begin a little early or late: a question is due when all but this of its period has passed.
const JITTER: Duration = Duration::from_millis(200);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { answer: Arc::default(), open: false, asked: None }
    }
}

impl<T> Slot<T> {
    /// Takes the answer if it has come.
    pub(super) fn take(&mut self) -> Option<T> {
        // Asked before looking: a job that ends in between has left its answer by then.
        let abandoned = Arc::strong_count(&self.answer) == 1;
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if answer.is_some() || abandoned {
            self.open = false;
        }
        answer
    }

    /// How long the question has been open; `None` where none is.
    pub(super) fn waiting(&self, now: Duration) -> Option<Duration> {
        self.asked.filter(|_| self.open).map(|asked| now.saturating_sub(asked))
    }

    /// Whether it is time to ask again: nothing is open and the last question is `period` old.
    pub(super) fn due(&self, now: Duration, period: Duration) -> bool {
        !self.open && self.asked.is_none_or(|asked| now.saturating_sub(asked) + JITTER >= period)
    }
}

/// A slow reading that is made every `period` and stands until the next one.
#[derive(Debug)]
pub(super) struct Standing<T> {
    slot: Slot<T>,
    lane: Lane,
    period: Duration,
    last: Option<(Duration, T)>,
}

/// A reading older than this many periods is not the present any more.
const STALE_PERIODS: u32 = 3;

impl<T: Send + 'static> Standing<T> {
    pub(super) fn new(lane: &Lane, period: Duration) -> Self {
        Self { slot: Slot::default(), lane: lane.clone(), period, last: None }
    }

    /// Takes a new reading in; true where there was one.
    pub(super) fn refresh(&mut self) -> bool {
        let answer = self.slot.take();
        let came = answer.is_some();
        if let Some(answer) = answer {
            self.last = Some((self.lane.now(), answer));
        }
        came
    }

    /// The newest reading; `None` before the first and where it is too old.
    pub(super) fn value(&self) -> Option<&T> {
        let (at, value) = self.last.as_ref()?;
        (self.lane.now().saturating_sub(*at) < self.period * STALE_PERIODS).then_some(value)
    }

    /// Asks where it is time; `factor` stretches the period while there is nothing to be had.
    pub(super) fn ask(&mut self, factor: u32, job: impl FnOnce() -> T + Send + 'static) {
        if self.slot.due(self.lane.now(), self.period * factor) {
            self.lane.ask(Reach::Near, &mut self.slot, job);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_job_that_hangs_does_not_keep_the_others_waiting() {
        let lane = Lane::new();
        let (mut stuck, mut free) = (Slot::default(), Slot::default());
        let (begun, has_begun) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        lane.begin(SECOND);
        lane.ask(Reach::Far, &mut stuck, move || {
            let _ = begun.send(());
            let _ = released.recv();
            7
        });
        assert_eq!(lane.run(), Ok(()));
        has_begun.recv().expect("the job begins");
        let (done, is_done) = mpsc::channel();
        lane.begin(SECOND * 2);
        lane.ask(Reach::Near, &mut free, move || {
            let _ = done.send(());
            8
        });
        assert_eq!(lane.run(), Ok(()));
        lane.begin(SECOND * 3);
        assert_eq!(lane.run(), Ok(()), "here the first thread is given up");
        is_done.recv().expect("the second job is done by another thread");
        assert_eq!(stuck.take(), None);
        assert_eq!(stuck.waiting(SECOND * 13), Some(SECOND * 12));
        release.send(()).expect("the hung thread is still there");
        while stuck.waiting(SECOND).is_some() {
            if let Some(answer) = stuck.take() {
                assert_eq!(answer, 7, "a late answer is still an answer");
            }
            std::thread::yield_now();
        }
        lane.stop();
    }

    #[test]
    fn a_job_that_panics_is_asked_again() {
        let lane = Lane::new();
        let mut slot = Slot::<()>::default();
        lane.begin(SECOND);
        lane.ask(Reach::Near, &mut slot, || panic!("a bug in a reader"));
        assert_eq!(lane.run(), Ok(()));
        while slot.waiting(SECOND).is_some() {
            assert_eq!(slot.take(), None);
            std::thread::yield_now();
        }
        let mut next = Slot::default();
        lane.ask(Reach::Near, &mut next, || 3);
        while next.waiting(SECOND).is_some() {
            lane.begin(SECOND);
            assert_eq!(lane.run(), Ok(()));
            if let Some(answer) = next.take() {
                assert_eq!(answer, 3, "another thread goes on");
            }
            std::thread::yield_now();
        }
        lane.stop();
    }

    #[test]
    fn the_number_of_hung_threads_is_bounded() {
        let lane = Lane::new();
        let mut slots: Vec<Slot<()>> = Vec::new();
        let mut releases = Vec::new();
        let mut now = SECOND;
        for _ in 0..MOST_HUNG {
            let (begun, has_begun) = mpsc::channel();
            let (release, released) = mpsc::channel::<()>();
            releases.push(release);
            let mut slot = Slot::default();
            lane.begin(now);
            lane.ask(Reach::Near, &mut slot, move || {
                let _ = begun.send(());
                let _ = released.recv();
            });
            slots.push(slot);
            assert_eq!(lane.run(), Ok(()));
            has_begun.recv().expect("each has a thread");
            for _ in 0..2 {
                now += SECOND;
                lane.begin(now);
                let _ = lane.run();
            }
        }
        lane.ask(Reach::Near, &mut Slot::default(), || ());
        assert!(lane.run().is_err_and(|e| e.contains("hang")));
        lane.stop();
    }
}
