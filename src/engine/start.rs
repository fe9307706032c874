//! Starting and ending an engine.
//!
//! Order of the start: lock, history, state, threads. Order of the end: sampling, core, store, the
//! rest; 8 s in all, then what hangs is left behind.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::configure::{Configurator, Configuring, Taking};
use super::core::Core;
use super::event::Event;
use super::exchange::{CoreSettings, Past};
use super::feed::{Feed, Reader};
use super::guard::{Guard, Panics, Spare, untrusted};
use super::hub::{Hub, Wish};
use super::kept;
use super::lock::DataLock;
use super::outward::Outward;
use super::past::past;
use super::thread::core::{Exit, Runner, Wiring};
use super::thread::fit::{self, Fits};
use super::thread::inbox::Inbox;
use super::thread::read::{self, Library};
use super::thread::sample::{self, Course};
use super::thread::{Probe, Stop, look, store};
use super::warm;
use crate::analyze::capacity_plan;
use crate::base::{Queue, Timestamp, Worker};
use crate::config::Config;
use crate::model::{Host, RecorderHealth, Snapshot};
use crate::monitor::RefusalKind;
use crate::store::{OpenError, Store};

/// Longest time an end may take.
const END_LIMIT: Duration = Duration::from_secs(8);

/// Events waiting for the core: more than a minute of everything at 1 s.
const MAX_EVENTS: usize = 1024;

/// Questions waiting for a reader.
const MAX_QUESTIONS: usize = 64;

/// How an engine is started.
pub struct Setup {
    /// The data folder, taken.
    pub lock: DataLock,
    /// The configuration.
    pub config: Config,
    /// What a core is made from it.
    pub settings: CoreSettings,
    /// What is watched.
    pub feed: Feed,
    /// Without a screen.
    pub headless: bool,
    /// How the configuration is read again and changed.
    pub configuring: Configuring,
}

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The history file.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Anything else, for people.
    #[error("{0}")]
    Other(String),
}

/// A running engine.
pub struct Engine {
    hub: Hub,
    events: Queue<Event>,
    stop: Stop,
    queues: Queues,
    taking: Arc<Mutex<Option<Taking>>>,
    runtimes: Vec<Arc<tokio::sync::Notify>>,
    inward: tokio::runtime::Handle,
    workers: Vec<Worker>,
    exit: Receiver<Exit>,
    exited: OnceLock<Exit>,
    lock: Option<DataLock>,
}

#[derive(Clone)]
struct Queues {
    store: Inbox,
    interactive: Queue<Wish>,
    batch: Queue<Wish>,
    fit: Fits,
    courses: Queue<Course>,
    look: Queue<look::Job>,
}

