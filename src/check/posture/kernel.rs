//! Switches of the kernel that make an intruder's work harder.
//!
//! Values are those of the kernel's own hardening (`Documentation/admin-guide/sysctl`) that distributions ship. Invariant: a switch
//! this kernel has not is not counted.

use super::{Fault, Look};
use crate::model::Severity::{Info, Warning};

/// A switch: its path below `/proc/sys`, what should hold, its least value, and what is at stake where it is lower.
struct Switch {
    path: &'static str,
    title: &'static str,
    least: i64,
    fault: Fault,
}

const SWITCHES: &[Switch] = &[
    Switch {
        path: "kernel/randomize_va_space",
        title: "Addresses of programs are random",
        least: 2,
        fault: Fault { severity: Warning, advice: "sysctl -w kernel.randomize_va_space=2" },
    },
    Switch {
        path: "kernel/kptr_restrict",
        title: "Addresses of the kernel are hidden",
        least: 1,
        fault: Fault { severity: Info, advice: "sysctl -w kernel.kptr_restrict=1" },
    },
    Switch {
        path: "kernel/dmesg_restrict",
        title: "The kernel's messages are for administrators",
        least: 1,
        fault: Fault { severity: Info, advice: "sysctl -w kernel.dmesg_restrict=1" },
    },
    Switch {
        path: "kernel/unprivileged_bpf_disabled",
        title: "Programs for the kernel (BPF) are loaded by administrators alone",
        least: 1,
        fault: Fault { severity: Info, advice: "sysctl -w kernel.unprivileged_bpf_disabled=1" },
    },
    Switch {
        path: "kernel/perf_event_paranoid",
        title: "Others' programs cannot be measured",
        least: 2,
        fault: Fault { severity: Info, advice: "sysctl -w kernel.perf_event_paranoid=2" },
    },
    Switch {
        path: "fs/protected_symlinks",
        title: "Links in shared folders are not followed for others",
        least: 1,
        fault: Fault { severity: Warning, advice: "sysctl -w fs.protected_symlinks=1" },
    },
    Switch {
        path: "fs/protected_hardlinks",
        title: "Files of others cannot be linked",
        least: 1,
        fault: Fault { severity: Warning, advice: "sysctl -w fs.protected_hardlinks=1" },
    },
    Switch {
        path: "fs/protected_fifos",
        title: "Pipes of others in shared folders are not written to",
        least: 1,
        fault: Fault { severity: Info, advice: "sysctl -w fs.protected_fifos=1" },
    },
    Switch {
        path: "net/ipv4/tcp_syncookies",
        title: "Floods of half-open connections are withstood",
        least: 1,
        fault: Fault { severity: Warning, advice: "sysctl -w net.ipv4.tcp_syncookies=1" },
    },
];

/// Switches that should be off.
const OFF: &[(&str, &str, &str)] = &[
    (
        "net/ipv4/conf/all/accept_source_route",
        "Senders do not choose the route",
        "sysctl -w net.ipv4.conf.all.accept_source_route=0",
    ),
    (
        "net/ipv4/conf/all/accept_redirects",
        "Routes are not changed by strangers",
        "sysctl -w net.ipv4.conf.all.accept_redirects=0",
    ),
    ("fs/suid_dumpable", "Programs with rights leave no memory behind", "sysctl -w fs.suid_dumpable=0"),
];

pub(super) fn look(look: &mut Look<'_>) {
    for switch in SWITCHES {
        if let Some(value) = number(look, switch.path) {
            let evidence = format!("{} = {value}", switch.path.replace('/', "."));
            look.check(switch.title, value >= switch.least, evidence, &switch.fault);
        }
    }
    for &(path, title, advice) in OFF {
        if let Some(value) = number(look, path) {
            let evidence = format!("{} = {value}", path.replace('/', "."));
            // 2 of `suid_dumpable`: what is left behind is for root alone.
            look.check(
                title,
                value == 0 || (path == "fs/suid_dumpable" && value == 2),
                evidence,
                &Fault { severity: Info, advice },
            );
        }
    }
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
