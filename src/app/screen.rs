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
use crate::engine::{self, DataLock, Engine, Exit, LockError, Role, Surroundings, Tape};
use crate::model::Host;
use crate::monitor::{Scope, Waker};
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
        return attached(&Address(socket), options);
    }
    let dir = place::data_dir(global)?;
    match DataLock::take(&dir, Role::Screen) {
        Ok(lock) => {
            let access = run::access(&loaded.config)?;
            own(run::start(lock, loaded, global, args)?, options, &access)
        }
        // Somebody else was quicker.
        Err(LockError::Held { owner, .. }) if owner.socket.is_some() => {
            attached(&Address(owner.socket.unwrap_or_default()), options)
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

fn replay(file: &Path, loaded: &crate::config::Loaded, options: UiOptions) -> Result<ExitCode, Failure> {
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
    let served = run::serve(&engine, Role::Screen, access)?;
    let events = EventSource::default();
    let slot = Slot::default();
    let monitor = SwitchMonitor::new(Box::new(engine.hub().monitor(Scope::Admin, events.waker())), slot.clone());
    let engine = Arc::new(Mutex::new(Some(engine)));
    let keeper = keep(Arc::clone(&engine), served.socket.clone(), slot, events.waker());
    let result = ui::run(Box::new(monitor), options, events);
    served.stop();
    if let Some(engine) = engine.lock().unwrap_or_else(PoisonError::into_inner).take() {
        engine.end();
    }
    drop(keeper);
    ended(result)
}

/// Watches the engine; when it is handed over, releases the history and attaches to the one that took it.
fn keep(engine: Arc<Mutex<Option<Engine>>>, socket: PathBuf, slot: Slot, wake: Waker) -> Option<Worker> {
    let watch = move |_: &crate::base::Beat| {
        let exit = loop {
            let guard = engine.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(running) = guard.as_ref() else { return };
            if let Some(exit) = running.wait(Duration::ZERO) {
                break exit;
            }
            let ended = running.ended();
            drop(guard);
            // Woken by the engine's end; the screen's end drops the engine and ends this too.
            ended.wait();
        };
        let ended = engine.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(ended.map(Engine::end));
        if exit == Exit::HandedOver {
            let deadline = Instant::now() + TAKE_OVER;
            while Instant::now() < deadline {
                if let Ok(client) = Client::connect(Address(socket.clone()), Arc::clone(&wake)) {
                    slot.put(Box::new(client));
                    break;
                }
                // The new engine opens the history first.
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        wake();
    };
    Worker::spawn("keeper", watch).ok()
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
