//! Signals as events: end, reload.

use std::io;
use std::sync::mpsc::Sender;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Write everything and end (SIGTERM, SIGINT).
    Stop,
    /// Read the configuration again (SIGHUP).
    Reload,
    /// Look at the engine: it ended by itself.
    Look,
}

/// Sends every signal to `to`, from a thread of its own, until the process ends.
///
/// # Errors
/// Where the system refuses.
pub fn forward(to: Sender<Asked>) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    std::thread::Builder::new().name("farol-signal".into()).spawn(move || {
        for signal in signals.forever() {
            let asked = if signal == SIGHUP { Asked::Reload } else { Asked::Stop };
            if to.send(asked).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}
