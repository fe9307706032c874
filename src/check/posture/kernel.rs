//! Switches of the kernel that make an intruder's work harder.
//!
//! Values are those of the kernel's own hardening (`Documentation/admin-guide/sysctl`) that distributions ship. Invariant: a switch
//! this kernel has not is not counted.

use super::{Fault, Look};
use crate::model::Severity::{self, Info, Warning};

/// A switch: its path below `/proc/sys`, what should hold, its least value, and how bad it is where it is lower.
struct Switch(&'static str, &'static str, i64, Severity);

const SWITCHES: &[Switch] = &[
    Switch("kernel/randomize_va_space", "Addresses of programs are random", 2, Warning),
    Switch("kernel/kptr_restrict", "Addresses of the kernel are hidden", 1, Info),
    Switch("kernel/dmesg_restrict", "The kernel's messages are for administrators", 1, Info),
    Switch("kernel/unprivileged_bpf_disabled", "Programs for the kernel (BPF) are loaded by administrators alone", 1, Info),
    Switch("kernel/perf_event_paranoid", "Others' programs cannot be measured", 2, Info),
    Switch("fs/protected_symlinks", "Links in shared folders are not followed for others", 1, Warning),
    Switch("fs/protected_hardlinks", "Files of others cannot be linked", 1, Warning),
    Switch("fs/protected_fifos", "Pipes of others in shared folders are not written to", 1, Info),
    Switch("net/ipv4/tcp_syncookies", "Floods of half-open connections are withstood", 1, Warning),
];

/// Switches that should be off: the path, and what should hold.
const OFF: &[(&str, &str)] = &[
    ("net/ipv4/conf/all/accept_source_route", "Senders do not choose the route"),
    ("net/ipv4/conf/all/accept_redirects", "Routes are not changed by strangers"),
    ("fs/suid_dumpable", "Programs with rights leave no memory behind"),
];

pub(super) fn look(look: &mut Look<'_>) {
    for Switch(path, title, least, severity) in SWITCHES {
        judge(look, (path, title), (*least, *severity), |value| value >= *least);
    }
    for (path, title) in OFF {
        // 2 of `suid_dumpable`: what is left behind is for root alone.
        judge(look, (path, title), (0, Info), |value| value == 0 || (*path == "fs/suid_dumpable" && value == 2));
    }
}

/// Checks a switch; `wanted` is what it is set to where it does not hold, and how bad that is.
fn judge(look: &mut Look<'_>, (path, title): (&str, &str), wanted: (i64, Severity), holds: impl Fn(i64) -> bool) {
    let Some(value) = number(look, path) else { return };
    let name = path.replace('/', ".");
    let advice = format!("sysctl -w {name}={}", wanted.0);
    look.check(title, holds(value), format!("{name} = {value}"), &Fault { severity: wanted.1, advice: &advice });
}

/// Read a line at a time: files of `/proc` that are read whole stay open for the next round.
fn number(look: &mut Look<'_>, path: &str) -> Option<i64> {
    let (path, mut value) = (format!("/proc/sys/{path}"), None);
    let read =
        look.host.each_line(&path, &mut |line| value = value.or_else(|| String::from_utf8_lossy(line).trim().parse().ok()));
    if let Err(error) = read {
        look.unread(&path, &error);
    }
    value
}
