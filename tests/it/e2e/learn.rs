//! Learning on a real recorder: from what people say of alerts to a changed rule, and back.

use std::time::Duration;

use serde_json::Value;

use super::kit::{Place, until, within};

/// Two rules that fire once a second for a quarter of it, and would not above 3.
const CONFIG: &str = r#"
[general]
interval = "100ms"
[store]
flush = "1s"
[[route]]
channels = []
[[rule]]
name = "swings"
expr = "floor(uptime_seconds * 4) % 4"
above = 2.9
flap_start = "100%"
[[rule]]
name = "waves"
expr = "floor(uptime_seconds * 4) % 4"
above = 2.9
flap_start = "100%"
"#;

fn json(place: &Place, args: &[&str]) -> Value {
    serde_json::from_str(&place.run(args).out).unwrap_or_default()
}

/// Ids of the rule's alerts that are over.
fn over(place: &Place, rule: &str) -> Vec<String> {
    let all = json(place, &["alerts", "--all", "--format", "json"]);
    let all = all["alerts"].as_array().cloned().unwrap_or_default();
    let over = all.iter().filter(|a| a["rule"] == rule && a["state"] == "resolved");
    over.filter_map(|a| a["id"].as_str().map(str::to_owned)).collect()
}

fn learned(place: &Place, rule: &str) -> Value {
    json(place, &["rules", "learn", "--rule", rule, "--format", "json"])
}

#[test]
fn what_people_say_of_alerts_changes_a_rule_by_command_or_by_itself_and_can_be_taken_back() {
    let place = Place::new();
    let config = place.write("config.toml", CONFIG);
    let args = ["--config", config.to_str().expect("plain")];
    let overrides = || std::fs::read_to_string(place.data().join("overrides.toml")).unwrap_or_default();
    let recorder = place.start(&args);
    recorder.wait_ready();
    until("both rules fired often enough", || ["swings", "waves"].iter().all(|rule| over(&place, rule).len() >= 6));
    for id in over(&place, "swings").iter().take(6) {
        place.run(&["feedback", id, "false"]).expect(0);
    }
    let proposed = within(Duration::from_secs(60), || {
        let learned = learned(&place, "swings");
        (learned["proposals"][0]["to"]["above"] == "3.19").then_some(learned)
    });
    let proposed = proposed.expect("a looser limit is proposed");
    let said = proposed["rules"][0]["said_false"].as_u64();
    assert!(said >= Some(6), "{proposed}");
    assert_eq!(proposed["proposals"][0]["alerts"]["after"], 0, "{proposed}");
    assert_eq!(overrides(), "", "nothing changes by itself");
    place.run(&["rules", "learn", "--rule", "swings", "--apply"]).expect(0).says(&["swings", "--undo"]);
    assert!(overrides().contains("3.19"), "{}", overrides());
    let quiet = over(&place, "swings").len();
    until("the other one fires again", || over(&place, "waves").len() > quiet + 1);
    assert!(over(&place, "swings").len() <= quiet + 1, "it fires no more");
    let lesson = learned(&place, "swings")["lessons"][0]["id"].as_str().expect("it is journalled").to_owned();
    place.run(&["rules", "learn", "--undo", &lesson]).expect(0);
    assert!(!overrides().contains("3.19"), "{}", overrides());
    let quiet = over(&place, "swings").len();
    until("it fires again", || over(&place, "swings").len() > quiet);
    assert_eq!(learned(&place, "swings")["lessons"][1]["undoes"], lesson.as_str());
    recorder.stop();

    place.write("config.toml", &format!("{CONFIG}\n[analyze]\nlearn = \"apply\"\n"));
    let recorder = place.start(&args);
    recorder.wait_ready();
    until("the other rule is changed by itself", || overrides().contains("3.19"));
    let learned_by = |rule: &str| learned(&place, rule)["lessons"].as_array().map(|all| all.last().cloned().unwrap_or_default());
    until("it is in the journal", || learned_by("waves").is_some_and(|lesson| lesson["author"] == "farol"));
    assert!(!overrides().contains("swings"), "what was taken back is not changed again: {}", overrides());
    recorder.stop();
}
