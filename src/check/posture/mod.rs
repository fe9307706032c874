//! How well this machine is closed: what can be read without being root, and more where farol is root.
//!
//! One file a subject. Reads through [`Host`] alone, changes nothing and connects to nothing. Invariant: what could not be read is
//! named among what was not seen; it neither passes nor fails.

mod accounts;
mod exposure;
mod files;
mod kernel;
mod ssh;
#[cfg(test)]
pub(super) mod tests;
mod updates;
mod version;

use std::io;

use crate::model::{Host, Listener, Posture, PostureCheck, Severity};

/// Looks once. The list of security updates is read a line at a time: it has megabytes.
pub fn posture(host: &dyn Host, listeners: &[Listener]) -> Posture {
    let mut look = Look { host, found: Posture::default() };
    kernel::look(&mut look);
    files::look(&mut look);
    ssh::look(&mut look, listeners);
    accounts::look(&mut look);
    exposure::look(&mut look, listeners);
    updates::look(&mut look);
    look.found
}

/// A look in the making.
struct Look<'a> {
    host: &'a dyn Host,
    found: Posture,
}

/// What a check is about where it does not hold.
struct Fault<'a> {
    severity: Severity,
    advice: &'a str,
}

impl Look<'_> {
    /// The text of a file; what keeps it from being read is noted, but for a file that is not there.
    fn text(&mut self, path: &str) -> Option<String> {
        let mut bytes = Vec::new();
        match self.host.read(path, &mut bytes) {
            Ok(()) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => {
                self.unread(path, &error);
                None
            }
        }
    }

    /// Notes a file that could not be read; one that is not there is nothing to see.
    fn unread(&mut self, path: &str, error: &io::Error) {
        if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::Unsupported) {
            self.unseen(format!("{path}: {error}"));
        }
    }

    fn unseen(&mut self, what: String) {
        self.found.unseen.push(what);
    }

    fn check(&mut self, title: &str, passed: bool, evidence: String, fault: &Fault<'_>) {
        let (title, advice) = (title.to_owned(), fault.advice.to_owned());
        self.found.checks.push(PostureCheck { title, passed, severity: fault.severity, evidence, advice });
    }
}
