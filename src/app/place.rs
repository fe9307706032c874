//! Folders: where configuration and history are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use directories::ProjectDirs;
use toml::Value;

use super::cli::{Global, RunArgs};
use crate::base::time::exact;
use crate::config::{Inputs, Loaded, load, search};
use crate::engine;

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
    dirs.iter().find_map(|dir| engine::listening(dir))
}

/// The configuration of this call.
pub fn configuration(global: &Global, run: Option<&RunArgs>) -> Result<Loaded, crate::config::ConfigError> {
    let variable = std::env::var_os("FAROL_CONFIG").map(PathBuf::from);
    let folder = own().map(|p| p.config_dir().to_owned());
    let file = search(global.config.as_deref(), variable.as_deref(), folder.as_deref())?;
    load(&Inputs {
        file,
        data_dir: data_dir(global).ok(),
        environment: std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?))).collect(),
        flags: run.map(flags).unwrap_or_default(),
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

/// Who acts: the user's name for decisions.
pub fn author() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

/// The user's folder of themes.
pub fn themes() -> Option<PathBuf> {
    own().map(|p| p.config_dir().join("themes"))
}

/// Whether a path is a folder somebody else than the named one would mean.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}
