//! Who may read and write the files that rights hang on.
//!
//! Invariant: nothing of their contents is read.

use super::{Fault, Look};
use crate::model::Severity::{self, Critical, Info, Warning};

/// A file: its path, what should hold, the bits none of which may be set, how bad one is, and the mode it should have.
struct Guarded(&'static str, &'static str, u32, Severity, u32);

const OTHERS: u32 = 0o007;
const OTHERS_OR_GROUP_WRITE: u32 = 0o022;

const FILES: &[Guarded] = &[
    Guarded("/etc/shadow", "Passwords are hidden from everybody", OTHERS | 0o020, Critical, 0o640),
    Guarded("/etc/gshadow", "Passwords of groups are hidden from everybody", OTHERS | 0o020, Warning, 0o640),
    Guarded("/etc/passwd", "Only root changes accounts", OTHERS_OR_GROUP_WRITE, Critical, 0o644),
    Guarded("/etc/group", "Only root changes groups", OTHERS_OR_GROUP_WRITE, Critical, 0o644),
    Guarded("/etc/sudoers", "Only root changes who becomes root", OTHERS | 0o020, Critical, 0o440),
    Guarded("/etc/crontab", "Only root changes what runs by the clock", OTHERS_OR_GROUP_WRITE, Critical, 0o644),
    Guarded("/etc/ssh/sshd_config", "Only root changes who may log in over SSH", OTHERS_OR_GROUP_WRITE, Critical, 0o644),
    Guarded("/root", "Root's folder is closed to others' writing", OTHERS_OR_GROUP_WRITE, Critical, 0o700),
    Guarded("/boot/grub/grub.cfg", "Only root changes what is started", OTHERS_OR_GROUP_WRITE, Warning, 0o600),
];

/// Only their owner removes files there.
const STICKY: u32 = 0o1000;

pub(super) fn look(look: &mut Look<'_>) {
    for Guarded(path, title, forbidden, severity, wanted) in FILES {
        match look.host.mode(path) {
            Ok(mode) => {
                let advice = format!("chmod {wanted:o} {path}");
                let fault = Fault { severity: *severity, advice: &advice };
                look.check(title, mode & forbidden == 0, format!("{path} has mode {mode:o}"), &fault);
            }
            Err(error) => look.unread(path, &error),
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