impl Engine {
    /// Opens the history and starts all threads.
    ///
    /// # Errors
    /// The history cannot be opened, or the system gives no thread.
    pub fn start(setup: Setup) -> Result<Self, StartError> {
        let Setup { lock, config, settings, mut feed, headless, configuring } = setup;
        let other = |e: std::io::Error| StartError::Other(format!("no thread: {e}"));
        let now = if let Feed::Simulated(simulation) = &feed { simulation.at } else { Timestamp::now() };
        let path = history_path(&lock);
        let (mut writer, reader, known) = untrusted(&path, || {
            let (writer, reader) = Store::open(&path, &config.store)?;
            let view = reader.view().map_err(|e| StartError::Other(e.to_string()))?;
            let known = past(&view, now).map_err(|e| StartError::Other(e.to_string()))?;
            drop(view);
            Ok::<_, StartError>((writer, reader, known))
        })?;
        let fresh = known.alerts.last_tick.is_none();
        let mut core = Core::new(settings.clone(), known, now).map_err(StartError::Other)?;
        if let Ok(view) = reader.view() {
            core.recall(&view, now);
        }
        *core.recorder_mut() = RecorderHealth {
            pid: std::process::id(),
            since: now,
            interval_seconds: config.general.interval.as_secs_f64(),
            store: writer.health(),
            headless,
            dry_run: settings.sending == crate::notify::Sending::Dry,
            ..RecorderHealth::default()
        };
        if let Feed::Simulated(simulation) = &mut feed
            && fresh
        {
            warm::up(&mut core, &mut writer, simulation).map_err(|e| StartError::Other(e.to_string()))?;
        }
        let host: Option<Arc<dyn Host>> = if let Feed::Machine(host) = &feed { Some(Arc::clone(host)) } else { None };
        let events: Queue<Event> = Queue::new(MAX_EVENTS);
        let hub = hub(&settings, &events);
        hub.publish(Arc::new(core.first_pulse(now)));
        let queues = Queues {
            store: Inbox::default(),
            interactive: Queue::new(MAX_QUESTIONS),
            batch: Queue::new(MAX_QUESTIONS),
            fit: Fits::new(),
            courses: Queue::new(1),
            look: Queue::new(MAX_QUESTIONS),
        };
        let mut workers = Vec::new();
        let mut runtimes = Vec::new();
        let outside = runtime("out", &mut workers, &mut runtimes)?;
        let inward = runtime("in", &mut workers, &mut runtimes)?;
        let given = (settings.services.clone(), settings.channels.clone());
        let outward = Arc::new(Outward::new(outside, events.clone(), hub.clone(), host.clone(), given));
        let library = Library {
            reader: reader.clone(),
            head: core.head(),
            hub: hub.clone(),
            catalog: Arc::clone(&settings.catalog),
            capacity: Arc::new(RwLock::new(capacity_plan(&config.analyze))),
            prices: Arc::new(RwLock::new(config.prices.clone())),
            kept: kept::folder(lock.dir()),
            judging: Arc::new(RwLock::new(settings.judging())),
        };
        let (capacity, prices) = (Arc::clone(&library.capacity), Arc::clone(&library.prices));
        let judging = Arc::clone(&library.judging);
        let configurator = Configurator::new(configuring);
        let taking = configurator.taking();
        let stop = Stop::default();
        let mut spawn = Spawn::default();
        {
            let (queue, events) = (queues.store.clone(), events.clone());
            let body = move |beat: &_, guard| store::run(writer, &queue, &events, beat, guard);
            workers.push(spawn.guarded("store", body).map_err(other)?);
        }
        for (name, queue) in [("reader", queues.interactive.clone()), ("batch", queues.batch.clone())] {
            let (library, configurator, events) = (library.clone(), configurator.clone(), events.clone());
            let body = move |beat: &_, guard| read::run(&library, &queue, (&configurator, &events), (beat, guard));
            workers.push(spawn.spare(name, body).map_err(other)?);
        }
        {
            let (queue, events, hub) = (queues.look.clone(), events.clone(), hub.clone());
            let body = move |beat: &_, guard| look::run(host.as_ref(), &hub, &queue, &events, beat, guard);
            workers.push(spawn.spare("look", body).map_err(other)?);
        }
        {
            let (fits, events) = (queues.fit.clone(), events.clone());
            let body = move |beat: &_, guard| fit::run(&library, &fits, &events, (beat, guard));
            workers.push(spawn.spare("fit", body).map_err(other)?);
        }
        {
            let (events, courses, course) = (events.clone(), queues.courses.clone(), Course::of(&config));
            let mut reading = Reader::new(feed, &config.collect);
            let body = move |beat: &_, guard| sample::run(&mut reading, course, &courses, &events, (beat, guard));
            workers.push(spawn.guarded("sample", body).map_err(other)?);
        }
        let (exited, exit) = sync_channel(1);
        let wiring = Wiring {
            events: events.clone(),
            store: queues.store.clone(),
            interactive: queues.interactive.clone(),
            batch: queues.batch.clone(),
            fit: queues.fit.clone(),
            courses: queues.courses.clone(),
            capacity,
            prices,
            kept: kept::folder(lock.dir()),
            judging,
            config,
            look: queues.look.clone(),
            hub: hub.clone(),
            outward,
            probes: spawn.probes.clone(),
            past: Box::new(move || {
                let view = reader.view().map_err(|error| tracing::error!(%error, "state is rebuilt from nothing"));
                view.ok().and_then(|view| past(&view, Timestamp::now()).ok()).unwrap_or_else(Past::default)
            }),
        };
        let runner = Mutex::new(Some(Runner::new(core, wiring, now)));
        let (ended, all, courses) = (hub.clone(), stop.clone(), queues.courses.clone());
        let body = move |beat: &_, guard| {
            let runner = runner.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(runner) = runner {
                // Outside its own guard only the guard's own work can fail; the end is told all the same.
                let exit = catch_unwind(AssertUnwindSafe(|| runner.run(beat, guard))).unwrap_or(Exit::Failed);
                // Nobody waits for it any more: then it is not needed.
                let _ = exited.send(exit);
                ended.close();
                courses.close();
                all.ask();
            }
        };
        workers.push(spawn.guarded("core", body).map_err(other)?);
        Ok(Self { hub, events, stop, queues, taking, runtimes, inward, workers, exit, exited: OnceLock::new(), lock: Some(lock) })
    }

