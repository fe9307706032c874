//! The screen, the recorder, and how they find each other.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::cli::{Global, RunArgs};
use super::logging::{self, Destination};
use super::signals::{self, Asked};
use super::{Failure, place, systemd};
use crate::api::{self, Access, Ending, Entry, Limits, MonitorSource};
use crate::base::{Timestamp, Worker};
use crate::collect::{self, ThisHost};
use crate::config::{Config, KeyError, Loaded};
use crate::engine::{self, Configuring, CoreSettings, DataLock, Engine, Exit, Feed, LockError, Owner, Role, Setup, Surroundings};
use crate::model::Host;
use crate::monitor::{Answer, Request};
use crate::notify::Sending;
use crate::remote::{Address, ask_once};

/// How long a recorder waits for a screen to hand over.
const HANDOVER: Duration = Duration::from_secs(10);

/// How long an ending engine waits for those who are still being answered: twice what they are given.
const GOODBYE: Duration = Duration::from_secs(2);

/// `farol` without a command.
///
/// # Errors
/// Why it does not start.
pub fn run(global: &Global, args: &RunArgs) -> Result<ExitCode, Failure> {
    if args.record {
        logging::start(global, Destination::StandardError);
        return record(global, args);
    }
    super::screen::show(global, args)
}

/// Records until stopped.
fn record(global: &Global, args: &RunArgs) -> Result<ExitCode, Failure> {
    let loaded = place::configuration(global, Some(args))?;
    let dir = place::data_dir(global)?;
    let access = access(&loaded.config).map_err(|e| loaded.located(&e))?;
    // From the first moment on: who is told to end while starting ends well, too.
    let (sender, asked) = channel();
    signals::forward(sender.clone())?;
    if let Some(limits) = collect::LIMITS {
        tracing::warn!("{limits}");
    }
    let lock = take(&dir, Role::Recorder)?;
    let engine = start(lock, loaded, global, args)?;
    let served = match serve(&engine, Role::Recorder, &access) {
        Ok(served) => served,
        Err(failure) => {
            engine.end(|| {});
            return Err(failure);
        }
    };
    tracing::info!(folder = %dir.display(), socket = %served.socket.display(), "recording");
    let ended = engine.ended();
    let _ = Worker::spawn("ended", move |_| {
        ended.wait();
        // Nobody listens any more: then it is known.
        let _ = sender.send(Asked::Look);
    })?;
    systemd::ready();
    let code = watch(&engine, &asked);
    systemd::stopping();
    for name in engine.end(|| served.end()) {
        tracing::warn!(thread = name, "left behind: it hangs in a system call");
    }
    tracing::info!("ended");
    Ok(ExitCode::from(code))
}

/// Waits for signals and for the engine's own end; gives the exit code.
fn watch(engine: &Engine, asked: &Receiver<Asked>) -> u8 {
    // Without a watchdog nothing has to be done but to wait.
    let limit = systemd::watchdog();
    let pause = limit.map(|limit| limit / 3);
    loop {
        let next = match pause {
            Some(pause) => asked.recv_timeout(pause).ok(),
            None => asked.recv().ok(),
        };
        match next {
            Some(Asked::Stop) => return 0,
            Some(Asked::Reload) => reload(engine),
            Some(Asked::Look) | None => match engine.wait(Duration::ZERO) {
                Some(Exit::Failed) => return 1,
                Some(Exit::Stopped | Exit::HandedOver) => return 0,
                None => {}
            },
        }
        match limit.map(|limit| engine.stuck(limit)) {
            None => {}
            Some(None) => systemd::alive(),
            Some(Some(thread)) => tracing::error!(thread, "hangs; the watchdog is not told that all is well"),
        }
    }
}

fn reload(engine: &Engine) {
    // It is ready again whether or not the file was taken.
    systemd::reloading();
    let reply: engine::Reply = Box::new(|answer| {
        match answer {
            Ok(Answer::Done { message, .. }) => tracing::info!("{message}"),
            Ok(_) => tracing::info!("configuration read again"),
            Err(error) => tracing::error!(%error, "the configuration was not taken"),
        }
        systemd::ready();
    });
    engine.hub().submit(engine::Wish { request: Request::Reload, reply });
}

/// Takes a data folder; a screen that has it is asked to hand over to a recorder.
///
/// # Errors
/// Another recorder has it, or it cannot be used.
pub fn take(dir: &Path, role: Role) -> Result<DataLock, Failure> {
    let held = match DataLock::take(dir, role) {
        Ok(lock) => return Ok(lock),
        Err(LockError::Held { owner, path }) => (owner, path),
        Err(error) => return Err(error.into()),
    };
    let (Owner { role: Role::Screen, socket: Some(socket), .. }, Role::Recorder) = (&held.0, role) else {
        return Err(LockError::Held { owner: held.0, path: held.1 }.into());
    };
    tracing::info!(pid = held.0.pid, "a screen has the history; asking it to hand over");
    ask_once(&Address(socket.clone()), Request::HandOver)?;
    let deadline = std::time::Instant::now() + HANDOVER;
    loop {
        match DataLock::take(dir, role) {
            Err(LockError::Held { .. }) if std::time::Instant::now() < deadline => {
                // A file lock has no timed wait; the screen needs milliseconds to write what it has.
                std::thread::sleep(Duration::from_millis(50));
            }
            result => return Ok(result?),
        }
    }
}

