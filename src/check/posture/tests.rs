//! The posture of made-up machines.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use super::posture;
use crate::model::{FileSystemStat, Host, Listener, Posture, ProcessFile, Protocol};

/// Files with their text and mode, of which those may be read that others may read; and what programs print, by one of their arguments.
#[derive(Default)]
pub(in crate::check) struct Machine {
    files: BTreeMap<String, (String, u32)>,
    pub(in crate::check) printed: BTreeMap<String, String>,
}

impl Machine {
    pub(in crate::check) fn file(&mut self, path: &str, mode: u32, text: &str) {
        self.files.insert(path.to_owned(), (text.to_owned(), mode));
    }

    fn sysctl(&mut self, path: &str, value: &str) {
        self.file(&format!("/proc/sys/{path}"), 0o444, value);
    }
}

fn unsupported<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Host for Machine {
    fn read(&self, path: &str, into: &mut Vec<u8>) -> io::Result<()> {
        let (text, mode) = self.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        if mode & 0o004 == 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        *into = text.clone().into_bytes();
        Ok(())
    }
    fn list(&self, path: &str, into: &mut Vec<String>) -> io::Result<()> {
        into.clear();
        let folder = format!("{path}/");
        into.extend(self.files.keys().filter_map(|p| p.strip_prefix(&folder)).filter(|n| !n.contains('/')).map(str::to_owned));
        if into.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) }
    }
    fn mode(&self, path: &str) -> io::Result<u32> {
        Ok(self.files.get(path).ok_or(io::ErrorKind::NotFound)?.1)
    }
    fn run(&self, _: &str, args: &[&str], _: Duration) -> io::Result<Vec<u8>> {
        let printed = args.iter().find_map(|argument| self.printed.get(*argument));
        Ok(printed.ok_or(io::ErrorKind::NotFound)?.clone().into_bytes())
    }
    fn read_link(&self, _: &str) -> io::Result<String> {
        unsupported()
    }
    fn pids(&self, _: &mut Vec<u32>) -> io::Result<()> {
        unsupported()
    }
    fn read_process(&self, _: u32, _: ProcessFile, _: &mut Vec<u8>) -> io::Result<()> {
        unsupported()
    }
    fn cpu_clock(&self, _: u32) -> io::Result<Duration> {
        unsupported()
    }
    fn statvfs(&self, _: &str) -> io::Result<FileSystemStat> {
        unsupported()
    }
    fn tcp_states(&self) -> io::Result<[u32; 13]> {
        unsupported()
    }
    fn user_name(&self, _: u32) -> Option<String> {
        None
    }
}

fn failed(posture: &Posture) -> Vec<String> {
    posture.checks.iter().filter(|c| !c.passed).map(|c| c.evidence.clone()).collect()
}

fn listener(name: &str, address: &str) -> Listener {
    let address = address.parse().expect("an address");
    Listener { protocol: Protocol::Tcp, address, name: Some(name.into()), pid: None, unit: None }
}

#[test]
fn what_is_not_there_neither_passes_nor_fails() {
    let found = posture(&Machine::default(), &[]);
    let titles: Vec<&str> = found.checks.iter().map(|c| c.title.as_str()).collect();
    assert_eq!(titles, ["No service that speaks in the clear listens for others", "At most ten services listen for others"]);
    assert_eq!(found.unseen, ["security updates: only those of apt are known, and it keeps no lists here"]);
    assert_eq!(found.listed_at, None);
}

