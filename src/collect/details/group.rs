//! The control group of a process: how much it holds and may hold.
//!
//! Reads the files of version 2 below `/sys/fs/cgroup`. Invariant: `max` is no limit and no number.

use super::super::parse::{lines, number, single, words};
use super::super::process::parse_cgroup;
use crate::model::{ControlGroup, Host};

/// Where the hierarchy is mounted.
const ROOT: &str = "/sys/fs/cgroup";

/// Reads the group named in `/proc/PID/cgroup`; `None` where it is the root or none is named.
pub(super) fn read(host: &dyn Host, text: &[u8]) -> Option<ControlGroup> {
    let path = parse_cgroup(text).path?;
    let mut bytes = Vec::new();
    let mut file = |name: &str| host.read(&format!("{ROOT}{path}/{name}"), &mut bytes).ok().map(|()| bytes.clone());
    let group = ControlGroup {
        memory_bytes: file("memory.current").and_then(|t| single(&t)),
        memory_limit_bytes: file("memory.max").and_then(|t| single(&t)),
        cpu_limit: file("cpu.max").and_then(|t| parse_cpu_max(&t)),
        cpu_weight: file("cpu.weight").and_then(|t| single(&t)),
        tasks: file("pids.current").and_then(|t| single(&t)),
        tasks_limit: file("pids.max").and_then(|t| single(&t)),
        oom_kills: file("memory.events").and_then(|t| event(&t, b"oom_kill")),
        path: String::new(),
    };
    Some(ControlGroup { path, ..group })
}

/// Quota and period in microseconds: cores, where there is a quota.
fn parse_cpu_max(text: &[u8]) -> Option<f64> {
    let mut fields = words(text.trim_ascii()).map(number);
    let (quota, period) = (fields.next()??, fields.next()??);
    (period > 0).then(|| quota as f64 / period as f64)
}

/// A count of a file of lines `name count`.
fn event(text: &[u8], name: &[u8]) -> Option<u64> {
    lines(text).find_map(|line| {
        let mut fields = words(line);
        (fields.next() == Some(name)).then(|| fields.next().and_then(number)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_in_cores_and_none_is_none() {
        assert_eq!(parse_cpu_max(b"150000 100000\n"), Some(1.5));
        for none in [&b"max 100000\n"[..], b"", b"1 0", b"x y"] {
            assert_eq!(parse_cpu_max(none), None);
        }
        assert_eq!(event(b"oom 2\noom_kill 1\n", b"oom_kill"), Some(1));
    }
}
