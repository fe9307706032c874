//! `[ui]` of the configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::presets::Keys;

/// How the screen looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UiConfig {
    /// Name of a built-in theme, or of a file in the user's folder of themes.
    pub theme: String,
    /// Name of a built-in layout, or of a file in the user's folder of layouts.
    pub layout: String,
    /// What graphs are made of: `braille`, `block`, `ascii`.
    pub graph: String,
    /// What sizes and rates are counted in: `iec` (KiB, MiB), `si` (kB, MB).
    pub units: String,
    /// What temperatures are told in: `celsius`, `fahrenheit`.
    pub temperature: String,
    /// Whether a day has one round of the clock or two: `24h`, `12h`.
    pub time_format: String,
    /// Keys: `default`, `htop`, `vim`, a file's path, or the name of a file in the user's folder of keymaps.
    pub keymap: String,
    /// Keys of single actions over that.
    pub keys: BTreeMap<String, Keys>,
}

impl Default for UiConfig {
    fn default() -> Self {
        Self {
            theme: "dark".to_owned(),
            layout: "default".to_owned(),
            graph: "braille".to_owned(),
            units: "iec".to_owned(),
            temperature: "celsius".to_owned(),
            time_format: "24h".to_owned(),
            keymap: "default".to_owned(),
            keys: BTreeMap::new(),
        }
    }
}
