//! What a person wishes of processes of this machine: signals and nice values.
//!
//! Sent by the screen's own process with its own rights, never by the recorder. Invariant: a process is
//! meant by its number and its start; a later one with the same number is left alone.

use crate::model::ProcessId;

/// A process that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Number and start.
    pub id: ProcessId,
    /// Its name, for what is said.
    pub name: String,
}

/// What is done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessWish {
    /// A signal.
    Signal(&'static Signal),
    /// A nice value, −20 to 19.
    Nice(i8),
}

/// A signal that can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// Its name without `SIG`.
    pub name: &'static str,
    /// What it does, for people.
    pub help: &'static str,
}

const fn signal(name: &'static str, help: &'static str) -> Signal {
    Signal { name, help }
}

/// Signals by how often a person sends them.
pub const SIGNALS: &[Signal] = &[
    signal("TERM", "ask it to end; it can save its work"),
    signal("KILL", "end it at once; nothing is saved"),
    signal("INT", "interrupt it, as Ctrl-C does"),
    signal("HUP", "its terminal is gone; many services read their configuration again"),
    signal("QUIT", "end it with a core dump"),
    signal("STOP", "stop it until CONT"),
    signal("CONT", "let it go on after STOP"),
    signal("TSTP", "stop it, as Ctrl-Z does"),
    signal("USR1", "what the program makes of it"),
    signal("USR2", "what the program makes of it"),
    signal("ALRM", "its timer is over"),
    signal("ABRT", "end it as by a failed assertion, with a core dump"),
    signal("WINCH", "its terminal has another size"),
];

/// Does a wish to one process; gives why it could not.
pub type Deed = Box<dyn FnMut(&Target, ProcessWish) -> Result<(), String>>;
