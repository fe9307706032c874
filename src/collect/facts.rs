//! What does not change while the machine is up.
//!
//! Read once at the start. Invariant: what cannot be read is empty, zero or absent; nothing is guessed.

use std::collections::BTreeMap;

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use super::parse::{clean, lines, number, split_once, words};
use crate::base::Timestamp;
use crate::model::{Host, HostFacts};

/// Longest name of a machine or system kept; a host name has at most 64 characters on Linux.
const NAME_CHARS: usize = 120;

/// Facts about the machine behind `host`; `name` replaces the system's own name.
///
/// A Linux machine, also one that is only a tree of files, is read through `host`. Where there is no `/proc` this is another
/// operating system, and sysinfo knows its facts.
pub fn facts(host: &dyn Host, name: Option<String>, labels: BTreeMap<String, String>) -> HostFacts {
    let mut text = Vec::new();
    let mut own = if host.read("/proc/stat", &mut text).is_ok() { from_files(host, &text) } else { from_sysinfo() };
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        own.name = name;
    }
    HostFacts { labels, ..own }
}

fn from_files(host: &dyn Host, stat: &[u8]) -> HostFacts {
    let mut text = Vec::new();
    let mut line =
        |path: &str| host.read(path, &mut text).ok().map(|()| clean(text.trim_ascii(), NAME_CHARS)).unwrap_or_default();
    let (name, kernel) = (line("/proc/sys/kernel/hostname"), line("/proc/sys/kernel/osrelease"));
    let read = ["/etc/os-release", "/usr/lib/os-release"].into_iter().any(|path| host.read(path, &mut text).is_ok());
    let system = if read { parse_os_release(&text) } else { String::new() };
    let memory_bytes = match host.read("/proc/meminfo", &mut text) {
        Ok(()) => {
            lines(&text).find_map(|line| line.strip_prefix(b"MemTotal:")).and_then(|rest| words(rest).next().and_then(number))
        }
        Err(_) => None,
    };
    HostFacts {
        name,
        system,
        kernel,
        cores: lines(stat)
            .filter(|l| l.strip_prefix(b"cpu").and_then(|rest| rest.first()).is_some_and(u8::is_ascii_digit))
            .count() as u32,
        memory_bytes: memory_bytes.unwrap_or(0).saturating_mul(1024),
        booted_at: lines(stat)
            .find_map(|line| line.strip_prefix(b"btime "))
            .and_then(number)
            .and_then(|seconds| i64::try_from(seconds).ok())
            .map(Timestamp::from_seconds),
        labels: BTreeMap::new(),
    }
}

fn from_sysinfo() -> HostFacts {
    let kinds = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    HostFacts {
        name: System::host_name().unwrap_or_default(),
        system: System::long_os_version().unwrap_or_default(),
        kernel: System::kernel_version().unwrap_or_default(),
        cores: std::thread::available_parallelism().map_or(0, |n| n.get() as u32),
        memory_bytes: System::new_with_specifics(kinds).map_or(0, |system| system.total_memory()),
        booted_at: System::boot_time()
            .ok()
            .and_then(|seconds| i64::try_from(seconds).ok())
            .filter(|seconds| *seconds > 0)
            .map(Timestamp::from_seconds),
        labels: BTreeMap::new(),
    }
}

/// `Debian 12` of `NAME="Debian GNU/Linux"` and `VERSION_ID="12"`.
fn parse_os_release(text: &[u8]) -> String {
    let field = |wanted: &[u8]| {
        let value = lines(text).filter_map(|line| split_once(line, b'=')).find(|(name, _)| *name == wanted)?.1.trim_ascii();
        let quoted = |mark: &[u8]| value.strip_prefix(mark)?.strip_suffix(mark);
        Some(clean(quoted(b"\"").or_else(|| quoted(b"'")).unwrap_or(value), NAME_CHARS))
    };
    let name = field(b"NAME").unwrap_or_default();
    let name = name.strip_suffix(" GNU/Linux").unwrap_or(&name);
    match field(b"VERSION_ID") {
        Some(version) if !version.is_empty() => format!("{name} {version}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::LinuxHost;
    use super::super::testing::ScriptHost;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn systems_are_named_as_people_say_them() {
        for (text, expected) in [
            ("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n", "Debian 12"),
            ("NAME=Fedora\nVERSION_ID=40\n", "Fedora 40"),
            ("NAME='Arch Linux'\n", "Arch Linux"),
            ("", ""),
        ] {
            assert_eq!(parse_os_release(text.as_bytes()), expected);
        }
    }

    #[test]
    fn this_machine_is_described_as_sysinfo_describes_it() {
        let labels = BTreeMap::from([("site".to_owned(), "a".to_owned())]);
        let own = facts(&LinuxHost::new(), None, labels.clone());
        let other = from_sysinfo();
        assert_eq!((&own.name, &own.kernel, own.memory_bytes), (&other.name, &other.kernel, other.memory_bytes));
        assert!(own.cores >= 1 && own.booted_at.is_some());
        assert_eq!(own.labels, labels);
    }

    #[test]
    fn the_configured_name_wins() {
        assert_eq!(facts(&LinuxHost::new(), Some("web-1".to_owned()), BTreeMap::new()).name, "web-1");
    }

    #[test]
    fn a_host_without_proc_is_asked_by_sysinfo() {
        assert_eq!(facts(&ScriptHost::default(), None, BTreeMap::new()).kernel, System::kernel_version().unwrap_or_default());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_os_release(&bytes);
        }
    }
}