/// Starts an engine on this machine.
///
/// # Errors
/// A configuration that is wrong (2), a history that cannot be opened (1).
pub fn start(lock: DataLock, loaded: Loaded, global: &Global, args: &RunArgs) -> Result<Engine, Failure> {
    let host: Arc<dyn Host> = Arc::new(ThisHost::new());
    let sending = if args.dry_run { Sending::Dry } else { Sending::Real };
    let dir = lock.dir().to_owned();
    let settings = settings(&loaded.config, &host, &dir, sending).map_err(|e| loaded.located(&e))?;
    let again = (global.clone(), args.clone());
    let inputs = Box::new(move || place::inputs(&again.0, Some(&again.1)).map_err(|e| e.to_string()));
    let machine = Arc::clone(&host);
    let ready = Box::new(move |config: Config| {
        self::access(&config)?;
        let settings = self::settings(&config, &machine, &dir, sending)?;
        Ok((config, settings))
    });
    let configuring = Configuring { inputs, ready };
    let config = loaded.config;
    Ok(Engine::start(Setup { lock, config, settings, feed: Feed::Machine(host), headless: args.record, configuring })?)
}

/// Settings of a core on this machine.
fn settings(config: &Config, host: &Arc<dyn Host>, dir: &Path, sending: Sending) -> Result<CoreSettings, KeyError> {
    let facts = collect::facts(&**host, config.general.host.clone(), config.general.labels.clone());
    let link = collect::fastest_link(&**host);
    let around = Surroundings { host: Arc::new(facts), link_bits_per_second: link, data_dir: dir, sending };
    engine::settings(config, &Arc::new(engine::catalog()), &around)
}

/// The API's way in: its socket, and how to end it.
pub struct Served {
    /// Where it listens.
    pub socket: PathBuf,
    ending: Ending,
    ended: Receiver<()>,
}

impl Served {
    /// Takes no further connections and gives those there are the time to say goodbye; before the engine's runtimes end.
    pub fn end(&self) {
        self.ending.ask();
        // Ended, or not in time: both is the end.
        let _ = self.ended.recv_timeout(GOODBYE);
    }
}

/// Opens the socket, says so in the lock file, and serves; where the system knows no such sockets, the engine is alone.
///
/// # Errors
/// Where the socket cannot be made.
pub fn serve(engine: &Engine, role: Role, access: &Access) -> Result<Served, Failure> {
    let path = engine::socket_path(engine.lock().dir());
    let bound = {
        let _entered = engine.inward().enter();
        api::bind(&path, *access)
    };
    let socket = match bound {
        Ok(socket) => socket,
        Err(error) if error.is_of_the_system() => {
            tracing::warn!(%error, "recording all the same");
            return Ok(Served { socket: path, ending: Ending::default(), ended: channel().1 });
        }
        Err(error) => return Err(error.into()),
    };
    let door = socket.door().clone();
    engine.on_reload(Box::new(move |config| {
        let access = self::access(config).map_err(|error| error.to_string())?;
        door.admit(access).map_err(|error| error.to_string())
    }));
    let since = Timestamp::now();
    engine.lock().announce(&Owner { pid: std::process::id(), role, socket: Some(path.clone()), since })?;
    let hub = engine.hub().clone();
    let monitors: MonitorSource = Arc::new(move |scope, wake| Box::new(hub.monitor(scope, wake)));
    let host = ThisHost::new();
    let entry = Entry { monitors, names: Arc::new(move |uid| host.user_name(uid)) };
    let ending = Ending::default();
    let (end, ended) = channel();
    let serving = api::serve(socket, entry, Limits::default(), ending.clone());
    engine.inward().spawn(async move {
        serving.await;
        drop(end);
    });
    Ok(Served { socket: path, ending, ended })
}

/// Who may use the socket, by the configuration.
///
/// # Errors
/// A configuration that is wrong, a group that does not exist.
pub fn access(config: &Config) -> Result<Access, KeyError> {
    let Some(name) = &config.api.group else { return Ok(Access::default()) };
    let number = name.parse().ok().or_else(|| group_number(name));
    match number {
        Some(group) => Ok(Access { group: Some(group) }),
        None => Err(KeyError::new(["api", "group"], format!("[api] group: there is no group \"{name}\" on this system"))),
    }
}

/// From `/etc/group`: name, password, number, members.
fn group_number(name: &str) -> Option<u32> {
    let groups = std::fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut parts = line.split(':');
        (parts.next() == Some(name)).then(|| parts.nth(1)?.parse().ok()).flatten()
    })
}
