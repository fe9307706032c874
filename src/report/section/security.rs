//! What one must know of the machine's security, and what farol does not observe.
//!
//! Invariant: what is not observed is said; it is never shown as zero.

use super::threats;
use crate::base::Unit;
use crate::model::{AlertKind, LogTopic, SecurityEvent, SecurityFacts, Severity};
use crate::report::context::Context;
use crate::report::document::{Level, Section, Table};
use crate::report::text;

/// What is not looked at where its log is not read, and what no source looks at.
const UNHEARD: [(LogTopic, &str); 2] = [
    (LogTopic::Access, "failed logins, where logins come from, use of sudo and su"),
    (LogTopic::Kernel, "the kernel's messages"),
];
const NEVER: &str = "contents of files, traffic";

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    let mut verdict = Table::statements("verdict");
    let alerts: Vec<_> = context.alerts().into_iter().filter(|a| a.kind == AlertKind::Security).collect();
    let open = alerts.iter().filter(|a| context.is_open(a)).count();
    let observed = context.facts.security.as_ref();
    let posture = observed.and_then(|s| s.posture.as_ref()).map(|(_, posture)| posture);
    let kind = |kind: &str| observed.map(|s| f64::from(s.count(kind)));
    section.count("security.alerts", "Security alerts", alerts.len());
    section.count("security.open", "of them open at the end", open);
    section.fact("security.events", "Events seen", observed.map(|s| s.events.len() as f64), Unit::Count);
    section.fact("security.logins", "Logins", kind(SecurityEvent::LOGIN), Unit::Count);
    let heard = |name: &str| kind(name).filter(|_| observed.is_some_and(|s| s.hears(LogTopic::Access)));
    section.fact("security.failed_logins", "Failed logins", heard(SecurityEvent::LOGIN_FAILED), Unit::Count);
    section.fact("security.privileges", "Uses of sudo and su", heard(SecurityEvent::PRIVILEGE), Unit::Count);
    section.fact("security.new_listeners", "New listeners", kind(SecurityEvent::LISTENER), Unit::Count);
    let failed = posture.map(|p| p.checks.iter().filter(|c| !c.passed).count());
    section.fact("security.checks_failed", "Checks that do not hold", failed.map(|n| n as f64), Unit::Count);
    let waiting = posture.filter(|p| p.listed_at.is_some()).map(|p| p.vulnerabilities.len());
    section.fact("security.updates_waiting", "Security updates waiting", waiting.map(|n| n as f64), Unit::Count);
    section.fact("security.accounts", "Accounts that may log in", posture.map(|p| p.accounts.len() as f64), Unit::Count);

    match alerts.iter().map(|a| a.severity).max() {
        None if context.saw_nothing() => {}
        None => verdict.say(Level::Ok, "No security alert fired.", ""),
        Some(worst) => verdict.say(
            worst.into(),
            format!("{} fired, {open} open at the end.", text::plural(alerts.len(), "security alert")),
            "",
        ),
    }
    match observed {
        Some(security) => say(context, security, &mut verdict),
        None => verdict.say(
            Level::Unknown,
            "Not observed: logins, accounts, new listeners, packages, posture.",
            "No recorder that looks for them ran in this span; farol --record does.",
        ),
    }
    verdict.rows.sort_by_key(|row| std::cmp::Reverse(super::summary::level(row)));
    section.tables.push(verdict);
}

fn say(context: &Context<'_>, security: &SecurityFacts, verdict: &mut Table) {
    if let Some(threat) = threats::ranked(context).first() {
        let what = format!("Most likely threat: {} (strength {:.2}).", threat.title, threat.strength);
        verdict.say(threat.level(), what, threat.evidence.join("; "));
    }
    if let Some((at, posture)) = &security.posture {
        let failed: Vec<_> = posture.checks.iter().filter(|c| !c.passed).collect();
        let (n, of) = (failed.len(), text::plural(posture.checks.len(), "check"));
        let worst = failed.iter().map(|c| c.severity).max().unwrap_or(Severity::Info);
        let level = if n == 0 { Level::Ok } else { worst.into() };
        let titles: Vec<&str> = failed.iter().filter(|c| c.severity == worst).take(3).map(|c| c.title.as_str()).collect();
        let because = if n == 0 { String::new() } else { format!("Does not hold: {}.", titles.join("; ")) };
        verdict.say(level, format!("{} of {of} hold as of {}.", posture.checks.len() - n, context.when(*at)), because);
        if let Some(listed) = posture.listed_at {
            let waiting = posture.vulnerabilities.len();
            let level = if waiting == 0 { Level::Ok } else { Level::Warning };
            let n = text::plural(waiting, "security update");
            let what = if waiting == 0 { "No security update waits".to_owned() } else { format!("{n} not installed") };
            verdict.say(level, format!("{what}; the list is of {}.", context.when(listed)), "");
        }
    }
    let unheard = UNHEARD.iter().filter(|(topic, _)| !security.hears(*topic)).map(|(_, what)| *what);
    let mut unseen = vec![format!("Not observed: {}.", unheard.chain([NEVER]).collect::<Vec<_>>().join(", "))];
    let posture = security.posture.as_ref();
    unseen.extend(posture.is_none().then(|| "Nobody looked at the posture in the day before the end.".to_owned()));
    let files: Vec<&str> = posture.iter().flat_map(|(_, p)| &p.unseen).map(String::as_str).collect();
    unseen.extend((!files.is_empty()).then(|| format!("Could not be read: {}.", files.join("; "))));
    verdict.say(Level::Unknown, unseen.remove(0), unseen.join(" "));
}
