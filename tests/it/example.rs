//! `config.example.toml` against the configuration that is read.
//!
//! Invariant: the example holds every key, its defaults are the defaults, and its examples work.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use farol::config::{Config, EXAMPLE, Inputs, load};
use farol::engine::{self, Surroundings};
use farol::notify::Sending;

use super::source::{read, root};

/// The structs of the configuration: file, name, and the section of the example that holds their keys.
const STRUCTS: &[(&str, &str, &str)] = &[
    ("src/config/section.rs", "GeneralConfig", "general"),
    ("src/config/section.rs", "ApiConfig", "api"),
    ("src/collect/config.rs", "CollectConfig", "collect"),
    ("src/store/config.rs", "StoreConfig", "store"),
    ("src/model/report.rs", "Prices", "prices"),
    ("src/analyze/config.rs", "AnalyzeConfig", "analyze"),
    ("src/model/escalation.rs", "EscalationConfig", "escalation"),
    ("src/notify/heartbeat.rs", "HeartbeatConfig", "heartbeat"),
    ("src/net/client.rs", "NetConfig", "net"),
    ("src/ui/config.rs", "UiConfig", "ui"),
    ("src/notify/desktop.rs", "DesktopConfig", "notify.desktop"),
    ("src/notify/file.rs", "FileConfig", "notify.file"),
    ("src/notify/email.rs", "EmailConfig", "notify.email"),
    ("src/notify/slack.rs", "SlackConfig", "notify.slack-bot"),
    ("src/notify/telegram.rs", "TelegramConfig", "notify.telegram"),
    ("src/notify/matrix.rs", "MatrixConfig", "notify.matrix"),
    ("src/notify/ntfy.rs", "NtfyConfig", "notify.ntfy"),
    ("src/notify/gotify.rs", "GotifyConfig", "notify.gotify"),
    ("src/notify/pushover.rs", "PushoverConfig", "notify.pushover"),
    ("src/notify/twilio.rs", "TwilioConfig", "notify.sms"),
    ("src/notify/twilio.rs", "TwilioConfig", "notify.phone"),
    ("src/notify/pagerduty.rs", "PagerdutyConfig", "notify.pagerduty"),
    ("src/notify/alertmanager.rs", "AlertmanagerConfig", "notify.alertmanager"),
    ("src/notify/webhook.rs", "WebhookConfig", "notify.webhook"),
    ("src/notify/syslog.rs", "SyslogConfig", "notify.syslog"),
    ("src/notify/journal.rs", "JournalConfig", "notify.journal"),
    ("src/notify/command.rs", "CommandConfig", "notify.command"),
    ("src/notify/routing.rs", "RouteConfig", "route"),
    ("src/report/config.rs", "ReportConfig", "report"),
    ("src/check/config.rs", "ServiceConfig", "service"),
    ("src/alert/config.rs", "RuleConfig", "rule"),
    ("src/alert/mute.rs", "MuteConfig", "mute"),
    ("src/alert/config.rs", "RuleTest", "rule.test"),
];

/// The example with lines of one mark set free: `#` defaults, `##` examples.
fn freed(defaults: bool, examples: bool) -> String {
    let free = |line: &str| match (line.strip_prefix("##"), line.strip_prefix('#').filter(|l| !l.starts_with([' ', '#']))) {
        (Some(example), _) if examples => example.to_owned(),
        (None, Some(default)) if defaults => default.to_owned(),
        _ => String::new(),
    };
    EXAMPLE.lines().map(|l| free(l) + "\n").collect()
}

/// `section.key` of every line with a key, defaults and examples.
fn keys() -> BTreeSet<String> {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in freed(true, true).lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
            keys.insert(section.clone());
        } else if let Some((key, _)) = line.split_once(" = ") {
            keys.insert(format!("{section}.{key}"));
        }
    }
    keys
}

