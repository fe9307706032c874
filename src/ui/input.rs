//! Where events come from: the terminal, signals, and the monitor's waker, all into one channel.
//!
//! Invariant: however often the waker is called, at most one wake waits in the channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::base::Worker;
use crate::monitor::Waker;

use super::event::UiEvent;

/// One channel of events.
#[derive(Debug)]
pub struct EventSource {
    sender: Sender<UiEvent>,
    receiver: Receiver<UiEvent>,
    is_woken: Arc<AtomicBool>,
}

impl Default for EventSource {
    fn default() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver, is_woken: Arc::default() }
    }
}

impl EventSource {
    /// What a monitor calls when it has something new.
    pub fn waker(&self) -> Waker {
        let (sender, is_woken) = (self.sender.clone(), Arc::clone(&self.is_woken));
        Arc::new(move || {
            if !is_woken.swap(true, Ordering::SeqCst) {
                // Nobody listens any more: the screen is gone.
                let _ = sender.send(UiEvent::Wake);
            }
        })
    }

    /// The other end, for whoever has more events.
    pub fn sender(&self) -> Sender<UiEvent> {
        self.sender.clone()
    }

    /// Waits for an event, at most for `limit`; `None` when that has passed.
    pub fn next(&self, limit: Option<Duration>) -> Option<UiEvent> {
        let event = match limit {
            // This source holds a sender itself, so the channel cannot be closed.
            None => self.receiver.recv().unwrap_or(UiEvent::Closed),
            Some(limit) => match self.receiver.recv_timeout(limit) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => UiEvent::Closed,
            },
        };
        if matches!(event, UiEvent::Wake) {
            self.is_woken.store(false, Ordering::SeqCst);
        }
        Some(event)
    }

    /// Starts to read the terminal and to take signals. The threads end with the process.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn listen(&self) -> std::io::Result<()> {
        let sender = self.sender.clone();
        Worker::spawn("input", move |_| read(&sender))?;
        #[cfg(unix)]
        signals(self.sender.clone())?;
        Ok(())
    }
}

/// Reads the terminal until it or the screen is gone.
fn read(sender: &Sender<UiEvent>) {
    use crossterm::event::{Event, read};
    loop {
        let event = match read() {
            Ok(Event::Key(key)) => UiEvent::Key(key),
            Ok(Event::Mouse(mouse)) => UiEvent::Mouse(mouse),
            Ok(Event::Resize(columns, rows)) => UiEvent::Resize(columns, rows),
            Ok(Event::Paste(text)) => UiEvent::Paste(text),
            Ok(Event::FocusGained | Event::FocusLost) => continue,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => UiEvent::Closed,
        };
        let is_over = matches!(event, UiEvent::Closed);
        if sender.send(event).is_err() || is_over {
            return;
        }
    }
}

impl EventSource {
    /// Starts to take signals only, where no terminal is read.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn listen_signals(&self) -> std::io::Result<()> {
        #[cfg(unix)]
        signals(self.sender.clone())?;
        Ok(())
    }
}

#[cfg(unix)]
fn signals(sender: Sender<UiEvent>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP, SIGTSTP, SIGCONT])?;
    Worker::spawn("signals", move |_| {
        for signal in signals.forever() {
            let event = match signal {
                SIGHUP => UiEvent::Closed,
                SIGTSTP => UiEvent::Suspend,
                SIGCONT => UiEvent::Resumed,
                _ => UiEvent::Stop,
            };
            if sender.send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

/// Stops this process until it is told to go on.
pub fn stop_process() {
    // Sent to this very thread: a signal to the process may reach another one first, and this one would
    // take the terminal again before it stops. Where it is refused the screen just goes on.
    #[cfg(unix)]
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGSTOP);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_wakes_are_one_event() {
        let events = EventSource::default();
        let waker = events.waker();
        (0..5).for_each(|_| waker());
        assert!(matches!(events.next(Some(Duration::ZERO)), Some(UiEvent::Wake)));
        assert!(events.next(Some(Duration::ZERO)).is_none());
        waker();
        assert!(matches!(events.next(Some(Duration::ZERO)), Some(UiEvent::Wake)));
    }
}
