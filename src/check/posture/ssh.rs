//! How one may log in over SSH.
//!
//! Reads sshd's configuration as sshd does: the first word on a key counts, files of `Include` stand where they are named. Invariant:
//! what stands in a `Match` is for some alone and is not judged.

use std::collections::BTreeMap;

use super::{Fault, Look};
use crate::model::Listener;
use crate::model::Severity::{Critical, Warning};

const CONFIG: &str = "/etc/ssh/sshd_config";

/// How deep files include each other: sshd's own limit is 16.
const DEEPEST: u8 = 16;

/// The key of logins in which the server asks and a person answers, mostly with a password.
const ASKED: &str = "kbdinteractiveauthentication";

/// What sshd called [`ASKED`] before 8.7 and still reads: one key of two names.
const ASKED_BEFORE: &str = "challengeresponseauthentication";

/// The key whose value is a list of lists: of one of them every way must succeed.
const METHODS: &str = "authenticationmethods";

pub(super) fn look(look: &mut Look<'_>, listeners: &[Listener]) {
    let mut keys = BTreeMap::new();
    if !read(look, CONFIG, &mut keys, 0) {
        if listeners.iter().any(|l| l.name.as_deref() == Some("sshd")) {
            look.unseen(format!("{CONFIG}: sshd runs, its configuration cannot be read"));
        }
        return;
    }
    let of = |key: &str, default: &str| keys.get(key).cloned().unwrap_or_else(|| default.to_owned());
    // Defaults of sshd_config(5).
    let (password, asked, pam) = (of("passwordauthentication", "yes"), of(ASKED, "yes"), of("usepam", "no"));
    let methods = of(METHODS, "any");
    let is_enough = |method: &str| match method.split(':').next() {
        Some("any") => password != "no" || (asked != "no" && pam != "no"),
        Some("password") => password != "no",
        // Only PAM asks for passwords on Linux: without it keyboard-interactive lets nobody in.
        Some("keyboard-interactive") => asked != "no" && pam != "no",
        method => method == Some("none"),
    };
    // One list must be gone through whole: `publickey,password` asks for a password and lets nobody in by it.
    let takes_passwords = methods.split_whitespace().any(|list| list.split(',').all(is_enough));
    let mut ways = format!("PasswordAuthentication {password}, KbdInteractiveAuthentication {asked}, UsePAM {pam}");
    if methods != "any" {
        ways.push_str(&format!(", AuthenticationMethods {methods}"));
    }
    let root = of("permitrootlogin", "prohibit-password");
    let fault = Fault { severity: Critical, advice: "PermitRootLogin prohibit-password in /etc/ssh/sshd_config" };
    let evidence = if root == "yes" { format!("PermitRootLogin yes, {ways}") } else { format!("PermitRootLogin {root}") };
    look.check("Root does not log in with a password over SSH", root != "yes" || !takes_passwords, evidence, &fault);
    let advice = "PasswordAuthentication no and KbdInteractiveAuthentication no in /etc/ssh/sshd_config, once keys are in place";
    look.check("Nobody logs in with a password over SSH", !takes_passwords, ways, &Fault { severity: Warning, advice });
    let empty = of("permitemptypasswords", "no");
    let fault = Fault { severity: Critical, advice: "PermitEmptyPasswords no in /etc/ssh/sshd_config" };
    look.check("Empty passwords are refused over SSH", empty == "no", format!("PermitEmptyPasswords {empty}"), &fault);
}

/// Reads a file and what it includes; false where it cannot be read.
fn read(look: &mut Look<'_>, path: &str, keys: &mut BTreeMap<String, String>, depth: u8) -> bool {
    let Some(text) = look.text(path) else { return false };
    for line in text.lines() {
        let mut words = line.split(|c: char| c.is_whitespace() || c == '=').filter(|w| !w.is_empty());
        let Some(key) = words.next().filter(|w| !w.starts_with('#')).map(str::to_lowercase) else { continue };
        match key.as_str() {
            "match" => break,
            "include" if depth < DEEPEST => {
                for pattern in words {
                    for file in named(look, pattern) {
                        read(look, &file, keys, depth + 1);
                    }
                }
            }
            _ => {
                let value = if key == METHODS {
                    words.collect::<Vec<_>>().join(" ")
                } else {
                    words.next().unwrap_or_default().to_owned()
                };
                let value = value.trim_matches('"').to_lowercase();
                let key = if key == ASKED_BEFORE { ASKED.to_owned() } else { key };
                keys.entry(key).or_insert(value);
            }
        }
    }
    true
}

/// Files a pattern names: `*` in the last part, in the order of their names.
fn named(look: &Look<'_>, pattern: &str) -> Vec<String> {
    let path = if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/ssh/{pattern}") };
    let Some((folder, last)) = path.rsplit_once('/') else { return Vec::new() };
    let Some((before, after)) = last.split_once('*') else { return vec![path.clone()] };
    let mut names = Vec::new();
    if look.host.list(folder, &mut names).is_err() {
        return Vec::new();
    }
    names.retain(|n| n.len() >= before.len() + after.len() && n.starts_with(before) && n.ends_with(after));
    names.sort();
    names.into_iter().map(|n| format!("{folder}/{n}")).collect()
}