#[test]
fn an_open_machine_is_told_with_what_was_found() {
    let mut machine = Machine::default();
    machine.sysctl("kernel/randomize_va_space", "0\n");
    machine.sysctl("fs/suid_dumpable", "2\n");
    machine.file("/etc/shadow", 0o644, "root:$6$x:19000::::::\nguest::19000::::::\n");
    machine.file(
        "/etc/passwd",
        0o644,
        "root:x:0:0::/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\nguest:x:7:7::/:/bin/sh\nd:x:1:1::/:/usr/sbin/nologin\n",
    );
    machine.file("/tmp", 0o777, "");
    machine.file("/run/reboot-required", 0o644, "");
    let found = posture(&machine, &[listener("redis-server", "0.0.0.0:6379"), listener("mysqld", "127.0.0.1:3306")]);
    assert_eq!(
        failed(&found),
        [
            "kernel.randomize_va_space = 0",
            "/etc/shadow has mode 644",
            "/tmp has mode 777",
            "/run/reboot-required is there",
            "accounts with the number 0: root, toor",
            "without a password: guest",
            "redis-server :6379",
        ]
    );
    assert_eq!(found.accounts, ["guest", "root", "toor"]);
}

#[test]
fn a_closed_machine_passes_and_says_what_it_may_not_see() {
    let mut machine = Machine::default();
    machine.sysctl("kernel/randomize_va_space", "2\n");
    machine.file("/etc/shadow", 0o640, "root:$6$x:19000::::::\n");
    machine.file("/etc/passwd", 0o644, "root:x:0:0::/root:/bin/bash\n");
    let found = posture(&machine, &[listener("sshd", "[::]:22")]);
    assert_eq!(failed(&found), Vec::<String>::new());
    assert!(found.unseen.iter().any(|u| u.starts_with("/etc/shadow: permission denied")), "{:?}", found.unseen);
    assert!(found.unseen.iter().any(|u| u.contains("sshd runs")), "{:?}", found.unseen);
}

#[test]
fn the_first_word_on_a_key_of_ssh_counts_and_files_stand_where_they_are_included() {
    let mut machine = Machine::default();
    let config = "# sample\nInclude /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\npasswordauthentication=yes\nMatch User eve\nPermitEmptyPasswords yes\n";
    machine.file("/etc/ssh/sshd_config", 0o644, config);
    machine.file("/etc/ssh/sshd_config.d/10-cloud.conf", 0o644, "PermitRootLogin yes\n");
    machine.file("/etc/ssh/sshd_config.d/notes.txt", 0o644, "PermitEmptyPasswords yes\n");
    machine.file("/etc/ssh/ssh_host_rsa_key", 0o644, "");
    let found = posture(&machine, &[]);
    let ways = "PasswordAuthentication yes, KbdInteractiveAuthentication yes, UsePAM no";
    assert_eq!(failed(&found), ["ssh_host_rsa_key has mode 644", &format!("PermitRootLogin yes, {ways}"), ways]);
}

/// What fails of the checks of SSH with this configuration, by the first word of their titles.
fn failed_of_ssh(config: &str) -> Vec<String> {
    let mut machine = Machine::default();
    machine.file("/etc/ssh/sshd_config", 0o644, config);
    let word = |title: &str| title.split(' ').next().unwrap_or_default().to_owned();
    let of_ssh = |title: &str| title.ends_with("over SSH");
    posture(&machine, &[]).checks.iter().filter(|c| !c.passed && of_ssh(&c.title)).map(|c| word(&c.title)).collect()
}

#[test]
fn a_password_also_comes_in_by_keyboard_interactive_where_pam_asks_for_it() {
    let none: [&str; 0] = [];
    assert_eq!(failed_of_ssh("PasswordAuthentication no\nUsePAM yes\n"), ["Nobody"], "asking is sshd's default");
    assert_eq!(failed_of_ssh("PasswordAuthentication no\n"), none, "without PAM nothing asks");
    assert_eq!(failed_of_ssh("PasswordAuthentication no\nUsePAM yes\nKbdInteractiveAuthentication no\n"), none);
    assert_eq!(failed_of_ssh("PasswordAuthentication yes\nUsePAM no\nKbdInteractiveAuthentication no\n"), ["Nobody"]);
}

