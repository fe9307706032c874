//! The JSON of the commands against `tests/schemas`.
//!
//! Understands the words of JSON Schema that are used there and refuses others. Invariant: a schema describes what the
//! built program prints, with an engine and without one.

use serde_json::Value;

use super::e2e::kit::{Place, until};
use super::source::{read, root};

/// Everything wrong with a value: paths and what was expected.
fn faults(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let words = schema.as_object().expect("a schema is an object");
    for (word, rule) in words {
        let good = match word.as_str() {
            "$schema" | "title" => true,
            "type" => is_one_of(rule, value),
            "const" => rule == value,
            "enum" => value.is_null() && allows_null(schema) || list(rule).contains(value),
            "minimum" => value.as_f64().is_none_or(|v| v >= rule.as_f64().expect("a number")),
            "maximum" => value.as_f64().is_none_or(|v| v <= rule.as_f64().expect("a number")),
            "minItems" => value.as_array().is_none_or(|v| v.len() as u64 >= rule.as_u64().expect("a number")),
            "maxItems" => value.as_array().is_none_or(|v| v.len() as u64 <= rule.as_u64().expect("a number")),
            "format" => value.as_str().is_none_or(|v| rule == "date-time" && v.parse::<jiff::Timestamp>().is_ok()),
            "required" => {
                let missing = |key: &&Value| value.as_object().is_some_and(|v| !v.contains_key(key.as_str().expect("a key")));
                found.extend(list(rule).iter().filter(missing).map(|key| format!("{path}: {key} is missing")));
                true
            }
            "properties" => {
                for (key, schema) in rule.as_object().expect("properties") {
                    value.get(key).into_iter().for_each(|v| faults(schema, v, &format!("{path}.{key}"), found));
                }
                true
            }
            "additionalProperties" => {
                value.as_object().into_iter().flatten().for_each(|(key, v)| faults(rule, v, &format!("{path}.{key}"), found));
                true
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                items.for_each(|(at, v)| faults(rule, v, &format!("{path}[{at}]"), found));
                true
            }
            other => panic!("{path}: this checker does not know the word {other}"),
        };
        if !good {
            found.push(format!("{path}: {value} is against {word} {rule}"));
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn allows_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|types| is_one_of(types, &Value::Null))
}

fn is_one_of(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().expect("a name of a type") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type {other}"),
    };
    types.as_array().map_or_else(|| is(types), |types| types.iter().any(is))
}

fn schema(kind: &str) -> Value {
    serde_json::from_str(&read(&root().join(format!("tests/schemas/{kind}.json")))).unwrap_or_else(|e| panic!("{kind}: {e}"))
}

