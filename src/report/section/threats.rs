//! What may be going on: hypotheses, the likeliest first, each with its evidence and what to look at.
//!
//! Each piece of evidence makes a hypothesis likelier by a share of what is left of doubt, as independent signs do (noisy-or, Pearl
//! 1988); the weights are our own. Invariant: a hypothesis stands with its evidence; without evidence there is none.

use crate::base::format_duration;
use crate::model::{AlertKind, Posture, PostureCheck, SecurityEvent, Severity};
use crate::report::context::Context;
use crate::report::document::{Cell, FactsLook, Level, Section, Table};
use crate::report::text;

/// From here on something should be done now, and soon.
const STRONG: f64 = 0.8;
const FAIR: f64 = 0.4;
/// A package that was installed so shortly before a listener is what began to listen.
const INSTALLED: std::time::Duration = std::time::Duration::from_secs(1800);
/// Half-open connections that a scan or a flood leaves: hundreds of times what clients do.
const HALF_OPEN: f64 = 100.0;

/// Fewer failed logins are people who err.
const FEW_TRIES: u32 = 10;

/// Pieces of evidence written out: a cell of a table.
const MOST_EVIDENCE: usize = 8;

/// One hypothesis.
pub(super) struct Threat {
    pub title: &'static str,
    /// How strongly the evidence speaks for it, 0–1.
    pub strength: f64,
    pub evidence: Vec<String>,
    how: &'static str,
}

impl Threat {
    fn new(title: &'static str, how: &'static str) -> Self {
        Self { title, strength: 0.0, evidence: Vec::new(), how }
    }

    /// Adds a sign that by itself would make it likely to this degree.
    fn sign(&mut self, weight: f64, evidence: String) {
        self.strength = 1.0 - (1.0 - self.strength) * (1.0 - weight);
        self.evidence.push(evidence);
    }

    /// How bad it is.
    pub fn level(&self) -> Level {
        match self.strength {
            s if s >= STRONG => Level::Critical,
            s if s >= FAIR => Level::Warning,
            _ => Level::Info,
        }
    }
}

pub(super) fn fill(context: &Context<'_>, section: &mut Section) {
    section.facts_look = FactsLook::InTables;
    let empty = if context.facts.security.is_some() {
        "Nothing points to a threat."
    } else {
        "Not observed: no source of security events is on."
    };
    let mut table = Table::advice("threats").or(empty);
    let ranked = ranked(context);
    section.count("threats.count", "Hypotheses", ranked.len());
    for threat in ranked {
        let what = format!("{} (strength {:.2}).", text::capitalized(threat.title), threat.strength);
        let level = threat.level();
        let mut evidence = threat.evidence;
        let more = evidence.len().saturating_sub(MOST_EVIDENCE);
        evidence.truncate(MOST_EVIDENCE);
        evidence.extend((more > 0).then(|| format!("{more} more")));
        let texts = [what, evidence.join("; "), threat.how.to_owned()];
        table.rows.push(std::iter::once(Cell::Level(level)).chain(texts.map(Cell::Text)).collect());
    }
    section.tables.push(table);
}

/// All that have evidence, the strongest first.
pub(super) fn ranked(context: &Context<'_>) -> Vec<Threat> {
    let hypotheses: [fn(&Context<'_>) -> Threat; 6] = [guessing, door, hole, account, rights, flood];
    let mut found: Vec<Threat> = hypotheses.iter().map(|h| h(context)).filter(|t| !t.evidence.is_empty()).collect();
    found.sort_by(|a, b| b.strength.total_cmp(&a.strength).then_with(|| a.title.cmp(b.title)));
    found
}

/// Events of a kind, by time.
fn events<'a>(context: &Context<'a>, kind: &str) -> Vec<&'a SecurityEvent> {
    let all = context.facts.security.iter().flat_map(|s| &s.events);
    let mut found: Vec<_> = all.filter(|e| e.kind == kind).collect();
    found.sort_by(|a, b| (a.at, &a.subject).cmp(&(b.at, &b.subject)));
    found
}

fn posture<'a>(context: &Context<'a>) -> Option<&'a Posture> {
    context.facts.security.as_ref()?.posture.as_ref().map(|(_, posture)| posture)
}

/// Checks that do not hold and whose evidence begins with one of these.
fn failed<'a>(context: &Context<'a>, of: &'a [&'a str]) -> impl Iterator<Item = &'a PostureCheck> {
    let checks = posture(context).into_iter().flat_map(|p| &p.checks);
    checks.filter(move |c| !c.passed && of.iter().any(|start| c.evidence.starts_with(start)))
}

