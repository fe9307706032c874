//! Composition root, command line, logging. Nobody imports it.
//!
//! Invariant: every error that reaches a person says what, where and what to do, on standard error,
//! with the exit code of the contract.

mod cli;
mod commands;
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
    crate::net::install_crypto();
    let cli = Cli::parse();
    match commands::run(cli) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("farol: {failure}");
            ExitCode::from(failure.code)
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
