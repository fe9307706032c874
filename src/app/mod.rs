//! Composition root, command line, logging. Nobody imports it.
//!
//! Invariant: every error that reaches a person says what, where and what to do, on standard error,
//! with the exit code of the contract.

mod bench;
mod cli;
mod commands;
mod crash;
#[cfg(target_os = "linux")]
mod deed;
mod history;
mod keys;
mod logging;
mod place;
mod reach;
mod run;
mod screen;
mod signals;
mod switch;
mod systemd;

use std::process::ExitCode;

use clap::Parser;

pub use cli::Cli;

/// What `main` does.
pub fn main() -> ExitCode {
    crash::watch();
    crate::net::install_crypto();
    let cli = match Cli::try_parse().and_then(Cli::without_stray_flags) {
        Ok(cli) => cli,
        Err(error) => {
            // Nowhere to print is no reason to end differently.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(cli::wrong_usage()) } else { ExitCode::SUCCESS };
        }
    };
    let is_plugin = cli.command.as_ref().is_some_and(cli::Command::is_plugin);
    match crash::caught(|| commands::run(cli)) {
        Ok(code) => code,
        Err(failure) => {
            logging::say(&format!("farol: {failure}"));
            ExitCode::from(if is_plugin { cli::CANNOT_SAY } else { failure.exit_code() })
        }
    }
}

/// Why a command failed, and its exit code: 1 failed, 2 usage or configuration.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    error: anyhow::Error,
}

impl Failure {
    /// Usage or configuration: exit code 2.
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 2, error: error.into() }
    }
}

impl Failure {
    /// What the program ends with.
    pub fn exit_code(&self) -> u8 {
        self.code
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let invalid = |r: &crate::monitor::Refusal| r.kind == crate::monitor::RefusalKind::Invalid;
        let code = if error.downcast_ref().is_some_and(invalid) || error.is::<crate::config::ConfigError>() { 2 } else { 1 };
        Self { code, error }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Some errors tell their reason themselves, others leave it to their source.
        let mut told = String::new();
        for cause in self.error.chain().map(ToString::to_string) {
            if told.is_empty() {
                told = cause;
            } else if !told.contains(&cause) {
                told = format!("{told}: {cause}");
            }
        }
        f.write_str(&told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_reason_is_told_twice() {
        #[derive(Debug, thiserror::Error)]
        #[error("folder: {source}; choose another")]
        struct Told {
            source: std::io::Error,
        }
        let told = Failure::from(Told { source: std::io::Error::other("read-only") });
        assert_eq!(told.to_string(), "folder: read-only; choose another");
        let chained = Failure::from(anyhow::Error::from(std::io::Error::other("no room")).context("x.html cannot be written"));
        assert_eq!(chained.to_string(), "x.html cannot be written: no room");
    }
}
