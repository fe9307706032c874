//! What is set, where it came from, and how it is changed from the screen.
//!
//! Values are texts as people write them (`2s`, `85%`, `true`). Invariant: no secret is in here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything that is set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Settings {
    /// Keys outside lists and channels, by section and name.
    pub keys: Vec<Setting>,
    /// Rules, those that come with farol first.
    pub rules: Vec<RuleSetting>,
    /// Keys a rule can have and what they mean, in the order they are explained.
    pub rule_keys: Vec<(String, String)>,
    /// Where messages go.
    pub channels: Vec<ChannelSetting>,
    /// The user's own file; `None` where there is none.
    pub file: Option<OwnFile>,
    /// What undoing would take back; `None` where nothing was changed since the start.
    pub undo: Option<String>,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Section and name (`general.interval`).
    pub key: String,
    /// As it holds.
    pub value: String,
    /// As it would be without any configuration.
    pub default: String,
    /// Where the value came from, for people.
    pub origin: String,
    /// A variable or flag sets it, so that no file can change it.
    pub fixed: bool,
    /// What it means; empty where nothing explains it.
    pub help: String,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSetting {
    /// Its name.
    pub name: String,
    /// Comes with farol.
    pub built_in: bool,
    /// Whether it judges anything.
    pub enabled: bool,
    /// Its condition in words.
    pub says: String,
    /// Its keys as they hold.
    pub keys: BTreeMap<String, String>,
    /// Those of them that are written down.
    pub written: BTreeMap<String, String>,
    /// Where they are written; empty for a rule as it comes with farol.
    pub origin: String,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSetting {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// What that is.
    pub about: String,
    /// Level of escalation at which it joins where no route names it.
    pub joins_at: u8,
    /// Its keys but secrets.
    pub keys: BTreeMap<String, String>,
    /// Farol's own choice, because none is configured.
    pub by_default: bool,
}

/// The user's own file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnFile {
    /// Where it is.
    pub path: String,
    /// Why it cannot be written; `None` where it can.
    pub unwritable: Option<String>,
}

/// Where a change is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingsPlace {
    /// `overrides.toml` in the data folder, over the user's file.
    #[default]
    Overrides,
    /// The user's own file; its comments stay.
    OwnFile,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingChange {
    /// A key outside lists.
    Key {
        /// Section and name.
        key: String,
        /// As people write it; `None`: no longer written there.
        value: Option<String>,
    },
    /// A rule, whole.
    Rule {
        /// Its name.
        name: String,
        /// Its keys but the name; `None`: no longer written there.
        keys: Option<BTreeMap<String, String>>,
    },
}
