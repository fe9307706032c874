//! `farol import`: samples of a CSV file into the history.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::out;
use crate::app::cli::Global;
use crate::app::{Failure, place};
use crate::engine::{self, ImportError};

/// Arguments.
#[derive(Debug, Args)]
pub struct Import {
    /// A file as `farol export` writes it, or one with the columns time and value; times rise.
    file: PathBuf,
    /// The metric of a file without a column of series (`cpu_usage_ratio`, `filesystem_used_ratio{mount="/"}`).
    #[arg(long = "as", value_name = "METRIC")]
    metric: Option<String>,
}

impl Import {
    /// Reads the file into the history of the data folder, which nothing may record into meanwhile.
    ///
    /// # Errors
    /// A file that cannot be read or understood (2), a folder in use, a history that is newer than the file (1).
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let name = self.file.display();
        let file = File::open(&self.file).with_context(|| format!("{name} cannot be read"))?;
        let loaded = place::configuration(global, None)?;
        let dir = place::data_dir(global)?;
        std::fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        let (config, metric) = (&loaded.config.store, self.metric.as_deref());
        let is_file = file.metadata().is_ok_and(|m| m.is_file());
        let imported = if is_file {
            engine::import(&dir, config, BufReader::new(file), metric)
        } else {
            // A pipe cannot be read twice.
            let mut text = Vec::new();
            BufReader::new(file).read_to_end(&mut text).with_context(|| format!("{name} cannot be read"))?;
            engine::import(&dir, config, Cursor::new(text), metric)
        };
        let imported = imported.map_err(|error| match error {
            ImportError::Line { .. } | ImportError::Metric(_) => Failure::usage(anyhow::anyhow!("{name}: {error}")),
            other => anyhow::Error::from(other).into(),
        })?;
        let (samples, series) = (imported.samples, imported.series);
        out::print(&format!("{samples} samples of {series} series are in {}\n", dir.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
