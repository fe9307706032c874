//! Who may read and write the files that rights hang on.
//!
//! Invariant: nothing of their contents is read.

use super::{Fault, Look};
use crate::model::Severity::{Critical, Info, Warning};

/// A file: its path, what should hold, the bits none of which may be set, and what is at stake.
struct Guarded {
    path: &'static str,
    title: &'static str,
    forbidden: u32,
    fault: Fault,
}

const OTHERS: u32 = 0o007;
const OTHERS_OR_GROUP_WRITE: u32 = 0o022;

const FILES: &[Guarded] = &[
    Guarded {
        path: "/etc/shadow",
        title: "Passwords are hidden from everybody",
        forbidden: OTHERS | 0o020,
        fault: Fault { severity: Critical, advice: "chmod 640 /etc/shadow" },
    },
    Guarded {
        path: "/etc/gshadow",
        title: "Passwords of groups are hidden from everybody",
        forbidden: OTHERS | 0o020,
        fault: Fault { severity: Warning, advice: "chmod 640 /etc/gshadow" },
    },
    Guarded {
        path: "/etc/passwd",
        title: "Only root changes accounts",
        forbidden: OTHERS_OR_GROUP_WRITE,
        fault: Fault { severity: Critical, advice: "chmod 644 /etc/passwd" },
    },
    Guarded {
        path: "/etc/group",
        title: "Only root changes groups",
        forbidden: OTHERS_OR_GROUP_WRITE,
        fault: Fault { severity: Critical, advice: "chmod 644 /etc/group" },
    },
    Guarded {
        path: "/etc/sudoers",
        title: "Only root changes who becomes root",
        forbidden: OTHERS | 0o020,
        fault: Fault { severity: Critical, advice: "chmod 440 /etc/sudoers" },
    },
    Guarded {
        path: "/etc/crontab",
        title: "Only root changes what runs by the clock",
        forbidden: OTHERS_OR_GROUP_WRITE,
        fault: Fault { severity: Critical, advice: "chmod 644 /etc/crontab" },
    },
    Guarded {
        path: "/etc/ssh/sshd_config",
        title: "Only root changes who may log in over SSH",
        forbidden: OTHERS_OR_GROUP_WRITE,
        fault: Fault { severity: Critical, advice: "chmod 644 /etc/ssh/sshd_config" },
    },
    Guarded {
        path: "/root",
        title: "Root's folder is closed to others' writing",
        forbidden: OTHERS_OR_GROUP_WRITE,
        fault: Fault { severity: Critical, advice: "chmod 700 /root" },
    },
    Guarded {
        path: "/boot/grub/grub.cfg",
        title: "Only root changes what is started",
        forbidden: OTHERS_OR_GROUP_WRITE,
        fault: Fault { severity: Warning, advice: "chmod 600 /boot/grub/grub.cfg" },
    },
];

/// Only their owner removes files there.
const STICKY: u32 = 0o1000;

pub(super) fn look(look: &mut Look<'_>) {
    for file in FILES {
        match look.host.mode(file.path) {
            Ok(mode) => {
                look.check(file.title, mode & file.forbidden == 0, format!("{} has mode {mode:o}", file.path), &file.fault)
            }
            Err(error) => look.unread(file.path, &error),
        }
    }
    for path in ["/tmp", "/var/tmp"] {
        if let Ok(mode) = look.host.mode(path) {
            let holds = mode & 0o002 == 0 || mode & STICKY != 0;
            let fault = Fault { severity: Warning, advice: "chmod 1777 /tmp /var/tmp" };
            look.check(
                &format!("Files of others cannot be removed from {path}"),
                holds,
                format!("{path} has mode {mode:o}"),
                &fault,
            );
        }
    }
    // Keys of the machine: who has one is the machine.
    let mut names = Vec::new();
    if look.host.list("/etc/ssh", &mut names).is_ok() {
        names.sort();
        let keys = names.iter().filter(|n| n.starts_with("ssh_host_") && n.ends_with("_key"));
        let modes = keys.filter_map(|n| Some((n, look.host.mode(&format!("/etc/ssh/{n}")).ok()?)));
        let modes: Vec<(&String, u32)> = modes.collect();
        if let Some((name, mode)) = modes.iter().find(|(_, m)| m & (OTHERS | 0o020) != 0).or(modes.first()) {
            let fault = Fault { severity: Critical, advice: "chmod 600 /etc/ssh/ssh_host_*_key" };
            let evidence = format!("{name} has mode {mode:o}");
            look.check("The machine's own keys are secret", mode & (OTHERS | 0o020) == 0, evidence, &fault);
        }
    }
    restart(look);
}

/// Debian and its kin leave a file where an update works only after a restart.
fn restart(look: &mut Look<'_>) {
    let waits = look.host.mode("/run/reboot-required").is_ok();
    let known = waits || look.host.mode("/etc/debian_version").is_ok();
    if known {
        let evidence = if waits { "/run/reboot-required is there" } else { "/run/reboot-required is not there" };
        let fault = Fault { severity: Info, advice: "Restart the machine: an update that is installed does not work before." };
        look.check("No update waits for a restart", !waits, evidence.to_owned(), &fault);
    }
}
