//! Who is told of an alert at which level.
//!
//! Invariant: channels add up with the level; a channel is named once.

use serde::{Deserialize, Serialize};

use crate::model::{Alert, Matcher};

/// One `[[route]]`: the first that matches names the channels of level 0.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// All must match the alert's labels; empty: every alert.
    #[serde(default, rename = "match")]
    pub matchers: Vec<Matcher>,
    /// Channels by name.
    pub channels: Vec<String>,
}

/// Routes, ready.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Routing {
    /// Name and the level it joins at, for every configured channel.
    pub channels: Vec<(String, u8)>,
    /// In order.
    pub routes: Vec<RouteConfig>,
    /// Channels of escalation levels 1 and up, where they are configured.
    pub levels: Vec<Vec<String>>,
}

impl Routing {
    /// Channels to be told at that level, those of lower levels included; `own` are those the rule names itself.
    pub fn recipients(&self, _alert: &Alert, _own: &[String], _level: u8) -> Vec<String> {
        Vec::new()
    }
}
