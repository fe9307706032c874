//! Who may log in.
//!
//! Of passwords only whether there is one is looked at, where farol may. Invariant: no word of a password leaves this file.

use super::{Fault, Look};
use crate::model::Severity::Critical;

/// Shells that let nobody in.
const NO_SHELLS: [&str; 4] = ["nologin", "false", "sync", "true"];

pub(super) fn look(look: &mut Look<'_>) {
    let Some(text) = look.text("/etc/passwd") else { return };
    // name:password:uid:gid:comment:home:shell, passwd(5).
    let accounts: Vec<Vec<&str>> = text.lines().map(|l| l.split(':').collect()).filter(|f: &Vec<&str>| f.len() >= 7).collect();
    let field = |account: &Vec<&str>, at: usize| account.get(at).map_or_else(String::new, |f| (*f).to_owned());
    let roots: Vec<String> = accounts.iter().filter(|a| field(a, 2) == "0").map(|a| field(a, 0)).collect();
    let fault = Fault { severity: Critical, advice: "Give every account but root a number of its own: usermod -u NUMBER NAME" };
    look.check(
        "Only root has root's number",
        roots.len() <= 1,
        format!("accounts with the number 0: {}", roots.join(", ")),
        &fault,
    );
    let enters = |a: &&Vec<&str>| !NO_SHELLS.iter().any(|s| field(a, 6).rsplit('/').next() == Some(*s));
    look.found.accounts = accounts.iter().filter(enters).map(|a| field(a, 0)).collect();
    look.found.accounts.sort();
    let mut open: Vec<String> = accounts.iter().filter(|a| field(a, 1).is_empty()).map(|a| field(a, 0)).collect();
    let mut seen = "/etc/passwd";
    if let Some(shadow) = look.text("/etc/shadow") {
        let empty = shadow.lines().filter_map(|l| l.split_once(':')).filter(|(_, rest)| rest.starts_with(':'));
        open.extend(empty.map(|(name, _)| name.to_owned()));
        seen = "/etc/passwd and /etc/shadow";
    }
    let fault = Fault { severity: Critical, advice: "passwd -l NAME, or give the account a password" };
    let evidence = if open.is_empty() { format!("none in {seen}") } else { format!("without a password: {}", open.join(", ")) };
    look.check("Every account has a password or is locked", open.is_empty(), evidence, &fault);
}
