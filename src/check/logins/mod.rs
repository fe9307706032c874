//! The logs in which logins, changes of rights and the kernel's messages stand: files where there are any, else the journal.
//!
//! Reads through [`Host`] alone what was written since the last look. Invariant: what stood there at the first look is no news, and what
//! could not be read is named.

mod line;

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::time::Instant;

use crate::base::Timestamp;
use crate::model::{Host, LogTopic, SecurityEvent};

/// Files that systems keep beside the journal, and what stands in them: Debian's and its kin's, then Red Hat's.
const FILES: [(&str, LogTopic); 4] = [
    ("/var/log/auth.log", LogTopic::Access),
    ("/var/log/secure", LogTopic::Access),
    ("/var/log/kern.log", LogTopic::Kernel),
    ("/var/log/messages", LogTopic::Kernel),
];

/// Where the journal lies: on disk, or in memory alone.
const JOURNALS: [&str; 2] = ["/var/log/journal", "/run/log/journal"];

/// Asking the journal starts a program: seldom.
const JOURNAL_EVERY: Duration = Duration::from_secs(60);

/// What is asked of it: the facilities auth and authpriv, and the kernel.
const JOURNAL_ABOUT: [&str; 4] = ["SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10", "+", "_TRANSPORT=kernel"];

/// Most lines of the journal taken at once; what is more comes with the next look.
const JOURNAL_LINES: &str = "2000";

/// A journal on a slow disk answers in a few seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// More without an end of line is no log.
const LONGEST_LINE: usize = 64 << 10;

/// Connections remembered, so that the end of one with a failed try is no second try.
const CONNECTIONS: usize = 4096;

/// What one look found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heard {
    /// What happened since the look before, oldest first.
    pub events: Vec<SecurityEvent>,
    /// What is read.
    pub topics: BTreeSet<LogTopic>,
    /// What could not be read, and why.
    pub unheard: Vec<String>,
}

/// How far the logs were read.
#[derive(Debug, Default)]
pub(super) struct Logs {
    /// Of each of [`FILES`] how far; `None` before the first look.
    read_to: [Option<u64>; FILES.len()],
    /// The journal's own name of the place.
    cursor: Option<String>,
    asked_at: Option<Instant>,
    /// What was found out when the journal was asked last.
    journal_is_read: bool,
    /// Connections on which somebody failed, the newest last.
    failed: VecDeque<String>,
}

impl Logs {
    /// Reads what came since the look before; takes seconds where the journal does.
    pub(super) fn look(&mut self, host: &dyn Host, at: Timestamp) -> Heard {
        let mut heard = Heard::default();
        for (n, (path, topic)) in FILES.into_iter().enumerate() {
            match self.tail(n, path, host) {
                Ok(text) => {
                    heard.topics.insert(topic);
                    self.take(&text, at, &mut heard);
                }
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => {}
                Err(error) => heard.unheard.push(format!("{path}: {error}")),
            }
        }
        if !heard.topics.contains(&LogTopic::Access) {
            self.ask_journal(host, at, &mut heard);
        }
        heard
    }

