//! What a performance report says of people's time: incidents, noise, availability, the span before, what to do.

use serde_json::Value;

use super::facts::{facts, spec};
use super::text;
use crate::model::{ReportDepth, ReportFormat};
use crate::report::{Facts, render};

fn json(depth: ReportDepth, facts: &Facts) -> Value {
    serde_json::from_str(&text(render(&spec(depth, ReportFormat::Json), facts).expect("a report").bytes)).expect("JSON")
}

fn fact(report: &Value, id: &str) -> Option<f64> {
    let sections = report["sections"].as_array().expect("sections");
    let mut facts = sections.iter().flat_map(|s| s["facts"].as_array().expect("facts"));
    facts.find(|f| f["id"] == id).unwrap_or_else(|| panic!("{id}"))["value"].as_f64()
}

fn rows(report: &Value, id: &str) -> Vec<Value> {
    let sections = report["sections"].as_array().expect("sections");
    let mut tables = sections.iter().flat_map(|s| s["tables"].as_array().expect("tables"));
    tables.find(|t| t["id"] == id).unwrap_or_else(|| panic!("{id}"))["rows"].as_array().expect("rows").clone()
}

#[test]
fn an_incident_has_its_story_and_the_times_people_took() {
    let report = json(ReportDepth::Daily, &facts());
    assert_eq!(fact(&report, "incidents.count"), Some(2.0));
    assert_eq!(fact(&report, "incidents.mean_time_to_tell"), Some(6.0));
    assert_eq!((fact(&report, "incidents.mtta"), fact(&report, "incidents.acknowledged")), (Some(240.0), Some(1.0)));
    assert_eq!((fact(&report, "incidents.mttr"), fact(&report, "incidents.resolved")), (Some(1800.0), Some(1.0)));
    let incidents = rows(&report, "incidents");
    assert!(incidents[0][3].is_null() && incidents[0][8] == "nobody", "the newest goes on: {}", incidents[0]);
    assert_eq!((&incidents[1][4], &incidents[1][8], &incidents[1][9]), (&1800.0.into(), &"email".into(), &240.0.into()));
    let story: Vec<String> =
        rows(&report, "timeline").iter().map(|r| format!("{} {}", r[0], r[3].as_str().unwrap_or(""))).collect();
    assert_eq!(
        story,
        [
            "1.0 fired: memory 91% > 85%",
            "2.0 fired: memory 91% > 85%",
            "2.0 email not told: the server is away; tried again in 5 s",
            "2.0 email told: fired: 250 taken",
            "2.0 taken by ana: restarting <it>",
            "2.0 over",
        ]
    );
    let month = json(ReportDepth::Monthly, &facts());
    assert!(
        month["sections"].as_array().expect("sections").iter().all(|s| s["tables"]
            .as_array()
            .expect("tables")
            .iter()
            .all(|t| t["id"] != "timeline"))
    );
}

#[test]
fn rules_are_judged_by_what_people_said() {
    let report = json(ReportDepth::Weekly, &facts());
    assert_eq!((fact(&report, "noise.real"), fact(&report, "noise.judged")), (Some(1.0), Some(2.0)));
    assert_eq!(fact(&report, "noise.acknowledged"), Some(0.5));
    let rule = &rows(&report, "rules")[0];
    assert_eq!((&rule[1], &rule[2], &rule[9]), (&"memory is tight".into(), &2.0.into(), &1.0.into()));
    let mut quiet = facts();
    quiet.alerts.clear();
    let report = json(ReportDepth::Daily, &quiet);
    assert_eq!((fact(&report, "noise.real"), fact(&report, "incidents.mttr")), (None, None), "nothing is not zero");
}

#[test]
fn the_time_of_a_service_adds_up_to_the_span() {
    let report = json(ReportDepth::Daily, &facts());
    for row in rows(&report, "availability") {
        let sum: f64 = (2..=5).filter_map(|i| row[i].as_f64()).sum();
        assert!((sum - 86_400.0).abs() < 1e-6, "{row}");
    }
    let worst = &rows(&report, "availability")[0];
    assert_eq!(
        (&worst[0], &worst[1], &worst[8], &worst[10]),
        (&"critical".into(), &"checkout-api".into(), &(-0.4).into(), &0.93.into())
    );
}

#[test]
fn the_span_before_stands_beside_and_is_said_to_be_missing() {
    let mut facts = facts();
    let report = json(ReportDepth::Daily, &facts);
    let row = |name: &str| rows(&report, "comparison").into_iter().find(|r| r[1] == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(
        (&row("alerts fired")[2], &row("alerts fired")[3], &row("alerts fired")[0]),
        (&0.0.into(), &2.0.into(), &"warning".into())
    );
    assert_eq!(row("CPU, mean")[4], "+13.2%");
    assert!(row("checkout-api, up")[2].is_null(), "it was not checked then");
    facts.previous = None;
    let report = json(ReportDepth::Daily, &facts);
    assert!(rows(&report, "comparison").is_empty() && fact(&report, "comparison.coverage").is_none());
}

#[test]
fn advice_has_its_command_and_the_costliest_comes_first() {
    let report = json(ReportDepth::Daily, &facts());
    let advice = rows(&report, "recommendations");
    assert!(advice.len() > 2 && advice.iter().all(|r| r[3].as_str().is_some_and(|how| !how.is_empty())), "{advice:?}");
    let warnings: Vec<&Value> = advice.iter().filter(|r| r[0] == "warning").collect();
    assert!(warnings[0][2].as_str().expect("why").contains("It cost "), "{warnings:?}");
    let page = text(render(&spec(ReportDepth::Daily, ReportFormat::Html), &facts()).expect("a report").bytes);
    assert!(page.contains("<code>du -xh -d 2 /var | sort -h | tail;") && page.contains("restarting &lt;it&gt;"));
}