#[test]
fn a_password_that_is_asked_for_beside_a_key_lets_nobody_in() {
    let none: [&str; 0] = [];
    let with = |methods: &str| failed_of_ssh(&format!("PermitRootLogin yes\nUsePAM yes\nAuthenticationMethods {methods}\n"));
    assert_eq!(with("publickey,password publickey,keyboard-interactive:pam"), none);
    assert_eq!(with("publickey,password keyboard-interactive"), ["Root", "Nobody"], "one list is enough");
    assert_eq!(with("any"), ["Root", "Nobody"]);
    assert_eq!(
        failed_of_ssh("PasswordAuthentication no\nAuthenticationMethods password publickey\n"),
        none,
        "what is off opens nothing"
    );
    assert_eq!(failed_of_ssh("PasswordAuthentication no\nAuthenticationMethods none\n"), ["Nobody"]);
}

#[test]
fn the_old_name_of_keyboard_interactive_is_the_same_key_of_ssh() {
    let none: [&str; 0] = [];
    assert_eq!(failed_of_ssh("PasswordAuthentication no\nUsePAM yes\nChallengeResponseAuthentication no\n"), none);
    let both = "KbdInteractiveAuthentication yes\nChallengeResponseAuthentication no\nPasswordAuthentication no\nUsePAM yes\n";
    assert_eq!(failed_of_ssh(both), ["Nobody"], "the first word counts, whatever its name");
}

#[test]
fn root_is_judged_by_whether_a_password_can_come_in_at_all() {
    let none: [&str; 0] = [];
    let keys_only = "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM yes\n";
    assert_eq!(failed_of_ssh(&format!("PermitRootLogin yes\n{keys_only}")), none, "as prohibit-password");
    assert_eq!(failed_of_ssh("PermitRootLogin yes\n"), ["Root", "Nobody"]);
    assert_eq!(failed_of_ssh("PermitRootLogin yes\nPasswordAuthentication no\nUsePAM yes\n"), ["Root", "Nobody"]);
    assert_eq!(failed_of_ssh("PermitRootLogin prohibit-password\n"), ["Nobody"]);
}

#[test]
fn security_updates_that_wait_are_told_with_the_date_of_the_list() {
    let mut machine = Machine::default();
    let lists = "/var/lib/apt/lists/deb.debian.org_debian-security_dists_bookworm-security";
    machine.file(&format!("{lists}_InRelease"), 0o644, "Origin: Debian\nDate: Sat, 21 Nov 2026 09:37:00 UTC\n");
    let offered = "Package: openssl\nVersion: 3.0.17-1~deb12u3\n\nPackage: openssl\nVersion: 3.0.17-1~deb12u2\n\nPackage: curl\nVersion: 7.88.1-10\n\nPackage: gone\nVersion: 2\n";
    machine.file(&format!("{lists}_main_binary-amd64_Packages"), 0o644, offered);
    let status = "Package: openssl\nStatus: install ok installed\nVersion: 3.0.17-1~deb12u2\n\nPackage: curl\nStatus: install ok installed\nVersion: 7.88.1-10+deb12u5\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n";
    machine.file("/var/lib/dpkg/status", 0o644, status);
    let found = posture(&machine, &[]);
    let told: Vec<_> = found.vulnerabilities.iter().map(|v| (v.package.as_str(), v.mended.as_str())).collect();
    assert_eq!(told, [("openssl", "3.0.17-1~deb12u3")]);
    assert_eq!(found.listed_at.map(|at| at.rfc3339()).as_deref(), Some("2026-11-21T09:37:00Z"));
    machine.files.retain(|path, _| !path.ends_with("_Packages"));
    machine.file(&format!("{lists}_main_binary-amd64_Packages.lz4"), 0o644, "");
    let packed = posture(&machine, &[]);
    assert!(packed.listed_at.is_none() && packed.unseen.iter().any(|u| u.contains("are packed")), "{:?}", packed.unseen);
}