fn guessing(context: &Context<'_>) -> Threat {
    let mut threat = Threat::new("passwords are being guessed", "journalctl -u ssh --since today; PasswordAuthentication no");
    let alerts = context.alerts().into_iter().filter(|a| a.kind == AlertKind::Security);
    let alerts: Vec<_> = alerts.filter(|a| a.key.metric().contains("login")).collect();
    if let Some(newest) = alerts.first() {
        threat.sign(0.7, format!("{}: {}", text::plural(alerts.len(), "alert"), newest.title));
    }
    let tries = context.facts.security.as_ref().map_or(0, |s| s.count(SecurityEvent::LOGIN_FAILED));
    if tries >= FEW_TRIES {
        threat.sign(0.5, text::plural(usize::try_from(tries).unwrap_or(usize::MAX), "failed login"));
    }
    for guessed in events(context, SecurityEvent::GUESSED) {
        threat.sign(0.7, format!("{} came in {}: {}", guessed.subject, context.when(guessed.at), guessed.evidence));
    }
    if !threat.evidence.is_empty() {
        for check in failed(context, &["PasswordAuthentication", "PermitRootLogin"]) {
            threat.sign(0.3, check.evidence.clone());
        }
    }
    threat
}

fn door(context: &Context<'_>) -> Threat {
    let mut threat = Threat::new("somebody opened a door from outside", "ss -tlnp; systemctl status UNIT; ls -l /proc/PID/exe");
    let packages = events(context, SecurityEvent::PACKAGES);
    for event in events(context, SecurityEvent::LISTENER).into_iter().filter(|e| e.severity > Severity::Info) {
        let installed =
            packages.iter().filter(|p| p.at <= event.at).map(|p| event.at.since(p.at)).min().filter(|d| *d <= INSTALLED);
        let (weight, why) = match installed {
            Some(ago) => (0.1, format!("a package was changed {} before", format_duration(ago))),
            None if event.evidence.contains("of no unit") => (0.6, "no package was changed before, no unit owns it".to_owned()),
            None => (0.35, "no package was changed before".to_owned()),
        };
        threat.sign(weight, format!("{} since {}: {why}", event.subject, context.when(event.at)));
    }
    threat
}

fn hole(context: &Context<'_>) -> Threat {
    let mut threat = Threat::new("a known hole can be used", "apt list --upgradable; apt upgrade");
    let Some(posture) = posture(context) else { return threat };
    if !posture.vulnerabilities.is_empty() {
        let names: Vec<&str> = posture.vulnerabilities.iter().take(5).map(|v| v.package.as_str()).collect();
        let n = posture.vulnerabilities.len();
        let weight = if n >= 20 { 0.6 } else { 0.35 };
        threat.sign(weight, format!("{} not installed, among them {}", text::plural(n, "security update"), names.join(", ")));
        for check in failed(context, &["/run/reboot-required"]) {
            threat.sign(0.2, check.evidence.clone());
        }
        let open = posture.checks.iter().find(|c| !c.passed && c.title.contains("in the clear"));
        threat.evidence.extend(open.map(|c| format!("open to others: {}", c.evidence)));
    }
    threat
}

fn account(context: &Context<'_>) -> Threat {
    let mut threat = Threat::new("an account was made or taken", "last -a; grep NAME /etc/passwd; passwd -l NAME");
    for event in events(context, SecurityEvent::ACCOUNT) {
        threat.sign(0.4, format!("{} may log in since {}", event.subject, context.when(event.at)));
    }
    let roots = failed(context, &["accounts with the number 0", "without a password"]);
    for check in roots {
        threat.sign(0.6, check.evidence.clone());
    }
    let logins = events(context, SecurityEvent::LOGIN);
    let new = events(context, SecurityEvent::ACCOUNT);
    for login in logins.into_iter().filter(|l| new.iter().any(|n| n.subject == l.subject && n.at <= l.at)) {
        threat.sign(0.5, format!("{} logged in {}", login.subject, context.when(login.at)));
    }
    threat
}

fn rights(context: &Context<'_>) -> Threat {
    let mut threat = Threat::new("somebody inside can become root", "See the checks that do not hold; each names its command.");
    for check in failed(context, &["/etc/", "/root", "/boot", "/tmp", "/var/tmp", "ssh_host_", "kernel.", "fs."]) {
        let weight = match check.severity {
            Severity::Critical => 0.6,
            Severity::Warning => 0.25,
            Severity::Info => 0.05,
        };
        threat.sign(weight, check.evidence.clone());
    }
    for event in events(context, SecurityEvent::OPENED) {
        threat.sign(0.3, format!("\"{}\" held until {}", event.subject, context.when(event.at)));
    }
    threat
}

fn flood(context: &Context<'_>) -> Threat {
    let mut threat = Threat::new("ports are scanned or flooded", "ss -tn state syn-recv | head; a limit in the firewall");
    let most = context.series("half_open").iter().filter_map(|s| s.stats.max).fold(0.0, f64::max);
    if most >= HALF_OPEN {
        threat.sign(0.6, format!("up to {most:.0} half-open connections"));
        for check in failed(context, &["net.ipv4.tcp_syncookies"]) {
            threat.sign(0.4, check.evidence.clone());
        }
    }
    threat
}
