//! Carries events into the core and what comes of them out: to readers, the store, the deliverer.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::fit::{Fits, Job, What, under_pressure};
use super::inbox::{After, Flush, Inbox};
use super::sample::Course;
use super::{Probe, look, scholar};
use crate::analyze::{ForecastPlan, capacity_plan};
use crate::base::{Beat, Queue, Timestamp};
use crate::config::Config;
use crate::engine::core::Core;
use crate::engine::decide;
use crate::engine::event::Event;
use crate::engine::exchange::{Judging, Occasion, Output, Past, Reread};
use crate::engine::guard::{Guard, Step};
use crate::engine::hub::{Hub, Reply, Wish};
use crate::engine::outward::Outward;
use crate::engine::schedule::ReportJob;
use crate::engine::{future, kept};
use crate::model::{Prices, QueueHealth, ThreadHealth};
use crate::monitor::{Answer, Refusal, RefusalKind, Request, Saved};
use crate::notify::{Message, Sending};

/// Time between two rounds of capacity forecasts: disks fill over hours.
const CAPACITY_EVERY: Duration = Duration::from_secs(600);

/// How often a week is looked over for changes, and programs for groups: both are for people who look back.
const PATTERNS_EVERY: Duration = Duration::from_secs(1800);

/// Time between two looks at the threads.
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// Rules that fire together have one full scan of the processes.
const SCAN_EVERY: Duration = Duration::from_secs(10);

/// Why the engine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It was asked to.
    Stopped,
    /// Another engine takes over.
    HandedOver,
    /// A worker failed too often.
    Failed,
}

/// Everything the core's thread talks to.
pub(in crate::engine) struct Wiring {
    pub(in crate::engine) events: Queue<Event>,
    pub(in crate::engine) store: Inbox,
    pub(in crate::engine) interactive: Queue<Wish>,
    pub(in crate::engine) batch: Queue<Wish>,
    pub(in crate::engine) fit: Fits,
    /// How the machine is read.
    pub(in crate::engine) courses: Queue<Course>,
    /// How far ahead capacity is forecast, shared with those who answer.
    pub(in crate::engine) capacity: Arc<RwLock<ForecastPlan>>,
    /// What things cost, shared with those who write reports.
    pub(in crate::engine) prices: Arc<RwLock<Prices>>,
    /// Where reports are kept.
    pub(in crate::engine) kept: PathBuf,
    pub(in crate::engine) judging: Arc<RwLock<Arc<Judging>>>,
    pub(in crate::engine) look: Queue<look::Job>,
    pub(in crate::engine) hub: Hub,
    pub(in crate::engine) outward: Arc<Outward>,
    pub(in crate::engine) probes: Vec<Probe>,
    /// As it is in force.
    pub(in crate::engine) config: Config,
    /// What the history knows, for a rebuilt core.
    pub(in crate::engine) past: Box<dyn Fn() -> Past + Send>,
}

#[derive(Default)]
struct Due {
    charts: Timestamp,
    capacity: Timestamp,
    patterns: Timestamp,
    probe: Timestamp,
    scan: Timestamp,
}

/// The thread's own state.
pub(in crate::engine) struct Runner {
    core: Core,
    wiring: Wiring,
    due: Due,
    exit: Option<Exit>,
    /// Who asked for the end and waits until all is on disk.
    farewell: Option<After>,
    /// Wall-clock time of the newest sample: simulated in a simulation.
    at: Timestamp,
    /// When that sample came.
    seen: Instant,
}

impl Runner {
    pub(in crate::engine) fn new(core: Core, wiring: Wiring, at: Timestamp) -> Self {
        Self { core, wiring, due: Due::default(), exit: None, farewell: None, at, seen: Instant::now() }
    }

    /// Runs until the engine ends; then everything is on its way to the store.
    pub(in crate::engine) fn run(mut self, beat: &Beat, mut guard: Guard) -> Exit {
        while self.exit.is_none() {
            let event = match self.wiring.events.pop(self.until_due()) {
                Some(event) => event,
                None if self.wiring.events.is_closed() => break,
                None => Event::Due,
            };
            beat.mark();
            match guard.run(|| self.handle(event)) {
                Step::Done(()) => {}
                Step::Panicked => self.rebuild(),
                Step::Hopeless => self.exit = Some(Exit::Failed),
            }
        }
        self.refuse_rest();
        let output = self.core.finish(self.at);
        let last = Flush { now: self.at, rounds: output.rounds.unwrap_or_default(), writes: output.later };
        self.wiring.store.close(last, self.farewell.take());
        self.exit.unwrap_or(Exit::Stopped)
    }

