//! A panic of the program itself: one message and exit code 1 instead of a stack.
//!
//! Panics of workers are caught by their guards. Invariant: what the terminal shows at the end is one line that says what happened.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use super::Failure;

/// What the last panic of the main thread said, and where.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Takes over what a panic prints; call it first.
pub fn watch() {
    let main = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(String::new, |l| format!(" ({}:{})", l.file(), l.line()));
        let text = format!("{}{place}", crate::base::worker::panic_text(panic.payload()));
        if std::thread::current().id() == main {
            *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        } else {
            tracing::error!(panic = text, "a worker panicked");
        }
    }));
}

/// Runs the program.
///
/// # Errors
/// Its own, or that it panicked.
pub fn caught(run: impl FnOnce() -> Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let text = LAST.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        Err(anyhow::anyhow!("failed in a way nobody thought of: {text}; what was recorded is kept, please report this").into())
    })
}
