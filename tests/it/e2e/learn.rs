//! Learning on a real recorder: from what people say of alerts to a changed rule, and back.

use std::path::PathBuf;

use serde_json::Value;

use super::kit::{Place, until};

/// Two rules over a value that the test writes: both fire at 3, and would not above 3.19.
const CONFIG: &str = r#"
[general]
interval = "100ms"
[store]
flush = "1s"
[[route]]
channels = []
[[service]]
name = "probe"
type = "command"
command = ["cat", "VALUE"]
interval = "100ms"
[[rule]]
name = "swings"
metric = "service_perfdata"
above = 2.9
flap_start = "100%"
[[rule]]
name = "waves"
metric = "service_perfdata"
above = 2.9
flap_start = "100%"
"#;

struct Machine {
    place: Place,
    value: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let place = Place::new();
        let value = place.path("value");
        let machine = Self { place, value };
        machine.set(0);
        machine.configure("");
        machine
    }

    fn configure(&self, more: &str) {
        let config = CONFIG.replace("VALUE", self.value.to_str().expect("plain"));
        self.place.write("config.toml", &format!("{config}{more}"));
    }

    /// Writes the value whole: a check never reads half of it.
    fn set(&self, value: u32) {
        let new = self.place.write("value.new", &format!("OK | load={value}\n"));
        std::fs::rename(new, &self.value).expect("renamed");
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.place.run(args).out).unwrap_or_default()
    }

    /// Ids of a rule's alerts in that state.
    fn alerts(&self, rule: &str, state: &str) -> Vec<String> {
        let all = self.json(&["alerts", "--all", "--format", "json"]);
        let all = all["alerts"].as_array().cloned().unwrap_or_default();
        let found = all.iter().filter(|a| a["rule"] == rule && a["state"] == state);
        found.filter_map(|a| a["id"].as_str().map(str::to_owned)).collect()
    }

    /// The value rises until `rule` fires, and falls until it is over.
    fn swing(&self, rule: &str) {
        self.set(3);
        until("it fires", || !self.alerts(rule, "firing").is_empty());
        self.set(0);
        until("it is over", || self.alerts(rule, "firing").is_empty());
    }

    fn learned(&self, rule: &str) -> Value {
        self.json(&["rules", "learn", "--rule", rule, "--format", "json"])
    }

    fn overrides(&self) -> String {
        std::fs::read_to_string(self.place.data().join("overrides.toml")).unwrap_or_default()
    }
}

#[test]
fn what_people_say_of_alerts_changes_a_rule_by_command_or_by_itself_and_can_be_taken_back() {
    let machine = Machine::new();
    let config = machine.place.path("config.toml");
    let args = ["--config", config.to_str().expect("plain")];
    let recorder = machine.place.record(&args);
    (0..6).for_each(|_| machine.swing("swings"));
    let over = machine.alerts("swings", "resolved");
    assert_eq!(over.len(), 6, "each swing is one alert");
    for id in &over {
        machine.place.run(&["feedback", id, "false"]).expect(0);
    }
    // What was not flushed yet is not replayed.
    let mut proposed = Value::Null;
    until("a looser limit is proposed", || {
        proposed = machine.learned("swings");
        proposed["proposals"][0]["to"]["above"] == "3.19"
    });
    assert_eq!(proposed["rules"][0]["said_false"], 6, "{proposed}");
    assert_eq!(proposed["proposals"][0]["alerts"]["after"], 0, "{proposed}");
    assert_eq!(machine.overrides(), "", "nothing changes by itself");

    let said = machine.place.run(&["rules", "learn", "--rule", "swings", "--apply"]).expect(0);
    assert!(said.out.contains("swings") && said.out.contains("--undo"), "{said:?}");
    assert!(machine.overrides().contains("3.19"), "{}", machine.overrides());
    machine.swing("waves");
    assert_eq!(machine.alerts("swings", "resolved").len(), 6, "it fires no more");
    let lesson = machine.learned("swings")["lessons"][0]["id"].as_str().expect("it is journalled").to_owned();
    machine.place.run(&["rules", "learn", "--undo", &lesson]).expect(0);
    assert!(!machine.overrides().contains("3.19"), "{}", machine.overrides());
    machine.swing("swings");
    assert_eq!(machine.learned("swings")["lessons"][1]["undoes"], lesson.as_str());
    recorder.stop();

    machine.configure("[analyze]\nlearn = \"apply\"\n");
    let recorder = machine.place.record(&args);
    until("the other rule is changed by itself", || machine.overrides().contains("3.19"));
    until("it is in the journal", || {
        let lessons = machine.learned("waves")["lessons"].as_array().cloned().unwrap_or_default();
        lessons.last().is_some_and(|lesson| lesson["author"] == "farol")
    });
    assert!(!machine.overrides().contains("swings"), "what was taken back is not changed again: {}", machine.overrides());
    recorder.stop();
}
