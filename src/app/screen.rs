//! The screen: on an engine that runs, on its own engine, or on a stored history.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::cli::{Global, RunArgs};
use super::commands;
use super::logging::{self, Destination};
use super::run::Served;
use super::switch::{Slot, SwitchMonitor, TakeOver};
use super::{Failure, keys, place, run};
use crate::api::Access;
use crate::base::{Readers, Worker, write_whole};
use crate::collect::{self, ThisHost};
use crate::config::{Loaded, Origin};
use crate::engine::{self, DataLock, Engine, Exit, LockError, Role, Surroundings, Tape};
use crate::model::Host;
use crate::monitor::{Answer, Monitor, Refusal, RefusalKind, Saved, Scope, Waker};
use crate::notify::Sending;
use crate::remote::{Address, Client};
use crate::ui::widgets::Graph;
use crate::ui::{self, Asked, Clock, EventSource, Hours, Manner, Terminal, Theme, UiConfig, UiOptions, Units};

/// How long a screen looks for the engine that took over.
const TAKE_OVER: Duration = Duration::from_secs(15);

/// `farol`, `farol --attach`, `farol --replay`.
///
/// # Errors
/// Why there is no screen.
pub fn show(global: &Global, args: &RunArgs) -> Result<ExitCode, Failure> {
    logging::start(global, Destination::Nowhere);
    let loaded = place::configuration(global, Some(args))?;
    let options = options((&loaded.config.ui, &loaded.origins), global, args)?;
    if let Some(file) = &args.replay {
        return replay(file, &loaded, options);
    }
    if let Some(address) = &global.attach {
        return attached(&address.parse().map_err(Failure::usage)?, options);
    }
    if let Some((socket, _)) = place::engine(&place::data_dirs(global)) {
        return attached_here(Address(socket), with_processes(options), (global, args));
    }
    let dir = place::data_dir(global)?;
    match DataLock::take(&dir, Role::Screen) {
        Ok(lock) => {
            let access = run::access(&loaded.config).map_err(|e| loaded.located(&e))?;
            let again = (global.clone(), args.clone());
            own(run::start(lock, loaded, global, args)?, with_processes(options), (&access, Some(again)))
        }
        // Somebody else was quicker.
        Err(LockError::Held { owner, .. }) if owner.socket.is_some() => {
            attached_here(Address(owner.socket.unwrap_or_default()), with_processes(options), (global, args))
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows an engine of this process that nobody else can reach (the demo).
///
/// # Errors
/// No terminal.
pub fn on_engine(engine: Engine, config: &UiConfig, (global, args): (&Global, &RunArgs)) -> Result<ExitCode, Failure> {
    let options = options((config, &BTreeMap::new()), global, args)?;
    own(engine, options, (&Access::default(), None))
}

fn attached(address: &Address, options: UiOptions) -> Result<ExitCode, Failure> {
    let events = EventSource::default();
    let address = address.clone();
    let client = Client::connect(Box::new(move || vec![address.clone()]), events.waker()).map_err(|e| anyhow::anyhow!(e))?;
    ended(ui::run(Box::new(client), options, events))
}

fn replay(file: &Path, loaded: &Loaded, options: UiOptions) -> Result<ExitCode, Failure> {
    let scratch = commands::demo::Scratch::new("replay")?;
    let host = ThisHost::new();
    let facts = Arc::new(collect::facts(&host as &dyn Host, None, std::collections::BTreeMap::new()));
    let around = Surroundings { host: facts, link_bits_per_second: None, data_dir: scratch.path(), sending: Sending::Dry };
    let settings = engine::settings(&loaded.config, &Arc::new(engine::catalog()), &around);
    let settings = settings.map_err(|e| loaded.located(&e))?;
    let tape = Tape::open(file, scratch.path(), &loaded.config.store, settings)?;
    let events = EventSource::default();
    let monitor = tape.hub().monitor(Scope::Operate, events.waker()).replaying(file.display().to_string());
    ended(ui::run(Box::new(monitor), options, events))
}

/// What a screen needs to record itself when the recorder is gone.
type Again = (Global, RunArgs);

/// The screen on top of its own engine; after a handover it goes on attached to the new one, and takes over where that ends.
fn own(engine: Engine, options: UiOptions, (access, again): (&Access, Option<Again>)) -> Result<ExitCode, Failure> {
    let events = EventSource::default();
    let home = Home::new(events.waker());
    let monitor = SwitchMonitor::new(home.begin(engine, access)?, home.slot.clone());
    let monitor = match again {
        Some(again) => monitor.able_to(home.taking_over(again)),
        None => monitor,
    };
    home.show(monitor, options, events)
}

/// The screen on a recorder of this machine; where that is gone, it can record itself when asked to.
fn attached_here(address: Address, options: UiOptions, (global, args): (&Global, &RunArgs)) -> Result<ExitCode, Failure> {
    let events = EventSource::default();
    let dirs = place::data_dirs(global);
    // The one that was found may be starting; later whoever is there.
    let lookup = Box::new(move || match place::addresses(&dirs) {
        found if found.is_empty() => vec![address.clone()],
        found => found,
    });
    let client = Client::connect(lookup, events.waker()).map_err(|e| anyhow::anyhow!(e))?;
    let home = Home::new(events.waker());
    let again = home.taking_over((global.clone(), args.clone()));
    let monitor = SwitchMonitor::new(Box::new(client), home.slot.clone()).able_to(again);
    home.show(monitor, options, events)
}

/// The engine of this process, while it has one; clones share it.
#[derive(Clone)]
struct Home {
    engine: Arc<Mutex<Option<(Engine, Served)>>>,
    slot: Slot,
    wake: Waker,
    // The last engine here ended because its workers failed.
    failed: Arc<AtomicBool>,
}

impl Home {
    fn new(wake: Waker) -> Self {
        Self { engine: Arc::default(), slot: Slot::default(), wake, failed: Arc::default() }
    }

    /// Shows the screen until it is closed, then ends the engine.
    ///
    /// # Errors
    /// No terminal, or an engine that failed while the screen was open.
    fn show(&self, monitor: SwitchMonitor, options: UiOptions, events: EventSource) -> Result<ExitCode, Failure> {
        let shown = ui::run(Box::new(monitor), options, events);
        self.end();
        ended(shown)?;
        self.outcome()
    }

    fn outcome(&self) -> Result<ExitCode, Failure> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(anyhow::anyhow!(
                "recording ended: farol failed five times within ten minutes; what was recorded before is kept. \
                 Start farol again; farol --record says in its log what fails"
            )
            .into());
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Takes the engine in, lets others reach it, and watches for its end.
    fn begin(&self, engine: Engine, access: &Access) -> Result<Box<dyn Monitor>, Failure> {
        let served = match run::serve(&engine, Role::Screen, access) {
            Ok(served) => served,
            Err(failure) => {
                engine.end(|| {});
                return Err(failure);
            }
        };
        let dir = engine.lock().dir().to_owned();
        let monitor = engine.hub().monitor(Scope::Admin, Arc::clone(&self.wake));
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = Some((engine, served));
        self.failed.store(false, Ordering::Relaxed);
        self.keep(dir);
        Ok(Box::new(monitor))
    }

    /// Records here when it is asked to, in place of a recorder that is gone.
    fn taking_over(&self, again: Again) -> TakeOver {
        let home = self.clone();
        Box::new(move |reply: engine::Reply| {
            let (home, (global, args)) = (home.clone(), again.clone());
            // Opening the history takes time the screen does not have.
            let started = Worker::spawn("takeover", move |_| {
                let begun = home.take_over(&global, &args);
                let done = begun.map(|()| Answer::Done { saved: Saved::Disk, message: "recording here".to_owned() });
                reply(done.map_err(|e| Refusal::new(RefusalKind::Unavailable, e.to_string())));
                (home.wake)();
            });
            drop(started);
        })
    }

    fn take_over(&self, global: &Global, args: &RunArgs) -> Result<(), Failure> {
        let loaded = place::configuration(global, Some(args))?;
        let access = run::access(&loaded.config).map_err(|e| loaded.located(&e))?;
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
            home.failed.store(exit == Exit::Failed, Ordering::Relaxed);
            home.end();
            let deadline = Instant::now() + TAKE_OVER;
            while exit == Exit::HandedOver && Instant::now() < deadline {
                // It listens where its own surroundings say, which the lock file tells.
                if engine::listening(&dir).is_some() {
                    let dirs = [dir.clone()];
                    let client = Client::connect(Box::new(move || place::addresses(&dirs)), Arc::clone(&home.wake));
                    if let Ok(client) = client {
                        home.slot.put(Box::new(client));
                        break;
                    }
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
            let (running, _) = guard.as_ref()?;
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
        if let Some((engine, served)) = engine {
            if engine.wait(Duration::ZERO) == Some(Exit::Failed) {
                self.failed.store(true, Ordering::Relaxed);
            }
            engine.end(|| served.end());
        }
    }
}

fn ended(result: Result<ui::Exit, ui::UiError>) -> Result<ExitCode, Failure> {
    result?;
    Ok(ExitCode::SUCCESS)
}

fn options(
    (config, origins): (&UiConfig, &BTreeMap<String, Origin>),
    global: &Global,
    args: &RunArgs,
) -> Result<UiOptions, Failure> {
    let mut terminal = Terminal::from_env(|name| std::env::var(name).ok());
    terminal.ascii |= args.ascii;
    let (theme, faults) = Theme::mended(&config.theme, place::themes().as_deref()).map_err(Failure::usage)?;
    let graph = Graph::named(&config.graph)
        .ok_or_else(|| Failure::usage(anyhow::anyhow!("[ui] graph: \"{}\" is none of braille, block, ascii", config.graph)))?;
    let (keymap, key_problems) = keys::keymap(config, origins);
    let is_set = |key: &str| origins.get(key).is_some_and(|origin| *origin != Origin::Default);
    Ok(UiOptions {
        theme,
        terminal,
        graph,
        zone: Clock { zone: commands::zone(global), hours: Hours::named(&config.time_format).unwrap_or_default() },
        units: Units::named(&config.units, &config.temperature).unwrap_or_default(),
        author: place::author(),
        keymap,
        keymaps: {
            let (config, origins) = (config.clone(), origins.clone());
            Box::new(move |name| keys::keymap(&UiConfig { keymap: name.to_owned(), ..config.clone() }, &origins))
        },
        manner: if args.plain { Manner::Lines } else { Manner::Screen },
        tour: place::tour().filter(|path| !path.exists()),
        export: Box::new(export),
        themes: place::themes(),
        layouts: place::layouts(),
        layout: config.layout.clone(),
        asked: Asked { theme: args.theme.is_some() || is_set("ui.theme"), layout: is_set("ui.layout") },
        memory: place::screen_memory(),
        faults: faults.iter().map(ToString::to_string).chain(key_problems).collect(),
        deed: None,
    })
}

/// The processes shown are those of this machine: they can be sent signals.
fn with_processes(options: UiOptions) -> UiOptions {
    #[cfg(target_os = "linux")]
    return UiOptions { deed: Some(Box::new(super::deed::perform)), ..options };
    #[cfg(not(target_os = "linux"))]
    options
}

/// Writes a report into the current folder; where that is not possible, into the home folder.
fn export(name: &str, bytes: &[u8]) -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|e| e.to_string())?.join(name);
    let Err(first) = write_whole(&here, bytes, Readers::Usual) else { return Ok(here) };
    let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().join(name));
    match home {
        Some(path) if write_whole(&path, bytes, Readers::Usual).is_ok() => Ok(path),
        _ => Err(format!("{} cannot be written: {first}", here.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, load};
    use crate::engine::{Feed, Setup};
    use crate::model::{FileSystemStat, HostFacts, ProcessFile};
    use std::io;

    /// A machine whose reading fails in a way nobody thought of.
    struct Broken;

    impl Host for Broken {
        fn read(&self, path: &str, _: &mut Vec<u8>) -> io::Result<()> {
            assert_ne!(path, "/proc/uptime", "a round begins with it, and nobody thought of this");
            Err(io::ErrorKind::NotFound.into())
        }
        fn list(&self, _: &str, _: &mut Vec<String>) -> io::Result<()> {
            Err(io::ErrorKind::NotFound.into())
        }
        fn read_link(&self, _: &str) -> io::Result<String> {
            Err(io::ErrorKind::NotFound.into())
        }
        fn pids(&self, _: &mut Vec<u32>) -> io::Result<()> {
            Err(io::ErrorKind::NotFound.into())
        }
        fn read_process(&self, _: u32, _: ProcessFile, _: &mut Vec<u8>) -> io::Result<()> {
            Err(io::ErrorKind::NotFound.into())
        }
        fn cpu_clock(&self, _: u32) -> io::Result<Duration> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn statvfs(&self, _: &str) -> io::Result<FileSystemStat> {
            Err(io::ErrorKind::NotFound.into())
        }
        fn tcp_states(&self) -> io::Result<[u32; 13]> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn user_name(&self, _: u32) -> Option<String> {
            None
        }
    }

    #[test]
    fn a_screen_whose_engine_failed_ends_with_1_and_says_so() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut config = load(&Inputs::default()).expect("the defaults are good").config;
        config.general.interval = Duration::from_millis(100);
        let host = Arc::new(HostFacts::default());
        let around = Surroundings { host, link_bits_per_second: None, data_dir: dir.path(), sending: Sending::Dry };
        let settings = engine::settings(&config, &Arc::new(engine::catalog()), &around).expect("the defaults are good");
        let lock = DataLock::take(dir.path(), Role::Screen).expect("free");
        let setup = Setup {
            lock,
            config,
            settings,
            feed: Feed::Machine(Arc::new(Broken)),
            headless: false,
            configuring: engine::Configuring {
                inputs: Box::new(|| Err("never read again".to_owned())),
                ready: Box::new(|_| Err(crate::config::KeyError::new(["general"], "never read again"))),
            },
        };
        let (wake, woken) = std::sync::mpsc::channel();
        let home = Home::new(Arc::new(move || wake.send(()).unwrap_or_default()));
        let monitor = home.begin(Engine::start(setup).expect("it starts"), &Access::default()).expect("it listens");
        assert!(home.outcome().is_ok(), "as long as it runs");
        while !home.failed.load(Ordering::Relaxed) {
            woken.recv_timeout(Duration::from_secs(60)).expect("its end is told");
        }
        home.end();
        assert!(matches!(monitor.link(), crate::monitor::Link::Lost { .. }));
        let failure = home.outcome().expect_err("it failed");
        assert!(failure.to_string().contains("failed five times"), "{failure}");
        assert_eq!(failure.exit_code(), 1);
    }
}
