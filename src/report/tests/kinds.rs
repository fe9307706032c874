//! Capacity and security reports.

use std::time::Duration;

use super::facts::{facts, spec};
use super::text;
use crate::model::{
    Backtest, Crossing, Forecast, LogTopic, Posture, PostureCheck, Prices, ReportDepth, ReportFormat, ReportKind, ReportSpec,
    SecurityEvent, SecurityFacts, Severity, Vulnerability,
};
use crate::report::{Facts, render};

fn json(kind: ReportKind, growth_percent: u16, facts: &Facts) -> serde_json::Value {
    let spec = ReportSpec { kind, growth_percent, ..spec(ReportDepth::Daily, ReportFormat::Json) };
    serde_json::from_str(&text(render(&spec, facts).expect("a report").bytes)).expect("JSON")
}

fn section<'j>(report: &'j serde_json::Value, id: &str) -> &'j serde_json::Value {
    let sections = report["sections"].as_array().expect("sections");
    sections.iter().find(|s| s["id"] == id).unwrap_or_else(|| panic!("{id}"))
}

fn fact(report: &serde_json::Value, id: &str) -> Option<f64> {
    let sections = report["sections"].as_array().expect("sections");
    let facts = sections.iter().flat_map(|s| s["facts"].as_array().expect("facts"));
    facts.clone().find(|f| f["id"] == id).unwrap_or_else(|| panic!("{id}"))["value"].as_f64()
}

/// The day, with what fills up: `/var` in three days.
fn filling() -> Facts {
    let mut facts = facts();
    let end = spec(ReportDepth::Daily, ReportFormat::Json).range.to;
    for series in facts.series.iter_mut().filter(|s| matches!(s.id, "filesystem" | "memory")) {
        series.limit = Some(1.0);
        let is_var = series.key.instance() == "/var";
        let after = |days: u64| end + Duration::from_secs(days * 86_400);
        let crossing = Crossing { limit: 1.0, probability: 0.86, at: after(3), at_lo: after(2), at_hi: after(5) };
        series.forecast = Some(Forecast {
            key: series.key.clone(),
            made_at: end,
            step: Duration::from_secs(3600),
            mean: vec![0.95; 720].into(),
            band80: Vec::new().into(),
            band95: Vec::new().into(),
            method: "mstl".to_owned(),
            backtest: Backtest { mase: Some(0.61), coverage80: Some(0.8), n: 10, tried: None },
            crossing: is_var.then_some(crossing),
            none_because: None,
        });
    }
    facts
}

#[test]
fn what_is_exhausted_stands_first_with_its_date_interval_and_error() {
    let report = json(ReportKind::Capacity, 0, &filling());
    let capacity = section(&report, "capacity");
    assert_eq!(
        capacity["tables"][0]["rows"][0][1],
        "File system /var is exhausted about Nov 24 07:00 (Nov 23 07:00 – Nov 26 07:00), probability 0.86."
    );
    let first = &capacity["tables"][1]["rows"][0];
    assert_eq!(first[1], "filesystem_used_ratio{mount=\"/var\"}");
    assert_eq!((first[9].as_f64(), first[10].as_f64()), (Some(0.86), Some(0.61)));
    assert_eq!(fact(&report, "capacity.exhausting"), Some(1.0));
    let root = &capacity["tables"][1]["rows"].as_array().expect("rows")[2];
    assert!(root[6].is_null() && root[11] == "mstl: limit not in reach", "{root}");
}

