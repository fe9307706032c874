//! `farol config check | show | example`.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use toml::Value;

use super::out;
use crate::app::cli::Global;
use crate::app::{Failure, place, run};
use crate::collect::{self, ThisHost};
use crate::config::{EXAMPLE, KeyError, Loaded, is_secret};
use crate::engine::{self, Surroundings};
use crate::model::catalog::nearest;
use crate::notify::Sending;
use crate::ui::{Layout, Theme, UiConfig};

/// Arguments.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether the configuration is right, and where not.
    Check,
    /// Every value that holds, and where it came from.
    Show,
    /// Every key with its default, commented.
    Example,
}

impl ConfigArgs {
    /// Does it.
    ///
    /// # Errors
    /// A configuration that is wrong (2).
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Example => out::print(EXAMPLE)?,
            Command::Show => out::print(&show(&place::configuration(global, None)?))?,
            Command::Check => {
                let loaded = place::configuration(global, None)?;
                check(&loaded, global)?;
                let file = loaded.file.as_ref().map_or_else(|| "no file, all defaults".to_owned(), |f| f.display().to_string());
                let (_, problems) = crate::app::keys::keymap(&loaded.config.ui, &loaded.origins);
                if !problems.is_empty() {
                    return Err(Failure::usage(anyhow::anyhow!(problems.join("\n"))));
                }
                out::print(&format!("ok: {file}\n"))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Finds what is wrong beyond the syntax: rules, services, channels, the group that may connect, the theme.
///
/// # Errors
/// The first mistake.
pub fn check(loaded: &Loaded, global: &Global) -> Result<(), Failure> {
    let host = ThisHost::new();
    let general = &loaded.config.general;
    let facts = Arc::new(collect::facts(&host, general.host.clone(), general.labels.clone()));
    let dir = place::data_dir(global)?;
    let around = Surroundings { host: facts, link_bits_per_second: None, data_dir: &dir, sending: Sending::Dry };
    let wrong = run::access(&loaded.config).err().or_else(|| screen(&loaded.config.ui).err());
    let settings = || engine::settings(&loaded.config, &Arc::new(engine::catalog()), &around).err();
    match wrong.or_else(settings) {
        Some(error) => Err(loaded.located(&error).into()),
        None => Ok(()),
    }
}

/// What a screen is drawn with must be there.
fn screen(ui: &UiConfig) -> Result<(), KeyError> {
    let wrong = |key: &'static str| move |e: String| KeyError::new(["ui", key], format!("[ui] {key}: {e}"));
    Theme::load(&ui.theme, place::themes().as_deref()).map_err(|e| wrong("theme")(e.to_string()))?;
    let (layouts, _) = Layout::all(place::layouts().as_deref(), &|_| None);
    if layouts.iter().any(|layout| layout.name == ui.layout) {
        return Ok(());
    }
    let names: Vec<&str> = layouts.iter().map(|layout| layout.name.as_str()).collect();
    let near = nearest(&ui.layout, names.iter().copied()).map(|near| format!("did you mean \"{near}\"?"));
    let hint = near.unwrap_or_else(|| format!("known are {}", names.join(", ")));
    Err(wrong("layout")(format!("there is no layout \"{}\"; {hint}", ui.layout)))
}

/// `key = value  # origin`, secrets hidden.
fn show(loaded: &Loaded) -> String {
    let rows: Vec<Vec<String>> = loaded
        .origins
        .iter()
        .filter_map(|(path, origin)| {
            let value = path.split('.').try_fold(&Value::Table(loaded.values.clone()), |v, part| v.get(part)).map(shown)?;
            let value = if is_secret(path) { "\"(hidden)\"".to_owned() } else { value };
            Some(vec![format!("{path} = {value}"), format!("# {origin}")])
        })
        .collect();
    out::table(&rows)
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    let hidden = ["password", "secret", "token"].iter().any(|word| text.contains(word));
    if hidden && matches!(value, Value::Array(_)) { "[(hidden)]".to_owned() } else { text }
}
