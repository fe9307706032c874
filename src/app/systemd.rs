//! What systemd is told of this process, where systemd started it: ready, reloading, stopping, alive.
//!
//! Invariant: nobody to tell is no error.

use std::time::Duration;

/// It does its work; after a reload, again.
pub fn ready() {
    told::ready();
}

/// It reads its configuration again.
pub fn reloading() {
    told::reloading();
}

/// It ends.
pub fn stopping() {
    told::stopping();
}

/// It lives.
pub fn alive() {
    told::alive();
}

/// How often it must be told that it lives; `None` where nobody waits for that.
pub fn watchdog() -> Option<Duration> {
    told::watchdog()
}

#[cfg(unix)]
mod told {
    use std::time::Duration;

    use sd_notify::NotifyState::{self, Ready, Reloading, Stopping, Watchdog};

    fn tell(states: &[NotifyState<'_>]) {
        let _ = sd_notify::notify(states);
    }

    pub(super) fn ready() {
        tell(&[Ready]);
    }

    pub(super) fn reloading() {
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            tell(&[Reloading, now]);
        }
    }

    pub(super) fn stopping() {
        tell(&[Stopping]);
    }

    pub(super) fn alive() {
        tell(&[Watchdog]);
    }

    pub(super) fn watchdog() -> Option<Duration> {
        sd_notify::watchdog_enabled()
    }
}

#[cfg(not(unix))]
mod told {
    use std::time::Duration;

    pub(super) fn ready() {}

    pub(super) fn reloading() {}

    pub(super) fn stopping() {}

    pub(super) fn alive() {}

    pub(super) fn watchdog() -> Option<Duration> {
        None
    }
}
