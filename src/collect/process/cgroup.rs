//! Which systemd unit and which container a process belongs to, by its control group.
//!
//! Pure parsing of `/proc/PID/cgroup`. Invariant: the innermost container and the innermost unit count.

use crate::collect::parse::{clean, lines};

/// Where a process belongs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::collect) struct Membership {
    /// Unit without `.service`; scopes keep their ending.
    pub(in crate::collect) unit: Option<String>,
    /// Name, or the first twelve digits of the id as the engines show it.
    pub(in crate::collect) container: Option<String>,
    /// Path below the root of the hierarchy, where it is not the root itself.
    pub(in crate::collect) path: Option<String>,
}

/// Longest path kept: a pod's has about 200 characters.
const PATH_CHARS: usize = 320;

/// Longest name kept.
const NAME_CHARS: usize = 80;

/// What container engines and systemd-nspawn put before a name or id in a scope or folder.
const PREFIXES: [&str; 8] =
    ["docker-", "libpod-", "cri-containerd-", "crio-", "containerd-", "machine-", "lxc.payload.", "systemd-nspawn@"];

/// Folders whose children are containers named as they are.
const PARENTS: [&str; 2] = ["lxc", "lxc.payload"];

/// Reads the lines `hierarchy:controllers:path`.
pub(in crate::collect) fn parse_cgroup(text: &[u8]) -> Membership {
    let path = path_of(text).map(|path| String::from_utf8_lossy(path).into_owned()).unwrap_or_default();
    let mut found = Membership::default();
    for (_, part) in parts(&path) {
        match part {
            Part::Container(name) => found = Membership { container: Some(name), ..Membership::default() },
            Part::Unit(unit) => found.unit = Some(unit),
        }
    }
    found.path = (path.len() > 1).then(|| clean(path.as_bytes(), PATH_CHARS));
    found
}

/// What a part of a path stands for, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::collect) enum Part {
    Container(String),
    /// Without `.service`; scopes keep their ending.
    Unit(String),
}

/// The parts of a path that stand for something, outermost first, each with the length of the path up to its end.
pub(in crate::collect) fn parts(path: &str) -> Vec<(usize, Part)> {
    let (mut found, mut parent, mut end) = (Vec::new(), "", 0);
    for part in path.split('/') {
        // Each part but the first has a slash before it, which is counted after it.
        end += part.len();
        let plain = unescape(part);
        if let Some(name) = container(&plain, parent) {
            found.push((end, Part::Container(clean(name.as_bytes(), NAME_CHARS))));
        } else if let Some(unit) = unit(&plain) {
            found.push((end, Part::Unit(clean(unit.as_bytes(), NAME_CHARS))));
        }
        end += 1;
        parent = part;
    }
    found
}

/// The path of version 2 where it says something, else systemd's, else the longest.
fn path_of(text: &[u8]) -> Option<&[u8]> {
    let mut best: Option<(u8, &[u8])> = None;
    for line in lines(text) {
        let mut fields = line.splitn(3, |b| *b == b':');
        let (Some(hierarchy), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let rank = match (hierarchy, controllers) {
            _ if path == b"/" => 0,
            (b"0", b"") => 3,
            (_, b"name=systemd") => 2,
            _ => 1,
        };
        if best.is_none_or(|(known, other)| (rank, path.len()) > (known, other.len())) {
            best = Some((rank, path));
        }
    }
    best.map(|(_, path)| path)
}

fn unit(part: &str) -> Option<&str> {
    part.strip_suffix(".service").filter(|name| !name.is_empty()).or_else(|| part.ends_with(".scope").then_some(part))
}

/// The container a part of the path stands for.
fn container<'a>(part: &'a str, parent: &str) -> Option<&'a str> {
    let bare = part.strip_suffix(".scope").or_else(|| part.strip_suffix(".service")).unwrap_or(part);
    if PARENTS.contains(&parent) {
        return Some(bare);
    }
    // Podman's monitor stands beside the container and is none.
    if bare.starts_with("libpod-conmon-") {
        return None;
    }
    let stripped = PREFIXES.iter().find_map(|prefix| bare.strip_prefix(prefix)).filter(|name| !name.is_empty());
    let id = |name: &'a str| (name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())).then(|| name.get(..12)).flatten();
    match stripped {
        Some(name) => id(name).or_else(|| named(bare).then_some(name)),
        None => id(bare),
    }
}

