//! Virtual machines, told by the processes that run them.
//!
//! Pure parsing of names and command lines. Invariant: a process that runs no machine has no name of one.

/// The name of the machine a process runs: what its manager calls it, else its number.
pub(super) fn machine(name: &str, command: &str, pid: u32) -> Option<String> {
    let (flags, prefix): (&[&str], &str) = match name {
        // QEMU and its aliases: `-name guest=web,debug-threads=on` by libvirt, `-name web` by Proxmox and people.
        _ if name.starts_with("qemu-system") || matches!(name, "qemu-kvm" | "kvm") => (&["-name"], "qemu"),
        "VBoxHeadless" | "VirtualBoxVM" => (&["--comment"], "virtualbox"),
        "vmware-vmx" => (&[], "vmware"),
        "firecracker" => (&["--id"], "firecracker"),
        // The kernel cuts names after 15 bytes.
        "cloud-hyperviso" | "cloud-hypervisor" => (&[], "cloud-hypervisor"),
        _ => return None,
    };
    let mut words = command.split(' ').skip(1);
    let given = words.find(|word| flags.contains(word)).and_then(|_| words.next());
    let given = given.and_then(|value| value.split(',').next()).map(|value| value.strip_prefix("guest=").unwrap_or(value));
    Some(given.filter(|name| !name.is_empty()).map_or_else(|| format!("{prefix}-{pid}"), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_have_the_names_their_managers_give() {
        for (name, command, expected) in [
            ("qemu-system-x86", "/usr/bin/qemu-system-x86_64 -name guest=web,debug-threads=on -m 1024", Some("web")),
            ("kvm", "/usr/bin/kvm -id 100 -name db -m 1", Some("db")),
            ("qemu-system-arm", "qemu-system-arm -m 1", Some("qemu-7")),
            ("VBoxHeadless", "/usr/lib/virtualbox/VBoxHeadless --comment box --startvm x", Some("box")),
            ("firecracker", "firecracker --id f1 --api-sock s", Some("f1")),
            ("bash", "bash -name x", None),
        ] {
            assert_eq!(machine(name, command, 7).as_deref(), expected, "{command}");
        }
    }
}