#[test]
fn a_machine_is_sized_in_both_directions_and_priced() {
    let mut facts = filling();
    facts.prices = Prices { currency: "EUR".into(), vcpu_month: Some(10.0), gib_memory_month: Some(2.0), ..Prices::default() };
    let report = json(ReportKind::Capacity, 0, &facts);
    // 8 cores at 74.4 % need 9; 24 GiB at 91 % need 28.
    let rows = section(&report, "rightsizing")["tables"][0]["rows"].as_array().expect("rows").clone();
    assert_eq!((rows[0][1].as_str(), rows[0][5].as_f64(), rows[0][6].as_str()), (Some("cpu"), Some(9.0), Some("too small")));
    assert_eq!(rows[1][5].as_f64(), Some(28.0 * 1_073_741_824.0));
    assert_eq!(fact(&report, "cost.month"), Some(8.0 * 10.0 + 24.0 * 2.0));
    assert_eq!(fact(&report, "cost.month_rightsized"), Some(9.0 * 10.0 + 28.0 * 2.0));
    facts.prices = Prices::default();
    let unpriced = json(ReportKind::Capacity, 0, &facts);
    assert_eq!(section(&unpriced, "cost")["tables"][0]["rows"][0][1], "No prices are configured, so nothing is counted.");
}

#[test]
fn growth_is_played_through() {
    let grown = json(ReportKind::Capacity, 20, &filling());
    assert_eq!(fact(&grown, "what_if.growth"), Some(0.2));
    // Memory at 91 % and /var at 92 % would pass their limits; / at 71 % would not.
    assert_eq!(fact(&grown, "what_if.short"), Some(2.0));
    assert_eq!(fact(&json(ReportKind::Capacity, 0, &filling()), "what_if.short"), Some(0.0));
}

#[test]
fn what_is_not_observed_is_said_and_never_zero() {
    let report = json(ReportKind::Security, 0, &facts());
    assert_eq!(fact(&report, "security.events"), None);
    assert_eq!(fact(&report, "posture.failed"), None);
    let page = ReportSpec { kind: ReportKind::Security, ..spec(ReportDepth::Daily, ReportFormat::Html) };
    let page = text(render(&page, &facts()).expect("a report").bytes);
    assert!(
        page.contains("Not observed: no source of security events is on.")
            && page.contains("Not observed: nobody looked at the posture in the day before the end.")
            && page.contains("Not observed: no list of security updates could be read.")
    );
}

/// A day on which somebody came in over a new door.
pub(super) fn watched() -> Facts {
    let mut facts = filling();
    let from = spec(ReportDepth::Daily, ReportFormat::Json).range.from;
    let event = |hour: u64, kind: &str, severity, (subject, evidence): (&str, &str)| SecurityEvent {
        at: from + Duration::from_secs(hour * 3600),
        kind: kind.to_owned(),
        severity,
        subject: subject.to_owned(),
        from: String::new(),
        evidence: evidence.to_owned(),
        n: 1,
    };
    let check = |title: &str, passed, severity, evidence: &str| PostureCheck {
        title: title.to_owned(),
        passed,
        severity,
        evidence: evidence.to_owned(),
        advice: "Set PermitRootLogin prohibit-password.".to_owned(),
    };
    let posture = Posture {
        checks: vec![
            check("Only root changes accounts", true, Severity::Critical, "/etc/passwd has mode 644"),
            check("Root does not log in with a password over SSH", false, Severity::Critical, "PermitRootLogin yes"),
            check(
                "Security updates are installed",
                false,
                Severity::Warning,
                "1 of 2310 packages with security updates are older",
            ),
        ],
        vulnerabilities: vec![Vulnerability {
            package: "openssl".to_owned(),
            installed: "3.0.15-1~deb12u1".to_owned(),
            mended: "3.0.17-1~deb12u3".to_owned(),
        }],
        listed_at: Some(from),
        accounts: vec!["ana".to_owned(), "eve".to_owned(), "root".to_owned()],
        unseen: vec!["/etc/shadow: Permission denied".to_owned()],
        heard: [LogTopic::Kernel].into(),
    };
    let events = vec![
        event(2, SecurityEvent::LOGIN, Severity::Info, ("ana", "sessions: 0 before, 1 now")),
        event(3, SecurityEvent::PACKAGES, Severity::Info, ("apt-get", "root ran apt-get install redis-server")),
        event(
            3,
            SecurityEvent::LISTENER,
            Severity::Warning,
            ("redis-server :6379", "listens on 0.0.0.0:6379, pid 7, unit redis-server"),
        ),
        event(9, SecurityEvent::LISTENER, Severity::Warning, ("nc :4444", "listens on 0.0.0.0:4444, pid 8, of no unit")),
        event(10, SecurityEvent::ACCOUNT, Severity::Warning, ("eve", "/etc/passwd: eve has a shell and had none")),
        event(11, SecurityEvent::LOGIN, Severity::Info, ("eve", "sessions: 0 before, 1 now")),
    ];
    facts.security = Some(SecurityFacts { events, posture: Some((from + Duration::from_secs(3600), posture)) });
    let (month, gib, traffic) = (Some(8.5), Some(2.0), Some(0.01));
    facts.prices =
        Prices { currency: "EUR".into(), vcpu_month: month, gib_memory_month: gib, gib_disk_month: None, gb_traffic: traffic };
    facts
}

