//! Log lines on standard error, as text or JSON; for systemd's journal with their levels.

use std::io::{self, Write};
use std::os::fd::AsFd;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

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
    let builder = tracing_subscriber::fmt().with_max_level(level).with_target(false);
    // Already started is as good.
    let _ = match global.log_format {
        LogFormat::Json => builder.with_writer(io::stderr).json().try_init(),
        // The journal has a time and a level of its own.
        LogFormat::Text if is_journal() => {
            builder.with_writer(Journal).with_ansi(false).without_time().with_level(false).try_init()
        }
        LogFormat::Text => builder.with_writer(io::stderr).with_ansi(false).try_init(),
    };
}

/// Whether standard error is the journal's: `JOURNAL_STREAM` names its device and inode (systemd.exec).
fn is_journal() -> bool {
    let Some(named) = std::env::var("JOURNAL_STREAM").ok() else { return false };
    let Some((device, inode)) = named.split_once(':') else { return false };
    let stat = rustix::fs::fstat(io::stderr().as_fd());
    stat.is_ok_and(|s| device.parse() == Ok(s.st_dev) && inode.parse() == Ok(s.st_ino))
}

/// Puts the level in front of each line, as sd-daemon(3) has it.
struct Journal;

/// One line on its way; written at once.
struct Line(&'static str);

impl<'a> MakeWriter<'a> for Journal {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(prefix(&Level::INFO))
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line {
        Line(prefix(about.level()))
    }
}

/// Levels of syslog: 3 error, 4 warning, 6 informational, 7 debug.
fn prefix(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        _ => "<7>",
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(&[self.0.as_bytes(), bytes].concat())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_has_its_number() {
        let all = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG].map(|level| prefix(&level));
        assert_eq!(all, ["<3>", "<4>", "<6>", "<7>"]);
    }
}
