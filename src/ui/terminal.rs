//! Takes the terminal and gives it back as it was.
//!
//! Alternate screen, raw mode, mouse, bracketed paste, title. Invariant: it is given back on every way
//! out: a normal end, an error, a panic of this thread, a signal.

use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// Alternate screen, no cursor, mouse buttons, wheel and dragging (no other movement: each would wake us), bracketed
/// paste, and the title kept for later.
const ENTER: &str = "\x1b[22;2t\x1b[?1049h\x1b[?25l\x1b[?1002h\x1b[?1006h\x1b[?2004h";
/// The same, backwards.
const LEAVE: &str = "\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?1006l\x1b[?1002l\x1b[?25h\x1b[?1049l\x1b[23;2t";

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours; dropping it gives it back.
#[derive(Debug)]
pub struct Guard {
    title: String,
}

impl Guard {
    /// Takes the terminal; `title` becomes the window's.
    ///
    /// # Errors
    /// Standard output is no terminal, or it refuses.
    pub fn take(title: &str) -> io::Result<Self> {
        let title: String = title.chars().filter(|c| !c.is_control()).collect();
        watch_panics();
        let guard = Self { title };
        guard.enter()?;
        Ok(guard)
    }

    /// Takes it again, as after a stop by somebody else.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn enter(&self) -> io::Result<()> {
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        send(format!("{ENTER}\x1b]2;{}\x07", self.title).as_bytes())
    }

    /// Gives it back, lets the process be stopped by `stop`, and takes it again.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn lend(&self, stop: impl FnOnce()) -> io::Result<()> {
        give_back();
        stop();
        self.enter()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // The terminal may be gone; there is nobody left to tell.
        let _ = send(LEAVE.as_bytes());
        let _ = disable_raw_mode();
    }
}

/// The sequence that gives a text to the terminal's clipboard (OSC 52); terminals that do not know it ignore it.
pub fn clipboard(text: &str) -> Vec<u8> {
    format!("\x1b]52;c;{}\x07", STANDARD.encode(text)).into_bytes()
}

/// Writes a block at once.
///
/// # Errors
/// The terminal is gone.
pub fn send(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// A notification as terminals know it: OSC 9, OSC 777, and the bell for those that know neither.
pub fn notification(title: &str, text: &str) -> Vec<u8> {
    // What ends or divides a sequence is inert in it, whoever sent the text.
    let clean =
        |text: &str| -> String { text.chars().map(|c| if c.is_control() || c == ';' { ' ' } else { c }).take(500).collect() };
    let (title, text) = (clean(title), clean(text));
    format!("\x1b]9;{title}\x07\x1b]777;notify;{title};{text}\x07\x07").into_bytes()
}

/// A panic of the screen's own thread ends the program: the terminal comes back before the message is
/// written. Panics of other threads are caught and shown by their owners; their message would only
/// spoil the screen.
fn watch_panics() {
    static ONCE: Once = Once::new();
    let screen: ThreadId = std::thread::current().id();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_ours = std::thread::current().id() == screen;
            if is_ours {
                give_back();
            }
            if is_ours || !TAKEN.load(Ordering::SeqCst) {
                before(panic);
            }
        }));
    });
}