#[test]
fn a_month_is_told_in_the_handful_of_figures_that_matter_with_their_change_and_cost() {
    let spec = ReportSpec { kind: ReportKind::Performance, ..spec(ReportDepth::Monthly, ReportFormat::Json) };
    let report: serde_json::Value =
        serde_json::from_str(&text(render(&spec, &watched()).expect("a report").bytes)).expect("JSON");
    let executive = section(&report, "executive");
    let said: Vec<_> = executive["tables"][0]["rows"].as_array().expect("rows").iter().map(|r| r[1].clone()).collect();
    assert!(
        said.iter().any(|s| s.as_str().is_some_and(|s| s.starts_with("File system /var is exhausted about Nov 24"))),
        "{said:?}"
    );
    assert!(said.iter().any(|s| *s == "It costs 116.00 EUR a month; the size it needs costs 16.50 EUR more."), "{said:?}");
    let glance: Vec<_> = executive["tables"][1]["rows"].as_array().expect("rows").iter().map(|r| r[1].clone()).collect();
    assert!(glance.contains(&"Alerts".into()) && glance.contains(&"Memory, highest".into()), "{glance:?}");
}

#[test]
fn events_are_ranked_and_logins_are_apart() {
    let report = json(ReportKind::Security, 0, &watched());
    let events = section(&report, "events");
    assert_eq!(events["tables"][0]["rows"].as_array().expect("rows").len(), 4);
    assert_eq!(events["tables"][1]["rows"].as_array().expect("rows").len(), 2);
    let posture = section(&report, "posture");
    assert_eq!(posture["tables"][0]["rows"][0][3], "Set PermitRootLogin prohibit-password.");
    assert_eq!(posture["tables"][0]["rows"][3][2], "/etc/shadow: Permission denied", "what was not seen is a row");
    assert_eq!(section(&report, "vulnerabilities")["tables"][0]["rows"][0][2], "3.0.17-1~deb12u3");
    let counted = ["security.checks_failed", "security.updates_waiting", "security.logins", "security.new_listeners"];
    assert_eq!(counted.map(|id| fact(&report, id)), [Some(2.0), Some(1.0), Some(2.0), Some(2.0)]);
}

