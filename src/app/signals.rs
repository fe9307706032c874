//! Signals as events: end, reload.

use std::io;
use std::sync::mpsc::Sender;

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
#[cfg(unix)]
pub fn forward(to: Sender<Asked>) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])?;
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

/// Sends Ctrl-C (stop) and Ctrl-Break (reload) to `to`, from a thread of its own, until the process ends.
///
/// # Errors
/// Where the system refuses.
#[cfg(windows)]
pub fn forward(to: Sender<Asked>) -> io::Result<()> {
    use tokio::signal::windows::{ctrl_break, ctrl_c};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut stop, mut again) = {
        let _entered = runtime.enter();
        (ctrl_c()?, ctrl_break()?)
    };
    std::thread::Builder::new().name("farol-signal".into()).spawn(move || {
        let mut next = || {
            runtime.block_on(async {
                tokio::select! { _ = stop.recv() => Asked::Stop, _ = again.recv() => Asked::Reload }
            })
        };
        while to.send(next()).is_ok() {}
    })?;
    Ok(())
}
