//! What a process is permitted to do: the capability lines of `/proc/PID/status`.
//!
//! Pure parsing. Invariant: a bit without a name is shown by its number, never dropped.

use super::super::parse::number;
use super::field;
use crate::model::Capabilities;

/// Names by bit, from linux/capability.h, without `CAP_`.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// Reads the sets; `None` where the effective one is missing.
pub(super) fn parse_capabilities(status: &[u8]) -> Option<Capabilities> {
    let set = |name: &[u8]| field(status, name).and_then(hexadecimal);
    let bounding = set(b"CapBnd:").unwrap_or(0);
    let all = (1_u64 << NAMES.len()) - 1;
    let bounding_all = bounding & all == all;
    Some(Capabilities {
        effective: names(set(b"CapEff:")?),
        permitted: names(set(b"CapPrm:").unwrap_or(0)),
        inheritable: names(set(b"CapInh:").unwrap_or(0)),
        ambient: names(set(b"CapAmb:").unwrap_or(0)),
        bounding: if bounding_all { Vec::new() } else { names(bounding) },
        bounding_all,
        no_new_privileges: field(status, b"NoNewPrivs:").and_then(number).map(|v| v != 0),
        seccomp: field(status, b"Seccomp:").and_then(number).map(seccomp),
    })
}

fn seccomp(mode: u64) -> String {
    match mode {
        0 => "off".to_owned(),
        1 => "strict".to_owned(),
        2 => "filter".to_owned(),
        other => other.to_string(),
    }
}

fn names(bits: u64) -> Vec<String> {
    let name = |bit: usize| NAMES.get(bit).map_or_else(|| bit.to_string(), |name| (*name).to_owned());
    (0..64).filter(|bit| bits >> bit & 1 == 1).map(name).collect()
}

fn hexadecimal(word: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::testing::mutated;
    use proptest::prelude::*;

    const EXAMPLE: &str = "Name:\tping\nCapInh:\t0000000000000000\nCapPrm:\t0000000000003000\nCapEff:\t8000000000002000\n\
        CapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n";

    #[test]
    fn bits_have_their_names() {
        let sets = parse_capabilities(EXAMPLE.as_bytes()).expect("the lines are there");
        assert_eq!(
            (sets.effective, sets.permitted),
            (vec!["net_raw".into(), "63".into()], vec!["net_admin".into(), "net_raw".into()])
        );
        assert!(sets.bounding_all && sets.bounding.is_empty());
        assert_eq!((sets.no_new_privileges, sets.seccomp.as_deref()), (Some(true), Some("filter")));
        assert_eq!(parse_capabilities(b"Name:\tx\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in mutated(EXAMPLE)) {
            let _ = parse_capabilities(&text);
        }
    }
}
