//! Capacity and security reports.

use std::time::Duration;

use super::facts::{facts, spec};
use super::text;
use crate::model::{
    Backtest, Crossing, Forecast, PostureCheck, Prices, ReportDepth, ReportFormat, ReportKind, ReportSpec, SecurityEvent,
    SecurityFacts, Severity,
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
            backtest: Backtest { mase: Some(0.61), coverage80: Some(0.8), n: 10 },
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
            && page.contains("Not observed: no posture check is on.")
    );
}

#[test]
fn events_are_ranked_and_logins_are_apart() {
    let mut facts = facts();
    let at = spec(ReportDepth::Daily, ReportFormat::Json).range.from;
    let event = |kind: &str, severity, subject: &str| SecurityEvent {
        at,
        kind: kind.to_owned(),
        severity,
        subject: subject.to_owned(),
        from: "192.0.2.7".to_owned(),
        evidence: format!("{kind} of {subject}"),
    };
    facts.security = Some(SecurityFacts {
        events: vec![
            event("login failed", Severity::Warning, "root"),
            event("login failed", Severity::Warning, "admin"),
            event("new listener", Severity::Critical, "nc"),
        ],
        checks: vec![PostureCheck {
            title: "Root may not log in with a password".to_owned(),
            passed: false,
            severity: Severity::Warning,
            evidence: "PermitRootLogin yes".to_owned(),
            advice: "Set PermitRootLogin prohibit-password.".to_owned(),
        }],
    });
    let report = json(ReportKind::Security, 0, &facts);
    let events = section(&report, "events");
    assert_eq!(events["tables"][0]["rows"].as_array().expect("rows").len(), 1);
    assert_eq!(events["tables"][1]["rows"].as_array().expect("rows").len(), 2);
    let posture = section(&report, "posture");
    assert_eq!(posture["tables"][0]["rows"][0][3], "Set PermitRootLogin prohibit-password.");
    let threats: Vec<_> = posture["tables"][1]["rows"].as_array().expect("rows").iter().map(|r| r[1].clone()).collect();
    assert_eq!(threats, ["new listener: 1 event.", "login failed: 2 events."]);
    assert_eq!(fact(&report, "security.checks_failed"), Some(1.0));
}

#[test]
fn every_kind_is_written_in_every_format_at_every_depth() {
    for kind in ReportKind::ALL {
        for depth in ReportDepth::ALL {
            for format in ReportFormat::ALL {
                let spec = ReportSpec { kind: *kind, growth_percent: 10, ..spec(*depth, *format) };
                let bytes = render(&spec, &filling()).expect("a report").bytes;
                assert!(!bytes.is_empty(), "{kind} {depth} {format}");
            }
        }
    }
}
