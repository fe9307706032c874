//! What seldom changes of a process: owner, command line, unit, container and terminal.
//!
//! Read once per process and again when its name changes, soon after its start (engines and systemd move
//! it, daemons change their user) and then rarely. Invariant: equal names share one allocation.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::cgroup::parse_cgroup;
use super::stat::{Stat, Status, parse_status, terminal};
use crate::collect::groups::Groups;
use crate::collect::parse::clean;
use crate::model::{Host, ProcessFile};

/// Longest command line kept: wider than any screen; a thousand processes then cost at most half a MiB.
const COMMAND_CHARS: usize = 512;

/// Names, units and users that are in use at once seldom pass this; past it those no process has any more are forgotten.
const MOST_TEXTS: usize = 1024;

/// See the file's head.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Identity {
    pub(super) user: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) command: Arc<str>,
    pub(super) unit: Option<Arc<str>>,
    pub(super) container: Option<Arc<str>>,
    pub(super) cgroup: Option<Arc<str>>,
    pub(super) terminal: Option<Arc<str>>,
}

/// Reads identities and shares their texts.
#[derive(Debug, Default)]
pub(super) struct Identities {
    text: Vec<u8>,
    users: HashMap<u32, Arc<str>>,
    texts: HashSet<Arc<str>>,
    groups: Groups,
}

impl Identities {
    /// Tells `groups` of every group that is met, and has the names of containers from it.
    pub(super) fn new(groups: Groups) -> Self {
        Self { groups, ..Self::default() }
    }

    /// The identity of a process whose `stat` has just been read, and its `status`; what cannot be read is empty.
    pub(super) fn read(&mut self, host: &dyn Host, pid: u32, stat: &Stat<'_>) -> (Identity, Status) {
        let name = name(stat.name);
        if stat.kernel {
            let command = format!("[{name}]").into();
            return (
                Identity { user: self.user(host, 0), name: self.share(&name), command, ..Identity::default() },
                Status::default(),
            );
        }
        let status = self.status(host, pid);
        let mut text = std::mem::take(&mut self.text);
        let mut file = |file| host.read_process(pid, file, &mut text).ok().map(|()| text.clone());
        let group = file(ProcessFile::Cgroup).map(|group| parse_cgroup(&group)).unwrap_or_default();
        let command = file(ProcessFile::Cmdline).map(|line| command(&line)).filter(|line| !line.is_empty());
        self.text = text;
        if let Some(path) = &group.path {
            self.groups.add(path);
        }
        let container = group.container.map(|id| self.groups.name_of(&id));
        let mut share = |text: Option<String>| text.map(|text| self.share(&text));
        let (unit, container, cgroup) = (share(group.unit), share(container), share(group.path));
        let terminal = share(terminal(stat.terminal));
        let identity = Identity {
            user: match status.uid {
                Some(uid) => self.user(host, uid),
                None => self.share(""),
            },
            // A process that has ended, or that cleared its own arguments, has none.
            command: command.unwrap_or_else(|| format!("[{name}]")).into(),
            name: self.share(&name),
            unit,
            container,
            cgroup,
            terminal,
        };
        (identity, status)
    }

    /// What `status` says; empty where it cannot be read.
    pub(super) fn status(&mut self, host: &dyn Host, pid: u32) -> Status {
        host.read_process(pid, ProcessFile::Status, &mut self.text).map(|()| parse_status(&self.text)).unwrap_or_default()
    }

    /// The user's name; the number where it has none.
    pub(super) fn user(&mut self, host: &dyn Host, uid: u32) -> Arc<str> {
        if self.users.len() >= MOST_TEXTS {
            self.users.clear();
        }
        let name = || host.user_name(uid).unwrap_or_else(|| uid.to_string()).into();
        Arc::clone(self.users.entry(uid).or_insert_with(name))
    }

    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        if self.texts.len() >= MOST_TEXTS {
            self.texts.retain(|text| Arc::strong_count(text) > 1);
        }
        let new: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&new));
        new
    }
}

/// The kernel's short name as it is shown.
pub(super) fn name(bytes: &[u8]) -> String {
    clean(bytes, COMMAND_CHARS)
}

/// Arguments end with NUL; shown they are separated by a blank.
fn command(cmdline: &[u8]) -> String {
    let end = cmdline.iter().rposition(|b| !matches!(b, 0 | b' ' | b'\n')).map_or(0, |last| last + 1);
    // Four bytes are the longest character.
    let line: Vec<u8> = cmdline.iter().take(end.min(COMMAND_CHARS * 4)).map(|b| if *b == 0 { b' ' } else { *b }).collect();
    clean(&line, COMMAND_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_command_line_is_one_line() {
        assert_eq!(command(b"/bin/sh\0-c\0echo 1\n\0\0"), "/bin/sh -c echo 1");
        assert_eq!(command(b"\0\0"), "");
        assert_eq!(command(b"a\x1b[31m\0b"), "a?[31m b");
    }

    proptest! {
        #[test]
        fn any_command_line_can_be_shown(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
            let line = command(&bytes);
            prop_assert!(line.chars().count() <= COMMAND_CHARS && !line.chars().any(char::is_control));
        }
    }
}
