//! Folders: where configuration and history are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use directories::ProjectDirs;
use toml::Value;

use super::cli::{Global, RunArgs};
use crate::base::time::exact;
use crate::base::{Timestamp, system};
use crate::collect::ThisHost;
use crate::config::{Inputs, Loaded, load, search};
use crate::engine;
use crate::model::Host;
use crate::monitor::request;
use crate::remote::Address;

/// Data folder of a recorder that runs as a service of the system.
pub const SYSTEM_DATA: &str = "/var/lib/farol";

/// Folders of this user.
pub fn own() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "farol")
}

/// The data folder to record in: as named, else the user's.
pub fn data_dir(global: &Global) -> Result<PathBuf> {
    match &global.data_dir {
        Some(dir) => Ok(dir.clone()),
        None => Ok(own().context("this user has no home folder; name one with --data-dir")?.data_local_dir().to_owned()),
    }
}

/// Data folders in which an engine may be: as named, else the user's, then the system's.
pub fn data_dirs(global: &Global) -> Vec<PathBuf> {
    match &global.data_dir {
        Some(dir) => vec![dir.clone()],
        None => own().map(|p| p.data_local_dir().to_owned()).into_iter().chain([PathBuf::from(SYSTEM_DATA)]).collect(),
    }
}

/// Socket of the first engine that lives in those folders, and its owner; one that is starting is waited for.
pub fn engine(dirs: &[PathBuf]) -> Option<(PathBuf, engine::Owner)> {
    let unknown = |socket: PathBuf| {
        let owner = engine::Owner { pid: 0, role: engine::Role::Recorder, socket: None, since: Timestamp::default() };
        (socket, owner)
    };
    dirs.iter().find_map(|dir| engine::listening(dir).or_else(|| engine::shared(dir).map(unknown)))
}

/// Where engines may be found now: whoever has one of those folders, at once and without waiting.
pub fn addresses(dirs: &[PathBuf]) -> Vec<Address> {
    let at = |dir: &PathBuf| engine::owner(dir).and_then(|owner| owner.socket).or_else(|| engine::shared(dir));
    dirs.iter().filter_map(at).map(Address).collect()
}

/// The configuration of this call.
pub fn configuration(global: &Global, run: Option<&RunArgs>) -> Result<Loaded, crate::config::ConfigError> {
    load(&inputs(global, run)?)
}

/// What the configuration of this call is made from.
pub fn inputs(global: &Global, run: Option<&RunArgs>) -> Result<Inputs, crate::config::ConfigError> {
    let variable = std::env::var_os("FAROL_CONFIG").map(PathBuf::from);
    let folder = own().map(|p| p.config_dir().to_owned());
    let file = search(global.config.as_deref(), variable.as_deref(), folder.as_deref())?;
    Ok(Inputs {
        file,
        data_dir: data_dir(global).ok(),
        environment: std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?))).collect(),
        flags: run.map(flags).unwrap_or_default(),
        ..Inputs::default()
    })
}

fn flags(run: &RunArgs) -> Vec<(String, Value, String)> {
    let interval = run.interval.map(exact).map(|text| ("general.interval", text, "--interval"));
    let theme = run.theme.clone().map(|text| ("ui.theme", text, "--theme"));
    interval
        .into_iter()
        .chain(theme)
        .map(|(key, text, flag)| (key.to_owned(), Value::String(text.clone()), format!("{flag} {text}")))
        .collect()
}

/// Who acts, for decisions: the user's name, and in brackets who the environment says it is, where that is somebody else.
pub fn author() -> String {
    let name = |uid| ThisHost::new().user_name(uid).unwrap_or_else(|| format!("uid {uid}"));
    let user = system::user().map_or_else(|| "unknown".to_owned(), name);
    let said = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    request::signed(&user, said.as_deref().unwrap_or_default())
}

/// The user's folder of keymaps.
pub fn keymaps() -> Option<PathBuf> {
    own().map(|p| p.config_dir().join("keymaps"))
}

/// The file that says that this user has seen the tour.
pub fn tour() -> Option<PathBuf> {
    own().map(|p| p.data_local_dir().join("tour-seen"))
}

/// The user's folder of themes.
pub fn themes() -> Option<PathBuf> {
    own().map(|p| p.config_dir().join("themes"))
}

/// The file in which a screen remembers how it was arranged.
pub fn screen_memory() -> Option<PathBuf> {
    own().map(|p| p.state_dir().unwrap_or(p.data_local_dir()).join("screen.json"))
}

/// The user's folder of layouts.
pub fn layouts() -> Option<PathBuf> {
    own().map(|p| p.config_dir().join("layouts"))
}

/// Whether a path is a folder somebody else than the named one would mean.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}