    /// Where readers meet it.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The data folder's lock.
    pub fn lock(&self) -> &DataLock {
        self.lock.as_ref().expect("held until the end")
    }

    /// The runtime for those who come in: API and attached screens.
    pub fn inward(&self) -> &tokio::runtime::Handle {
        &self.inward
    }

    /// Who else takes a configuration that is read again, before the engine does; its error refuses all of it.
    pub fn on_reload(&self, take: Taking) {
        *self.taking.lock().unwrap_or_else(PoisonError::into_inner) = Some(take);
    }

    /// Something to wait for that ends with the engine, without holding it.
    pub fn ended(&self) -> Ended {
        Ended(self.stop.clone())
    }

    /// The worker that should have shown for `limit` that it lives and has not; `None` where all have.
    pub fn stuck(&self, limit: Duration) -> Option<&str> {
        let interval = Duration::try_from_secs_f64(self.hub.snapshot().recorder.interval_seconds).unwrap_or_default();
        let waits = self.queues.store.stats().depth > 0;
        let stuck = |worker: &&Worker| worker.beat().age() > limit + pause(worker.name(), interval, waits);
        self.workers.iter().find(stuck).map(Worker::name)
    }

    /// Waits until the engine ends by itself or `timeout` passes.
    pub fn wait(&self, timeout: Duration) -> Option<Exit> {
        use std::sync::mpsc::RecvTimeoutError;
        match self.exit.recv_timeout(timeout) {
            Err(RecvTimeoutError::Timeout) => None,
            // Told once; whoever asks again is told the same.
            told => Some(*self.exited.get_or_init(|| told.unwrap_or(Exit::Failed))),
        }
    }

    /// Ends everything, writes what is left, releases the data folder. `farewell` is called when all is written and the
    /// runtimes still live, for those who wait for an answer. Gives the names of threads left behind.
    pub fn end(mut self, farewell: impl FnOnce()) -> Vec<String> {
        let deadline = Instant::now() + END_LIMIT;
        self.stop.ask();
        self.queues.courses.close();
        self.events.push_front(Event::Stop(Exit::Stopped));
        // The core hands its last samples to the store before the store is closed.
        let (last, mut workers): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.workers).into_iter().partition(|w| matches!(w.name(), "core" | "store"));
        let mut behind = Vec::new();
        let mut join = |worker: Worker| match worker.join_by(deadline) {
            Ok(None) => {}
            Ok(Some(panic)) => tracing::error!(panic, "a worker ended with a panic"),
            Err(worker) => behind.push(worker.name().to_owned()),
        };
        let (store, core): (Vec<_>, Vec<_>) = last.into_iter().partition(|w| w.name() == "store");
        core.into_iter().for_each(&mut join);
        self.queues.store.end();
        store.into_iter().for_each(&mut join);
        farewell();
        self.queues.interactive.close();
        self.queues.batch.close();
        self.queues.fit.jobs.close();
        self.queues.look.close();
        self.runtimes.iter().for_each(|r| r.notify_one());
        workers.drain(..).for_each(&mut join);
        drop(self.lock.take());
        behind
    }
}

