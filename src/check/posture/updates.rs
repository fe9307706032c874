//! Security updates that are not installed, from the lists that apt keeps.
//!
//! Asks no server. Invariant: nothing is said to be up to date without the date of the list it was compared with.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::version;
use super::{Fault, Look};
use crate::base::Timestamp;
use crate::model::Severity::Warning;
use crate::model::Vulnerability;

const LISTS: &str = "/var/lib/apt/lists";
const STATUS: &str = "/var/lib/dpkg/status";

pub(super) fn look(look: &mut Look<'_>) {
    let mut names = Vec::new();
    if look.host.list(LISTS, &mut names).is_err() {
        return look.unseen("security updates: only those of apt are known, and it keeps no lists here".to_owned());
    }
    names.sort();
    let security: Vec<&String> = names.iter().filter(|n| n.contains("security")).collect();
    let lists: Vec<&&String> = security.iter().filter(|n| n.ends_with("_Packages")).collect();
    if lists.is_empty() {
        let packed = security.iter().any(|n| n.contains("_Packages."));
        let why =
            if packed { "its lists are packed (Acquire::GzipIndexes)" } else { "it has no list of security updates: apt update" };
        return look.unseen(format!("security updates: {why}"));
    }
    let mut offered: BTreeMap<String, String> = BTreeMap::new();
    for name in lists {
        let path = format!("{LISTS}/{name}");
        let mut take = |stanza: &Stanza| match offered.get(&stanza.package) {
            Some(known) if version::compare(known, &stanza.version) != Ordering::Less => {}
            _ => drop(offered.insert(stanza.package.clone(), stanza.version.clone())),
        };
        if let Err(error) = stanzas(look, &path, &mut take) {
            look.unread(&path, &error);
        }
    }
    let mut waiting = Vec::new();
    let mut compare = |stanza: &Stanza| {
        if let Some(mended) = offered.get(&stanza.package).filter(|_| stanza.installed)
            && version::compare(&stanza.version, mended) == Ordering::Less
        {
            let (package, installed) = (stanza.package.clone(), stanza.version.clone());
            waiting.push(Vulnerability { package, installed, mended: mended.clone() });
        }
    };
    if let Err(error) = stanzas(look, STATUS, &mut compare) {
        return look.unseen(format!("security updates: {STATUS}: {error}"));
    }
    waiting.sort_by(|a, b| a.package.cmp(&b.package));
    look.found.listed_at = security.iter().filter(|n| n.ends_with("Release")).filter_map(|n| made_at(look, n)).max();
    // However many: one update of a program may be twenty packages, and most are installed by themselves within a day.
    let fault = Fault { severity: Warning, advice: "apt upgrade; apt install unattended-upgrades installs them by itself" };
    let evidence = format!("{} of {} packages with security updates are older", waiting.len(), offered.len());
    look.check("Security updates are installed", waiting.is_empty(), evidence, &fault);
    look.found.vulnerabilities = waiting;
}

/// A paragraph on a package.
#[derive(Default)]
struct Stanza {
    package: String,
    version: String,
    installed: bool,
}

/// Hands each paragraph of a list to `take`.
fn stanzas(look: &Look<'_>, path: &str, take: &mut dyn FnMut(&Stanza)) -> std::io::Result<()> {
    let mut stanza = Stanza::default();
    look.host.each_line(path, &mut |line| {
        let of = |key: &str| Some(String::from_utf8_lossy(line.strip_prefix(key.as_bytes())?).trim().to_owned());
        if line.is_empty() {
            take(&std::mem::take(&mut stanza));
        } else if let Some(name) = of("Package:") {
            stanza.package = name;
        } else if let Some(version) = of("Version:") {
            stanza.version = version;
        } else if let Some(status) = of("Status:") {
            stanza.installed = status.ends_with(" installed");
        }
    })?;
    take(&stanza);
    Ok(())
}

/// When a list was made: the line `Date:` of its release file, as mails write it.
fn made_at(look: &Look<'_>, name: &str) -> Option<Timestamp> {
    let mut date = None;
    let taken = look.host.each_line(&format!("{LISTS}/{name}"), &mut |line| {
        if date.is_none() {
            date = line.strip_prefix(b"Date:").map(|d| String::from_utf8_lossy(d).trim().to_owned());
        }
    });
    // apt writes `UTC` where RFC 2822 has an offset.
    let date = taken.ok().and(date)?.replace("UTC", "+0000");
    let zoned = jiff::fmt::rfc2822::parse(&date).ok()?;
    Some(Timestamp(zoned.timestamp().as_millisecond()))
}
