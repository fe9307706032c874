//! All sections of the configuration, each the struct of its room.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use toml::Table;

use crate::base::time::{duration_text, exact};
use crate::model::Prices;
use crate::{alert, analyze, check, collect, net, notify, report, store, ui};

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[general]`.
    pub general: GeneralConfig,
    /// `[collect]`.
    pub collect: collect::CollectConfig,
    /// `[store]`.
    pub store: store::StoreConfig,
    /// `[analyze]`.
    pub analyze: analyze::AnalyzeConfig,
    /// `[escalation]`.
    pub escalation: alert::EscalationConfig,
    /// `[prices]`.
    pub prices: Prices,
    /// `[net]`.
    pub net: net::NetConfig,
    /// `[api]`.
    pub api: ApiConfig,
    /// `[ui]`.
    pub ui: ui::UiConfig,
    /// `[heartbeat]`.
    pub heartbeat: notify::HeartbeatConfig,
    /// `[notify.<name>]`.
    pub notify: notify::NotifyConfig,
    /// `[[route]]`.
    pub route: Vec<notify::RouteConfig>,
    /// `[[action]]`.
    pub action: Vec<notify::ActionConfig>,
    /// `[[report]]`.
    pub report: Vec<report::ReportConfig>,
    /// `[[service]]`.
    pub service: Vec<check::ServiceConfig>,
    /// `[[rule]]`.
    pub rule: Vec<alert::RuleConfig>,
    /// `[[mute]]`.
    pub mute: Vec<alert::MuteConfig>,
}

/// `[general]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneralConfig {
    /// Time between two rounds; 100 ms to 1 h.
    #[serde(serialize_with = "duration_text::serialize", deserialize_with = "interval")]
    pub interval: Duration,
    /// Name of the machine; the system's where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Labels on every export.
    pub labels: BTreeMap<String, String>,
}

impl Default for GeneralConfig {
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), host: None, labels: BTreeMap::new() }
    }
}

/// `[api]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiConfig {
    /// Group whose members may look and operate through the socket, by name or number; nobody where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl Config {
    /// Keys that differ in `new` and are taken at a start only (`[general] host`): the machine's name, which its history and
    /// messages have, and what a screen is drawn with.
    pub fn at_next_start(&self, new: &Self) -> Vec<String> {
        let host = (self.general.host != new.general.host).then(|| "[general] host".to_owned());
        let keys = |ui: &ui::UiConfig| Table::try_from(ui).expect("a configuration is plain data");
        let (before, after) = (keys(&self.ui), keys(&new.ui));
        let named: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let ui = named.into_iter().filter(|key| before.get(*key) != after.get(*key)).map(|key| format!("[ui] {key}"));
        host.into_iter().chain(ui).collect()
    }
}

/// Shortest and longest interval: faster costs more than it shows, slower is no monitor.
const INTERVALS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3600));

fn interval<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let interval = duration_text::deserialize(deserializer)?;
    let (least, most) = INTERVALS;
    if interval < least || interval > most {
        let text = format!("[general] interval must lie between {} and {}", exact(least), exact(most));
        return Err(D::Error::custom(text));
    }
    Ok(interval)
}