/// How long a worker may have nothing to do: those that read and fold samples an interval, the writer while nothing waits for it,
/// others for ever.
fn pause(worker: &str, interval: Duration, waits: bool) -> Duration {
    match worker {
        "sample" | "core" => interval,
        "store" if waits => Duration::ZERO,
        _ => Duration::from_secs(u64::from(u32::MAX)),
    }
}

/// The end of an engine, to be waited for.
#[derive(Debug, Clone)]
pub struct Ended(Stop);

impl Ended {
    /// Waits until the engine ends, by itself or because it was asked to.
    pub fn wait(&self) {
        while !self.0.wait(Duration::from_secs(3600)) {}
    }
}

/// The history file of a data folder.
pub fn history_path(lock: &DataLock) -> PathBuf {
    lock.dir().join("farol.redb")
}

fn hub(settings: &CoreSettings, events: &Queue<Event>) -> Hub {
    let events = events.clone();
    let empty = Arc::new(Snapshot::empty(Arc::clone(&settings.catalog)));
    Hub::new(empty, move |wish| {
        if let Err(Event::Wish(wish)) = events.push(Event::Wish(wish)) {
            wish.refuse(RefusalKind::Unavailable, "the engine is ending or overloaded; ask again in a moment");
        }
    })
}

/// A runtime with one thread, until its notify is called.
fn runtime(
    name: &str,
    workers: &mut Vec<Worker>,
    runtimes: &mut Vec<Arc<tokio::sync::Notify>>,
) -> Result<tokio::runtime::Handle, StartError> {
    let other = |e: std::io::Error| StartError::Other(format!("no runtime: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(other)?;
    let handle = runtime.handle().clone();
    let stop = Arc::new(tokio::sync::Notify::new());
    runtimes.push(Arc::clone(&stop));
    let worker = Worker::spawn(name, move |_| {
        runtime.block_on(stop.notified());
        // A check that hangs in a system call must not hold us.
        runtime.shutdown_background();
    });
    workers.push(worker.map_err(other)?);
    Ok(handle)
}

/// Starts workers and remembers how to look at them.
#[derive(Default)]
struct Spawn {
    probes: Vec<Probe>,
    panics: Panics,
}

impl Spawn {
    /// One that recording needs.
    fn guarded(
        &mut self,
        name: &'static str,
        body: impl FnOnce(&crate::base::Beat, Guard) + Send + 'static,
    ) -> std::io::Result<Worker> {
        let guard = Guard::new(name, &self.panics);
        let restarts = guard.restarts();
        let worker = Worker::spawn(name, move |beat| body(beat, guard))?;
        self.remember(&worker, restarts);
        Ok(worker)
    }

    /// One that recording does not need.
    fn spare(
        &mut self,
        name: &'static str,
        body: impl FnOnce(&crate::base::Beat, Spare) + Send + 'static,
    ) -> std::io::Result<Worker> {
        let guard = Spare::new(name);
        let restarts = guard.restarts();
        let worker = Worker::spawn(name, move |beat| body(beat, guard))?;
        self.remember(&worker, restarts);
        Ok(worker)
    }

    fn remember(&mut self, worker: &Worker, restarts: Arc<AtomicU32>) {
        self.probes.push(Probe { name: worker.name().to_owned(), beat: worker.beat().clone(), restarts });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_worker_whose_turn_it_is_can_be_stuck() {
        let (interval, long) = (Duration::from_secs(3600), Duration::from_secs(1_000_000));
        assert_eq!((pause("core", interval, false), pause("sample", interval, true)), (interval, interval));
        assert_eq!(pause("store", interval, true), Duration::ZERO);
        assert!(pause("store", interval, false) > long && pause("batch", interval, true) > long);
    }
}