/// Names of a struct's fields as they are written in a file.
fn fields(path: &str, name: &str) -> Vec<String> {
    let text = read(&root().join(path));
    let start = text.find(&format!("struct {name} {{")).unwrap_or_else(|| panic!("{path} has no {name}"));
    let body = text[start..].split("\n}").next().expect("a body");
    let mut renamed = None;
    let mut fields = Vec::new();
    for line in body.lines().skip(1).map(str::trim) {
        if line.starts_with("#[") {
            let name = line.split_once("rename = \"").and_then(|(_, rest)| rest.split('"').next());
            renamed = name.map(str::to_owned).or(renamed);
        } else if let Some((field, _)) = line.split_once(": ").filter(|_| !line.starts_with("//")) {
            fields.push(renamed.take().unwrap_or_else(|| field.trim_start_matches("pub ").to_owned()));
        }
    }
    fields
}

#[test]
fn set_free_the_defaults_are_the_defaults() {
    let text = freed(true, false);
    let config: Config = toml::from_str(&text).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config, Config::default());
    let table = toml::Table::try_from(Config::default()).expect("plain data");
    let written: toml::Table = text.parse().expect("TOML");
    for (section, keys) in &table {
        let Some(keys) = keys.as_table().filter(|_| section != "notify") else { continue };
        for key in keys.keys() {
            assert!(written[section.as_str()].get(key).is_some(), "{section}.{key} is missing");
        }
    }
}

#[test]
fn commented_as_it_is_it_changes_nothing() {
    assert_eq!(toml::from_str(EXAMPLE), Ok(Config::default()));
}

#[test]
fn every_key_that_is_read_is_there() {
    let keys = keys();
    for (path, name, section) in STRUCTS {
        let fields = fields(path, name);
        assert!(!fields.is_empty(), "{name} has no fields");
        for field in fields {
            assert!(keys.contains(&format!("{section}.{field}")), "{section}.{field} ({name}) is missing in the example");
        }
    }
}

#[test]
fn the_examples_are_read_and_an_engine_could_start_with_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("config.toml");
    std::fs::write(&file, freed(true, true)).expect("written");
    let loaded = load(&Inputs { file: Some(file), ..Inputs::default() }).unwrap_or_else(|e| panic!("{e}"));
    let around =
        Surroundings { host: Arc::default(), link_bits_per_second: None, data_dir: Path::new("/nowhere"), sending: Sending::Dry };
    let settings = engine::settings(&loaded.config, &Arc::new(engine::catalog()), &around).unwrap_or_else(|e| panic!("{e}"));
    let kinds: BTreeSet<&str> = settings.services.iter().map(|s| s.kind).collect();
    let all: BTreeSet<&str> = farol::check::PROBES.iter().map(|p| p.name).collect();
    assert_eq!(kinds, all, "an example for every type of service");
    assert_eq!(
        settings.channels.len(),
        farol::notify::CHANNELS.len() + 4,
        "one for every type of channel, a second file, a bot, an action, the path of a report"
    );
    let disk = settings.rules.iter().find(|r| r.name == "disk").expect("the built-in rule");
    assert_eq!(disk.limit, farol::model::Limit::Above(0.95), "the example changes it");
    assert!(settings.rules.iter().all(|r| r.name != "core busy"), "the example switches it off");
}

#[test]
fn it_names_every_secret_of_a_channel() {
    for kind in farol::notify::CHANNELS {
        for secret in kind.secrets {
            assert!(EXAMPLE.contains(&format!("{secret}_file")), "{}: {secret}_file", kind.name);
        }
    }
}

#[test]
fn it_names_every_built_in_rule_and_every_source() {
    let facts = farol::model::HostFacts { cores: 8, memory_bytes: 32_000_000_000, ..Default::default() };
    for rule in farol::alert::default_rules(&facts, Some(1e9)) {
        let listed = [", ", ": ", "\n# "].iter().any(|before| EXAMPLE.contains(&format!("{before}{}", rule.name)));
        assert!(listed, "the rule \"{}\" is not listed", rule.name);
    }
    let table = read(&root().join("src/collect/table.rs"));
    for source in table.lines().filter_map(|l| l.trim().strip_prefix("row!(")?.strip_suffix("),")?.split(", ").nth(1)) {
        assert!(EXAMPLE.contains(&format!(" {source}")), "the source {source} is not listed");
    }
}