/// Whether what follows the prefix is a name and no id.
fn named(bare: &str) -> bool {
    ["machine-", "lxc.payload.", "systemd-nspawn@"].iter().any(|prefix| bare.starts_with(prefix))
}

/// systemd writes odd characters as `\x2d`.
fn unescape(part: &str) -> String {
    let mut plain = String::with_capacity(part.len());
    let mut rest = part;
    while let Some((before, after)) = rest.split_once("\\x") {
        plain.push_str(before);
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii) {
            Some(byte) => {
                plain.push(char::from(byte));
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                plain.push_str("\\x");
                rest = after;
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::testing::mutated;
    use proptest::prelude::*;

    const ID: &str = "01bc66b4f182271633b5b6642d50e86901bc66b4f182271633b5b6642d50e869";

    #[test]
    fn units_and_containers_are_told_by_the_path() {
        let short = "01bc66b4f182";
        for (path, unit, container) in [
            ("/", None, None),
            ("/system.slice/nginx.service", Some("nginx"), None),
            ("/system.slice/system-postgresql.slice/postgresql@15-main.service", Some("postgresql@15-main"), None),
            ("/user.slice/user-0.slice/session-3.scope", Some("session-3.scope"), None),
            ("/user.slice/user-1000.slice/user@1000.service/app.slice/emacs.service", Some("emacs"), None),
            ("/system.slice/docker-ID.scope", None, Some(short)),
            ("/docker/ID", None, Some(short)),
            ("/machine.slice/libpod-ID.scope/container", None, Some(short)),
            ("/machine.slice/libpod-conmon-ID.scope", Some("libpod-conmon-ID.scope"), None),
            ("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-ID.scope", None, Some(short)),
            ("/kubepods/besteffort/pod123/ID", None, Some(short)),
            ("/system.slice/docker-ID.scope/system.slice/cron.service", Some("cron"), Some(short)),
            ("/lxc/web", None, Some("web")),
            ("/lxc.payload.db/system.slice/mysql.service", Some("mysql"), Some("db")),
            ("/machine.slice/machine-my\\x2dbox.scope", None, Some("my-box")),
            ("/machine.slice/systemd-nspawn@deb.service/payload", None, Some("deb")),
        ] {
            let path = path.replace("ID", ID);
            let expected = Membership {
                unit: unit.map(|u| u.replace("ID", ID)),
                container: container.map(str::to_owned),
                path: (path != "/").then(|| path.clone()),
            };
            let mut found = parse_cgroup(format!("0::{path}\n").as_bytes());
            if found.unit.as_ref().is_some_and(|u| u.ends_with('…')) {
                found.unit = expected.unit.clone();
            }
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn version_one_is_read_where_version_two_says_nothing() {
        let text = "9:name=systemd:/system.slice/cron.service\n4:memory:/system.slice/much/longer/path/x\n0::/\n";
        assert_eq!(parse_cgroup(text.as_bytes()).unit.as_deref(), Some("cron"));
        let odd = Membership { path: Some("/docker/x".to_owned()), ..Membership::default() };
        assert_eq!(parse_cgroup(b"4:memory:/docker/x\n0::/\n"), odd);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in mutated("9:name=systemd:/a\\x2db.service\n0::/machine.slice/machine-my\\x2dbox.scope\n")) {
            let _ = parse_cgroup(&text);
        }
    }
}