/// Asserts that a text is JSON as the schema of its kind says; gives it.
#[track_caller]
fn fits(kind: &str, text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{kind}: {e}: {text}"));
    let mut found = Vec::new();
    faults(&schema(kind), &value, kind, &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
    value
}

/// A rule that fires at once, and a service nobody answers for.
const CONFIG: &str = r#"
[[rule]]
name = "always"
metric = "memory_total_bytes"
above = "1MB"
labels = { team = "ops" }

[[report]]
kind = "security"
depth = "hourly"

[[service]]
name = "nobody"
type = "tcp"
address = "127.0.0.1:1"
interval = "200ms"
retry = "200ms"
fail_after = 1
"#;

/// Each command that prints JSON, with the kind of its object.
const COMMANDS: &[(&str, &[&str])] = &[
    ("status", &["status", "--format", "json"]),
    ("alerts", &["alerts", "--all", "--format", "json"]),
    ("services", &["services", "--format", "json"]),
    ("predictions", &["predictions", "--format", "json"]),
    ("patterns", &["patterns", "--format", "json"]),
    ("silences", &["silence", "list", "--format", "json"]),
    ("rules", &["rules", "list", "--format", "json"]),
    ("replay", &["rules", "replay", "--last", "1h", "--format", "json"]),
    ("learn", &["rules", "learn", "--format", "json"]),
    ("forecast", &["forecast", "memory_used_ratio", "--format", "json"]),
    ("forecast", &["forecast", "filesystem_used_ratio", "--horizon", "7d", "--format", "json"]),
    ("query", &["query", "cpu_mode_ratio", "--format", "json"]),
    ("query", &["query", "sum by (mode) (cpu_mode_ratio)", "--last", "1m", "--step", "1s", "--format", "json"]),
    ("reports", &["reports", "list", "--format", "json"]),
    ("report", &["report", "performance", "--last", "1h", "--format", "json"]),
    ("report", &["report", "performance", "--depth", "weekly", "--format", "json"]),
];

#[test]
fn what_the_commands_print_fits_its_schema_with_and_without_an_engine() {
    let place = Place::new();
    let config = place.write("config.toml", CONFIG);
    let recorder = place.record(&["--interval", "200ms", "--config", config.to_str().expect("a plain path")]);
    until("the service is down", || place.run(&["services"]).out.contains("offline"));
    until("the rule fires", || place.run(&["alerts"]).out.contains("memory total"));
    let alerts = fits("alerts", &place.run(&["alerts", "--format", "json"]).expect(0).out);
    let ids: Vec<String> = list(&alerts["alerts"]).iter().map(|a| a["id"].as_str().expect("an id").to_owned()).collect();
    for id in &ids {
        fits("why", &place.run(&["alerts", "why", id, "--format", "json"]).expect(0).out);
        place.run(&["ack", id, "--comment", "seen"]).expect(0);
        place.run(&["snooze", id, "--for", "2h"]).expect(0);
    }
    place.run(&["silence", "add", "rule=disk", "mount=~\"/srv.*\"", "--comment", "moving"]).expect(0);
    place.run(&["feedback", &ids[0], "false"]).expect(0);
    place.run(&["incident", "add", "--from", "-1m", "--comment", "slow", "--rule", "disk"]).expect(0);
    for (kind, args) in COMMANDS {
        fits(kind, &place.run(args).out);
    }
    let learned = fits("learn", &place.run(&["rules", "learn", "--format", "json"]).expect(0).out);
    let rule = |name: &str| list(&learned["rules"]).iter().find(|r| r["rule"] == name).cloned().expect("a row");
    assert_eq!((&rule("disk")["missed"], &learned["incidents"][0]["comment"]), (&1.into(), &"slow".into()));
    assert!(place.run(&["rules", "learn", "--undo", "zz"]).expect(2).err.contains("nothing was learned as \"zz\""));
    let alerts = fits("alerts", &place.run(&["alerts", "--format", "json"]).expect(0).out);
    let mine = list(&alerts["alerts"]).iter().find(|a| a["rule"] == "always").expect("the alert of the rule");
    assert_eq!((&mine["acknowledged"]["comment"], &mine["labels"]["team"]), (&"seen".into(), &"ops".into()));
    assert!(mine["snoozed"]["until"].is_string(), "{mine}");
    let services = fits("services", &place.run(&["services", "--format", "json"]).expect(0).out);
    assert_eq!(services["services"][0]["state"], "offline");
    recorder.stop();
    for (kind, args) in COMMANDS {
        fits(kind, &place.run(args).out);
    }
}

#[test]
fn every_schema_is_used_and_names_its_kind() {
    let folder = std::fs::read_dir(root().join("tests/schemas")).expect("the folder of schemas");
    for file in folder {
        let name = file.expect("an entry").file_name().to_string_lossy().into_owned();
        let kind = name.strip_suffix(".json").expect("a schema");
        // That of an alert has its id.
        assert!(kind == "why" || COMMANDS.iter().any(|(k, _)| *k == kind), "{kind} is checked nowhere");
        assert_eq!(schema(kind)["properties"]["schema"]["const"], format!("farol.{kind}/1"));
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let wrong = |kind: &str, text: &str| {
        let mut found = Vec::new();
        faults(&schema(kind), &serde_json::from_str(text).expect("JSON"), kind, &mut found);
        found.join("\n")
    };
    let silence = r#"{"schema": "farol.silences/1", "generated_at": "yesterday", "silences": [{"id": 7, "matchers": [null]}]}"#;
    let found = wrong("silences", silence);
    for part in ["generated_at: \"yesterday\"", "[0].id: 7", "[0].matchers[0]: null", "\"until\" is missing"] {
        assert!(found.contains(part), "{part} is not in:\n{found}");
    }
    assert!(wrong("status", r#"{"schema": "farol.status/2"}"#).contains("const"));
    let record = r#"{"predictions": [], "record": {"shown": -1, "brier": 1.5}}"#;
    assert!(wrong("predictions", record).contains("minimum") && wrong("predictions", record).contains("maximum"));
}