    /// Whole lines that were added to a file; it begins anew where it is shorter than it was.
    fn tail(&mut self, n: usize, path: &str, host: &dyn Host) -> io::Result<String> {
        let mut bytes = Vec::new();
        let Some(read_to) = self.read_to.get_mut(n) else { return Ok(String::new()) };
        let Some(mut from) = *read_to else {
            *read_to = Some(host.read_from(path, u64::MAX, &mut bytes)?);
            return Ok(String::new());
        };
        if host.read_from(path, from, &mut bytes)? < from {
            from = 0;
            host.read_from(path, from, &mut bytes)?;
        }
        // A line that is being written comes with the next look, where it is a line at all.
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
        let done = if whole == 0 && bytes.len() > LONGEST_LINE { bytes.len() } else { whole };
        *read_to = Some(from + done as u64);
        bytes.truncate(whole);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn ask_journal(&mut self, host: &dyn Host, at: Timestamp, heard: &mut Heard) {
        let mut names = Vec::new();
        if !JOURNALS.iter().any(|folder| host.list(folder, &mut names).is_ok()) {
            return;
        }
        if self.asked_at.is_none_or(|then| then.elapsed() >= JOURNAL_EVERY) {
            self.asked_at = Some(Instant::now());
            match self.journal(host) {
                Ok(text) => self.take(&text, at, heard),
                Err(error) => tracing::debug!(%error, "the journal could not be asked"),
            }
            self.journal_is_read = self.cursor.is_some();
        }
        if self.journal_is_read {
            heard.topics.extend([LogTopic::Access, LogTopic::Kernel]);
        } else {
            heard.unheard.push("the journal: nothing of others can be read; the group systemd-journal may".to_owned());
        }
    }

    /// What the journal has since the cursor; at first only the cursor.
    fn journal(&mut self, host: &dyn Host) -> io::Result<String> {
        let after = self.cursor.as_ref().map(|cursor| format!("--after-cursor={cursor}"));
        let lines = if after.is_some() { JOURNAL_LINES } else { "1" };
        let mut arguments = vec!["--quiet", "--no-pager", "--output=short-unix", "--show-cursor", "--lines", lines];
        arguments.extend(after.as_deref());
        arguments.extend(JOURNAL_ABOUT);
        let printed = host.run("journalctl", &arguments, PATIENCE);
        let printed = printed.inspect_err(|_| self.cursor = None)?;
        let text = String::from_utf8_lossy(&printed);
        let (mut lines, mut cursor) = (String::new(), None);
        for line in text.lines() {
            match line.strip_prefix("-- cursor: ") {
                Some(place) => cursor = Some(place.to_owned()),
                None if after.is_some() => lines.extend([line, "\n"]),
                None => {}
            }
        }
        self.cursor = cursor.or_else(|| self.cursor.take());
        Ok(lines)
    }

    fn take(&mut self, text: &str, at: Timestamp, heard: &mut Heard) {
        for told in text.lines().filter_map(line::told) {
            if told.ended.as_ref().is_some_and(|connection| self.failed.contains(connection)) {
                continue;
            }
            if let Some(connection) = told.tried.filter(|c| !self.failed.contains(c)) {
                if self.failed.len() >= CONNECTIONS {
                    self.failed.pop_front();
                }
                self.failed.push_back(connection);
            }
            let (kind, severity) = (told.kind.to_owned(), told.severity);
            let event =
                SecurityEvent { at, kind, severity, subject: told.subject, from: told.from, evidence: told.evidence, n: 1 };
            heard.events.push(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::posture::tests::Machine;
    use super::*;

    fn at() -> Timestamp {
        Timestamp::from_seconds(10_000)
    }

    fn lines(heard: &Heard) -> Vec<String> {
        heard.events.iter().map(|e| format!("{} {} {}", e.kind, e.subject, e.from)).collect()
    }

    const OLD: &str = "Nov 22 05:00:00 web-1 sshd[7]: Failed password for root from 203.0.113.5 port 1 ssh2\n";

    #[test]
    fn what_is_added_to_a_log_is_told_once_whatever_was_there_and_however_it_is_rotated() {
        let mut machine = Machine::default();
        let mut logs = Logs::default();
        machine.file("/var/log/auth.log", 0o644, OLD);
        let first = logs.look(&machine, at());
        assert_eq!((lines(&first).len(), first.topics), (0, [LogTopic::Access].into()), "what was there is no news");
        let tried = "Nov 22 05:11:01 web-1 sshd[8]: Failed password for root from 203.0.113.5 port 2 ssh2\n";
        let gone = "Nov 22 05:11:02 web-1 sshd[8]: Connection closed by authenticating user root 203.0.113.5 port 2 [preauth]\n";
        let half = "Nov 22 05:11:02 web-1 su[9]: (to root) a";
        machine.file("/var/log/auth.log", 0o644, &format!("{OLD}{tried}{gone}{half}"));
        assert_eq!(lines(&logs.look(&machine, at())), ["login failed root 203.0.113.5"], "the end of a try is no second one");
        machine.file("/var/log/auth.log", 0o644, &format!("{OLD}{tried}{gone}{half}na on pts/0\n"));
        assert_eq!(lines(&logs.look(&machine, at())), ["privilege gained ana "]);
        machine.file("/var/log/auth.log", 0o644, OLD);
        assert_eq!(lines(&logs.look(&machine, at())).len(), 1, "a new file is read from its start");
        assert_eq!(lines(&logs.look(&machine, at())).len(), 0);
    }

    #[test]
    fn a_log_that_may_not_be_read_is_named_and_one_that_is_not_there_is_not() {
        let mut machine = Machine::default();
        assert_eq!(Logs::default().look(&machine, at()), Heard::default());
        machine.file("/var/log/auth.log", 0o640, OLD);
        let heard = Logs::default().look(&machine, at());
        assert_eq!((heard.topics.len(), heard.unheard), (0, vec!["/var/log/auth.log: permission denied".to_owned()]));
    }

    #[test]
    fn without_files_the_journal_is_asked_from_its_cursor_on() {
        let mut machine = Machine::default();
        machine.file("/var/log/journal/id", 0o755, "");
        let mut logs = Logs::default();
        let unread = logs.look(&machine, at());
        assert!(unread.topics.is_empty() && unread.unheard[0].starts_with("the journal: "), "{unread:?}");
        logs.asked_at = None;
        machine.printed.insert(
            "_TRANSPORT=kernel".to_owned(),
            "1763788261.1 web-1 sudo[9]: ana : COMMAND=x\n-- cursor: s=a;i=1\n".to_owned(),
        );
        let first = logs.look(&machine, at());
        assert_eq!((lines(&first).len(), first.topics.len(), first.unheard.len()), (0, 2, 0));
        logs.asked_at = None;
        let line = "1763788262.5 web-1 sshd[9]: Accepted publickey for ana from 10.0.0.9 port 5 ssh2: RSA x";
        machine.printed.insert("--after-cursor=s=a;i=1".to_owned(), format!("{line}\n-- cursor: s=a;i=2\n"));
        assert_eq!(lines(&logs.look(&machine, at())), ["login ana 10.0.0.9"]);
        assert_eq!(lines(&logs.look(&machine, at())).len(), 0, "it is not asked each time");
        assert_eq!(logs.cursor.as_deref(), Some("s=a;i=2"));
    }
}
