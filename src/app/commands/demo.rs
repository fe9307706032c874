//! `farol demo`: a simulated machine with incidents, nothing installed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::app::cli::{Global, RunArgs, duration};
use crate::app::logging::{self, Destination};
use crate::app::{Failure, place, screen};
use crate::base::{Timestamp, system};
use crate::check;
use crate::config::{Config, Inputs, load};
use crate::engine::{self, Configuring, CoreSettings, DataLock, Engine, Feed, Role, Setup, Simulation, Surroundings};
use crate::model::HostFacts;
use crate::notify::Sending;
use crate::sim::Machine;

/// Arguments.
#[derive(Debug, Args)]
pub struct Demo {
    /// Simulated seconds a second.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=3600))]
    speed: u32,
    /// The same seed tells the same story.
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// How much history there is at the start.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "26h")]
    history: Duration,
}

/// Longest history of a demo: two days take some seconds to make.
const MAX_HISTORY: Duration = Duration::from_secs(2 * 86_400);

impl Demo {
    /// Shows the screen on a scratch history that is removed at the end.
    ///
    /// # Errors
    /// A scratch folder that cannot be made, no terminal.
    pub fn run(&self, global: &Global, args: &RunArgs) -> Result<ExitCode, Failure> {
        logging::start(global, Destination::Nowhere);
        let scratch = Scratch::new("demo")?;
        let lock = DataLock::take(scratch.path(), Role::Screen)?;
        // It looks as this user set it; where nothing was set there is nothing to copy.
        let own = place::inputs(global, Some(args))?.overrides();
        drop(own.map(|path| std::fs::copy(path, scratch.path().join("overrides.toml"))));
        let now = Timestamp::now();
        let at = Timestamp(now.0 - now.0.rem_euclid(1000));
        let history = self.history.min(MAX_HISTORY);
        let machine = Machine::new(self.seed, at - history);
        let mut facts = machine.facts();
        facts.name = format!("{} (demo)", facts.name);
        let configuring = configuring((global, args), Arc::new(facts), lock.dir(), services(&machine));
        let inputs = (configuring.inputs)().map_err(|e| Failure::usage(anyhow::anyhow!(e)))?;
        let (config, settings) = (configuring.ready)(load(&inputs)?.config).map_err(Failure::usage)?;
        let feed = Feed::Simulated(Box::new(Simulation { machine, at, speed: self.speed, history }));
        let engine = Engine::start(Setup { lock, config: config.clone(), settings, feed, headless: false, configuring })?;
        screen::on_engine(engine, &config.ui, (global, args))
    }
}

/// The simulation has services of its own, and nobody is told of it.
fn simulated(mut config: Config) -> Config {
    config.service.clear();
    config.rule.iter_mut().for_each(|rule| rule.channels.clear());
    config.notify = crate::notify::NotifyConfig::default();
    config
}

/// Settings can be changed here as on a real machine; what is changed is forgotten with the scratch folder.
fn configuring(
    (global, args): (&Global, &RunArgs),
    host: Arc<HostFacts>,
    dir: &Path,
    services: Vec<check::Service>,
) -> Configuring {
    let (global, args, dir) = (global.clone(), args.clone(), dir.to_owned());
    let scratch = dir.clone();
    let inputs = Box::new(move || {
        let inputs = place::inputs(&global, Some(&args)).map_err(|e| e.to_string())?;
        Ok(Inputs { data_dir: Some(scratch.clone()), ..inputs })
    });
    let ready = Box::new(move |config: Config| {
        let config = simulated(config);
        let host = Arc::clone(&host);
        let around = Surroundings { host, link_bits_per_second: None, data_dir: &dir, sending: Sending::Dry };
        let settings = engine::settings(&config, &Arc::new(engine::catalog()), &around)?;
        Ok((config, CoreSettings { services: services.clone(), ..settings }))
    });
    Configuring { inputs, ready }
}

/// The simulated machine's services; their results come with the simulation.
fn services(machine: &Machine) -> Vec<check::Service> {
    machine.services().iter().map(|s| check::Service::simulated(s.name, s.kind, s.target, s.interval, s.degraded_above)).collect()
}

/// A folder that is removed at the end.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes it in the temporary folder; `purpose` is part of its name.
    ///
    /// # Errors
    /// Where the temporary folder cannot be written.
    pub fn new(purpose: &str) -> anyhow::Result<Self> {
        // A folder that is there already is somebody else's, whatever it is called: never used, never followed.
        let mut tries = 0..100_u32;
        loop {
            let turn = tries.next().unwrap_or(u32::MAX);
            let path = std::env::temp_dir().join(format!("farol-{purpose}-{}-{turn}", std::process::id()));
            match system::private_folder().create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && turn != u32::MAX => {}
                Err(e) => return Err(anyhow::Error::new(e).context(format!("{} cannot be made", path.display()))),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies in the temporary folder, where the system removes it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
