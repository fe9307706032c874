//! Which mount points are file systems worth watching.
//!
//! Reads `/proc/self/mountinfo`; asking the file systems is `filesystem`'s. Invariant: each file system
//! comes once, by the mount point people know it by, and none that only shows the kernel's own state.

use std::collections::BTreeMap;

use super::parse::{lines, words};
use super::slow::Reach;

/// A file system and where it is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Mount point.
    pub(super) path: String,
    /// Network and user-space file systems may hang.
    pub(super) reach: Reach,
}

/// Windows into the kernel, images that are full by nature, and what mounts by being looked at.
const SKIPPED: [&str; 35] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "cramfs",
    "debugfs",
    "devfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "erofs",
    "fuse.gvfsd-fuse",
    "fuse.lxcfs",
    "fuse.portal",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nfsd",
    "nsfs",
    "proc",
    "pstore",
    "ramfs",
    "romfs",
    "rootfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "smackfs",
    "squashfs",
    "sysfs",
    "tracefs",
    "udf",
];

/// Answered by another machine.
const NETWORK: [&str; 13] =
    ["9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3"];

/// Kept for the kernel's and the system's own use.
const SYSTEM_FOLDERS: [&str; 4] = ["/dev", "/proc", "/run", "/sys"];

/// Files that container engines mount over those of the image.
const CONTAINER_FILES: [&str; 4] = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/dev/termination-log"];

/// A line of mountinfo.
struct Line<'a> {
    device: &'a [u8],
    root: &'a [u8],
    point: String,
    read_only: bool,
    kind: &'a str,
}

/// The file systems of a mountinfo file, by mount point; `ignored` are patterns of the configuration.
pub(super) fn parse_mounts(text: &[u8], ignored: &[String]) -> Vec<Mount> {
    // Of mounts at one point the last hides the others.
    let mut points: BTreeMap<String, Line<'_>> = BTreeMap::new();
    for line in lines(text).filter_map(parse_line) {
        points.insert(line.point.clone(), line);
    }
    // Of mounts of one device that of its root counts, then the shortest point: the others are bind mounts.
    let mut devices: BTreeMap<&[u8], &Line<'_>> = BTreeMap::new();
    for line in points.values().filter(|line| is_watched(line) && !super::config::any_matches(ignored, &line.point)) {
        let rank = |l: &Line<'_>| (l.root != b"/", l.point.len(), l.point.clone());
        devices
            .entry(line.device)
            .and_modify(|known| {
                if rank(line) < rank(known) {
                    *known = line
                }
            })
            .or_insert(line);
    }
    let mut mounts: Vec<Mount> = devices
        .into_values()
        .map(|line| {
            let far = NETWORK.contains(&line.kind) || line.kind.starts_with("fuse");
            Mount { path: line.point.clone(), reach: if far { Reach::Far } else { Reach::Near } }
        })
        .collect();
    mounts.sort_by(|a, b| a.path.cmp(&b.path));
    mounts
}

fn is_watched(line: &Line<'_>) -> bool {
    let below = |folder: &str| line.point.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match line.kind {
        kind if SKIPPED.contains(&kind) => false,
        // Container engines mount one for each container over a file system that is watched anyway.
        "overlay" | "aufs" => line.point == "/",
        // One that cannot be written cannot fill up.
        "tmpfs" => !line.read_only && !SYSTEM_FOLDERS.iter().any(|f| below(f)),
        _ => !CONTAINER_FILES.contains(&line.point.as_str()),
    }
}

/// `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue`.
fn parse_line(line: &[u8]) -> Option<Line<'_>> {
    let mut fields = words(line).skip(2);
    let (device, root, point, options) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let kind = fields.skip_while(|f| *f != b"-").nth(1)?;
    let read_only = options.split(|b| *b == b',').any(|o| o == b"ro");
    // A point that is not UTF-8 could not be asked for.
    let point = String::from_utf8(unescape(point)).ok()?;
    Some(Line { device, root, point, read_only, kind: std::str::from_utf8(kind).ok()? })
}

/// Blanks, tabs, line ends and backslashes stand as `\` and three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let octal =
            |digits: &[u8; 3]| digits.iter().try_fold(0_u32, |sum, d| d.is_ascii_digit().then(|| sum * 8 + u32::from(d - b'0')));
        match tail.split_first_chunk::<3>() {
            Some((digits, after)) if *first == b'\\' => match octal(digits).and_then(|code| u8::try_from(code).ok()) {
                Some(byte) => {
                    plain.push(byte);
                    rest = after;
                }
                None => plain.push(*first),
            },
            _ => plain.push(*first),
        }
    }
    plain
}

#[cfg(test)]
pub(super) const EXAMPLE: &str = "22 27 0:21 / /proc rw,relatime - proc proc rw
24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
28 27 0:25 / /tmp rw,nosuid - tmpfs tmpfs rw
29 27 0:26 / /run/user/0 rw - tmpfs tmpfs rw
30 27 0:27 / /opt/image ro - tmpfs tmpfs ro
31 27 254:0 /srv/www /var/www rw - ext4 /dev/vda rw
32 27 8:1 /data /mnt/a\\040b rw - xfs /dev/sda1 rw
33 27 0:40 / /mnt/nfs rw - nfs4 server:/export rw
34 27 0:41 / /var/lib/docker/overlay2/abc/merged rw - overlay overlay rw
35 27 7:1 / /snap/core ro - squashfs /dev/loop1 ro
36 27 8:2 / /mnt/old rw - ext4 /dev/sda2 rw
37 36 8:3 / /mnt/old rw - ext4 /dev/sda3 rw
";

#[cfg(test)]
mod tests {
    use super::super::testing::mutated;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_file_system_comes_once_by_its_best_name() {
        let mounts = parse_mounts(EXAMPLE.as_bytes(), &[]);
        let paths: Vec<&str> = mounts.iter().map(|m| m.path.as_str()).collect();
        assert_eq!(paths, ["/", "/mnt/a b", "/mnt/nfs", "/mnt/old", "/tmp"]);
        let far: Vec<&str> = mounts.iter().filter(|m| m.reach == Reach::Far).map(|m| m.path.as_str()).collect();
        assert_eq!(far, ["/mnt/nfs"]);
    }

    #[test]
    fn mounts_can_be_left_out() {
        let mounts = parse_mounts(EXAMPLE.as_bytes(), &["/mnt/*".to_owned(), "/tmp".to_owned()]);
        assert_eq!(mounts.iter().map(|m| m.path.as_str()).collect::<Vec<_>>(), ["/"]);
    }

    #[test]
    fn a_container_sees_its_root() {
        let text = "1 0 0:50 / / rw - overlay overlay rw\n2 1 8:1 /var/lib/docker/x/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n";
        let mounts = parse_mounts(text.as_bytes(), &[]);
        assert_eq!(mounts.iter().map(|m| m.path.as_str()).collect::<Vec<_>>(), ["/"]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in mutated(EXAMPLE)) {
            let _ = parse_mounts(&text, &[]);
        }
    }
}
