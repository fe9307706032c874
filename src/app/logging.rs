//! Log lines on standard error, as text or JSON.

use tracing::level_filters::LevelFilter;

use super::cli::{Global, LogFormat, LogLevel};

/// Where log lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Standard error.
    StandardError,
    /// Nowhere: a screen has the terminal.
    Nowhere,
}

/// Starts logging; a second call does nothing.
pub fn start(global: &Global, destination: Destination) {
    let level = match (destination, global.log_level) {
        (Destination::Nowhere, _) => LevelFilter::OFF,
        (_, Some(LogLevel::Error)) => LevelFilter::ERROR,
        (_, Some(LogLevel::Warn)) => LevelFilter::WARN,
        (_, Some(LogLevel::Info) | None) => LevelFilter::INFO,
        (_, Some(LogLevel::Debug)) => LevelFilter::DEBUG,
    };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    // Already started is as good.
    let _ = match global.log_format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
