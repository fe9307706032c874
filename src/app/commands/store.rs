//! `farol store check | compact`: the file of the history.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::out;
use crate::app::cli::Global;
use crate::app::reach::{Reach, unexpected};
use crate::app::{Failure, place};
use crate::engine;
use crate::monitor::{Answer, Request, StoreCheck};

/// Arguments.
#[derive(Debug, Args)]
pub struct StoreArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read every row: what is kept, and what is damaged; exit code 1 where something is.
    Check,
    /// Give the room of what was deleted back to the disk; nothing may record meanwhile.
    Compact,
}

impl StoreArgs {
    /// Does it.
    ///
    /// # Errors
    /// No history, or one that is in use or cannot be read (1).
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Check => {
                let checked = match Reach::find(global)?.ask(Request::CheckStore)? {
                    Answer::Store(checked) => checked,
                    other => return Err(unexpected(&other).into()),
                };
                out::print(&text(&checked, global))?;
                Ok(if checked.n_damaged == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Command::Compact => {
                let loaded = place::configuration(global, None)?;
                let dir = place::data_dir(global)?;
                let (before, after) = engine::compact(&dir, &loaded.config.store).map_err(anyhow::Error::from)?;
                let mebi = |bytes: u64| bytes as f64 / f64::from(1 << 20);
                out::print(&format!("{:.1} MiB, were {:.1} MiB\n", mebi(after), mebi(before)))?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn text(checked: &StoreCheck, global: &Global) -> String {
    let kibi = |bytes: u64| format!("{:.1} KiB", bytes as f64 / 1024.0);
    let mut rows = vec![["table", "rows", "stored", "in pages"].map(str::to_owned).to_vec()];
    rows.extend(
        checked.tables.iter().map(|t| vec![t.name.clone(), t.rows.to_string(), kibi(t.stored_bytes), kibi(t.page_bytes)]),
    );
    let mut text = out::table(&rows);
    let zone = out::zone(global);
    text.push_str(&match checked.span {
        Some(span) => format!("\nsamples from {} to {}\n", out::local(span.from, &zone), out::local(span.to, &zone)),
        None => "\nno samples\n".to_owned(),
    });
    if checked.n_damaged == 0 {
        text.push_str("every row is as it was written\n");
        return text;
    }
    text.push_str(&format!("{} rows are damaged; they are left out, everything else is shown:\n", checked.n_damaged));
    for row in &checked.damaged {
        text.push_str(&format!("  {row}\n"));
    }
    if checked.n_damaged > checked.damaged.len() as u64 {
        text.push_str("  …\n");
    }
    text
}
