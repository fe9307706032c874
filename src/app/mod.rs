//! Composition root, command line, logging. Nobody imports it.
//!
//! Invariant: every error that reaches a person says what, where and what to do, on standard error,
//! with the exit code of the contract.

mod cli;
mod commands;
mod crash;
#[cfg(unix)]
mod deed;
mod keys;
mod logging;
mod place;
mod reach;
mod run;
mod screen;
mod signals;
mod switch;

use std::process::ExitCode;

use clap::Parser;

pub use cli::Cli;

/// What `main` does.
pub fn main() -> ExitCode {
    crash::watch();
    crate::net::install_crypto();
    // As a plugin `status` has a code of its own for "cannot say": 2 would be a critical machine.
    let is_status = std::env::args().skip(1).any(|arg| arg == "status");
    let unknown = |code: u8| ExitCode::from(if is_status { 3 } else { code });
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nowhere to print is no reason to end differently.
            let _ = error.print();
            return if error.use_stderr() { unknown(2) } else { ExitCode::SUCCESS };
        }
    };
    match crash::caught(|| commands::run(cli)) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("farol: {failure}");
            unknown(failure.exit_code())
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
        write!(f, "{:#}", self.error)
    }
}
