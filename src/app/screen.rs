//! The screen: on an engine that runs, on its own engine, or on a stored history.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::cli::{Global, RunArgs};
use super::commands;
use super::logging::{self, Destination};
use super::switch::{Slot, SwitchMonitor};
use super::{Failure, place, run};
use crate::api::Access;
use crate::base::Worker;
use crate::collect::{self, LinuxHost};
use crate::config::Loaded;
use crate::engine::{self, DataLock, Engine, Exit, LockError, Role, Surroundings, Tape};
use crate::model::Host;
use crate::monitor::{Answer, Monitor, Refusal, RefusalKind, Saved, Scope, Waker};
use crate::notify::Sending;
use crate::remote::{Address, Client};
use crate::ui::widgets::Graph;
use crate::ui::{self, EventSource, Keymap, Terminal, Theme, UiConfig, UiOptions};

/// How long a screen looks for the engine that took over.
const TAKE_OVER: Duration = Duration::from_secs(15);

/// `farol`, `farol --attach`, `farol --replay`.
///
/// # Errors
/// Why there is no screen.
pub fn show(global: &Global, args: &RunArgs) -> Result<ExitCode, Failure> {
    logging::start(global, Destination::Nowhere);
    let loaded = place::configuration(global, Some(args))?;
    let options = options(&loaded.config.ui, global, args)?;
    if let Some(file) = &args.replay {
        return replay(file, &loaded, options);
    }
    if let Some(address) = &global.attach {
        return attached(&address.parse().map_err(Failure::usage)?, options);
    }
    if let Some((socket, _)) = place::engine(&place::data_dirs(global)) {
        return attached_here(Address(socket), options, (loaded, global, args));
    }
    let dir = place::data_dir(global)?;
    match DataLock::take(&dir, Role::Screen) {
        Ok(lock) => {
            let access = run::access(&loaded.config)?;
            own(run::start(lock, loaded, global, args)?, options, &access)
        }
        // Somebody else was quicker.
        Err(LockError::Held { owner, .. }) if owner.socket.is_some() => {
            let loaded = place::configuration(global, Some(args))?;
            attached_here(Address(owner.socket.unwrap_or_default()), options, (loaded, global, args))
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows an engine of this process that nobody else can reach (the demo).
///
/// # Errors
/// No terminal.
pub fn on_engine(engine: Engine, config: &UiConfig, (global, args): (&Global, &RunArgs)) -> Result<ExitCode, Failure> {
    let options = options(config, global, args)?;
    own(engine, options, &Access::default())
}

fn attached(address: &Address, options: UiOptions) -> Result<ExitCode, Failure> {
    let events = EventSource::default();
    let client = Client::connect(address.clone(), events.waker()).map_err(|e| anyhow::anyhow!(e))?;
    ended(ui::run(Box::new(client), options, events))
}

fn replay(file: &Path, loaded: &Loaded, options: UiOptions) -> Result<ExitCode, Failure> {
    let scratch = commands::demo::Scratch::new("replay")?;
    let host = LinuxHost::new();
    let facts = Arc::new(collect::facts(&host as &dyn Host, None, std::collections::BTreeMap::new()));
    let around = Surroundings { host: facts, link_bits_per_second: None, data_dir: scratch.path(), sending: Sending::Dry };
    let settings = engine::settings(&loaded.config, &Arc::new(engine::catalog()), &around);
    let settings = settings.map_err(|e| Failure::usage(anyhow::anyhow!(e)))?;
    let tape = Tape::open(file, scratch.path(), &loaded.config.store, settings)?;
    let events = EventSource::default();
    let monitor = tape.hub().monitor(Scope::Operate, events.waker()).replaying(file.display().to_string());
    ended(ui::run(Box::new(monitor), options, events))
}

/// The screen on top of its own engine; after a handover it goes on attached to the new one.
fn own(engine: Engine, options: UiOptions, access: &Access) -> Result<ExitCode, Failure> {
    let events = EventSource::default();
    let home = Home::new(events.waker());
    let monitor = SwitchMonitor::new(home.begin(engine, access)?, home.slot.clone());
    let result = ui::run(Box::new(monitor), options, events);
    home.end();
    ended(result)
}

/// The screen on a recorder of this machine; where that is gone, it can record itself when asked to.
fn attached_here(
    address: Address,
    options: UiOptions,
    (loaded, global, args): (Loaded, &Global, &RunArgs),
) -> Result<ExitCode, Failure> {
    let events = EventSource::default();
    let client = Client::connect(address, events.waker()).map_err(|e| anyhow::anyhow!(e))?;
    let home = Home::new(events.waker());
    let (taking, given) = (home.clone(), (loaded, global.clone(), args.clone()));
    let take_over = move |reply: engine::Reply| {
        let (home, (loaded, global, args)) = (taking.clone(), given.clone());
        // Opening the history takes time the screen does not have.
        let started = Worker::spawn("takeover", move |_| {
            let begun = home.take_over(loaded, &global, &args);
            let done = begun.map(|()| Answer::Done { saved: Saved::Disk, message: "recording here".to_owned() });
            reply(done.map_err(|e| Refusal::new(RefusalKind::Unavailable, e.to_string())));
            (home.wake)();
        });
        drop(started);
    };
    let monitor = SwitchMonitor::new(Box::new(client), home.slot.clone()).able_to(Box::new(take_over));
    let result = ui::run(Box::new(monitor), options, events);
    home.end();
    ended(result)
}

/// The engine of this process, while it has one; clones share it.
#[derive(Clone)]
struct Home {
    engine: Arc<Mutex<Option<Engine>>>,
    slot: Slot,
    wake: Waker,
}

impl Home {
    fn new(wake: Waker) -> Self {
        Self { engine: Arc::default(), slot: Slot::default(), wake }
    }

    /// Takes the engine in, lets others reach it, and watches for its end.
    fn begin(&self, engine: Engine, access: &Access) -> Result<Box<dyn Monitor>, Failure> {
        if let Err(failure) = run::serve(&engine, Role::Screen, access) {
            engine.end();
            return Err(failure);
        }
        let dir = engine.lock().dir().to_owned();
        let monitor = engine.hub().monitor(Scope::Admin, Arc::clone(&self.wake));
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = Some(engine);
        self.keep(dir);
        Ok(Box::new(monitor))
    }

    /// Records from now on, in place of a recorder that is gone.
    fn take_over(&self, loaded: Loaded, global: &Global, args: &RunArgs) -> Result<(), Failure> {
        let access = run::access(&loaded.config)?;
        let lock = DataLock::take(&place::data_dir(global)?, Role::Screen)?;
        let monitor = self.begin(run::start(lock, loaded, global, args)?, &access)?;
        self.slot.put(monitor);
        Ok(())
    }

    /// Watches the engine; when it is handed over, releases the history and attaches to the one that took it.
    fn keep(&self, dir: PathBuf) {
        let home = self.clone();
        let watch = move |_: &crate::base::Beat| {
            let Some(exit) = home.wait() else { return };
            let ended = home.engine.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(ended.map(Engine::end));
            let deadline = Instant::now() + TAKE_OVER;
            while exit == Exit::HandedOver && Instant::now() < deadline {
                // It listens where its own surroundings say, which the lock file tells.
                let client = engine::listening(&dir).map(|(socket, _)| Client::connect(Address(socket), Arc::clone(&home.wake)));
                if let Some(Ok(client)) = client {
                    home.slot.put(Box::new(client));
                    break;
                }
                // The new engine opens the history first.
                std::thread::sleep(Duration::from_millis(100));
            }
            (home.wake)();
        };
        if let Err(error) = Worker::spawn("keeper", watch) {
            tracing::warn!(%error, "a handover will not be noticed");
        }
    }

    /// Waits for the engine's own end; `None` where the screen ended it.
    fn wait(&self) -> Option<Exit> {
        loop {
            let guard = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
            let running = guard.as_ref()?;
            if let Some(exit) = running.wait(Duration::ZERO) {
                return Some(exit);
            }
            let ended = running.ended();
            drop(guard);
            // Woken by the engine's end; the screen's end takes the engine and ends this too.
            ended.wait();
        }
    }

    /// Ends the engine, if there is one.
    fn end(&self) {
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(engine.map(Engine::end));
    }
}

fn ended(result: Result<ui::Exit, ui::UiError>) -> Result<ExitCode, Failure> {
    result?;
    Ok(ExitCode::SUCCESS)
}

fn options(config: &UiConfig, global: &Global, args: &RunArgs) -> Result<UiOptions, Failure> {
    let mut terminal = Terminal::from_env(|name| std::env::var(name).ok());
    terminal.ascii |= args.ascii;
    let theme = Theme::load(&config.theme, place::themes().as_deref()).map_err(Failure::usage)?;
    let graph = match config.graph.as_str() {
        "braille" => Graph::Braille,
        "block" => Graph::Block,
        "ascii" => Graph::Ascii,
        other => return Err(Failure::usage(anyhow::anyhow!("[ui] graph: \"{other}\" is none of braille, block, ascii"))),
    };
    Ok(UiOptions {
        theme,
        terminal,
        graph,
        zone: commands::zone(global),
        author: place::author(),
        keymap: Keymap::default(),
        export: Box::new(export),
    })
}

/// Writes a report into the current folder; where that is not possible, into the home folder.
fn export(name: &str, text: &str) -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|e| e.to_string())?.join(name);
    let first = match commands::report::write(&here, text) {
        Ok(()) => return Ok(here),
        Err(error) => error,
    };
    let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().join(name));
    match home {
        Some(path) if commands::report::write(&path, text).is_ok() => Ok(path),
        _ => Err(format!("{first:#}")),
    }
}