#[test]
fn who_came_from_where_and_who_tried_stands_beside_the_span_before() {
    let mut facts = watched();
    let unheard = json(ReportKind::Security, 0, &facts);
    assert_eq!(fact(&unheard, "security.failed_logins"), None, "no log of logins is read");
    let said = |report: &serde_json::Value| section(report, "security")["tables"][0]["rows"].to_string();
    assert!(said(&unheard).contains("Not observed: failed logins, where logins come from, use of sudo and su, contents"));
    let event = |kind: &str, subject: &str, from: &str, n| SecurityEvent {
        at: spec(ReportDepth::Daily, ReportFormat::Json).range.from + Duration::from_secs(60),
        kind: kind.to_owned(),
        severity: Severity::Info,
        subject: subject.to_owned(),
        from: from.to_owned(),
        evidence: "sshd: password".to_owned(),
        n,
    };
    let security = facts.security.as_mut().expect("watched");
    security.events.extend([
        event(SecurityEvent::LOGIN_FAILED, "root, unknown account", "203.0.113.5", 400),
        event(SecurityEvent::LOGIN, "ana", "10.0.0.9", 2),
        event(SecurityEvent::LOGIN_FAILED, "ana", "10.0.0.9", 1),
        event(SecurityEvent::PRIVILEGE, "ana", "", 3),
    ]);
    security.posture.as_mut().expect("looked at").1.heard = [LogTopic::Access].into();
    let before = SecurityFacts { events: vec![event(SecurityEvent::LOGIN_FAILED, "root", "203.0.113.9", 10)], posture: None };
    facts.previous.as_mut().expect("the day before").security = Some(before);
    let report = json(ReportKind::Security, 0, &facts);
    let counted = ["security.logins", "security.failed_logins", "security.privileges"];
    assert_eq!(counted.map(|id| fact(&report, id)), [Some(4.0), Some(401.0), Some(3.0)]);
    let origins = section(&report, "events")["tables"][2]["rows"].as_array().expect("rows").clone();
    let row = |n: usize| origins[n].as_array().expect("cells")[..4].to_vec();
    assert_eq!(row(0), serde_json::json!(["203.0.113.5", 0.0, 400.0, "root, unknown account"]).as_array().expect("cells")[..]);
    assert_eq!(row(1), serde_json::json!(["10.0.0.9", 2.0, 1.0, "ana"]).as_array().expect("cells")[..]);
    let compared = section(&report, "comparison")["tables"][0]["rows"].as_array().expect("rows").clone();
    let of = |name: &str| compared.iter().find(|row| row[1] == name).unwrap_or_else(|| panic!("{name}: {compared:?}"));
    assert_eq!([of("login failed")[2].as_f64(), of("login failed")[3].as_f64()], [Some(10.0), Some(401.0)]);
    assert_eq!(of("checks that do not hold, at the end")[2].as_f64(), None, "nobody looked then");
    assert!(said(&report).contains("Not observed: the kernel's messages, contents of files, traffic."), "{}", said(&report));
    let threats = section(&report, "threats")["tables"][0]["rows"].to_string();
    assert!(threats.contains("Passwords are being guessed") && threats.contains("401 failed logins"), "{threats}");
}

#[test]
fn threats_are_hypotheses_ranked_by_their_evidence() {
    let report = json(ReportKind::Security, 0, &watched());
    let rows = section(&report, "threats")["tables"][0]["rows"].as_array().expect("rows").clone();
    let told: Vec<_> = rows.iter().map(|r| r[1].as_str().expect("a sentence")).collect();
    // 1 - .6 * .5; 1 - .9 * .4; .35.
    assert_eq!(
        told,
        [
            "An account was made or taken (strength 0.70).",
            "Somebody opened a door from outside (strength 0.64).",
            "A known hole can be used (strength 0.35).",
        ]
    );
    let evidence = rows[1][2].as_str().expect("evidence");
    assert!(evidence.contains("redis-server :6379 since") && evidence.contains("a package was changed"), "{evidence}");
    assert!(evidence.contains("nc :4444 since") && evidence.contains("no unit owns it"), "{evidence}");
    let mut quiet = watched();
    quiet.security = Some(SecurityFacts::default());
    assert_eq!(section(&json(ReportKind::Security, 0, &quiet), "threats")["tables"][0]["rows"].as_array().map(Vec::len), Some(0));
}

#[test]
fn every_kind_is_written_in_every_format_at_every_depth() {
    for kind in ReportKind::ALL {
        for depth in ReportDepth::ALL {
            for format in ReportFormat::ALL {
                let spec = ReportSpec { kind: *kind, growth_percent: 10, ..spec(*depth, *format) };
                let bytes = render(&spec, &watched()).expect("a report").bytes;
                assert!(!bytes.is_empty(), "{kind} {depth} {format}");
            }
        }
    }
}
