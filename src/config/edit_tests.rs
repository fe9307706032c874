//! Tests of changes to configuration files: whole files before and after.

use super::*;
use crate::config::load;

fn key(key: &str, value: Option<&str>) -> SettingChange {
    SettingChange::Key { key: key.to_owned(), value: value.map(str::to_owned) }
}

fn rule(name: &str, keys: &[(&str, &str)]) -> SettingChange {
    let keys = keys.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    SettingChange::Rule { name: name.to_owned(), keys: Some(keys) }
}

/// A folder with a file of one's own, and what is read from both.
fn place(text: &str) -> (tempfile::TempDir, Inputs) {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("config.toml");
    fs::write(&file, text).expect("written");
    let inputs = Inputs { file: Some(file), data_dir: Some(dir.path().to_owned()), ..Inputs::default() };
    (dir, inputs)
}

fn change(inputs: &Inputs, changes: &[SettingChange], place: SettingsPlace) -> Proposal {
    let proposal = Proposal::new(inputs, changes, place).expect("it can be made");
    load(&proposal.over(inputs.clone())).expect("it is right");
    proposal.write().expect("it can be written");
    proposal
}

#[test]
fn a_change_holds_over_the_file_and_goes_back_as_it_came() {
    let (dir, inputs) = place("[general]\ninterval = \"5s\" # slow\n");
    let done = change(&inputs, &[key("general.interval", Some("2s")), key("ui.theme", Some("nord"))], SettingsPlace::Overrides);
    let loaded = load(&inputs).expect("right");
    assert_eq!((loaded.config.general.interval.as_secs(), loaded.config.ui.theme.as_str()), (2, "nord"));
    let own = fs::read_to_string(dir.path().join("config.toml")).expect("there");
    assert_eq!(own, "[general]\ninterval = \"5s\" # slow\n", "one's own file is not touched");
    done.undone().write().expect("it goes back");
    assert_eq!(load(&inputs).expect("right").config.general.interval.as_secs(), 5);
    assert!(!dir.path().join("overrides.toml").exists());
}

#[test]
fn ones_own_file_keeps_its_comments_and_wins_over_earlier_changes() {
    let text = "# mine\n[general] # all\ninterval = \"5s\" # slow\n\n# quiet\n[[rule]]\nname = \"disk\" # the big one\nabove = \"95%\" # was 90\n";
    let (dir, inputs) = place(text);
    change(&inputs, &[key("general.interval", Some("2s")), rule("disk", &[("above", "91%")])], SettingsPlace::Overrides);
    change(
        &inputs,
        &[key("general.interval", Some("3s")), rule("disk", &[("above", "97%"), ("for", "2m")])],
        SettingsPlace::OwnFile,
    );
    let own = fs::read_to_string(dir.path().join("config.toml")).expect("there");
    let expected = text.replace("5s", "3s").replace("\"95%\" # was 90\n", "\"97%\" # was 90\nfor = \"2m\"\n");
    assert_eq!(own, expected);
    assert_eq!(load(&inputs).expect("right").config.general.interval.as_secs(), 3);
}

#[test]
fn a_rule_among_the_changes_replaces_the_one_of_its_name_and_no_other() {
    let (_dir, inputs) = place("[[rule]]\nname = \"disk\"\nabove = \"95%\"\n[[rule]]\nname = \"core busy\"\nenabled = false\n");
    change(&inputs, &[rule("disk", &[("above", "80%")]), rule("swap", &[("enabled", "false")])], SettingsPlace::Overrides);
    let loaded = load(&inputs).expect("right");
    let rules: Vec<_> = loaded.config.rule.iter().map(|r| (r.name.as_str(), r.enabled)).collect();
    assert_eq!(rules, [("disk", true), ("core busy", false), ("swap", false)]);
    assert_eq!(loaded.config.rule[0].above, Some(crate::alert::Amount::Text("80%".to_owned())));
    assert!(loaded.origins["rule.disk"].to_string().ends_with("overrides.toml"));
    assert!(loaded.origins["rule.core busy"].to_string().ends_with("config.toml"));
    let away = SettingChange::Rule { name: "disk".to_owned(), keys: None };
    change(&inputs, &[away], SettingsPlace::Overrides);
    assert_eq!(load(&inputs).expect("right").config.rule[0].above, Some(crate::alert::Amount::Text("95%".to_owned())));
}

#[test]
fn texts_become_what_the_key_takes() {
    let (dir, inputs) = place("");
    let changes = [
        key("collect.max_instances", Some("9")),
        key("general.host", Some("12")),
        key("collect.without", Some("[\"gpu\"]")),
        rule("x", &[("metric", "load_average"), ("where", "{ window = \"1m\" }"), ("above", "3"), ("channels", "[]")]),
    ];
    change(&inputs, &changes, SettingsPlace::Overrides);
    let loaded = load(&inputs).expect("right");
    assert_eq!(loaded.config.collect.max_instances, 9);
    assert_eq!(loaded.config.general.host.as_deref(), Some("12"));
    assert_eq!(loaded.config.rule[0].above, Some(crate::alert::Amount::Number(3.0)));
    let text = fs::read_to_string(dir.path().join("overrides.toml")).expect("there");
    assert!(text.contains("host = \"12\""), "{text}");
}

#[test]
fn what_is_wrong_is_refused_before_anything_is_written() {
    let (dir, inputs) = place("rule = [{ name = \"disk\", above = \"95%\" }]\n");
    let wrong = Proposal::new(&inputs, &[key("general.interval", Some("1ms"))], SettingsPlace::Overrides).expect("only a text");
    let error = load(&wrong.over(inputs.clone())).expect_err("too fast").to_string();
    assert!(error.contains("between 100ms and 1h"), "{error}");
    assert!(!dir.path().join("overrides.toml").exists());
    let error = Proposal::new(&inputs, &[rule("disk", &[])], SettingsPlace::OwnFile).expect_err("a list in brackets").to_string();
    assert!(error.contains("[[rule]]"), "{error}");
    let proposal = Proposal::new(&inputs, &[key("ui.theme", Some("nord"))], SettingsPlace::Overrides).expect("good");
    fs::write(dir.path().join("overrides.toml"), "[ui]\ntheme = \"light\"\n").expect("somebody else");
    assert!(proposal.write().expect_err("changed").to_string().contains("meanwhile"));
}