    /// Nobody is left waiting for an answer that will not come.
    fn refuse_rest(&self) {
        self.wiring.events.close();
        while let Some(event) = self.wiring.events.try_pop() {
            let refusal = Refusal::new(RefusalKind::Unavailable, "the engine is ending; ask again in a moment");
            match event {
                Event::Wish(Wish { reply, .. }) | Event::Reread(_, reply) => reply(Err(refusal)),
                _ => {}
            }
        }
    }

    fn rebuild(&mut self) {
        let past = (self.wiring.past)();
        match Core::new(self.core.settings().clone(), past, self.at) {
            Ok(core) => {
                let continued = core.continue_from(&mut self.core);
                self.core = continued;
                // What readers see is what the new core goes on from.
                let pulse = self.core.first_pulse(self.at);
                self.wiring.hub.publish(Arc::new(pulse));
                let output = self.core.note(self.at, "farol failed on an event and went on without it; the log says more");
                self.carry(output, None);
            }
            // The same rules were read before.
            Err(error) => tracing::error!(%error, "the core could not be rebuilt"),
        }
    }

    /// The sampled time goes on between samples, in a simulation as well.
    fn now(&self) -> Timestamp {
        self.at + self.seen.elapsed()
    }

    /// Time until a message is due; `None`: something else will come first. What is overdue waits for a channel, not for time.
    fn until_due(&self) -> Option<Duration> {
        let left = self.core.next_due()?.since(self.now());
        (!left.is_zero()).then_some(left)
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Sample(sample, timing) => {
                self.at = sample.at;
                self.seen = Instant::now();
                self.probe();
                let output = self.core.tick(*sample, timing);
                if output.scan {
                    self.scan();
                }
                self.carry(output, None);
                self.ask_for_forecasts();
            }
            Event::Check(result) => self.core.check(&result),
            Event::Found(found) => self.core.found(found),
            // After the row of the newest sample, also where the scan began before it.
            Event::Scanned(all) => self.core.scanned(all, self.at + Duration::from_millis(1)),
            Event::Wish(wish) => self.wish(wish),
            Event::Fitted(forecasts) => {
                let output = self.core.fitted(forecasts, self.at);
                self.carry(output, None);
            }
            Event::Unfitted(What::Charts(_)) => self.due.charts = self.at,
            Event::Unfitted(What::Capacity(_)) => self.due.capacity = self.at,
            Event::Unfitted(What::Patterns) => self.due.patterns = self.at,
            Event::Patterned(found) => {
                let output = self.core.patterned(found, self.at);
                self.carry(output, None);
            }
            Event::Reread(reread, reply) => self.reread(reread, reply),
            Event::Delivered(report) => {
                let output = self.core.delivered(report, self.now());
                self.carry(output, None);
            }
            Event::Reported(job, made) => {
                let output = self.core.reported(job, made, self.now());
                self.carry(output, None);
            }
            Event::Shown(notice) => {
                let output = self.core.show(notice, self.now());
                self.carry(output, None);
            }
            Event::Due => {
                let output = self.core.due(self.now());
                self.carry(output, None);
            }
            Event::Stored(health) => {
                let output = self.core.stored(health, self.at);
                self.carry(output, None);
            }
            Event::Stop(exit) => self.exit = Some(exit),
        }
    }

    /// Publishes, writes and delivers what an event led to; `after` runs once decisions are on disk.
    fn carry(&mut self, output: Output, after: Option<After>) {
        if let Some(pulse) = output.pulse {
            self.wiring.hub.publish(Arc::new(pulse));
        }
        output.reports.into_iter().for_each(|job| self.make(job));
        if output.learn {
            scholar::begin(&self.wiring.batch, self.at);
        }
        let deliveries = output.deliveries;
        if !output.now.is_empty() || after.is_some() {
            let outward = Arc::clone(&self.wiring.outward);
            let (folder, removed) = (self.wiring.kept.clone(), output.removed);
            let told: After = Box::new(move |saved| {
                kept::remove(&folder, &removed);
                deliveries.into_iter().for_each(|d| outward.deliver(d));
                if let Some(after) = after {
                    after(saved);
                }
            });
            self.wiring.store.decide(output.now, told);
        } else {
            deliveries.into_iter().for_each(|d| self.wiring.outward.deliver(d));
        }
        if let Some(rounds) = output.rounds {
            self.wiring.store.flush(Flush { now: self.at, rounds, writes: output.later });
        }
    }

    fn wish(&mut self, wish: Wish) {
        match wish.request {
            Request::Snapshot => (wish.reply)(Ok(Answer::Snapshot { snapshot: self.wiring.hub.snapshot() })),
            Request::At { .. }
            | Request::History(_)
            | Request::Query(_)
            | Request::ProcessHistory { .. }
            | Request::Journal { .. }
            | Request::Alerts { .. } => refuse_if_full(self.wiring.interactive.push(wish)),
            Request::ProcessDetails { .. } => {
                if let Err(look::Job::Details(wish)) = self.wiring.look.push(look::Job::Details(wish)) {
                    refuse_if_full(Err(wish));
                }
            }
            // Reading files and asking the system takes long as well.
            Request::Report(_)
            | Request::KeptReport { .. }
            | Request::Replay(_)
            | Request::Learn { .. }
            | Request::Forecast { .. }
            | Request::Series { .. }
            | Request::CheckStore
            | Request::Settings
            | Request::ChangeSettings { .. }
            | Request::UndoSettings { .. }
            | Request::ApplyProposal { .. }
            | Request::UndoLesson { .. }
            | Request::Reload => {
                refuse_if_full(self.wiring.batch.push(wish));
            }
            Request::Band { key, range, step } => {
                let band = self.core.band(&key, range, step);
                (wish.reply)(Ok(Answer::Band { band }));
            }
            Request::CheckNow { ref service } => {
                if self.wiring.outward.check_now(service) {
                    (wish.reply)(Ok(Answer::Done { saved: Saved::Disk, message: format!("{service} is checked now") }));
                } else {
                    let text = format!("there is no service \"{service}\" with a check of its own");
                    wish.refuse(RefusalKind::NotFound, text);
                }
            }
            Request::TestChannel { channel } => self.test(&channel, wish.reply),
            Request::Reports => (wish.reply)(Ok(self.core.reports(self.now()))),
            Request::Checks { service } => (wish.reply)(Ok(Answer::Checks { checks: self.core.checks(&service) })),
            Request::Waiting { alert } => (wish.reply)(Ok(Answer::Waiting { messages: self.core.waiting(&alert) })),
            Request::HandOver => self.end(wish, Exit::HandedOver, "handed over"),
            Request::Stop => self.end(wish, Exit::Stopped, "stopping"),
            Request::TakeOver => wish.refuse(RefusalKind::Invalid, "an engine runs; there is nothing to take over"),
            _ => self.decide(wish),
        }
    }

    /// Has a report made and written beside the history; what became of it comes as an event.
    fn make(&self, job: ReportJob) {
        let (events, folder) = (self.wiring.events.clone(), self.wiring.kept.clone());
        let request = Request::Report(job.spec.clone());
        let reply: Reply = Box::new(move |answer| {
            let made = kept::keep(&folder, &job, answer);
            events.push_front(Event::Reported(job, made));
        });
        refuse_if_full(self.wiring.batch.push(Wish { request, reply }));
    }

    fn test(&self, channel: &str, reply: Reply) {
        let settings = self.core.settings();
        if settings.sending == Sending::Dry {
            return reply(Err(Refusal::new(RefusalKind::Invalid, "dry run: nothing is sent")));
        }
        let message = Message::test(&settings.host.name, self.now());
        self.wiring.outward.test(channel, message, reply);
    }

    fn end(&mut self, wish: Wish, exit: Exit, message: &str) {
        self.exit = Some(exit);
        let message = message.to_owned();
        self.farewell = Some(Box::new(move |ended| (wish.reply)(ended.map(|saved| Answer::Done { saved, message }))));
    }

    fn decide(&mut self, wish: Wish) {
        let Wish { request, reply } = wish;
        match self.core.decide(request, self.now()) {
            Ok((output, decided)) => {
                let after: After = Box::new(move |saved| reply(saved.map(|saved| decide::answer(decided, saved))));
                self.carry(output, Some(after));
            }
            Err(refusal) => reply(Err(refusal)),
        }
    }

    fn reread(&mut self, reread: Result<Box<Reread>, String>, reply: Reply) {
        let occasion = reread.as_ref().map_or(Occasion::Asked, |reread| reread.occasion.clone());
        match reread.and_then(|reread| self.reload(*reread)) {
            Ok(message) => {
                let (output, message) = self.core.taken(self.at, occasion, message);
                let after: After = Box::new(move |saved| reply(saved.map(|saved| Answer::Done { saved, message })));
                self.carry(output, Some(after));
            }
            Err(error) => {
                reply(Err(Refusal::new(RefusalKind::Invalid, format!("{error}; the old configuration stays"))));
            }
        }
    }

    /// Takes a configuration everywhere it is used; gives what there is to say about it.
    fn reload(&mut self, Reread { config, settings, occasion }: Reread) -> Result<String, String> {
        let outside = (settings.services.clone(), settings.channels.clone());
        let judging = settings.judging();
        let output = self.core.reload(settings, self.at)?;
        let wiring = &self.wiring;
        // Refused only where the engine ends.
        let _ = wiring.courses.replace(Course::of(&config), |_| true);
        wiring.store.configure(config.store.clone());
        *wiring.capacity.write().unwrap_or_else(PoisonError::into_inner) = capacity_plan(&config.analyze);
        *wiring.judging.write().unwrap_or_else(PoisonError::into_inner) = judging;
        wiring.prices.write().unwrap_or_else(PoisonError::into_inner).clone_from(&config.prices);
        wiring.outward.replace(outside);
        self.carry(output, None);
        let old = std::mem::replace(&mut self.wiring.config, config);
        let mut waiting = old.at_next_start(&self.wiring.config);
        let says = match occasion {
            Occasion::Asked | Occasion::Learned(..) => "configuration read again".to_owned(),
            // The screen takes its own part at once.
            Occasion::Changed(what) => {
                waiting.retain(|key| !key.starts_with("[ui]"));
                what
            }
        };
        Ok(match waiting.as_slice() {
            [] => says,
            [one] => format!("{says}; {one} takes effect at the next start"),
            several => format!("{says}; {} take effect at the next start", several.join(", ")),
        })
    }

    /// Has all processes read, unless that was done a moment ago.
    fn scan(&mut self) {
        if self.at < self.due.scan && self.due.scan <= self.at + SCAN_EVERY {
            return;
        }
        self.due.scan = self.at + SCAN_EVERY;
        // A full queue means that looking hangs.
        let _ = self.wiring.look.push(look::Job::Scan(self.at));
    }

    fn ask_for_forecasts(&mut self) {
        let interval = self.core.settings().interval;
        let due = |due: Timestamp, at: Timestamp, every| at >= due || due > at + every;
        // Charts are forecast for those who look; capacity always.
        let charts_every = future::charts_renew(interval);
        let charts = self.wiring.hub.readers() > 0 && due(self.due.charts, self.at, charts_every);
        let capacity = due(self.due.capacity, self.at, CAPACITY_EVERY);
        let patterns = due(self.due.patterns, self.at, PATTERNS_EVERY);
        // What is not asked for, or not taken, stays due.
        if !(charts || capacity || patterns) || under_pressure(&self.wiring.hub.snapshot()) {
            return;
        }
        if charts && self.wiring.fit.ask(Job { at: self.at, what: What::Charts(interval) }) {
            self.due.charts = self.at + charts_every;
        }
        let plan = *self.wiring.capacity.read().unwrap_or_else(PoisonError::into_inner);
        if capacity && self.wiring.fit.ask(Job { at: self.at, what: What::Capacity(plan) }) {
            self.due.capacity = self.at + CAPACITY_EVERY;
        }
        if patterns && self.wiring.fit.ask(Job { at: self.at, what: What::Patterns }) {
            self.due.patterns = self.at + PATTERNS_EVERY;
        }
    }

    fn probe(&mut self) {
        if self.at < self.due.probe && self.due.probe <= self.at + PROBE_EVERY {
            return;
        }
        self.due.probe = self.at + PROBE_EVERY;
        let threads = self.wiring.probes.iter().map(|p| ThreadHealth {
            name: p.name.clone(),
            beat_age_seconds: p.beat.age().as_secs_f64(),
            restarts: p.restarts.load(Ordering::Relaxed),
        });
        let queue = |name: &str, stats| QueueHealth { name: name.to_owned(), stats };
        let wiring = &self.wiring;
        let queues = vec![
            queue("events", wiring.events.stats()),
            queue("store", wiring.store.stats()),
            queue("interactive", wiring.interactive.stats()),
            queue("batch", wiring.batch.stats()),
            queue("fit", wiring.fit.stats()),
            queue("look", wiring.look.stats()),
        ];
        let (threads, recorder) = (threads.collect(), self.core.recorder_mut());
        (recorder.threads, recorder.queues) = (threads, queues);
    }
}

pub(super) fn refuse_if_full(pushed: Result<(), Wish>) {
    if let Err(wish) = pushed {
        wish.refuse(RefusalKind::Unavailable, "too many questions wait already; ask again in a moment");
    }
}
