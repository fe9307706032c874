//! Log lines on standard error, as text or JSON; for systemd's journal with their levels.
//!
//! Invariant: a log that cannot be written (a full disk, a terminal that is gone) harms nobody but its readers, who are told
//! how much is missing.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use super::cli::{Global, LogFormat, LogLevel};
use crate::base::system;

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
    // What the subscriber itself would print about a failed write would panic where nothing can be written.
    let builder = tracing_subscriber::fmt().with_max_level(level).with_target(false).log_internal_errors(false);
    // Already started is as good.
    let _ = match global.log_format {
        LogFormat::Json => builder.with_writer(Lines::Json).json().try_init(),
        // The journal has a time and a level of its own.
        LogFormat::Text if is_journal() => {
            builder.with_writer(Lines::Journal).with_ansi(false).without_time().with_level(false).try_init()
        }
        LogFormat::Text => builder.with_writer(Lines::Text).with_ansi(false).try_init(),
    };
}

/// Prints a line on standard error; nowhere to print it is no reason to fail.
pub fn say(line: &str) {
    // One write, so that lines of two threads never mix.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Whether standard error is the journal's: `JOURNAL_STREAM` names its device and inode (systemd.exec).
fn is_journal() -> bool {
    let Some(named) = std::env::var("JOURNAL_STREAM").ok() else { return false };
    let Some((device, inode)) = named.split_once(':') else { return false };
    system::standard_error().is_some_and(|own| device.parse().ok().zip(inode.parse().ok()) == Some(own))
}

/// Lines that could not be written since the last one that could.
static LOST: AtomicU64 = AtomicU64::new(0);

/// How lines look.
#[derive(Debug, Clone, Copy)]
enum Lines {
    Text,
    Json,
    /// The level in front of each line, as sd-daemon(3) has it.
    Journal,
}

/// One line on its way to standard error; written at once. Invariant: it never fails, what is lost is counted.
struct Line<W> {
    out: W,
    lines: Lines,
    prefix: &'static str,
    lost: &'static AtomicU64,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<io::Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { out: io::stderr(), lines: *self, prefix: "", lost: &LOST }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Self::Writer {
        let prefix = if matches!(self, Self::Journal) { prefix(about.level()) } else { "" };
        Line { prefix, ..self.make_writer() }
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

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let before = self.lost.swap(0, Ordering::Relaxed);
        let told = match (before, self.lines) {
            (0, _) => String::new(),
            (lost, Lines::Json) => {
                format!("{{\"level\":\"WARN\",\"fields\":{{\"message\":\"log lines are missing here\",\"lost\":{lost}}}}}\n")
            }
            (lost, Lines::Journal) => format!("<4>{lost} log lines could not be written before this one\n"),
            (lost, Lines::Text) => format!("{lost} log lines could not be written before this one\n"),
        };
        if self.out.write_all(&[told.as_bytes(), self.prefix.as_bytes(), bytes].concat()).is_err() {
            self.lost.fetch_add(before + 1, Ordering::Relaxed);
        }
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
    /// Refuses so many writes, then takes all.
    struct Full(usize, Vec<u8>);

    impl Write for &mut Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.0.checked_sub(1) {
                Some(left) => {
                    self.0 = left;
                    Err(io::ErrorKind::StorageFull.into())
                }
                None => self.1.write(bytes),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_cannot_be_written_fails_nobody_and_says_later_what_is_missing() {
        static MISSING: AtomicU64 = AtomicU64::new(0);
        let mut full = Full(2, Vec::new());
        for text in ["one\n", "two\n", "three\n", "four\n"] {
            let mut line = Line { out: &mut full, lines: Lines::Text, prefix: "", lost: &MISSING };
            line.write_all(text.as_bytes()).expect("never fails");
        }
        assert_eq!(String::from_utf8_lossy(&full.1), "2 log lines could not be written before this one\nthree\nfour\n");
    }
}
